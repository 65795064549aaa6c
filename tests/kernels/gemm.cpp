#include <deconvnet/kernels/gemm.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include <doctest/doctest.h>

#include "../tensor/values.hpp"

namespace {

using namespace deconvnet;
using testing::random_values;

struct sizes {
  std::size_t m, n, k;
};

const sizes every_size[] = {{1, 1, 1},   {1, 7, 5},  {7, 1, 5},  {5, 7, 1},   {2, 3, 4},    {4, 4, 4},    {8, 8, 8},
                            {9, 15, 17}, {3, 64, 27}, {64, 3, 9}, {33, 31, 29}, {16, 100, 75}, {5, 130, 200}, {70, 70, 300}};
constexpr std::size_t gap = 3;  // between the end of a row and the next row

/// a is m x k with `transposed` false, else k x m.
template <class T>
double product(const std::vector<T>& a, std::size_t lda, const std::vector<T>& b, std::size_t ldb, std::size_t i,
               std::size_t j, std::size_t depth, bool transposed) {
  double sum = 0;
  for (std::size_t k = 0; k < depth; ++k) {
    sum += static_cast<double>(transposed ? a[k * lda + i] : a[i * lda + k]) * static_cast<double>(b[k * ldb + j]);
  }
  return sum;
}

/// Runs multiply(c, ldc) and compares every element, and the gaps between the rows, which must stay as they are.
template <class T, class Multiply, class Expected>
void check_product(const sizes& s, Multiply&& multiply, Expected&& expected) {
  const std::size_t ldc = s.n + gap;
  const auto before = random_values<T>(s.m * ldc, 3);
  auto c = before;
  multiply(c.data(), ldc);
  double worst = 0;
  bool gaps_kept = true;
  for (std::size_t i = 0; i < s.m; ++i) {
    for (std::size_t j = 0; j < ldc; ++j) {
      const T got = c[i * ldc + j];
      if (j >= s.n) {
        gaps_kept = gaps_kept && got == before[i * ldc + j];
      } else {
        worst = std::max(worst, std::abs(static_cast<double>(got) - expected(i, j, static_cast<double>(before[i * ldc + j]))));
      }
    }
  }
  CHECK(gaps_kept);
  CHECK(worst < 10 * testing::rounding<T>);
}

TEST_CASE_TEMPLATE("gemm_add adds a product of matrices with leading dimensions of their own", T, float, double) {
  for (const auto& s : every_size) {
    CAPTURE(s.m);
    CAPTURE(s.n);
    CAPTURE(s.k);
    const auto a = random_values<T>(s.m * (s.k + 1), 1);
    const auto b = random_values<T>(s.k * (s.n + 2), 2);
    check_product<T>(
        s, [&](T* c, std::size_t ldc) { kernels::gemm_add(s.m, s.n, s.k, a.data(), s.k + 1, b.data(), s.n + 2, c, ldc); },
        [&](std::size_t i, std::size_t j, double before) {
          return before + product(a, s.k + 1, b, s.n + 2, i, j, s.k, false);
        });
  }
}

TEST_CASE_TEMPLATE("gemm_transposed sets the product with the transposed first matrix", T, float, double) {
  for (const auto& s : every_size) {
    CAPTURE(s.m);
    CAPTURE(s.n);
    CAPTURE(s.k);
    const auto a = random_values<T>(s.k * (s.m + 1), 1);
    const auto b = random_values<T>(s.k * (s.n + 2), 2);
    check_product<T>(
        s,
        [&](T* c, std::size_t ldc) {
          kernels::gemm_transposed(s.m, s.n, s.k, a.data(), s.m + 1, b.data(), s.n + 2, c, ldc);
        },
        [&](std::size_t i, std::size_t j, double) { return product(a, s.m + 1, b, s.n + 2, i, j, s.k, true); });
  }
}

TEST_CASE("products without rows, columns or depth are nothing") {
  float c = 5;
  const float a = 2;
  kernels::gemm_add<float>(1, 1, 0, &a, 1, &a, 1, &c, 1);
  CHECK(c == 5);
  kernels::gemm_add<float>(0, 1, 1, &a, 1, &a, 1, &c, 1);
  kernels::gemm_add<float>(1, 0, 1, &a, 1, &a, 1, &c, 1);
  CHECK(c == 5);
  kernels::gemm_transposed<float>(1, 1, 0, &a, 1, &a, 1, &c, 1);
  CHECK(c == 0);
}

}  // namespace
