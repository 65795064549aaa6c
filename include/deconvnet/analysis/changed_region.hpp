// What a change of some pixels can reach in the next layer, and which part of the layer's input decides it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <tuple>

#include <deconvnet/ops/window.hpp>

namespace deconvnet::detail {

/// Places first ... last - 1 along one axis of a map.
struct place_range {
  std::size_t first = 0, last = 0;

  std::size_t size() const { return last - first; }
  bool empty() const { return first >= last; }
  friend bool operator==(const place_range&, const place_range&) = default;
};

/// A rectangle of a map.
struct region {
  place_range rows, columns;

  bool empty() const { return rows.empty() || columns.empty(); }
  std::size_t area() const { return empty() ? 0 : rows.size() * columns.size(); }
  friend bool operator==(const region&, const region&) = default;
};

inline place_range hull(const place_range& a, const place_range& b) {
  return {std::min(a.first, b.first), std::max(a.last, b.last)};
}

inline region hull(const region& a, const region& b) {
  if (a.empty()) return b;
  if (b.empty()) return a;
  return {hull(a.rows, b.rows), hull(a.columns, b.columns)};
}

inline std::size_t divide_up(std::size_t a, std::size_t b) { return (a + b - 1) / b; }

/// The windows, of `outputs`, that cover a changed place. Holes of a dilated window count as covered.
inline place_range touched(const window_axis& axis, const place_range& changed, std::size_t outputs) {
  if (changed.empty()) return {};
  const std::size_t seen_from = changed.first + axis.padding_before + 1;
  const std::size_t first = seen_from > axis.span() ? divide_up(seen_from - axis.span(), axis.stride) : 0;
  const std::size_t last = std::min(outputs, (changed.last - 1 + axis.padding_before) / axis.stride + 1);
  return first < last ? place_range{first, last} : place_range{};
}

/// Along one axis: a piece of a layer's input, from a place that is negative in leading padding, and where in what the
/// layer makes of it the wanted places begin.
struct axis_crop {
  std::ptrdiff_t start = 0;
  std::size_t size = 0;
  std::size_t skip = 0;
  std::size_t wanted = 0;
};

/// The places that the wanted windows cover and no other, padding included: without padding of its own the operator makes
/// of it exactly the wanted ones.
inline axis_crop window_crop(const window_axis& axis, const place_range& wanted) {
  return {static_cast<std::ptrdiff_t>(wanted.first * axis.stride) - static_cast<std::ptrdiff_t>(axis.padding_before),
          (wanted.size() - 1) * axis.stride + axis.span(), 0, wanted.size()};
}

/// A piece of the map for an operator that pads as it always does. It begins at the map's border, or at a multiple of the
/// stride so far before the wanted windows that none of them sees the padding there; it ends at the map's border, or where
/// the last wanted window does. So padding acts on wanted windows at true borders alone, and windows stay aligned, in ceil
/// mode too.
inline axis_crop padded_crop(const window_axis& axis, const place_range& wanted, std::size_t extent) {
  const std::size_t margin = divide_up(axis.padding_before, axis.stride);
  const std::size_t seen = (wanted.last - 1) * axis.stride + axis.span();
  const std::size_t end = std::clamp<std::size_t>(seen - std::min(seen, axis.padding_before), 1, extent);
  // In ceil mode the last window hangs over the border: one must fit into the piece all the same.
  const std::size_t padding = axis.padding_before + axis.padding_after;
  const std::size_t least = std::max<std::size_t>(1, axis.span() - std::min(axis.span(), padding));
  const std::size_t first = std::min(wanted.first - std::min(wanted.first, margin), (end - std::min(end, least)) / axis.stride);
  const std::size_t start = first * axis.stride;
  return {static_cast<std::ptrdiff_t>(start), end - start, wanted.first - first, wanted.size()};
}

/// The whole axis, of whose outputs some are wanted.
inline axis_crop whole_crop(const place_range& wanted, std::size_t extent) { return {0, extent, wanted.first, wanted.size()}; }

/// The piece of a layer's input that decides some of its outputs.
struct crop {
  axis_crop rows, columns;

  /// Pieces that agree in this go through the layer as one batch.
  auto form() const {
    return std::tuple(rows.size, columns.size, rows.skip, columns.skip, rows.wanted, columns.wanted);
  }
};

}  // namespace deconvnet::detail
