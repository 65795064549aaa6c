// Where the occluding square stands, and what it is painted with.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <ranges>
#include <type_traits>
#include <vector>

#include <deconvnet/ops/window.hpp>
#include <deconvnet/tensor/box.hpp>
#include <deconvnet/tensor/tensor.hpp>

namespace deconvnet {

/// The positions of a window that slides over a picture: ceil((H - h) / s) + 1 down and likewise across, from the top left
/// corner on; the last ones are clipped by the picture. A window larger than the picture is cut to it: one position.
/// Throws error where a picture, window or stride is zero or absurd. The paper, figure 7; its grid is not fixed there.
class occlusion_grid {
 public:
  occlusion_grid() = default;
  occlusion_grid(const extent2d& picture, const extent2d& size, const extent2d& stride) : picture_(picture), stride_(stride) {
    for (const std::size_t side : {picture.height, picture.width, size.height, size.width, stride.height, stride.width}) {
      detail::check_extent("occlusion", "a side of the picture, size or stride", side, 1);
    }
    size_ = {std::min(size.height, picture.height), std::min(size.width, picture.width)};
  }

  const extent2d& picture() const { return picture_; }
  const extent2d& size() const { return size_; }
  const extent2d& stride() const { return stride_; }

  std::size_t rows() const { return places(picture_.height, size_.height, stride_.height); }
  std::size_t columns() const { return places(picture_.width, size_.width, stride_.width); }

  /// How many positions there are.
  std::size_t count() const { return rows() * columns(); }

  /// The pixels that the window covers at a position: none where a stride longer than the window led past the picture.
  box at(std::size_t row, std::size_t column) const {
    const std::size_t y = std::min(row * stride_.height, picture_.height);
    const std::size_t x = std::min(column * stride_.width, picture_.width);
    return {static_cast<std::ptrdiff_t>(y), static_cast<std::ptrdiff_t>(x), std::min(size_.height, picture_.height - y),
            std::min(size_.width, picture_.width - x)};
  }

 private:
  static std::size_t places(std::size_t picture, std::size_t size, std::size_t stride) {
    return (picture - size + stride - 1) / stride + 1;
  }

  extent2d picture_{}, size_{}, stride_{};
};

/// What the window is painted with, in the units of the input: one number, or one per channel.
class occlusion_fill {
 public:
  template <class Number>
    requires std::is_arithmetic_v<Number>
  occlusion_fill(Number all) : values_{static_cast<double>(all)} {}  // NOLINT(google-explicit-constructor)

  occlusion_fill(std::initializer_list<double> per_channel) : values_(per_channel) {}

  template <std::ranges::input_range Values>
    requires std::is_arithmetic_v<std::remove_cvref_t<std::ranges::range_reference_t<Values>>>
  occlusion_fill(const Values& per_channel) {  // NOLINT(google-explicit-constructor)
    for (const auto value : per_channel) values_.push_back(static_cast<double>(value));
  }

  /// One value per channel. Throws shape_error for another number of values, error where one is NaN or infinite.
  template <scalar T>
  std::vector<T> for_channels(std::size_t channels) const {
    if (values_.size() != 1 && values_.size() != channels) {
      throw shape_error(detail::text("occlusion: a fill of ", values_.size(), " values for ", channels, " channels"));
    }
    std::vector<T> result(channels);
    for (std::size_t c = 0; c < channels; ++c) result[c] = static_cast<T>(values_[values_.size() == 1 ? 0 : c]);
    if (first_nonfinite(std::span<const T>(result)) < channels) throw error("occlusion: the fill is NaN or infinite");
    return result;
  }

 private:
  std::vector<double> values_;
};

}  // namespace deconvnet
