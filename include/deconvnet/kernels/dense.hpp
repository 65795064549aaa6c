// Products with the matrix of a fully connected layer, which is read once, where it lies, for all images.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>

#include <deconvnet/kernels/gemm.hpp>
#include <deconvnet/kernels/gemm_tile.hpp>
#include <deconvnet/kernels/parallel_for.hpp>
#include <deconvnet/kernels/row_products.hpp>
#include <deconvnet/kernels/transpose.hpp>
#include <deconvnet/kernels/workspace.hpp>

namespace deconvnet::kernels {

namespace detail {

/// Images [first_image, first_image + images) of result (columns [first, first + count)) += a (packed) b. `panel(k, depth)`
/// gives rows [k, k + depth) of b's columns, side by side, and zeros to a whole register; what stands in result comes first,
/// then each block of rows, each summed in the order of k. Columns that fill no register go by way of a buffer.
template <class T, class Panel>
void dense_panel(const gemm_weights<T>& a, std::size_t first_image, std::size_t images, T* result, std::size_t columns,
                 std::size_t first, std::size_t count, const gemm_tile_set<T>& tiles, Panel&& panel) {
  result += first_image * columns;
  const std::size_t vectors = (count + tiles.lanes - 1) / tiles.lanes;
  const bool whole = count % tiles.lanes == 0;
  const std::size_t pitch = whole ? columns : vectors * tiles.lanes;
  T* c = whole ? result + first : workspace<struct dense_sums, T>(images * pitch);
  for (std::size_t n = 0; !whole && n < images; ++n) std::copy_n(result + n * columns + first, count, c + n * pitch);
  for (std::size_t k = 0; k < a.depth; k += depth_block) {
    const std::size_t block = std::min(depth_block, a.depth - k);
    const T* b = panel(k, block);
    for_tile_runs(images, tiles.rows, [&](std::size_t n, std::size_t step, std::size_t tiles_here) {
      const std::size_t rows = std::size_t{1} << step;
      tiles.run[step][vectors - 1]({block, tiles_here, a.packed + packed_tile(a.rows, a.depth, first_image + n, k, depth_block), rows * block, b,
                                    tiles.packed_rows[2], 0, c + n * pitch, pitch, 0, false, nullptr, false});
    });
  }
  for (std::size_t n = 0; !whole && n < images; ++n) std::copy_n(c + n * pitch, count, result + n * columns + first);
}

/// The images' rows packed as the left side of a product.
template <class T>
gemm_weights<T> packed_images(const T* x, std::size_t images, std::size_t depth, const gemm_tile_set<T>& tiles) {
  T* packed = workspace<struct dense_images, T>(images * depth);
  pack_rows(contiguous_rows(x, images, depth), tiles.rows, packed);
  return {packed, images, depth};
}

/// Calls body(first image, images, first column, columns) for pieces of a result, in parallel: panels of columns and, where
/// these are few, bands of images.
template <class Body>
void dense_pieces(std::size_t images, std::size_t columns, std::size_t width, Body&& body) {
  constexpr std::size_t least_band = 32;  // for fewer images than this a panel is not worth its making; whole tiles
  const std::size_t panels = (columns + width - 1) / width;
  const std::size_t bands = std::clamp<std::size_t>(2 * thread_count() / panels, 1, std::max<std::size_t>(1, images / least_band));
  const std::size_t band = (images + 8 * bands - 1) / (8 * bands) * 8;
  parallel_for(panels * bands, [&](std::size_t task) {
    const std::size_t image = task / panels * band, column = task % panels * width;
    if (image >= images) return;
    body(image, std::min(band, images - image), column, std::min(width, columns - column));
  });
}

/// What dense() does for one image: rows of the weight straight into the sums. Returns how many rows are
/// done: whole groups.
inline std::size_t dense_rows(const float* x, std::size_t inputs, const float* weight, std::size_t outputs, float* y) {
  const std::size_t groups = outputs / products_rows;
  parallel_for(groups, [&](std::size_t group) {
    const std::size_t first = group * products_rows;
    multiply_rows({weight + first * inputs, inputs, inputs, depth_block, x, y + first});
  });
  return groups * products_rows;
}

}  // namespace detail

/// y (images x outputs) = x (images x inputs) weight^T + bias; weight: outputs x inputs; bias: outputs, or null. Bits depend
/// neither on the number of images nor on threads.
template <class T>
void dense(const T* x, std::size_t images, std::size_t inputs, const T* weight, std::size_t outputs, const T* bias, T* y) {
  const gemm_tile_set<T> tiles = current_gemm_tiles<T>();
  const std::size_t width = 3 * tiles.lanes;
  for (std::size_t n = 0; n < images; ++n) {
    if (bias) {
      std::copy_n(bias, outputs, y + n * outputs);
    } else {
      std::fill_n(y + n * outputs, outputs, T(0));
    }
  }
  std::size_t done = 0;
  if constexpr (std::same_as<T, float>) {
    if (images == 1) done = detail::dense_rows(x, inputs, weight, outputs, y);
  }
  if (done == outputs) return;
  const gemm_weights<T> packed_x = detail::packed_images(x, images, inputs, tiles);
  detail::dense_pieces(images, outputs - done, width, [&](std::size_t image, std::size_t band, std::size_t column, std::size_t count) {
    const std::size_t first = done + column;
    T* packed = workspace<struct dense_weights, T>(depth_block * width);
    detail::dense_panel(packed_x, image, band, y, outputs, first, count, tiles,
                        [&](std::size_t k, std::size_t depth) {
                          if (count < width) std::fill(packed, packed + depth * width, T(0));
                          transpose_rows(weight + first * inputs + k, inputs, count, depth, packed, width);
                          return packed;
                        });
  });
}

/// result (images x inputs) = signal (images x outputs) weight: the adjoint of dense without its bias.
template <class T>
void dense_adjoint(const T* signal, std::size_t images, std::size_t outputs, const T* weight, std::size_t inputs, T* result) {
  const gemm_tile_set<T> tiles = current_gemm_tiles<T>();
  const std::size_t width = 3 * tiles.lanes;
  const gemm_weights<T> packed_signal = detail::packed_images(signal, images, outputs, tiles);
  detail::dense_pieces(images, inputs, width, [&](std::size_t image, std::size_t band, std::size_t first, std::size_t count) {
    for (std::size_t n = image; n < image + band; ++n) std::fill_n(result + n * inputs + first, count, T(0));
    T* packed = workspace<struct dense_weights, T>(depth_block * width);
    detail::dense_panel(packed_signal, image, band, result, inputs, first, count, tiles,
                        [&](std::size_t k, std::size_t depth) {
                          const T* rows = weight + k * inputs + first;
                          for (std::size_t row = 0; row < depth; ++row) {
                            std::fill(std::copy_n(rows + row * inputs, count, packed + row * width), packed + (row + 1) * width, T(0));
                          }
                          return packed;
                        });
  });
}

}  // namespace deconvnet::kernels
