#include <deconvnet/training/augmentation.hpp>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>

#include <doctest/doctest.h>

#include "../tensor/values.hpp"

namespace dn = deconvnet;
using namespace deconvnet::testing;

namespace {

/// Pixel 100 c + 10 y + x + 1.
dn::tensor<float, 3> numbered_picture(std::size_t channels, std::size_t height, std::size_t width) {
  auto picture = dn::tensor<float, 3>::from_shape({channels, height, width});
  for (std::size_t c = 0; c < channels; ++c) {
    for (std::size_t y = 0; y < height; ++y) {
      for (std::size_t x = 0; x < width; ++x) picture(c, y, x) = static_cast<float>(100 * c + 10 * y + x + 1);
    }
  }
  return picture;
}

std::vector<float> row_of(const dn::tensor4<float>& views, std::size_t n, std::size_t c, std::size_t y) {
  std::vector<float> row;
  for (std::size_t x = 0; x < views.shape(3); ++x) row.push_back(views(n, c, y, x));
  return row;
}

}  // namespace

TEST_CASE("a view: its rows and columns, mirrored after the crop") {
  const auto picture = numbered_picture(2, 4, 5);
  const auto views = dn::picture_views(picture, {{{1, 2, 2, 3}, false}, {{1, 2, 2, 3}, true}});
  CHECK(dn::shape_of(views) == dn::shape4{2, 2, 2, 3});
  CHECK(row_of(views, 0, 0, 0) == std::vector<float>{13, 14, 15});
  CHECK(row_of(views, 0, 1, 1) == std::vector<float>{123, 124, 125});
  CHECK(row_of(views, 1, 0, 0) == std::vector<float>{15, 14, 13});
}

TEST_CASE("beyond the border there is zero, or the nearest pixel") {
  const auto picture = numbered_picture(1, 3, 3);
  const std::vector<dn::picture_view> corner = {{{-1, -2, 2, 3}, false}};
  const auto zero = dn::picture_views(picture, corner, dn::border::zero);
  CHECK(row_of(zero, 0, 0, 0) == std::vector<float>{0, 0, 0});
  CHECK(row_of(zero, 0, 0, 1) == std::vector<float>{0, 0, 1});
  const auto nearest = dn::picture_views(picture, {{{2, 1, 2, 4}, false}}, dn::border::replicate);
  CHECK(row_of(nearest, 0, 0, 0) == std::vector<float>{22, 23, 23, 23});
  CHECK(row_of(nearest, 0, 0, 1) == std::vector<float>{22, 23, 23, 23});
}

TEST_CASE("ten views: four corners and the centre, then mirrored") {
  const auto views = dn::ten_views({8, 11}, {4, 6});
  REQUIRE(views.size() == 10);
  const dn::box expected[] = {{0, 0, 4, 6}, {0, 5, 4, 6}, {4, 0, 4, 6}, {4, 5, 4, 6}, {2, 2, 4, 6}};
  for (std::size_t k = 0; k < 10; ++k) CHECK(views[k] == dn::picture_view{expected[k % 5], k >= 5});
  for (const auto& view : dn::ten_views({8, 11}, {0, 0})) CHECK(view.where == dn::box{0, 0, 8, 11});
  const auto pixels = dn::picture_views(numbered_picture(1, 8, 11), views);
  CHECK(pixels(1, 0, 0, 0) == 6);
  CHECK(pixels(6, 0, 0, 0) == 11);
  CHECK(pixels(3, 0, 3, 5) == 81);
  CHECK(pixels(8, 0, 3, 0) == 81);
}

TEST_CASE("the centre: torchvision's rounding") {
  CHECK(dn::centre_view({9, 11}, {8, 8}) == dn::picture_view{{0, 2, 8, 8}, false});
  CHECK(dn::centre_view({9, 11}, {0, 0}) == dn::picture_view{{0, 0, 9, 11}, false});
  CHECK_THROWS_AS(dn::centre_view({9, 11}, {10, 8}), dn::shape_error);
  CHECK_THROWS_AS(dn::ten_views({9, 11}, {4, 12}), dn::shape_error);
}

TEST_CASE("random views: every place of the padded picture, mirrored and not, equally often") {
  const dn::augmentation options{.padding = 1, .crop = {4, 3}, .flip = true};
  std::map<std::tuple<std::ptrdiff_t, std::ptrdiff_t, bool>, int> seen;
  const std::size_t draws = 6400;
  for (std::size_t k = 0; k < draws; ++k) {
    const auto view = dn::random_view({5, 4}, options, 3, k / 100, k % 100);
    CHECK(view.where.height == 4);
    CHECK(view.where.width == 3);
    ++seen[{view.where.y, view.where.x, view.mirrored}];
  }
  // 5 + 2 - 4 + 1 = 4 rows from -1 on, 4 + 2 - 3 + 1 = 4 columns, twice.
  CHECK(seen.size() == 32);
  for (const auto& [place, count] : seen) {
    CHECK(std::get<0>(place) >= -1);
    CHECK(std::get<0>(place) <= 2);
    CHECK(std::get<1>(place) >= -1);
    CHECK(std::get<1>(place) <= 2);
    CHECK(std::abs(count - 200) < 75);  // five deviations of 14
  }
}

TEST_CASE("random views are a function of seed, epoch and image") {
  const dn::augmentation options{.padding = 4, .flip = true};
  const auto view = dn::random_view({32, 32}, options, 1, 2, 3);
  CHECK(view == dn::random_view({32, 32}, options, 1, 2, 3));
  std::size_t same = 0;
  for (std::uint64_t k = 0; k < 100; ++k) {
    const auto one = dn::random_view({32, 32}, options, k, k, k);
    same += one == dn::random_view({32, 32}, options, k + 1, k, k);
    same += one == dn::random_view({32, 32}, options, k, k + 1, k);
    same += one == dn::random_view({32, 32}, options, k, k, k + 1);
  }
  CHECK(same < 15);  // one of 162 by chance
}

TEST_CASE("ten crops: each of the ten equally often, another in each epoch") {
  const dn::augmentation options{.crop = {4, 6}, .choice = dn::view_choice::ten_crops};
  const auto all = dn::ten_views({8, 11}, {4, 6});
  std::vector<int> seen(10);
  for (std::size_t k = 0; k < 2000; ++k) {
    const auto view = dn::random_view({8, 11}, options, 3, k / 100, k % 100);
    const auto found = std::find(all.begin(), all.end(), view);
    REQUIRE(found != all.end());
    ++seen[static_cast<std::size_t>(found - all.begin())];
    CHECK(view == dn::random_view({8, 11}, options, 3, k / 100, k % 100));
  }
  for (const int count : seen) CHECK(std::abs(count - 200) < 67);  // five deviations of 13.4
  std::set<bool> mirrored;
  for (std::uint64_t epoch = 0; epoch < 20; ++epoch) mirrored.insert(dn::random_view({8, 11}, options, 3, epoch, 7).mirrored);
  CHECK(mirrored.size() == 2);
  CHECK_THROWS_WITH_AS(dn::random_view({8, 11}, {.padding = 1, .crop = {4, 6}, .choice = dn::view_choice::ten_crops}, 1, 1, 1),
                       doctest::Contains("no padding"), dn::error);
  CHECK_THROWS_AS(dn::random_view({3, 11}, options, 1, 1, 1), dn::shape_error);
}

TEST_CASE("without augmentation the view is the picture") {
  CHECK(dn::random_view({7, 9}, {}, 1, 2, 3) == dn::picture_view{{0, 0, 7, 9}, false});
}

TEST_CASE("views that cannot be are refused") {
  CHECK_THROWS_AS(dn::random_view({5, 5}, {.padding = 1, .crop = {8, 5}}, 1, 1, 1), dn::shape_error);
  CHECK_THROWS_AS(dn::random_view({5, 5}, {.padding = std::size_t(-1)}, 1, 1, 1), dn::shape_error);
  CHECK_THROWS_AS(dn::picture_views(numbered_picture(1, 4, 4), {{{0, 0, 2, 2}, false}, {{0, 0, 2, 3}, false}}), dn::shape_error);
  CHECK_THROWS_AS(dn::picture_views(dn::tensor<float, 3>::from_shape({1, 0, 4}), {{{0, 0, 2, 2}, false}}), dn::shape_error);
  CHECK(dn::picture_views(numbered_picture(1, 4, 4), {}).size() == 0);
}
