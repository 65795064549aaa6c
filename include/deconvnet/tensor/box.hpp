// A rectangle of pixels, in any picture or map.
#pragma once

#include <cstddef>

namespace deconvnet {

/// Rows y .. y + height - 1 and columns x .. x + width - 1. The corner is signed: a receptive field may begin before
/// the picture does, and end after it.
struct box {
  std::ptrdiff_t y = 0;
  std::ptrdiff_t x = 0;
  std::size_t height = 0;
  std::size_t width = 0;

  friend bool operator==(const box&, const box&) = default;
};

}  // namespace deconvnet
