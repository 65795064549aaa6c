#include <deconvnet/kernels/convolution.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "../tensor/values.hpp"
#include "levels.hpp"

// The geometry in all its variants is tested at the operators, tests/ops/conv2d.cpp; here: tiles, blocks and the borders of
// the buffers.
namespace {

using namespace deconvnet;
using testing::random_values;

constexpr std::size_t guard = 16;

/// Sentinels around a buffer: what a kernel writes outside of it is found.
template <class T>
class guarded {
 public:
  explicit guarded(std::size_t size) : values_(size + 2 * guard, T(-77)) {}
  T* data() { return values_.data() + guard; }
  std::size_t size() const { return values_.size() - 2 * guard; }
  std::vector<T> inside() const { return {values_.begin() + guard, values_.end() - guard}; }
  bool intact() const {
    const auto untouched = [](T value) { return value == T(-77); };
    return std::all_of(values_.begin(), values_.begin() + guard, untouched) &&
           std::all_of(values_.end() - guard, values_.end(), untouched);
  }

 private:
  std::vector<T> values_;
};

struct layer {
  kernels::convolution_problem problem;
  std::string why;
};

const layer layers[] = {
    {{{3, 37, 41, 3, 3, 1, 1, 1, 1, 1, 1, 37, 41}, 2, 2, 3}, "1517 pixels: more than one tile"},
    {{{4, 40, 33, 1, 1, 1, 1, 0, 0, 1, 1, 40, 33}, 2, 1, 5}, "1320 pixels without im2col: more than one tile"},
    {{{64, 17, 23, 1, 1, 1, 1, 0, 0, 1, 1, 17, 23}, 1, 1, 14}, "tiles and half a tile read copies of panels that share the cache"},
    {{{64, 17, 23, 1, 1, 1, 1, 0, 0, 1, 1, 17, 23}, 1, 1, 16}, "tiles read a copy that the next panel takes the place of"},
    {{{200, 9, 7, 1, 1, 1, 1, 0, 0, 1, 1, 9, 7}, 3, 1, 72}, "two blocks of depth; images too small for tiles of their own"},
    {{{200, 9, 8, 1, 1, 1, 1, 0, 0, 1, 1, 9, 8}, 3, 1, 72}, "two blocks of depth, copied"},
    {{{150, 9, 9, 3, 3, 1, 1, 1, 1, 1, 1, 9, 9}, 1, 1, 2}, "150 channels of 9 taps: several blocks of channels"},
    {{{2, 14, 15, 12, 13, 1, 1, 0, 0, 1, 1, 3, 3}, 1, 1, 2}, "156 taps: a block holds one channel"},
    {{{1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1}, 3, 4, 1}, "one pixel, depthwise"},
    {{{1, 9, 11, 2, 3, 2, 1, 0, 1, 1, 1, 4, 11}, 2, 3, 1}, "depthwise; on the way down the rows of a phase have another's between them"},
    {{{1, 13, 7, 3, 1, 3, 1, 1, 0, 1, 1, 5, 7}, 1, 2, 1}, "the same of three phases"},
    {{{3, 20, 51, 3, 3, 1, 1, 1, 1, 1, 1, 20, 51}, 2, 2, 11}, "colours in rows whose ends fill less than half a register"},
    {{{3, 41, 103, 3, 3, 2, 2, 1, 1, 1, 1, 21, 52}, 1, 1, 21}, "the same with a stride"},
};

/// Layers whose way down makes its products first and its sums then.
const layer gathered_layers[] = {
    {{{19, 13, 15, 5, 5, 2, 2, 0, 0, 1, 1, 5, 6}, 7, 2, 64}, "two groups; blocks of 8, 8 and 3 channels; images together"},
    {{{17, 61, 64, 5, 5, 2, 2, 0, 0, 1, 1, 29, 30}, 2, 1, 128}, "a few rows of the signal at a time"},
    {{{45, 19, 16, 3, 4, 2, 3, 0, 1, 3, 1, 7, 5}, 3, 1, 96}, "strides, dilation and padding that differ; columns that no tap reaches"},
    {{{2, 21, 17, 3, 3, 1, 1, 1, 1, 1, 1, 21, 17}, 5, 1, 64}, "two channels without a stride"},
    {{{3, 45, 17, 3, 3, 1, 1, 17, 1, 17, 1, 45, 17}, 2, 1, 16}, "colours under taps that reach too far for a ring of rows"},
    {{{5, 21, 1, 7, 1, 4, 4, 3, 0, 1, 1, 6, 1}, 2, 1, 9}, "a map of one column"},
    {{{3, 1301, 1103, 1, 2, 2, 2, 0, 0, 1, 1, 651, 551}, 1, 1, 2}, "maps whose sums do not fit at once"},
};

/// Layers without a stride from three channels. Turned round, as `of_three_filters`, they lead to three maps on the way up.
const layer colour_layers[] = {
    {{{3, 37, 224, 3, 3, 1, 1, 1, 1, 1, 1, 37, 224}, 2, 1, 12}, "whole tiles"},
    {{{3, 21, 17, 3, 3, 1, 1, 1, 1, 1, 1, 21, 17}, 5, 1, 6}, "several images of one tile"},
    {{{3, 19, 45, 3, 3, 1, 1, 1, 1, 1, 1, 19, 45}, 1, 1, 9}, "a tile that ends behind the row"},
    {{{3, 9, 127, 3, 3, 1, 1, 1, 1, 1, 1, 9, 127}, 1, 1, 150}, "more channels than fit a block and the ring"},
    {{{3, 21, 31, 5, 4, 1, 1, 2, 0, 1, 1, 21, 28}, 3, 2, 7}, "two groups, two remainders of padding"},
    {{{3, 23, 34, 3, 3, 1, 1, 2, 3, 2, 3, 23, 34}, 1, 1, 5}, "dilation"},
    {{{3, 12, 40, 2, 3, 1, 1, 4, 5, 1, 1, 19, 48}, 1, 1, 6}, "more padding than the kernel reaches"},
    {{{3, 8, 30, 8, 3, 1, 1, 0, 0, 1, 1, 1, 28}, 2, 1, 4}, "one row on the small side"},
    {{{3, 3, 3, 3, 2, 1, 1, 1, 1, 1, 1, 3, 4}, 1, 1, 1}, "one filter, three columns"},
    {{{3, 200, 17, 3, 3, 1, 1, 1, 1, 1, 1, 200, 17}, 2, 1, 80}, "narrow maps of several blocks of channels and bands"},
    {{{3, 5, 517, 3, 3, 1, 1, 1, 1, 1, 1, 5, 517}, 2, 1, 120}, "strips of columns, so that a ring of them stays in the cache"},
    {{{3, 40, 700, 2, 2, 1, 1, 16, 3, 32, 7, 40, 699}, 1, 1, 70}, "strips that begin beside the padding, of a ring of many rows"},
};

/// The same maps, the small side with three filters and the large side with as many channels as there were filters.
kernels::convolution_problem of_three_filters(kernels::convolution_problem p) {
  std::swap(p.geometry.channels, p.filters);
  return p;
}

/// Calls body(place on the small side, weight, place on the large side) for every product of a convolution.
template <class Body>
void for_products(const kernels::convolution_problem& p, Body&& body) {
  const auto& g = p.geometry;
  for (std::size_t k = 0; k < p.images * p.small_image(); ++k) {
    const std::size_t pixel = k % g.pixels();
    const std::size_t filter = k / g.pixels() % (p.groups * p.filters);
    const std::size_t map = (k / p.small_image() * p.groups + filter / p.filters) * g.channels;
    for (std::size_t tap = 0; tap < p.depth(); ++tap) {
      const std::size_t ky = tap % g.taps() / g.kernel_width;
      const std::size_t kx = tap % g.kernel_width;
      const std::size_t y = pixel / g.out_width * g.stride_height + ky * g.dilation_height - g.padding_top;
      const std::size_t x = pixel % g.out_width * g.stride_width + kx * g.dilation_width - g.padding_left;
      if (y >= g.height || x >= g.width) continue;
      body(k, filter * p.depth() + tap, ((map + tap / g.taps()) * g.height + y) * g.width + x);
    }
  }
}

/// small = W large + bias, one tap at a time.
template <class T>
std::vector<double> naive(const kernels::convolution_problem& p, const std::vector<T>& large, const std::vector<T>& weight,
                          const std::vector<T>& bias) {
  std::vector<double> small(p.images * p.small_image());
  for (std::size_t k = 0; k < small.size(); ++k) small[k] = static_cast<double>(bias[k / p.geometry.pixels() % bias.size()]);
  for_products(p, [&](std::size_t to, std::size_t w, std::size_t from) {
    small[to] += static_cast<double>(weight[w]) * static_cast<double>(large[from]);
  });
  return small;
}

/// large = W^T small, one tap at a time.
template <class T>
std::vector<double> naive_transposed(const kernels::convolution_problem& p, const std::vector<T>& small, const std::vector<T>& weight) {
  std::vector<double> large(p.images * p.large_image());
  for_products(p, [&](std::size_t from, std::size_t w, std::size_t to) {
    large[to] += static_cast<double>(weight[w]) * static_cast<double>(small[from]);
  });
  return large;
}

double product(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t k = 0; k < a.size(); ++k) sum += a[k] * b[k];
  return sum;
}

TEST_CASE_TEMPLATE("tiles and blocks cover every output once and touch nothing around it", T, float, double) {
  for (const auto& one : layers) {
    const auto& p = one.problem;
    CAPTURE(one.why);
    const auto large = random_values<T>(p.images * p.large_image(), 1);
    const auto weight = random_values<T>(p.groups * p.filters * p.depth(), 2);
    const auto bias = random_values<T>(p.groups * p.filters, 3);
    const auto expected = naive(p, large, weight, bias);
    testing::at_every_level([&] {
      guarded<T> small(p.images * p.small_image());
      kernels::convolve(p, large.data(), kernels::weights_for_now(p, weight.data(), false), bias.data(), small.data());
      const auto result = small.inside();
      double worst = 0;
      for (std::size_t k = 0; k < result.size(); ++k) {
        worst = std::max(worst, std::abs(static_cast<double>(result[k]) - expected[k]));
      }
      CHECK(worst < 20 * testing::rounding<T>);
      CHECK(small.intact());
      // Weights packed before, or on the way.
      const kernels::packed_convolution<T> packed(p, weight.data(), false);
      kernels::convolve(p, large.data(), {packed.values.data(), nullptr}, bias.data(), small.data());
      CHECK(small.inside() == result);
    });
  }
}

TEST_CASE("the transposed convolution is the adjoint and touches nothing around its result") {
  for (const auto& one : layers) {
    const auto& p = one.problem;
    CAPTURE(one.why);
    const auto large = random_values<double>(p.images * p.large_image(), 4);
    const auto small = random_values<double>(p.images * p.small_image(), 5);
    const auto weight = random_values<double>(p.groups * p.filters * p.depth(), 6);
    const auto there = naive(p, large, weight, std::vector<double>(p.groups * p.filters));
    testing::at_every_level([&] {
      guarded<double> back(p.images * p.large_image());
      const kernels::packed_convolution<double> packed(p, weight.data(), true);
      kernels::convolve_transposed(p, small.data(), {packed.values.data(), nullptr}, back.data());
      const auto by_packed_weights = back.inside();
      kernels::convolve_transposed(p, small.data(), kernels::weights_for_now(p, weight.data(), true), back.data());
      CHECK(back.inside() == by_packed_weights);
      CHECK(back.intact());
      CHECK(product(there, small) == doctest::Approx(product(large, back.inside())).epsilon(1e-12));
    });
  }
}

/// The largest difference from `expected`; run(guarded result) has to touch nothing around it and to give the same bits for any
/// number of threads.
template <class T, class Run>
double worst_of(const std::vector<double>& expected, const Run& run) {
  std::vector<T> first;
  for (const std::size_t threads : {1u, 2u, 7u}) {
    set_thread_count(threads);
    guarded<T> result(expected.size());
    run(result);
    CHECK(result.intact());
    if (threads == 1) first = result.inside();
    CHECK(result.inside() == first);
  }
  set_thread_count(0);
  double worst = 0;
  for (std::size_t k = 0; k < first.size(); ++k) worst = std::max(worst, std::abs(static_cast<double>(first[k]) - expected[k]));
  return worst;
}

template <class T>
double worst_on_the_way_down(const kernels::convolution_problem& p) {
  const auto small = random_values<T>(p.images * p.small_image(), 5);
  const auto weight = random_values<T>(p.groups * p.filters * p.depth(), 6);
  return worst_of<T>(naive_transposed(p, small, weight), [&](guarded<T>& back) {
    kernels::convolve_transposed(p, small.data(), kernels::weights_for_now(p, weight.data(), true), back.data());
  });
}

TEST_CASE_TEMPLATE("products first and sums then are the adjoint too, with the same bits for any number of threads", T, float, double) {
  testing::at_every_level([] {
    for (const auto& one : gathered_layers) {
      CAPTURE(one.why);
      REQUIRE(kernels::way_down_of(one.problem) == kernels::way_down::gathered);
      CHECK(worst_on_the_way_down<T>(one.problem) < 20 * testing::rounding<T>);
    }
  });
}

TEST_CASE_TEMPLATE("the way down to an image's colours is the adjoint too, with the same bits for any number of threads", T, float, double) {
  testing::at_every_level([] {
    for (const auto& one : colour_layers) {
      CAPTURE(one.why);
      REQUIRE(kernels::way_down_of(one.problem) == kernels::way_down::to_three_maps);
      CHECK(worst_on_the_way_down<T>(one.problem) < 20 * testing::rounding<T>);
    }
  });
}

TEST_CASE_TEMPLATE("three filters read every place once, with the same bits for any number of threads", T, float, double) {
  testing::at_every_level([] {
    for (const auto& one : colour_layers) {
      const auto p = of_three_filters(one.problem);
      CAPTURE(one.why);
      REQUIRE(kernels::leads_to_three_maps(p));
      const auto large = random_values<T>(p.images * p.large_image(), 1);
      const auto weight = random_values<T>(p.groups * p.filters * p.depth(), 2);
      const auto bias = random_values<T>(p.groups * p.filters, 3);
      auto expected = naive(p, large, weight, bias);
      for (const bool rectify : {false, true}) {
        if (rectify) {
          for (double& value : expected) value = std::max(value, 0.0);
        }
        const double worst = worst_of<T>(expected, [&](guarded<T>& small) {
          kernels::convolve(p, large.data(), kernels::weights_for_now(p, weight.data(), false), bias.data(), small.data(), rectify);
        });
        CHECK(worst < 20 * testing::rounding<T>);
      }
    }
  });
}

TEST_CASE_TEMPLATE("a part of a map goes down with the bits of the whole, however wide it is", T, float, double) {
  struct filters_of_a_layer {
    std::size_t channels, filters, kernel, stride;
  };
  constexpr std::size_t height = 5, width = 140;
  testing::at_every_level([] {
    for (const auto& with :
         {filters_of_a_layer{3, 150, 3, 1}, {3, 16, 5, 1}, {2, 40, 3, 1}, {3, 20, 7, 2}, {20, 70, 3, 2}, {20, 60, 5, 2}, {20, 12, 3, 1}}) {
      const auto problem = [&](std::size_t h, std::size_t w) {
        return kernels::convolution_problem{
            {with.channels, (h - 1) * with.stride + with.kernel, (w - 1) * with.stride + with.kernel, with.kernel, with.kernel, with.stride,
             with.stride, 0, 0, 1, 1, h, w},
            1, 1, with.filters};
      };
      const auto whole = problem(height, width);
      const auto weight = random_values<T>(with.filters * whole.depth(), 5);
      const auto go_down = [&](const kernels::convolution_problem& p, const std::vector<T>& small) {
        std::vector<T> large(p.large_image());
        kernels::convolve_transposed(p, small.data(), kernels::weights_for_now(p, weight.data(), true), large.data());
        return large;
      };
      for (const std::size_t columns : {1u, 7u, 30u, 33u, 65u, 90u}) {
        CAPTURE(with.kernel);
        CAPTURE(with.stride);
        CAPTURE(columns);
        constexpr std::size_t rows = 3, top = 1, left = 11;
        const auto part = problem(rows, columns);
        const auto small = random_values<T>(part.small_image(), 6);
        std::vector<T> around(whole.small_image());
        for (std::size_t line = 0; line < with.filters * rows; ++line) {
          std::copy_n(small.begin() + static_cast<std::ptrdiff_t>(line * columns), columns,
                      around.begin() + static_cast<std::ptrdiff_t>((line / rows * height + top + line % rows) * width + left));
        }
        const auto found = go_down(part, small), expected = go_down(whole, around);
        const auto& g = part.geometry;
        std::size_t different = 0;
        for (std::size_t k = 0; k < found.size(); ++k) {
          const std::size_t map = k / part.large_plane(), y = k / g.width % g.height, x = k % g.width;
          different += found[k] != expected[(map * whole.geometry.height + top * with.stride + y) * whole.geometry.width + left * with.stride + x];
        }
        CHECK(different == 0);
      }
    }
  });
}

TEST_CASE("the way down of the paper's second layer makes its products first, of a 3x3 with padding does not") {
  CHECK(kernels::is_gathered({{96, 55, 55, 5, 5, 2, 2, 0, 0, 1, 1, 26, 26}, 1, 1, 256}));
  CHECK(!kernels::is_gathered({{128, 56, 56, 3, 3, 2, 2, 1, 1, 1, 1, 28, 28}, 1, 1, 128}));
}

}  // namespace
