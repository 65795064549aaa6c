#include <deconvnet/image/colormap.hpp>

#include <limits>

#include <doctest/doctest.h>

#include "expressions.hpp"

namespace dn = deconvnet;

TEST_CASE("grey runs from black to white, over the map's own range or a given one") {
  const dn::tensor<float, 2> map{{-1.f, 0.f, 3.f}};
  const auto own = dn::colorize(map, {.map = dn::color_map::grey});
  CHECK(own.shape() == dn::tensor<float, 3>::shape_type{3, 1, 3});
  for (std::size_t c = 0; c < 3; ++c) {
    CHECK(own(c, 0, 0) == 0.f);
    CHECK(own(c, 0, 1) == 63.75f);
    CHECK(own(c, 0, 2) == 255.f);
  }
  const auto given = dn::colorize(map, {.map = dn::color_map::grey, .low = 0, .high = 2});
  CHECK(given(0, 0, 0) == 0.f);
  CHECK(given(1, 0, 1) == 0.f);
  CHECK(given(2, 0, 2) == 255.f);
  CHECK(dn::colorize(map, {.map = dn::color_map::grey, .high = 7})(0, 0, 2) == 127.5f);
}

TEST_CASE("the perceptual map grows lighter at every step, from dark to light") {
  const auto luminance = [](double place) {
    const auto color = dn::color_at(dn::color_map::perceptual, place);
    for (const double value : color) {
      CHECK(value >= 0);
      CHECK(value <= 255);
    }
    return 0.2126 * std::pow(color[0] / 255, 2.2) + 0.7152 * std::pow(color[1] / 255, 2.2) +
           0.0722 * std::pow(color[2] / 255, 2.2);
  };
  CHECK(luminance(0) < 0.02);
  CHECK(luminance(1) > 0.8);
  for (int k = 0; k < 100; ++k) CHECK(luminance(k / 100.0) < luminance((k + 1) / 100.0));
  CHECK(dn::color_at(dn::color_map::perceptual, 2) == dn::color_at(dn::color_map::perceptual, 1));
}

TEST_CASE("a flat map gets the middle colour, huge ranges do not overflow") {
  const auto flat = dn::colorize(dn::tensor<double, 2>({2, 3}, 0.0), {.map = dn::color_map::grey});
  for (const double value : flat) CHECK(value == 127.5);
  constexpr double most = std::numeric_limits<double>::max();
  CHECK(dn::colorize(dn::tensor<double, 2>{{-most, 0.0, most}}, {.map = dn::color_map::grey})(0, 0, 1) == 127.5);
}

TEST_CASE("NaN, an empty range and maps of several channels are refused") {
  const dn::tensor<float, 2> map{{1.f, 2.f}};
  CHECK_THROWS_AS(dn::colorize(dn::tensor<float, 2>{{1.f, std::numeric_limits<float>::quiet_NaN()}}), dn::error);
  CHECK_THROWS_AS(dn::colorize(map, {.low = 2, .high = 2}), dn::error);
  CHECK_THROWS_AS(dn::colorize(map, {.low = 5}), dn::error);
  CHECK_THROWS_AS(dn::colorize(map, {.low = std::numeric_limits<double>::quiet_NaN()}), dn::error);
  CHECK_THROWS_AS(dn::colorize(dn::tensor<float, 3>({3, 2, 2}, 0.f)), dn::shape_error);
}
