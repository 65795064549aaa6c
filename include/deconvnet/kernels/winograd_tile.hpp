// The transforms of Winograd's F(4x4, 3x3) and F(2x2, 5x5), one set for each instruction set, chosen at run time.
#pragma once

#include <cstddef>

#include <deconvnet/kernels/level.hpp>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace deconvnet::kernels {

namespace winograd {

// m outputs of a filter g of r = 7 - m taps over d[0..5], in six products instead of m r: A^T ((G g) * (B^T d)).
// Two polynomials, of degree r - 1 and m - 1, are multiplied at the points 0, a, -a, b, -b and infinity and the transpose of that
// map is the filter (Toom and Cook; Winograd). With M(x) = x (x^2 - a^2) (x^2 - b^2) and M_p(x) = M(x) / (x - p):
//   row p of B^T    the coefficients of M_p, of x^0 first; of infinity: those of M
//   row p of G      (1, p, ..., p^(r-1)) / M_p(p); of infinity: (0, ..., 0, 1)
//   column p of A^T (1, p, ..., p^(m-1)); of infinity: (0, ..., 0, 1)
// Any points are exact over the reals. 5/8 and 3/2 have short fractions, so that B^T and A^T hold no rounded number, and lie
// so that the sums cancel less: a third of the textbook's error with 1 and 2.
inline constexpr float a = 5.0F / 8, b = 3.0F / 2;
inline constexpr float a2 = a * a, b2 = b * b, a3 = a2 * a, b3 = b2 * b, a2b2 = a2 * b2, sum2 = a2 + b2;
/// M_p(p): at 0, at +-a, at +-b.
inline constexpr double n0 = double{a2} * b2, na = 2 * double{a2} * (double{a2} - b2), nb = 2 * double{b2} * (double{b2} - a2);
inline constexpr float g0 = static_cast<float>(1 / n0);
inline constexpr float ga0 = static_cast<float>(1 / na), ga1 = static_cast<float>(a / na), ga2 = static_cast<float>(a2 / na);
inline constexpr float ga3 = static_cast<float>(double{a3} / na), ga4 = static_cast<float>(double{a2} * a2 / na);
inline constexpr float gb0 = static_cast<float>(1 / nb), gb1 = static_cast<float>(b / nb), gb2 = static_cast<float>(b2 / nb);
inline constexpr float gb3 = static_cast<float>(double{b3} / nb), gb4 = static_cast<float>(double{b2} * b2 / nb);

inline constexpr std::size_t taps = 36;   // 6 x 6 products per tile
inline constexpr std::size_t strip = 32;  // places side by side in a row that one call transforms, at most

/// m: outputs along a side of a tile, for filters of 3 x 3 or 5 x 5 taps.
constexpr std::size_t tile_side(std::size_t kernel) { return 7 - kernel; }

}  // namespace winograd

/// A strip of tiles of as many channels as a register has lanes, all there: tap t of tile k to `to` + t tap_pitch + k tile_pitch, the
/// channels side by side. The first tile reads 6 x 6 places from (y, x) on, the next ones lie a tile's side further right
/// each; places outside height x width are zero.
struct winograd_input {
  const float* maps;
  std::size_t plane_pitch;
  std::ptrdiff_t height, width;
  std::ptrdiff_t y, x;
  std::size_t tiles;
  float* to;
  std::size_t tap_pitch, tile_pitch;
};

/// The way back: `rows` x `columns` places of `channels` maps, of a strip of tiles.
struct winograd_output {
  const float* from;
  std::size_t tap_pitch, tile_pitch, tiles;
  const float* bias;  // as many as lanes
  bool rectify;
  std::size_t channels, rows, columns;
  float* to;
  std::size_t plane_pitch, row_pitch;
};

/// Filters, as many as lanes, over `depth` channels: tap t of channel d to `to` + t tap_pitch + d row_pitch, the
/// filters side by side and zero past `filters`.
struct winograd_filter {
  const float* weight;
  std::size_t filter_pitch, depth_pitch, filters, depth;
  bool flipped;
  float* to;
  std::size_t tap_pitch, row_pitch;
};

/// The transforms of one instruction set for filters of one size.
struct winograd_tile_set {
  std::size_t lanes;
  void (*input)(const winograd_input&);
  void (*output)(const winograd_output&);
  void (*filter)(const winograd_filter&);
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

// Vectors by value: only what is inlined into its own region may take them.
#define DECONVNET_INLINE inline __attribute__((always_inline))

// The portable set is named after the flags of the translation unit: see gemm_tile.hpp.
#if defined(__AVX512F__)
#define DECONVNET_PORTABLE winograd_portable_built_for_avx512
#elif defined(__AVX2__)
#define DECONVNET_PORTABLE winograd_portable_built_for_avx2
#elif defined(__AVX__)
#define DECONVNET_PORTABLE winograd_portable_built_for_avx
#else
#define DECONVNET_PORTABLE winograd_portable
#endif

namespace DECONVNET_PORTABLE {
#define DECONVNET_VECTOR_BYTES 16
template <class V>
DECONVNET_INLINE V fused(V x, V y, V z) {
  return x * y + z;
}
#include <deconvnet/kernels/winograd_tile.inc>
#undef DECONVNET_VECTOR_BYTES
}  // namespace DECONVNET_PORTABLE

#if defined(__x86_64__)
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif
namespace winograd_avx2 {
#define DECONVNET_VECTOR_BYTES 32
DECONVNET_INLINE __m256 fused(__m256 x, __m256 y, __m256 z) { return _mm256_fmadd_ps(x, y, z); }
#include <deconvnet/kernels/winograd_tile.inc>
#undef DECONVNET_VECTOR_BYTES
}  // namespace winograd_avx2
#if defined(__clang__)
#pragma clang attribute pop
#pragma clang attribute push(__attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma"))), apply_to = function)
#else
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")
#endif
namespace winograd_avx512 {
#define DECONVNET_VECTOR_BYTES 64
DECONVNET_INLINE __m512 fused(__m512 x, __m512 y, __m512 z) { return _mm512_fmadd_ps(x, y, z); }
#include <deconvnet/kernels/winograd_tile.inc>
#undef DECONVNET_VECTOR_BYTES
}  // namespace winograd_avx512
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#endif

#pragma GCC diagnostic pop

/// The transforms of a level for filters of `kernel` x `kernel` taps, 3 or 5.
inline winograd_tile_set winograd_tiles(kernel_level level, std::size_t kernel) {
#if defined(__x86_64__)
  if (level == kernel_level::avx512) return winograd_avx512::transforms(kernel);
  if (level == kernel_level::avx2) return winograd_avx2::transforms(kernel);
#endif
  static_cast<void>(level);
  return DECONVNET_PORTABLE::transforms(kernel);
}
#undef DECONVNET_PORTABLE
#undef DECONVNET_INLINE

}  // namespace deconvnet::kernels
