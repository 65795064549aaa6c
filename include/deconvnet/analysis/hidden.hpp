// Parts of an input hidden behind a flat value: what occlusion and correspondence do to pictures.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include <deconvnet/tensor/box.hpp>
#include <deconvnet/tensor/tensor.hpp>

namespace deconvnet {

/// What stands where something is hidden: one number, or one per channel, in the units of the input (0 is the mean of a
/// mean-subtracted one; fill_for makes it from a grey pixel).
class fill_values {
 public:
  fill_values(double value = 0) : values_{value} {}                        // NOLINT(google-explicit-constructor)
  fill_values(std::vector<double> values) : values_(std::move(values)) {}  // NOLINT(google-explicit-constructor)
  fill_values(std::initializer_list<double> values) : values_(values) {}

  double operator[](std::size_t channel) const { return values_[values_.size() == 1 ? 0 : channel]; }

  /// Throws shape_error where there are neither one value nor `channels`, error for NaN or infinity; `who` begins the
  /// message.
  void check(const char* who, std::size_t channels) const {
    if (values_.size() != 1 && values_.size() != channels) {
      throw shape_error(detail::text(who, ": ", values_.size(), " fill values for ", channels, " channels"));
    }
    for (const double value : values_) {
      if (!std::isfinite(value)) throw error(detail::text(who, ": .fill has the value ", value));
    }
  }

 private:
  std::vector<double> values_;
};

namespace detail {

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

/// Fills a box of image n, which it lies within.
template <scalar T>
void hide(tensor4<T>& images, std::size_t n, const box& where, const fill_values& fill) {
  const auto top = static_cast<std::size_t>(where.y);
  const auto left = static_cast<std::size_t>(where.x);
  for (std::size_t c = 0; c < images.shape(1); ++c) {
    for (std::size_t y = top; y < top + where.height; ++y) {
      T* row = &images(n, c, y, left);
      std::fill(row, row + where.width, static_cast<T>(fill[c]));
    }
  }
}

}  // namespace detail

}  // namespace deconvnet
