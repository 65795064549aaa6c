#include <deconvnet/ops/relu.hpp>

#include <cmath>
#include <concepts>
#include <limits>

#include <doctest/doctest.h>

#include "properties.hpp"

namespace {

using namespace deconvnet;
using namespace deconvnet::testing;

static_assert(std::same_as<decltype(relu()(tensor4<float>() + 1.0f)), tensor4<float>>);
static_assert(std::same_as<decltype(relu()(tensor<double, 2>())), tensor<double, 2>>);
static_assert(std::same_as<decltype(ops::relu(xt::xtensor<int, 3>())), tensor<float, 3>>);
static_assert(std::same_as<decltype(relu()(xt::xarray<float>())), tensor4<float>>);
static_assert(!std::invocable<const relu&, float> && !std::invocable<const relu&, std::vector<float>>);

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinite = std::numeric_limits<double>::infinity();

TEST_CASE_TEMPLATE("relu is max(x, 0) for tensors of any rank", T, float, double) {
  const auto x = random_maps<T>({2, 3, 5, 7}, 1);
  auto expected = x;
  for (auto& value : expected) value = value > T(0) ? value : T(0);
  CHECK(same_bits(relu{}(x), expected));
  CHECK(same_bits(ops::relu(x), expected));
  tensor4<T> y;
  relu{}.forward(x, y);
  CHECK(same_bits(y, expected));
  y = x;
  relu{}.forward_in_place(y);
  CHECK(same_bits(y, expected));
  CHECK(same_bits(relu{}(tensor<T, 1>{T(-1), T(0), T(2)}), tensor<T, 1>{T(0), T(0), T(2)}));
  CHECK(relu{}.output_shape({2, 3, 5, 7}) == shape4{2, 3, 5, 7});
  CHECK(relu{}(zeros<T>({0, 3, 5, 7})).size() == 0);
}

TEST_CASE("a NaN stays a NaN, infinity stays infinity") {
  const tensor4<double> x = {{{{not_a_number, infinite, -infinite, -1}}}};
  tensor4<double> filled;
  relu{}.forward(x, filled);
  for (const auto& y : {relu{}(x), filled}) {
    CHECK(std::isnan(y(0, 0, 0, 0)));
    CHECK(y(0, 0, 0, 1) == infinite);
    CHECK(y(0, 0, 0, 2) == 0);
    CHECK(y(0, 0, 0, 3) == 0);
  }
}

TEST_CASE("relu takes any expression, and an array of run-time rank as feature maps") {
  check_expressions(random_maps<float>({2, 3, 4, 5}, 2), [](const auto& e) { return relu{}(e); });
  check_expressions(random_maps<double>({2, 3, 4, 5}, 3), [](const auto& e) { return ops::relu(e); });
}

// Forward input, signal, and what each rule makes of it: the table of section 2.
const tensor4<double> before = {{{{-2, -2, 0, 0, 3, 3, 3, -1}}}};
const tensor4<double> signal = {{{{5, -5, 5, -5, 5, -5, 0, 0}}}};
const tensor4<double> deconvnet_rule = {{{{5, 0, 5, 0, 5, 0, 0, 0}}}};
const tensor4<double> gradient_rule = {{{{0, 0, 0, 0, 5, -5, 0, 0}}}};
const tensor4<double> guided_rule = {{{{0, 0, 0, 0, 5, 0, 0, 0}}}};

TEST_CASE("the three rules: the signal's sign, the forward input's, both") {
  const tensor4<double> output = relu{}(before);
  sign_bits signs;
  signs.record(output);
  const auto result = [&](rule how, bool output_kept) {
    recorded_run run(how, before, output);
    auto at = run.context();
    if (!output_kept) {
      at.recorded_output = nullptr;
      at.recorded_signs = &signs;
    }
    return relu{}.reverse(signal, at);
  };
  for (const bool output_kept : {true, false}) {
    CAPTURE(output_kept);
    CHECK(same_bits(result(rule::deconvnet, output_kept), deconvnet_rule));
    CHECK(same_bits(result(rule::gradient, output_kept), gradient_rule));
    CHECK(same_bits(result(rule::guided, output_kept), guided_rule));
  }
}

TEST_CASE("deconvnet asks nothing of the run; the other rules say what they miss") {
  reverse_context<double> at;
  at.how = rule::deconvnet;
  CHECK(same_bits(relu{}.reverse(signal, at), deconvnet_rule));
  for (const rule how : {rule::gradient, rule::guided}) {
    at.how = how;
    CHECK(names(message_of<error>([&] { relu{}.reverse(signal, at); }), "relu"));
  }
}

TEST_CASE("the gradient rule is the derivative away from the kink") {
  auto x = random_maps<double>({2, 3, 4, 5}, 4);
  for (auto& value : x) value += value < 0 ? -0.01 : 0.01;
  const auto g = random_maps<double>({2, 3, 4, 5}, 5);
  const recorded_run run(rule::gradient, x, relu{}(x));
  CHECK(distance(relu{}.reverse(g, run.context()), numeric_gradient(x, g, [](const auto& moved) { return relu{}(moved); })) <
        difference_error);
}

TEST_CASE("each picture of a signal is masked by its own image") {
  const auto x = random_maps<float>({3, 2, 5, 7}, 6);
  const auto y = relu{}(x);
  const auto g = random_maps<float>({4, 2, 5, 7}, 7);
  recorded_run run(rule::guided, x, y);
  run.pictures_of({1, 2, 0, 1});
  auto at = run.context();
  const auto expected = relu{}.reverse(g, at);
  for (std::size_t m = 0; m < 4; ++m) {
    for (std::size_t k = 0; k < 70; ++k) {
      const float from = image_span(g, m)[k];
      CHECK(image_span(expected, m)[k] == (image_span(x, at.images[m])[k] > 0 && from > 0 ? from : 0.0f));
    }
  }
  sign_bits signs;
  signs.record(y);
  at.recorded_output = nullptr;
  at.recorded_signs = &signs;
  CHECK(same_bits(relu{}.reverse(g, at), expected));
}

TEST_CASE("a NaN in the signal passes where the rule lets the signal pass") {
  const tensor4<double> broken = {{{{not_a_number, not_a_number, not_a_number, not_a_number, not_a_number, not_a_number, not_a_number, not_a_number}}}};
  const recorded_run run(rule::guided, before, relu{}(before));
  const auto y = relu{}.reverse(broken, run.context());
  CHECK(y(0, 0, 0, 0) == 0);
  CHECK(std::isnan(y(0, 0, 0, 4)));
  reverse_context<double> at;
  for (const double value : relu{}.reverse(broken, at)) CHECK(std::isnan(value));
}

TEST_CASE("the bits of relu depend on neither threads nor the batch") {
  const auto x = random_maps<float>({3, 5, 7, 11}, 8);
  tensor4<float> y;
  check_thread_counts([&] {
    relu{}.forward(x, y);
    return y;
  });
  check_batches(x, [](const tensor4<float>& batch) { return relu{}(batch); });
  check_thread_counts([&] { return relu{}.reverse(x, reverse_context<float>{}); });
}

}  // namespace
