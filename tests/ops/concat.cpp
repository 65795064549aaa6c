#include <deconvnet/ops/concat.hpp>

#include <concepts>
#include <cstddef>

#include <doctest/doctest.h>

#include "properties.hpp"

namespace {

using namespace deconvnet;
using namespace deconvnet::testing;

static_assert(std::same_as<decltype(concat()(tensor4<float>() + 1.0f, tensor4<float>())), tensor4<float>>);
static_assert(std::same_as<decltype(ops::concat(tensor4<double>())), tensor4<double>>);
static_assert(!std::invocable<const concat&, tensor<float, 3>, tensor<float, 3>> && !std::invocable<const concat&, float>);

TEST_CASE_TEMPLATE("concat puts the channels of its inputs one after the other, image by image", T, float, double) {
  const auto a = random_maps<T>({2, 3, 4, 5}, 1);
  const auto b = random_maps<T>({2, 1, 4, 5}, 2);
  const auto c = random_maps<T>({2, 4, 4, 5}, 3);
  const auto y = concat{}(a, b, c);
  CHECK(shape_of(y) == shape4{2, 8, 4, 5});
  bool right = true;
  for (std::size_t n = 0; n < 2; ++n)
    for (std::size_t k = 0; k < 8; ++k)
      for (std::size_t i = 0; i < 4; ++i)
        for (std::size_t j = 0; j < 5; ++j) {
          right = right && y(n, k, i, j) == (k < 3 ? a(n, k, i, j) : k < 4 ? b(n, k - 3, i, j) : c(n, k - 4, i, j));
        }
  CHECK(right);
  CHECK(same_bits(ops::concat(a, b, c), y));
  CHECK(same_bits(concat{}(a), a));
  CHECK(shape_of(concat{}(a, a)) == shape4{2, 6, 4, 5});
  const shape4 shapes[] = {shape_of(a), shape_of(b), shape_of(c)};
  CHECK(concat{}.output_shape(shapes) == shape_of(y));
}

TEST_CASE("on the way down each input takes its slice: the adjoint, under every rule") {
  const auto a = random_maps<double>({2, 3, 4, 5}, 4);
  const auto b = random_maps<double>({2, 2, 4, 5}, 5);
  const auto y = random_maps<double>({2, 5, 4, 5}, 6);
  for (const rule how : {rule::deconvnet, rule::gradient, rule::guided}) {
    const auto back = concat{}.reverse(y, shapes_only<double>({shape_of(a), shape_of(b)}, how));
    REQUIRE(back.size() == 2);
    CHECK(same_bits(concat{}(back[0], back[1]), y));
    CHECK(shape_of(back[0]) == shape_of(a));
    CHECK(inner_product(concat{}(a, b), y) == doctest::Approx(inner_product(a, back[0]) + inner_product(b, back[1])).epsilon(1e-12));
  }
}

TEST_CASE("concat takes any expressions") {
  const auto b = random_maps<float>({2, 3, 4, 5}, 7);
  check_expressions(random_maps<float>({2, 2, 4, 5}, 8), [&](const auto& e) { return concat{}(e, b); });
  check_expressions(b, [&](const auto& e) { return ops::concat(b, e); });
  check_batches(b, [](const tensor4<float>& batch) { return concat{}(batch, batch); });
}

TEST_CASE("inputs that differ in more than channels are refused with both shapes") {
  const auto a = zeros<float>({2, 3, 4, 5});
  for (const shape4& other : {shape4{1, 3, 4, 5}, shape4{2, 3, 3, 5}, shape4{2, 3, 4, 6}, shape4{0, 0, 0, 0}}) {
    CHECK(names(message_of([&] { concat{}(a, zeros<float>(other)); }), "concat", "2 x 3 x 4 x 5", shape_text(other)));
  }
  tensor4<float> y;
  CHECK_THROWS_AS(concat{}.forward<float>({}, y), shape_error);
  CHECK_THROWS_AS(concat{}.output_shape({}), shape_error);
}

TEST_CASE("a signal that is not what the inputs make is refused with both shapes") {
  const auto down = [](const shape4& signal) {
    return message_of([&] { concat{}.reverse(zeros<float>(signal), shapes_only<float>({{2, 3, 4, 5}, {2, 4, 4, 5}})); });
  };
  CHECK(down({2, 7, 4, 5}).empty());
  for (const shape4& bad : {shape4{2, 6, 4, 5}, shape4{2, 8, 4, 5}, shape4{1, 7, 4, 5}, shape4{2, 7, 5, 4}}) {
    CHECK(names(down(bad), "concat", shape_text(bad), "2 x 7 x 4 x 5"));
  }
}

TEST_CASE("channels that would wrap around are refused") {
  const shape4 huge[] = {{1, SIZE_MAX, 1, 1}, {1, 2, 1, 1}};
  CHECK_THROWS_AS(concat{}.output_shape(huge), shape_error);
}

TEST_CASE("inputs without channels or images add none") {
  CHECK(shape_of(concat{}(zeros<float>({2, 0, 4, 5}), zeros<float>({2, 3, 4, 5}))) == shape4{2, 3, 4, 5});
  CHECK(shape_of(concat{}(zeros<float>({0, 1, 4, 5}), zeros<float>({0, 3, 4, 5}))) == shape4{0, 4, 4, 5});
}

}  // namespace
