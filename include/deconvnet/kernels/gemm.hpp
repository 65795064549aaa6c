// The matrix product behind every convolution: weights times columns that are packed on the way.
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <span>
#include <vector>

#include <deconvnet/kernels/gemm_tile.hpp>
#include <deconvnet/kernels/packed_rows.hpp>
#include <deconvnet/kernels/parallel_for.hpp>
#include <deconvnet/kernels/patches.hpp>
#include <deconvnet/kernels/workspace.hpp>

namespace deconvnet::kernels {

/// The left side, `rows` x `depth`: packed by pack_rows, or, with null, as it lies in memory.
template <class T>
struct gemm_weights {
  const T* packed;
  std::size_t rows, depth;
  gemm_rows<T> unpacked{};
};

template <class T>
gemm_weights<T> unpacked_weights(const gemm_rows<T>& rows) {
  return {nullptr, rows.rows, rows.depth, rows};
}

/// The right side: patches, packed on the way, or, with `rows`, read where they lie: row k of B at rows[k] from a place of the
/// grid. Then no tap may read outside the maps, and a row of the grid is followed by `slack` elements that may be read.
template <class T>
struct gemm_columns {
  patch_source<T> source;
  std::size_t images;
  const std::size_t* rows;
  std::size_t slack;

  std::size_t count() const { return images * source.places(); }
};

/// Maps at distances that share few sets of the first-level cache (64 sets of 8 lines, so that addresses 4096 bytes apart share
/// one) displace each other before the next tile reads them again: 224 x 224 floats lie 49 x 4096 bytes apart.
template <class T>
bool maps_displace_each_other(const patch_source<T>& source, std::size_t depth) {
  constexpr std::size_t period = 4096, ways = 8;
  const std::size_t distances = period / std::gcd(source.plane_pitch * sizeof(T), period);
  return std::min(depth, depth_block) / source.taps.size() > ways * distances;
}

/// Where the rows of `depth` columns lie that are read from maps, from their place on; null where packing them is faster. Valid
/// until this thread asks again.
template <class T>
const std::size_t* readable_rows(const patch_source<T>& source, std::size_t depth) {
  if (maps_displace_each_other(source, depth)) return nullptr;
  std::size_t* rows = workspace<struct rows_of_maps, std::size_t>(depth);
  for (std::size_t k = 0; k < depth; ++k) rows[k] = source.readable_row(k);
  return rows;
}

/// Where C goes: element (row, image, place (i, j)) to data + image * image_pitch + row * row_pitch + i * i_pitch +
/// j * j_pitch. Rows begin with `bias` (one per row) or 0 and end rectified on request. The last place of a row's grid, or
/// of the last image where images follow each other without a gap, is followed by `slack` elements that may be overwritten.
template <class T>
struct gemm_result {
  T* data;
  std::size_t image_pitch, row_pitch, i_pitch, j_pitch;
  const T* bias;
  bool rectify;
  std::size_t slack = 0;
};

/// The tap that reads every place in order: `places` in a row.
inline patch_tap every_place(std::size_t places) { return {0, 0, 0, static_cast<std::ptrdiff_t>(places)}; }

/// Maps that are their own columns, `depth` of them in each of `images`. `tap`: one, every_place() of a map; it has to stay. They are
/// read where they lie, each image by tiles of its own, unless small maps would leave too much of their registers empty.
template <class T>
gemm_columns<T> maps_as_columns(const T* maps, std::size_t images, std::size_t image_pitch, std::span<const patch_tap> tap, std::size_t depth) {
  const auto places = static_cast<std::size_t>(tap.front().width);
  const patch_source<T> source{maps, image_pitch, places, places, 1, 1, 1, places, tap};
  const std::size_t lanes = current_gemm_tiles<T>().lanes, unused = (lanes - places % lanes) % lanes;
  const bool too_small = images > 1 && (16 * unused > places || places <= lanes);
  return {source, images, too_small ? nullptr : readable_rows(source, depth), 0};
}

namespace detail {

/// Panels per task: what a block of A serves before the next one displaces it.
inline constexpr std::size_t most_panels = 12;

template <class T>
class gemm_task {
 public:
  gemm_task(const gemm_weights<T>& a, const gemm_columns<T>& b, const gemm_result<T>& c)
      : a_(a), b_(b), c_(c), tiles_(current_gemm_tiles<T>()), width_(3 * tiles_.lanes) {}

  /// Panels of all columns. One that is read from the maps ends where a row of the grid does.
  std::size_t panel_count() const {
    if (!b_.rows) return (b_.count() + width_ - 1) / width_;
    return b_.images * b_.source.grid_height * panels_per_row();
  }

  /// Rows [first_row, last_row) by panels [first, last); first_row is a multiple of a tile's rows.
  void run(std::size_t first_row, std::size_t last_row, std::size_t first, std::size_t last) {
    first_row_ = first_row;
    last_row_ = last_row;
    prepare(last_row - first_row, first, last);
    const std::size_t at_once = panels_at_once();
    // Once even where there is nothing to sum: a stride past the kernel leaves phases without a tap, all zero.
    for (std::size_t k = 0; k == 0 || k < a_.depth; k += depth_block) {
      const std::size_t depth = std::min(depth_block, a_.depth - k);
      block_ = prepare_weights(k, depth);
      for (std::size_t first_panel = 0; first_panel < panels_.size(); first_panel += at_once) {
        const auto group = panels_.subspan(first_panel, std::min(at_once, panels_.size() - first_panel));
        fill(group, k, depth);
        const auto run = [&](std::size_t row, std::size_t step, std::size_t count) {
          // A product of little depth writes faster than memory answers: two panels ahead.
          const std::size_t ahead = group.size() == 1 ? 0 : 2 * width_;
          for (panel& p : group) multiply(p, row, step, count, k, depth, ahead);
        };
        // All rows of a panel, or a few rows over the group: what is written lies side by side.
        const std::size_t rows = last_row - first_row;
        if (group.size() == 1) {
          for_tile_runs(rows, tiles_.rows, [&](std::size_t row, std::size_t step, std::size_t count) { run(first_row + row, step, count); });
        } else {
          for_tile_runs(rows, tiles_.rows, [&](std::size_t row, std::size_t step, std::size_t count) {
            for (std::size_t tile = 0; tile < count; tile += tiles_at_once) {
              run(first_row + row + (tile << step), step, std::min(tiles_at_once, count - tile));
            }
          });
        }
        for (const panel& p : group) {
          if (k + depth == a_.depth && p.sums) scatter(p);
        }
      }
    }
  }

 private:
  struct panel {
    std::size_t first, count, vectors;
    T* packed;          // filled before use, or by the first tile with what it reads from the maps
    const T* maps;      // null where it is filled before
    const T* b;         // from fill() on
    const std::size_t* b_rows;
    T* c;               // of row 0, on the map or in `sums`
    std::size_t ldc;
    bool masked;        // filled by the first tile, from masked rows
    T* sums;            // null, or rows x width of sums of columns that do not lie side by side, for after the last block
    patch_panel<T> patches;
  };

  /// Tiles of a panel before the next panel of a group has its turn.
  static constexpr std::size_t tiles_at_once = 4;
  std::size_t rows_at_once() const { return tiles_at_once * tiles_.rows; }

  /// Panels that share the first-level cache. A product of little depth writes more than it reads.
  std::size_t panels_at_once() const {
    constexpr std::size_t most_bytes = std::size_t{1} << 15;
    return std::clamp<std::size_t>(most_bytes / sizeof(T) / std::max<std::size_t>(1, a_.depth * width_), 1, most_panels);
  }

  /// Where a block of weights lies. One that is not packed is so after the first panel, whose full tiles pack what they read:
  /// in the second-level cache, at no cost that could be measured.
  const T* prepare_weights(std::size_t k, std::size_t depth) {
    if (a_.packed) return a_.packed + packed_tile(a_.rows, a_.depth, first_row_, k, depth_block);
    const std::size_t rows = last_row_ - first_row_, full = rows / tiles_.rows * tiles_.rows;
    packed_block_ = workspace<struct packed_weights, T>(rows * depth_block);
    columns_ = workspace<struct weight_columns, std::size_t>(depth_block);
    const gemm_rows<T>& from = a_.unpacked;
    from.place_columns(k, depth, columns_);
    const bool side_by_side = from.taps_lie_side_by_side();
    for_row_tiles(depth == 0 ? 0 : rows - full, tiles_.rows, [&](std::size_t row, std::size_t step) {
      pack_tile(from, side_by_side, first_row_ + full + row, std::size_t{1} << step, k, k + depth, packed_block_ + (full + row) * depth);
    });
    return packed_block_;
  }

  std::size_t panels_per_row() const { return (b_.source.grid_width + width_ - 1) / width_; }

  void prepare(std::size_t rows, std::size_t first, std::size_t last) {
    const std::size_t count = last - first;
    const std::size_t panel_size = std::min(depth_block, a_.depth) * width_;
    const std::size_t at_once = panels_at_once();
    T* buffer = workspace<struct packed_panel, T>(at_once * panel_size);
    panels_ = {workspace<panel, panel>(most_panels), count};
    // A copy that a later run of tiles reads has a place of its own.
    const bool is_copy_kept = rows > rows_at_once() || rows % tiles_.rows != 0;
    T* shared_copy = workspace<struct copied_panel, T>(is_copy_kept ? 0 : panel_size);
    T* sums = workspace<struct scattered_sums, T>(count * rows * width_);
    const bool dense = is_dense();
    const auto& from = b_.source;
    const std::size_t places = from.places();
    const bool joined = c_.image_pitch == places;
    // Of the panel at hand: its first column, place in the map and row of the grid. Counted on, as divisions take longer than a
    // small product.
    std::size_t column = first * width_, row = 0, place_in_row = 0;
    if (b_.rows) {
      row = first / panels_per_row();
      place_in_row = first % panels_per_row() * width_;
      column = row * from.grid_width + place_in_row;
    }
    std::size_t image = column / places, place = column % places;
    row -= b_.rows ? image * from.grid_height : 0;
    for (std::size_t k = 0, slot = 0; k < count; ++k) {
      panel& p = panels_[k];
      p.first = column;
      p.count = std::min(width_, b_.rows ? from.grid_width - place_in_row : b_.count() - column);
      p.vectors = p.count > 2 * tiles_.lanes ? 3 : p.count > tiles_.lanes ? 2 : 1;
      const std::size_t behind = (joined ? column + p.count == b_.count() : place + p.count == places) ? c_.slack : 0;
      const bool whole = p.count + behind >= p.vectors * tiles_.lanes && (joined || place + p.count <= places);
      p.packed = buffer + slot * panel_size;
      if (++slot == at_once) slot = 0;
      p.maps = nullptr;
      p.masked = false;
      if (!b_.rows || p.count + b_.slack < p.vectors * tiles_.lanes) {
        p.patches.prepare(from, p.first, p.count, width_, tiles_.knows_masked_rows);
        p.masked = p.patches.is_masked() && at_once == 1 && p.vectors == 3 && rows >= tiles_.rows;
      } else {
        if (!is_copy_kept) p.packed = shared_copy;
        p.maps = from.data + image * from.image_pitch + row * from.vertical_step * from.row_pitch + place_in_row;
      }
      // A panel that is read from the maps lies in one row of the grid.
      p.sums = whole && (dense || (b_.rows && c_.j_pitch == 1)) ? nullptr : sums + k * rows * width_;
      const std::size_t place_of_c = b_.rows ? row * c_.i_pitch + place_in_row : place;
      p.c = p.sums ? p.sums - first_row_ * width_ : c_.data + image * c_.image_pitch + place_of_c;
      p.ldc = p.sums ? width_ : c_.row_pitch;
      column += p.count;
      for (place += p.count; place >= places; place -= places) ++image;
      if (b_.rows && (place_in_row += p.count) == from.grid_width) {
        place_in_row = 0;
        if (++row == from.grid_height) row = 0;
      }
    }
  }

  /// C has no gap between the places of a map.
  bool is_dense() const { return c_.j_pitch == 1 && (c_.i_pitch == b_.source.grid_width || b_.source.grid_height == 1); }

  void fill(std::span<panel> group, std::size_t k, std::size_t depth) const {
    // A few channels at a time: all taps of a channel read the same few cache lines, panels side by side share one, and planes
    // may lie at distances that share sets of the first-level cache.
    const std::size_t step = 8 * b_.source.taps.size();
    for (std::size_t row = 0; row < depth; row += step) {
      for (const panel& p : group) {
        if (!p.maps && !p.masked) tiles_.pack(p.patches.rows(k + row, k + std::min(depth, row + step), p.packed + row * width_, group.size() * width_));
      }
    }
    for (panel& p : group) {
      if (!p.maps) {
        p.b = p.packed;
        p.b_rows = tiles_.packed_rows[2];
      } else {
        p.b = p.maps;
        p.b_rows = b_.rows + k;
      }
    }
  }

  /// `count` tiles of 2^step rows from `row` on.
  void multiply(panel& p, std::size_t row, std::size_t step, std::size_t count, std::size_t k, std::size_t depth,
                std::size_t c_ahead) {
    const std::size_t rows = std::size_t{1} << step;
    const bool is_first = row == first_row_, masked = is_first && p.masked;
    const std::size_t place = (row - first_row_) * depth;  // in the block of weights
    const bool packs = !a_.packed && &p == &panels_.front() && rows == tiles_.rows;
    unpacked_rows<T> unpacked{};
    if (packs) unpacked = {a_.unpacked.data + row * a_.unpacked.row_pitch, a_.unpacked.row_pitch, columns_, packed_block_ + place};
    const masked_rows<T> as_they_lie = masked ? p.patches.masked(k) : masked_rows<T>{};
    // The taps of a channel share lines of the first-level cache where they lie; copies would not.
    const bool copies = !packs && is_first && p.maps && b_.source.taps.size() == 1 && rows == tiles_.rows && p.vectors == 3 && count > 1;
    tiles_.run[step][p.vectors - 1]({depth, count, block_ + place, rows * depth, p.b, p.b_rows,
                                     is_first && (p.maps || masked) ? width_ : 0, copies || masked ? p.packed : nullptr,
                                     p.c + row * p.ldc, p.ldc, c_ahead, k == 0, c_.bias ? c_.bias + row : nullptr, k + depth == a_.depth && c_.rectify,
                                     packs ? &unpacked : nullptr, masked ? &as_they_lie : nullptr});
    if (copies) {
      p.b = p.packed;
      p.b_rows = tiles_.packed_rows[2];
    }
  }

  /// Rows of sums to their places. Columns that lie side by side go together.
  void scatter(const panel& p) const {
    const std::size_t places = b_.source.places();
    const std::size_t grid_width = b_.source.grid_width;
    const std::size_t longest = is_dense() ? places : grid_width;
    for (std::size_t column = 0; column < p.count;) {
      const std::size_t place = (p.first + column) % places;
      const std::size_t length = std::min(p.count - column, longest - place % longest);
      T* to = c_.data + (p.first + column) / places * c_.image_pitch + first_row_ * c_.row_pitch +
              place / grid_width * c_.i_pitch + place % grid_width * c_.j_pitch;
      const T* from = p.sums + column;
      for (std::size_t row = first_row_; row < last_row_; ++row, to += c_.row_pitch, from += width_) {
        if (c_.j_pitch == 1) {
          std::copy_n(from, length, to);
        } else {
          for (std::size_t j = 0; j < length; ++j) to[j * c_.j_pitch] = from[j];
        }
      }
      column += length;
    }
  }

  const gemm_weights<T>& a_;
  const gemm_columns<T>& b_;
  const gemm_result<T>& c_;
  const gemm_tile_set<T> tiles_;
  const std::size_t width_;
  std::span<panel> panels_;  // kept from task to task with the memory they have taken
  std::size_t first_row_ = 0, last_row_ = 0;
  const T* block_ = nullptr;  // of weights, packed
  T* packed_block_ = nullptr;
  std::size_t* columns_ = nullptr;
};

}  // namespace detail

/// C = A B + bias, in parallel over panels of columns and, where these are few, rows. How the work is cut does not change
/// a bit of the result: every element is the sum of the same blocks of k, each in the order of k.
template <class T>
void gemm(const gemm_weights<T>& a, const gemm_columns<T>& b, const gemm_result<T>& c) {
  if (b.count() == 0 || a.rows == 0) return;
  const std::size_t panels = detail::gemm_task<T>(a, b, c).panel_count();
  const std::size_t threads = thread_count();
  const std::size_t wanted = threads == 1 ? 1 : 2 * threads;
  std::size_t chunks = std::min(panels, std::max(wanted, (panels + detail::most_panels - 1) / detail::most_panels));
  const std::size_t step = (panels + chunks - 1) / chunks;
  chunks = (panels + step - 1) / step;
  const std::size_t row_groups = (a.rows + 7) / 8;
  // A block of so many rows of A stays in the second-level cache while the panels of a task pass by.
  constexpr std::size_t most_bytes = std::size_t{384} << 10;
  const std::size_t block = a.rows * std::min(a.depth, depth_block) * sizeof(T);
  const std::size_t least_bands = panels > 1 && block > most_bytes ? (block + most_bytes - 1) / most_bytes : 1;
  const std::size_t bands = std::clamp<std::size_t>(std::max(least_bands, (threads + chunks - 1) / chunks), 1, row_groups);
  const std::size_t band = (row_groups + bands - 1) / bands * 8;
  parallel_for(chunks * bands, [&](std::size_t task) {
    const std::size_t first_row = task / chunks * band;
    const std::size_t first = task % chunks * step;
    if (first_row >= a.rows) return;
    detail::gemm_task<T>(a, b, c).run(first_row, std::min(a.rows, first_row + band), first, std::min(panels, first + step));
  });
}

}  // namespace deconvnet::kernels
