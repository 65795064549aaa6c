// A convolution to three maps that are narrower than a tile.
#pragma once

#include <algorithm>
#include <cstddef>

#include <deconvnet/kernels/three_map_problem.hpp>
#include <deconvnet/kernels/three_maps_tile.hpp>
#include <deconvnet/kernels/workspace.hpp>

namespace deconvnet::kernels::detail {

/// Narrow maps: the rows of a band lie behind each other as one row, whose tiles no end of a row leaves empty. What lies right of a row
/// is what lies left of the next: zeros.
template <class T>
class narrow_three_maps {
 public:
  narrow_three_maps(const three_map_problem& p, const three_map_operands<T>& of)
      : p_(p), of_(of), tiles_(current_three_maps_kernels<T>()),
        begin_(place_in_row(p, p.left, p.out_width, 0)), end_(place_in_row(p, p.left, p.out_width, p.width)),
        pitch_(std::max({p.out_width, end_, p.out_width + p.reach_right() - begin_})) {}

  /// Bands of rows whose signal stays in the second-level cache; the rows that a band reads for another's sake too are no more than it
  /// writes.
  std::size_t least_bands() const {
    const std::size_t least_rows = std::max<std::size_t>(1, p_.reach_down());
    return std::min((size_of(p_.out_height) + most_kept_of_signal<T> - 1) / most_kept_of_signal<T>, (p_.out_height + least_rows - 1) / least_rows);
  }

  /// Rows [first, last) of three maps.
  void fill(std::size_t piece, std::size_t first, std::size_t last) const {
    const std::size_t rows = last - first, block = channels_at_once(p_), lanes = tiles_.lanes;
    const std::size_t places = (rows - 1) * pitch_ + p_.out_width, whole = (places + lanes - 1) / lanes * lanes;
    T* const signal = workspace<struct narrow_signal, T>(size_of(rows));
    T* const sums = workspace<struct narrow_sums, T>(three_map_problem::maps * whole);
    std::size_t* from = workspace<struct narrow_rows, std::size_t>(p_.kernel_height);
    for (std::size_t ky = 0; ky < p_.kernel_height; ++ky) from[ky] = ky * p_.dilation_height * pitch_;
    std::fill(signal, signal + size_of(rows), T(0));
    for (std::size_t channel = 0; channel < p_.channels; channel += block) {
      const std::size_t channels = std::min(block, p_.channels - channel);
      for (std::size_t k = 0; k < channels; ++k) {
        const T* const map = of_.maps + (piece * p_.channels + channel + k) * p_.height * p_.width;
        copy_rows(map, first, last + p_.reach_down(), signal + k * channel_pitch(rows));
      }
      for (std::size_t x = 0; x < places;) {
        const std::size_t vectors = std::min<std::size_t>(4, (whole - x) / lanes);
        three_maps_tile<T> tile = tile_of_channels(p_, of_, piece, channel, channels);
        tile.maps = signal + x;
        tile.pitch = tile.next_pitch = channel_pitch(rows);
        tile.rows = from;
        tile.next = tile.kept = signal;  // nothing to copy
        tile.out = sums + x;
        tile.out_pitch = whole;
        tiles_.sum[vectors - 1](tile);
        x += vectors * lanes;
      }
    }
    for (std::size_t map = 0; map < three_map_problem::maps; ++map) {
      T* to = of_.out + ((piece * three_map_problem::maps + map) * p_.out_height + first) * p_.out_width;
      for (std::size_t y = 0; y < rows; ++y, to += p_.out_width) std::copy_n(sums + map * whole + y * pitch_, p_.out_width, to);
    }
  }

 private:
  /// Elements that are kept for `rows` rows of the maps.
  std::size_t size_of(std::size_t rows) const { return channels_at_once(p_) * channel_pitch(rows); }

  /// Rows of a channel that `rows` outputs read, and what whole registers read behind them.
  std::size_t channel_pitch(std::size_t rows) const {
    return (rows + p_.reach_down()) * pitch_ + p_.reach_right() + tiles_.tile_width();
  }

  /// Rows [first, last) of the padded signal, but for those that are padding.
  void copy_rows(const T* map, std::size_t first, std::size_t last, T* to) const {
    for (std::size_t y = first; y < last; ++y, to += pitch_) {
      const T* const row = signal_row(p_, map, y);
      if (row && begin_ != end_) std::copy_n(row + (static_cast<std::ptrdiff_t>(begin_) - p_.left), end_ - begin_, to + begin_);
    }
  }

  const three_map_problem& p_;
  const three_map_operands<T>& of_;
  const three_maps_kernels<T> tiles_;
  const std::size_t begin_, end_;  // of the signal in a row
  const std::size_t pitch_;        // from row to row
};

}  // namespace deconvnet::kernels::detail
