#include <deconvnet/image/crop.hpp>

#include <limits>

#include <doctest/doctest.h>

#include "expressions.hpp"

namespace dn = deconvnet;

namespace {

dn::tensor<float, 3> numbered(std::size_t channels, std::size_t height, std::size_t width) {
  auto picture = dn::tensor<float, 3>::from_shape({channels, height, width});
  for (std::size_t k = 0; k < picture.size(); ++k) picture.data()[k] = static_cast<float>(k + 1);
  return picture;
}

}  // namespace

TEST_CASE("every box in and around a picture takes its pixels, and the fill outside") {
  const auto picture = numbered(2, 3, 4);
  for (std::ptrdiff_t y = -4; y <= 4; ++y) {
    for (std::ptrdiff_t x = -4; x <= 5; ++x) {
      for (std::size_t height = 0; height <= 5; ++height) {
        const std::size_t width = 5 - height;
        const auto result = dn::crop(picture, {y, x, height, width}, std::vector<double>{-1, -2});
        REQUIRE(result.shape() == dn::tensor<float, 3>::shape_type{2, height, width});
        for (std::size_t c = 0; c < 2; ++c) {
          for (std::size_t i = 0; i < height; ++i) {
            for (std::size_t j = 0; j < width; ++j) {
              const auto row = y + static_cast<std::ptrdiff_t>(i);
              const auto column = x + static_cast<std::ptrdiff_t>(j);
              const bool inside = row >= 0 && row < 3 && column >= 0 && column < 4;
              const float outside = c == 0 ? -1.f : -2.f;
              REQUIRE(result(c, i, j) ==
                      (inside ? picture(c, static_cast<std::size_t>(row), static_cast<std::size_t>(column)) : outside));
            }
          }
        }
      }
    }
  }
}

TEST_CASE("the fill is zero unless given, and pictures come in every rank") {
  const auto picture = numbered(1, 2, 2);
  CHECK(dn::crop(picture, {-1, 0, 2, 2}) == dn::tensor<float, 3>{{{0, 0}, {1, 2}}});
  CHECK(dn::crop(xt::view(picture, 0), {1, 1, 1, 2}, 9) == dn::tensor<float, 3>{{{4, 9}}});
  CHECK(dn::crop(xt::view(picture, xt::newaxis()), {0, 0, 1, 1}) == dn::tensor<float, 3>{{{1}}});
}

TEST_CASE("an image of a batch is cropped by its number") {
  auto batch = dn::tensor4<double>({3, 2, 2, 2}, 0.0);
  for (std::size_t k = 0; k < batch.size(); ++k) batch.data()[k] = static_cast<double>(k);
  CHECK(dn::crop(batch, 2, {0, 1, 1, 1}) == dn::tensor<double, 3>{{{17}}, {{21}}});
  CHECK_THROWS_AS(dn::crop(batch, 3, {0, 0, 1, 1}), dn::error);
}

TEST_CASE("boxes far away are all fill, boxes beyond all bounds are refused") {
  const auto picture = numbered(3, 2, 2);
  constexpr auto least = std::numeric_limits<std::ptrdiff_t>::min();
  constexpr auto most = std::numeric_limits<std::ptrdiff_t>::max();
  for (const float value : dn::crop(picture, {least, most, 2, 2}, 5)) CHECK(value == 5.f);
  for (const float value : dn::crop(picture, {most, least, 2, 2}, 5)) CHECK(value == 5.f);
  CHECK_THROWS_AS(dn::crop(picture, {0, 0, std::size_t{1} << 20, std::size_t{1} << 20}), dn::shape_error);
  CHECK_THROWS_AS(dn::crop(picture, {0, 0, 2, 2}, std::vector<double>{1, 2}), dn::shape_error);
}
