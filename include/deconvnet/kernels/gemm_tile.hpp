// Micro-kernels of the matrix product, one set for each instruction set, chosen at run time.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>

#include <deconvnet/kernels/element.hpp>  // its fuse()
#include <deconvnet/kernels/level.hpp>
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

/// The kernels of one instruction set: run[log2 of the rows][vectors - 1]. A full tile has `rows` x 3 `lanes`.
template <class T>
struct gemm_tile_set {
  using kernel = void (*)(const gemm_tile_arguments<T>&);
  std::size_t rows, lanes;
  kernel run[4][3];
  const std::size_t* packed_rows[3];  // by vectors - 1: b_rows of a panel without gaps, up to depth_block; known by address
  void (*pack)(const pack_arguments<T>&);
  bool knows_masked_rows;

  std::size_t largest_step() const { return rows == 8 ? 3 : 2; }
};

#define DECONVNET_KERNEL_FILE <deconvnet/kernels/gemm_tile.inc>
#include <deconvnet/kernels/each_level.inc>
#undef DECONVNET_KERNEL_FILE

/// The kernels of the level in use.
template <class T>
gemm_tile_set<T> current_gemm_tiles() {
#if defined(__x86_64__)
  switch (current_level()) {
    case kernel_level::avx512:
      return avx512_kernels::gemm_tiles<T>();
    case kernel_level::avx2:
      return avx2_kernels::gemm_tiles<T>();
    default:
      break;
  }
#endif
  return DECONVNET_PORTABLE_KERNELS::gemm_tiles<T>();
}

}  // namespace deconvnet::kernels
