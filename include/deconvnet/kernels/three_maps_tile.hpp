// A row of three maps, some registers of it at a time: what a convolution to an image's colours is made of.
#pragma once

#include <concepts>
#include <cstddef>

#include <deconvnet/kernels/element.hpp>  // its fuse()
#include <deconvnet/kernels/level.hpp>
#include <deconvnet/kernels/patches.hpp>  // its vector_of

namespace deconvnet::kernels {

/// sum[m][j] = start, or 0, + sum over channel, ky, kx of weight[((channel KH + ky) KW + kx) 3 + m]
/// maps[channel pitch + rows[ky] + kx dilation + j]; then out[m out_pitch + j] = sum, or where it does not begin, out + sum; then
/// max(out, 0) on request, NaN stays NaN. For places j of whole registers, in the order of channels, rows of the kernel and taps.
/// Meanwhile kept[channel pitch + j] = next[channel next_pitch + j], for a later row: what waits for memory costs little between
/// products.
template <class T>
struct three_maps_tile {
  std::size_t channels, kernel_height, kernel_width, dilation;
  const T* weight;
  const T* maps;
  std::size_t pitch;
  const std::size_t* rows;
  const T* next;
  std::size_t next_pitch;
  std::size_t ahead;  // elements from next to what is read soon
  T* kept;            // a row that is not read here, or next itself
  T* out;
  std::size_t out_pitch;
  bool begins;
  const T* start;  // one value per map; null: 0
  bool rectify;
};

/// The kernels of one instruction set, by registers - 1.
template <class T>
struct three_maps_kernels {
  std::size_t lanes;
  std::size_t tile_width() const { return 4 * lanes; }
  void (*sum[4])(const three_maps_tile<T>&);
};

#define DECONVNET_KERNEL_FILE <deconvnet/kernels/three_maps_tile.inc>
#include <deconvnet/kernels/each_level.inc>
#undef DECONVNET_KERNEL_FILE

/// The kernels of the level in use.
template <class T>
three_maps_kernels<T> current_three_maps_kernels() {
#if defined(__x86_64__)
  switch (current_level()) {
    case kernel_level::avx512: return avx512_kernels::make_three_maps_kernels<T>();
    case kernel_level::avx2: return avx2_kernels::make_three_maps_kernels<T>();
    default: break;
  }
#endif
  return DECONVNET_PORTABLE_KERNELS::make_three_maps_kernels<T>();
}

}  // namespace deconvnet::kernels
