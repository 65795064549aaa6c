#include <deconvnet/ops/reshape.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>

#include <doctest/doctest.h>

#include "properties.hpp"

namespace {

using namespace deconvnet;
using namespace deconvnet::testing;

static_assert(std::same_as<decltype(flatten()(tensor4<float>() + 1.0f)), tensor4<float>>);
static_assert(std::same_as<decltype(reshape(shape3())(tensor4<double>())), tensor4<double>>);
static_assert(std::same_as<decltype(ops::reshape(tensor4<float>() * 2.0f, shape4())), tensor4<float>>);
static_assert(!std::invocable<const flatten&, tensor<float, 3>> && !std::invocable<const reshape&, float>);
static_assert(!std::convertible_to<shape3, reshape>);

template <class T, class Op>
void check_layer(const Op& op, const tensor4<T>& x, const shape4& expected) {
  const auto y = op(x);
  CHECK(shape_of(y) == expected);
  CHECK(op.output_shape(shape_of(x)) == expected);
  CHECK(std::equal(y.begin(), y.end(), x.begin()));
  tensor4<T> filled;
  op.forward(x, filled);
  CHECK(same_bits(filled, y));
  auto in_place = x;
  const T* memory = in_place.data();
  op.forward_in_place(in_place);
  CHECK(same_bits(in_place, y));
  CHECK(in_place.data() == memory);
  for (const rule how : {rule::deconvnet, rule::gradient, rule::guided}) {
    CHECK(same_bits(op.reverse(y, shapes_only<T>({shape_of(x)}, how)), x));
  }
}

TEST_CASE_TEMPLATE("flatten and reshape keep the elements in row-major order, and their reverse gives the shape back", T, float, double) {
  const auto x = random_maps<T>({2, 3, 4, 5}, 1);
  check_layer(flatten{}, x, {2, 60, 1, 1});
  check_layer(reshape{{5, 4, 3}}, x, {2, 5, 4, 3});
  check_layer(reshape{{1, 1, 60}}, x, {2, 1, 1, 60});
  check_layer(flatten{}, zeros<T>({0, 3, 4, 5}), {0, 60, 1, 1});
  CHECK(same_bits(ops::flatten(x), flatten{}(x)));
  CHECK(same_bits(ops::reshape(x, {1, 6, 4, 5}), ops::reshape(tensor4<T>(x), {1, 6, 4, 5})));
  CHECK(shape_of(ops::reshape(x, {1, 6, 4, 5})) == shape4{1, 6, 4, 5});
}

TEST_CASE("the reverse of flatten is its adjoint") {
  const auto x = random_maps<double>({2, 3, 4, 5}, 2);
  const auto y = random_maps<double>({2, 60, 1, 1}, 3);
  check_adjoint(flatten{}(x), y, x, flatten{}.reverse(y, shapes_only<double>({shape_of(x)})));
}

TEST_CASE("flatten and reshape take any expression") {
  const auto x = random_maps<float>({2, 3, 4, 5}, 4);
  check_expressions(x, [](const auto& e) { return flatten{}(e); });
  check_expressions(x, [](const auto& e) { return reshape{{5, 4, 3}}(e); });
  check_expressions(x, [](const auto& e) { return ops::reshape(e, {1, 6, 4, 5}); });
  check_batches(x, [](const tensor4<float>& batch) { return flatten{}(batch); });
}

TEST_CASE("another number of elements is refused with both shapes") {
  const auto x = zeros<float>({2, 3, 4, 5});
  CHECK(names(message_of([&] { reshape{{5, 4, 4}}(x); }), "reshape", "2 x 3 x 4 x 5", "2 x 5 x 4 x 4"));
  CHECK(names(message_of([&] { ops::reshape(x, {1, 3, 4, 5}); }), "reshape", "2 x 3 x 4 x 5", "1 x 3 x 4 x 5"));
  CHECK(names(message_of([&] { flatten{}.reverse(x, shapes_only<float>({{1, 3, 4, 5}})); }), "2 x 3 x 4 x 5", "1 x 3 x 4 x 5"));
  CHECK_THROWS_AS(reshape(shape3{0, 4, 5})(x), shape_error);
}

TEST_CASE("absurd extents are refused and do not wrap around") {
  const std::size_t huge = std::size_t{1} << 32;
  CHECK_THROWS_AS(reshape(shape3{huge, huge, 1})(zeros<float>({1, 1, 1, 0})), shape_error);
  CHECK_THROWS_AS(reshape(shape3{huge, huge, 60}).output_shape({1, 3, 4, 5}), shape_error);
  CHECK_THROWS_AS(ops::reshape(zeros<float>({1, 3, 4, 5}), {huge, huge, 1, 60}), shape_error);
  CHECK_THROWS_AS(flatten{}.output_shape({1, huge, huge, 1}), shape_error);
}

}  // namespace
