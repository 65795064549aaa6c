#include <deconvnet/tensor/large_pages.hpp>

#include <cstddef>
#include <numeric>
#include <vector>

#include <doctest/doctest.h>

#include <deconvnet/tensor/tensor.hpp>

namespace {

using namespace deconvnet;

TEST_CASE("the hint for large pages changes no value, whatever it is given") {
  std::vector<int> values((std::size_t{5} << 20) / sizeof(int) * 2);
  std::iota(values.begin(), values.end(), 0);
  const auto before = values;
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{1}, std::size_t{1} << 21, values.size() * sizeof(int)}) {
    detail::prefer_large_pages(values.data(), bytes);
  }
  detail::prefer_large_pages(nullptr, 0);
  CHECK(values == before);
}

TEST_CASE("weights of any rank have the shape that was asked for, large ones too") {
  auto matrix = uninitialized_weights<float, 2>({3000, 1000});
  matrix.fill(2);
  CHECK(matrix.shape(0) == 3000);
  CHECK(matrix(2999, 999) == 2);
  CHECK(uninitialized_weights<double, 1>({0}).size() == 0);
  CHECK_THROWS_AS((uninitialized_weights<float, 2>({std::size_t{1} << 40, std::size_t{1} << 40})), shape_error);
}

}  // namespace
