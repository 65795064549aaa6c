// Micro-kernels of the matrix product, one set for each instruction set, chosen at run time.
#pragma once

#include <cstddef>
#include <cstdint>

#include <deconvnet/kernels/element.hpp>  // its fuse()
#include <deconvnet/kernels/level.hpp>
#include <deconvnet/kernels/patches.hpp>

namespace deconvnet::kernels {

/// Tiles of C below each other, each (rows x vectors of lanes) = start or C, + A B over `depth`. A is packed, the rows of a
/// tile side by side: A[r][k] = a[k rows + r], `a_pitch` from tile to tile. B is read row by row, each a run of vectors.
/// Every element is summed in the order of k, one product after the other, beginning with 0; `start` or what C holds is
/// added last. The tile it falls into changes no bit.
template <class T>
struct gemm_tile_arguments {
  std::size_t depth;
  std::size_t tiles;
  const T* a;
  std::size_t a_pitch;
  const T* b;
  std::size_t ldb;
  T* c;
  std::size_t ldc;
  bool begins;     // with `start`; else with what C holds
  const T* start;  // one value per row; null: 0
  bool rectify;    // max(result, 0), NaN stays NaN
};

/// The kernels of one instruction set: run[log2 of the rows][vectors - 1]. A full tile has `rows` x 3 `lanes`.
template <class T>
struct gemm_tile_set {
  using kernel = void (*)(const gemm_tile_arguments<T>&);
  std::size_t rows, lanes;
  kernel run[4][3];
  void (*pack)(const pack_arguments<T>&);

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
