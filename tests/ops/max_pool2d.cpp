#include <deconvnet/ops/max_pool2d.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>

#include <doctest/doctest.h>

#include "naive.hpp"
#include "pool_cases.hpp"
#include "properties.hpp"

namespace {

using namespace deconvnet;
using namespace deconvnet::testing;

static_assert(std::same_as<decltype(max_pool2d()(tensor4<float>())), max_pool2d_result<float>>);
static_assert(std::same_as<decltype(max_pool2d()(tensor4<double>() + 1.0).output), tensor4<double>>);
static_assert(std::same_as<decltype(max_pool2d()(tensor4<float>()).switches), switches>);
static_assert(std::invocable<const max_pool2d&, xt::xarray<float>>);
static_assert(!std::invocable<const max_pool2d&, tensor<float, 3>> && !std::invocable<const max_pool2d&, float>);
static_assert(!std::convertible_to<max_pool2d_options, max_pool2d>);

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// Output and switches by looking at every tap; the first of equals, the first NaN before all.
template <class T>
max_pool2d_result<T> naive_pool(const tensor4<T>& x, const max_pool2d_options& options) {
  const shape4 in = shape_of(x);
  const shape4 out = naive::pool_shape(options, in);
  max_pool2d_result<T> result{tensor4<T>::from_shape(out), {in, tensor<std::uint32_t, 4>::from_shape(out)}};
  for (std::size_t n = 0; n < out[0]; ++n)
    for (std::size_t c = 0; c < out[1]; ++c)
      for (std::size_t i = 0; i < out[2]; ++i)
        for (std::size_t j = 0; j < out[3]; ++j) {
          const auto taps = naive::pool_window(options, naive::pool_stride(options), in, i, j).taps;
          const auto value = [&](const naive::tap& tap) { return x(n, c, tap.row, tap.column); };
          auto best = std::find_if(taps.begin(), taps.end(), [&](const auto& tap) { return std::isnan(value(tap)); });
          if (best == taps.end()) {
            best = std::max_element(taps.begin(), taps.end(), [&](const auto& a, const auto& b) { return value(a) < value(b); });
          }
          result.output(n, c, i, j) = value(*best);
          result.switches.places(n, c, i, j) = static_cast<std::uint32_t>(best->row * in[3] + best->column);
        }
  return result;
}

template <class T>
void check_same(const max_pool2d_result<T>& got, const max_pool2d_result<T>& expected) {
  CHECK(same_bits(got.output, expected.output));
  CHECK(same_bits(got.switches.places, expected.switches.places));
  CHECK(got.switches.input_shape == expected.switches.input_shape);
}

TEST_CASE_TEMPLATE("max_pool2d equals naive loops, value and switch", T, float, double) {
  for (const auto& c : pool_cases) {
    CAPTURE(c.what);
    auto x = random_maps<T>(c.input, 1);
    const auto expected = naive_pool(x, c.options);
    check_same(max_pool2d{c.options}(x), expected);
    check_same(ops::max_pool2d(x, c.options), expected);
    CHECK(max_pool2d{c.options}.output_shape(c.input) == shape_of(expected.output));
    for (std::size_t k = 0; k < x.size(); ++k) x.data()[k] = std::round(x.data()[k] * T(2));  // many ties
    check_same(max_pool2d{c.options}(x), naive_pool(x, c.options));
    for (std::size_t k = 0; k < x.size(); k += 7) x.data()[k] = static_cast<T>(k % 2 == 0 ? -inf : nan);
    check_same(max_pool2d{c.options}(x), naive_pool(x, c.options));
    check_same(max_pool2d{c.options}(tensor4<T>(x * T(0) - T(3))), naive_pool(tensor4<T>(x * T(0) - T(3)), c.options));
  }
}

TEST_CASE("ties go to the first maximum in row-major order, also in windows that are all zero") {
  const tensor4<float> x = {{{{1, 5, 0, 0},
                              {5, 5, 0, 0},
                              {2, 2, 3, 7},
                              {2, 2, 7, 3}}}};
  const auto [output, switches] = max_pool2d{{.kernel = 2}}(x);
  CHECK(same_bits(output, tensor4<float>{{{{5, 0}, {2, 7}}}}));
  CHECK(same_bits(switches.places, tensor<std::uint32_t, 4>{{{{1, 2}, {8, 11}}}}));
  const auto zero = max_pool2d{{.kernel = 3, .stride = 2, .padding = 1, .ceil_mode = true}}(zeros<float>({1, 1, 4, 4}));
  CHECK(same_bits(zero.switches.places, tensor<std::uint32_t, 4>{{{{0, 1, 3}, {4, 5, 7}, {12, 13, 15}}}}));
  const tensor4<float> signed_zeros = {{{{-0.0f, 0.0f}, {0.0f, -0.0f}}}};
  CHECK(max_pool2d{}(signed_zeros).switches.places(0, 0, 0, 0) == 0);  // they are equal
}

TEST_CASE("a switch never points into padding: padding loses against every number") {
  for (const double value : {-1e30, -inf, 0.0}) {
    const tensor4<double> x = zeros<double>({1, 2, 3, 4}) + value;
    const auto [output, switches] = max_pool2d{{.kernel = 3, .stride = 1, .padding = {2, 1, 1, 2}}}(x);
    for (const double y : output) CHECK(y == value);
    for (const std::uint32_t place : switches.places) CHECK(place < 12);
    CHECK(switches.places(0, 0, 0, 0) == 0);
  }
}

TEST_CASE("a NaN wins its windows and no others") {
  auto x = zeros<double>({1, 1, 4, 4});
  x(0, 0, 1, 1) = nan;
  x(0, 0, 1, 2) = inf;
  x(0, 0, 0, 2) = nan;
  const auto [output, switches] = max_pool2d{{.kernel = 2}}(x);
  CHECK(std::isnan(output(0, 0, 0, 0)));
  CHECK(std::isnan(output(0, 0, 0, 1)));
  CHECK(output(0, 0, 1, 0) == 0);
  CHECK(switches.places(0, 0, 0, 0) == 5);
  CHECK(switches.places(0, 0, 0, 1) == 2);
}

TEST_CASE("the reverse of max_pool2d is the derivative away from ties") {
  for (const auto& c : pool_cases) {
    CAPTURE(c.what);
    auto x = tensor4<double>::from_shape(c.input);  // all different by at least 0.01
    for (std::size_t k = 0; k < x.size(); ++k) x.data()[k] = 0.01 * static_cast<double>(k * 7919 % x.size());
    const max_pool2d pool{c.options};
    const auto [output, switches] = pool(x);
    const auto signal = random_maps<double>(shape_of(output), 2);
    recorded_run run(rule::gradient, x, output);
    auto at = run.context();
    at.recorded_switches = &switches;
    const auto back = pool.reverse(signal, at);
    CHECK(distance(back, numeric_gradient(x, signal, [&](const auto& moved) { return pool(moved).output; })) < difference_error);
    for (const rule how : {rule::deconvnet, rule::guided}) {
      at.how = how;
      CHECK(same_bits(pool.reverse(signal, at), back));
    }
  }
}

TEST_CASE("the reverse unpools each picture through the switches of its own image") {
  const max_pool2d pool{{.kernel = 3, .stride = 2, .ceil_mode = true}};
  const auto x = random_maps<float>({3, 2, 6, 7}, 3);
  const auto [output, switches] = pool(x);
  const auto signal = random_maps<float>({4, 2, 3, 3}, 4);
  recorded_run run(rule::deconvnet, x, output);
  auto at = run.pictures_of({2, 0, 0, 1}).context();
  at.recorded_switches = &switches;
  const auto back = pool.reverse(signal, at);
  CHECK(shape_of(back) == shape4{4, 2, 6, 7});
  for (std::size_t m = 0; m < 4; ++m) {
    const std::size_t n = at.images[m];
    CHECK(same_bits(image_of(back, m), ops::max_unpool2d(image_of(signal, m), pool(image_of(x, n)).switches)));
  }
  at.recorded_switches = nullptr;
  CHECK(names(message_of<error>([&] { pool.reverse(signal, at); }), "max_pool2d", "switches"));
}

TEST_CASE_TEMPLATE("the bits of max_pool2d depend on neither threads nor the batch", T, float, double) {
  for (const auto& c : pool_cases) {
    const auto x = random_maps<T>({3, c.input[1], c.input[2], c.input[3]}, 5);
    check_thread_counts([&] { return max_pool2d{c.options}(x).output; });
    check_thread_counts([&] { return max_pool2d{c.options}(x).switches.places; });
    check_batches(x, [&](const tensor4<T>& batch) { return max_pool2d{c.options}(batch).output; });
  }
}

TEST_CASE("max_pool2d takes any expression") {
  const auto x = random_maps<float>({2, 3, 5, 6}, 6);
  check_expressions(x, [](const auto& e) { return max_pool2d{}(e).output; });
  check_expressions(x, [](const auto& e) { return ops::max_pool2d(e, {.kernel = 3}).output; });
}

TEST_CASE("forward refills a result and its switches, and leaves switches out where none are wanted") {
  const auto x = random_maps<float>({2, 3, 5, 6}, 7);
  const max_pool2d pool{{.kernel = 3, .stride = 1}};
  tensor4<float> y = zeros<float>({1, 1, 9, 9});
  switches record;
  pool.forward(x, y, &record);
  const float* memory = y.data();
  check_same(max_pool2d_result<float>{y, record}, pool(x));
  y.fill(0);
  pool.forward(x, y, nullptr);
  CHECK(y.data() == memory);
  CHECK(same_bits(y, pool(x).output));
  pool.forward(random_maps<float>({1, 1, 3, 3}, 8), y, &record);
  CHECK(record.input_shape == shape4{1, 1, 3, 3});
  CHECK(record.output_shape() == shape4{1, 1, 1, 1});
}

TEST_CASE("a stride of zero stands for the kernel, and reach says so") {
  const max_pool2d pool{{.kernel = {3, 2}, .stride = {0, 1}, .padding = {1, 0, 2, 1}, .dilation = {2, 1}}};
  CHECK(pool.reach().stride == extent2d{3, 1});
  CHECK(pool.reach().kernel == extent2d{3, 2});
  CHECK(pool.reach().padding == padding2d{1, 0, 2, 1});
  CHECK(pool.reach().dilation == extent2d{2, 1});
}

TEST_CASE("max_pool2d refuses what does not fit") {
  const auto x = zeros<float>({1, 2, 5, 6});
  CHECK(names(message_of([&] { max_pool2d{{.kernel = {6, 2}}}(x); }), "max_pool2d", "6 x 2", "1 x 2 x 5 x 6"));
  CHECK(names(message_of([&] { max_pool2d{{.kernel = 2, .stride = 1, .padding = {0, 0, 0, 2}}}(x); }), "max_pool2d", "column 6",
              "1 x 2 x 5 x 6"));
  CHECK_THROWS_AS((max_pool2d{{.kernel = 2, .stride = 1, .padding = 2}}(x)), shape_error);
  CHECK_THROWS_AS((max_pool2d{{.kernel = 2, .padding = 3, .dilation = 9}}(x)), shape_error);
  CHECK_THROWS_AS(max_pool2d{}(zeros<float>({1, 2, 0, 4})), shape_error);
  CHECK_THROWS_AS(max_pool2d{}(zeros<float>({1, 2, 4, 0})), shape_error);
  CHECK_THROWS_AS(max_pool2d{}(tensor4<float>()), shape_error);
  CHECK(max_pool2d{}(zeros<float>({0, 2, 5, 6})).switches.output_shape() == shape4{0, 2, 2, 3});
  CHECK(max_pool2d{}(zeros<float>({2, 0, 5, 6})).switches.output_shape() == shape4{2, 0, 2, 3});
}

TEST_CASE("hostile options are refused before anything is computed") {
  const std::size_t huge = std::size_t{1} << 60;
  const max_pool2d_options hostile[] = {{.kernel = {0, 1}}, {.kernel = huge},          {.kernel = SIZE_MAX},
                                        {.stride = huge},   {.padding = {0, huge}},    {.padding = SIZE_MAX},
                                        {.dilation = 0},    {.dilation = {1, huge}},   {.dilation = SIZE_MAX}};
  for (const auto& options : hostile) {
    CHECK_THROWS_AS(max_pool2d{options}, shape_error);
    CHECK_THROWS_AS(ops::max_pool2d(zeros<float>({1, 1, 4, 4}), options), shape_error);
  }
  CHECK_THROWS_AS(max_pool2d{{.padding = std::size_t{1} << 24}}(zeros<float>({1, 1, 4, 4})), shape_error);
  CHECK_THROWS_AS(max_pool2d{}.output_shape({1, 1, SIZE_MAX, SIZE_MAX}), shape_error);
}

TEST_CASE("a window far larger than the map costs what it has on the map") {
  const auto start = std::chrono::steady_clock::now();
  const std::size_t wide = std::size_t{1} << 17;
  const auto [output, switches] = max_pool2d{{.kernel = {1, wide}, .stride = 1, .padding = {0, wide - 1}}}(zeros<float>({1, 1, 1, 1}) + 3.0f);
  CHECK(shape_of(output) == shape4{1, 1, 1, wide});
  CHECK(std::all_of(output.begin(), output.end(), [](float y) { return y == 3; }));
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(2));
}

}  // namespace
