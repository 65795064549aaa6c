// Convolution and its adjoint on raw memory.
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

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
  for (std::size_t ky = 0; ky < g.kernel_height; ++ky) {
    for (std::size_t kx = 0; kx < g.kernel_width; ++kx) {
      const auto dy = static_cast<std::ptrdiff_t>(ky * g.dilation_height) - static_cast<std::ptrdiff_t>(g.padding_top);
      const auto dx = static_cast<std::ptrdiff_t>(kx * g.dilation_width) - static_cast<std::ptrdiff_t>(g.padding_left);
      const std::ptrdiff_t shift = floor_divide(dx, static_cast<std::ptrdiff_t>(stride));
      const std::size_t phase = static_cast<std::size_t>(dx - shift * static_cast<std::ptrdiff_t>(stride));
      const std::size_t width = phase < g.width ? (g.width - phase + stride - 1) / stride : 0;
      columns.source.taps.push_back({dy, shift, phase < g.width ? phase * phase_width : 0, static_cast<std::ptrdiff_t>(width)});
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

/// The way down for one group and one phase of places: a matrix product whose rows are channels and whose depth is
/// (filter, tap of this phase).
template <class T>
void transposed_phase(const convolution_problem& p, const phase_axis& rows, const phase_axis& columns, const T* small,
                      const T* weight, T* large) {
  const auto& g = p.geometry;
  gemm_columns<T> b{{small, p.small_image(), g.pixels(), g.out_width, static_cast<std::ptrdiff_t>(g.out_height), 1, rows.count,
                     columns.count, {}},
                    p.images,
                    g.is_pointwise()};
  gemm_weights<T> a{weight, g.channels, g.taps(), {}};
  for (std::size_t f = 0; f < p.filters; ++f) {
    for (const std::size_t ky : rows.taps) {
      for (const std::size_t kx : columns.taps) a.offsets.push_back(f * p.depth() + ky * g.kernel_width + kx);
    }
  }
  for (const std::ptrdiff_t dy : rows.shift) {
    for (const std::ptrdiff_t dx : columns.shift) {
      b.source.taps.push_back({dy, dx, 0, static_cast<std::ptrdiff_t>(g.out_width)});
    }
  }
  gemm(a, b, gemm_result<T>{large, p.large_image(), p.large_plane(), g.stride_height * g.width, g.stride_width, nullptr, false});
}

/// The way down to few channels, an image's colours: the product of all taps at once reads the signal as it lies, with
/// channels x taps rows instead of a handful per phase; then each row of pixels gathers what its taps hold. One group, one
/// image.
template <class T>
void transposed_gather(const convolution_problem& p, const T* small, const T* weight, T* large) {
  const auto& g = p.geometry;
  T* taps = workspace<struct tap_maps, T>(p.depth() * g.pixels());
  gemm_weights<T> a{weight, p.depth(), 1, std::vector<std::size_t>(p.filters)};
  for (std::size_t f = 0; f < p.filters; ++f) a.offsets[f] = f * p.depth();
  const gemm_columns<T> b{{small, g.pixels() * p.filters, g.pixels(), g.pixels(), 1, 1, 1, g.pixels(),
                           {{0, 0, 0, static_cast<std::ptrdiff_t>(g.pixels())}}}, 1, true};
  gemm(a, b, gemm_result<T>{taps, p.depth() * g.pixels(), g.pixels(), g.pixels(), 1, nullptr, false});
  parallel_for(g.channels * g.height, [&](std::size_t task) {
    const std::size_t c = task / g.height;
    const std::size_t y = task % g.height + g.padding_top;
    T* row = large + task * g.width;
    std::fill(row, row + g.width, T(0));
    for (std::size_t ky = 0; ky < g.kernel_height; ++ky) {
      const std::size_t offset_y = ky * g.dilation_height;
      if (y < offset_y || (y - offset_y) % g.stride_height != 0 || (y - offset_y) / g.stride_height >= g.out_height) continue;
      for (std::size_t kx = 0; kx < g.kernel_width; ++kx) {
        const std::size_t offset_x = kx * g.dilation_width;
        const T* from = taps + (c * g.taps() + ky * g.kernel_width + kx) * g.pixels() + (y - offset_y) / g.stride_height * g.out_width;
        const std::size_t first = offset_x >= g.padding_left ? 0 : (g.padding_left - offset_x + g.stride_width - 1) / g.stride_width;
        for (std::size_t j = first; j < g.out_width; ++j) {
          const std::size_t x = j * g.stride_width + offset_x - g.padding_left;
          if (x >= g.width) break;
          row[x] += from[j];
        }
      }
    }
  });
}

/// Up to so many channels the gather wins: measured 8 to 20 times over the phases at 3.
inline constexpr std::size_t most_gathered_channels = 4;

}  // namespace detail

/// small = weight * large + bias, then rectified on request. large: images x (groups channels) x H x W; weight: (groups
/// filters) x channels x KH x KW; bias: one per filter, or null; small: images x (groups filters) x OH x OW.
template <class T>
void convolve(const convolution_problem& p, const T* large, const T* weight, const T* bias, T* small, bool rectify = false) {
  const auto& g = p.geometry;
  gemm_columns<T> columns = detail::forward_columns(p, large);
  gemm_weights<T> weights{weight, p.filters, p.depth(), std::vector<std::size_t>(p.depth())};
  std::iota(weights.offsets.begin(), weights.offsets.end(), std::size_t{0});
  for (std::size_t group = 0; group < p.groups; ++group) {
    gemm(weights, columns,
         gemm_result<T>{small + group * p.filters * g.pixels(), p.small_image(), g.pixels(), g.out_width, 1,
                        bias ? bias + group * p.filters : nullptr, rectify});
    columns.source.data += g.channels * columns.source.plane_pitch;
    weights.data += p.filters * p.depth();
  }
}

/// The exact adjoint of convolve without its bias: large = weight^T * small. One matrix product per phase of the stride,
/// with that phase's taps alone: no product with zero, no place written twice; to few channels by transposed_gather.
template <class T>
void convolve_transposed(const convolution_problem& p, const T* small, const T* weight, T* large) {
  const auto& g = p.geometry;
  if (g.channels <= detail::most_gathered_channels && g.taps() > 1 && p.filters > 1) {
    for (std::size_t k = 0; k < p.images * p.groups; ++k) {
      detail::transposed_gather(p, small + k * p.filters * g.pixels(), weight + k % p.groups * p.filters * p.depth(),
                                large + k * g.channels * p.large_plane());
    }
    return;
  }
  for (std::size_t phase_y = 0; phase_y < std::min(g.stride_height, g.height); ++phase_y) {
    const auto rows = detail::make_phase(phase_y, g.height, g.kernel_height, g.stride_height, g.padding_top, g.dilation_height);
    for (std::size_t phase_x = 0; phase_x < std::min(g.stride_width, g.width); ++phase_x) {
      const auto columns =
          detail::make_phase(phase_x, g.width, g.kernel_width, g.stride_width, g.padding_left, g.dilation_width);
      for (std::size_t group = 0; group < p.groups; ++group) {
        detail::transposed_phase(p, rows, columns, small + group * p.filters * g.pixels(),
                                 weight + group * p.filters * p.depth(),
                                 large + group * g.channels * p.large_plane() + phase_y * g.width + phase_x);
      }
    }
  }
}

}  // namespace deconvnet::kernels
