// Micro-kernels of the weight gradient, one set for each instruction set, chosen at run time.
#pragma once

#include <cstddef>
#include <cstdint>

#include <deconvnet/kernels/level.hpp>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace deconvnet::kernels {

/// sums[f][r][lane] += signal[f][k] patches[r][k] over k of that lane, k < length, a multiple of the lanes. The lanes are
/// added up once, at the end of all products: there is no horizontal sum in the loop.
template <class T>
struct product_tile {
  const T* signal;
  const T* patches;
  std::size_t pitch, length;
  T* sums;
};

/// Rows [first, last) of the small side, counted over images, as tap (shift_y, shift_x) of one channel reads them. Columns
/// [begin, end) lie on the map.
template <class T>
struct patch_row {
  const T* plane;  // of image 0
  std::size_t image_pitch;
  std::ptrdiff_t height, width, shift_y, shift_x;
  std::size_t stride_height, stride_width;
  std::size_t out_height, out_width, begin, end;
  std::size_t first, last;
  T* to;
};

template <class T>
struct weight_gradient_kernels {
  std::size_t filters, rows, lanes;  // of a tile
  void (*multiply)(const product_tile<T>&);
  void (*collect)(const patch_row<T>&);
  void (*copy)(const T*, T*, std::size_t);
};

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpragmas"
#pragma GCC diagnostic ignored "-Wunknown-warning-option"
#pragma GCC diagnostic ignored "-Wunknown-pragmas"
#pragma GCC diagnostic ignored "-Wpsabi"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

// Named after the flags of the translation unit, as in gemm_tile.hpp.
#if defined(__AVX512F__)
#define DECONVNET_PORTABLE portable_gradient_built_for_avx512
#elif defined(__AVX2__)
#define DECONVNET_PORTABLE portable_gradient_built_for_avx2
#elif defined(__AVX__)
#define DECONVNET_PORTABLE portable_gradient_built_for_avx
#else
#define DECONVNET_PORTABLE portable_gradient
#endif

namespace DECONVNET_PORTABLE {
#define DECONVNET_VECTOR_BYTES 16
#define DECONVNET_TILE_FILTERS 3
#define DECONVNET_TILE_ROWS 4
#define DECONVNET_KEEP_IN_REGISTER(v)
template <class V>
V fused(V a, V b, V c) {
  return a * b + c;
}
#include <deconvnet/kernels/weight_gradient_tile.inc>
#undef DECONVNET_VECTOR_BYTES
#undef DECONVNET_TILE_FILTERS
#undef DECONVNET_TILE_ROWS
#undef DECONVNET_KEEP_IN_REGISTER
}  // namespace DECONVNET_PORTABLE

#if defined(__x86_64__)
#define DECONVNET_KEEP_IN_REGISTER(v) asm("" : "+v"(v))

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif
namespace avx2_gradient {
#define DECONVNET_VECTOR_BYTES 32
#define DECONVNET_TILE_FILTERS 3
#define DECONVNET_TILE_ROWS 4
inline __m256 fused(__m256 a, __m256 b, __m256 c) { return _mm256_fmadd_ps(a, b, c); }
inline __m256d fused(__m256d a, __m256d b, __m256d c) { return _mm256_fmadd_pd(a, b, c); }
#include <deconvnet/kernels/weight_gradient_tile.inc>
#undef DECONVNET_VECTOR_BYTES
#undef DECONVNET_TILE_FILTERS
#undef DECONVNET_TILE_ROWS
}  // namespace avx2_gradient
#if defined(__clang__)
#pragma clang attribute pop
#pragma clang attribute push(__attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma"))), apply_to = function)
#else
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")
#endif
namespace avx512_gradient {
#define DECONVNET_VECTOR_BYTES 64
#define DECONVNET_TILE_FILTERS 4
#define DECONVNET_TILE_ROWS 6
inline __m512 fused(__m512 a, __m512 b, __m512 c) { return _mm512_fmadd_ps(a, b, c); }
inline __m512d fused(__m512d a, __m512d b, __m512d c) { return _mm512_fmadd_pd(a, b, c); }
#include <deconvnet/kernels/weight_gradient_tile.inc>
#undef DECONVNET_VECTOR_BYTES
#undef DECONVNET_TILE_FILTERS
#undef DECONVNET_TILE_ROWS
}  // namespace avx512_gradient
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#undef DECONVNET_KEEP_IN_REGISTER
#endif

#pragma GCC diagnostic pop

/// The kernels of the level in use.
template <class T>
weight_gradient_kernels<T> current_weight_gradient_kernels() {
#if defined(__x86_64__)
  switch (current_level()) {
    case kernel_level::avx512:
      return avx512_gradient::weight_gradient_set<T>();
    case kernel_level::avx2:
      return avx2_gradient::weight_gradient_set<T>();
    default:
      break;
  }
#endif
  return DECONVNET_PORTABLE::weight_gradient_set<T>();
}
#undef DECONVNET_PORTABLE

}  // namespace deconvnet::kernels
