// Windows that slide over maps: kernel, stride, padding, dilation, and the map sizes that come out.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>

#include <deconvnet/tensor/shape.hpp>

namespace deconvnet {

/// Height and width. One number stands for both: `.kernel = 3` is `.kernel = {3, 3}`.
struct extent2d {
  std::size_t height = 1;
  std::size_t width = 1;

  constexpr extent2d() = default;
  constexpr extent2d(std::size_t both) : height(both), width(both) {}  // NOLINT(google-explicit-constructor)
  constexpr extent2d(std::size_t h, std::size_t w) : height(h), width(w) {}
  friend constexpr bool operator==(const extent2d&, const extent2d&) = default;
};

/// Rows and columns added around a map. `{h, w}` pads both sides of each axis; `{top, left, bottom, right}` each side by
/// itself; one number pads all four.
struct padding2d {
  std::size_t top = 0;
  std::size_t left = 0;
  std::size_t bottom = 0;
  std::size_t right = 0;

  constexpr padding2d() = default;
  constexpr padding2d(std::size_t all) : top(all), left(all), bottom(all), right(all) {}  // NOLINT(google-explicit-constructor)
  constexpr padding2d(std::size_t h, std::size_t w) : top(h), left(w), bottom(h), right(w) {}
  constexpr padding2d(std::size_t t, std::size_t l, std::size_t b, std::size_t r) : top(t), left(l), bottom(b), right(r) {}
  friend constexpr bool operator==(const padding2d&, const padding2d&) = default;
};

/// What one output place of a layer sees of its input: the declaration an operator makes so that receptive fields and
/// incremental evaluation know it. The default is one place: an operator that works on each place, or each place's
/// channels, by itself.
struct reach {
  extent2d kernel{1, 1};
  extent2d stride{1, 1};
  padding2d padding{};
  extent2d dilation{1, 1};
};

namespace detail {

/// No window, padding or map side may pass this; larger numbers come from corrupt files.
inline constexpr std::size_t max_extent = std::size_t{1} << 24;

/// One axis of a sliding window.
struct window_axis {
  std::size_t kernel, stride, padding_before, padding_after, dilation;
  bool ceil_mode = false;

  /// Places from the first tap to the last, both counted.
  std::size_t span() const { return (kernel - 1) * dilation + 1; }

  /// floor((size + paddings - span) / stride) + 1, or with ceil in ceil mode, where a window that would start past the
  /// map and its leading padding is dropped (PyTorch's rule). 0 where not even one window fits.
  std::size_t outputs(std::size_t size) const {
    const std::size_t padded = size + padding_before + padding_after;
    if (padded < span()) return 0;
    const std::size_t steps = padded - span();
    std::size_t count = steps / stride + 1;
    if (ceil_mode && steps % stride != 0 && count * stride < size + padding_before) ++count;
    return count;
  }

  /// The taps [first, last) of window `index` that fall on places [low, high), counted from the start of the padding.
  struct tap_range {
    std::size_t first, last;
    std::size_t size() const { return last - first; }
  };

  tap_range taps_within(std::size_t index, std::size_t low, std::size_t high) const {
    const std::size_t start = index * stride;
    const std::size_t first = low > start ? (low - start + dilation - 1) / dilation : 0;
    const std::size_t last = high > start ? (high - start + dilation - 1) / dilation : 0;
    return {std::min(first, kernel), std::max(std::min(first, kernel), std::min(last, kernel))};
  }

  /// The taps of window `index` that fall on the map.
  tap_range taps_on_map(std::size_t index, std::size_t size) const {
    return taps_within(index, padding_before, padding_before + size);
  }
};

inline void check_extent(const char* who, const char* what, std::size_t value, std::size_t least) {
  if (value < least || value > max_extent) {
    throw shape_error(text(who, ": ", what, " ", value, " is not in ", least, " ... ", max_extent));
  }
}

/// Throws shape_error, in the operator's name, where a kernel, stride or dilation is zero or any number is absurd.
inline void check_window(const char* who, const extent2d& kernel, const extent2d& stride, const padding2d& padding,
                         const extent2d& dilation) {
  for (const std::size_t k : {kernel.height, kernel.width}) check_extent(who, "kernel", k, 1);
  for (const std::size_t s : {stride.height, stride.width}) check_extent(who, "stride", s, 1);
  for (const std::size_t d : {dilation.height, dilation.width}) check_extent(who, "dilation", d, 1);
  for (const std::size_t p : {padding.top, padding.left, padding.bottom, padding.right}) {
    check_extent(who, "padding", p, 0);
  }
}

inline window_axis vertical(const extent2d& kernel, const extent2d& stride, const padding2d& padding,
                            const extent2d& dilation, bool ceil_mode = false) {
  return {kernel.height, stride.height, padding.top, padding.bottom, dilation.height, ceil_mode};
}

inline window_axis horizontal(const extent2d& kernel, const extent2d& stride, const padding2d& padding,
                              const extent2d& dilation, bool ceil_mode = false) {
  return {kernel.width, stride.width, padding.left, padding.right, dilation.width, ceil_mode};
}

/// The map that comes out of a window over an H x W map; shape_error where no window fits.
inline extent2d window_outputs(const char* who, const shape4& in, const window_axis& rows, const window_axis& columns) {
  check_extent(who, "a map's height", in[2], 0);
  check_extent(who, "a map's width", in[3], 0);
  const extent2d out{rows.outputs(in[2]), columns.outputs(in[3])};
  if (in[2] == 0 || in[3] == 0 || out.height == 0 || out.width == 0) {
    throw shape_error(text(who, ": a window of ", rows.span(), " x ", columns.span(), " does not fit into ",
                           shape_text(in), " padded by ", rows.padding_before, " ", columns.padding_before, " ",
                           rows.padding_after, " ", columns.padding_after));
  }
  return out;
}

}  // namespace detail

}  // namespace deconvnet
