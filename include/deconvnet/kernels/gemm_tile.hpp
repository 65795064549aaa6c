// Micro-kernels of the matrix product, one set for each instruction set, chosen at run time.
#pragma once

#include <cstddef>

#include <deconvnet/kernels/gemm_sums.hpp>
#include <deconvnet/kernels/level.hpp>
#include <deconvnet/kernels/patches.hpp>

namespace deconvnet::kernels {

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
