#include <deconvnet/image/overlay.hpp>

#include <limits>

#include <doctest/doctest.h>

#include "expressions.hpp"

namespace dn = deconvnet;

TEST_CASE("opacity blends the picture with the map's colours") {
  const dn::tensor<float, 3> picture({3, 4, 6}, 100.f);
  const dn::tensor<double, 2> map{{0.0, 1.0}};
  const auto none = dn::overlay(picture, map, {.opacity = 0});
  CHECK(none == picture);
  const dn::overlay_options half{.opacity = 0.5, .colors = {.map = dn::color_map::grey}};
  const auto blended = dn::overlay(picture, map, half);
  CHECK(blended(0, 0, 0) == doctest::Approx(50));
  CHECK(blended(2, 3, 5) == doctest::Approx(177.5));
  const auto full = dn::overlay(picture, map, {.opacity = 1});
  const auto colors = dn::resize(dn::colorize(map), 4, 6);
  for (std::size_t k = 0; k < full.size(); ++k) CHECK(full.data()[k] == doctest::Approx(colors.data()[k]));
}

TEST_CASE("rows of the map fall on rows of the picture") {
  const dn::tensor<float, 3> picture({3, 8, 4}, 0.f);
  const dn::tensor<float, 2> map{{0.f, 0.f}, {1.f, 1.f}};
  const auto result = dn::overlay(picture, map, {.opacity = 1, .colors = {.map = dn::color_map::grey}});
  CHECK(result(0, 0, 0) == 0.f);
  CHECK(result(0, 0, 3) == 0.f);
  CHECK(result(0, 7, 0) == 255.f);
}

TEST_CASE("a grey picture becomes colour, other channels and opacities are refused") {
  const dn::tensor<float, 2> map{{0.f, 1.f}};
  const auto result = dn::overlay(dn::tensor<float, 2>({3, 3}, 40.f), map, {.opacity = 0});
  CHECK(result == dn::tensor<float, 3>({3, 3, 3}, 40.f));
  CHECK_THROWS_AS(dn::overlay(dn::tensor<float, 3>({2, 3, 3}, 0.f), map), dn::shape_error);
  for (const double opacity : {-0.1, 1.1, std::numeric_limits<double>::quiet_NaN()}) {
    CHECK_THROWS_AS(dn::overlay(dn::tensor<float, 3>({3, 3, 3}, 0.f), map, {.opacity = opacity}), dn::error);
  }
}
