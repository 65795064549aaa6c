// The way down to an image's colours.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include <deconvnet/kernels/convolution_geometry.hpp>
#include <deconvnet/kernels/element.hpp>
#include <deconvnet/kernels/gemm.hpp>
#include <deconvnet/kernels/parallel_for.hpp>
#include <deconvnet/kernels/workspace.hpp>

namespace deconvnet::kernels::detail {

/// Rows of the gather's product: channels x taps, filled up to whole tiles.
inline std::size_t gathered_rows(const convolution_problem& p) { return (p.depth() + 3) / 4 * 4; }

/// The way down to few channels, an image's colours: the product of all taps at once reads the signal as it lies, with
/// channels x taps rows instead of a handful per phase; what the taps hold is then added up, a few rows of the signal at a
/// time, in the order of these rows and of the taps in a row. Rows of a map are split by the remainders of the stride
/// meanwhile, so that what a tap adds lies side by side.
template <class T>
class transposed_gather {
 public:
  transposed_gather(const convolution_problem& p, const T* small, const T* packed, T* large)
      : p_(p), small_(small), packed_(packed), large_(large), phases_(std::min(p.geometry.stride_width, p.geometry.width)),
        phase_width_((p.geometry.width + p.geometry.stride_width - 1) / p.geometry.stride_width) {}

  /// One group of one image.
  void run() const {
    const std::size_t height = p_.geometry.height;
    const std::size_t bands = std::min(height, thread_count() == 1 ? 1 : 2 * thread_count());
    const std::size_t band = (height + bands - 1) / bands;
    parallel_for(bands, [&](std::size_t k) { fill(k * band, std::min(height, (k + 1) * band)); });
  }

 private:
  /// Rows [first, last) of all maps.
  void fill(std::size_t first, std::size_t last) const {
    const auto& g = p_.geometry;
    if (first >= last) return;
    const std::size_t row_size = phases_ * phase_width_;
    const std::size_t rows = last - first;
    T* sums = workspace<struct gathered_maps, T>(g.channels * rows * row_size);
    std::fill(sums, sums + g.channels * rows * row_size, T(0));
    // Rows of the signal that reach these: first <= i stride + ky dilation - padding < last for some ky.
    const std::size_t reach = (g.kernel_height - 1) * g.dilation_height;
    const std::size_t lowest = first + g.padding_top;
    const std::size_t begin = lowest > reach ? (lowest - reach + g.stride_height - 1) / g.stride_height : 0;
    const std::size_t end = std::min(g.out_height, (last - 1 + g.padding_top) / g.stride_height + 1);
    const std::size_t at_once = std::max<std::size_t>(1, most_products / (gathered_rows(p_) * g.out_width));
    for (std::size_t i = begin; i < end; i += at_once) add_rows(i, std::min(end, i + at_once), first, last, sums);
    for (std::size_t row = 0; row < g.channels * rows; ++row) {
      const T* from = sums + row * row_size;
      T* to = large_ + row / rows * p_.large_plane() + (first + row % rows) * g.width;
      if (g.stride_width == 1) {
        std::copy_n(from, g.width, to);
      } else {
        for (std::size_t phase = 0; phase < phases_; ++phase, from += phase_width_) {
          for (std::size_t x = phase, k = 0; x < g.width; x += g.stride_width, ++k) to[x] = from[k];
        }
      }
    }
  }

  /// What rows [begin, end) of the signal add to rows [first, last) of the maps.
  void add_rows(std::size_t begin, std::size_t end, std::size_t first, std::size_t last, T* sums) const {
    const auto& g = p_.geometry;
    const std::size_t places = (end - begin) * g.out_width;
    const std::size_t lanes = current_gemm_tiles<T>().lanes;
    const std::size_t pitch = (places + lanes - 1) / lanes * lanes;
    T* taps = workspace<struct gathered_taps, T>(gathered_rows(p_) * pitch);
    const patch_tap whole_row[] = {every_place(places)};
    // What follows these rows of a map are its next rows.
    gemm_columns<T> b{{small_ + begin * g.out_width, 0, g.pixels(), places, 1, 1, 1, places, whole_row}, 1, nullptr,
                      (g.out_height - end) * g.out_width};
    b.rows = packing_pays(gathered_rows(p_), p_.filters) ? nullptr : readable_rows(b.source, p_.filters);
    gemm(gemm_weights<T>{packed_, gathered_rows(p_), p_.filters}, b, gemm_result<T>{taps, 0, pitch, places, 1, nullptr, false, pitch - places});
    const std::span<const row_phase> phases = phases_of_a_row();
    for (std::size_t i = begin; i < end; ++i) {
      for (std::size_t c = 0; c < g.channels; ++c) {
        for (std::size_t ky = 0; ky < g.kernel_height; ++ky) {
          const std::size_t y = i * g.stride_height + ky * g.dilation_height;
          if (y < first + g.padding_top || y >= last + g.padding_top) continue;
          const T* row_taps = taps + (c * g.taps() + ky * g.kernel_width) * pitch + (i - begin) * g.out_width;
          T* row = sums + (c * (last - first) + y - g.padding_top - first) * phases_ * phase_width_;
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

  const convolution_problem& p_;
  const T* small_;
  const T* packed_;
  T* large_;
  const std::size_t phases_, phase_width_;
};

/// Few channels leave the packing of columns few rows to pay for it. Without a stride these can be read from a padded copy, by
/// whole tiles at least.
inline bool is_gathered(const convolution_problem& p) {
  const std::size_t most_channels = p.geometry.is_unstrided() ? 3 : 16;
  return p.geometry.channels <= most_channels && p.geometry.taps() > 1 && p.filters > 1;
}

}  // namespace deconvnet::kernels::detail
