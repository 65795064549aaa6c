// Convolution layers of well-known networks, forward and down: batch 1, bias added. items_per_second counts the
// floating-point operations, 2 OC IC/groups KH KW OH OW per pass.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include <benchmark/benchmark.h>

#include <deconvnet/ops/conv2d.hpp>

namespace {

namespace dn = deconvnet;

struct layer {
  const char* name;
  std::size_t channels, filters, kernel, stride, padding, side;
};

constexpr std::array<layer, 15> layers{{{"AlexNet 3->64 11x11/4", 3, 64, 11, 4, 2, 224},
                                        {"AlexNet 64->192 5x5", 64, 192, 5, 1, 2, 27},
                                        {"ZFNet 3->96 7x7/2", 3, 96, 7, 2, 1, 224},
                                        {"ZFNet 96->256 5x5/2", 96, 256, 5, 2, 0, 55},
                                        {"256->384 3x3 @13", 256, 384, 3, 1, 1, 13},
                                        {"384->384 3x3 @13", 384, 384, 3, 1, 1, 13},
                                        {"VGG 3->64 @224", 3, 64, 3, 1, 1, 224},
                                        {"VGG 64->64 @224", 64, 64, 3, 1, 1, 224},
                                        {"VGG 128->128 @112", 128, 128, 3, 1, 1, 112},
                                        {"VGG 256->256 @56", 256, 256, 3, 1, 1, 56},
                                        {"VGG 512->512 @28", 512, 512, 3, 1, 1, 28},
                                        {"VGG 512->512 @14", 512, 512, 3, 1, 1, 14},
                                        {"SqueezeNet 64->16 1x1 @55", 64, 16, 1, 1, 0, 55},
                                        {"SqueezeNet 16->64 3x3 @55", 16, 64, 3, 1, 1, 55},
                                        {"SqueezeNet 512->1000 1x1 @13", 512, 1000, 1, 1, 0, 13}}};

dn::tensor4<float> waves(const dn::shape4& shape) {
  auto values = dn::uninitialized<float>(shape);
  for (std::size_t k = 0; k < values.size(); ++k) values.data()[k] = static_cast<float>(k * 2654435761U % 1000) / 500.0F - 1;
  return values;
}

void run(benchmark::State& state, const layer& one, bool down) {
  const dn::shape4 in{1, one.channels, one.side, one.side};
  auto bias = xt::xtensor<float, 1>::from_shape({one.filters});
  bias.fill(0.1F);
  const dn::conv2d<float> conv(waves({one.filters, one.channels, one.kernel, one.kernel}), bias,
                               {.stride = one.stride, .padding = one.padding});
  const auto x = waves(in);
  dn::tensor4<float> y;
  conv.forward(x, y);
  for (auto _ : state) {
    if (down) {
      auto pixels = dn::ops::conv2d_adjoint(y, conv.weight(), conv.options(), in);
      benchmark::DoNotOptimize(pixels.data());
    } else {
      conv.forward(x, y);
      benchmark::DoNotOptimize(y.data());
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(2 * conv.multiply_adds(in, dn::shape_of(y))));
}

}  // namespace

int main(int argc, char** argv) {
  for (const auto& one : layers) {
    benchmark::RegisterBenchmark((std::string("forward/") + one.name).c_str(), run, one, false)->UseRealTime();
    benchmark::RegisterBenchmark((std::string("down/") + one.name).c_str(), run, one, true)->UseRealTime();
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
}
