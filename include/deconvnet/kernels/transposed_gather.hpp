// The way down of strided convolutions, and to one or two channels, or three under taps that reach far.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include <deconvnet/kernels/convolution_geometry.hpp>
#include <deconvnet/kernels/element.hpp>
#include <deconvnet/kernels/gemm.hpp>
#include <deconvnet/kernels/parallel_for.hpp>
#include <deconvnet/kernels/workspace.hpp>

namespace deconvnet::kernels {

namespace detail {

/// Channels whose products with all taps are made at once, and a block of the packed weights: a multiple of every tile's rows,
/// with rows enough to pay for the packing of the signal.
inline std::size_t gathered_at_once(const convolution_problem& p) {
  constexpr std::size_t tile_rows = 8, paying_rows = 200;
  const std::size_t taps = p.geometry.taps();
  return std::min(p.geometry.channels, (paying_rows + tile_rows * taps - 1) / (tile_rows * taps) * tile_rows);
}

/// Rows of the product of `channels` channels: one for each tap, filled up to whole tiles.
inline std::size_t gathered_rows(const convolution_problem& p, std::size_t channels) { return (channels * p.geometry.taps() + 3) / 4 * 4; }

/// Rows of the packed weights of a group.
inline std::size_t gathered_rows(const convolution_problem& p) {
  const std::size_t channels = p.geometry.channels, at_once = gathered_at_once(p);
  return channels / at_once * gathered_rows(p, at_once) + gathered_rows(p, channels % at_once);
}

/// The way down by products first and sums then: channels x taps rows times the signal as it lies, with as many products as the
/// way up has, none with padding; what the taps hold is then added up, in the order of the signal's rows and of the taps in a
/// row. Rows of a map are split by the remainders of the stride meanwhile, so that what a tap adds lies side by side. A few
/// channels and images, or rows of an image, at a time: their products stay in the second-level cache until they are added.
template <class T>
class transposed_gather {
 public:
  /// One group: small and large are those of the group's first image.
  transposed_gather(const convolution_problem& p, const T* small, const T* packed, T* large)
      : p_(p), small_(small), packed_(packed), large_(large), phases_(std::min(p.geometry.stride_width, p.geometry.width)),
        phase_width_((p.geometry.width + p.geometry.stride_width - 1) / p.geometry.stride_width) {}

  void run() const {
    const std::size_t height = p_.geometry.height;
    const std::size_t at_once = gathered_at_once(p_);
    const std::size_t blocks = (p_.geometry.channels + at_once - 1) / at_once;
    const std::size_t together = std::clamp<std::size_t>(most_products / (gathered_rows(p_, at_once) * p_.geometry.pixels()), 1, p_.images);
    const std::size_t groups = (p_.images + together - 1) / together;
    // Bands of a map's rows where there is less to share out, or sums would take more than 16 MB of floats: the signal's rows
    // between them are multiplied for both.
    const std::size_t wanted = thread_count() == 1 ? 1 : 2 * thread_count();
    const std::size_t fitting = (together * at_once * p_.large_plane() + most_sums - 1) / most_sums;
    const std::size_t bands = std::min(height, std::max(fitting, (wanted + blocks * groups - 1) / (blocks * groups)));
    const std::size_t band = (height + bands - 1) / bands;
    parallel_for(groups * blocks * bands, [&](std::size_t task) {
      const std::size_t k = task % bands, block = task / bands % blocks, group = task / bands / blocks;
      const part at{group * together, std::min(p_.images, (group + 1) * together),  //
                    block * at_once,  std::min(at_once, p_.geometry.channels - block * at_once),
                    k * band,         std::min(height, (k + 1) * band)};
      if (at.first_row < at.last_row) fill(at);
    });
  }

 private:
  /// Rows [first_row, last_row) of maps of some images.
  struct part {
    std::size_t first_image, last_image, first_channel, channels, first_row, last_row;

    std::size_t images() const { return last_image - first_image; }
    std::size_t rows() const { return last_row - first_row; }
  };

  std::size_t row_size() const { return phases_ * phase_width_; }

  void fill(const part& at) const {
    const auto& g = p_.geometry;
    const std::size_t map_rows = at.images() * at.channels * at.rows();
    T* sums = workspace<struct gathered_maps, T>(map_rows * row_size());
    std::fill(sums, sums + map_rows * row_size(), T(0));
    // Rows of the signal that reach these: first <= i stride + ky dilation - padding < last for some ky.
    const std::size_t reach = (g.kernel_height - 1) * g.dilation_height;
    const std::size_t lowest = at.first_row + g.padding_top;
    const std::size_t begin = lowest > reach ? (lowest - reach + g.stride_height - 1) / g.stride_height : 0;
    const std::size_t end = std::min(g.out_height, (at.last_row - 1 + g.padding_top) / g.stride_height + 1);
    // Images that are together fit whole.
    const std::size_t step = at.images() > 1 ? g.out_height : std::max<std::size_t>(1, most_products / (gathered_rows(p_, at.channels) * g.out_width));
    for (std::size_t i = begin; i < end; i += step) add_rows(at, i, std::min(end, i + step), sums);
    for (std::size_t row = 0; row < map_rows; ++row) {
      const T* from = sums + row * row_size();
      const std::size_t plane = row / at.rows();
      T* to = large_ + (at.first_image + plane / at.channels) * p_.large_image() +
              (at.first_channel + plane % at.channels) * p_.large_plane() + (at.first_row + row % at.rows()) * g.width;
      if (g.stride_width == 1) {
        std::copy_n(from, g.width, to);
      } else {
        for (std::size_t phase = 0; phase < phases_; ++phase, from += phase_width_) {
          for (std::size_t x = phase, k = 0; x < g.width; x += g.stride_width, ++k) to[x] = from[k];
        }
      }
    }
  }

  /// What rows [begin, end) of the signal add to a part.
  void add_rows(const part& at, std::size_t begin, std::size_t end, T* sums) const {
    const auto& g = p_.geometry;
    const std::size_t rows = gathered_rows(p_, at.channels);
    const std::size_t places = (end - begin) * g.out_width, columns = at.images() * places;
    const std::size_t lanes = current_gemm_tiles<T>().lanes;
    const std::size_t pitch = (columns + lanes - 1) / lanes * lanes;
    T* taps = workspace<struct gathered_taps, T>(rows * pitch);
    const patch_tap whole_row[] = {every_place(places)};
    // What follows these rows of a map are its next rows.
    gemm_columns<T> b{{small_ + at.first_image * p_.small_image() + begin * g.out_width, p_.small_image(), g.pixels(), places, 1, 1, 1, places, whole_row},
                      at.images(), nullptr, (g.out_height - end) * g.out_width};
    if (at.images() == 1) b.rows = readable_rows(b.source, p_.filters);
    gemm(gemm_weights<T>{packed_ + at.first_channel * g.taps() * p_.filters, rows, p_.filters}, b,
         gemm_result<T>{taps, places, pitch, places, 1, nullptr, false, pitch - columns});
    const std::span<const row_phase> phases = phases_of_a_row();
    for (std::size_t plane = 0; plane < at.images() * at.channels; ++plane) {
      const T* plane_taps = taps + plane % at.channels * g.taps() * pitch + plane / at.channels * places;
      T* map = sums + plane * at.rows() * row_size();
      for (std::size_t i = begin; i < end; ++i) {
        for (std::size_t ky = 0; ky < g.kernel_height; ++ky) {
          const std::size_t y = i * g.stride_height + ky * g.dilation_height;
          if (y < at.first_row + g.padding_top || y >= at.last_row + g.padding_top) continue;
          const T* row_taps = plane_taps + ky * g.kernel_width * pitch + (i - begin) * g.out_width;
          T* row = map + (y - g.padding_top - at.first_row) * row_size();
          for (const row_phase& phase : phases) add_taps(phase, row_taps, pitch, row + phase.index * phase_width_);
        }
      }
    }
  }

  /// A tap of one row of the kernel: place x of its phase takes place x - shift of the signal, for x in [first, last).
  struct row_tap {
    std::size_t kx;
    std::ptrdiff_t shift, first, last;
  };

  /// The taps that reach a phase of the places in a row, and the places that all of them reach.
  struct row_phase {
    std::size_t index;
    std::span<const row_tap> taps;
    std::ptrdiff_t begin, end;
  };

  std::span<const row_phase> phases_of_a_row() const {
    const auto& g = p_.geometry;
    row_tap* taps = workspace<row_tap, row_tap>(g.kernel_width);
    row_phase* phases = workspace<row_phase, row_phase>(phases_);
    for (std::size_t index = 0; index < phases_; ++index) {
      row_phase phase{index, {}, 0, static_cast<std::ptrdiff_t>(phase_width_)};
      row_tap* end = taps;
      for (std::size_t kx = 0; kx < g.kernel_width; ++kx) {
        const split_tap tap = make_split_tap(g, kx);
        if (tap.phase != index) continue;
        *end = {kx, tap.shift, std::max<std::ptrdiff_t>(0, tap.shift), std::min(tap.width, static_cast<std::ptrdiff_t>(g.out_width) + tap.shift)};
        phase.begin = std::max(phase.begin, end->first);
        phase.end = std::min(phase.end, end->last);
        ++end;
      }
      phase.taps = {taps, end};
      phase.end = std::max(phase.begin, phase.end);
      phases[index] = phase;
      taps = end;
    }
    return {phases, phases_};
  }

  /// One row of the signal under the taps of one row of the kernel, `pitch` apart, to one phase of a map's row. Taps are added
  /// at once where all of them reach: sums stay in registers. Every sum takes them in the order of the kernel.
  static void add_taps(const row_phase& phase, const T* products, std::size_t pitch, T* to) {
    const T** sources = workspace<struct gathered_sources, const T*>(phase.taps.size());
    std::size_t count = 0;
    for (const row_tap& tap : phase.taps) {
      const T* from = products + tap.kx * pitch - tap.shift;
      for (std::ptrdiff_t x = tap.first; x < std::min(tap.last, phase.begin); ++x) to[x] += from[x];
      for (std::ptrdiff_t x = std::max(tap.first, phase.end); x < tap.last; ++x) to[x] += from[x];
      sources[count++] = from + phase.begin;
    }
    if (count == 0 || phase.begin == phase.end) return;
    current_element_kernels<T>().add_rows(sources, count, to + phase.begin, static_cast<std::size_t>(phase.end - phase.begin));
  }

  /// 256 KB of floats: they stay in the second-level cache until they are added up.
  static constexpr std::size_t most_products = std::size_t{1} << 16;
  static constexpr std::size_t most_sums = std::size_t{1} << 22;

  const convolution_problem& p_;
  const T* small_;
  const T* packed_;
  T* large_;
  const std::size_t phases_, phase_width_;
};

}  // namespace detail

/// Whether the way down makes its products first and its sums then. With a stride where that is cheaper than a product per phase,
/// which packs columns for every tap and multiplies with the padding of each phase: the sums of a place cost as much as 24
/// products do, packing as much as those of 8 channels. Without a stride for few channels alone: they leave the packing of
/// columns few rows to pay for it, and more can be read from a padded copy, by whole tiles at least. Nothing here asks for the
/// maps' size, as a part of a map must have the bits of the whole under direct: a phase's padding is reckoned for 32 places of the signal
/// each way and a layer without padding of its own.
inline bool is_gathered(const convolution_problem& p) {
  const auto& g = p.geometry;
  if (g.taps() == 1 || p.filters == 1) return false;
  if (g.is_unstrided()) return g.channels <= 3;
  if (g.channels <= 16) return true;
  const std::size_t height = 32 * g.stride_height, width = 32 * g.stride_width;
  const std::size_t padded = (height + (g.kernel_height - 1) * g.dilation_height) * (width + (g.kernel_width - 1) * g.dilation_width);
  return height * width * (p.filters + 24) * g.channels < padded * p.filters * (g.channels + 8);
}

}  // namespace deconvnet::kernels
