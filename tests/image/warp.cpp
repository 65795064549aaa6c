#include <deconvnet/image/warp.hpp>

#include <limits>

#include <doctest/doctest.h>

#include "expressions.hpp"

namespace dn = deconvnet;

namespace {

const dn::tensor<float, 3> small{{{1, 2, 3}, {4, 5, 6}, {7, 8, 9}}};
const dn::warp_options filled{.border = dn::warp_border::fill, .fill = {0.0}};

void check_near(const dn::tensor<float, 3>& result, const dn::tensor<float, 3>& expected) {
  REQUIRE(result.shape() == expected.shape());
  for (std::size_t k = 0; k < result.size(); ++k) {
    CAPTURE(k);
    CHECK(result.data()[k] == doctest::Approx(expected.data()[k]).epsilon(1e-6));
  }
}

}  // namespace

TEST_CASE("no motion leaves a picture as it is") {
  CHECK(dn::warp(small, {}) == small);
  CHECK(dn::warp(small, {}, filled) == small);
}

TEST_CASE("whole-pixel moves are exact, the border repeated or filled") {
  CHECK(dn::warp(small, {.down = 1}, filled) == dn::tensor<float, 3>{{{0, 0, 0}, {1, 2, 3}, {4, 5, 6}}});
  CHECK(dn::warp(small, {.right = -1}, filled) == dn::tensor<float, 3>{{{2, 3, 0}, {5, 6, 0}, {8, 9, 0}}});
  CHECK(dn::warp(small, {.down = 1}) == dn::tensor<float, 3>{{{1, 2, 3}, {1, 2, 3}, {4, 5, 6}}});
  CHECK(dn::warp(small, {.down = -1, .right = 2}) == dn::tensor<float, 3>{{{4, 4, 4}, {7, 7, 7}, {7, 7, 7}}});
  CHECK(dn::warp(small, {.down = 1e6})(0, 2, 1) == 2.f);
  CHECK(dn::warp(small, {.down = 1e6}, filled)(0, 2, 1) == 0.f);
}

TEST_CASE("half a pixel is the mean of two") {
  CHECK(dn::warp(small, {.right = 0.5}) == dn::tensor<float, 3>{{{1, 1.5, 2.5}, {4, 4.5, 5.5}, {7, 7.5, 8.5}}});
  CHECK(dn::warp(small, {.right = 0.5}, filled)(0, 0, 0) == 0.5f);
}

TEST_CASE("a quarter turn goes counter-clockwise, also about the centre of a picture that is not square") {
  check_near(dn::warp(small, {.degrees = 90}), {{{3, 6, 9}, {2, 5, 8}, {1, 4, 7}}});
  check_near(dn::warp(small, {.degrees = 180}), {{{9, 8, 7}, {6, 5, 4}, {3, 2, 1}}});
  check_near(dn::warp(small, {.degrees = -270}), {{{3, 6, 9}, {2, 5, 8}, {1, 4, 7}}});
  const dn::tensor<float, 3> wide{{{1, 2, 3, 4, 5}, {6, 7, 8, 9, 10}, {11, 12, 13, 14, 15}}};
  check_near(dn::warp(wide, {.degrees = 90}), {{{4, 4, 9, 14, 14}, {3, 3, 8, 13, 13}, {2, 2, 7, 12, 12}}});
}

TEST_CASE("scaling is about the centre") {
  const dn::tensor<float, 3> ramp{{{0, 2, 4, 6, 8}}};
  CHECK(dn::warp(ramp, {.scale = 2}) == dn::tensor<float, 3>{{{2, 3, 4, 5, 6}}});
  CHECK(dn::warp(ramp, {.scale = 0.5}, {.border = dn::warp_border::fill, .fill = {-1}}) ==
        dn::tensor<float, 3>{{{-1, 0, 4, 8, -1}}});
  CHECK(dn::warp(ramp, {.right = 1, .scale = 2}) == dn::tensor<float, 3>{{{1, 2, 3, 4, 5}}});  // scaled, then moved
}

TEST_CASE("a batch moves image by image, each channel with its fill") {
  auto batch = dn::tensor4<double>({2, 2, 1, 2}, 1.0);
  batch(1, 1, 0, 0) = 8;
  const auto moved = dn::warp(batch, {.right = 1}, {.border = dn::warp_border::fill, .fill = {-1, -2}});
  static_assert(std::same_as<decltype(moved), const dn::tensor4<double>>);
  CHECK(moved(0, 0, 0, 0) == -1.0);
  CHECK(moved(1, 1, 0, 0) == -2.0);
  CHECK(moved(1, 1, 0, 1) == 8.0);
}

TEST_CASE("motions that make no sense are refused") {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(dn::warp(small, {.down = nan}), dn::error);
  CHECK_THROWS_AS(dn::warp(small, {.right = std::numeric_limits<double>::infinity()}), dn::error);
  CHECK_THROWS_AS(dn::warp(small, {.degrees = nan}), dn::error);
  CHECK_THROWS_AS(dn::warp(small, {.scale = 0}), dn::error);
  CHECK_THROWS_AS(dn::warp(small, {.scale = -1}), dn::error);
  CHECK_THROWS_AS(dn::warp(small, {}, {.fill = {1, 2}}), dn::shape_error);
}
