// The way down to an image's colours.
#pragma once

#include <algorithm>
#include <cstddef>

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
    T* taps = workspace<struct gathered_taps, T>(gathered_rows(p_) * places);
    const patch_tap whole_row[] = {every_place(places)};
    gemm_columns<T> b{{small_ + begin * g.out_width, 0, g.pixels(), places, 1, 1, 1, places, whole_row}, 1, nullptr, 0};
    b.rows = readable_rows(b.source, p_.filters);
    gemm(gemm_weights<T>{packed_, gathered_rows(p_), p_.filters}, b, gemm_result<T>{taps, 0, places, places, 1, nullptr, false});
    const auto& elements = current_element_kernels<T>();
    split_tap* across = workspace<struct gathered_row_taps, split_tap>(g.kernel_width);
    for (std::size_t kx = 0; kx < g.kernel_width; ++kx) across[kx] = make_split_tap(g, kx);
    for (std::size_t i = begin; i < end; ++i) {
      for (std::size_t c = 0; c < g.channels; ++c) {
        for (std::size_t ky = 0; ky < g.kernel_height; ++ky) {
          const std::size_t y = i * g.stride_height + ky * g.dilation_height;
          if (y < first + g.padding_top || y >= last + g.padding_top) continue;
          T* row = sums + (c * (last - first) + y - g.padding_top - first) * phases_ * phase_width_;
          for (std::size_t kx = 0; kx < g.kernel_width; ++kx) {
            const auto [shift, phase, width] = across[kx];
            const std::ptrdiff_t from = std::max<std::ptrdiff_t>(0, -shift);
            const std::ptrdiff_t count = std::min(static_cast<std::ptrdiff_t>(g.out_width), width - shift) - from;
            if (count <= 0) continue;
            const T* tap = taps + (c * g.taps() + ky * g.kernel_width + kx) * places + (i - begin) * g.out_width;
            elements.add(tap + from, T(1), row + phase * phase_width_ + static_cast<std::size_t>(from + shift),
                         static_cast<std::size_t>(count));
          }
        }
      }
    }
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
