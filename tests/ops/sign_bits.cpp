#include <deconvnet/ops/sign_bits.hpp>

#include <limits>

#include <doctest/doctest.h>

#include "../tensor/values.hpp"

namespace {

using namespace deconvnet;

TEST_CASE_TEMPLATE("one bit per activation, for images of every remainder of a word", T, float, double) {
  for (const std::size_t width : {1u, 2u, 31u, 63u, 64u, 65u, 127u, 128u, 129u}) {
    const auto x = testing::random_maps<T>({3, 1, 1, width}, 1);
    sign_bits bits;
    bits.record(x);
    CHECK_FALSE(bits.empty());
    bool right = true;
    for (std::size_t n = 0; n < 3; ++n) {
      for (std::size_t k = 0; k < width; ++k) right = right && bits.positive(n, k) == (x(n, 0, 0, k) > T(0));
    }
    CAPTURE(width);
    CHECK(right);
  }
}

TEST_CASE("zero, negative zero and NaN are not positive; infinity is") {
  sign_bits bits;
  bits.record(tensor4<float>{{{{0.0f, -0.0f, std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                                std::numeric_limits<float>::denorm_min()}}}});
  CHECK_FALSE(bits.positive(0, 0));
  CHECK_FALSE(bits.positive(0, 1));
  CHECK_FALSE(bits.positive(0, 2));
  CHECK(bits.positive(0, 3));
  CHECK(bits.positive(0, 4));
}

TEST_CASE("recording again forgets what there was") {
  sign_bits bits;
  CHECK(bits.empty());
  bits.record(tensor4<float>(zeros<float>({2, 3, 4, 5}) + 1.0f));
  bits.record(zeros<float>({1, 1, 1, 70}));
  for (std::size_t k = 0; k < 70; ++k) CHECK_FALSE(bits.positive(0, k));
  bits.clear();
  CHECK(bits.empty());
  bits.record(zeros<float>({0, 3, 4, 5}));
  CHECK(bits.empty());
}

}  // namespace
