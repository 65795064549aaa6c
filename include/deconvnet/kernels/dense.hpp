// Products with the matrix of a fully connected layer, which is read once, where it lies, for all images.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>

#include <deconvnet/kernels/gemm.hpp>
#include <deconvnet/kernels/gemm_tile.hpp>
#include <deconvnet/kernels/image_products.hpp>
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
                                    tiles.packed_rows[2], 0, nullptr, c + n * pitch, pitch, 0, false, nullptr, false});
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

/// What dense() does for several images: as many side by side as registers hold, a band of rows at a time, block by block.
template <class T>
class dense_images {
 public:
  dense_images(const T* x, std::size_t images, std::size_t inputs, const image_product_kernels<T>& kernels)
      : images_(images), inputs_(inputs), kernels_(kernels), most_(3 * kernels.lanes), pitch_((images + kernels.lanes - 1) / kernels.lanes * kernels.lanes),
        turned_(workspace<struct turned_images, T>(pitch_ * inputs)) {
    parallel_for((images + most_ - 1) / most_, [&](std::size_t group) {
      T* to = turned_ + group * most_ * inputs_;
      if (count(group) < width(group)) std::fill_n(to, width(group) * inputs_, T(0));
      transpose_rows(x + group * most_ * inputs_, inputs_, count(group), inputs_, to, width(group));
    });
  }

  /// Rows [first, last) of the weight to y, which holds the bias.
  void run(const T* weight, std::size_t first, std::size_t last, std::size_t outputs, T* y) const {
    const std::size_t rows = last - first;
    T* sums = workspace<struct image_sums, T>(pitch_ * rows);
    const auto turn_sums = [&](auto&& body) {
      for (std::size_t n = 0; n < images_; ++n) {
        T* sum = sums + n / most_ * most_ * rows + n % most_;
        for (std::size_t r = 0; r < rows; ++r) body(sum[r * width(n / most_)], y[n * outputs + first + r]);
      }
    };
    if (pitch_ != images_) std::fill_n(sums, pitch_ * rows, T(0));
    turn_sums([](T& sum, const T& bias) { sum = bias; });
    // The longer a run of a row, the faster memory: so many columns as leave the images' part in the second-level cache.
    const std::size_t columns = depth_block * std::max<std::size_t>(1, most_blocks * kernels_.lanes / pitch_);
    for (std::size_t k = 0; k < inputs_; k += columns) {
      for (std::size_t group = 0; group * most_ < images_; ++group) {
        kernels_.multiply[width(group) / kernels_.lanes - 1](
            {weight + first * inputs_ + k, inputs_, rows, std::min(columns, inputs_ - k), depth_block,
             turned_ + group * most_ * inputs_ + k * width(group), sums + group * most_ * rows});
      }
    }
    turn_sums([](const T& sum, T& result) { result = sum; });
  }

 private:
  static constexpr std::size_t most_blocks = 64;  // of one register of images: 320 KB of floats

  std::size_t count(std::size_t group) const { return std::min(most_, images_ - group * most_); }
  std::size_t width(std::size_t group) const { return std::min(most_, pitch_ - group * most_); }

  const std::size_t images_, inputs_;
  const image_product_kernels<T> kernels_;
  const std::size_t most_, pitch_;
  T* const turned_;
};

}  // namespace detail

/// y (images x outputs) = x (images x inputs) weight^T + bias; weight: outputs x inputs; bias: outputs, or null. Bits depend
/// neither on the number of images nor on threads.
template <class T>
void dense(const T* x, std::size_t images, std::size_t inputs, const T* weight, std::size_t outputs, const T* bias, T* y) {
  if (images == 0) return;
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
  // Sums of a band stay in the second-level cache, with what a block of its rows holds.
  constexpr std::size_t most_rows = 256;
  const detail::dense_images<T> batch(x, images, inputs, current_image_products<T>());
  const std::size_t threads = thread_count();
  const std::size_t bands = std::max((outputs - done + most_rows - 1) / most_rows, threads == 1 ? 1 : 2 * threads);
  const std::size_t band = ((outputs - done + bands - 1) / bands + 23) / 24 * 24;  // whole groups of 4, 6 and 8 rows
  parallel_for((outputs - done + band - 1) / band, [&](std::size_t task) {
    batch.run(weight, done + task * band, std::min(outputs, done + (task + 1) * band), outputs, y);
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
