// Convolution and its adjoint on raw memory, over images, groups and tiles of pixels.
#pragma once

#include <algorithm>
#include <cstddef>

#include <deconvnet/kernels/gemm.hpp>
#include <deconvnet/kernels/im2col.hpp>
#include <deconvnet/kernels/parallel_for.hpp>
#include <deconvnet/kernels/workspace.hpp>

namespace deconvnet::kernels {

/// One batch through one grouped convolution. `geometry.channels` counts the channels of one group.
struct convolution_problem {
  convolution_geometry geometry;
  std::size_t images, groups;
  std::size_t filters;  // of one group

  std::size_t depth() const { return geometry.channels * geometry.taps(); }
  std::size_t large_image() const { return groups * geometry.channels * geometry.height * geometry.width; }
  std::size_t small_image() const { return groups * filters * geometry.pixels(); }
};

namespace detail {

/// Pixels per tile: columns of about 1 MiB stay in the second-level cache. Depends on the layer alone, never on the
/// number of threads or images, so that the bits do not either.
inline std::size_t tile_pixels(std::size_t depth) {
  return std::clamp<std::size_t>((std::size_t{1} << 18) / std::max<std::size_t>(depth, 1) / 16 * 16, 64, 1024);
}

}  // namespace detail

/// small = weight * large + bias. large: images x (groups channels) x H x W; weight: (groups filters) x channels x KH x
/// KW; bias: one per filter, or null; small: images x (groups filters) x OH x OW.
template <class T>
void convolve(const convolution_problem& p, const T* large, const T* weight, const T* bias, T* small) {
  const auto& g = p.geometry;
  const std::size_t depth = p.depth();
  const std::size_t tile = detail::tile_pixels(depth);
  const std::size_t tiles = (g.pixels() + tile - 1) / tile;
  parallel_for(p.images * p.groups * tiles, [&](std::size_t task) {
    const std::size_t first = task % tiles * tile;
    const std::size_t last = std::min(g.pixels(), first + tile);
    const std::size_t group = task / tiles % p.groups;
    const std::size_t image = task / tiles / p.groups;
    const T* source = large + image * p.large_image() + group * g.channels * g.height * g.width;
    T* target = small + image * p.small_image() + group * p.filters * g.pixels() + first;
    for (std::size_t f = 0; f < p.filters; ++f) {
      T* row = target + f * g.pixels();
      std::fill(row, row + (last - first), bias ? bias[group * p.filters + f] : T(0));
    }
    const T* columns = source + first;
    std::size_t leading = g.pixels();
    if (!g.is_pointwise()) {
      T* buffer = workspace<struct im2col_buffer, T>(depth * (last - first));
      im2col(g, source, 0, g.channels, first, last, buffer);
      columns = buffer;
      leading = last - first;
    }
    gemm_add(p.filters, last - first, depth, weight + group * p.filters * depth, depth, columns, leading, target,
             g.pixels());
  });
}

/// The exact adjoint of convolve without its bias: large = weight^T * small. Every thread owns a block of channels, so
/// that overlapping windows add up in one fixed order.
template <class T>
void convolve_transposed(const convolution_problem& p, const T* small, const T* weight, T* large) {
  const auto& g = p.geometry;
  const std::size_t depth = p.depth();
  const std::size_t block = std::clamp<std::size_t>(128 / g.taps(), 1, g.channels);
  const std::size_t blocks = (g.channels + block - 1) / block;
  const std::size_t tile = detail::tile_pixels(block * g.taps());
  parallel_for(p.images * p.groups * blocks, [&](std::size_t task) {
    const std::size_t first_channel = task % blocks * block;
    const std::size_t last_channel = std::min(g.channels, first_channel + block);
    const std::size_t group = task / blocks % p.groups;
    const std::size_t image = task / blocks / p.groups;
    const std::size_t rows = (last_channel - first_channel) * g.taps();
    const T* source = small + image * p.small_image() + group * p.filters * g.pixels();
    T* target = large + image * p.large_image() + group * g.channels * g.height * g.width;
    std::fill(target + first_channel * g.height * g.width, target + last_channel * g.height * g.width, T(0));
    for (std::size_t first = 0; first < g.pixels(); first += tile) {
      const std::size_t last = std::min(g.pixels(), first + tile);
      T* columns = workspace<struct col2im_buffer, T>(rows * (last - first));
      gemm_transposed(rows, last - first, p.filters,
                      weight + group * p.filters * depth + first_channel * g.taps(), depth, source + first, g.pixels(),
                      columns, last - first);
      col2im_add(g, columns, first_channel, last_channel, first, last, target);
    }
  });
}

}  // namespace deconvnet::kernels
