// Convolutions of stride 1 to three maps, an image's colours above all: which they are, and their weights.
#pragma once

#include <algorithm>
#include <cstddef>

#include <deconvnet/kernels/convolution_geometry.hpp>
#include <deconvnet/kernels/gemm_tile.hpp>  // its depth_block
#include <deconvnet/kernels/three_maps_tile.hpp>

namespace deconvnet::kernels {

/// A convolution of stride 1 to three maps for each group: the forward pass, or the way down, whose filters are flipped. Output
/// (i, j) reads the places from (i - top, j - left) on.
struct three_map_problem {
  std::size_t images, groups, channels;  // of one group
  std::size_t height, width, out_height, out_width;
  std::size_t kernel_height, kernel_width, dilation_height, dilation_width;
  std::ptrdiff_t top, left;

  static constexpr std::size_t maps = 3;
  std::size_t taps() const { return kernel_height * kernel_width; }
  /// Rows and columns between the first tap and the last.
  std::size_t reach_down() const { return (kernel_height - 1) * dilation_height; }
  std::size_t reach_right() const { return (kernel_width - 1) * dilation_width; }
};

inline three_map_problem three_maps_forward(const convolution_problem& p) {
  const auto& g = p.geometry;
  return {p.images, p.groups, g.channels, g.height, g.width, g.out_height, g.out_width, g.kernel_height, g.kernel_width, g.dilation_height,
          g.dilation_width, static_cast<std::ptrdiff_t>(g.padding_top), static_cast<std::ptrdiff_t>(g.padding_left)};
}

inline three_map_problem three_maps_transposed(const convolution_problem& p) {
  const auto& g = p.geometry;
  three_map_problem down{p.images, p.groups, p.filters, g.out_height, g.out_width, g.height, g.width, g.kernel_height, g.kernel_width,
                         g.dilation_height, g.dilation_width, 0, 0};
  down.top = static_cast<std::ptrdiff_t>(down.reach_down()) - static_cast<std::ptrdiff_t>(g.padding_top);
  down.left = static_cast<std::ptrdiff_t>(down.reach_right()) - static_cast<std::ptrdiff_t>(g.padding_left);
  return down;
}

/// The weights of one group as convolve_to_three_maps reads them, channels x KH x KW x 3. weight: element (map, channel, tap) at
/// map map_pitch + channel channel_pitch + tap; `flipped`: taps in reverse order.
template <class T>
void pack_three_maps(const three_map_problem& p, const T* weight, std::size_t map_pitch, std::size_t channel_pitch, bool flipped, T* packed) {
  const std::size_t taps = p.taps();
  for (std::size_t channel = 0; channel < p.channels; ++channel) {
    for (std::size_t tap = 0; tap < taps; ++tap) {
      const T* from = weight + channel * channel_pitch + (flipped ? taps - 1 - tap : tap);
      for (std::size_t map = 0; map < three_map_problem::maps; ++map) *packed++ = from[map * map_pitch];
    }
  }
}

/// Whether a convolution goes this way. Of a dilated kernel the ring keeps rows and columns too that no tap reads: few of them.
inline bool goes_to_three_maps(const three_map_problem& p, std::size_t maps) {
  return maps == three_map_problem::maps && p.taps() > 1 && p.reach_down() <= 32 && p.reach_right() <= 32;
}

/// Whether the forward pass goes this way: a matrix product of three rows leaves half of its registers empty.
inline bool leads_to_three_maps(const convolution_problem& p) {
  return p.geometry.is_unstrided() && goes_to_three_maps(three_maps_forward(p), p.filters);
}

/// Whether the way down does. On maps below 12 places wide products first and sums then (transposed_gather.hpp) are faster, up to twice as
/// fast; they go the same way, as a part of a map must have the bits of the whole under direct.
inline bool leads_down_to_three_maps(const convolution_problem& p) {
  return p.geometry.is_unstrided() && goes_to_three_maps(three_maps_transposed(p), p.geometry.channels);
}

namespace detail {

/// Where column x of the signal, or its nearest end, lies in what `columns` outputs read of a row, from column -left on.
inline std::size_t place_in_row(const three_map_problem& p, std::ptrdiff_t left, std::size_t columns, std::size_t x) {
  const auto width = static_cast<std::ptrdiff_t>(columns + p.reach_right());
  return static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(static_cast<std::ptrdiff_t>(x) + left, 0, width));
}

/// Channels that are summed before they are added to what the channels before have made.
inline std::size_t channels_at_once(const three_map_problem& p) { return std::clamp<std::size_t>(4 * depth_block / p.taps(), 1, p.channels); }

/// Elements of the signal that are kept at once, where that is a matter of choice: they stay in the second-level cache.
template <class T>
constexpr std::size_t most_kept_of_signal = (std::size_t{1} << 18) / sizeof(T);

/// What is convolved with what, and where to.
template <class T>
struct three_map_operands {
  const T* maps;
  const T* packed;
  const T* bias;  // one per map, or null
  T* out;
  bool rectify;
};

/// What tiles of `channels` channels from `channel` on have in common, wherever they read and write. piece: a group of an image.
template <class T>
three_maps_tile<T> tile_of_channels(const three_map_problem& p, const three_map_operands<T>& of, std::size_t piece, std::size_t channel,
                                    std::size_t channels) {
  const std::size_t group = piece % p.groups;
  three_maps_tile<T> tile{};
  tile.channels = channels;
  tile.kernel_height = p.kernel_height;
  tile.kernel_width = p.kernel_width;
  tile.dilation = p.dilation_width;
  tile.weight = of.packed + (group * p.channels + channel) * p.taps() * three_map_problem::maps;
  tile.begins = channel == 0;
  tile.start = of.bias ? of.bias + group * three_map_problem::maps : nullptr;
  tile.rectify = of.rectify && channel + channels == p.channels;
  return tile;
}

/// Row y of the padded signal in one map, or null where it is padding.
template <class T>
const T* signal_row(const three_map_problem& p, const T* map, std::size_t y) {
  const auto row = static_cast<std::ptrdiff_t>(y) - p.top;
  return row < 0 || row >= static_cast<std::ptrdiff_t>(p.height) ? nullptr : map + static_cast<std::size_t>(row) * p.width;
}

}  // namespace detail

}  // namespace deconvnet::kernels
