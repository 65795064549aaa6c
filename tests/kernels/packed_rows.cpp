#include <deconvnet/kernels/packed_rows.hpp>

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <vector>

#include <doctest/doctest.h>

#include "../tensor/values.hpp"

namespace {

using namespace deconvnet;
using testing::random_values;

/// Every element lies where the kernels look for it: block after block, in tiles of the most rows there are, the last ones
/// halved.
template <class T>
void check_packed(const kernels::gemm_rows<T>& a, std::size_t tile_rows) {
  constexpr std::size_t block = 7;
  std::vector<T> packed(a.rows * a.depth);
  kernels::pack_rows(a, tile_rows, packed.data(), block);
  std::size_t wrong = 0;
  kernels::for_row_tiles(a.rows, tile_rows, [&](std::size_t row, std::size_t step) {
    const std::size_t rows = std::size_t{1} << step;
    for (std::size_t k = 0; k < a.depth; ++k) {
      for (std::size_t r = 0; r < rows; ++r) {
        const T right = a.data[(row + r) * a.row_pitch + k / a.taps.size() * a.depth_pitch + a.taps[k % a.taps.size()]];
        const std::size_t first = k / block * block;
        wrong += packed[first * a.rows + row * std::min(block, a.depth - first) + (k - first) * rows + r] != right;
      }
    }
  });
  CHECK(wrong == 0);
}

TEST_CASE_TEMPLATE("rows are packed for tiles of every height, side by side, apart and backwards", T, float, double) {
  for (const std::size_t tile_rows : std::initializer_list<std::size_t>{4, 8}) {
    for (const std::size_t rows : std::initializer_list<std::size_t>{1, 2, 3, 4, 7, 8, 15, 33}) {
      for (const std::size_t depth : std::initializer_list<std::size_t>{0, 1, 4, 5, 12, 27}) {
        CAPTURE(rows);
        CAPTURE(depth);
        const auto values = random_values<T>(rows * depth + 1, 1);
        check_packed(kernels::contiguous_rows(values.data(), rows, depth), tile_rows);
        check_packed(kernels::gemm_rows<T>{values.data(), rows, 1, depth, rows, kernels::no_tap_offset}, tile_rows);
        const std::size_t backwards[] = {2, 1, 0}, forwards[] = {0, 1, 2}, swapped[] = {0, 2, 1, 3};
        if (depth % 3 == 0) {
          check_packed(kernels::gemm_rows<T>{values.data(), rows, depth, depth, 3, backwards}, tile_rows);
          check_packed(kernels::gemm_rows<T>{values.data(), rows, depth, depth, 3, forwards}, tile_rows);
        }
        if (depth % 4 == 0) check_packed(kernels::gemm_rows<T>{values.data(), rows, depth, depth, 4, swapped}, tile_rows);
      }
    }
  }
}

TEST_CASE("tiles cover the rows once, in order, whole ones first") {
  std::vector<std::size_t> heights;
  kernels::for_row_tiles(15, 8, [&](std::size_t row, std::size_t step) {
    CHECK(row == (heights.empty() ? 0 : 8 + (heights.size() > 1 ? 4 : 0) + (heights.size() > 2 ? 2 : 0)));
    heights.push_back(std::size_t{1} << step);
  });
  CHECK(heights == std::vector<std::size_t>{8, 4, 2, 1});
}

TEST_CASE("runs of tiles cover the rows once: the full ones together, then the halves") {
  for (const std::size_t rows : std::initializer_list<std::size_t>{0, 1, 3, 4, 8, 15, 16, 33}) {
    std::size_t next = 0, runs = 0;
    kernels::for_tile_runs(rows, 8, [&](std::size_t row, std::size_t step, std::size_t tiles) {
      CHECK(row == next);
      CHECK((step == 3 ? tiles == rows / 8 : tiles == 1));
      next += tiles << step;
      ++runs;
    });
    CHECK(next == rows);
    CHECK(runs <= 4);
  }
}

}  // namespace
