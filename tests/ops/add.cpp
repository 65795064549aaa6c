#include <deconvnet/ops/add.hpp>

#include <cmath>
#include <concepts>
#include <limits>

#include <doctest/doctest.h>

#include "properties.hpp"

namespace {

using namespace deconvnet;
using namespace deconvnet::testing;

static_assert(std::same_as<decltype(add()(tensor4<float>() + 1.0f, tensor4<float>())), tensor4<float>>);
static_assert(std::same_as<decltype(ops::add(tensor4<double>())), tensor4<double>>);
static_assert(!std::invocable<const add&, tensor<float, 3>, tensor<float, 3>> && !std::invocable<const add&, float>);

const shape4 shape{2, 3, 5, 7};

TEST_CASE_TEMPLATE("add sums any number of inputs, in their order", T, float, double) {
  const auto a = random_maps<T>(shape, 1);
  const auto b = random_maps<T>(shape, 2);
  const auto c = random_maps<T>(shape, 3);
  CHECK(same_bits(add{}(a), a));
  CHECK(same_bits(add{}(a, b), tensor4<T>(a + b)));
  CHECK(same_bits(add{}(a, b, c), tensor4<T>((a + b) + c)));
  CHECK(same_bits(add{}(a, a), tensor4<T>(a * T(2))));
  CHECK(same_bits(ops::add(a, b, c), add{}(a, b, c)));
  tensor4<T> y;
  const tensor4<T>* const inputs[] = {&a, &b, &c};
  add{}.forward<T>(inputs, y);
  CHECK(same_bits(y, add{}(a, b, c)));
  const shape4 shapes[] = {shape, shape};
  CHECK(add{}.output_shape(shapes) == shape);
}

TEST_CASE("on the way down each input takes a copy: the adjoint, and the derivative") {
  const auto a = random_maps<double>(shape, 4);
  const auto b = random_maps<double>(shape, 5);
  const auto y = random_maps<double>(shape, 6);
  for (const rule how : {rule::deconvnet, rule::gradient, rule::guided}) {
    const auto back = add{}.reverse(y, shapes_only<double>({shape, shape}, how));
    REQUIRE(back.size() == 2);
    CHECK(same_bits(back[0], y));
    CHECK(same_bits(back[1], y));
    CHECK(inner_product(add{}(a, b), y) == doctest::Approx(inner_product(a, back[0]) + inner_product(b, back[1])).epsilon(1e-12));
  }
}

TEST_CASE("add takes any expressions") {
  const auto b = random_maps<float>(shape, 7);
  check_expressions(random_maps<float>(shape, 8), [&](const auto& e) { return add{}(e, b); });
  check_expressions(b, [&](const auto& e) { return ops::add(b, e); });
  check_batches(b, [](const tensor4<float>& batch) { return add{}(batch, batch); });
}

TEST_CASE("a NaN stays where it is, from whichever input") {
  const auto a = random_maps<float>(shape, 9);
  auto b = a;
  b(1, 2, 3, 4) = std::numeric_limits<float>::quiet_NaN();
  for (const auto& y : {add{}(a, b), add{}(b, a)}) {
    CHECK(std::isnan(y(1, 2, 3, 4)));
    CHECK_FALSE(std::isnan(y(1, 2, 3, 3)));
  }
}

TEST_CASE("inputs that differ are refused with both shapes; nothing is broadcast") {
  const auto a = zeros<float>({2, 3, 4, 5});
  for (const shape4& other : {shape4{1, 3, 4, 5}, shape4{2, 1, 4, 5}, shape4{2, 3, 1, 1}, shape4{2, 3, 5, 4}, shape4{0, 0, 0, 0}}) {
    CHECK(names(message_of([&] { add{}(a, zeros<float>(other)); }), "add", "2 x 3 x 4 x 5", shape_text(other)));
  }
  tensor4<float> y;
  CHECK_THROWS_AS(add{}.forward<float>({}, y), shape_error);
  CHECK_THROWS_AS(add{}.output_shape({}), shape_error);
  CHECK(names(message_of([&] { add{}.reverse(a, shapes_only<float>({{2, 3, 4, 6}, {2, 3, 4, 6}})); }), "add", "2 x 3 x 4 x 5", "2 x 3 x 4 x 6"));
}

TEST_CASE("tensors of no elements add up to none") {
  for (const shape4& empty : {shape4{0, 3, 2, 2}, shape4{2, 0, 2, 2}, shape4{0, 0, 0, 0}}) {
    CHECK(shape_of(add{}(zeros<float>(empty), zeros<float>(empty))) == empty);
  }
}

}  // namespace
