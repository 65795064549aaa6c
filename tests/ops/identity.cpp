#include <deconvnet/ops/identity.hpp>

#include <concepts>
#include <limits>

#include <doctest/doctest.h>

#include "properties.hpp"

namespace {

using namespace deconvnet;
using namespace deconvnet::testing;

static_assert(std::same_as<decltype(identity()(tensor4<float>() + 1.0f)), tensor4<float>>);
static_assert(std::same_as<decltype(identity()(tensor<double, 2>())), tensor<double, 2>>);
static_assert(std::same_as<decltype(identity()(xt::xarray<float>())), tensor4<float>>);
static_assert(!std::invocable<const identity&, float>);

TEST_CASE_TEMPLATE("identity changes nothing, up and down, under every rule", T, float, double) {
  auto x = random_maps<T>({2, 3, 4, 5}, 1);
  x(0, 0, 0, 0) = std::numeric_limits<T>::quiet_NaN();
  CHECK(same_bits(identity{}(x), x));
  tensor4<T> y;
  identity{}.forward(x, y);
  CHECK(same_bits(y, x));
  identity{}.forward_in_place(y);
  CHECK(same_bits(y, x));
  for (const rule how : {rule::deconvnet, rule::gradient, rule::guided}) {
    CHECK(same_bits(identity{}.reverse(x, shapes_only<T>({shape_of(x)}, how)), x));
  }
  CHECK(identity{}.output_shape({2, 3, 4, 5}) == shape4{2, 3, 4, 5});
  CHECK(same_bits(identity{}(tensor<T, 1>{T(1), T(-2)}), tensor<T, 1>{T(1), T(-2)}));
  CHECK(shape_of(identity{}(zeros<T>({0, 3, 4, 5}))) == shape4{0, 3, 4, 5});
}

TEST_CASE("identity takes any expression") {
  check_expressions(random_maps<float>({2, 3, 4, 5}, 2), [](const auto& e) { return identity{}(e); });
}

}  // namespace
