#include <deconvnet/ops/local_response_norm.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <limits>

#include <doctest/doctest.h>

#include "properties.hpp"

namespace {

using namespace deconvnet;
using namespace deconvnet::testing;

static_assert(std::same_as<decltype(local_response_norm()(tensor4<float>() + 1.0f)), tensor4<float>>);
static_assert(std::same_as<decltype(ops::local_response_norm(tensor4<double>())), tensor4<double>>);
static_assert(std::invocable<const local_response_norm&, xt::xarray<float>>);
static_assert(!std::invocable<const local_response_norm&, tensor<float, 3>> && !std::invocable<const local_response_norm&, float>);

/// AlexNet's, ZFNet's, sizes even and odd, larger than the maps there are, exponents with and without a short cut.
const local_response_norm_options norms[] = {
    {},
    {.size = 5, .alpha = 0.5, .beta = 0.75, .bias = 2},
    {.size = 1, .alpha = 1, .beta = 0.75, .bias = 1},
    {.size = 2, .alpha = 1, .beta = 1, .bias = 1},
    {.size = 3, .alpha = 0.8, .beta = 0.6, .bias = 2},
    {.size = 4, .alpha = 2, .beta = 0.75, .bias = 1.5},
    {.size = 6, .alpha = 1.5, .beta = 0.5, .bias = 0.5},
    {.size = 11, .alpha = 3, .beta = 0.75, .bias = 1},
    {.size = 100, .alpha = 5, .beta = 0, .bias = 1},
};
const shape4 norm_shapes[] = {{1, 1, 1, 1}, {2, 7, 3, 5}, {1, 3, 1, 4}, {1, 5, 17, 31}};

/// The formula of the ONNX operator, in double.
template <class T>
tensor4<double> naive_norm(const tensor4<T>& x, const local_response_norm_options& o) {
  auto y = tensor4<double>::from_shape(x.shape());
  const auto channels = static_cast<std::ptrdiff_t>(x.shape(1));
  const auto size = static_cast<std::ptrdiff_t>(o.size);
  for (std::size_t n = 0; n < x.shape(0); ++n)
    for (std::ptrdiff_t c = 0; c < channels; ++c)
      for (std::size_t i = 0; i < x.shape(2); ++i)
        for (std::size_t j = 0; j < x.shape(3); ++j) {
          double sum = 0;
          const auto above = static_cast<std::ptrdiff_t>(std::ceil(static_cast<double>(size - 1) / 2));
          for (std::ptrdiff_t k = c - (size - 1) / 2; k <= c + above; ++k) {
            if (k >= 0 && k < channels) sum += std::pow(static_cast<double>(x(n, k, i, j)), 2);
          }
          y(n, c, i, j) = static_cast<double>(x(n, c, i, j)) / std::pow(o.bias + o.alpha / static_cast<double>(size) * sum, o.beta);
        }
  return y;
}

TEST_CASE_TEMPLATE("local_response_norm equals its formula, for sizes odd and even", T, float, double) {
  for (const auto& options : norms) {
    for (const auto& shape : norm_shapes) {
      CAPTURE(options.size);
      const auto x = random_maps<T>(shape, 1);
      const auto y = local_response_norm{options}(x);
      CHECK(distance(y, naive_norm(x, options)) < 2 * rounding<T>);
      CHECK(same_bits(ops::local_response_norm(x, options), y));
      tensor4<T> filled;
      local_response_norm{options}.forward(x, filled);
      CHECK(same_bits(filled, y));
      CHECK(local_response_norm{options}.output_shape(shape) == shape);
    }
  }
}

TEST_CASE("an even window reaches one map further above than below") {
  auto x = zeros<double>({1, 5, 1, 1});
  x(0, 2, 0, 0) = 1;
  const auto y = local_response_norm{{.size = 4, .alpha = 4, .beta = 1, .bias = 1}}(tensor4<double>(x + 1e-9));
  for (const std::size_t c : {0u, 1u, 3u}) CHECK(y(0, c, 0, 0) == doctest::Approx(0.5e-9));  // 1 + 1
  CHECK(y(0, 4, 0, 0) == doctest::Approx(1e-9));
}

TEST_CASE("identity on the way down under deconvnet and guided, whatever the run kept") {
  const auto signal = random_maps<float>({2, 7, 3, 5}, 2);
  for (const rule how : {rule::deconvnet, rule::guided}) {
    CHECK(same_bits(local_response_norm{norms[1]}.reverse(signal, shapes_only<float>({shape_of(signal)}, how)), signal));
  }
  CHECK_THROWS_AS(local_response_norm{}.reverse(signal, shapes_only<float>({shape_of(signal)}, rule::gradient)), error);
}

TEST_CASE("under gradient it is differentiated, for sizes odd and even") {
  for (const auto& options : norms) {
    CAPTURE(options.size);
    const local_response_norm norm{options};
    const auto x = random_maps<double>({2, 7, 2, 3}, 3);
    const auto signal = random_maps<double>({2, 7, 2, 3}, 4);
    const recorded_run run(rule::gradient, x, norm(x));
    const auto expected = numeric_gradient(x, signal, [&](const auto& moved) { return norm(moved); });
    CHECK(distance(norm.reverse(signal, run.context()), expected) < difference_error);
    const recorded_run narrow(rule::gradient, tensor4<float>(x), tensor4<float>(norm(x)));
    CHECK(distance(norm.reverse(tensor4<float>(signal), narrow.context()), expected) < 5e-6);
  }
}

TEST_CASE("each picture is differentiated at its own image") {
  const local_response_norm norm{norms[5]};
  const auto x = random_maps<double>({3, 6, 2, 2}, 5);
  const auto signal = random_maps<double>({2, 6, 2, 2}, 6);
  recorded_run run(rule::gradient, x, norm(x));
  run.pictures_of({2, 1});
  const auto back = norm.reverse(signal, run.context());
  CHECK(same_bits(image_of(back, 0), ops::local_response_norm_gradient(image_of(signal, 0), image_of(x, 2), norms[5])));
  CHECK(same_bits(image_of(back, 1), ops::local_response_norm_gradient(image_of(signal, 1), image_of(x, 1), norms[5])));
}

TEST_CASE_TEMPLATE("the bits of local_response_norm depend on neither threads nor the batch", T, float, double) {
  for (const auto& options : norms) {
    const auto x = random_maps<T>({3, 5, 17, 31}, 7);  // more than one block of pixels, and a rest
    const auto signal = random_maps<T>(shape_of(x), 8);
    check_thread_counts([&] { return local_response_norm{options}(x); });
    check_batches(x, [&](const tensor4<T>& batch) { return local_response_norm{options}(batch); });
    check_thread_counts([&] { return ops::local_response_norm_gradient(signal, x, options); });
    const auto together = ops::local_response_norm_gradient(signal, x, options);
    CHECK(same_bits(ops::local_response_norm_gradient(image_of(signal, 2), image_of(x, 2), options), image_of(together, 2)));
  }
}

TEST_CASE("local_response_norm takes any expression") {
  const auto x = random_maps<float>({2, 3, 4, 5}, 9);
  check_expressions(x, [](const auto& e) { return local_response_norm{}(e); });
  check_expressions(x, [](const auto& e) { return ops::local_response_norm(e, {.size = 3}); });
}

TEST_CASE("a NaN reaches the maps whose window holds it and no others") {
  auto x = random_maps<float>({1, 9, 2, 2}, 10);
  x(0, 4, 1, 0) = std::numeric_limits<float>::quiet_NaN();
  const auto y = local_response_norm{{.size = 3}}(x);
  for (std::size_t c = 0; c < 9; ++c) {
    CHECK(std::isnan(y(0, c, 1, 0)) == (c >= 3 && c <= 5));
    CHECK_FALSE(std::isnan(y(0, c, 0, 0)));
  }
}

TEST_CASE("options that make no sense are refused, signals of another shape with both norm_shapes") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double inf = std::numeric_limits<double>::infinity();
  for (const local_response_norm_options& options :
       {local_response_norm_options{.size = 0}, local_response_norm_options{.alpha = nan}, local_response_norm_options{.beta = inf},
        local_response_norm_options{.bias = -inf}}) {
    CHECK_THROWS_AS(local_response_norm{options}, error);
    CHECK_THROWS_AS(ops::local_response_norm(zeros<float>({1, 1, 1, 1}), options), error);
  }
  const auto message = message_of([&] {
    ops::local_response_norm_gradient(zeros<float>({1, 3, 2, 2}), zeros<float>({1, 4, 2, 2}), {});
  });
  CHECK(names(message, "local_response_norm", "1 x 3 x 2 x 2", "1 x 4 x 2 x 2"));
  const auto x = random_maps<double>({1, 3, 2, 2}, 11);
  for (const std::size_t size : {std::size_t{1} << 60, SIZE_MAX}) {
    CHECK(distance(local_response_norm{{.size = size}}(x), x) < 1e-12);  // a huge window weighs alpha / size
  }
}

TEST_CASE("tensors of no elements stay that") {
  for (const shape4& shape : {shape4{0, 3, 2, 2}, shape4{2, 0, 2, 2}, shape4{2, 3, 0, 2}, shape4{0, 0, 0, 0}}) {
    CHECK(shape_of(local_response_norm{}(zeros<float>(shape))) == shape);
    CHECK(shape_of(ops::local_response_norm_gradient(zeros<float>(shape), zeros<float>(shape), {})) == shape);
  }
}

}  // namespace
