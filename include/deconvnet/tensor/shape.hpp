// Extents of tensors: N x C x H x W, their text form, and a count of elements that cannot overflow.
#pragma once

#include <array>
#include <cstddef>
#include <string>

#include <deconvnet/tensor/error.hpp>

namespace deconvnet {

/// Extents of a tensor of four dimensions: batch, channels, height, width.
using shape4 = std::array<std::size_t, 4>;

/// Extents of one image: channels, height, width. Zero stands for "not fixed".
using shape3 = std::array<std::size_t, 3>;

/// The largest number of elements a tensor may have: 2^31. Larger ones come from corrupt files and hostile options;
/// they are refused before anything is allocated.
inline constexpr std::size_t max_elements = std::size_t{1} << 31;

/// "1 x 3 x 224 x 224".
template <class Shape>
std::string shape_text(const Shape& shape) {
  std::string text;
  for (const auto extent : shape) {
    if (!text.empty()) text += " x ";
    text += std::to_string(extent);
  }
  return text.empty() ? "scalar" : text;
}

/// The product of the extents. Throws shape_error where it passes max_elements; `what` names the tensor in the message.
template <class Shape>
std::size_t element_count(const Shape& shape, const char* what = "tensor") {
  std::size_t count = 1;
  bool zero = false;
  bool large = false;
  for (const auto extent : shape) {
    const auto size = static_cast<std::size_t>(extent);
    zero = zero || size == 0;
    large = large || (size != 0 && count > max_elements / size);
    if (!large && size != 0) count *= size;
  }
  if (zero) return 0;
  if (large) {
    throw shape_error(detail::text(what, " of ", shape_text(shape), " has more than ", max_elements, " elements"));
  }
  return count;
}

}  // namespace deconvnet
