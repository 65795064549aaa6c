#include <deconvnet/ops/avg_pool2d.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <concepts>
#include <limits>

#include <doctest/doctest.h>

#include "naive.hpp"
#include "pool_cases.hpp"
#include "properties.hpp"

namespace {

using namespace deconvnet;
using namespace deconvnet::testing;

static_assert(std::same_as<decltype(avg_pool2d()(tensor4<float>() + 1.0f)), tensor4<float>>);
static_assert(std::same_as<decltype(global_avg_pool2d()(tensor4<double>())), tensor4<double>>);
static_assert(std::invocable<const avg_pool2d&, xt::xarray<float>> && std::invocable<const global_avg_pool2d&, xt::xarray<float>>);
static_assert(!std::invocable<const avg_pool2d&, tensor<float, 3>> && !std::invocable<const global_avg_pool2d&, tensor<float, 5>>);

avg_pool2d_options average(const max_pool2d_options& o, bool count_include_pad) {
  return {o.kernel, o.stride, o.padding, o.dilation, o.ceil_mode, count_include_pad};
}

template <class T>
tensor4<T> naive_average(const tensor4<T>& x, const avg_pool2d_options& options) {
  const shape4 in = shape_of(x);
  auto y = tensor4<T>::from_shape(naive::pool_shape(options, in));
  for (std::size_t n = 0; n < y.shape(0); ++n)
    for (std::size_t c = 0; c < y.shape(1); ++c)
      for (std::size_t i = 0; i < y.shape(2); ++i)
        for (std::size_t j = 0; j < y.shape(3); ++j) {
          const auto window = naive::pool_window(options, naive::pool_stride(options), in, i, j);
          double sum = 0;
          for (const auto& tap : window.taps) sum += static_cast<double>(x(n, c, tap.row, tap.column));
          const std::size_t count = options.count_include_pad ? window.with_padding : window.taps.size();
          y(n, c, i, j) = static_cast<T>(sum / static_cast<double>(count));
        }
  return y;
}

/// Calls body(options, input shape) for every window, counting padding and not counting it.
template <class Body>
void for_each_average(Body&& body) {
  for (const auto& c : pool_cases) {
    for (const bool count_include_pad : {true, false}) {
      CAPTURE(c.what);
      CAPTURE(count_include_pad);
      body(average(c.options, count_include_pad), c.input);
    }
  }
}

TEST_CASE_TEMPLATE("avg_pool2d equals naive loops, counting padding and not", T, float, double) {
  for_each_average([](const avg_pool2d_options& options, const shape4& in) {
    const auto x = random_maps<T>(in, 1);
    const auto y = avg_pool2d{options}(x);
    CHECK(distance(y, naive_average(x, options)) < rounding<T>);
    CHECK(same_bits(ops::avg_pool2d(x, options), y));
    CHECK(avg_pool2d{options}.output_shape(in) == shape_of(y));
  });
}

TEST_CASE("the divisor counts padding on request, but never what ceil mode adds past it") {
  const tensor4<float> x = {{{{6, 6, 6, 6}}}};
  const auto y = [&](bool count_include_pad) {
    return avg_pool2d{{.kernel = {1, 3}, .stride = 2, .padding = {0, 1, 0, 0}, .ceil_mode = true, .count_include_pad = count_include_pad}}(x);
  };
  CHECK(same_bits(y(true), tensor4<float>{{{{4, 6}}}}));  // (0 + 6 + 6) / 3
  CHECK(same_bits(y(false), tensor4<float>{{{{6, 6}}}}));
  const auto past = avg_pool2d{{.kernel = {1, 3}, .stride = {1, 3}, .ceil_mode = true}}(x);
  CHECK(same_bits(past, tensor4<float>{{{{6, 6}}}}));  // the last window has one place: 6 / 1
}

TEST_CASE("with padding counted, a window may lie in padding alone: its mean is 0") {
  const tensor4<float> x = zeros<float>({1, 1, 2, 2}) + 5.0f;
  const avg_pool2d pool{{.kernel = 2, .padding = 2}};
  CHECK(same_bits(pool(x), tensor4<float>{{{{0, 0, 0}, {0, 5, 0}, {0, 0, 0}}}}));
  const avg_pool2d without{{.kernel = 2, .padding = 2, .count_include_pad = false}};
  CHECK(names(message_of([&] { without(x); }), "avg_pool2d", "row 0", "1 x 1 x 2 x 2"));
}

TEST_CASE("the reverse of avg_pool2d is its adjoint, under every rule") {
  for_each_average([](const avg_pool2d_options& options, const shape4& in) {
    const avg_pool2d pool{options};
    const auto x = random_maps<double>(in, 2);
    const auto ax = pool(x);
    const auto y = random_maps<double>(shape_of(ax), 3);
    const auto back = pool.reverse(y, shapes_only<double>({in}));
    CHECK(shape_of(back) == in);
    check_adjoint(ax, y, x, back);
    CHECK(same_bits(pool.reverse(y, shapes_only<double>({in}, rule::deconvnet)), back));
    CHECK(same_bits(ops::avg_pool2d_adjoint(y, options, in), back));
  });
}

TEST_CASE("on the way down each value spreads evenly over its window") {
  const avg_pool2d pool{{.kernel = 2, .stride = {2, 1}}};
  const auto back = pool.reverse(tensor4<double>{{{{4, 8}}}}, shapes_only<double>({{1, 1, 3, 3}}));
  CHECK(same_bits(back, tensor4<double>{{{{1, 3, 2}, {1, 3, 2}, {0, 0, 0}}}}));
}

TEST_CASE_TEMPLATE("global_avg_pool2d is the mean of each map, and spreads it evenly on the way down", T, float, double) {
  for (const shape4& in : {shape4{1, 1, 1, 1}, shape4{2, 3, 5, 7}, shape4{3, 2, 1, 9}, shape4{1, 4, 13, 13}}) {
    const auto x = random_maps<T>(in, 4);
    const auto y = global_avg_pool2d{}(x);
    CHECK(shape_of(y) == shape4{in[0], in[1], 1, 1});
    CHECK(global_avg_pool2d{}.output_shape(in) == shape_of(y));
    CHECK(distance(y, naive_average(x, {.kernel = {in[2], in[3]}})) < rounding<T>);
    CHECK(same_bits(ops::global_avg_pool2d(x), y));
    tensor4<T> filled;
    global_avg_pool2d{}.forward(x, filled);
    CHECK(same_bits(filled, y));
    const auto signal = random_maps<T>(shape_of(y), 5);
    const auto back = global_avg_pool2d{}.reverse(signal, shapes_only<T>({in}));
    CHECK(shape_of(back) == in);
    CHECK(std::abs(inner_product(y, signal) - inner_product(x, back)) < 10 * rounding<T>);
    CHECK(distance(global_avg_pool2d{}.reverse(y, shapes_only<T>({in})), tensor4<T>(y / static_cast<T>(in[2] * in[3]) + x * T(0))) <
          rounding<T>);
  }
}

TEST_CASE_TEMPLATE("the bits of average pools depend on neither threads nor the batch", T, float, double) {
  for_each_average([](const avg_pool2d_options& options, const shape4& in) {
    const avg_pool2d pool{options};
    const auto x = random_maps<T>({3, in[1], in[2], in[3]}, 6);
    check_thread_counts([&] { return pool(x); });
    check_batches(x, [&](const tensor4<T>& batch) { return pool(batch); });
    const auto signal = random_maps<T>(pool.output_shape(shape_of(x)), 7);
    check_thread_counts([&] { return ops::avg_pool2d_adjoint(signal, options, shape_of(x)); });
  });
  const auto x = random_maps<T>({3, 5, 11, 9}, 8);
  check_thread_counts([&] { return global_avg_pool2d{}(x); });
  check_batches(x, [](const tensor4<T>& batch) { return global_avg_pool2d{}(batch); });
}

TEST_CASE("average pools take any expression") {
  const auto x = random_maps<float>({2, 3, 5, 6}, 9);
  check_expressions(x, [](const auto& e) { return avg_pool2d{}(e); });
  check_expressions(x, [](const auto& e) { return ops::avg_pool2d(e, {.kernel = 3}); });
  check_expressions(x, [](const auto& e) { return global_avg_pool2d{}(e); });
}

TEST_CASE("a NaN reaches the means it is part of and no others") {
  auto x = random_maps<float>({1, 1, 4, 4}, 10);
  x(0, 0, 1, 3) = std::numeric_limits<float>::quiet_NaN();
  const auto y = avg_pool2d{}(x);
  CHECK(std::isnan(y(0, 0, 0, 1)));
  CHECK_FALSE(std::isnan(y(0, 0, 0, 0) + y(0, 0, 1, 0) + y(0, 0, 1, 1)));
  CHECK(std::isnan(global_avg_pool2d{}(x)(0, 0, 0, 0)));
}

TEST_CASE("average pools refuse shapes that do not fit and name both") {
  const auto x = zeros<float>({1, 2, 5, 6});
  CHECK(names(message_of([&] { avg_pool2d{{.kernel = {2, 7}}}(x); }), "avg_pool2d", "2 x 7", "1 x 2 x 5 x 6"));
  CHECK(names(message_of([&] { avg_pool2d{}.reverse(zeros<float>({1, 2, 3, 3}), shapes_only<float>({{1, 2, 5, 6}})); }),
              "avg_pool2d", "1 x 2 x 3 x 3", "1 x 2 x 5 x 6"));
  CHECK_THROWS_AS(avg_pool2d{}(zeros<float>({1, 2, 0, 6})), shape_error);
  CHECK_THROWS_AS(avg_pool2d{}(tensor4<float>()), shape_error);
  CHECK(shape_of(avg_pool2d{}(zeros<float>({0, 2, 4, 6}))) == shape4{0, 2, 2, 3});
  CHECK(shape_of(global_avg_pool2d{}(zeros<float>({0, 2, 4, 6}))) == shape4{0, 2, 1, 1});
  for (const shape4& empty : {shape4{1, 3, 0, 2}, shape4{1, 3, 2, 0}, shape4{0, 0, 0, 0}}) {
    CHECK_THROWS_AS(global_avg_pool2d{}(zeros<float>(empty)), shape_error);
    CHECK_THROWS_AS(global_avg_pool2d{}.output_shape(empty), shape_error);
  }
  CHECK_THROWS_AS(global_avg_pool2d{}.reverse(zeros<float>({1, 3, 2, 2}), shapes_only<float>({{1, 3, 2, 2}})), shape_error);
}

TEST_CASE("hostile options are refused before anything is computed") {
  const std::size_t huge = std::size_t{1} << 60;
  const avg_pool2d_options hostile[] = {{.kernel = {0, 1}}, {.kernel = huge},        {.stride = huge},          {.padding = huge},
                                        {.padding = SIZE_MAX}, {.dilation = {1, 0}}, {.dilation = {1, huge}}};
  for (const auto& options : hostile) {
    CHECK_THROWS_AS(avg_pool2d{options}, shape_error);
    CHECK_THROWS_AS(ops::avg_pool2d(zeros<float>({1, 1, 4, 4}), options), shape_error);
  }
  CHECK_THROWS_AS(avg_pool2d{{.padding = std::size_t{1} << 24}}(zeros<float>({1, 1, 4, 4})), shape_error);
  CHECK_THROWS_AS(avg_pool2d{}.output_shape({1, 1, SIZE_MAX, SIZE_MAX}), shape_error);
}

TEST_CASE("a window far larger than the map costs what it has on the map") {
  const auto start = std::chrono::steady_clock::now();
  const std::size_t wide = std::size_t{1} << 17;
  const auto y = avg_pool2d{{.kernel = {1, wide}, .stride = 1, .padding = {0, wide - 1}, .count_include_pad = false}}(zeros<float>({1, 1, 1, 1}) + 3.0f);
  CHECK(shape_of(y) == shape4{1, 1, 1, wide});
  CHECK(std::all_of(y.begin(), y.end(), [](float mean) { return mean == 3; }));
  const auto counted = avg_pool2d{{.kernel = {1, wide}, .stride = 1, .padding = {0, wide - 1}}}(zeros<float>({1, 1, 1, 1}) + static_cast<float>(wide));
  CHECK(std::all_of(counted.begin(), counted.end(), [](float mean) { return mean == 1; }));
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(2));
}

}  // namespace
