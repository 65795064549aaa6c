// The way down of a strided convolution, cut into phases of places that the same taps reach.
#pragma once

#include <cstddef>
#include <vector>

#include <deconvnet/kernels/convolution_geometry.hpp>
#include <deconvnet/kernels/patches.hpp>

namespace deconvnet::kernels::detail {

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

  /// Where the taps read the small side.
  std::vector<patch_tap> places(const convolution_geometry& g) const {
    std::vector<patch_tap> result;
    for (const std::ptrdiff_t dy : rows.shift) {
      for (const std::ptrdiff_t dx : columns.shift) result.push_back({dy, dx, 0, static_cast<std::ptrdiff_t>(g.out_width)});
    }
    return result;
  }
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

}  // namespace deconvnet::kernels::detail
