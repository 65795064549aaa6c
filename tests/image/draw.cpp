#include <deconvnet/image/draw.hpp>

#include <limits>
#include <string>

#include <doctest/doctest.h>

#include "expressions.hpp"

namespace dn = deconvnet;

namespace {

/// Rows of a picture's first channel: '#' where something was drawn.
std::string rows_of(const dn::tensor<float, 3>& picture) {
  std::string rows;
  for (std::size_t y = 0; y < picture.shape(1); ++y) {
    for (std::size_t x = 0; x < picture.shape(2); ++x) rows += picture(0, y, x) > 0 ? '#' : '.';
    rows += '\n';
  }
  return rows;
}

dn::tensor<float, 3> blank(std::size_t height, std::size_t width) {
  return dn::tensor<float, 3>({3, height, width}, 0.f);
}

}  // namespace

TEST_CASE("a box is outlined within its edges") {
  auto picture = blank(5, 6);
  dn::draw_box(picture, {1, 1, 4, 4}, {10, 20, 30});
  CHECK(rows_of(picture) ==
        "......\n"
        ".####.\n"
        ".#..#.\n"
        ".#..#.\n"
        ".####.\n");
  CHECK(picture(0, 1, 1) == 10.f);
  CHECK(picture(1, 1, 1) == 20.f);
  CHECK(picture(2, 1, 1) == 30.f);
}

TEST_CASE("what lies outside the picture is left out") {
  auto picture = blank(4, 5);
  dn::draw_box(picture, {-2, 3, 4, 10}, {1, 1, 1}, 1);
  CHECK(rows_of(picture) ==
        "...#.\n"
        "...##\n"
        ".....\n"
        ".....\n");
  constexpr auto least = std::numeric_limits<std::ptrdiff_t>::min();
  constexpr auto most = std::numeric_limits<std::ptrdiff_t>::max();
  auto untouched = blank(3, 3);
  dn::draw_box(untouched, {least, most, 2, 2}, {1, 1, 1}, 100);
  dn::draw_box(untouched, {0, 0, 0, 3}, {1, 1, 1}, 100);
  dn::draw_text(untouched, most, least, "text", {1, 1, 1}, 3);
  CHECK(untouched == blank(3, 3));
}

TEST_CASE("a thick outline of a small box fills it") {
  auto picture = blank(3, 4);
  dn::draw_box(picture, {0, 0, 2, 3}, {1, 1, 1}, 9);
  CHECK(rows_of(picture) == "###.\n###.\n....\n");
}

TEST_CASE("a label is drawn letter by letter, scaled by whole pixels") {
  auto picture = blank(10, 12);
  dn::draw_text(picture, 0, 0, "L1", {1, 1, 1});
  const std::string rows = rows_of(picture);
  CHECK(rows.substr(0, 4) == "#...");
  CHECK(std::count(rows.begin(), rows.end(), '#') > 15);
  auto twice = blank(20, 24);
  dn::draw_text(twice, 0, 0, "L1", {1, 1, 1}, 2);
  for (std::size_t y = 0; y < 20; ++y) {
    for (std::size_t x = 0; x < 24; ++x) CHECK(twice(0, y, x) == picture(0, y / 2, x / 2));
  }
}

TEST_CASE("a label stays within the extent foretold, in every letter") {
  std::string letters;
  for (char letter = ' '; letter <= '~'; ++letter) letters += letter;
  const auto [height, width] = dn::text_extent(letters + "\nsecond", 1);
  CHECK(height == 24);
  auto picture = blank(height + 4, width + 4);
  dn::draw_text(picture, 0, 0, letters + "\nsecond", {1, 1, 1});
  for (std::size_t y = 0; y < height + 4; ++y) {
    for (std::size_t x = width; x < width + 4; ++x) CHECK(picture(0, y, x) == 0.f);
  }
  for (std::size_t x = 0; x < width + 4; ++x) CHECK(picture(0, height, x) == 0.f);
  CHECK(dn::text_extent("ab", 3).second == 3 * dn::text_extent("ab").second);
}

TEST_CASE("letters that the font does not have become question marks") {
  auto foreign = blank(12, 40);
  auto marks = blank(12, 40);
  dn::draw_text(foreign, 0, 0, "\xc3\xa9\t", {1, 1, 1});
  dn::draw_text(marks, 0, 0, "???", {1, 1, 1});
  CHECK(foreign == marks);
}

TEST_CASE("grey pictures take the mean of the colour, other channels and endless labels are refused") {
  dn::tensor<float, 3> grey({1, 2, 2}, 0.f);
  dn::draw_box(grey, {0, 0, 1, 1}, {30, 60, 90});
  CHECK(grey(0, 0, 0) == 60.f);
  dn::tensor<float, 3> two({2, 2, 2}, 0.f);
  CHECK_THROWS_AS(dn::draw_box(two, {0, 0, 1, 1}, {1, 1, 1}), dn::shape_error);
  CHECK_THROWS_AS(dn::draw_text(two, 0, 0, "a", {1, 1, 1}), dn::shape_error);
  CHECK_THROWS_AS(dn::draw_text(grey, 0, 0, std::string(100000, 'a'), {1, 1, 1}), dn::error);
}
