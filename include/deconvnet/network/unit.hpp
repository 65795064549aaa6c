// One activation, one feature map, and the strongest of them.
#pragma once

#include <cstddef>
#include <optional>

#include <deconvnet/tensor/tensor.hpp>

namespace deconvnet {

/// One activation of a layer: image, channel, row, column.
struct unit {
  std::size_t n = 0, c = 0, y = 0, x = 0;
  friend bool operator==(const unit&, const unit&) = default;
};

/// One feature map of a layer: image, channel.
struct feature_map {
  std::size_t n = 0, c = 0;
  friend bool operator==(const feature_map&, const feature_map&) = default;
};

/// Where strongest looks: in one image or the whole batch, in one channel or all.
struct strongest_options {
  std::optional<std::size_t> image{};
  std::optional<std::size_t> channel{};
};

namespace detail {

template <class Shape>
void check_index(const char* what, std::size_t index, std::size_t extent, const Shape& shape) {
  if (index >= extent) {
    throw error(text(what, " ", index, " is out of range: the layer is ", shape_text(shape)));
  }
}

inline void check_unit(const unit& u, const shape4& shape) {
  check_index("image", u.n, shape[0], shape);
  check_index("channel", u.c, shape[1], shape);
  check_index("row", u.y, shape[2], shape);
  check_index("column", u.x, shape[3], shape);
}

}  // namespace detail

/// The unit of the largest activation; ties go to the first in row-major order of n, c, y, x. activations: N x C x H x W.
/// Throws error where an index is out of range, the tensor is empty, or a NaN stands among the activations looked at.
template <expression_of_rank<4> X>
unit strongest(const X& activations, const strongest_options& options = {}) {
  using T = scalar_of<X>;
  const auto& x = contiguous<T, 4>(activations);
  const shape4 shape = shape_of(x);
  if (x.size() == 0) throw error("strongest: the layer is empty: " + shape_text(shape));
  if (options.image) detail::check_index("image", *options.image, shape[0], shape);
  if (options.channel) detail::check_index("channel", *options.channel, shape[1], shape);
  const std::size_t first_image = options.image.value_or(0);
  const std::size_t last_image = options.image ? first_image + 1 : shape[0];
  const std::size_t first_channel = options.channel.value_or(0);
  const std::size_t last_channel = options.channel ? first_channel + 1 : shape[1];
  const std::size_t plane = shape[2] * shape[3];
  std::size_t best = (first_image * shape[1] + first_channel) * plane;
  for (std::size_t n = first_image; n < last_image; ++n) {
    for (std::size_t k = (n * shape[1] + first_channel) * plane; k < (n * shape[1] + last_channel) * plane; ++k) {
      const T value = x.data()[k];
      if (value != value) throw error(detail::text("strongest: element ", k, " of ", shape_text(shape), " is NaN"));
      if (value > x.data()[best]) best = k;
    }
  }
  return {best / plane / shape[1], best / plane % shape[1], best % plane / shape[3], best % shape[3]};
}

}  // namespace deconvnet
