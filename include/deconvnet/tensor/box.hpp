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

namespace detail {

/// Where a centre crop of an axis begins: (extent - size) / 2, a half rounded to the even neighbour as torchvision does.
inline std::size_t centre_crop_start(std::size_t extent, std::size_t size) {
  const std::size_t twice = extent - size;
  return twice / 2 + (twice % 4 == 3 ? 1 : 0);
}

}  // namespace detail

}  // namespace deconvnet
