#include <deconvnet/io/strided_order.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <vector>

using deconvnet::detail::for_each_strided;
using deconvnet::detail::row_major_strides;

TEST_CASE("strided order visits every position once, in row-major order") {
  const std::vector<std::size_t> extents{2, 3, 2};
  CHECK(row_major_strides(extents) == std::vector<std::size_t>{6, 2, 1});
  std::vector<std::size_t> sources;
  for_each_strided(extents, std::vector<std::size_t>{1, 2, 6}, [&](std::size_t k, std::size_t source) {
    CHECK(k == sources.size());
    sources.push_back(source);
  });
  CHECK(sources == std::vector<std::size_t>{0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11});
}

TEST_CASE("a stride of zero repeats, no axes are one element, an empty axis none") {
  std::size_t visits = 0;
  const auto count = [&](std::size_t, std::size_t source) {
    CHECK(source == 0);
    ++visits;
  };
  for_each_strided(std::vector<std::size_t>{2, 2}, std::vector<std::size_t>{0, 0}, count);
  CHECK(visits == 4);
  for_each_strided({}, {}, count);
  CHECK(visits == 5);
  for_each_strided(std::vector<std::size_t>{3, 0}, std::vector<std::size_t>{1, 1}, count);
  CHECK(visits == 5);
}
