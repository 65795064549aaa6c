// Convolution as a matrix product: patches to columns, and the adjoint, columns back to patches.
#pragma once

#include <algorithm>
#include <cstddef>

namespace deconvnet::kernels {

/// The geometry of one convolution on one image, between its large side (H x W, `channels`) and its small side
/// (out_height x out_width). Both conv2d and its adjoint run on it.
struct convolution_geometry {
  std::size_t channels, height, width;
  std::size_t kernel_height, kernel_width;
  std::size_t stride_height, stride_width;
  std::size_t padding_top, padding_left;
  std::size_t dilation_height, dilation_width;
  std::size_t out_height, out_width;

  std::size_t taps() const { return kernel_height * kernel_width; }
  std::size_t pixels() const { return out_height * out_width; }
  /// A 1x1 convolution without stride and padding: its columns are the image itself.
  bool is_pointwise() const {
    return taps() == 1 && stride_height == 1 && stride_width == 1 && padding_top == 0 && padding_left == 0 &&
           out_height == height && out_width == width;
  }
};

namespace detail {

/// The range [first, last) of `count` outputs whose tap at `offset` (kernel place times dilation) falls into
/// [0, extent) for an input coordinate output * stride + offset - padding.
struct valid_range {
  std::size_t first, last;
};

inline valid_range valid_outputs(std::size_t count, std::size_t extent, std::size_t stride, std::size_t offset,
                                 std::size_t padding) {
  const std::size_t first = offset >= padding ? 0 : (padding - offset + stride - 1) / stride;
  const std::size_t last = extent + padding > offset ? (extent + padding - offset + stride - 1) / stride : 0;
  return {std::min(first, count), std::max(std::min(last, count), std::min(first, count))};
}

/// Calls body(row, column_in_tile, input_offset, length) for every run of output pixels of one output row that lies in
/// [first_pixel, last_pixel) and whose tap (c, ky, kx) is inside the image. Row (c, ky, kx) counts from `first_channel`.
template <class Body>
void for_each_run(const convolution_geometry& g, std::size_t first_channel, std::size_t last_channel,
                  std::size_t first_pixel, std::size_t last_pixel, Body&& body) {
  std::size_t row = 0;
  for (std::size_t c = first_channel; c < last_channel; ++c) {
    for (std::size_t ky = 0; ky < g.kernel_height; ++ky) {
      const std::size_t offset_y = ky * g.dilation_height;
      const auto rows = valid_outputs(g.out_height, g.height, g.stride_height, offset_y, g.padding_top);
      for (std::size_t kx = 0; kx < g.kernel_width; ++kx, ++row) {
        const std::size_t offset_x = kx * g.dilation_width;
        const auto columns = valid_outputs(g.out_width, g.width, g.stride_width, offset_x, g.padding_left);
        for (std::size_t oy = first_pixel / g.out_width; oy * g.out_width < last_pixel; ++oy) {
          if (oy < rows.first || oy >= rows.last) continue;
          const std::size_t start = std::max(first_pixel, oy * g.out_width + columns.first);
          const std::size_t end = std::min(last_pixel, oy * g.out_width + columns.last);
          if (start >= end) continue;
          const std::size_t y = oy * g.stride_height + offset_y - g.padding_top;
          const std::size_t x = (start - oy * g.out_width) * g.stride_width + offset_x - g.padding_left;
          body(row, start - first_pixel, (c * g.height + y) * g.width + x, end - start);
        }
      }
    }
  }
}

}  // namespace detail

/// columns[(c, ky, kx)][p] = the pixel under tap (ky, kx) of channel c at output pixel first_pixel + p; 0 in padding.
/// `columns` has (last_channel - first_channel) * taps rows of (last_pixel - first_pixel) elements.
template <class T>
void im2col(const convolution_geometry& g, const T* image, std::size_t first_channel, std::size_t last_channel,
            std::size_t first_pixel, std::size_t last_pixel, T* columns) {
  const std::size_t width = last_pixel - first_pixel;
  std::fill(columns, columns + (last_channel - first_channel) * g.taps() * width, T(0));
  detail::for_each_run(g, first_channel, last_channel, first_pixel, last_pixel,
                       [&](std::size_t row, std::size_t column, std::size_t offset, std::size_t length) {
                         T* to = columns + row * width + column;
                         const T* from = image + offset;
                         if (g.stride_width == 1) {
                           std::copy(from, from + length, to);
                         } else {
                           for (std::size_t k = 0; k < length; ++k) to[k] = from[k * g.stride_width];
                         }
                       });
}

/// The adjoint of im2col: every column element is added to the pixel it came from. Taps in padding are dropped.
template <class T>
void col2im_add(const convolution_geometry& g, const T* columns, std::size_t first_channel, std::size_t last_channel,
                std::size_t first_pixel, std::size_t last_pixel, T* image) {
  const std::size_t width = last_pixel - first_pixel;
  detail::for_each_run(g, first_channel, last_channel, first_pixel, last_pixel,
                       [&](std::size_t row, std::size_t column, std::size_t offset, std::size_t length) {
                         const T* from = columns + row * width + column;
                         T* to = image + offset;
                         for (std::size_t k = 0; k < length; ++k) to[k * g.stride_width] += from[k];
                       });
}

}  // namespace deconvnet::kernels
