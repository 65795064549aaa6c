#include <deconvnet/analysis/occlusion_grid.hpp>

#include <doctest/doctest.h>

#include <array>
#include <limits>
#include <vector>

#include "../tensor/values.hpp"

using namespace deconvnet;
using namespace deconvnet::testing;

TEST_CASE("positions are ceil((H - k) / s) + 1 each way, height and width apart") {
  const occlusion_grid grid({224, 100}, {32, 20}, {8, 7});
  CHECK(grid.rows() == 25);
  CHECK(grid.columns() == 13);  // ceil(80 / 7) + 1
  CHECK(grid.count() == 25 * 13);
  CHECK(grid.at(0, 0) == box{0, 0, 32, 20});
  CHECK(grid.at(24, 0) == box{192, 0, 32, 20});
  CHECK(grid.at(1, 2) == box{8, 14, 32, 20});
}

TEST_CASE("every pixel is covered, the last position is clipped by the picture") {
  for (const std::size_t height : {1U, 5U, 8U, 13U}) {
    for (const std::size_t size : {1U, 3U, 5U, 20U}) {
      for (const std::size_t stride : {1U, 2U, 3U}) {
        if (stride > size) continue;
        const occlusion_grid grid({height, 6}, {size, 6}, stride);
        std::vector<int> covered(height);
        for (std::size_t row = 0; row < grid.rows(); ++row) {
          const box b = grid.at(row, 0);
          REQUIRE(b.height > 0);
          REQUIRE(static_cast<std::size_t>(b.y) + b.height <= height);
          for (std::size_t k = 0; k < b.height; ++k) ++covered[static_cast<std::size_t>(b.y) + k];
        }
        for (const int times : covered) CHECK(times > 0);
      }
    }
  }
  const occlusion_grid clipped({10, 12}, 4, 3);
  CHECK(clipped.rows() == 3);
  CHECK(clipped.columns() == 4);
  CHECK(clipped.at(2, 3) == box{6, 9, 4, 3});
}

TEST_CASE("a stride longer than the window may lead past the picture, where the window covers nothing") {
  const occlusion_grid grid({10, 12}, {4, 1}, {5, 9});
  CHECK(grid.rows() == 3);
  CHECK(grid.columns() == 3);
  CHECK(grid.at(2, 2) == box{10, 12, 0, 0});
}

TEST_CASE("a window larger than the picture is cut to it: one position") {
  const occlusion_grid grid({5, 300}, {64, 64}, 8);
  CHECK(grid.rows() == 1);
  CHECK(grid.columns() == 31);
  CHECK(grid.at(0, 0) == box{0, 0, 5, 64});
}

TEST_CASE("zero and absurd sides are refused") {
  CHECK_THROWS_AS(occlusion_grid({0, 5}, 1, 1), shape_error);
  CHECK_THROWS_AS(occlusion_grid({5, 5}, 0, 1), shape_error);
  CHECK_THROWS_AS(occlusion_grid({5, 5}, 1, {1, 0}), shape_error);
  CHECK_THROWS_AS(occlusion_grid({5, 5}, std::size_t{1} << 40, 1), shape_error);
}

TEST_CASE("a fill is one number or one per channel") {
  CHECK(occlusion_fill(0.5F).for_channels<float>(3) == std::vector<float>{0.5F, 0.5F, 0.5F});
  CHECK(occlusion_fill(7).for_channels<double>(1) == std::vector<double>{7});
  CHECK(occlusion_fill({1, 2, 3}).for_channels<float>(3) == std::vector<float>{1, 2, 3});
  CHECK(occlusion_fill(std::vector<double>{1, 2}).for_channels<float>(2) == std::vector<float>{1, 2});
  CHECK(occlusion_fill(std::array<float, 1>{4}).for_channels<float>(2) == std::vector<float>{4, 4});
  CHECK(names(message_of([] { occlusion_fill({1, 2}).for_channels<float>(3); }), "2 values", "3 channels"));
  CHECK(names(message_of<error>([] { occlusion_fill(std::numeric_limits<double>::quiet_NaN()).for_channels<float>(3); }), "NaN"));
  CHECK(names(message_of<error>([] { occlusion_fill(1e300).for_channels<float>(3); }), "infinite"));
}
