#include <deconvnet/kernels/strided_copy.hpp>

#include <cstddef>
#include <initializer_list>
#include <vector>

#include <doctest/doctest.h>

#include "../tensor/values.hpp"

namespace {

using namespace deconvnet;

TEST_CASE_TEMPLATE("every stride and count, and nothing past the last element", T, float, double) {
  for (const std::size_t stride : std::initializer_list<std::size_t>{1, 2, 3, 4, 7}) {
    for (std::size_t count = 1; count < 40; ++count) {
      // As long as what is read: a sanitizer sees one more.
      const std::vector<T> from = testing::random_values<T>((count - 1) * stride + 1, 1);
      std::vector<T> to(count + 1, T(-7));
      kernels::strided_copy(from.data(), stride, count, to.data());
      for (std::size_t k = 0; k < count; ++k) CHECK(to[k] == from[k * stride]);
      CHECK(to[count] == T(-7));
    }
  }
}

}  // namespace
