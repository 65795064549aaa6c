// Convolution and its adjoint on raw memory.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include <deconvnet/kernels/element.hpp>
#include <deconvnet/kernels/gemm.hpp>
#include <deconvnet/kernels/parallel_for.hpp>
#include <deconvnet/kernels/workspace.hpp>

namespace deconvnet::kernels {

/// The geometry of one convolution between its large side (H x W) and its small side (out_height x out_width).
/// `channels` counts those of one group on the large side. Both conv2d and its adjoint run on it.
struct convolution_geometry {
  std::size_t channels, height, width;
  std::size_t kernel_height, kernel_width;
  std::size_t stride_height, stride_width;
  std::size_t padding_top, padding_left;
  std::size_t dilation_height, dilation_width;
  std::size_t out_height, out_width;

  std::size_t taps() const { return kernel_height * kernel_width; }
  std::size_t pixels() const { return out_height * out_width; }
  /// A 1x1 convolution without stride and padding: the maps are its columns.
  bool is_pointwise() const {
    return taps() == 1 && stride_height == 1 && stride_width == 1 && padding_top == 0 && padding_left == 0 &&
           out_height == height && out_width == width;
  }
};

/// One batch through one grouped convolution.
struct convolution_problem {
  convolution_geometry geometry;
  std::size_t images, groups;
  std::size_t filters;  // of one group

  std::size_t depth() const { return geometry.channels * geometry.taps(); }
  std::size_t large_plane() const { return geometry.height * geometry.width; }
  std::size_t large_image() const { return groups * geometry.channels * large_plane(); }
  std::size_t small_image() const { return groups * filters * geometry.pixels(); }
};

namespace detail {

inline std::ptrdiff_t floor_divide(std::ptrdiff_t a, std::ptrdiff_t b) { return (a - ((a % b) + b) % b) / b; }

/// Rows whose columns are split by their remainder modulo the stride: what a strided tap reads lies side by side then.
/// `phases`: as many remainders as there are in a row.
template <class T>
const T* split_columns(const T* maps, std::size_t rows, std::size_t width, std::size_t stride, std::size_t phases,
                       std::size_t phase_width) {
  T* split = workspace<struct split_maps, T>(rows * phases * phase_width);
  constexpr std::size_t block = 64;
  parallel_for((rows + block - 1) / block, [&](std::size_t task) {
    for (std::size_t row = task * block; row < std::min(rows, (task + 1) * block); ++row) {
      const T* from = maps + row * width;
      T* to = split + row * phases * phase_width;
      for (std::size_t phase = 0; phase < phases; ++phase, to += phase_width) {
        for (std::size_t x = phase, k = 0; x < width; x += stride, ++k) to[k] = from[x];
      }
    }
  });
  return split;
}

/// Where tap kx meets a row of the large side that is split by the remainders of the stride: column j of the small side is
/// place j + shift of `phase`, which has `width` places; none where a narrow row lacks that remainder.
struct split_tap {
  std::ptrdiff_t shift;
  std::size_t phase;
  std::ptrdiff_t width;
};

inline split_tap make_split_tap(const convolution_geometry& g, std::size_t kx) {
  const auto dx = static_cast<std::ptrdiff_t>(kx * g.dilation_width) - static_cast<std::ptrdiff_t>(g.padding_left);
  const std::ptrdiff_t shift = floor_divide(dx, static_cast<std::ptrdiff_t>(g.stride_width));
  const auto phase = static_cast<std::size_t>(dx - shift * static_cast<std::ptrdiff_t>(g.stride_width));
  const std::size_t width = phase < g.width ? (g.width - phase + g.stride_width - 1) / g.stride_width : 0;
  return {shift, phase, static_cast<std::ptrdiff_t>(width)};
}

/// The columns of the forward convolution, of group 0; groups lie `plane_pitch * channels` further on.
template <class T>
gemm_columns<T> forward_columns(const convolution_problem& p, const T* large) {
  const auto& g = p.geometry;
  const std::size_t stride = g.stride_width;
  const std::size_t phase_width = (g.width + stride - 1) / stride;
  const std::size_t phases = std::min(stride, g.width);
  const std::size_t row_pitch = phases * phase_width;
  const T* maps = stride == 1 ? large : split_columns(large, p.images * p.groups * g.channels * g.height, g.width, stride, phases, phase_width);
  gemm_columns<T> columns{{maps, p.groups * g.channels * g.height * row_pitch, g.height * row_pitch, row_pitch,
                           static_cast<std::ptrdiff_t>(g.height), g.stride_height, g.out_height, g.out_width, {}},
                          p.images,
                          g.is_pointwise()};
  patch_tap* taps = workspace<struct forward_taps, patch_tap>(g.taps());
  columns.source.taps = {taps, g.taps()};
  for (std::size_t ky = 0; ky < g.kernel_height; ++ky) {
    for (std::size_t kx = 0; kx < g.kernel_width; ++kx) {
      const auto dy = static_cast<std::ptrdiff_t>(ky * g.dilation_height) - static_cast<std::ptrdiff_t>(g.padding_top);
      const split_tap tap = make_split_tap(g, kx);
      *taps++ = {dy, tap.shift, tap.width != 0 ? tap.phase * phase_width : 0, tap.width};
    }
  }
  return columns;
}

/// One axis of one phase of the way down: the taps that reach the places y = stride * i + phase, and where each reads.
struct phase_axis {
  std::size_t count;                  // places of the phase
  std::vector<std::size_t> taps;      // kernel indices
  std::vector<std::ptrdiff_t> shift;  // tap t reads small-side place i + shift[t]
};

inline phase_axis make_phase(std::size_t phase, std::size_t extent, std::size_t kernel, std::size_t stride,
                             std::size_t padding, std::size_t dilation) {
  phase_axis axis{phase < extent ? (extent - phase + stride - 1) / stride : 0, {}, {}};
  for (std::size_t k = 0; k < kernel; ++k) {
    const auto reach = static_cast<std::ptrdiff_t>(phase + padding) - static_cast<std::ptrdiff_t>(k * dilation);
    const auto step = static_cast<std::ptrdiff_t>(stride);
    if (((reach % step) + step) % step != 0) continue;
    axis.taps.push_back(k);
    axis.shift.push_back(reach / step);
  }
  return axis;
}

/// One phase of the way down: the places y = stride * i + phase_y, x = stride * j + phase_x, and the taps that reach them.
struct transposed_phase {
  std::size_t y, x;
  phase_axis rows, columns;
  std::vector<std::size_t> taps;  // ky KW + kx

  std::size_t depth(const convolution_problem& p) const { return p.filters * taps.size(); }
};

/// In the order of the taps' remainders, which padding does not change: packed weights serve a map and its crops.
inline std::vector<transposed_phase> transposed_phases(const convolution_geometry& g) {
  const auto first_place = [](std::size_t remainder, std::size_t padding, std::size_t stride) {
    return (remainder + stride - padding % stride) % stride;
  };
  std::vector<transposed_phase> phases;
  for (std::size_t ry = 0; ry < g.stride_height; ++ry) {
    const std::size_t y = first_place(ry, g.padding_top, g.stride_height);
    const auto rows = make_phase(y, g.height, g.kernel_height, g.stride_height, g.padding_top, g.dilation_height);
    for (std::size_t rx = 0; rx < g.stride_width; ++rx) {
      const std::size_t x = first_place(rx, g.padding_left, g.stride_width);
      const auto columns = make_phase(x, g.width, g.kernel_width, g.stride_width, g.padding_left, g.dilation_width);
      auto& phase = phases.emplace_back(transposed_phase{y, x, rows, columns, {}});
      for (const std::size_t ky : rows.taps) {
        for (const std::size_t kx : columns.taps) phase.taps.push_back(ky * g.kernel_width + kx);
      }
    }
  }
  return phases;
}

/// The way down for one group and one phase of places: a matrix product whose rows are channels and whose depth is
/// (filter, tap of this phase).
template <class T>
void multiply_phase(const convolution_problem& p, const transposed_phase& phase, const T* small, const T* packed, T* large) {
  const auto& g = p.geometry;
  gemm_columns<T> b{{small, p.small_image(), g.pixels(), g.out_width, static_cast<std::ptrdiff_t>(g.out_height), 1, phase.rows.count,
                     phase.columns.count, {}},
                    p.images,
                    g.is_pointwise()};
  std::vector<patch_tap> taps;
  for (const std::ptrdiff_t dy : phase.rows.shift) {
    for (const std::ptrdiff_t dx : phase.columns.shift) taps.push_back({dy, dx, 0, static_cast<std::ptrdiff_t>(g.out_width)});
  }
  b.source.taps = taps;
  gemm(gemm_weights<T>{packed, g.channels, phase.depth(p)}, b,
       gemm_result<T>{large + phase.y * g.width + phase.x, p.large_image(), p.large_plane(), g.stride_height * g.width,
                      g.stride_width, nullptr, false});
}

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
    const single_tap every_place(places);
    const gemm_columns<T> b{{small_ + begin * g.out_width, 0, g.pixels(), places, 1, 1, 1, places, every_place.all()}, 1, true};
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

/// Up to so many channels the gather wins: fewer rows than this leave the packing of columns no rows to pay for it.
inline constexpr std::size_t most_gathered_channels = 16;

inline bool is_gathered(const convolution_problem& p) {
  return p.geometry.channels <= most_gathered_channels && p.geometry.taps() > 1 && p.filters > 1;
}

}  // namespace detail

/// Numbers that the packed weights of a convolution take, in either direction: those of the weights, and what fills tiles.
inline std::size_t packed_size(const convolution_problem& p) {
  return p.groups * p.filters * (detail::is_gathered(p) ? detail::gathered_rows(p) : p.depth());
}

/// The weights in the order in which convolve() reads them, for the kernels of the level in use.
template <class T>
void pack_convolution(const convolution_problem& p, const T* weight, T* packed) {
  const std::size_t tile_rows = current_gemm_tiles<T>().rows;
  for (std::size_t group = 0; group < p.groups; ++group) {
    const std::size_t place = group * p.filters * p.depth();
    pack_rows(contiguous_rows(weight + place, p.filters, p.depth()), tile_rows, packed + place);
  }
}

/// The weights in the order in which convolve_transposed() reads them.
template <class T>
void pack_transposed(const convolution_problem& p, const T* weight, T* packed) {
  const std::size_t tile_rows = current_gemm_tiles<T>().rows;
  const auto& g = p.geometry;
  const std::size_t size = p.filters * p.depth();
  if (detail::is_gathered(p)) {
    const std::size_t rows = detail::gathered_rows(p);
    for (std::size_t group = 0; group < p.groups; ++group) {
      // Filters x (channels taps), filled up with zeros.
      T* filled = workspace<struct filled_weights, T>(p.filters * rows);
      for (std::size_t f = 0; f < p.filters; ++f) {
        std::fill(std::copy_n(weight + group * size + f * p.depth(), p.depth(), filled + f * rows), filled + (f + 1) * rows, T(0));
      }
      pack_rows(gemm_rows<T>{filled, rows, 1, p.filters, rows, no_tap_offset}, tile_rows, packed + group * p.filters * rows);
    }
    return;
  }
  for (const auto& phase : detail::transposed_phases(g)) {
    for (std::size_t group = 0; group < p.groups; ++group, packed += g.channels * phase.depth(p)) {
      pack_rows(gemm_rows<T>{weight + group * size, g.channels, g.taps(), phase.depth(p), p.depth(), phase.taps}, tile_rows, packed);
    }
  }
}

/// Weights packed for one direction and the kernels of one level.
template <class T>
struct packed_convolution {
  packed_convolution(const convolution_problem& p, const T* weight, bool down) : level(current_level()), values(packed_size(p)) {
    down ? pack_transposed(p, weight, values.data()) : pack_convolution(p, weight, values.data());
  }

  kernel_level level;
  std::vector<T> values;
};

/// Packed in scratch memory, for one call.
template <class T>
const T* packed_for_now(const convolution_problem& p, const T* weight, bool down) {
  T* packed = workspace<struct packed_once, T>(packed_size(p));
  down ? pack_transposed(p, weight, packed) : pack_convolution(p, weight, packed);
  return packed;
}

/// small = weight * large + bias, then rectified on request. large: images x (groups channels) x H x W; packed: the weights,
/// (groups filters) x channels x KH x KW, by pack_convolution; bias: one per filter, or null; small: images x (groups
/// filters) x OH x OW.
template <class T>
void convolve(const convolution_problem& p, const T* large, const T* packed, const T* bias, T* small, bool rectify = false) {
  const auto& g = p.geometry;
  if (p.images == 0) return;
  gemm_columns<T> columns = detail::forward_columns(p, large);
  for (std::size_t group = 0; group < p.groups; ++group) {
    gemm(gemm_weights<T>{packed + group * p.filters * p.depth(), p.filters, p.depth()}, columns,
         gemm_result<T>{small + group * p.filters * g.pixels(), p.small_image(), g.pixels(), g.out_width, 1,
                        bias ? bias + group * p.filters : nullptr, rectify});
    columns.source.data += g.channels * columns.source.plane_pitch;
  }
}

/// The exact adjoint of convolve without its bias: large = weight^T * small; packed: by pack_transposed. One matrix product
/// per phase of the stride, with that phase's taps alone: no product with zero, no place written twice; to few channels by
/// transposed_gather.
template <class T>
void convolve_transposed(const convolution_problem& p, const T* small, const T* packed, T* large) {
  const auto& g = p.geometry;
  if (p.images == 0) return;
  if (detail::is_gathered(p)) {
    for (std::size_t k = 0; k < p.images * p.groups; ++k) {
      detail::transposed_gather<T>(p, small + k * p.filters * g.pixels(), packed + k % p.groups * p.filters * detail::gathered_rows(p),
                                   large + k * g.channels * p.large_plane()).run();
    }
    return;
  }
  for (const auto& phase : detail::transposed_phases(g)) {
    for (std::size_t group = 0; group < p.groups; ++group, packed += g.channels * phase.depth(p)) {
      detail::multiply_phase(p, phase, small + group * p.filters * g.pixels(), packed,
                             large + group * g.channels * p.large_plane());
    }
  }
}

}  // namespace deconvnet::kernels
