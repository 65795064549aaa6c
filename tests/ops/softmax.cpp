#include <deconvnet/ops/softmax.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <limits>

#include <doctest/doctest.h>

#include "properties.hpp"

namespace {

using namespace deconvnet;
using namespace deconvnet::testing;

static_assert(std::same_as<decltype(softmax()(tensor4<float>() + 1.0f)), tensor4<float>>);
static_assert(std::same_as<decltype(softmax()(tensor<double, 2>() * 2.0)), tensor<double, 2>>);
static_assert(std::same_as<decltype(softmax()(xt::xarray<float>())), tensor4<float>>);
static_assert(!std::invocable<const softmax&, tensor<float, 3>> && !std::invocable<const softmax&, float>);
static_assert(!std::convertible_to<softmax_over, softmax>);

constexpr softmax_over both[] = {softmax_over::channels, softmax_over::features};
const shape4 softmax_shapes[] = {{1, 1, 1, 1}, {2, 10, 1, 1}, {2, 5, 3, 4}, {3, 2, 1, 5}};

/// exp(x) / sum, the sum over all elements that share the group of (n, c, i, j).
template <class T>
tensor4<double> naive_softmax(const tensor4<T>& x, softmax_over over) {
  auto y = tensor4<double>::from_shape(x.shape());
  const auto exponential = [&](std::size_t n, std::size_t c, std::size_t i, std::size_t j) {
    return std::exp(static_cast<double>(x(n, c, i, j)));
  };
  for (std::size_t n = 0; n < x.shape(0); ++n)
    for (std::size_t c = 0; c < x.shape(1); ++c)
      for (std::size_t i = 0; i < x.shape(2); ++i)
        for (std::size_t j = 0; j < x.shape(3); ++j) {
          double sum = 0;
          for (std::size_t k = 0; k < x.shape(1); ++k) {
            if (over == softmax_over::channels) {
              sum += exponential(n, k, i, j);
              continue;
            }
            for (std::size_t row = 0; row < x.shape(2); ++row)
              for (std::size_t column = 0; column < x.shape(3); ++column) sum += exponential(n, k, row, column);
          }
          y(n, c, i, j) = exponential(n, c, i, j) / sum;
        }
  return y;
}

TEST_CASE_TEMPLATE("softmax equals its formula over channels and over features", T, float, double) {
  for (const auto over : both) {
    for (const auto& shape : softmax_shapes) {
      const auto x = random_maps<T>(shape, 1);
      const auto y = softmax{over}(x);
      CHECK(distance(y, naive_softmax(x, over)) < rounding<T>);
      CHECK(same_bits(ops::softmax(x, over), y));
      tensor4<T> filled;
      softmax{over}.forward(x, filled);
      CHECK(same_bits(filled, y));
      CHECK(softmax{over}.output_shape(shape) == shape);
    }
  }
  CHECK(softmax{}.over() == softmax_over::channels);
}

TEST_CASE("a matrix is normalized row by row") {
  const auto x = random_matrix<double>(3, 7, 2);
  auto maps = tensor4<double>::from_shape({3, 7, 1, 1});
  std::copy(x.begin(), x.end(), maps.begin());
  const auto expected = softmax{}(maps);
  const auto y = softmax{}(x);
  CHECK(std::equal(y.begin(), y.end(), expected.begin()));
  CHECK(same_bits(ops::softmax(x * 1.0), y));
}

TEST_CASE("large activations neither overflow nor lose their order") {
  const tensor4<float> x = {{{{1000.0f}}, {{999.0f}}, {{-1000.0f}}}};
  const auto y = softmax{}(x);
  CHECK(y(0, 0, 0, 0) == doctest::Approx(1 / (1 + std::exp(-1.0))));
  CHECK(y(0, 1, 0, 0) == doctest::Approx(std::exp(-1.0) / (1 + std::exp(-1.0))));
  CHECK(y(0, 2, 0, 0) == 0);
  const tensor4<float> low = {{{{-1000.0f}}, {{-1000.0f}}}};
  CHECK(softmax{}(low)(0, 1, 0, 0) == 0.5f);
  const float inf = std::numeric_limits<float>::infinity();
  CHECK(softmax{}(tensor4<float>{{{{0.0f}}, {{-inf}}}})(0, 0, 0, 0) == 1);
}

TEST_CASE("a NaN spoils its own group and no other, wherever in it it stands") {
  for (std::size_t c = 0; c < 3; ++c) {
    auto x = random_maps<float>({2, 3, 1, 2}, 3);
    x(1, c, 0, 1) = std::numeric_limits<float>::quiet_NaN();
    const auto channels = softmax{}(x);
    const auto features = softmax{softmax_over::features}(x);
    for (std::size_t k = 0; k < 3; ++k) {
      CHECK(std::isnan(channels(1, k, 0, 1)));
      CHECK_FALSE(std::isnan(channels(1, k, 0, 0)));
      CHECK(std::isnan(features(1, k, 0, 0)));
      CHECK_FALSE(std::isnan(features(0, k, 0, 1)));
    }
  }
}

TEST_CASE("identity on the way down under deconvnet and guided, whatever the run kept") {
  const auto signal = random_maps<float>({2, 5, 1, 1}, 4);
  for (const rule how : {rule::deconvnet, rule::guided}) {
    CHECK(same_bits(softmax{}.reverse(signal, shapes_only<float>({shape_of(signal)}, how)), signal));
  }
  CHECK_THROWS_AS(softmax{}.reverse(signal, shapes_only<float>({shape_of(signal)}, rule::gradient)), error);
}

TEST_CASE("under gradient it is differentiated, over channels and over features") {
  for (const auto over : both) {
    for (const auto& shape : softmax_shapes) {
      const softmax layer{over};
      const auto x = random_maps<double>(shape, 5);
      const auto signal = random_maps<double>(shape, 6);
      const recorded_run run(rule::gradient, x, layer(x));
      const auto expected = numeric_gradient(x, signal, [&](const auto& moved) { return layer(moved); });
      CHECK(distance(layer.reverse(signal, run.context()), expected) < difference_error);
    }
  }
}

TEST_CASE("each picture is differentiated at its own image") {
  const auto x = random_maps<double>({3, 4, 2, 2}, 7);
  const auto y = softmax{}(x);
  const auto signal = random_maps<double>({2, 4, 2, 2}, 8);
  recorded_run run(rule::gradient, x, y);
  run.pictures_of({2, 0});
  const auto back = softmax{}.reverse(signal, run.context());
  CHECK(same_bits(image_of(back, 0), ops::softmax_gradient(image_of(signal, 0), image_of(y, 2), softmax_over::channels)));
  CHECK(same_bits(image_of(back, 1), ops::softmax_gradient(image_of(signal, 1), image_of(y, 0), softmax_over::channels)));
}

TEST_CASE_TEMPLATE("the bits of softmax depend on neither threads nor the batch", T, float, double) {
  for (const auto over : both) {
    const auto x = random_maps<T>({4, 11, 3, 5}, 9);
    check_thread_counts([&] { return softmax{over}(x); });
    check_batches(x, [&](const tensor4<T>& batch) { return softmax{over}(batch); });
  }
}

TEST_CASE("softmax takes any expression") {
  const auto x = random_maps<float>({2, 3, 4, 5}, 10);
  for (const auto over : both) {
    check_expressions(x, [&](const auto& e) { return softmax{over}(e); });
    check_expressions(x, [&](const auto& e) { return ops::softmax(e, over); });
  }
}

TEST_CASE("a signal of another shape is refused with both softmax_shapes") {
  CHECK(names(message_of([] {
    ops::softmax_gradient(zeros<float>({1, 3, 1, 1}), zeros<float>({1, 4, 1, 1}), softmax_over::channels);
  }), "softmax", "1 x 3 x 1 x 1", "1 x 4 x 1 x 1"));
}

TEST_CASE("tensors of no elements stay that") {
  for (const shape4& shape : {shape4{0, 3, 2, 2}, shape4{2, 0, 2, 2}, shape4{2, 3, 0, 2}, shape4{0, 0, 0, 0}}) {
    for (const auto over : both) {
      CHECK(shape_of(softmax{over}(zeros<float>(shape))) == shape);
      CHECK(shape_of(ops::softmax_gradient(zeros<float>(shape), zeros<float>(shape), over)) == shape);
    }
  }
  CHECK(softmax{}(tensor<float, 2>::from_shape({2, 0})).size() == 0);
  CHECK(softmax{}(tensor<float, 2>::from_shape({0, 2})).size() == 0);
}

}  // namespace
