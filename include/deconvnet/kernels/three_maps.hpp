// A convolution of stride 1 to three maps: the way down to an image's colours, or three filters on the way up.
#pragma once

#include <algorithm>
#include <cstddef>

#include <deconvnet/kernels/parallel_for.hpp>
#include <deconvnet/kernels/three_map_problem.hpp>
#include <deconvnet/kernels/three_maps_ring.hpp>
#include <deconvnet/kernels/three_narrow_maps.hpp>

namespace deconvnet::kernels {

/// out = the convolution of maps + bias, then rectified on request. packed: depth x 3 weights for each group, by pack_three_maps; bias:
/// one per map, or null. Strips of columns and bands of rows are shared out; each output has the same bits however they fall.
template <class T>
void convolve_to_three_maps(const three_map_problem& p, const T* maps, const T* packed, const T* bias, T* out, bool rectify) {
  const detail::three_map_operands<T> of{maps, packed, bias, out, rectify};
  const detail::narrow_three_maps<T> narrow(p, of);
  const bool is_narrow = p.out_width < current_three_maps_kernels<T>().tile_width();
  const std::size_t columns = is_narrow ? p.out_width : detail::columns_of_a_strip<T>(p), strips = (p.out_width + columns - 1) / columns;
  const std::size_t pieces = p.images * p.groups * strips;
  const std::size_t fitting = is_narrow ? narrow.least_bands() : 1;
  const std::size_t wanted = thread_count() == 1 ? 1 : 2 * thread_count();
  const std::size_t bands = std::min(p.out_height, std::max(fitting, (wanted + pieces - 1) / pieces));
  const std::size_t band = (p.out_height + bands - 1) / bands;
  parallel_for(pieces * bands, [&](std::size_t task) {
    const std::size_t first = task % bands * band, last = std::min(p.out_height, first + band), piece = task / bands / strips;
    if (first >= last) return;
    if (is_narrow) return narrow.fill(piece, first, last);
    const std::size_t column = task / bands % strips * columns;
    detail::strip_of_three_maps<T>(p, of, column, std::min(columns, p.out_width - column)).fill(piece, first, last);
  });
}

}  // namespace deconvnet::kernels
