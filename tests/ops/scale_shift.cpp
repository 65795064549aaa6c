#include <deconvnet/ops/scale_shift.hpp>

#include <cmath>
#include <concepts>
#include <limits>

#include <doctest/doctest.h>

#include "properties.hpp"

namespace {

using namespace deconvnet;
using namespace deconvnet::testing;

template <class T>
tensor<T, 3> constant(const shape3& shape, unsigned seed) {
  auto result = tensor<T, 3>::from_shape(shape);
  fill_random(result.data(), result.size(), seed);
  return result;
}

static_assert(std::same_as<decltype(scale_shift<float>(tensor<float, 3>(), tensor<float, 3>())(tensor4<float>() + 1.0f)), tensor4<float>>);
static_assert(std::same_as<decltype(ops::scale_shift(tensor4<double>(), tensor<double, 3>(), tensor<double, 3>())), tensor4<double>>);
static_assert(!std::invocable<const scale_shift<float>&, tensor<float, 3>> && std::copyable<scale_shift<float>>);
static_assert(!std::constructible_from<scale_shift<float>, tensor<float, 4>, tensor<float, 3>>);

/// Each of the three axes of the constant full or 1.
template <class Body>
void for_each_broadcast(Body&& body) {
  for (const std::size_t c : {1u, 3u})
    for (const std::size_t h : {1u, 4u})
      for (const std::size_t w : {1u, 5u}) body(shape3{c, h, w});
}

TEST_CASE_TEMPLATE("scale_shift equals naive loops for every way its constants spread", T, float, double) {
  const auto x = random_maps<T>({2, 3, 4, 5}, 1);
  for_each_broadcast([&](const shape3& scale_shape) {
    for_each_broadcast([&](const shape3& shift_shape) {
      const auto scale = constant<T>(scale_shape, 2);
      const auto shift = constant<T>(shift_shape, 3);
      const auto at = [](const tensor<T, 3>& of, std::size_t c, std::size_t i, std::size_t j) {
        return static_cast<double>(of(of.shape(0) == 1 ? 0 : c, of.shape(1) == 1 ? 0 : i, of.shape(2) == 1 ? 0 : j));
      };
      auto expected = tensor4<double>::from_shape(x.shape());
      for (std::size_t n = 0; n < 2; ++n)
        for (std::size_t c = 0; c < 3; ++c)
          for (std::size_t i = 0; i < 4; ++i)
            for (std::size_t j = 0; j < 5; ++j) {
              expected(n, c, i, j) = at(scale, c, i, j) * static_cast<double>(x(n, c, i, j)) + at(shift, c, i, j);
            }
      const scale_shift<T> layer(scale, shift);
      const auto y = layer(x);
      CHECK(distance(y, expected) < rounding<T>);
      CHECK(same_bits(ops::scale_shift(x, scale, shift), y));
      auto in_place = x;
      layer.forward_in_place(in_place);
      CHECK(same_bits(in_place, y));
      CHECK(layer.output_shape(shape_of(x)) == shape_of(x));
    });
  });
}

TEST_CASE("the reverse of scale_shift is the adjoint of its scale, under every rule") {
  const auto x = random_maps<double>({2, 3, 4, 5}, 4);
  const auto y = random_maps<double>({2, 3, 4, 5}, 5);
  for_each_broadcast([&](const shape3& shape) {
    const auto scale = constant<double>(shape, 6);
    const scale_shift<double> layer(scale, constant<double>({3, 4, 5}, 7));
    const scale_shift<double> linear_part(scale, tensor<double, 3>{{{0.0}}});
    const auto back = layer.reverse(y, shapes_only<double>({shape_of(x)}));
    check_adjoint(linear_part(x), y, x, back);
    CHECK(same_bits(layer.reverse(y, shapes_only<double>({shape_of(x)}, rule::guided)), back));
    CHECK(distance(back, numeric_gradient(x, y, [&](const auto& moved) { return layer(moved); })) < difference_error);
  });
}

TEST_CASE_TEMPLATE("the bits of scale_shift depend on neither threads nor the batch", T, float, double) {
  const scale_shift<T> layer(constant<T>({5, 1, 9}, 8), constant<T>({1, 7, 1}, 9));
  const auto x = random_maps<T>({3, 5, 7, 9}, 10);
  check_thread_counts([&] { return layer(x); });
  check_batches(x, [&](const tensor4<T>& batch) { return layer(batch); });
}

TEST_CASE("scale_shift takes any expression, for its input and its constants") {
  const auto x = random_maps<float>({2, 3, 4, 5}, 11);
  const auto scale = constant<float>({3, 1, 1}, 12);
  const auto shift = constant<float>({1, 4, 5}, 13);
  const scale_shift<float> layer(scale, shift);
  check_expressions(x, [&](const auto& e) { return layer(e); });
  check_expressions(x, [&](const auto& e) { return ops::scale_shift(e, scale, shift); });
  CHECK(same_bits(scale_shift<float>(scale * 1.0f, xt::xarray<float>(shift))(x), layer(x)));
  CHECK(same_bits(ops::scale_shift(x, xt::xarray<float>(scale), shift * 1.0f), layer(x)));
  CHECK_THROWS_AS(scale_shift<float>(xt::xarray<float>(x), shift), shape_error);
}

TEST_CASE("a NaN stays where it is; a NaN of the constants goes where they spread") {
  auto x = random_maps<float>({1, 2, 2, 2}, 14);
  x(0, 1, 0, 1) = std::numeric_limits<float>::quiet_NaN();
  const tensor<float, 3> one = {{{1.0f}}};
  const auto y = scale_shift<float>(one, one)(x);
  for (std::size_t k = 0; k < y.size(); ++k) CHECK(std::isnan(y.data()[k]) == (k == 5));
  const tensor<float, 3> broken = {{{0.0f}}, {{std::numeric_limits<float>::quiet_NaN()}}};
  const auto z = scale_shift<float>(one, broken)(zeros<float>({1, 2, 2, 2}));
  for (std::size_t k = 0; k < z.size(); ++k) CHECK(std::isnan(z.data()[k]) == (k >= 4));
}

TEST_CASE("constants that do not spread are refused with both shapes") {
  const tensor<float, 3> one = {{{1.0f}}};
  for (const shape3& shape : {shape3{2, 1, 1}, shape3{3, 2, 1}, shape3{1, 1, 4}, shape3{0, 1, 1}, shape3{3, 4, 0}}) {
    const auto bad = constant<float>(shape, 15);
    const auto x = zeros<float>({2, 3, 4, 5});
    for (const auto& layer : {scale_shift<float>(bad, one), scale_shift<float>(one, bad)}) {
      CHECK(names(message_of([&] { layer(x); }), "scale_shift", shape_text(shape), "2 x 3 x 4 x 5"));
      CHECK(names(message_of([&] { layer.output_shape(shape_of(x)); }), "scale_shift", shape_text(shape), "2 x 3 x 4 x 5"));
    }
    CHECK_THROWS_AS(scale_shift<float>(bad, one).reverse(x, shapes_only<float>({shape_of(x)})), shape_error);
  }
}

TEST_CASE("a batch of no images gives none, and copies share their constants") {
  const scale_shift<float> layer(constant<float>({3, 1, 1}, 16), constant<float>({3, 1, 1}, 17));
  CHECK(shape_of(layer(zeros<float>({0, 3, 2, 2}))) == shape4{0, 3, 2, 2});
  CHECK(shape_of(layer(zeros<float>({2, 3, 0, 2}))) == shape4{2, 3, 0, 2});
  const scale_shift<float> copy = layer;
  CHECK(copy.scale().data() == layer.scale().data());
}

}  // namespace
