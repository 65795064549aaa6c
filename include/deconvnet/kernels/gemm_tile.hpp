// Micro-kernels of the matrix product, one set for each instruction set, chosen at run time.
#pragma once

#include <cstddef>
#include <cstdint>

#include <deconvnet/kernels/level.hpp>
#include <deconvnet/kernels/patches.hpp>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace deconvnet::kernels {

/// One tile of C (rows x vectors of lanes) += A B over `depth`. A is read where it lies, one value broadcast at a time:
/// A[r][k] = a[r lda + offsets[k]], so that weights serve the forward pass and, transposed and flipped, the way down
/// without a second copy. B is read row by row, each a run of vectors. Every element is summed in the order of k, one
/// product after the other, beginning with 0; `start` or what C holds is added last. The tile it falls into changes no bit.
template <class T>
struct gemm_tile_arguments {
  std::size_t depth;
  const T* a;
  std::size_t lda;
  const std::size_t* offsets;  // not read where they are 0, 1, 2 ...: those kernels take none
  const T* b;
  std::size_t ldb;
  T* c;
  std::size_t ldc;
  const T* start;  // one value per row to add; null: add what C holds
  bool rectify;    // max(result, 0), NaN stays NaN
};

/// The kernels of one instruction set: run[log2 of the rows][whether offsets[k] is k][vectors - 1]. A full tile has `rows` x
/// 3 `lanes`.
template <class T>
struct gemm_tile_set {
  using kernel = void (*)(const gemm_tile_arguments<T>&);
  std::size_t rows, lanes;
  kernel run[4][2][3];
  void (*pack)(const pack_arguments<T>&);
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

// The portable set is named after the flags of the translation unit: two of them, compiled with different -march, must
// not share one inline function.
#if defined(__AVX512F__)
#define DECONVNET_PORTABLE portable_built_for_avx512
#elif defined(__AVX2__)
#define DECONVNET_PORTABLE portable_built_for_avx2
#elif defined(__AVX__)
#define DECONVNET_PORTABLE portable_built_for_avx
#else
#define DECONVNET_PORTABLE portable
#endif

namespace DECONVNET_PORTABLE {
#define DECONVNET_VECTOR_BYTES 16
#define DECONVNET_TILE_ROWS 4
#define DECONVNET_KEEP_IN_REGISTER(v)
template <class V>
V fused(V a, V b, V c) {
  return a * b + c;
}
#include <deconvnet/kernels/gemm_tile.inc>
#undef DECONVNET_VECTOR_BYTES
#undef DECONVNET_TILE_ROWS
#undef DECONVNET_KEEP_IN_REGISTER
}  // namespace DECONVNET_PORTABLE

#if defined(__x86_64__)
#define DECONVNET_KEEP_IN_REGISTER(v) asm("" : "+v"(v))  // or the compiler reads B from memory once per row

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif
namespace avx2 {
#define DECONVNET_VECTOR_BYTES 32
#define DECONVNET_TILE_ROWS 4
inline __m256 fused(__m256 a, __m256 b, __m256 c) { return _mm256_fmadd_ps(a, b, c); }
inline __m256d fused(__m256d a, __m256d b, __m256d c) { return _mm256_fmadd_pd(a, b, c); }
#include <deconvnet/kernels/gemm_tile.inc>
#undef DECONVNET_VECTOR_BYTES
#undef DECONVNET_TILE_ROWS
}  // namespace avx2
#if defined(__clang__)
#pragma clang attribute pop
#pragma clang attribute push(__attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma"))), apply_to = function)
#else
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")
#endif
namespace avx512 {
#define DECONVNET_VECTOR_BYTES 64
#define DECONVNET_TILE_ROWS 8
inline __m512 fused(__m512 a, __m512 b, __m512 c) { return _mm512_fmadd_ps(a, b, c); }
inline __m512d fused(__m512d a, __m512d b, __m512d c) { return _mm512_fmadd_pd(a, b, c); }
#include <deconvnet/kernels/gemm_tile.inc>
#undef DECONVNET_VECTOR_BYTES
#undef DECONVNET_TILE_ROWS
}  // namespace avx512
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
gemm_tile_set<T> current_gemm_tiles() {
#if defined(__x86_64__)
  switch (current_level()) {
    case kernel_level::avx512:
      return avx512::gemm_tiles<T>();
    case kernel_level::avx2:
      return avx2::gemm_tiles<T>();
    default:
      break;
  }
#endif
  return DECONVNET_PORTABLE::gemm_tiles<T>();
}
#undef DECONVNET_PORTABLE

}  // namespace deconvnet::kernels
