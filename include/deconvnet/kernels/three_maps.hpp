// Convolutions of stride 1 to three maps: the way down to an image's colours.
#pragma once

#include <algorithm>
#include <cstddef>

#include <deconvnet/kernels/convolution_geometry.hpp>
#include <deconvnet/kernels/gemm_tile.hpp>  // its depth_block
#include <deconvnet/kernels/parallel_for.hpp>
#include <deconvnet/kernels/three_maps_tile.hpp>
#include <deconvnet/kernels/workspace.hpp>

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
  std::size_t depth() const { return channels * taps(); }
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

/// The weights of one group as convolution_to_three_maps reads them, channels x KH x KW x 3. weight: element (map, channel, tap) at
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

/// Whether the forward pass goes this way. A matrix product of three rows leaves half of its registers empty.
inline bool leads_to_three_maps(const convolution_problem& p) {
  return p.geometry.is_unstrided() && p.geometry.taps() > 1 && p.filters == three_map_problem::maps;
}

/// Whether the way down does: against products first and sums then, whose sums cost as much as 24 products per tap, but which leave no
/// register of a narrow map's rows empty.
template <class T>
bool leads_down_to_three_maps(const convolution_problem& p) {
  const auto& g = p.geometry;
  const std::size_t tile = 4 * current_three_maps_kernels<T>().lanes;
  return g.is_unstrided() && g.taps() > 1 && g.channels == three_map_problem::maps &&
         (g.width + tile - 1) / tile * tile * p.filters <= g.width * (p.filters + 24);
}

namespace detail {

/// The rows of the signal that an output row reads are copied with their padding, a ring of them for each channel that moves down
/// row by row; tiles of three maps by four registers read them under every tap, and copy the row that comes next. Against products
/// first and sums then: no product is written. Every output is summed in blocks of channels, each in the order of channels and taps,
/// whatever band or tile it falls into.
template <class T>
class convolution_to_three_maps {
 public:
  /// packed: depth x 3 weights for each group; bias: one per map, or null.
  convolution_to_three_maps(const three_map_problem& p, const T* maps, const T* packed, const T* bias, T* out, bool rectify)
      : p_(p), maps_(maps), packed_(packed), bias_(bias), out_(out), rectify_(rectify), tiles_(current_three_maps_kernels<T>()),
        slots_(p.reach_down() + 2), pitch_(ring_pitch()), block_(std::clamp<std::size_t>(most_summed / p.taps(), 1, p.channels)),
        begin_(place_in_row(0)), end_(place_in_row(p.width)) {}

  void run() const {
    const std::size_t pieces = p_.images * p_.groups;
    const std::size_t wanted = thread_count() == 1 ? 1 : 2 * thread_count();
    const std::size_t bands = std::clamp<std::size_t>((wanted + pieces - 1) / pieces, 1, p_.out_height);
    const std::size_t band = (p_.out_height + bands - 1) / bands;
    parallel_for(pieces * bands, [&](std::size_t task) {
      const std::size_t piece = task / bands, first = task % bands * band;
      if (first < p_.out_height) fill(piece, first, std::min(p_.out_height, first + band));
    });
  }

 private:
  /// Whole lines of the cache, an odd number of them: rows below each other share few sets of it.
  std::size_t ring_pitch() const {
    constexpr std::size_t line = 64 / sizeof(T);
    const std::size_t lanes = tiles_.lanes, whole = (p_.out_width + lanes - 1) / lanes * lanes;
    return ((whole + p_.reach_right() + line - 1) / line | 1) * line;
  }

  /// Where column x of the signal lies in a padded row, or its nearest end.
  std::size_t place_in_row(std::size_t x) const {
    const auto width = static_cast<std::ptrdiff_t>(p_.out_width + p_.reach_right());
    return static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(static_cast<std::ptrdiff_t>(x) + p_.left, 0, width));
  }

  /// Rows [first, last) of three maps. Channels go in groups whose rows stay in the second-level cache.
  void fill(std::size_t piece, std::size_t first, std::size_t last) const {
    constexpr std::size_t most_kept = (std::size_t{1} << 18) / sizeof(T);
    const std::size_t at_once = std::min(p_.channels, std::max<std::size_t>(1, most_kept / (slots_ * pitch_ * block_)) * block_);
    T* ring = workspace<struct rows_of_signal, T>(at_once * slots_ * pitch_);
    std::size_t* rows = workspace<struct rows_in_ring, std::size_t>(p_.kernel_height);
    for (std::size_t channel = 0; channel < p_.channels; channel += at_once) {
      const group g{piece, channel, std::min(p_.channels, channel + at_once), ring, rows};
      clear_margins(g);
      for (std::size_t y = first; y <= first + p_.reach_down(); ++y) copy_row(g, y, 0);
      for (std::size_t y = first; y < last; ++y) {
        const std::size_t copied = sum_row(g, y, y + 1 < last);
        if (y + 1 < last) copy_row(g, y + p_.reach_down() + 1, copied);
      }
    }
  }

  /// Channels [first, last) of one group of one image.
  struct group {
    std::size_t piece, first, last;
    T* ring;
    std::size_t* rows;
  };

  std::size_t column_count() const { return end_ - begin_; }

  /// What row y of the padded signal holds between its margins, or null where it is padding.
  const T* row_of(const group& g, std::size_t y) const {
    const auto row = static_cast<std::ptrdiff_t>(y) - p_.top;
    if (row < 0 || row >= static_cast<std::ptrdiff_t>(p_.height) || column_count() == 0) return nullptr;
    return maps_ + ((g.piece * p_.channels + g.first) * p_.height + static_cast<std::size_t>(row)) * p_.width + (static_cast<std::ptrdiff_t>(begin_) - p_.left);
  }

  /// The place in the ring of the same.
  T* place_of(const group& g, std::size_t y) const { return g.ring + y % slots_ * pitch_ + begin_; }

  void clear_margins(const group& g) const {
    T* row = g.ring;
    for (std::size_t k = 0; k < (g.last - g.first) * slots_; ++k, row += pitch_) {
      std::fill(row, row + begin_, T(0));
      clear_behind(row);
    }
  }

  void clear_behind(T* row) const {
    for (std::size_t x = end_; x < p_.out_width + p_.reach_right(); ++x) row[x] = T(0);
  }

  /// Row y of the padded signal to the ring, from column `first` on.
  void copy_row(const group& g, std::size_t y, std::size_t first) const {
    if (first == column_count()) return;
    const T* from = row_of(g, y);
    T* to = place_of(g, y);
    for (std::size_t channel = g.first; channel < g.last; ++channel, to += slots_ * pitch_) {
      if (from) {
        std::copy(from + first, from + column_count(), to + first);
        from += p_.height * p_.width;
      } else {
        std::fill(to + first, to + column_count(), T(0));
      }
    }
  }

  /// Where the rows of the kernel read for row y.
  void place_rows(const group& g, std::size_t y) const {
    for (std::size_t ky = 0; ky < p_.kernel_height; ++ky) g.rows[ky] = (y + ky * p_.dilation_height) % slots_ * pitch_;
  }

  /// What the channels add to row y of the maps. Where another row follows, tiles copy what the row after this one lacks; returns
  /// how many columns of it.
  std::size_t sum_row(const group& g, std::size_t y, bool goes_on) const {
    const std::size_t plane = p_.out_height * p_.out_width, lanes = tiles_.lanes, of_group = g.piece % p_.groups, map = p_.height * p_.width;
    place_rows(g, y);
    const std::size_t lacking = y + p_.reach_down() + 1;
    const T* next = goes_on ? row_of(g, lacking) : nullptr;
    const std::size_t ahead = next && row_of(g, lacking + 1) ? p_.width : 0;
    T* const kept = place_of(g, lacking);
    // The last tile may read and write more columns than there are, where they belong to the maps and the ring.
    const T* const end = maps_ + p_.images * p_.groups * p_.channels * map;
    const std::size_t readable = next ? static_cast<std::size_t>(end - next) - (g.last - g.first - 1) * map : 0;
    const std::size_t most_copied = std::min(readable, pitch_ - begin_);
    T* ends = workspace<struct end_of_row, T>(three_map_problem::maps * 4 * lanes);
    std::size_t copied = 0;
    for (std::size_t x = 0; x < p_.out_width;) {
      // As many registers in each tile as in the others: fewer sums wait for each other.
      const std::size_t vectors_left = (p_.out_width - x + lanes - 1) / lanes, tiles_left = (vectors_left + 3) / 4;
      const std::size_t vectors = (vectors_left + tiles_left - 1) / tiles_left;
      const std::size_t width = vectors * lanes, places = std::min(width, p_.out_width - x);
      T* to = out_ + g.piece * three_map_problem::maps * plane + y * p_.out_width + x;
      const bool whole = places == width, copies = x + width <= most_copied;
      if (copies) copied = x + width;
      if (!whole && g.first != 0) copy_maps(to, plane, places, ends, width);
      for (std::size_t channel = g.first; channel < g.last; channel += block_) {
        const std::size_t k = channel - g.first, channels = std::min(block_, g.last - channel);
        T* const rows = g.ring + k * slots_ * pitch_;
        // Where there is nothing to copy, what the ring holds is copied to its own place.
        T* const here = copies ? kept + k * slots_ * pitch_ + x : rows;
        tiles_.sum[vectors - 1]({channels, p_.kernel_height, p_.kernel_width, p_.dilation_width,
                                 packed_ + (of_group * p_.channels + channel) * p_.taps() * three_map_problem::maps, rows + x,
                                 slots_ * pitch_, g.rows, copies ? next + k * map + x : here, copies ? map : slots_ * pitch_, copies ? ahead : 0,
                                 here, whole ? to : ends, whole ? plane : width, channel == 0,
                                 bias_ ? bias_ + of_group * three_map_problem::maps : nullptr, rectify_ && channel + channels == p_.channels});
      }
      if (!whole) copy_maps(ends, width, places, to, plane);
      x += places;
    }
    if (copied <= column_count()) return copied;
    for (std::size_t channel = g.first; channel < g.last; ++channel) clear_behind(kept - begin_ + (channel - g.first) * slots_ * pitch_);
    return column_count();
  }

  static void copy_maps(const T* from, std::size_t from_pitch, std::size_t width, T* to, std::size_t to_pitch) {
    for (std::size_t map = 0; map < three_map_problem::maps; ++map) std::copy_n(from + map * from_pitch, width, to + map * to_pitch);
  }

  /// Products that are summed before they are added to what the channels before have made.
  static constexpr std::size_t most_summed = 4 * depth_block;

  const three_map_problem& p_;
  const T* maps_;
  const T* packed_;
  const T* bias_;
  T* out_;
  const bool rectify_;
  const three_maps_kernels<T> tiles_;
  const std::size_t slots_, pitch_, block_;
  const std::size_t begin_, end_;  // of the signal in a row of the ring; margins are zero
};

}  // namespace detail

}  // namespace deconvnet::kernels
