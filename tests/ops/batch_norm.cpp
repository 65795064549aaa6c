#include <deconvnet/ops/batch_norm.hpp>

#include <cmath>
#include <concepts>
#include <limits>

#include <doctest/doctest.h>

#include "properties.hpp"

namespace {

using namespace deconvnet;
using namespace deconvnet::testing;

template <class T>
batch_norm<T> random_norm(std::size_t channels, unsigned seed, double epsilon = 1e-5) {
  return batch_norm<T>(random_vector<T>(channels, seed), random_vector<T>(channels, seed + 1), random_vector<T>(channels, seed + 2),
                       xt::abs(random_vector<T>(channels, seed + 3)) + T(0.1), epsilon);
}

static_assert(std::same_as<decltype(random_norm<float>(1, 1)(tensor4<float>() + 1.0f)), tensor4<float>>);
static_assert(!std::invocable<const batch_norm<float>&, tensor<float, 3>> && std::copyable<batch_norm<float>>);
static_assert(!std::constructible_from<batch_norm<float>, tensor<float, 1>, tensor<float, 1>, tensor<float, 1>>);

const shape4 shapes[] = {{1, 1, 1, 1}, {2, 3, 5, 7}, {3, 6, 1, 4}};

TEST_CASE_TEMPLATE("batch_norm equals its formula, as a function and as a layer", T, float, double) {
  for (const auto& shape : shapes) {
    for (const double epsilon : {1e-5, 0.1}) {
      const auto norm = random_norm<T>(shape[1], 1, epsilon);
      const auto x = random_maps<T>(shape, 5);
      auto expected = tensor4<double>::from_shape(shape);
      for (std::size_t n = 0; n < shape[0]; ++n)
        for (std::size_t c = 0; c < shape[1]; ++c)
          for (std::size_t i = 0; i < shape[2]; ++i)
            for (std::size_t j = 0; j < shape[3]; ++j) {
              const auto value = [&](const tensor<T, 1>& of) { return static_cast<double>(of(c)); };
              expected(n, c, i, j) = value(norm.gamma()) * (static_cast<double>(x(n, c, i, j)) - value(norm.mean())) /
                                         std::sqrt(value(norm.variance()) + epsilon) +
                                     value(norm.beta());
            }
      const auto y = norm(x);
      CHECK(distance(y, expected) < 2 * rounding<T>);
      CHECK(same_bits(ops::batch_norm(x, norm.gamma(), norm.beta(), norm.mean(), norm.variance(), epsilon), y));
      auto in_place = x;
      norm.forward_in_place(in_place);
      CHECK(same_bits(in_place, y));
      CHECK(norm.output_shape(shape) == shape);
    }
  }
}

TEST_CASE("on the way down it multiplies by gamma / sigma: the adjoint of its linear part, under every rule") {
  for (const auto& shape : shapes) {
    const auto norm = random_norm<double>(shape[1], 11);
    const auto zero = tensor<double, 1>(norm.beta() * 0.0);
    const batch_norm<double> scale(norm.gamma(), zero, zero, norm.variance());
    const auto x = random_maps<double>(shape, 15);
    const auto y = random_maps<double>(shape, 16);
    const auto back = norm.reverse(y, shapes_only<double>({shape}));
    check_adjoint(scale(x), y, x, back);
    CHECK(same_bits(norm.reverse(y, shapes_only<double>({shape}, rule::deconvnet)), back));
    CHECK(distance(back, numeric_gradient(x, y, [&](const auto& moved) { return norm(moved); })) < difference_error);
  }
}

TEST_CASE_TEMPLATE("the bits of batch_norm depend on neither threads nor the batch", T, float, double) {
  const auto norm = random_norm<T>(5, 21);
  const auto x = random_maps<T>({3, 5, 7, 9}, 25);
  check_thread_counts([&] { return norm(x); });
  check_batches(x, [&](const tensor4<T>& batch) { return norm(batch); });
}

TEST_CASE("batch_norm takes any expression, for its input and its statistics") {
  const auto norm = random_norm<float>(3, 31);
  const auto x = random_maps<float>({2, 3, 4, 5}, 35);
  check_expressions(x, [&](const auto& e) { return norm(e); });
  check_expressions(x, [&](const auto& e) { return ops::batch_norm(e, norm.gamma(), norm.beta(), norm.mean(), norm.variance()); });
  const batch_norm<float> other(norm.gamma() * 1.0f, xt::xarray<float>(norm.beta()), tensor<double, 1>(norm.mean()), norm.variance());
  CHECK(same_bits(other(x), norm(x)));
  CHECK_THROWS_AS(batch_norm<float>(xt::xarray<float>(x), norm.beta(), norm.mean(), norm.variance()), shape_error);
}

TEST_CASE("a NaN stays where it is") {
  auto x = random_maps<float>({1, 2, 2, 2}, 36);
  x(0, 1, 0, 1) = std::numeric_limits<float>::quiet_NaN();
  const auto y = random_norm<float>(2, 37)(x);
  for (std::size_t k = 0; k < y.size(); ++k) CHECK(std::isnan(y.data()[k]) == (k == 5));
}

TEST_CASE("batch_norm refuses channels that do not fit and names both shapes") {
  const auto norm = random_norm<float>(3, 41);
  CHECK(names(message_of([&] { norm(zeros<float>({1, 4, 2, 2})); }), "batch_norm", "1 x 4 x 2 x 2", "3 channels"));
  CHECK_THROWS_AS(norm.output_shape({1, 2, 5, 5}), shape_error);
  CHECK_THROWS_AS(norm.reverse(zeros<float>({1, 4, 2, 2}), shapes_only<float>({{1, 4, 2, 2}})), shape_error);
  const auto two = random_vector<float>(2, 42);
  const auto& three = norm.gamma();
  CHECK(names(message_of([&] { batch_norm<float>(three, two, three, three); }), "batch_norm", "3, 2, 3, 3"));
  CHECK_THROWS_AS(batch_norm<float>(three, three, two, three), shape_error);
  CHECK_THROWS_AS(batch_norm<float>(three, three, three, two), shape_error);
}

TEST_CASE("one channel is not spread over many") {
  const auto norm = random_norm<float>(1, 43);
  const auto x = zeros<float>({1, 3, 2, 2});
  CHECK_THROWS_AS(norm(x), shape_error);
  CHECK_THROWS_AS(norm.reverse(x, shapes_only<float>({{1, 3, 2, 2}})), shape_error);
  CHECK_THROWS_AS(ops::batch_norm(x, norm.gamma(), norm.beta(), norm.mean(), norm.variance()), shape_error);
}

TEST_CASE("a batch of no images gives none, and no channels give nothing") {
  CHECK(shape_of(random_norm<float>(3, 44)(zeros<float>({0, 3, 2, 2}))) == shape4{0, 3, 2, 2});
  CHECK(shape_of(random_norm<float>(0, 45)(zeros<float>({2, 0, 2, 2}))) == shape4{2, 0, 2, 2});
}

}  // namespace
