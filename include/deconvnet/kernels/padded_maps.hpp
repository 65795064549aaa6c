// Feature maps with their padding, so that a matrix product reads its columns from them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include <deconvnet/kernels/convolution_geometry.hpp>
#include <deconvnet/kernels/gemm_tile.hpp>
#include <deconvnet/kernels/parallel_for.hpp>
#include <deconvnet/kernels/patches.hpp>
#include <deconvnet/kernels/strided_copy.hpp>
#include <deconvnet/kernels/workspace.hpp>

namespace deconvnet::kernels::detail {

/// dy and dx of the taps of a convolution.
inline void place_taps(const convolution_geometry& g, std::span<patch_tap> taps) {
  for (std::size_t t = 0; t < g.taps(); ++t) {
    taps[t].dy = static_cast<std::ptrdiff_t>(t / g.kernel_width * g.dilation_height) - static_cast<std::ptrdiff_t>(g.padding_top);
    taps[t].dx = static_cast<std::ptrdiff_t>(t % g.kernel_width * g.dilation_width) - static_cast<std::ptrdiff_t>(g.padding_left);
  }
}

/// Maps as a convolution reads them with a stride: `planes` planes of H x W in each of `images`, which lie `image_pitch` apart.
template <class T>
struct strided_maps {
  const T* data;
  std::size_t images, image_pitch, planes, height, width, stride_height, stride_width;
};

/// The maps with their padding, rows split by the remainders of the stride: what a tap reads lies side by side, and no tap
/// reads outside. `taps`: dy, dx from the place of the map, before; where it is in the copy, after. `slack` more places follow
/// each row.
template <class T>
patch_source<T> padded_maps(const strided_maps<T>& m, std::size_t grid_height, std::size_t grid_width, std::span<patch_tap> taps,
                            std::size_t slack) {
  std::ptrdiff_t top = 0, left = 0, lowest = 0, rightmost = 0;
  for (const patch_tap& tap : taps) {
    top = std::max(top, -tap.dy);
    left = std::max(left, -tap.dx);
    lowest = std::max(lowest, tap.dy);
    rightmost = std::max(rightmost, tap.dx);
  }
  const auto skipped_rows = static_cast<std::size_t>(top), skipped_columns = static_cast<std::size_t>(left);
  const std::size_t stride = m.stride_width;
  const std::size_t height = (grid_height - 1) * m.stride_height + static_cast<std::size_t>(lowest + top) + 1;
  const std::size_t phase_width = grid_width + static_cast<std::size_t>(rightmost + left) / stride + slack;
  const std::size_t row_pitch = stride * phase_width;
  T* maps = workspace<struct padded_rows, T>(m.images * m.planes * height * row_pitch);
  parallel_for(m.images * m.planes, [&](std::size_t plane) {
    const T* map = m.data + plane / m.planes * m.image_pitch + plane % m.planes * m.height * m.width;
    T* to = maps + plane * height * row_pitch;
    for (std::size_t y = 0; y < height; ++y) {
      if (y < skipped_rows || y >= skipped_rows + m.height) {
        to = std::fill_n(to, row_pitch, T(0));
        continue;
      }
      const T* from = map + (y - skipped_rows) * m.width;
      for (std::size_t phase = 0; phase < stride; ++phase) {
        // Column x of the map is place (x + left) / stride of phase (x + left) % stride.
        const auto first_place = [&](std::size_t x) { return x > phase ? std::min(phase_width, (x - phase + stride - 1) / stride) : 0; };
        const std::size_t begin = first_place(skipped_columns), end = first_place(skipped_columns + m.width);
        std::fill_n(to, begin, T(0));
        const T* first = from + (begin * stride + phase - skipped_columns);
        if (stride == 1) {
          std::copy_n(first, end - begin, to + begin);
        } else {
          strided_copy(first, stride, end - begin, to + begin);
        }
        std::fill(to + end, to + phase_width, T(0));
        to += phase_width;
      }
    }
  });
  for (patch_tap& tap : taps) {
    const auto x = static_cast<std::size_t>(tap.dx + left);
    tap = {tap.dy + top, static_cast<std::ptrdiff_t>(x / stride), x % stride * phase_width, static_cast<std::ptrdiff_t>(phase_width)};
  }
  return {maps, m.planes * height * row_pitch, height * row_pitch, row_pitch, static_cast<std::ptrdiff_t>(height), m.stride_height,
          grid_height, grid_width, taps};
}

/// Whether columns are read from a padded copy of the maps rather than packed. A packed number is written once and read once
/// for every tile of rows: a product of few rows does not pay for it, nor do few channels, whose rows all taps read from the
/// first-level cache. What a copy costs instead is registers that the end of a row does not fill. Masked rows are packed
/// while products are summed.
template <class T>
bool is_read_padded(const convolution_geometry& g, std::size_t channels, std::size_t rows, std::size_t grid_width) {
  const bool few_channels = channels <= 4;
  const auto tiles = current_gemm_tiles<T>();
  if (tiles.knows_masked_rows && g.is_unstrided() && g.out_width == g.width && !few_channels) return false;
  const std::size_t unused = (tiles.lanes - grid_width % tiles.lanes) % tiles.lanes;
  return g.taps() > 1 && (few_channels || rows <= 32) && unused * rows <= (few_channels ? 18 : 7) * grid_width;
}

}  // namespace deconvnet::kernels::detail
