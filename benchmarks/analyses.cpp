// What is done with a network: many units projected, parts of a picture hidden, a scan for the strongest activations, a step of
// training; and what switches cost a max-pool.
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include <deconvnet/analysis/occlusion.hpp>
#include <deconvnet/analysis/top_activations.hpp>
#include <deconvnet/network/alexnet.hpp>
#include <deconvnet/network/projection.hpp>
#include <deconvnet/network/scaled_zfnet.hpp>
#include <deconvnet/network/zfnet.hpp>
#include <deconvnet/ops/max_pool2d.hpp>
#include <deconvnet/training/backpropagation.hpp>
#include <deconvnet/training/initialization.hpp>
#include <deconvnet/training/sgd.hpp>

namespace {

namespace dn = deconvnet;

dn::tensor4<float> random_maps(const dn::shape4& shape, std::size_t seed) {
  auto values = dn::uninitialized<float>(shape);
  for (std::size_t k = 0; k < values.size(); ++k) values.data()[k] = static_cast<float>((k + seed) * 2654435761U % 1000) / 500.0F - 1;
  return values;
}

dn::network<float> initialized(dn::network<float> net) {
  dn::initialize(net, 1, dn::initialization::he);
  return net;
}

/// 32 maps of ZFNet's last convolution, nine units of each; per unit.
void units_of_a_layer(benchmark::State& state) {
  const auto net = initialized(dn::zfnet<float>());
  const auto run = net.forward(random_maps({1, 3, 224, 224}, 1));
  std::vector<dn::unit> units;
  for (std::size_t c = 0; c < 32; ++c) {
    for (std::size_t k = 0; k < 9; ++k) units.push_back({0, c, 1 + 5 * (k / 3), 1 + 5 * (k % 3)});
  }
  for (auto _ : state) benchmark::DoNotOptimize(dn::project(net, run, "conv5", std::span<const dn::unit>(units)).data());
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(units.size()));
}

/// ZFNet, squares of 32 by 32 every 32 places: a sixteenth of the positions at a stride of 8.
void occlusion(benchmark::State& state) {
  const auto net = initialized(dn::zfnet<float>());
  const auto x = random_maps({1, 3, 224, 224}, 1);
  const dn::occlusion_options options{.size = 32, .stride = 32, .label = 0, .incremental = state.range(0) != 0};
  for (auto _ : state) benchmark::DoNotOptimize(dn::occlusion_sensitivity(net, x, options).probability.data());
}

/// 16 pictures through AlexNet; per picture.
void scan(benchmark::State& state) {
  const auto net = initialized(dn::alexnet<float>());
  std::vector<dn::tensor4<float>> pictures;
  for (std::size_t k = 0; k < 16; ++k) pictures.push_back(random_maps({1, 3, 224, 224}, k));
  for (auto _ : state) benchmark::DoNotOptimize(dn::top_activations(net, "conv5", pictures));
  state.SetItemsProcessed(state.iterations() * 16);
}

/// 128 pictures of 32 x 32 through the plan of the networks that ship; per picture.
void training_step(benchmark::State& state) {
  auto net = initialized(dn::scaled_zfnet<float>({.input = {3, 32, 32}}));
  const auto x = random_maps({128, 3, 32, 32}, 1);
  std::vector<std::size_t> labels;
  for (std::size_t k = 0; k < 128; ++k) labels.push_back(k % 10);
  dn::backpropagation<float> pass;
  dn::sgd<float> optimizer(net);
  for (auto _ : state) {
    pass(net, x, labels, 0);
    optimizer(net, pass.gradients(), 0.01);
  }
  state.SetItemsProcessed(state.iterations() * 128);
}

/// 64 maps of 111 x 111, 3 x 3 every 2 places, with and without switches.
void max_pool(benchmark::State& state) {
  const dn::max_pool2d pool({.kernel = 3, .stride = 2});
  const auto x = random_maps({1, 64, 111, 111}, 1);
  dn::tensor4<float> y;
  dn::switches record;
  for (auto _ : state) {
    pool.forward(x, y, state.range(0) ? &record : nullptr);
    benchmark::DoNotOptimize(y.data());
  }
}

BENCHMARK(units_of_a_layer)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(occlusion)->ArgName("incremental")->Arg(0)->Arg(1)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(scan)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(training_step)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(max_pool)->ArgName("switches")->Arg(0)->Arg(1)->UseRealTime()->Unit(benchmark::kMicrosecond);

}  // namespace
