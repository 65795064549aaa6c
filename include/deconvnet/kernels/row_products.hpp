// A few rows of a matrix times one vector: a fully connected layer on a single image, bound by the memory its rows lie in.
#pragma once

#include <cstddef>

#include <deconvnet/kernels/level.hpp>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace deconvnet::kernels {

inline constexpr int products_rows = 8;

/// y[r] += sum over k of weight[r pitch + k] x[k], r < products_rows, as the matrix product sums: blocks of `block` terms, each
/// in the order of k from 0 on, added up. Rows are turned in registers, so that no lane waits for another.
struct row_products_arguments {
  const float* weight;
  std::size_t pitch, depth, block;
  const float* x;
  float* y;
};

#define DECONVNET_KERNEL_FILE <deconvnet/kernels/row_products.inc>
#include <deconvnet/kernels/each_level.inc>
#undef DECONVNET_KERNEL_FILE

/// By the kernel of the level in use.
inline void multiply_rows(const row_products_arguments& p) {
#if defined(__x86_64__)
  switch (current_level()) {
    case kernel_level::avx512: return avx512_kernels::multiply_rows(p);
    case kernel_level::avx2: return avx2_kernels::multiply_rows(p);
    default: break;
  }
#endif
  DECONVNET_PORTABLE_KERNELS::multiply_rows(p);
}

}  // namespace deconvnet::kernels
