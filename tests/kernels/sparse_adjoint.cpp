#include <deconvnet/kernels/sparse_adjoint.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "../tensor/values.hpp"
#include "levels.hpp"

namespace {

using namespace deconvnet;
using testing::random_values;

struct sparse_layer {
  kernels::convolution_problem problem;
  std::string why;
};

// channels, height, width, kernel, stride, padding top and left, dilation, places; images, groups, filters
const sparse_layer sparse_layers[] = {
    {{{40, 9, 11, 3, 3, 1, 1, 0, 0, 1, 1, 7, 9}, 2, 1, 6}, "more channels than one block, a crop as its windows need it"},
    {{{40, 7, 10, 3, 3, 1, 1, 1, 0, 1, 1, 7, 9}, 2, 1, 6}, "cut at the upper and lower border"},
    {{{5, 21, 19, 5, 3, 2, 3, 2, 1, 1, 1, 10, 6}, 3, 2, 4}, "strides, two groups, rows that no window sees"},
    {{{7, 13, 14, 3, 2, 1, 2, 0, 0, 2, 3, 9, 6}, 1, 1, 3}, "dilation"},
    {{{3, 23, 25, 7, 7, 2, 2, 1, 1, 1, 1, 10, 11}, 2, 1, 5}, "to colours, along rows"},
    {{{3, 35, 35, 11, 11, 4, 4, 2, 2, 1, 1, 8, 8}, 1, 1, 4}, "rows of eleven taps"},
    {{{1, 9, 9, 3, 3, 1, 1, 1, 1, 1, 1, 9, 9}, 1, 4, 1}, "one channel to a group"},
};

/// Values of which one in `zeros` is not zero.
template <class T>
std::vector<T> sparse_values(std::size_t count, std::size_t zeros) {
  auto values = random_values<T>(count, 7);
  for (std::size_t k = 0; k < count; ++k) {
    if (k * 2654435761U % 97 % zeros != 0) values[k] = 0;
  }
  return values;
}

template <class T>
void check_sparse(const kernels::convolution_problem& p, std::size_t zeros) {
  const auto weight = random_values<T>(p.groups * p.filters * p.depth(), 1);
  const auto small = sparse_values<T>(p.images * p.small_image(), zeros);
  std::vector<T> expected(p.images * p.large_image()), found(expected.size(), T(-7));
  kernels::convolve_transposed(p, small.data(), kernels::weights_for_now(p, weight.data(), true), expected.data());
  const kernels::scatter_plan<T> plan(p);
  std::vector<T> scattered(plan.weight_size(p), T(99));
  kernels::scattered_weights(p, plan, weight.data(), [](std::size_t) { return true; }, scattered.data());
  std::vector<kernels::nonzero_values<T>> signals(p.images);
  for (std::size_t n = 0; n < p.images; ++n) REQUIRE(signals[n].collect(p, plan, small.data() + n * p.small_image(), p.small_image()));
  kernels::convolve_transposed_sparse<T>(p, plan, signals, scattered.data(), found.data());
  double worst = 0;
  for (std::size_t k = 0; k < found.size(); ++k) {
    worst = std::max(worst, std::abs(static_cast<double>(found[k]) - static_cast<double>(expected[k])));
  }
  CHECK(worst < 30 * testing::rounding<T>);
}

TEST_CASE_TEMPLATE("values one by one give what the matrix product gives, at every kernel level", T, float, double) {
  testing::at_every_level([] {
    for (const auto& one : sparse_layers) {
      CAPTURE(one.why);
      for (const std::size_t zeros : {1U, 9U}) check_sparse<T>(one.problem, zeros);
    }
  });
}

TEST_CASE("values are collected with their places, filter by filter, up to a limit") {
  const kernels::convolution_problem p{{20, 8, 8, 3, 3, 1, 1, 0, 0, 1, 1, 6, 6}, 1, 1, 3};
  const kernels::scatter_plan<float> plan(p);
  std::vector<float> small(p.small_image());
  small[7] = 2;
  small[36 + 5] = -1;
  small[2 * 36] = 3;
  kernels::nonzero_values<float> all;
  REQUIRE(all.collect(p, plan, small.data(), 3));
  CHECK(all.ends == std::vector<std::size_t>{1, 2, 3});
  CHECK(all.places[0] == plan.row_pitch + plan.column_pitch);
  CHECK(all.places[1] == 5 * plan.column_pitch);
  CHECK(all.places[2] == 0);
  CHECK(all.values[1] == -1);
  kernels::nonzero_values<float> too_many;
  CHECK_FALSE(too_many.collect(p, plan, small.data(), 2));
}

TEST_CASE("the sparse way is chosen for few values, and for fewer where Winograd is the other") {
  const kernels::convolution_problem p{{64, 30, 30, 3, 3, 1, 1, 0, 0, 1, 1, 28, 28}, 1, 1, 64};
  const kernels::scatter_plan<float> plan(p);
  const std::size_t direct = kernels::most_sparse_values(p, plan, false), winograd = kernels::most_sparse_values(p, plan, true);
  CHECK(winograd > 0);
  CHECK(winograd < direct);
  CHECK(direct < p.small_image());
}

}  // namespace
