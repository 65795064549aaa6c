// The adjoint of a convolution for signals that are mostly zero: after unpooling and rectification, eight in nine are.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include <deconvnet/kernels/convolution.hpp>
#include <deconvnet/kernels/parallel_for.hpp>
#include <deconvnet/kernels/scatter.hpp>
#include <deconvnet/kernels/transpose.hpp>
#include <deconvnet/kernels/workspace.hpp>

namespace deconvnet::kernels {

/// How one value of a signal is spread over the map below. Many channels: a block of channels side by side at each tap,
/// places of [row][column][channel]. Few, an image's colours: a row of taps, one channel at a time, places of [row][column].
template <class T>
struct scatter_plan {
  explicit scatter_plan(const convolution_problem& p) : kernels(current_scatter_kernels<T>()) {
    const auto& g = p.geometry;
    constexpr std::size_t few_channels = 4;
    by_channels = g.channels > few_channels || g.dilation_width != 1 || g.kernel_width > 4 * kernels.lanes;
    registers = by_channels ? std::min({std::size_t{4}, std::max<std::size_t>(1, 32 / kernels.lanes), (g.channels + kernels.lanes - 1) / kernels.lanes})
                            : (g.kernel_width + kernels.lanes - 1) / kernels.lanes;
    width = registers * kernels.lanes;
    blocks = by_channels ? (g.channels + width - 1) / width : g.channels;
    segments = by_channels ? g.taps() : g.kernel_height;
    rows = (g.out_height - 1) * g.stride_height + (g.kernel_height - 1) * g.dilation_height + 1;
    columns = (g.out_width - 1) * g.stride_width + (g.kernel_width - 1) * g.dilation_width + 1;
    column_pitch = by_channels ? width : 1;
    row_pitch = columns * column_pitch + (by_channels ? 0 : width);
  }

  /// Numbers of weights: blocks x filters x segments x width per group.
  std::size_t weight_size(const convolution_problem& p) const { return p.groups * blocks * p.filters * segments * width; }

  scatter_kernels<T> kernels;
  bool by_channels;
  std::size_t registers, width, blocks, segments;
  std::size_t rows, columns;  // of the map below, padding and all
  std::size_t column_pitch, row_pitch;
};

/// The weights in the order in which they are spread, zero where a register is not full. needed(filter): whether that filter's
/// will be read.
template <class T, class Needed>
void scattered_weights(const convolution_problem& p, const scatter_plan<T>& plan, const T* weight, const Needed& needed, T* to) {
  const auto& g = p.geometry;
  parallel_for(p.groups * plan.blocks, [&](std::size_t task) {
    const std::size_t group = task / plan.blocks, block = task % plan.blocks;
    T* place = to + task * p.filters * plan.segments * plan.width;
    for (std::size_t f = 0; f < p.filters; ++f) {
      const T* filter = weight + (group * p.filters + f) * p.depth();
      if (!needed(group * p.filters + f)) {
        place += plan.segments * plan.width;
        continue;
      }
      for (std::size_t s = 0; s < plan.segments; ++s, place += plan.width) {
        if (plan.by_channels) {
          const std::size_t first = block * plan.width, count = std::min(plan.width, g.channels - first);
          for (std::size_t c = 0; c < count; ++c) place[c] = filter[(first + c) * g.taps() + s];
          std::fill(place + count, place + plan.width, T(0));
        } else {
          const T* row = filter + block * g.taps() + s * g.kernel_width;
          std::fill(std::copy_n(row, g.kernel_width, place), place + plan.width, T(0));
        }
      }
    }
  });
}

/// How many values one image's signal may have for the sparse way to be the faster one. Measured, in cycles for a register of
/// products: added to memory 2.5, past the second-level cache 3.2, along rows 5 (9 where the rows of neighbours overlap much);
/// in a matrix product 0.7, in one for few channels 0.8, in Winograd's algorithm 0.27, with 5 x 5 filters 0.34.
template <class T>
std::size_t most_sparse_values(const convolution_problem& p, const scatter_plan<T>& plan, bool winograd) {
  const auto& g = p.geometry;
  const double products = static_cast<double>(p.groups * p.filters * p.depth()) * static_cast<double>(g.height * g.width) /
                          static_cast<double>(g.stride_height * g.stride_width);
  const double product_by_winograd = g.kernel_width == 5 ? 0.34 : 0.27;
  const double dense = products / static_cast<double>(plan.kernels.lanes) * (winograd ? product_by_winograd : plan.by_channels ? 0.7 : 0.8);
  const std::size_t map = plan.rows * plan.row_pitch;
  const double clearing = 2 * static_cast<double>(p.groups * plan.blocks * map / plan.kernels.lanes);
  const double product = plan.by_channels ? (map * sizeof(T) > 200'000 ? 3.2 : 2.5) : (g.stride_width > 1 ? 5 : 9);
  const double per_value = static_cast<double>(plan.blocks * plan.segments * plan.registers) * product;
  return dense > clearing ? static_cast<std::size_t>((dense - clearing) / per_value) : 0;
}

/// What is not zero in one image's signal, filter by filter.
template <class T>
struct nonzero_values {
  std::vector<T> values;
  std::vector<std::uint32_t> places;
  std::vector<std::size_t> ends;  // per filter

  /// False, with nothing to use, where there are more than `most`, one is NaN or infinite, or the map is past all bounds.
  bool collect(const convolution_problem& p, const scatter_plan<T>& plan, const T* small, std::size_t most) {
    const auto& g = p.geometry;
    if (plan.rows * plan.row_pitch > std::numeric_limits<std::uint32_t>::max()) return false;
    // One place more: every element is written, and counted where it is not zero; a branch would be guessed wrong too often.
    values.resize(most + g.pixels() + 1);
    places.resize(most + g.pixels() + 1);
    std::size_t count = 0;
    for (std::size_t f = 0; f < p.groups * p.filters; ++f) {
      for (std::size_t y = 0; y < g.out_height; ++y) {
        std::uint32_t place = static_cast<std::uint32_t>(y * g.stride_height * plan.row_pitch);
        const auto step = static_cast<std::uint32_t>(g.stride_width * plan.column_pitch);
        for (std::size_t x = 0; x < g.out_width; ++x, ++small, place += step) {
          values[count] = *small;
          places[count] = place;
          count += *small != T(0);
        }
      }
      // A register's worth of weights is filled up with zeros, which times infinity are no zeros.
      for (std::size_t k = ends.empty() ? 0 : ends.back(); k < count; ++k) {
        if (!std::isfinite(values[k])) return false;
      }
      if (count > most) return false;
      ends.push_back(count);
    }
    return true;
  }
};

namespace detail {

/// Rows and columns of `sums` that lie on the map, to one block of its channels.
template <class T>
void scattered_to_map(const convolution_problem& p, const scatter_plan<T>& plan, const T* sums, std::size_t block, T* large) {
  const auto& g = p.geometry;
  for (std::size_t y = 0; y < g.height; ++y) {
    const bool covered = y + g.padding_top < plan.rows;
    const std::size_t count = covered && plan.columns > g.padding_left ? std::min(g.width, plan.columns - g.padding_left) : 0;
    const T* from = sums + (y + g.padding_top) * plan.row_pitch + g.padding_left * plan.column_pitch;
    const std::size_t first = plan.by_channels ? block * plan.width : block;
    const std::size_t channels = plan.by_channels ? std::min(plan.width, g.channels - first) : 1;
    T* to = large + first * p.large_plane() + y * g.width;
    if (plan.by_channels) {
      transpose_rows(from, plan.width, count, channels, to, p.large_plane());
    } else {
      std::copy_n(from, count, to);
    }
    for (std::size_t c = 0; c < channels; ++c) std::fill(to + c * p.large_plane() + count, to + c * p.large_plane() + g.width, T(0));
  }
}

}  // namespace detail

/// convolve_transposed for signals of which few values are not zero: large = weight^T * small, one image per signal; weight:
/// by scattered_weights. Sums are taken in the order of filters and places.
template <class T>
void convolve_transposed_sparse(const convolution_problem& p, const scatter_plan<T>& plan, std::span<const nonzero_values<T>> signals,
                                const T* weight, T* large) {
  const auto& g = p.geometry;
  std::vector<std::ptrdiff_t> offsets;
  for (std::size_t s = 0; s < plan.segments; ++s) {
    const std::size_t ky = plan.by_channels ? s / g.kernel_width : s, kx = plan.by_channels ? s % g.kernel_width : 0;
    offsets.push_back(static_cast<std::ptrdiff_t>(ky * g.dilation_height * plan.row_pitch + kx * g.dilation_width * plan.column_pitch));
  }
  // Block by block of weights, which stays in the second-level cache for all images.
  const std::size_t block_size = p.filters * plan.segments * plan.width;
  parallel_for(p.groups * plan.blocks * signals.size(), [&](std::size_t task) {
    const std::size_t n = task % signals.size(), block = task / signals.size();
    const std::size_t group = block / plan.blocks;
    const auto& signal = signals[n];
    const std::size_t size = plan.rows * plan.row_pitch + plan.width;
    T* sums = workspace<struct scattered_map, T>(size);
    std::fill(sums, sums + size, T(0));
    for (std::size_t f = 0; f < p.filters; ++f) {
      const std::size_t filter = group * p.filters + f;
      const std::size_t first = filter == 0 ? 0 : signal.ends[filter - 1];
      plan.kernels.run[plan.registers - 1]({signal.values.data() + first, signal.places.data() + first, signal.ends[filter] - first,
                                            weight + block * block_size + f * plan.segments * plan.width, offsets.data(),
                                            plan.segments, sums});
    }
    detail::scattered_to_map(p, plan, sums, block % plan.blocks, large + n * p.large_image() + group * g.channels * p.large_plane());
  });
}

}  // namespace deconvnet::kernels
