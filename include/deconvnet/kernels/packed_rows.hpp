// The left side of a matrix product, packed in the order in which the micro-kernels read it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include <deconvnet/kernels/gemm_tile.hpp>
#include <deconvnet/kernels/parallel_for.hpp>
#include <deconvnet/kernels/transpose.hpp>

namespace deconvnet::kernels {

/// A matrix of `rows` x `depth` as it lies in memory: A[r][k] = data[r row_pitch + k / taps.size() depth_pitch +
/// taps[k % taps.size()]]. Weights serve the forward pass and, transposed and flipped, the way down.
template <class T>
struct gemm_rows {
  const T* data;
  std::size_t rows, row_pitch;
  std::size_t depth, depth_pitch;
  std::span<const std::size_t> taps;

  /// Where columns [first, first + count) lie from the place of a row on.
  void place_columns(std::size_t first, std::size_t count, std::size_t* columns) const {
    if (count == 0) return;
    std::size_t tap = first % taps.size(), place = first / taps.size() * depth_pitch;
    for (std::size_t k = 0; k < count; ++k) {
      columns[k] = place + taps[tap];
      if (++tap < taps.size()) continue;
      tap = 0;
      place += depth_pitch;
    }
  }

  /// Several taps, each right behind the one before.
  bool taps_lie_side_by_side() const {
    return taps.size() > 1 && std::ranges::adjacent_find(taps, [](std::size_t a, std::size_t b) { return b != a + 1; }) == taps.end();
  }
};

inline constexpr std::size_t no_tap_offset[] = {0};

/// Rows whose elements lie side by side.
template <class T>
gemm_rows<T> contiguous_rows(const T* data, std::size_t rows, std::size_t depth) {
  return {data, rows, depth, depth, 1, no_tap_offset};
}

/// Calls body(first row, log2 of the rows) for the tiles that cover `rows`: as many full ones as there are, then halves.
template <class Body>
void for_row_tiles(std::size_t rows, std::size_t tile_rows, Body&& body) {
  for (std::size_t row = 0; row < rows;) {
    std::size_t step = 0;
    while ((std::size_t{2} << step) <= std::min(tile_rows, rows - row)) ++step;
    body(row, step);
    row += std::size_t{1} << step;
  }
}

/// The same with the full tiles as one run: calls body(first row, log2 of the rows, tiles).
template <class Body>
void for_tile_runs(std::size_t rows, std::size_t tile_rows, Body&& body) {
  const std::size_t whole = rows / tile_rows, rest = whole * tile_rows;
  if (whole != 0) for_row_tiles(tile_rows, tile_rows, [&](std::size_t row, std::size_t step) { body(row, step, whole); });
  for_row_tiles(rows - rest, tile_rows, [&](std::size_t row, std::size_t step) { body(rest + row, step, std::size_t{1}); });
}

namespace detail {

/// Columns [first, last) of one tile: to[(k - first) rows + r] = A[row + r][k]. `side_by_side`: what the taps do, asked once.
template <class T>
void pack_tile(const gemm_rows<T>& a, bool side_by_side, std::size_t row, std::size_t rows, std::size_t first, std::size_t last, T* to) {
  const std::size_t taps = a.taps.size();
  const T* from = a.data + row * a.row_pitch + first / taps * a.depth_pitch;
  if (taps == 1 && a.depth_pitch == 1) return transpose_rows(from + a.taps[0], a.row_pitch, rows, last - first, to, rows);
  for (std::size_t k = first, tap = first % taps; k < last; tap = 0, from += a.depth_pitch) {
    const std::size_t here = std::min(taps - tap, last - k);
    if (side_by_side) {
      transpose_rows(from + a.taps[tap], a.row_pitch, rows, here, to, rows);
    } else {
      for (std::size_t t = 0; t < here; ++t) {
        for (std::size_t r = 0; r < rows; ++r) to[t * rows + r] = from[a.taps[tap + t] + r * a.row_pitch];
      }
    }
    k += here;
    to += here * rows;
  }
}

}  // namespace detail

/// Where the tile lies that begins at row `row`, within the block of columns that begins at `first`: tiles of one block follow
/// each other, as the product reads them.
inline std::size_t packed_tile(std::size_t rows, std::size_t depth, std::size_t row, std::size_t first, std::size_t block) {
  return first * rows + row * std::min(block, depth - first);
}

/// Packs A for tiles of `tile_rows` rows and blocks of `block` columns, each tile at packed_tile(). `to` takes rows x depth.
template <class T>
void pack_rows(const gemm_rows<T>& a, std::size_t tile_rows, T* to, std::size_t block = depth_block) {
  if (a.depth == 0) return;
  constexpr std::size_t piece = std::size_t{1} << 14;  // numbers; what a thread is woken for
  // Block after block: tiles below each other read side by side where the rows of A are columns of what lies in memory.
  const std::size_t blocks = (a.depth + block - 1) / block;
  const std::size_t band = std::max<std::size_t>(1, piece / (std::min(block, a.depth) * tile_rows)) * tile_rows;
  const std::size_t bands = (a.rows + band - 1) / band;
  const bool side_by_side = a.taps_lie_side_by_side();
  parallel_for(blocks * bands, [&](std::size_t task) {
    const std::size_t k = task / bands * block, begin = task % bands * band;
    for_row_tiles(std::min(band, a.rows - begin), tile_rows, [&](std::size_t row, std::size_t step) {
      detail::pack_tile(a, side_by_side, begin + row, std::size_t{1} << step, k, std::min(a.depth, k + block),
                        to + packed_tile(a.rows, a.depth, begin + row, k, block));
    });
  });
}

}  // namespace deconvnet::kernels
