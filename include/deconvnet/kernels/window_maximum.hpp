// The maxima of a row of windows and where they lie, in vectors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

#include <deconvnet/kernels/level.hpp>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace deconvnet::kernels {

/// A place that no window has: all its values were minus infinity, none was greater than what was there before.
inline constexpr std::uint32_t no_place = UINT32_MAX;

/// A row of windows over a map that has been copied with borders of minus infinity: row y of the map begins at map + y
/// pitch, its column x lies at x + border. Window k has its first column at `stride` k (1 or 2) of the copy; tap (i, j) is
/// i step_y rows and j step_x columns further. Rows may be read 2 registers past the last window.
template <class T>
struct window_row {
  const T* map;
  std::size_t pitch, border, width;  // of the map, without borders
  std::size_t first_y, taps_y, step_y;
  std::size_t taps_x, step_x, stride;
  std::size_t windows;
  T* to;
  std::size_t room;         // elements that may be written from `to` on: the windows, and what is written later
  std::uint32_t* places;    // y * width + x of the first maximum; null: not wanted
};

/// The maxima over `taps_y` rows, `pitch` apart, of each of `width` columns.
template <class T>
struct column_maxima {
  const T* map;
  std::size_t pitch, taps_y, width;
  T* to;
};

template <class T>
struct window_maximum_kernels {
  std::size_t lanes;
  void (*row)(const window_row<T>&);
  void (*columns)(const column_maxima<T>&);
};

#define DECONVNET_KERNEL_FILE <deconvnet/kernels/window_maximum.inc>
#include <deconvnet/kernels/each_level.inc>
#undef DECONVNET_KERNEL_FILE

/// The kernels of the level in use.
template <class T>
window_maximum_kernels<T> current_window_maximum() {
#if defined(__x86_64__)
  switch (current_level()) {
    case kernel_level::avx512: return avx512_kernels::make_window_maximum<T>();
    case kernel_level::avx2: return avx2_kernels::make_window_maximum<T>();
    default: break;
  }
#endif
  return DECONVNET_PORTABLE_KERNELS::make_window_maximum<T>();
}

}  // namespace deconvnet::kernels
