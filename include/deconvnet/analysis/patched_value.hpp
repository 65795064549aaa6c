// One layer's output for many variants of an input, as what differs from the output for the input itself.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <vector>

#include <deconvnet/analysis/changed_region.hpp>
#include <deconvnet/tensor/tensor.hpp>

namespace deconvnet::detail {

/// For each variant the region that may have changed and its values, all channels. Regions of one size share a batch.
template <scalar T>
struct patched_value {
  static constexpr std::size_t unchanged = std::numeric_limits<std::size_t>::max();

  struct patch {
    region where;
    std::size_t batch = unchanged;
    std::size_t image = 0;
  };

  std::vector<patch> patches;
  std::vector<tensor4<T>> batches;

  bool changed(std::size_t variant) const { return patches[variant].batch != unchanged; }
  bool any_changed() const { return !batches.empty(); }

  /// C x rows x columns of the variant's region.
  const T* values(std::size_t variant) const {
    return image_span(batches[patches[variant].batch], patches[variant].image).data();
  }
};

/// One row of a window: `padding` outside the map, else what `from` holds.
template <scalar T>
void copy_row(const T* from, std::size_t width, const axis_crop& columns, T padding, T* to) {
  const auto end = columns.start + static_cast<std::ptrdiff_t>(columns.size);
  const auto first = std::clamp<std::ptrdiff_t>(0, columns.start, end);
  const auto last = std::clamp<std::ptrdiff_t>(static_cast<std::ptrdiff_t>(width), first, end);
  std::fill(to, to + (first - columns.start), padding);
  std::copy(from + first, from + last, to + (first - columns.start));
  std::fill(to + (last - columns.start), to + columns.size, padding);
}

/// A window of channels [first_channel, last_channel) of one variant: the clean values with the patch over them, `padding`
/// outside the map.
template <scalar T>
void copy_variant(const tensor4<T>& clean, const patched_value<T>* value, std::size_t variant, const crop& window, T padding,
                  std::size_t first_channel, std::size_t last_channel, T* to) {
  const std::size_t height = clean.shape(2), width = clean.shape(3);
  const bool changed = value && value->changed(variant);
  const region where = changed ? value->patches[variant].where : region{};
  const T* patch = changed ? value->values(variant) : nullptr;
  const auto left = std::max(static_cast<std::ptrdiff_t>(where.columns.first), window.columns.start);
  const auto right = std::min(static_cast<std::ptrdiff_t>(where.columns.last),
                              window.columns.start + static_cast<std::ptrdiff_t>(window.columns.size));
  for (std::size_t c = first_channel; c < last_channel; ++c) {
    for (std::size_t r = 0; r < window.rows.size; ++r, to += window.columns.size) {
      const auto signed_y = window.rows.start + static_cast<std::ptrdiff_t>(r);
      const auto y = static_cast<std::size_t>(signed_y);
      if (signed_y < 0 || y >= height) {
        std::fill(to, to + window.columns.size, padding);
        continue;
      }
      const bool crosses = left < right && y >= where.rows.first && y < where.rows.last;
      if (!crosses || right - left < static_cast<std::ptrdiff_t>(window.columns.size)) {
        copy_row(clean.data() + (c * height + y) * width, width, window.columns, padding, to);
      }
      if (!crosses) continue;
      const T* row = patch + (c * where.rows.size() + y - where.rows.first) * where.columns.size();
      const auto from = left - static_cast<std::ptrdiff_t>(where.columns.first);
      std::copy(row + from, row + from + (right - left), to + (left - window.columns.start));
    }
  }
}

}  // namespace deconvnet::detail
