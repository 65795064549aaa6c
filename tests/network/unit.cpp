#include <deconvnet/network/unit.hpp>

#include <limits>

#include <doctest/doctest.h>

#include "../tensor/expressions.hpp"
#include "../tensor/values.hpp"

namespace dn = deconvnet;
using namespace deconvnet::testing;

namespace {

/// 2 x 3 x 2 x 2, all -1 but for one peak in each image.
dn::tensor4<float> two_peaks() {
  auto x = dn::tensor4<float>({2, 3, 2, 2}, -1.f);
  x(0, 1, 1, 0) = 5;
  x(0, 2, 0, 1) = 3;
  x(1, 2, 1, 1) = 7;
  return x;
}

}  // namespace

TEST_CASE("the strongest unit of a batch, an image, a channel, a channel of an image") {
  const auto x = two_peaks();
  CHECK(dn::strongest(x) == dn::unit{1, 2, 1, 1});
  CHECK(dn::strongest(x, {.image = 0}) == dn::unit{0, 1, 1, 0});
  CHECK(dn::strongest(x, {.image = 0, .channel = 2}) == dn::unit{0, 2, 0, 1});
  CHECK(dn::strongest(x, {.channel = 1}) == dn::unit{0, 1, 1, 0});
  CHECK(dn::strongest(x, {.channel = 2}) == dn::unit{1, 2, 1, 1});
}

TEST_CASE("ties go to the first in row-major order of image, channel, row, column") {
  CHECK(dn::strongest(dn::zeros<float>({2, 3, 2, 2})) == dn::unit{0, 0, 0, 0});
  CHECK(dn::strongest(dn::zeros<float>({2, 3, 2, 2}), {.image = 1}) == dn::unit{1, 0, 0, 0});
  CHECK(dn::strongest(dn::zeros<float>({2, 3, 2, 2}), {.channel = 1}) == dn::unit{0, 1, 0, 0});
  auto x = two_peaks();
  x(0, 2, 1, 1) = 7;
  CHECK(dn::strongest(x) == dn::unit{0, 2, 1, 1});
}

TEST_CASE("where every activation is negative, or minus infinity, the largest still wins") {
  auto x = dn::tensor4<double>({1, 2, 1, 3}, -4.0);
  x(0, 1, 0, 2) = -3;
  CHECK(dn::strongest(x) == dn::unit{0, 1, 0, 2});
  x.fill(-std::numeric_limits<double>::infinity());
  CHECK(dn::strongest(x) == dn::unit{});
}

TEST_CASE("maps that are not square: rows and columns keep their order") {
  auto x = dn::zeros<float>({2, 3, 4, 7});
  x(1, 2, 3, 5) = 1;
  CHECK(dn::strongest(x) == dn::unit{1, 2, 3, 5});
}

TEST_CASE("a NaN among the activations looked at is refused with its place") {
  auto x = two_peaks();
  x(1, 0, 0, 1) = std::numeric_limits<float>::quiet_NaN();
  CHECK(names(message_of<dn::error>([&] { dn::strongest(x); }), "13", "2 x 3 x 2 x 2", "NaN"));
  CHECK(dn::strongest(x, {.image = 0}) == dn::unit{0, 1, 1, 0});
  x(0, 0, 0, 0) = x(1, 0, 0, 1);
  CHECK_THROWS_AS(dn::strongest(x, {.image = 0}), dn::error);
  CHECK(dn::strongest(x, {.channel = 2}) == dn::unit{1, 2, 1, 1});
}

TEST_CASE("an image or channel out of range, and an empty layer, are refused") {
  const auto x = two_peaks();
  CHECK(names(message_of<dn::error>([&] { dn::strongest(x, {.image = 2}); }), "image 2", "2 x 3 x 2 x 2"));
  CHECK(names(message_of<dn::error>([&] { dn::strongest(x, {.channel = 3}); }), "channel 3", "2 x 3 x 2 x 2"));
  CHECK_THROWS_AS(dn::strongest(dn::tensor4<float>::from_shape({0, 3, 2, 2})), dn::error);
  CHECK_THROWS_AS(dn::strongest(dn::tensor4<float>::from_shape({1, 3, 0, 2}), {.image = 0}), dn::error);
}

TEST_CASE("any expression of rank 4 will do") {
  const auto x = two_peaks();
  CHECK(dn::strongest(-1 * x) == dn::unit{0, 0, 0, 0});
  CHECK(dn::strongest(xt::view(x, xt::range(0, 1), xt::all(), xt::all(), xt::all())) == dn::unit{0, 1, 1, 0});
  CHECK(dn::strongest(xt::xarray<float>(x)) == dn::unit{1, 2, 1, 1});
  CHECK_THROWS_AS(dn::strongest(xt::xarray<float>::from_shape({2, 3})), dn::shape_error);
}

TEST_CASE("each coordinate of a unit is checked by name") {
  const dn::shape4 shape{1, 2, 3, 4};
  CHECK_NOTHROW(dn::detail::check_unit({0, 1, 2, 3}, shape));
  CHECK(names(message_of<dn::error>([&] { dn::detail::check_unit({1, 0, 0, 0}, shape); }), "image 1", "1 x 2 x 3 x 4"));
  CHECK(names(message_of<dn::error>([&] { dn::detail::check_unit({0, 2, 0, 0}, shape); }), "channel 2"));
  CHECK(names(message_of<dn::error>([&] { dn::detail::check_unit({0, 0, 3, 0}, shape); }), "row 3"));
  CHECK(names(message_of<dn::error>([&] { dn::detail::check_unit({0, 0, 0, 4}, shape); }), "column 4"));
}
