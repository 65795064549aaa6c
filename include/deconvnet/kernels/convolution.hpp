// Convolution and its adjoint on raw memory.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include <deconvnet/kernels/convolution_geometry.hpp>
#include <deconvnet/kernels/depthwise.hpp>
#include <deconvnet/kernels/gemm.hpp>
#include <deconvnet/kernels/padded_maps.hpp>
#include <deconvnet/kernels/parallel_for.hpp>
#include <deconvnet/kernels/strided_copy.hpp>
#include <deconvnet/kernels/three_maps.hpp>
#include <deconvnet/kernels/transposed_gather.hpp>
#include <deconvnet/kernels/transposed_phases.hpp>
#include <deconvnet/kernels/workspace.hpp>

namespace deconvnet::kernels {

namespace detail {

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
        strided_copy(from + phase, stride, (width - phase + stride - 1) / stride, to);
      }
    }
  });
  return split;
}

/// The columns of the forward convolution, of group 0; groups lie `plane_pitch * channels` further on.
template <class T>
gemm_columns<T> forward_columns(const convolution_problem& p, const T* large) {
  const auto& g = p.geometry;
  const std::span<patch_tap> taps{workspace<struct forward_taps, patch_tap>(g.taps()), g.taps()};
  if (g.is_pointwise()) {
    taps[0] = every_place(g.pixels());
    return maps_as_columns(large, p.images, p.large_image(), taps, p.depth());
  }
  place_taps(g, taps);
  if (is_read_padded<T>(g, g.channels, p.filters, g.out_width)) {
    const std::size_t slack = current_gemm_tiles<T>().lanes;
    const auto maps = padded_maps(strided_maps<T>{large, p.images, p.large_image(), p.groups * g.channels, g.height, g.width, g.stride_height, g.stride_width},
                                  g.out_height, g.out_width, taps, slack);
    return {maps, p.images, readable_rows(maps, p.depth()), slack};
  }
  const std::size_t stride = g.stride_width;
  const std::size_t phase_width = (g.width + stride - 1) / stride;
  const std::size_t phases = std::min(stride, g.width);
  const std::size_t row_pitch = phases * phase_width;
  const T* maps = stride == 1 ? large : split_columns(large, p.images * p.groups * g.channels * g.height, g.width, stride, phases, phase_width);
  for (std::size_t t = 0; t < g.taps(); ++t) {
    const split_tap tap = make_split_tap(g, t % g.kernel_width);
    taps[t] = {taps[t].dy, tap.shift, tap.width != 0 ? tap.phase * phase_width : 0, tap.width};
  }
  return {{maps, p.groups * g.channels * g.height * row_pitch, g.height * row_pitch, row_pitch, static_cast<std::ptrdiff_t>(g.height),
           g.stride_height, g.out_height, g.out_width, taps}, p.images, nullptr, 0};
}

/// The places at the end of a row that would fill less than half of a register, of columns that are read row by row; 0 where
/// they fill more, or are not worth panels of their own.
template <class T>
std::size_t narrow_rest(const gemm_columns<T>& columns) {
  const auto& grid = columns.source;
  const std::size_t lanes = current_gemm_tiles<T>().lanes, rest = grid.grid_width % lanes;
  return columns.rows && grid.grid_width > lanes && 2 * rest <= lanes && rest * grid.grid_height >= 3 * lanes ? rest : 0;
}

/// The product by such columns: the ends of several rows are packed side by side. Of AlexNet's rows of 55, 48 fill three registers of
/// AVX-512; the other 7 would take as long as 16.
template <class T>
void multiply_by_rows(const gemm_weights<T>& weights, const gemm_columns<T>& columns, const gemm_result<T>& result) {
  const std::size_t rest = narrow_rest(columns);
  if (rest == 0) return gemm(weights, columns, result);
  auto whole = columns, ends = columns;
  auto result_of_ends = result;
  const std::size_t begin = whole.source.grid_width -= rest;
  ends.source.grid_width = rest;
  ends.source.data += begin;
  ends.rows = nullptr;
  result_of_ends.data += begin * result.j_pitch;
  gemm(weights, whole, result);
  gemm(weights, ends, result_of_ends);
}

template <class T>
bool is_read_padded_down(const convolution_problem& p) {
  const auto& g = p.geometry;
  return g.is_unstrided() && is_read_padded<T>(g, p.filters, g.channels, g.width);
}

/// The weights as the way down by phase reads them: rows are channels, the depth is (filter, tap of this phase). `group`: where
/// the weights of the group begin.
template <class T>
gemm_rows<T> phase_rows(const convolution_problem& p, const transposed_phase& phase, const T* group) {
  return {group, p.geometry.channels, p.geometry.taps(), phase.depth(p), p.depth(), phase.taps};
}

/// The way down for one group and one phase of places: a matrix product.
template <class T>
void multiply_phase(const convolution_problem& p, const transposed_phase& phase, const T* small, const gemm_weights<T>& weights, T* large) {
  const auto& g = p.geometry;
  gemm_columns<T> b{{small, p.small_image(), g.pixels(), g.out_width, static_cast<std::ptrdiff_t>(g.out_height), 1, phase.rows.count,
                     phase.columns.count, {}},
                    p.images, nullptr, 0};
  auto taps = phase.places(g);
  b.source.taps = taps;
  if (g.is_pointwise()) {
    taps.front() = every_place(g.pixels());
    b = maps_as_columns(small, p.images, p.small_image(), std::span<const patch_tap>(taps), phase.depth(p));
  } else if (is_read_padded_down<T>(p)) {
    b.slack = current_gemm_tiles<T>().lanes;
    b.source = padded_maps(strided_maps<T>{small, p.images, p.small_image(), p.filters, g.out_height, g.out_width, 1, 1}, g.height, g.width,
                           taps, b.slack);
    b.rows = readable_rows(b.source, phase.depth(p));
  }
  multiply_by_rows(weights, b,
                   gemm_result<T>{large + phase.y * g.width + phase.x, p.large_image(), p.large_plane(), g.stride_height * g.width,
                                  g.stride_width, nullptr, false});
}

}  // namespace detail

/// How convolve_transposed() goes, each with its own order of packed weights: a matrix product for each phase of the stride;
/// products first and sums then (transposed_gather.hpp); to an image's colours (three_maps.hpp).
enum class way_down { by_phase, gathered, to_three_maps };

inline way_down way_down_of(const convolution_problem& p) {
  if (leads_down_to_three_maps(p)) return way_down::to_three_maps;
  return is_gathered(p) ? way_down::gathered : way_down::by_phase;
}

/// Numbers that the packed weights of a convolution take, in either direction: those of the weights, and what fills tiles.
inline std::size_t packed_size(const convolution_problem& p) {
  return p.groups * p.filters * (way_down_of(p) == way_down::gathered ? detail::gathered_rows(p) : p.depth());
}

/// The weights in the order in which convolve() reads them, for the kernels of the level in use.
template <class T>
void pack_convolution(const convolution_problem& p, const T* weight, T* packed) {
  const std::size_t tile_rows = current_gemm_tiles<T>().rows;
  const bool three_maps = leads_to_three_maps(p);
  for (std::size_t group = 0; group < p.groups; ++group) {
    const std::size_t place = group * p.filters * p.depth();
    if (three_maps) {
      pack_three_maps(three_maps_forward(p), weight + place, p.depth(), p.geometry.taps(), false, packed + place);
    } else {
      pack_rows(contiguous_rows(weight + place, p.filters, p.depth()), tile_rows, packed + place);
    }
  }
}

/// The weights in the order in which convolve_transposed() reads them.
template <class T>
void pack_transposed(const convolution_problem& p, const T* weight, T* packed) {
  const std::size_t tile_rows = current_gemm_tiles<T>().rows;
  const auto& g = p.geometry;
  const std::size_t size = p.filters * p.depth();
  const way_down way = way_down_of(p);
  if (way == way_down::to_three_maps) {
    for (std::size_t group = 0; group < p.groups; ++group) {
      pack_three_maps(three_maps_transposed(p), weight + group * size, g.taps(), p.depth(), true, packed + group * size);
    }
    return;
  }
  if (way == way_down::gathered) {
    const std::size_t at_once = detail::gathered_at_once(p);
    for (std::size_t group = 0; group < p.groups; ++group) {
      for (std::size_t c = 0; c < g.channels; c += at_once) {
        const std::size_t channels = std::min(at_once, g.channels - c), rows = detail::gathered_rows(p, channels);
        const std::size_t columns = channels * g.taps();
        // Filters x (channels taps), filled up with zeros.
        T* filled = workspace<struct filled_weights, T>(p.filters * rows);
        for (std::size_t f = 0; f < p.filters; ++f) {
          std::fill(std::copy_n(weight + group * size + f * p.depth() + c * g.taps(), columns, filled + f * rows), filled + (f + 1) * rows, T(0));
        }
        pack_rows(gemm_rows<T>{filled, rows, 1, p.filters, rows, no_tap_offset}, tile_rows, packed);
        packed += p.filters * rows;
      }
    }
    return;
  }
  for (const auto& phase : detail::transposed_phases(g)) {
    for (std::size_t group = 0; group < p.groups; ++group, packed += g.channels * phase.depth(p)) {
      pack_rows(detail::phase_rows(p, phase, weight + group * size), tile_rows, packed);
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

/// The weights of a convolution in one direction, (groups filters) x channels x KH x KW: packed by pack_convolution() or
/// pack_transposed(), or, with null, as they are, which a matrix product alone takes.
template <class T>
struct convolution_weights {
  const T* packed;
  const T* plain;
};

/// Whether weights are taken as they are.
inline bool takes_plain_weights(const convolution_problem& p, bool down) {
  if (detail::is_depthwise(p)) return false;
  return down ? way_down_of(p) == way_down::by_phase : !leads_to_three_maps(p);
}

/// For one call: as they are, or packed in scratch memory.
template <class T>
convolution_weights<T> weights_for_now(const convolution_problem& p, const T* weight, bool down) {
  if (takes_plain_weights(p, down)) return {nullptr, weight};
  T* packed = workspace<struct packed_once, T>(packed_size(p));
  down ? pack_transposed(p, weight, packed) : pack_convolution(p, weight, packed);
  return {packed, nullptr};
}

/// small = weight * large + bias, then rectified on request. large: images x (groups channels) x H x W; bias: one per filter, or
/// null; small: images x (groups filters) x OH x OW.
template <class T>
void convolve(const convolution_problem& p, const T* large, const convolution_weights<T>& weights, const T* bias, T* small,
              bool rectify = false) {
  const auto& g = p.geometry;
  if (p.images == 0) return;
  if (detail::is_depthwise(p)) return detail::convolve_depthwise(p, large, weights.packed, bias, small, rectify);
  if (leads_to_three_maps(p)) {
    return convolve_to_three_maps(three_maps_forward(p), large, weights.packed, bias, small, rectify);
  }
  if (p.images > 1 && detail::is_read_padded<T>(g, g.channels, p.filters, g.out_width)) {
    auto one = p;
    one.images = 1;
    // One copy at a time for each thread, not one of the batch.
    return parallel_for_if_many(p.images, [&](std::size_t n) {
      convolve(one, large + n * p.large_image(), weights, bias, small + n * p.small_image(), rectify);
    });
  }
  gemm_columns<T> columns = detail::forward_columns(p, large);
  for (std::size_t group = 0; group < p.groups; ++group) {
    const std::size_t place = group * p.filters * p.depth();
    const auto rows = weights.packed ? gemm_weights<T>{weights.packed + place, p.filters, p.depth()}
                                     : unpacked_weights(contiguous_rows(weights.plain + place, p.filters, p.depth()));
    detail::multiply_by_rows(rows, columns,
                             gemm_result<T>{small + group * p.filters * g.pixels(), p.small_image(), g.pixels(), g.out_width, 1,
                                            bias ? bias + group * p.filters : nullptr, rectify});
    columns.source.data += g.channels * columns.source.plane_pitch;
  }
}

/// The exact adjoint of convolve without its bias: large = weight^T * small. By phase, a phase's taps
/// alone: no product with zero, no place written twice.
template <class T>
void convolve_transposed(const convolution_problem& p, const T* small, const convolution_weights<T>& weights, T* large) {
  const auto& g = p.geometry;
  if (p.images == 0) return;
  if (detail::is_depthwise(p)) return detail::convolve_transposed_depthwise(p, small, weights.packed, large);
  const way_down way = way_down_of(p);
  if (way == way_down::to_three_maps) {
    return convolve_to_three_maps<T>(three_maps_transposed(p), small, weights.packed, nullptr, large, false);
  }
  if (way == way_down::gathered) {
    for (std::size_t group = 0; group < p.groups; ++group) {
      detail::transposed_gather<T>(p, small + group * p.filters * g.pixels(), weights.packed + group * p.filters * detail::gathered_rows(p),
                                   large + group * g.channels * p.large_plane()).run();
    }
    return;
  }
  if (p.images > 1 && detail::is_read_padded_down<T>(p)) {
    auto one = p;
    one.images = 1;
    // One copy at a time for each thread, not one of the batch.
    return parallel_for_if_many(p.images, [&](std::size_t n) {
      convolve_transposed(one, small + n * p.small_image(), weights, large + n * p.large_image());
    });
  }
  const T* packed = weights.packed;
  for (const auto& phase : detail::transposed_phases(g)) {
    for (std::size_t group = 0; group < p.groups; ++group) {
      const std::size_t depth = phase.depth(p);
      const auto rows = packed ? gemm_weights<T>{packed, g.channels, depth}
                               : unpacked_weights(detail::phase_rows(p, phase, weights.plain + group * p.filters * p.depth()));
      detail::multiply_phase(p, phase, small + group * p.filters * g.pixels(), rows, large + group * g.channels * p.large_plane());
      if (packed) packed += g.channels * depth;
    }
  }
}

}  // namespace deconvnet::kernels
