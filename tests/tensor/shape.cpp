#include <deconvnet/tensor/shape.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "values.hpp"

namespace {

using namespace deconvnet;
using testing::message_of;

TEST_CASE("the text of a shape joins its extents") {
  CHECK(shape_text(shape4{1, 3, 224, 226}) == "1 x 3 x 224 x 226");
  CHECK(shape_text(shape3{0, 0, 0}) == "0 x 0 x 0");
  CHECK(shape_text(std::vector<int>{7}) == "7");
  CHECK(shape_text(std::vector<std::size_t>{}) == "scalar");
  CHECK(shape_text(std::vector<std::int64_t>{-1, 3}) == "-1 x 3");
}

TEST_CASE("element_count multiplies the extents") {
  CHECK(element_count(shape4{2, 3, 5, 7}) == 210);
  CHECK(element_count(std::vector<std::size_t>{}) == 1);
  CHECK(element_count(std::array<int, 2>{4, 5}) == 20);
}

TEST_CASE("element_count allows max_elements and not one more") {
  CHECK(max_elements == 2147483648);
  CHECK(element_count(shape4{1, 1, 1, max_elements}) == max_elements);
  CHECK(element_count(shape4{2, 1, 4, max_elements / 8}) == max_elements);
  CHECK_THROWS_AS(element_count(shape4{1, 1, 1, max_elements + 1}), shape_error);
  CHECK_THROWS_AS(element_count(shape4{max_elements, 1, 1, 2}), shape_error);
  CHECK_THROWS_AS(element_count(shape4{46341, 46341, 1, 1}), shape_error);  // 2^31 + 4633
}

TEST_CASE("products that would overflow are refused and not wrapped around") {
  const std::size_t half = std::size_t{1} << 32;
  CHECK_THROWS_AS(element_count(shape4{half, half, 1, 1}), shape_error);  // 2^64, zero in 64 bits
  CHECK_THROWS_AS(element_count(shape4{SIZE_MAX, SIZE_MAX, SIZE_MAX, SIZE_MAX}), shape_error);
  CHECK_THROWS_AS(element_count(shape4{1, (std::size_t{1} << 62) + 3, 4, 1}), shape_error);  // 12 in 64 bits
  CHECK_THROWS_AS(element_count(std::vector<std::int64_t>{-1, 3}), shape_error);
}

TEST_CASE("an extent of zero makes no elements, however large the others and wherever it stands") {
  CHECK(element_count(shape4{0, 3, 5, 7}) == 0);
  CHECK(element_count(shape4{0, SIZE_MAX, SIZE_MAX, 2}) == 0);
  CHECK(element_count(shape4{SIZE_MAX, SIZE_MAX, 2, 0}) == 0);
}

TEST_CASE("the error of element_count names the tensor and its extents") {
  CHECK(message_of([] { element_count(shape4{1, 70000, 70000, 1}, "the weight"); }) ==
        "the weight of 1 x 70000 x 70000 x 1 has more than 2147483648 elements");
}

}  // namespace
