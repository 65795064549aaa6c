// Whole networks at batch 1, random weights: the output alone, a full trace, and the projection of one unit of the last
// convolution on a given trace.
#include <cstddef>
#include <string>
#include <utility>

#include <benchmark/benchmark.h>

#include <deconvnet/network/alexnet.hpp>
#include <deconvnet/network/projection.hpp>
#include <deconvnet/network/squeezenet.hpp>
#include <deconvnet/network/vgg.hpp>
#include <deconvnet/network/zfnet.hpp>
#include <deconvnet/training/initialization.hpp>

namespace {

namespace dn = deconvnet;

dn::network<float> model(const std::string& name) {
  auto net = name == "zfnet"     ? dn::zfnet<float>()
             : name == "alexnet" ? dn::alexnet<float>({.variant = dn::alexnet_variant::torchvision})
             : name == "vgg16"   ? dn::vgg16<float>()
                                 : dn::squeezenet1_1<float>();
  dn::initialize(net, 1, dn::initialization::he);
  return net;
}

dn::tensor4<float> picture() {
  auto values = dn::uninitialized<float>({1, 3, 224, 224});
  for (std::size_t k = 0; k < values.size(); ++k) values.data()[k] = static_cast<float>(k * 2654435761U % 1000) / 500.0F - 1;
  return values;
}

void output(benchmark::State& state, const std::string& name) {
  const auto net = model(name);
  const auto x = picture();
  for (auto _ : state) benchmark::DoNotOptimize(net(x).data());
}

void traced(benchmark::State& state, const std::string& name) {
  const auto net = model(name);
  const auto x = picture();
  auto run = net.forward(x);
  for (auto _ : state) net.forward(x, run);
}

void projection(benchmark::State& state, const std::string& name, const std::string& layer) {
  const auto net = model(name);
  const auto run = net.forward(picture());
  const auto u = dn::strongest(run[layer]);
  for (auto _ : state) benchmark::DoNotOptimize(dn::project(net, run, layer, u).data());
}

}  // namespace

int main(int argc, char** argv) {
  const std::pair<const char*, const char*> models[] = {
      {"zfnet", "relu5"}, {"alexnet", "relu5"}, {"vgg16", "relu5_3"}, {"squeezenet1_1", "fire9/concat"}};
  for (const auto& [name, layer] : models) {
    const auto label = [&](const char* what) { return std::string(what) + "/" + name; };
    benchmark::RegisterBenchmark(label("output").c_str(), output, name)->UseRealTime()->Unit(benchmark::kMillisecond);
    benchmark::RegisterBenchmark(label("trace").c_str(), traced, name)->UseRealTime()->Unit(benchmark::kMillisecond);
    benchmark::RegisterBenchmark(label("project").c_str(), projection, name, layer)->UseRealTime()->Unit(benchmark::kMillisecond);
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
}
