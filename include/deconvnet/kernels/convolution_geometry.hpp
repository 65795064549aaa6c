// What a convolution and its adjoint know of each other's side.
#pragma once

#include <cstddef>

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
  bool is_unstrided() const { return stride_height == 1 && stride_width == 1; }
  /// A 1x1 convolution without stride and padding: the maps are its columns.
  bool is_pointwise() const {
    return taps() == 1 && is_unstrided() && padding_top == 0 && padding_left == 0 &&
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

/// Where tap k of one axis meets a row of the large side that is split by the remainders of the stride: column j of the small side
/// is place j + shift of `phase`, which has `width` places; none where a narrow row lacks that remainder.
struct split_tap {
  std::ptrdiff_t shift;
  std::size_t phase;
  std::ptrdiff_t width;
};

inline split_tap make_split_tap(std::size_t extent, std::size_t stride, std::size_t padding, std::size_t dilation, std::size_t k) {
  const auto reach = static_cast<std::ptrdiff_t>(k * dilation) - static_cast<std::ptrdiff_t>(padding);
  const std::ptrdiff_t shift = floor_divide(reach, static_cast<std::ptrdiff_t>(stride));
  const auto phase = static_cast<std::size_t>(reach - shift * static_cast<std::ptrdiff_t>(stride));
  const std::size_t width = phase < extent ? (extent - phase + stride - 1) / stride : 0;
  return {shift, phase, static_cast<std::ptrdiff_t>(width)};
}

/// Of tap kx in a row.
inline split_tap make_split_tap(const convolution_geometry& g, std::size_t kx) {
  return make_split_tap(g.width, g.stride_width, g.padding_left, g.dilation_width, kx);
}

}  // namespace detail

}  // namespace deconvnet::kernels
