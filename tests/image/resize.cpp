#include <deconvnet/image/resize.hpp>

#include <limits>

#include <doctest/doctest.h>

#include "expressions.hpp"

namespace dn = deconvnet;

namespace {

using grey = dn::tensor<float, 2>;

const grey sample{{0, 122, 10, 176, 108, 62, 38},
                  {12, 171, 96, 43, 12, 3, 16},
                  {30, 226, 188, 172, 178, 206, 0},
                  {54, 31, 30, 51, 94, 159, 246},
                  {84, 98, 134, 192, 16, 118, 242}};

void check_equal(const dn::tensor<float, 3>& result, const grey& expected) {
  REQUIRE(result.shape(0) == 1);
  REQUIRE(result.shape(1) == expected.shape(0));
  REQUIRE(result.shape(2) == expected.shape(1));
  for (std::size_t k = 0; k < expected.size(); ++k) {
    CAPTURE(k);
    CHECK(result.data()[k] == doctest::Approx(expected.data()[k]).epsilon(1e-6));
  }
}

}  // namespace

TEST_CASE("whole levels are Pillow's, smaller, larger, and along one side only") {
  const dn::resize_options whole{.whole_levels = true};
  check_equal(dn::resize(sample, 3, 4, whole), {{66, 86, 76, 34}, {96, 135, 126, 101}, {71, 97, 90, 188}});
  check_equal(dn::resize(sample, 8, 9, whole), {{0, 81, 72, 47, 176, 123, 82, 54, 38},
                                                {5, 97, 101, 63, 118, 78, 49, 33, 28},
                                                {13, 121, 142, 90, 51, 29, 19, 15, 15},
                                                {24, 148, 187, 153, 132, 128, 136, 96, 5},
                                                {38, 123, 153, 137, 134, 148, 174, 153, 77},
                                                {53, 47, 42, 44, 59, 90, 134, 185, 231},
                                                {71, 69, 78, 98, 130, 68, 98, 172, 244},
                                                {84, 93, 114, 147, 192, 55, 73, 159, 242}});
  check_equal(dn::resize(sample, 5, 3, whole),
              {{54, 111, 63}, {98, 53, 10}, {148, 182, 126}, {39, 61, 176}, {101, 127, 140}});
  check_equal(dn::resize(sample, 2, 7, whole), {{14, 162, 87, 115, 84, 75, 30}, {56, 103, 102, 123, 85, 150, 178}});
  check_equal(dn::resize(sample, 1, 1, whole), {{103}});
}

TEST_CASE("without rounding the result is PyTorch's antialiased interpolation") {
  check_equal(dn::resize(sample, 3, 4),
              {{66.21088435374152f, 86.28571428571429f, 75.42857142857143f, 33.884353741496604f},
               {95.7671957671958f, 135.56444444444446f, 126.36444444444446f, 100.80423280423283f},
               {71.21768707482995f, 97.2f, 89.65714285714286f, 188.11564625850346f}});
}

TEST_CASE("the same size gives the same picture, and a flat picture stays flat") {
  check_equal(dn::resize(sample, 5, 7), sample);
  const auto flat = dn::tensor<double, 3>({2, 5, 4}, -3.25);
  const auto resized = dn::resize(flat, 11, 3);
  CHECK(resized.shape() == dn::tensor<double, 3>::shape_type{2, 11, 3});
  for (const double value : resized) CHECK(value == doctest::Approx(-3.25));
}

TEST_CASE("the short side gets its size and the long one is rounded down") {
  const auto wide = dn::tensor<float, 3>({3, 30, 47}, 1.f);
  const auto tall = dn::tensor<float, 3>({3, 47, 30}, 1.f);
  CHECK(dn::resize_short_side(wide, 20).shape() == dn::tensor<float, 3>::shape_type{3, 20, 31});  // 31.33
  CHECK(dn::resize_short_side(tall, 20).shape() == dn::tensor<float, 3>::shape_type{3, 31, 20});
  CHECK(dn::resize_short_side(xt::view(wide, xt::newaxis()), 61).shape() ==
        dn::tensor<float, 3>::shape_type{3, 61, 95});
  CHECK(dn::resize_short_side(xt::view(wide, 0), 30).shape() == dn::tensor<float, 3>::shape_type{1, 30, 47});
}

TEST_CASE("sizes of zero, beyond all bounds, and things that are no picture are refused") {
  CHECK_THROWS_AS(dn::resize(sample, 0, 4), dn::shape_error);
  CHECK_THROWS_AS(dn::resize(sample, 4, 0), dn::shape_error);
  CHECK_THROWS_AS(dn::resize(sample, std::size_t{1} << 20, std::size_t{1} << 20), dn::shape_error);
  CHECK_THROWS_AS(dn::resize_short_side(sample, 0), dn::shape_error);
  CHECK_THROWS_AS(dn::resize_short_side(sample, std::numeric_limits<std::size_t>::max()), dn::shape_error);
  CHECK_THROWS_AS(dn::resize(dn::tensor<float, 1>{1.f, 2.f}, 4, 4), dn::shape_error);
  CHECK_THROWS_AS(dn::resize_short_side(dn::tensor<float, 1>{1.f, 2.f}, 4), dn::shape_error);
  CHECK_THROWS_AS(dn::resize(dn::tensor<float, 4>({2, 3, 4, 4}, 0.f), 4, 4), dn::shape_error);
}
