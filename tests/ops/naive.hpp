// Operators as their formulas are written, one element at a time: what the library's are compared with.
#pragma once

#include <cstddef>
#include <vector>

#include <deconvnet/ops/window.hpp>
#include <deconvnet/tensor/tensor.hpp>

namespace deconvnet::naive {

/// One axis of a window, in signed numbers.
struct axis {
  std::ptrdiff_t kernel, stride, before, after, dilation;

  /// Windows that fit, found by moving one along. In ceil mode one more, where places are left over, unless it would
  /// begin past the map and its leading padding.
  std::size_t places(std::size_t extent, bool ceil_mode = false) const {
    const auto size = static_cast<std::ptrdiff_t>(extent);
    const auto end = [&](std::ptrdiff_t k) { return k * stride + (kernel - 1) * dilation + 1; };
    std::ptrdiff_t count = 0;
    while (end(count) <= before + size + after) ++count;
    if (ceil_mode && count > 0 && end(count - 1) < before + size + after && count * stride < before + size) ++count;
    return static_cast<std::size_t>(count);
  }

  /// Where tap k of window `place` falls; negative or past the map in padding.
  std::ptrdiff_t at(std::size_t place, std::size_t k) const {
    return static_cast<std::ptrdiff_t>(place) * stride + static_cast<std::ptrdiff_t>(k) * dilation - before;
  }
};

inline axis vertical(const extent2d& kernel, const extent2d& stride, const padding2d& padding, const extent2d& dilation) {
  return {static_cast<std::ptrdiff_t>(kernel.height), static_cast<std::ptrdiff_t>(stride.height),
          static_cast<std::ptrdiff_t>(padding.top), static_cast<std::ptrdiff_t>(padding.bottom),
          static_cast<std::ptrdiff_t>(dilation.height)};
}

inline axis horizontal(const extent2d& kernel, const extent2d& stride, const padding2d& padding, const extent2d& dilation) {
  return {static_cast<std::ptrdiff_t>(kernel.width), static_cast<std::ptrdiff_t>(stride.width),
          static_cast<std::ptrdiff_t>(padding.left), static_cast<std::ptrdiff_t>(padding.right),
          static_cast<std::ptrdiff_t>(dilation.width)};
}

inline bool inside(std::ptrdiff_t place, std::size_t size) {
  return place >= 0 && place < static_cast<std::ptrdiff_t>(size);
}

/// Convolution, summed in double.
template <class T, class Options>
tensor4<T> convolution(const tensor4<T>& x, const tensor4<T>& weight, const tensor<T, 1>& bias, const Options& options) {
  const extent2d kernel{weight.shape(2), weight.shape(3)};
  const axis rows = vertical(kernel, options.stride, options.padding, options.dilation);
  const axis columns = horizontal(kernel, options.stride, options.padding, options.dilation);
  const std::size_t filters = weight.shape(0) / options.groups;
  auto y = tensor4<T>::from_shape({x.shape(0), weight.shape(0), rows.places(x.shape(2)), columns.places(x.shape(3))});
  for (std::size_t n = 0; n < y.shape(0); ++n)
    for (std::size_t o = 0; o < y.shape(1); ++o)
      for (std::size_t i = 0; i < y.shape(2); ++i)
        for (std::size_t j = 0; j < y.shape(3); ++j) {
          double sum = bias.size() ? static_cast<double>(bias(o)) : 0;
          for (std::size_t c = 0; c < weight.shape(1); ++c)
            for (std::size_t ky = 0; ky < kernel.height; ++ky)
              for (std::size_t kx = 0; kx < kernel.width; ++kx) {
                const auto row = rows.at(i, ky);
                const auto column = columns.at(j, kx);
                if (!inside(row, x.shape(2)) || !inside(column, x.shape(3))) continue;
                sum += static_cast<double>(weight(o, c, ky, kx)) *
                       static_cast<double>(x(n, o / filters * weight.shape(1) + c, row, column));
              }
          y(n, o, i, j) = static_cast<T>(sum);
        }
  return y;
}

/// One tap of a pooling window on the map.
struct tap {
  std::size_t row, column;
};

/// The taps of window (i, j) that fall on the map, row-major, and how many fall on the map or its padding.
struct window {
  std::vector<tap> taps;
  std::size_t with_padding = 0;
};

template <class Options>
window pool_window(const Options& options, const extent2d& stride, const shape4& in, std::size_t i, std::size_t j) {
  const axis rows = vertical(options.kernel, stride, options.padding, options.dilation);
  const axis columns = horizontal(options.kernel, stride, options.padding, options.dilation);
  window result;
  for (std::size_t ky = 0; ky < options.kernel.height; ++ky)
    for (std::size_t kx = 0; kx < options.kernel.width; ++kx) {
      const auto row = rows.at(i, ky);
      const auto column = columns.at(j, kx);
      if (row < static_cast<std::ptrdiff_t>(in[2] + options.padding.bottom) &&
          column < static_cast<std::ptrdiff_t>(in[3] + options.padding.right)) {
        ++result.with_padding;
      }
      if (inside(row, in[2]) && inside(column, in[3])) {
        result.taps.push_back({static_cast<std::size_t>(row), static_cast<std::size_t>(column)});
      }
    }
  return result;
}

/// A stride of 0 stands for the kernel.
template <class Options>
extent2d pool_stride(const Options& options) {
  return {options.stride.height ? options.stride.height : options.kernel.height,
          options.stride.width ? options.stride.width : options.kernel.width};
}

template <class Options>
shape4 pool_shape(const Options& options, const shape4& in) {
  const extent2d stride = pool_stride(options);
  return {in[0], in[1], vertical(options.kernel, stride, options.padding, options.dilation).places(in[2], options.ceil_mode),
          horizontal(options.kernel, stride, options.padding, options.dilation).places(in[3], options.ceil_mode)};
}

}  // namespace deconvnet::naive
