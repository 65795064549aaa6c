// Convolutions whose groups are one map and one filter, up and down: no product of matrices, a map at a time.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include <deconvnet/kernels/convolution_geometry.hpp>
#include <deconvnet/kernels/gemm_tile.hpp>
#include <deconvnet/kernels/padded_maps.hpp>
#include <deconvnet/kernels/parallel_for.hpp>
#include <deconvnet/kernels/tap_sums.hpp>
#include <deconvnet/kernels/transposed_phases.hpp>
#include <deconvnet/kernels/workspace.hpp>

namespace deconvnet::kernels::detail {

inline bool is_depthwise(const convolution_problem& p) { return p.groups > 1 && p.geometry.channels == 1 && p.filters == 1; }

/// Where the sums of one map go: place (i, j) of the grid to data + i i_pitch + j j_pitch.
template <class T>
struct depthwise_result {
  T* data;
  std::size_t i_pitch, j_pitch;
  T bias;
  bool rectify;
};

/// One map by one filter: `weight` in the order of `taps`, dy and dx from a place of the map.
template <class T>
void convolve_map(const strided_maps<T>& map, std::size_t grid_height, std::size_t grid_width, std::span<const patch_tap> taps,
                  const T* weight, const depthwise_result<T>& result) {
  const auto sum_taps = current_tap_sums<T>();
  const std::size_t lanes = current_gemm_tiles<T>().lanes;
  patch_tap* own = workspace<struct depthwise_taps, patch_tap>(taps.size());
  std::copy(taps.begin(), taps.end(), own);
  const auto source = padded_maps(map, grid_height, grid_width, std::span<patch_tap>{own, taps.size()}, lanes);
  std::size_t* rows = workspace<struct depthwise_rows, std::size_t>(taps.size());
  for (std::size_t k = 0; k < taps.size(); ++k) rows[k] = source.readable_row(k);
  const std::size_t rounded = (grid_width + lanes - 1) / lanes * lanes;
  T* row = workspace<struct depthwise_row, T>(rounded);
  for (std::size_t i = 0; i < grid_height; ++i) {
    T* to = result.data + i * result.i_pitch;
    // What a register writes past the row, the next row overwrites; not past the map, nor where the rows of another phase lie between.
    const bool overwritten = i + 1 < grid_height && result.i_pitch == grid_width && rounded - grid_width <= grid_width;
    const bool in_place = result.j_pitch == 1 && (overwritten || rounded == grid_width);
    sum_taps({source.data + i * source.vertical_step * source.row_pitch, rows, taps.size(), weight, result.bias, result.rectify,
              in_place ? to : row, grid_width});
    for (std::size_t j = 0; !in_place && j < grid_width; ++j) to[j * result.j_pitch] = row[j];
  }
}

/// convolve() for groups of one map and one filter.
template <class T>
void convolve_depthwise(const convolution_problem& p, const T* large, const T* packed, const T* bias, T* small, bool rectify) {
  const auto& g = p.geometry;
  const std::span<patch_tap> taps{workspace<struct depthwise_forward_taps, patch_tap>(g.taps()), g.taps()};
  place_taps(g, taps);
  parallel_for(p.images * p.groups, [&](std::size_t plane) {
    const std::size_t group = plane % p.groups;
    convolve_map(strided_maps<T>{large + plane * p.large_plane(), 1, 0, 1, g.height, g.width, g.stride_height, g.stride_width}, g.out_height,
                 g.out_width, std::span<const patch_tap>(taps), packed + group * g.taps(),
                 depthwise_result<T>{small + plane * g.pixels(), g.out_width, 1, bias ? bias[group] : T(0), rectify});
  });
}

/// convolve_transposed() for groups of one map and one filter.
template <class T>
void convolve_transposed_depthwise(const convolution_problem& p, const T* small, const T* packed, T* large) {
  const auto& g = p.geometry;
  for (const auto& phase : transposed_phases(g)) {
    const auto taps = phase.places(g);
    if (phase.rows.count != 0 && phase.columns.count != 0) {
      parallel_for(p.images * p.groups, [&](std::size_t plane) {
        convolve_map(strided_maps<T>{small + plane * g.pixels(), 1, 0, 1, g.out_height, g.out_width, 1, 1}, phase.rows.count,
                     phase.columns.count, std::span<const patch_tap>(taps), packed + plane % p.groups * taps.size(),
                     depthwise_result<T>{large + plane * p.large_plane() + phase.y * g.width + phase.x, g.stride_height * g.width,
                                         g.stride_width, T(0), false});
      });
    }
    packed += p.groups * taps.size();
  }
}

}  // namespace deconvnet::kernels::detail
