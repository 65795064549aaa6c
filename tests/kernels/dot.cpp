#include <deconvnet/kernels/dot.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include "../tensor/values.hpp"

namespace {

using namespace deconvnet;
using testing::random_values;

TEST_CASE_TEMPLATE("dot sums the products, for every remainder of its lanes", T, float, double) {
  for (std::size_t size = 0; size <= 70; ++size) {
    CAPTURE(size);
    const auto a = random_values<T>(size, 1);
    const auto b = random_values<T>(size, 2);
    double sum = 0;
    for (std::size_t k = 0; k < size; ++k) sum += static_cast<double>(a[k]) * static_cast<double>(b[k]);
    CHECK(std::abs(static_cast<double>(kernels::dot(a.data(), b.data(), size)) - sum) < testing::rounding<T>);
  }
}

TEST_CASE_TEMPLATE("the bits of a dot product do not depend on the address", T, float, double) {
  for (const std::size_t size : {5u, 16u, 37u, 1000u}) {
    const auto a = random_values<T>(size, 3);
    const auto b = random_values<T>(size, 4);
    const T expected = kernels::dot(a.data(), b.data(), size);
    for (std::size_t shift = 0; shift < 16; ++shift) {
      std::vector<T> moved(size + 16);
      std::copy(a.begin(), a.end(), moved.begin() + static_cast<std::ptrdiff_t>(shift));
      CAPTURE(size);
      CAPTURE(shift);
      CHECK(kernels::dot(moved.data() + shift, b.data(), size) == expected);
      CHECK(kernels::dot(b.data(), moved.data() + shift, size) == expected);
    }
  }
}

TEST_CASE_TEMPLATE("a NaN anywhere comes out of a dot product", T, float, double) {
  const auto b = random_values<T>(37, 5);
  for (std::size_t place = 0; place < 37; ++place) {
    auto a = random_values<T>(37, 6);
    a[place] = std::numeric_limits<T>::quiet_NaN();
    CHECK(std::isnan(kernels::dot(a.data(), b.data(), 37)));
  }
}

}  // namespace
