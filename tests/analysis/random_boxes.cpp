#include <deconvnet/analysis/random_boxes.hpp>

#include <set>

#include <doctest/doctest.h>

namespace dn = deconvnet;

TEST_CASE("random boxes have one size, lie within the input and reach every place") {
  const auto boxes = dn::random_boxes(2000, {3, 5}, {7, 9}, 1);
  CHECK(boxes.size() == 2000);
  std::set<std::ptrdiff_t> rows;
  std::set<std::ptrdiff_t> columns;
  for (const dn::box& one : boxes) {
    CHECK(one.height == 3);
    CHECK(one.width == 5);
    rows.insert(one.y);
    columns.insert(one.x);
  }
  CHECK(rows == std::set<std::ptrdiff_t>{0, 1, 2, 3, 4});
  CHECK(columns == std::set<std::ptrdiff_t>{0, 1, 2, 3, 4});
}

TEST_CASE("a seed gives the same boxes everywhere, another seed others") {
  CHECK(dn::random_boxes(20, 4, 100, 7) == dn::random_boxes(20, 4, 100, 7));
  CHECK(dn::random_boxes(20, 4, 100, 7) != dn::random_boxes(20, 4, 100, 8));
  // Of the engine's first two numbers with its default seed: the ranges here divide neither evenly.
  std::mt19937_64 engine(5489);
  const auto first = dn::random_boxes(1, 4, {100, 50}, 5489)[0];
  CHECK(first.y == static_cast<std::ptrdiff_t>(engine() % 97));
  CHECK(first.x == static_cast<std::ptrdiff_t>(engine() % 47));
  CHECK(dn::random_boxes(1, 224, 224, 3)[0] == dn::box{0, 0, 224, 224});
  CHECK(dn::random_boxes(0, 4, 100, 7).empty());
}

TEST_CASE("a box that is empty or larger than the input is refused") {
  CHECK_THROWS_AS(dn::random_boxes(1, {4, 0}, 100, 7), dn::error);
  CHECK_THROWS_AS(dn::random_boxes(1, {4, 101}, 100, 7), dn::error);
  CHECK_THROWS_AS(dn::random_boxes(1, 4, 0, 7), dn::error);
  CHECK_THROWS_AS(dn::random_boxes(std::size_t(-1), 4, 100, 7), dn::error);
}
