#include <deconvnet/ops/conv2d.hpp>

#include <cmath>
#include <concepts>
#include <limits>
#include <type_traits>

#include <doctest/doctest.h>

#include "../kernels/levels.hpp"
#include "convolution_cases.hpp"
#include "naive.hpp"
#include "properties.hpp"

namespace {

using namespace deconvnet;
using namespace deconvnet::testing;

static_assert(std::same_as<decltype(conv2d<float>(tensor4<float>())(tensor4<float>())), tensor4<float>>);
static_assert(std::same_as<decltype(conv2d<double>(tensor4<double>())(tensor4<double>() + 1.0)), tensor4<double>>);
static_assert(std::same_as<decltype(ops::conv2d(tensor4<float>() * 2.0f, tensor4<float>(), tensor<float, 1>())), tensor4<float>>);
static_assert(std::invocable<const conv2d<float>&, xt::xarray<float>>);
static_assert(!std::invocable<const conv2d<float>&, tensor<float, 3>>);
static_assert(!std::invocable<const conv2d<float>&, std::vector<float>>);
static_assert(std::constructible_from<conv2d<float>, tensor4<float>, tensor<float, 1>>);
static_assert(!std::constructible_from<conv2d<float>, tensor<float, 2>>);
static_assert(!std::constructible_from<conv2d<float>, tensor4<float>, tensor4<float>>);
static_assert(!std::convertible_to<tensor4<float>, conv2d<float>>);
static_assert(std::copyable<conv2d<float>>);

TEST_CASE_TEMPLATE("conv2d equals naive loops, with and without bias, as a function and as a layer", T, float, double) {
  for (const auto& c : convolution_cases) {
    CAPTURE(c.what);
    const auto x = random_maps<T>(c.input, 1);
    const auto weight = random_maps<T>(c.weight, 2);
    const auto bias = random_vector<T>(c.weight[0], 3);
    const auto none = tensor<T, 1>::from_shape({0});
    const auto expected = naive::convolution(x, weight, bias, c.options);
    const auto expected_plain = naive::convolution(x, weight, none, c.options);
    at_every_level([&] {
      const auto y = conv2d<T>(weight, bias, c.options)(x);
      CHECK(distance(y, expected) < 5 * rounding<T>);
      CHECK(same_bits(ops::conv2d(x, weight, bias, c.options), y));
      CHECK(conv2d<T>(weight, bias, c.options).output_shape(c.input) == shape_of(y));
      const auto plain = conv2d<T>(weight, c.options)(x);
      CHECK(distance(plain, expected_plain) < 5 * rounding<T>);
      CHECK(same_bits(ops::conv2d(x, weight, none, c.options), plain));
    });
  }
}

TEST_CASE("the reverse of conv2d is its adjoint, under every rule") {
  for (const auto& c : convolution_cases) {
    CAPTURE(c.what);
    const auto x = random_maps<double>(c.input, 4);
    const conv2d<double> plain(random_maps<double>(c.weight, 5), c.options);
    const conv2d<double> biased(plain.weight(), random_vector<double>(c.weight[0], 6), c.options);
    const auto y = random_maps<double>(plain.output_shape(c.input), 7);
    at_every_level([&] {
      const auto back = biased.reverse(y, shapes_only<double>({c.input}));
      CHECK(shape_of(back) == c.input);
      check_adjoint(plain(x), y, x, back);
      CHECK(same_bits(biased.reverse(y, shapes_only<double>({c.input}, rule::deconvnet)), back));
      CHECK(same_bits(biased.reverse(y, shapes_only<double>({c.input}, rule::guided)), back));
    });
  }
}

TEST_CASE("the reverse of conv2d in float agrees with double") {
  for (const auto& c : convolution_cases) {
    CAPTURE(c.what);
    const auto weight = random_maps<double>(c.weight, 5);
    const conv2d<double> exact(weight, c.options);
    const auto y = random_maps<double>(exact.output_shape(c.input), 7);
    const auto back = conv2d<float>(weight, c.options).reverse(tensor4<float>(y), shapes_only<float>({c.input}));
    CHECK(distance(back, exact.reverse(y, shapes_only<double>({c.input}))) < 5 * rounding<float>);
  }
}

TEST_CASE("the reverse of conv2d is the derivative of its forward") {
  const conv2d_options options{.stride = {2, 1}, .padding = {1, 0, 2, 1}, .dilation = {1, 2}, .groups = 2};
  const conv2d<double> conv(random_maps<double>({4, 2, 3, 2}, 8), random_vector<double>(4, 9), options);
  const auto x = random_maps<double>({2, 4, 5, 6}, 10);
  const auto signal = random_maps<double>(conv.output_shape(shape_of(x)), 11);
  const auto expected = numeric_gradient(x, signal, [&](const auto& moved) { return conv(moved); });
  CHECK(distance(conv.reverse(signal, shapes_only<double>({shape_of(x)})), expected) < difference_error);
}

TEST_CASE_TEMPLATE("the bits of conv2d and of its reverse do not depend on threads", T, float, double) {
  for (const auto& c : convolution_cases) {
    CAPTURE(c.what);
    const conv2d<T> conv(random_maps<T>(c.weight, 12), random_vector<T>(c.weight[0], 13), c.options);
    const auto x = random_maps<T>({3, c.input[1], c.input[2], c.input[3]}, 14);
    const auto signal = random_maps<T>(conv.output_shape(shape_of(x)), 15);
    at_every_level([&] {
      check_thread_counts([&] { return conv(x); });
      check_thread_counts([&] { return conv.reverse(signal, shapes_only<T>({shape_of(x)})); });
    });
  }
}

TEST_CASE_TEMPLATE("the bits of conv2d and of its reverse do not depend on the batch an image travels in", T, float, double) {
  for (const auto& c : convolution_cases) {
    CAPTURE(c.what);
    const conv2d<T> conv(random_maps<T>(c.weight, 16), random_vector<T>(c.weight[0], 17), c.options);
    const auto x = random_maps<T>({4, c.input[1], c.input[2], c.input[3]}, 18);
    const auto signals = random_maps<T>(conv.output_shape(shape_of(x)), 19);
    at_every_level([&] {
      check_batches(x, [&](const tensor4<T>& batch) { return conv(batch); });
      check_batches(signals, [&](const tensor4<T>& signal) {
        return conv.reverse(signal, shapes_only<T>({{signal.shape(0), c.input[1], c.input[2], c.input[3]}}));
      });
    });
  }
}

TEST_CASE("conv2d takes any expression as its input and as its weights") {
  const auto x = random_maps<float>({2, 3, 5, 6}, 20);
  const auto weight = random_maps<float>({4, 3, 3, 3}, 21);
  const auto bias = random_vector<float>(4, 22);
  check_expressions(x, [&](const auto& e) { return conv2d<float>(weight, bias)(e); });
  check_expressions(x, [&](const auto& e) { return ops::conv2d(e, weight, bias); });
  check_expressions(weight, [&](const auto& e) { return conv2d<float>(e, bias)(x); });
  check_expressions(weight, [&](const auto& e) { return ops::conv2d(x, e, bias); });
  const auto expected = conv2d<float>(weight, bias)(x);
  CHECK(same_bits(conv2d<float>(weight, bias * 1.0f)(x), expected));
  CHECK(same_bits(conv2d<float>(tensor4<double>(weight), bias)(tensor4<double>(x)), expected));
  CHECK_THROWS_AS(conv2d<float>(weight, xt::xarray<float>(weight)), shape_error);
}

TEST_CASE("conv2d refills a result of any earlier shape") {
  const auto x = random_maps<float>({1, 3, 5, 6}, 23);
  const conv2d<float> conv(random_maps<float>({2, 3, 3, 3}, 24), {.padding = {1, 1}});
  tensor4<float> y = random_maps<float>({1, 2, 5, 6}, 25);
  const float* memory = y.data();
  conv.forward(x, y);
  CHECK(y.data() == memory);
  CHECK(same_bits(y, conv(x)));
  y = random_maps<float>({3, 1, 1, 1}, 26);
  conv.forward(x, y);
  CHECK(same_bits(y, conv(x)));
}

TEST_CASE("a NaN in one pixel reaches the windows over it and no others") {
  auto x = random_maps<float>({2, 2, 5, 6}, 27);
  x(1, 0, 2, 3) = std::numeric_limits<float>::quiet_NaN();
  const auto y = conv2d<float>(random_maps<float>({3, 2, 3, 3}, 28))(x);
  for (std::size_t n = 0; n < 2; ++n)
    for (std::size_t o = 0; o < 3; ++o)
      for (std::size_t i = 0; i < 3; ++i)
        for (std::size_t j = 0; j < 4; ++j) CHECK(std::isnan(y(n, o, i, j)) == (n == 1 && j >= 1 && j <= 3));
}

TEST_CASE("weights too many to be kept packed give the bits of those that are, up and down") {
  const auto weight = random_maps<float>({1056, 1000, 1, 1}, 1);
  const auto x = random_maps<float>({1, 1000, 3, 3}, 2);
  constexpr std::size_t some = 100;
  const conv2d<float> whole(weight), part(xt::view(weight, xt::range(0, some)));
  const auto y = whole(x);
  CHECK(same_bits(tensor4<float>(xt::view(y, xt::all(), xt::range(0, some))), part(x)));
  // What filters of zero signal add is zero.
  auto signal = zeros<float>(shape_of(y));
  const auto first = random_maps<float>({1, some, 3, 3}, 3);
  xt::view(signal, xt::all(), xt::range(0, some)) = first;
  CHECK(distance(whole.reverse(signal, shapes_only<float>({shape_of(x)})), part.reverse(first, shapes_only<float>({shape_of(x)}))) == 0);
}

TEST_CASE("copies of a convolution share their weights") {
  const conv2d<float> first(random_maps<float>({3, 2, 3, 3}, 29));
  const conv2d<float> second = first;
  CHECK(second.weight().data() == first.weight().data());
}

TEST_CASE("conv2d counts its multiplications and says what it reaches") {
  const conv2d<float> conv(zeros<float>({6, 2, 3, 5}), {.stride = {2, 1}, .padding = {1, 2, 3, 4}, .dilation = {2, 3}, .groups = 2});
  CHECK(conv.multiply_adds({2, 4, 9, 9}, {2, 6, 7, 8}) == 2 * 7 * 8 * 6 * 2 * 3 * 5);
  const auto reach = conv.reach();
  CHECK(reach.kernel == extent2d{3, 5});
  CHECK(reach.stride == extent2d{2, 1});
  CHECK(reach.padding == padding2d{1, 2, 3, 4});
  CHECK(reach.dilation == extent2d{2, 3});
}

TEST_CASE("conv2d refuses shapes that do not fit and names both") {
  const auto weight = zeros<float>({4, 3, 3, 3});
  const conv2d<float> conv(weight);
  CHECK(names(message_of([&] { conv(zeros<float>({1, 2, 8, 8})); }), "conv2d", "1 x 2 x 8 x 8", "4 x 3 x 3 x 3", "needs 3"));
  CHECK(names(message_of([&] { conv(zeros<float>({1, 3, 2, 8})); }), "conv2d", "3 x 3", "1 x 3 x 2 x 8"));
  CHECK(names(message_of([&] { conv2d<float>(weight, random_vector<float>(5, 1)); }), "bias of 5", "4 filters", "4 x 3 x 3 x 3"));
  CHECK(names(message_of([&] { conv2d<float>(weight, {.groups = 3}); }), "4 filters", "3 groups"));
  CHECK(names(message_of([&] { conv.reverse(zeros<float>({1, 4, 5, 5}), shapes_only<float>({{1, 3, 8, 8}})); }),
              "1 x 4 x 5 x 5", "1 x 3 x 8 x 8", "4 x 3 x 3 x 3"));
  CHECK_THROWS_AS(conv.reverse(zeros<float>({1, 3, 6, 6}), shapes_only<float>({{1, 3, 8, 8}})), shape_error);
  CHECK_THROWS_AS(conv.reverse(zeros<float>({2, 4, 6, 6}), shapes_only<float>({{1, 3, 8, 8}})), shape_error);
  CHECK_THROWS_AS(ops::conv2d(zeros<float>({1, 3, 8, 8}), weight, random_vector<float>(3, 1)), shape_error);
}

TEST_CASE("hostile options and shapes are refused before anything is computed") {
  const auto weight = zeros<float>({2, 2, 3, 3});
  const auto x = zeros<float>({1, 2, 8, 8});
  const std::size_t huge = std::size_t{1} << 60;
  const conv2d_options hostile[] = {
      {.stride = {0, 1}},     {.stride = {1, 0}},          {.stride = {huge, 1}},   {.padding = {0, huge}},
      {.padding = {0, 0, huge, 0}}, {.padding = SIZE_MAX}, {.dilation = {0, 1}},    {.dilation = {1, huge}},
      {.dilation = SIZE_MAX}, {.groups = 0},               {.groups = huge},        {.groups = SIZE_MAX},
  };
  for (const auto& options : hostile) {
    CHECK_THROWS_AS(conv2d<float>(weight, options), shape_error);
    CHECK_THROWS_AS(ops::conv2d(x, weight, tensor<float, 1>::from_shape({0}), options), shape_error);
  }
  for (const shape4& shape : {shape4{0, 2, 3, 3}, shape4{2, 0, 3, 3}, shape4{2, 2, 0, 3}, shape4{2, 2, 3, 0}}) {
    CHECK_THROWS_AS(conv2d<float>{zeros<float>(shape)}, shape_error);
  }
  // The largest that pass the checks of the options: the result would have 2^50 elements.
  const conv2d<float> wide(weight, {.padding = std::size_t{1} << 24});
  CHECK_THROWS_AS(wide(x), shape_error);
  const conv2d<float> spread(weight, {.dilation = std::size_t{1} << 24});
  CHECK_THROWS_AS(spread(x), shape_error);
  const conv2d<float> strided(weight, {.stride = std::size_t{1} << 24});
  CHECK(shape_of(strided(x)) == shape4{1, 2, 1, 1});
}

TEST_CASE("maps of no pixels are refused; a batch of no images gives none") {
  const conv2d<float> conv(random_maps<float>({4, 3, 3, 3}, 30), {.padding = {2, 2}});
  CHECK(shape_of(conv(zeros<float>({0, 3, 5, 6}))) == shape4{0, 4, 7, 8});
  CHECK(shape_of(conv.reverse(zeros<float>({0, 4, 7, 8}), shapes_only<float>({{0, 3, 5, 6}}))) == shape4{0, 3, 5, 6});
  CHECK_THROWS_AS(conv(zeros<float>({1, 3, 0, 6})), shape_error);
  CHECK_THROWS_AS(conv(zeros<float>({1, 3, 5, 0})), shape_error);
  CHECK_THROWS_AS(conv(zeros<float>({1, 0, 5, 5})), shape_error);
  CHECK_THROWS_AS(conv(tensor4<float>()), shape_error);
}

TEST_CASE("extents that would wrap around are refused by output_shape") {
  const conv2d<float> conv(zeros<float>({1, 1, 1, 1}), {.padding = {1, 1}});
  CHECK_THROWS_AS(conv.output_shape({1, 1, SIZE_MAX, 5}), shape_error);
  CHECK_THROWS_AS(conv.output_shape({1, 1, 5, SIZE_MAX - 1}), shape_error);
}

}  // namespace
