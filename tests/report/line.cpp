#include <deconvnet/report/line.hpp>

#include <vector>

#include <doctest/doctest.h>

namespace dn = deconvnet;

namespace {

dn::tensor<double, 3> paper(std::size_t channels, std::size_t height, std::size_t width) {
  return dn::tensor<double, 3>({channels, height, width}, 255.);
}

double ink(const dn::tensor<double, 3>& picture) {
  double sum = 0;
  for (const double value : picture) sum += (255 - value) / 255;
  return sum;
}

using points = std::vector<dn::picture_point>;

}  // namespace

TEST_CASE("a level line covers its pixels and no others") {
  auto picture = paper(1, 5, 9);
  dn::draw_polyline<double>(picture, points{{2, 1}, {2, 7}}, {.thickness = 1}, {0, 0, 5, 9});
  for (std::size_t x = 0; x < 9; ++x) {
    CHECK(picture(0, 2, x) == doctest::Approx(x >= 1 && x <= 7 ? 0 : 255));
    CHECK(picture(0, 1, x) == 255);
    CHECK(picture(0, 3, x) == 255);
  }
}

TEST_CASE("a slanted line has as much ink as its length and thickness") {
  auto picture = paper(1, 100, 100);
  dn::draw_polyline<double>(picture, points{{20, 15}, {80, 70}}, {.thickness = 3}, {0, 0, 100, 100});
  CHECK(ink(picture) == doctest::Approx(3 * std::hypot(60, 55)).epsilon(0.05));
}

TEST_CASE("a line that crosses itself is painted once, a broken one leaves gaps") {
  auto once = paper(1, 30, 60);
  auto twice = once;
  auto dashed = once;
  dn::draw_polyline<double>(once, points{{7.3, 5}, {22.6, 50}}, {}, {0, 0, 30, 60});
  dn::draw_polyline<double>(twice, points{{7.3, 5}, {22.6, 50}, {7.3, 5}}, {}, {0, 0, 30, 60});
  dn::draw_polyline<double>(dashed, points{{7.3, 5}, {22.6, 50}}, {.dash = 10}, {0, 0, 30, 60});
  CHECK(ink(twice) == doctest::Approx(ink(once)));
  CHECK(ink(dashed) == doctest::Approx(0.6 * ink(once)).epsilon(0.1));
}

TEST_CASE("colours are those asked for, and nothing is painted outside the clip") {
  auto picture = paper(3, 10, 10);
  dn::draw_polyline<double>(picture, points{{5, -1e300}, {5, 1e300}}, {.paint = {10, 20, 30}, .thickness = 1},
                            {0, 3, 10, 4});
  CHECK(picture(0, 5, 3) == doctest::Approx(10));
  CHECK(picture(1, 5, 6) == doctest::Approx(20));
  CHECK(picture(2, 5, 6) == doctest::Approx(30));
  CHECK(picture(0, 5, 2) == 255);
  CHECK(picture(0, 5, 7) == 255);
  auto clean = paper(3, 10, 10);
  dn::draw_polyline<double>(clean, points{{5, 5}, {6, 6}}, {}, {-20, -20, 10, 10});
  dn::draw_polyline<double>(clean, points{{5, 5}}, {}, {0, 0, 10, 10});
  dn::draw_polyline<double>(clean, points{}, {}, {0, 0, 10, 10});
  CHECK(clean == paper(3, 10, 10));
}

TEST_CASE("dots are round") {
  auto picture = paper(1, 21, 21);
  dn::draw_dots<double>(picture, points{{10, 10}}, 5, {0, 0, 0}, {0, 0, 21, 21});
  CHECK(ink(picture) == doctest::Approx(3.14159 * 25).epsilon(0.03));
  CHECK(picture(0, 10, 5) < 255);
  CHECK(picture(0, 6, 6) > 128);
}

TEST_CASE("pictures of two channels are refused") {
  auto picture = paper(2, 4, 4);
  CHECK_THROWS_AS(dn::draw_polyline<double>(picture, points{}, {}, {0, 0, 4, 4}), dn::shape_error);
  CHECK_THROWS_AS(dn::draw_dots<double>(picture, points{}, 1, {0, 0, 0}, {0, 0, 4, 4}), dn::shape_error);
}
