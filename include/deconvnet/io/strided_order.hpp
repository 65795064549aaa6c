// Row-major order over an array that lies in memory in another order.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace deconvnet::detail {

/// Calls visit(k, source) for k = 0, 1, ... over an array of `extents` in row-major order; `source` is the sum of the
/// position's indices times `strides`. One pass; the source index is kept by hand, without a division.
template <class Visit>
void for_each_strided(std::span<const std::size_t> extents, std::span<const std::size_t> strides, Visit&& visit) {
  std::size_t count = 1;
  for (const std::size_t extent : extents) count *= extent;
  std::vector<std::size_t> position(extents.size(), 0);
  std::size_t source = 0;
  for (std::size_t k = 0; k < count; ++k) {
    visit(k, source);
    for (std::size_t d = extents.size(); d-- > 0;) {
      source += strides[d];
      if (++position[d] < extents[d]) break;
      source -= strides[d] * extents[d];
      position[d] = 0;
    }
  }
}

/// Strides of a row-major array.
inline std::vector<std::size_t> row_major_strides(std::span<const std::size_t> extents) {
  std::vector<std::size_t> strides(extents.size());
  std::size_t step = 1;
  for (std::size_t d = extents.size(); d-- > 0;) {
    strides[d] = step;
    step *= extents[d];
  }
  return strides;
}

}  // namespace deconvnet::detail
