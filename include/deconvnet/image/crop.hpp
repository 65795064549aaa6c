// A rectangle of a picture; what lies outside the picture is filled.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

#include <deconvnet/image/picture.hpp>
#include <deconvnet/tensor/box.hpp>
#include <deconvnet/tensor/tensor.hpp>

namespace deconvnet {

namespace detail {

/// The part of an interval [start, start + size) that lies within [0, extent).
struct overlap {
  std::size_t before = 0;  // of the interval, ahead of the extent
  std::size_t first = 0;   // of the extent
  std::size_t count = 0;

  overlap(std::ptrdiff_t start, std::size_t size, std::size_t extent)
      : before(start < 0 ? std::size_t{0} - static_cast<std::size_t>(start) : 0),
        first(start > 0 ? static_cast<std::size_t>(start) : 0),
        count(before < size && first < extent ? std::min(size - before, extent - first) : 0) {}
};

/// `source`: channels planes of height x width.
template <class T>
tensor<T, 3> crop_planes(const T* source, const std::array<std::size_t, 3>& shape, const box& where,
                         const std::vector<double>& fill) {
  const auto [channels, height, width] = shape;
  if (fill.size() != 1 && fill.size() != channels) {
    throw shape_error(text("crop: ", fill.size(), " fill values for ", channels, " channels"));
  }
  element_count(std::array{channels, where.height, where.width}, "crop");
  auto result = tensor<T, 3>::from_shape({channels, where.height, where.width});
  const overlap rows(where.y, where.height, height);
  const overlap columns(where.x, where.width, width);
  for (std::size_t channel = 0; channel < channels; ++channel) {
    T* to = plane(result, channel);
    std::fill_n(to, where.height * where.width, static_cast<T>(fill.size() == 1 ? fill[0] : fill[channel]));
    if (columns.count == 0) continue;
    for (std::size_t k = 0; k < rows.count; ++k) {
      const T* from = source + (channel * height + rows.first + k) * width + columns.first;
      std::copy_n(from, columns.count, to + (rows.before + k) * where.width + columns.before);
    }
  }
  return result;
}

}  // namespace detail

/// The pixels of a picture within `where`: C x where.height x where.width. Places outside the picture take `fill`, one
/// value or one per channel. `picture`: C x H x W, H x W or 1 x C x H x W. The box may lie partly or wholly outside.
/// Throws shape_error for a number of fill values that does not fit, or a box of more than max_elements.
template <tensor_expression E>
tensor<scalar_of<E>, 3> crop(const E& picture, const box& where, const std::vector<double>& fill) {
  const auto values = detail::evaluate_picture<scalar_of<E>>(picture);
  return detail::crop_planes(values.data(), {values.shape(0), values.shape(1), values.shape(2)}, where, fill);
}

template <tensor_expression E>
tensor<scalar_of<E>, 3> crop(const E& picture, const box& where, double fill = 0) {
  return crop(picture, where, std::vector<double>{fill});
}

/// The same of image n of a batch N x C x H x W. Throws error where there is no image n.
template <scalar T>
tensor<T, 3> crop(const tensor4<T>& batch, std::size_t n, const box& where, const std::vector<double>& fill = {0.0}) {
  if (n >= batch.shape(0)) {
    throw error(detail::text("crop: there is no image ", n, " in a batch of ", shape_text(batch.shape())));
  }
  return detail::crop_planes(image_span(batch, n).data(), {batch.shape(1), batch.shape(2), batch.shape(3)}, where,
                             fill);
}

}  // namespace deconvnet
