#include <deconvnet/analysis/transforms.hpp>

#include <limits>

#include <doctest/doctest.h>

namespace dn = deconvnet;

namespace {

dn::tensor4<float> numbered() {
  auto image = dn::uninitialized<float>({1, 2, 4, 3});
  for (std::size_t k = 0; k < image.size(); ++k) image.data()[k] = static_cast<float>(k * k % 17);
  return image;
}

}  // namespace

TEST_CASE("amounts run from the first to the last in equal steps") {
  CHECK(dn::rotations(0, 350, 10).amounts.size() == 36);
  CHECK(dn::rotations(0, 350, 10).amounts.back() == 350);
  CHECK(dn::translations(dn::axis::vertical, -60, 60, 7).amounts.size() == 18);  // -60 + 17 * 7 = 59
  CHECK(dn::translations(dn::axis::vertical, 5, 5, 1).amounts == std::vector<double>{5});
  CHECK(dn::scalings(1, 1.8, 0.1).amounts.size() == 9);
}

TEST_CASE("an amount at which nothing moves is met exactly, whatever the steps round to") {
  const auto sizes = dn::scalings(0.1, 1.9, 0.1).amounts;  // 0.1 + 9 * 0.1 is not 1 in binary
  CHECK(std::count(sizes.begin(), sizes.end(), 1.0) == 1);
  const auto moves = dn::translations(dn::axis::vertical, -0.3, 0.3, 0.1).amounts;
  CHECK(std::count(moves.begin(), moves.end(), 0.0) == 1);
}

TEST_CASE("at amount zero and scale one the image is returned as it is") {
  const auto image = numbered();
  CHECK(dn::rotations(0, 10, 10).apply(image, 0) == image);
  CHECK(dn::translations(dn::axis::horizontal, 0, 1, 1).apply(image, 0) == image);
  CHECK(dn::scalings(1, 2, 1).apply(image, 1) == image);
}

TEST_CASE("translations go down and to the right, borders replicated or filled") {
  const auto image = numbered();
  const auto down = dn::translations(dn::axis::vertical, -2, 2, 1).apply(image, 1);
  const auto right = dn::translations(dn::axis::horizontal, -2, 2, 1, {.border = dn::warp_border::fill, .fill = {7, 8}})
                         .apply(image, -2);
  for (std::size_t c = 0; c < 2; ++c) {
    for (std::size_t y = 0; y < 4; ++y) {
      for (std::size_t x = 0; x < 3; ++x) {
        CHECK(down(0, c, y, x) == image(0, c, y == 0 ? 0 : y - 1, x));
        CHECK(right(0, c, y, x) == (x == 0 ? image(0, c, y, 2) : c == 0 ? 7.f : 8.f));
      }
    }
  }
}

TEST_CASE("a rotation is counter-clockwise and a scale keeps the centre") {
  auto image = dn::zeros<double>({1, 1, 5, 5});
  image(0, 0, 2, 4) = 1;
  CHECK(dn::rotations(0, 90, 90).apply(image, 90)(0, 0, 0, 2) == doctest::Approx(1));
  auto dot = dn::zeros<double>({1, 1, 5, 5});
  dot(0, 0, 2, 2) = 3;
  dot(0, 0, 2, 3) = 1;
  const auto larger = dn::scalings(1, 2, 1).apply(dot, 2);
  CHECK(larger(0, 0, 2, 2) == 3);
  CHECK(larger(0, 0, 2, 4) == 1);
}

TEST_CASE("users bring transforms of their own") {
  const dn::transform brighter{
      "brightness", "share", {0.0, 0.5}, [](const auto& x, double amount) { return x * (1 + amount); }};
  static_assert(dn::transform_of<decltype(brighter), float>);
  static_assert(dn::transform_of<decltype(brighter), double>);
  static_assert(!dn::transform_of<int, double>);
  CHECK(brighter.apply(numbered(), 0.5)(0, 0, 0, 1) == 1.5);
}

TEST_CASE("amounts that make no sense are refused") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(dn::rotations(10, 0, 1), dn::error);
  CHECK_THROWS_AS(dn::rotations(0, 10, 0), dn::error);
  CHECK_THROWS_AS(dn::rotations(0, 10, -1), dn::error);
  CHECK_THROWS_AS(dn::rotations(nan, 10, 1), dn::error);
  CHECK_THROWS_AS(dn::rotations(0, 10, nan), dn::error);
  CHECK_THROWS_AS(dn::rotations(0, std::numeric_limits<double>::infinity(), 1), dn::error);
  CHECK_THROWS_AS(dn::rotations(0, 1, 1e-9), dn::error);
  CHECK_THROWS_AS(dn::scalings(0, 1, 0.1), dn::error);
}
