// The columns of a convolution's matrix product, packed from feature maps as they are needed.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace deconvnet::kernels {

/// One filter tap, seen from a grid of places: place (i, j) reads row i * step + dy, column j + dx, where column x of
/// phase f lies `f * phase_pitch` into the row. A tap outside [0, rows) x [0, width) reads zero.
struct patch_tap {
  std::ptrdiff_t dy, dx;
  std::size_t phase_offset;  // of the tap's phase within a row
  std::ptrdiff_t width;      // of that phase
};

/// Where the columns of a matrix product come from: for image n and channel c, a plane of maps at
/// data + n * image_pitch + c * plane_pitch; a grid of `grid_height` x `grid_width` places per image; `taps` per channel.
/// Row k of the matrix is (channel k / taps, tap k % taps), column q is (image q / places, place q % places).
template <class T>
struct patch_source {
  const T* data;
  std::size_t image_pitch, plane_pitch, row_pitch;
  std::ptrdiff_t rows;
  std::size_t vertical_step;
  std::size_t grid_height, grid_width;
  std::span<const patch_tap> taps;

  std::size_t places() const { return grid_height * grid_width; }
  /// Where row k lies from the place it is read for, if no tap reads outside.
  std::size_t readable_row(std::size_t k) const {
    const patch_tap& tap = taps[k % taps.size()];
    return k / taps.size() * plane_pitch + static_cast<std::size_t>(tap.dy) * row_pitch + tap.phase_offset + static_cast<std::size_t>(tap.dx);
  }
};

/// One run of a packed row: `length` elements from `offset` into a channel's plane to column `column`.
struct patch_run {
  std::size_t offset, column, length;
};

/// A packed row whose columns lie side by side in a channel's plane, from `offset` on: those in the set `inside` are read,
/// bit for bit, the others are zero.
struct masked_row {
  std::ptrdiff_t offset;
  std::uint64_t inside;
};

/// The rows of a panel, tap after tap and plane after plane: `rows`, one for each of `taps`, from `tap` of `plane` on.
template <class T>
struct masked_rows {
  const T* plane;
  std::size_t plane_pitch;
  const masked_row* rows;
  std::size_t taps, tap;
};

/// What a packing kernel is told: rows [first_row, last_row) of a panel to `to`, `width` apart. Row k reads channel
/// k / taps and masked[k % taps], or the runs of tap k % taps, which end at ends[tap]. A row whose runs leave columns out is
/// cleared first.
template <class T>
struct pack_arguments {
  const T* data;
  std::size_t plane_pitch, first_row, last_row, taps;
  const patch_run* runs;
  const std::size_t* ends;
  const unsigned char* full;
  const masked_row* masked;  // or null
  T* to;
  std::size_t width;
  std::size_t ahead;  // elements from what is read to what is read of the same rows next
};

/// The runs that make one panel of columns, worked out once and used for every channel.
template <class T>
class patch_panel {
 public:
  /// Columns [first, first + count) of the source, for rows of `width`. `masks`: whether the kernels know masked rows.
  void prepare(const patch_source<T>& source, std::size_t first, std::size_t count, std::size_t width, bool masks) {
    source_ = &source;
    width_ = width;
    spans_.clear();
    runs_.clear();
    ends_.clear();
    full_.clear();
    masked_.clear();
    std::size_t image = first / source.places();
    std::size_t i = first % source.places() / source.grid_width;
    std::size_t j = first % source.places() % source.grid_width;
    for (std::size_t column = 0; column < count;) {
      const std::size_t length = std::min(count - column, source.grid_width - j);
      spans_.push_back({static_cast<std::ptrdiff_t>(i * source.vertical_step), static_cast<std::ptrdiff_t>(j),
                        image * source.image_pitch, column, length});
      column += length;
      j = 0;
      if (++i < source.grid_height) continue;
      i = 0;
      ++image;
    }
    if (masks && lie_side_by_side()) {
      for (const patch_tap& tap : source.taps) masked_.push_back(mask(tap));
      return;
    }
    for (const patch_tap& tap : source.taps) {
      std::size_t covered = 0;
      for (const span& part : spans_) covered += add_run(tap, part);
      ends_.push_back(runs_.size());
      full_.push_back(covered == width);
    }
  }

  bool is_masked() const { return !masked_.empty(); }

  /// From row `row` on.
  masked_rows<T> masked(std::size_t row) const {
    const std::size_t taps = masked_.size();
    return {source_->data + row / taps * source_->plane_pitch, source_->plane_pitch, masked_.data(), taps, row % taps};
  }

  /// Rows [first_row, last_row) of the panel to `to`.
  pack_arguments<T> rows(std::size_t first_row, std::size_t last_row, T* to, std::size_t ahead) const {
    return {source_->data, source_->plane_pitch, first_row, last_row, source_->taps.size(), runs_.data(), ends_.data(),
            full_.data(),  masked_.empty() ? nullptr : masked_.data(), to, width_, ahead};
  }

 private:
  /// Columns side by side in one row of the grid.
  struct span {
    std::ptrdiff_t y, x;
    std::size_t image_offset, column, length;
  };

  /// Whether a step to the next column is one in memory, from row to row too. Of maps whose convolution leaves their size as it is.
  bool lie_side_by_side() const {
    return source_->vertical_step == 1 && source_->row_pitch == source_->grid_width &&
           spans_.front().image_offset == spans_.back().image_offset &&
           std::all_of(source_->taps.begin(), source_->taps.end(), [](const patch_tap& tap) { return tap.phase_offset == 0; });
  }

  /// What of a part a tap reads: it begins at the part's place `skipped` and takes `kept`, none where that is below 1.
  struct inside {
    std::ptrdiff_t skipped, kept;
  };

  inside inside_of(const patch_tap& tap, const span& part) const {
    const std::ptrdiff_t y = part.y + tap.dy, x = part.x + tap.dx;
    if (y < 0 || y >= source_->rows) return {0, 0};
    const std::ptrdiff_t skipped = std::max<std::ptrdiff_t>(0, -x);
    return {skipped, std::min(static_cast<std::ptrdiff_t>(part.length), tap.width - x) - skipped};
  }

  masked_row mask(const patch_tap& tap) const {
    const auto pitch = static_cast<std::ptrdiff_t>(source_->row_pitch);
    const span& begin = spans_.front();
    masked_row row{static_cast<std::ptrdiff_t>(begin.image_offset) + (begin.y + tap.dy) * pitch + begin.x + tap.dx, 0};
    for (const span& part : spans_) {
      const auto [skipped, kept] = inside_of(tap, part);
      if (kept > 0) row.inside |= ((std::uint64_t{1} << kept) - 1) << (part.column + static_cast<std::size_t>(skipped));
    }
    return row;
  }

  std::size_t add_run(const patch_tap& tap, const span& part) {
    const auto [skipped, kept] = inside_of(tap, part);
    if (kept <= 0) return 0;
    const std::size_t offset = part.image_offset + static_cast<std::size_t>(part.y + tap.dy) * source_->row_pitch + tap.phase_offset +
                               static_cast<std::size_t>(part.x + tap.dx + skipped);
    runs_.push_back({offset, part.column + static_cast<std::size_t>(skipped), static_cast<std::size_t>(kept)});
    return static_cast<std::size_t>(kept);
  }

  const patch_source<T>* source_ = nullptr;
  std::size_t width_ = 0;
  std::vector<span> spans_;
  std::vector<patch_run> runs_;
  std::vector<std::size_t> ends_;
  std::vector<unsigned char> full_;
  std::vector<masked_row> masked_;
};

#define DECONVNET_KERNEL_FILE <deconvnet/kernels/patches.inc>
#include <deconvnet/kernels/each_level.inc>
#undef DECONVNET_KERNEL_FILE

}  // namespace deconvnet::kernels
