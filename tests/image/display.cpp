#include <deconvnet/image/display.hpp>

#include <limits>
#include <string>

#include <doctest/doctest.h>

#include "expressions.hpp"

namespace dn = deconvnet;

TEST_CASE("zero is mid-grey, the largest magnitude black or white") {
  const dn::tensor<float, 3> pixels{{{0.f, 2.f}, {-4.f, 1.f}}};
  const auto shown = dn::to_display(pixels);
  static_assert(std::same_as<decltype(shown), const dn::tensor<float, 3>>);
  CHECK(shown == dn::tensor<float, 3>{{{127.5f, 191.25f}, {0.f, 159.375f}}});
  CHECK(dn::to_display(-1.0 * xt::cast<double>(pixels))(0, 1, 0) == 255.0);
}

TEST_CASE("the maximum is each picture's own, or the batch's") {
  auto pixels = dn::tensor4<float>({2, 2, 1, 1}, 0.f);
  pixels(0, 0, 0, 0) = 1;
  pixels(0, 1, 0, 0) = -0.5f;  // the channels of a picture share their scale
  pixels(1, 0, 0, 0) = 4;
  const auto own = dn::to_display(pixels);
  CHECK(own(0, 0, 0, 0) == 255.f);
  CHECK(own(0, 1, 0, 0) == 63.75f);
  CHECK(own(1, 0, 0, 0) == 255.f);
  const auto common = dn::to_display(pixels, {.scope = dn::display_scope::batch});
  CHECK(common(0, 0, 0, 0) == 159.375f);
  CHECK(common(1, 0, 0, 0) == 255.f);
}

TEST_CASE("an all-zero picture is flat grey, beside others as well") {
  for (const float value : dn::to_display(dn::zeros<float>({1, 3, 4, 5}))) CHECK(value == 127.5f);
  auto pixels = dn::zeros<double>({2, 1, 1, 2});
  pixels(1, 0, 0, 0) = 3;
  const auto shown = dn::to_display(pixels);
  CHECK(shown(0, 0, 0, 0) == 127.5);
  CHECK(shown(1, 0, 0, 0) == 255.0);
  CHECK(dn::to_display(dn::zeros<float>({0, 3, 4, 5})).size() == 0);
}

TEST_CASE("magnitudes near the ends of the scalar's range neither vanish nor overflow") {
  const dn::tensor<float, 3> tiny{{{std::numeric_limits<float>::denorm_min(), 0.f}}};
  CHECK(dn::to_display(tiny)(0, 0, 0) == 255.f);
  const dn::tensor<double, 3> huge{{{std::numeric_limits<double>::max(), -std::numeric_limits<double>::max() / 2}}};
  CHECK(dn::to_display(huge)(0, 0, 0) == 255.0);
  CHECK(dn::to_display(huge)(0, 0, 1) == doctest::Approx(63.75));
}

TEST_CASE("a percentile clips the largest values and does not count zeros") {
  auto pixels = dn::tensor<float, 3>({1, 1, 100}, 0.f);
  for (std::size_t k = 0; k < 10; ++k) pixels(0, 0, k) = static_cast<float>(k + 1) * (k % 2 ? 1.f : -1.f);
  const auto shown = dn::to_display(pixels, {.percentile = 80});
  CHECK(shown(0, 0, 7) == 255.f);  // 8 of 10
  CHECK(shown(0, 0, 8) == 0.f);    // -9, clipped
  CHECK(shown(0, 0, 3) == 191.25f);
  CHECK(shown(0, 0, 50) == 127.5f);
  CHECK(dn::to_display(dn::zeros<float>({1, 1, 2, 2}), {.percentile = 50})(0, 0, 0, 0) == 127.5f);
  CHECK(dn::to_display(pixels, {.percentile = 1e-9})(0, 0, 1) == 255.f);
}

TEST_CASE("NaN, infinity and a percentile out of range are refused") {
  auto pixels = dn::tensor<float, 3>({1, 2, 2}, 0.f);
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    pixels(0, 1, 0) = bad;
    std::string message;
    try {
      (void)dn::to_display(pixels);
    } catch (const dn::error& problem) {
      message = problem.what();
    }
    CHECK(message.find("index 2") != std::string::npos);
  }
  for (const double percentile : {0.0, -1.0, 100.5, std::numeric_limits<double>::quiet_NaN()}) {
    CHECK_THROWS_AS(dn::to_display(dn::zeros<float>({1, 1, 2, 2}), {.percentile = percentile}), dn::error);
  }
}
