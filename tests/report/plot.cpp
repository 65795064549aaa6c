#include <deconvnet/report/plot.hpp>

#include <limits>

#include <doctest/doctest.h>

namespace dn = deconvnet;

namespace {

using curves = std::vector<dn::plot_curve>;

/// How many pixels have nearly that colour.
std::size_t pixels_of(const dn::tensor<float, 3>& picture, const dn::color& paint) {
  std::size_t count = 0;
  for (std::size_t y = 0; y < picture.shape(1); ++y) {
    for (std::size_t x = 0; x < picture.shape(2); ++x) {
      bool same = true;
      for (std::size_t c = 0; c < 3; ++c) same = same && std::abs(static_cast<double>(picture(c, y, x)) - paint[c]) < 2;
      count += same;
    }
  }
  return count;
}

}  // namespace

TEST_CASE("points stand where their values say, in the curve's colour") {
  const curves line = {{"", {0, 10, 20}, {0, 3, 4}}};
  const dn::plot_options options{.x_label = "x [m]", .y_label = "y", .y_range = dn::axis_range{0, 5}};
  const auto picture = dn::plot(line, options);
  CHECK(picture.shape(0) == 3);
  CHECK(picture.shape(1) == 480);
  CHECK(picture.shape(2) == 800);
  const dn::detail::plot_layout at(line, options);
  const auto blue = dn::detail::curve_style(0).paint;
  for (std::size_t k = 0; k < 3; ++k) {
    const auto y = static_cast<std::size_t>(std::lround(at.row(line[0].y[k])));
    const auto x = static_cast<std::size_t>(std::lround(at.column(line[0].x[k])));
    for (std::size_t c = 0; c < 3; ++c) CHECK(picture(c, y, x) == doctest::Approx(blue[c]));
  }
  CHECK(at.row(0) == doctest::Approx(at.bottom()));
  CHECK(at.row(5) == doctest::Approx(at.top()));
  CHECK(at.column(20) == doctest::Approx(at.right()));
  CHECK(at.row(1) > at.row(2));
}

TEST_CASE("several curves have colours of their own, and a legend where they have names") {
  curves lines;
  for (int k = 0; k < 9; ++k) lines.push_back({"", {0, 1, 2}, {0.1 * k, 0.2 * k, 0.1 * k}});
  const auto plain = dn::plot(lines);
  const dn::detail::plot_layout wide(lines, {});
  for (auto& line : lines) line.name = "curve";
  const auto named = dn::plot(lines);
  const dn::detail::plot_layout narrow(lines, {});
  CHECK(narrow.frame().width < wide.frame().width);
  for (std::size_t k = 0; k < 7; ++k) {
    CHECK(pixels_of(plain, dn::detail::curve_style(k).paint) > 50);
    CHECK(pixels_of(named, dn::detail::curve_style(k).paint) > 50);
  }
  CHECK(dn::detail::curve_style(0).dash == 0);
  CHECK(dn::detail::curve_style(7).dash > 0);
  CHECK(dn::detail::curve_style(7).paint == dn::detail::curve_style(0).paint);
}

TEST_CASE("nothing, one point and level curves are drawn") {
  CHECK_NOTHROW(dn::plot(curves{}));
  CHECK_NOTHROW(dn::plot(curves{{"empty", {}, {}}}));
  const auto blue = dn::detail::curve_style(0).paint;
  CHECK(pixels_of(dn::plot(curves{{"", {3}, {0}}}), blue) > 20);
  const curves level = {{"", {0, 1}, {7, 7}}};
  const dn::detail::plot_layout at(level, {});
  CHECK(at.row(7) == doctest::Approx((at.top() + at.bottom()) / 2).epsilon(0.01));
}

TEST_CASE("what lies outside the range asked for stays outside the frame") {
  const curves high = {{"", {0, 1}, {50, 60}}};
  CHECK(pixels_of(dn::plot(high, {.y_range = dn::axis_range{0, 1}}), dn::detail::curve_style(0).paint) == 0);
}

TEST_CASE("any numbers a double holds, in any small picture, are drawn or refused") {
  for (const double size : {1e-320, 1e-200, 1e-5, 1.0, 1e9, 1e300}) {
    const curves line = {{"a", {-size, 0, size}, {size, -size, size}}};
    for (const std::size_t height : {1u, 20u, 90u, 300u}) {
      for (const std::size_t width : {1u, 60u, 200u, 500u}) {
        try {
          const auto picture = dn::plot(line, {.title = "t", .height = height, .width = width, .text_scale = 1});
          CHECK(picture.shape(1) == height);
        } catch (const dn::error& problem) {
          CHECK(std::string(problem.what()).find("plot:") == 0);
        }
      }
    }
  }
}

TEST_CASE("broken curves and absurd pictures are refused") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(dn::plot(curves{{"a", {1, 2}, {1}}}), dn::error);
  CHECK_THROWS_WITH_AS(dn::plot(curves{{"a", {1, 2}, {1, nan}}}), doctest::Contains("point 1 of curve 'a'"), dn::error);
  CHECK_THROWS_AS(dn::plot(curves{{"a", {1, 2}, {-1.7e308, 1.7e308}}}), dn::error);
  CHECK_THROWS_AS((dn::plot(curves{}, {.y_range = dn::axis_range{1, 1}})), dn::error);
  CHECK_THROWS_AS((dn::plot(curves{}, {.y_range = dn::axis_range{0, nan}})), dn::error);
  CHECK_THROWS_AS(dn::plot(curves{}, {.height = 0}), dn::error);
  CHECK_THROWS_AS(dn::plot(curves{}, {.width = std::size_t(-1)}), dn::error);
  CHECK_THROWS_AS(dn::plot(curves{}, {.text_scale = 0}), dn::error);
  CHECK_THROWS_AS(dn::plot(curves(40, {"too many for the legend", {0}, {0}})), dn::error);
}
