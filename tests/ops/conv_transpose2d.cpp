#include <deconvnet/ops/conv_transpose2d.hpp>

#include <concepts>
#include <cstddef>

#include <doctest/doctest.h>

#include "convolution_cases.hpp"
#include "naive.hpp"
#include "properties.hpp"

namespace {

using namespace deconvnet;
using namespace deconvnet::testing;

static_assert(std::same_as<decltype(conv_transpose2d<float>(tensor4<float>())(tensor4<float>() + 1.0f)), tensor4<float>>);
static_assert(std::same_as<decltype(ops::conv_transpose2d(tensor4<double>() * 2.0, tensor4<double>())), tensor4<double>>);
static_assert(std::invocable<const conv_transpose2d<float>&, xt::xarray<float>>);
static_assert(!std::invocable<const conv_transpose2d<float>&, tensor<float, 3>>);
static_assert(!std::constructible_from<conv_transpose2d<float>, tensor<float, 2>>);
static_assert(!std::constructible_from<conv_transpose2d<float>, tensor4<float>, tensor<float, 1>>);  // no bias
static_assert(std::copyable<conv_transpose2d<float>>);

/// The options of the adjoint of that convolution.
conv_transpose2d_options adjoint_of(const convolution_case& c) {
  return {c.options.stride, c.options.padding, c.options.dilation, c.options.groups, {c.input[2], c.input[3]}};
}

shape4 small_shape(const convolution_case& c, std::size_t images) {
  return conv2d<float>(zeros<float>(c.weight), c.options).output_shape({images, c.input[1], c.input[2], c.input[3]});
}

/// Every value of the signal times every tap of its filter, added to the pixel under that tap.
template <class T>
tensor4<T> scattered(const tensor4<T>& signal, const tensor4<T>& weight, const conv2d_options& o, const shape4& large) {
  const extent2d kernel{weight.shape(2), weight.shape(3)};
  const auto rows = naive::vertical(kernel, o.stride, o.padding, o.dilation);
  const auto columns = naive::horizontal(kernel, o.stride, o.padding, o.dilation);
  const std::size_t filters = weight.shape(0) / o.groups;
  auto result = zeros<double>(large);
  for (std::size_t n = 0; n < signal.shape(0); ++n)
    for (std::size_t f = 0; f < signal.shape(1); ++f)
      for (std::size_t i = 0; i < signal.shape(2); ++i)
        for (std::size_t j = 0; j < signal.shape(3); ++j)
          for (std::size_t c = 0; c < weight.shape(1); ++c)
            for (std::size_t ky = 0; ky < kernel.height; ++ky)
              for (std::size_t kx = 0; kx < kernel.width; ++kx) {
                const auto y = rows.at(i, ky);
                const auto x = columns.at(j, kx);
                if (!naive::inside(y, large[2]) || !naive::inside(x, large[3])) continue;
                result(n, f / filters * weight.shape(1) + c, y, x) +=
                    static_cast<double>(signal(n, f, i, j)) * static_cast<double>(weight(f, c, ky, kx));
              }
  return tensor4<T>(xt::cast<T>(result));
}

TEST_CASE_TEMPLATE("conv_transpose2d equals naive loops and restores the size it is told", T, float, double) {
  for (const auto& c : convolution_cases) {
    CAPTURE(c.what);
    const auto weight = random_maps<T>(c.weight, 1);
    const auto signal = random_maps<T>(small_shape(c, c.input[0]), 2);
    const conv_transpose2d<T> up(weight, adjoint_of(c));
    const auto result = up(signal);
    CHECK(shape_of(result) == c.input);
    CHECK(up.output_shape(shape_of(signal)) == c.input);
    CHECK(distance(result, scattered(signal, weight, c.options, c.input)) < 5 * rounding<T>);
    CHECK(same_bits(ops::conv_transpose2d(signal, weight, adjoint_of(c)), result));
    CHECK(same_bits(ops::conv2d_adjoint(signal, weight, c.options, c.input), result));
  }
}

TEST_CASE("conv_transpose2d is the adjoint of conv2d, and conv2d is its reverse") {
  for (const auto& c : convolution_cases) {
    CAPTURE(c.what);
    const auto weight = random_maps<double>(c.weight, 3);
    const conv2d<double> down(weight, c.options);
    const conv_transpose2d<double> up(down.shared_weight(), adjoint_of(c));
    const auto x = random_maps<double>(c.input, 4);
    const auto s = random_maps<double>(small_shape(c, c.input[0]), 5);
    check_adjoint(down(x), s, x, up(s));
    const auto reversed = up.reverse(x, shapes_only<double>({shape_of(s)}));
    CHECK(same_bits(reversed, down(x)));
    check_adjoint(up(s), x, s, reversed);
  }
}

TEST_CASE("every size that the convolution maps to a signal's can be restored, and no other") {
  for (const std::size_t stride : {1u, 2u, 3u}) {
    for (const std::size_t padding : {0u, 1u, 2u}) {
      const auto weight = random_maps<double>({2, 3, 3, 2}, 6);
      const conv2d<double> down(weight, {.stride = stride, .padding = padding});
      for (std::size_t size = 1; size < 12; ++size) {
        const auto x = random_maps<double>({1, 3, size, 9}, 7);
        if (size + 2 * padding < 3) continue;
        const auto y = down(x);
        const auto up = [&](std::size_t height) {
          return ops::conv_transpose2d(y, weight, {.stride = stride, .padding = padding, .output_size = {height, 9}});
        };
        CAPTURE(size);
        CHECK(shape_of(up(size)) == shape_of(x));
        check_adjoint(y, y, x, up(size));
        for (std::size_t other = 1; other < 14; ++other) {
          if (other + 2 * padding >= 3 && down.output_shape({1, 3, other, 9})[2] == y.shape(2)) {
            CHECK_NOTHROW(up(other));
          } else {
            CHECK_THROWS_AS(up(other), shape_error);
          }
        }
      }
    }
  }
}

TEST_CASE("without an output_size the smallest map is restored, on each axis by itself") {
  const auto weight = random_maps<float>({2, 3, 3, 3}, 8);
  const auto signal = random_maps<float>({1, 2, 4, 5}, 9);
  CHECK(shape_of(ops::conv_transpose2d(signal, weight)) == shape4{1, 3, 6, 7});
  CHECK(shape_of(ops::conv_transpose2d(signal, weight, {.stride = 2, .padding = {1, 0}})) == shape4{1, 3, 7, 11});
  CHECK(shape_of(ops::conv_transpose2d(signal, weight, {.stride = 2, .padding = {1, 0, 0, 0}})) == shape4{1, 3, 8, 11});
  CHECK(shape_of(ops::conv_transpose2d(signal, weight, {.dilation = {2, 3}})) == shape4{1, 3, 8, 11});
  CHECK(shape_of(ops::conv_transpose2d(signal, weight, {.stride = 2, .output_size = {0, 12}})) == shape4{1, 3, 9, 12});
  const auto point = random_maps<float>({1, 1, 1, 1}, 16);  // a map of one pixel is the least, however much padding
  CHECK(shape_of(ops::conv_transpose2d(point, point, {.stride = 3, .padding = 1})) == shape4{1, 1, 1, 1});
}

TEST_CASE("on the way down nothing is added: a zero signal gives zero, and twice the signal twice the picture") {
  const conv_transpose2d<float> up(random_maps<float>({4, 3, 3, 3}, 10), {.stride = 2, .padding = 1});
  CHECK(same_bits(up(zeros<float>({2, 4, 3, 5})), zeros<float>({2, 3, 5, 9})));
  const auto signal = random_maps<float>({2, 4, 3, 5}, 11);
  CHECK(same_bits(up(signal * 2.0f), tensor4<float>(up(signal) * 2.0f)));
}

TEST_CASE_TEMPLATE("the bits of conv_transpose2d depend on neither threads nor the batch", T, float, double) {
  for (const auto& c : convolution_cases) {
    CAPTURE(c.what);
    const conv_transpose2d<T> up(random_maps<T>(c.weight, 12), adjoint_of(c));
    const auto signal = random_maps<T>(small_shape(c, 3), 13);
    check_thread_counts([&] { return up(signal); });
    check_batches(signal, [&](const tensor4<T>& batch) { return up(batch); });
  }
}

TEST_CASE("conv_transpose2d takes any expression as its signal and as its weights") {
  const auto signal = random_maps<float>({2, 3, 4, 5}, 14);
  const auto weight = random_maps<float>({3, 2, 3, 3}, 15);
  check_expressions(signal, [&](const auto& e) { return conv_transpose2d<float>(weight)(e); });
  check_expressions(signal, [&](const auto& e) { return ops::conv_transpose2d(e, weight); });
  check_expressions(weight, [&](const auto& e) { return conv_transpose2d<float>(e)(signal); });
}

TEST_CASE("conv_transpose2d shares the weights of its convolution and counts its multiplications") {
  const conv2d<float> down(zeros<float>({4, 3, 3, 5}), {.stride = 2});
  const conv_transpose2d<float> up(down.shared_weight(), {.stride = 2});
  CHECK(up.weight().data() == down.weight().data());
  CHECK(up.multiply_adds({2, 4, 5, 6}, {}) == 2 * 5 * 6 * 4 * 3 * 3 * 5);
}

TEST_CASE("conv_transpose2d refuses shapes that do not fit and names both") {
  const conv_transpose2d<float> up(zeros<float>({4, 3, 3, 3}), {.stride = 2, .output_size = {9, 9}});
  CHECK(names(message_of([&] { up(zeros<float>({1, 3, 4, 4})); }), "conv_transpose2d", "1 x 3 x 4 x 4", "4 x 3 x 3 x 3"));
  CHECK(names(message_of([&] { up(zeros<float>({1, 4, 5, 4})); }), "conv_transpose2d", "1 x 4 x 5 x 4", "1 x 3 x 9 x 9"));
  CHECK_THROWS_AS(up(zeros<float>({1, 4, 0, 4})), shape_error);
  CHECK_THROWS_AS(up(zeros<float>({1, 4, 4, 0})), shape_error);
  CHECK_THROWS_AS(conv_transpose2d<float>(zeros<float>({4, 3, 3, 3}), {.padding = 3})(zeros<float>({1, 4, 2, 2})), shape_error);
  CHECK_THROWS_AS(up.reverse(zeros<float>({1, 2, 9, 9}), shapes_only<float>({{1, 4, 4, 4}})), shape_error);
  CHECK(shape_of(up(zeros<float>({0, 4, 4, 4}))) == shape4{0, 3, 9, 9});
}

TEST_CASE("hostile options are refused before anything is computed") {
  const auto weight = zeros<float>({2, 2, 3, 3});
  const auto signal = zeros<float>({1, 2, 4, 4});
  const std::size_t huge = std::size_t{1} << 60;
  const conv_transpose2d_options hostile[] = {
      {.stride = {0, 1}}, {.stride = huge}, {.padding = huge}, {.padding = {0, 0, 0, SIZE_MAX}}, {.dilation = {1, 0}},
      {.dilation = huge}, {.groups = 0},    {.groups = 3},     {.groups = SIZE_MAX},
  };
  for (const auto& options : hostile) {
    CHECK_THROWS_AS(conv_transpose2d<float>(weight, options), shape_error);
    CHECK_THROWS_AS(ops::conv_transpose2d(signal, weight, options), shape_error);
  }
  for (const conv_transpose2d_options& options : {conv_transpose2d_options{.output_size = huge},
                                                  conv_transpose2d_options{.output_size = SIZE_MAX},
                                                  conv_transpose2d_options{.stride = std::size_t{1} << 24},
                                                  conv_transpose2d_options{.dilation = std::size_t{1} << 24},
                                                  conv_transpose2d_options{.padding = std::size_t{1} << 24}}) {
    CHECK_THROWS_AS(conv_transpose2d<float>(weight, options)(signal), shape_error);
  }
  CHECK_THROWS_AS(conv_transpose2d<float>{zeros<float>({2, 2, 0, 3})}, shape_error);
  CHECK_THROWS_AS(conv_transpose2d<float>{zeros<float>({0, 2, 3, 3})}, shape_error);
}

}  // namespace
