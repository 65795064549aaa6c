// A part of an input hidden behind a flat value: what correspondence does to pictures.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include <deconvnet/tensor/box.hpp>
#include <deconvnet/tensor/tensor.hpp>

namespace deconvnet::detail {

/// Throws error unless the box has pixels and lies within a picture of that size.
inline void check_box_within(const box& where, std::size_t height, std::size_t width, const std::string& what) {
  const auto fits = [](std::ptrdiff_t start, std::size_t size, std::size_t extent) {
    return start >= 0 && size > 0 && size <= extent && static_cast<std::size_t>(start) <= extent - size;
  };
  if (!fits(where.y, where.height, height) || !fits(where.x, where.width, width)) {
    throw error(text(what, " {", where.y, ", ", where.x, ", ", where.height, ", ", where.width,
                     "} (y, x, height, width) is not within ", height, " x ", width));
  }
}

/// Fills a box of image n, which it lies within, with one value per channel.
template <scalar T>
void hide(tensor4<T>& images, std::size_t n, const box& where, const std::vector<T>& fill) {
  const auto top = static_cast<std::size_t>(where.y);
  const auto left = static_cast<std::size_t>(where.x);
  for (std::size_t c = 0; c < images.shape(1); ++c) {
    for (std::size_t y = top; y < top + where.height; ++y) {
      T* row = &images(n, c, y, left);
      std::fill(row, row + where.width, fill[c]);
    }
  }
}

}  // namespace deconvnet::detail
