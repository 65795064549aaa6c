// What a tile of a matrix product is told, and how it sums its products, once for each instruction set.
#pragma once

#include <array>
#include <cstddef>

#include <deconvnet/kernels/element.hpp>  // its fuse()
#include <deconvnet/kernels/patches.hpp>

namespace deconvnet::kernels {

/// Rows of k per block: a packed panel of 48 floats by 160 is 31 kB and stays in the first-level cache while all rows of
/// A pass by. The sums of the blocks are added up: a rounding error that grows with the square root of 160, not of the
/// whole depth.
inline constexpr std::size_t depth_block = 160;

/// Where the rows of a block lie that are `Pitch` apart.
template <std::size_t Pitch>
inline constexpr auto pitched_rows = [] {
  std::array<std::size_t, depth_block> rows{};
  for (std::size_t k = 0; k < depth_block; ++k) rows[k] = k * Pitch;
  return rows;
}();

/// A as it lies in memory, which full tiles read and leave packed: A[r][k] = data[r pitch + columns[k]].
template <class T>
struct unpacked_rows {
  const T* data;
  std::size_t pitch;
  const std::size_t* columns;
  T* packed;
};

/// Tiles of C below each other, each (rows x vectors of lanes) = start or C, + A B over `depth`. A is packed, the rows of a
/// tile side by side: A[r][k] = a[k rows + r], `a_pitch` from tile to tile; or becomes so. B is read row by row, each a run
/// of vectors.
/// Every element is summed in the order of k, one product after the other, beginning with `start`, or with 0 where what C holds
/// is added last. The tile it falls into changes no bit.
template <class T>
struct gemm_tile_arguments {
  std::size_t depth;
  std::size_t tiles;
  const T* a;
  std::size_t a_pitch;
  const T* b;
  const std::size_t* b_rows;  // row k of B begins at b + b_rows[k]
  std::size_t b_ahead;  // elements from there to what is read soon, for the first two tiles to fetch; or 0
  T* copy;              // of B without gaps, for the first of two full tiles or more to leave and the others to read; or null
  T* c;
  std::size_t ldc;
  std::size_t c_ahead;  // elements from there to what is written soon
  bool begins;     // with `start`; else with what C holds
  const T* start;  // one value per row; null: 0
  bool rectify;    // max(result, 0), NaN stays NaN
  const unpacked_rows<T>* unpacked = nullptr;  // in place of `a`, for full tiles; or null
  const masked_rows<T>* masked = nullptr;      // in place of `b`, for the first of full tiles, which leaves `copy`; or null
};

#define DECONVNET_KERNEL_FILE <deconvnet/kernels/gemm_sums.inc>
#include <deconvnet/kernels/each_level.inc>
#undef DECONVNET_KERNEL_FILE

}  // namespace deconvnet::kernels
