// Columns of a convolution to three maps, by a ring of the signal's rows.
#pragma once

#include <algorithm>
#include <cstddef>

#include <deconvnet/kernels/three_map_problem.hpp>
#include <deconvnet/kernels/three_maps_tile.hpp>
#include <deconvnet/kernels/workspace.hpp>

namespace deconvnet::kernels::detail {

/// The ring of rows that some columns of a convolution to three maps read.
struct ring_of_rows {
  std::size_t slots;  // rows of a channel: those under the kernel, and one that is copied
  std::size_t pitch;  // from row to row: whole lines of the cache, an odd number of them, as rows below each other share few sets then
  std::size_t block;  // channels that are summed at once

  std::size_t block_size() const { return slots * pitch * block; }
};

template <class T>
ring_of_rows make_ring_of_rows(const three_map_problem& p, std::size_t columns) {
  constexpr std::size_t line = 64 / sizeof(T);
  const std::size_t lanes = current_three_maps_kernels<T>().lanes, whole = (columns + lanes - 1) / lanes * lanes;
  return {p.reach_down() + 2, ((whole + p.reach_right() + line - 1) / line | 1) * line, channels_at_once(p)};
}

/// Columns that share a ring, so that it stays about in the second-level cache: whole tiles, one at least.
template <class T>
std::size_t columns_of_a_strip(const three_map_problem& p) {
  constexpr std::size_t largest = (std::size_t{1} << 19) / sizeof(T);
  const std::size_t strips = (make_ring_of_rows<T>(p, p.out_width).block_size() + largest - 1) / largest;
  const std::size_t tile = current_three_maps_kernels<T>().tile_width();
  return ((p.out_width + strips - 1) / strips + tile - 1) / tile * tile;
}

/// The rows of the signal that an output row reads are copied with their padding, a ring of them for each channel that moves down
/// row by row; tiles of three maps by four registers read them under every tap, and copy the row that comes next. Against products
/// first and sums then: no product is written. Every output is summed in blocks of channels, each in the order of channels and taps,
/// whatever band, strip or tile it falls into.
template <class T>
class strip_of_three_maps {
 public:
  /// Columns [column, column + columns) of the three maps.
  strip_of_three_maps(const three_map_problem& p, const three_map_operands<T>& of, std::size_t column, std::size_t columns)
      : p_(p), of_(of), column_(column), columns_(columns), left_(p.left - static_cast<std::ptrdiff_t>(column)),
        tiles_(current_three_maps_kernels<T>()), ring_(make_ring_of_rows<T>(p, columns)),
        begin_(place_in_row(p, left_, columns, 0)), end_(place_in_row(p, left_, columns, p.width)) {}

  /// Rows [first, last) of three maps, by as many blocks of channels at once as stay in the second-level cache, one at least.
  void fill(std::size_t piece, std::size_t first, std::size_t last) const {
    const std::size_t blocks = std::max<std::size_t>(1, most_kept_of_signal<T> / ring_.block_size());
    const std::size_t at_once = std::min(p_.channels, blocks * ring_.block);
    T* const signal_rows = workspace<struct rows_of_signal, T>(at_once * channel_pitch());
    std::size_t* places = workspace<struct rows_in_ring, std::size_t>(p_.kernel_height);
    for (std::size_t channel = 0; channel < p_.channels; channel += at_once) {
      const channel_range range{piece, channel, std::min(p_.channels, channel + at_once), signal_rows, places};
      clear_margins(range);
      for (std::size_t y = first; y <= first + p_.reach_down(); ++y) copy_row(range, y, 0);
      for (std::size_t y = first; y < last; ++y) {
        const std::size_t copied = sum_row(range, y, y + 1 < last);
        if (y + 1 < last) copy_row(range, y + p_.reach_down() + 1, copied);
      }
    }
  }

 private:
  /// Channels [first, last) of one group of one image.
  struct channel_range {
    std::size_t piece, first, last;
    T* ring;
    std::size_t* rows;
  };

  std::size_t channel_pitch() const { return ring_.slots * ring_.pitch; }
  std::size_t column_count() const { return end_ - begin_; }

  /// What row y of the padded signal holds between its margins, or null where it is padding.
  const T* row_of(const channel_range& range, std::size_t y) const {
    const T* const row = signal_row(p_, of_.maps + (range.piece * p_.channels + range.first) * p_.height * p_.width, y);
    return row && column_count() != 0 ? row + (static_cast<std::ptrdiff_t>(begin_) - left_) : nullptr;
  }

  /// The place in the ring of the same.
  T* place_of(const channel_range& range, std::size_t y) const { return range.ring + y % ring_.slots * ring_.pitch + begin_; }

  void clear_margins(const channel_range& range) const {
    T* row = range.ring;
    for (std::size_t k = 0; k < (range.last - range.first) * ring_.slots; ++k, row += ring_.pitch) {
      std::fill(row, row + begin_, T(0));
      clear_behind(row);
    }
  }

  void clear_behind(T* row) const {
    for (std::size_t x = end_; x < columns_ + p_.reach_right(); ++x) row[x] = T(0);
  }

  /// Row y of the padded signal to the ring, from column `first` on.
  void copy_row(const channel_range& range, std::size_t y, std::size_t first) const {
    if (first == column_count()) return;
    const T* from = row_of(range, y);
    T* to = place_of(range, y);
    for (std::size_t channel = range.first; channel < range.last; ++channel, to += channel_pitch()) {
      if (from) {
        std::copy(from + first, from + column_count(), to + first);
        from += p_.height * p_.width;
      } else {
        std::fill(to + first, to + column_count(), T(0));
      }
    }
  }

  /// Where the rows of the kernel read for row y.
  void place_rows(const channel_range& range, std::size_t y) const {
    for (std::size_t ky = 0; ky < p_.kernel_height; ++ky) range.rows[ky] = (y + ky * p_.dilation_height) % ring_.slots * ring_.pitch;
  }

  /// What the channels add to row y of the maps. Where another row follows, tiles copy what the row after this one lacks; returns
  /// how many columns of it.
  std::size_t sum_row(const channel_range& range, std::size_t y, bool goes_on) const {
    const std::size_t lanes = tiles_.lanes, plane = p_.out_height * p_.out_width, signal_plane = p_.height * p_.width;
    place_rows(range, y);
    const std::size_t lacking = y + p_.reach_down() + 1;
    const T* next = goes_on ? row_of(range, lacking) : nullptr;
    const std::size_t ahead = next && row_of(range, lacking + 1) ? p_.width : 0;
    T* const kept = place_of(range, lacking);
    // The last tile may read and write more columns than there are, where they belong to the maps and the ring.
    const T* const end = of_.maps + p_.images * p_.groups * p_.channels * signal_plane;
    const std::size_t readable = next ? static_cast<std::size_t>(end - next) - (range.last - range.first - 1) * signal_plane : 0;
    const std::size_t most_copied = std::min(readable, ring_.pitch - begin_);
    T* ends = workspace<struct end_of_row, T>(three_map_problem::maps * tiles_.tile_width());
    std::size_t copied = 0;
    for (std::size_t x = 0; x < columns_;) {
      // As many registers in each tile as in the others: fewer sums wait for each other.
      const std::size_t vectors_left = (columns_ - x + lanes - 1) / lanes, tiles_left = (vectors_left + 3) / 4;
      const std::size_t vectors = (vectors_left + tiles_left - 1) / tiles_left;
      const std::size_t width = vectors * lanes, places = std::min(width, columns_ - x);
      T* to = of_.out + range.piece * three_map_problem::maps * plane + y * p_.out_width + column_ + x;
      const bool whole = places == width, copies = x + width <= most_copied;
      if (copies) copied = x + width;
      if (!whole && range.first != 0) copy_maps(to, plane, places, ends, width);
      for (std::size_t channel = range.first; channel < range.last; channel += ring_.block) {
        const std::size_t k = channel - range.first, channels = std::min(ring_.block, range.last - channel);
        T* const rows = range.ring + k * channel_pitch();
        // Where there is nothing to copy, what the ring holds is copied to its own place.
        T* const here = copies ? kept + k * channel_pitch() + x : rows;
        three_maps_tile<T> tile = tile_of_channels(p_, of_, range.piece, channel, channels);
        tile.maps = rows + x;
        tile.pitch = channel_pitch();
        tile.rows = range.rows;
        tile.next = copies ? next + k * signal_plane + x : here;
        tile.next_pitch = copies ? signal_plane : channel_pitch();
        tile.ahead = copies ? ahead : 0;
        tile.kept = here;
        tile.out = whole ? to : ends;
        tile.out_pitch = whole ? plane : width;
        tiles_.sum[vectors - 1](tile);
      }
      if (!whole) copy_maps(ends, width, places, to, plane);
      x += places;
    }
    if (copied <= column_count()) return copied;
    for (std::size_t k = 0; k < range.last - range.first; ++k) clear_behind(kept - begin_ + k * channel_pitch());
    return column_count();
  }

  static void copy_maps(const T* from, std::size_t from_pitch, std::size_t width, T* to, std::size_t to_pitch) {
    for (std::size_t map = 0; map < three_map_problem::maps; ++map) std::copy_n(from + map * from_pitch, width, to + map * to_pitch);
  }

  const three_map_problem& p_;
  const three_map_operands<T>& of_;
  const std::size_t column_, columns_;
  const std::ptrdiff_t left_;  // the strip's first output reads the columns from -left_ on
  const three_maps_kernels<T> tiles_;
  const ring_of_rows ring_;
  const std::size_t begin_, end_;  // of the signal in a row of the ring; margins are zero
};

}  // namespace deconvnet::kernels::detail
