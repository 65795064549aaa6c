#include <deconvnet/ops/dropout.hpp>

#include <cmath>
#include <concepts>
#include <limits>

#include <doctest/doctest.h>

#include "properties.hpp"

namespace {

using namespace deconvnet;
using namespace deconvnet::testing;

static_assert(dropout::kind == "dropout" && identity::kind == "identity");
static_assert(std::same_as<decltype(dropout()(tensor4<float>() + 1.0f)), tensor4<float>>);
static_assert(!std::convertible_to<double, dropout>);

TEST_CASE_TEMPLATE("dropout is identity in inference, up and down, under every rule", T, float, double) {
  const auto x = random_maps<T>({2, 3, 4, 5}, 1);
  const dropout layer{0.9};
  CHECK(same_bits(layer(x), x));
  tensor4<T> y;
  layer.forward(x, y);
  CHECK(same_bits(y, x));
  for (const rule how : {rule::deconvnet, rule::gradient, rule::guided}) {
    CHECK(same_bits(layer.reverse(x, shapes_only<T>({shape_of(x)}, how)), x));
  }
  CHECK(layer.output_shape({1, 2, 3, 4}) == shape4{1, 2, 3, 4});
}

TEST_CASE("the probability is kept, and one outside [0, 1) refused") {
  CHECK(dropout{}.probability() == 0.5);
  CHECK(dropout{0.25}.probability() == 0.25);
  CHECK(dropout{0.0}.probability() == 0);
  for (const double bad : {-0.1, 1.0, 1.5, std::numeric_limits<double>::infinity(), std::nan("")}) {
    CHECK(names(message_of<error>([&] { dropout{bad}; }), "dropout", "[0, 1)"));
  }
}

TEST_CASE("dropout takes any expression") {
  check_expressions(random_maps<float>({2, 3, 4, 5}, 2), [](const auto& e) { return dropout{}(e); });
}

}  // namespace
