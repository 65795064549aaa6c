#include <deconvnet/kernels/weight_gradient.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include <doctest/doctest.h>

namespace dn = deconvnet;
using namespace deconvnet::kernels;

namespace {

template <class T>
struct gradient_case {
  convolution_problem problem;
  std::vector<T> large, small;
};

template <class T>
gradient_case<T> random_gradient_case(std::mt19937& engine) {
  const auto draw = [&](std::size_t least, std::size_t most) { return least + engine() % (most - least + 1); };
  for (;;) {
    convolution_geometry g{draw(1, 5), draw(2, 13), draw(2, 19), draw(1, 4), draw(1, 4), draw(1, 3), draw(1, 3), draw(0, 2),
                           draw(0, 2), draw(1, 2), draw(1, 2), 0, 0};
    const std::size_t high = g.dilation_height * (g.kernel_height - 1) + 1;
    const std::size_t wide = g.dilation_width * (g.kernel_width - 1) + 1;
    if (high > g.height + 2 * g.padding_top || wide > g.width + 2 * g.padding_left) continue;
    g.out_height = (g.height + 2 * g.padding_top - high) / g.stride_height + 1;
    g.out_width = (g.width + 2 * g.padding_left - wide) / g.stride_width + 1;
    gradient_case<T> result{{g, draw(1, 4), draw(1, 3), draw(1, 9)}, {}, {}};
    result.large.resize(result.problem.images * result.problem.large_image());
    result.small.resize(result.problem.images * result.problem.small_image());
    for (auto* side : {&result.large, &result.small}) {
      for (T& value : *side) value = static_cast<T>(static_cast<double>(engine() % 2001) / 1000 - 1);
    }
    return result;
  }
}

template <class T>
double naive_weight_gradient(const gradient_case<T>& at, std::size_t o, std::size_t c, std::size_t ky, std::size_t kx) {
  const auto& p = at.problem;
  const auto& g = p.geometry;
  double sum = 0;
  for (std::size_t n = 0; n < p.images; ++n) {
    for (std::size_t i = 0; i < g.out_height; ++i) {
      for (std::size_t j = 0; j < g.out_width; ++j) {
        const std::size_t y = i * g.stride_height + ky * g.dilation_height;
        const std::size_t x = j * g.stride_width + kx * g.dilation_width;
        if (y < g.padding_top || y >= g.height + g.padding_top || x < g.padding_left || x >= g.width + g.padding_left) continue;
        const std::size_t channel = o / p.filters * g.channels + c;
        sum += static_cast<double>(at.small[n * p.small_image() + o * g.pixels() + i * g.out_width + j]) *
               static_cast<double>(at.large[n * p.large_image() + channel * p.large_plane() + (y - g.padding_top) * g.width + x - g.padding_left]);
      }
    }
  }
  return sum;
}

template <class T>
void check_weight_gradients(double tolerance) {
  std::mt19937 engine(7);
  for (std::size_t round = 0; round < 40; ++round) {
    const auto at = random_gradient_case<T>(engine);
    const auto& p = at.problem;
    // Sentinels: what is written is the gradient and nothing beside it.
    std::vector<T> weight(p.groups * p.filters * p.depth() + 1, T(99)), bias(p.groups * p.filters + 1, T(99));
    convolution_weight_gradient(p, at.large.data(), at.small.data(), weight.data(), round % 3 ? bias.data() : nullptr);
    double worst = 0;
    std::size_t k = 0;
    for (std::size_t o = 0; o < p.groups * p.filters; ++o) {
      for (std::size_t c = 0; c < p.geometry.channels; ++c) {
        for (std::size_t ky = 0; ky < p.geometry.kernel_height; ++ky) {
          for (std::size_t kx = 0; kx < p.geometry.kernel_width; ++kx, ++k) {
            worst = std::max(worst, std::abs(naive_weight_gradient(at, o, c, ky, kx) - static_cast<double>(weight[k])));
          }
        }
      }
      if (round % 3 == 0) continue;
      double sum = 0;
      for (std::size_t n = 0; n < p.images; ++n) {
        for (std::size_t q = 0; q < p.geometry.pixels(); ++q) sum += static_cast<double>(at.small[n * p.small_image() + o * p.geometry.pixels() + q]);
      }
      worst = std::max(worst, std::abs(sum - static_cast<double>(bias[o])));
    }
    CHECK(worst < tolerance);
    CHECK(weight.back() == T(99));
    CHECK(bias.back() == T(99));
  }
}

}  // namespace

TEST_CASE("the weight gradient agrees with naive loops at every kernel level") {
  const auto kept = dn::current_level();
  for (const auto level : {dn::kernel_level::portable, dn::kernel_level::avx2, dn::kernel_level::avx512}) {
    if (level > dn::best_kernel_level()) continue;
    CAPTURE(dn::kernel_level_name(level));
    dn::set_kernel_level(level);
    check_weight_gradients<float>(2e-4);
    check_weight_gradients<double>(1e-11);
  }
  dn::set_kernel_level(kept);
}

TEST_CASE("the weight gradient has the same bits for any number of threads") {
  std::mt19937 engine(3);
  const convolution_geometry g{7, 12, 11, 3, 3, 1, 1, 1, 1, 1, 1, 12, 11};
  gradient_case<float> at{{g, 9, 1, 13}, {}, {}};
  at.large.resize(9 * at.problem.large_image());
  at.small.resize(9 * at.problem.small_image());
  for (auto* side : {&at.large, &at.small}) {
    for (float& value : *side) value = static_cast<float>(engine() % 2001) / 1000.0f - 1;
  }
  const std::size_t kept = dn::thread_count();
  std::vector<float> expected;
  for (const std::size_t threads : {1u, 2u, 3u, 7u}) {
    dn::set_thread_count(threads);
    std::vector<float> weight(13 * 63), bias(13);
    convolution_weight_gradient(at.problem, at.large.data(), at.small.data(), weight.data(), bias.data());
    weight.insert(weight.end(), bias.begin(), bias.end());
    if (expected.empty()) expected = weight;
    CHECK(weight == expected);
  }
  dn::set_thread_count(kept);
}
