// Antialiased bilinear resizing, as Pillow does it, and torchvision on Pillow's pictures.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <vector>

#include <deconvnet/image/picture.hpp>
#include <deconvnet/tensor/tensor.hpp>

namespace deconvnet {

/// How resize computes. `.whole_levels`: round to whole numbers of 0..255 after each pass, as Pillow does with 8-bit
/// pictures. The result is then Pillow's bit for bit wherever it takes rows first, as it does when a photograph keeps
/// its proportions; Pillow 13 takes columns first for some pairs of sizes, and single places differ by one level. Not
/// for heat maps and reconstructions.
struct resize_options {
  bool whole_levels = false;
};

namespace detail {

/// For each place of the result: where its weights begin in the source, and the weights, which sum to 1.
struct resize_taps {
  std::vector<std::size_t> first;   // of the source, one per place
  std::vector<std::size_t> offset;  // into weights, one per place and the end
  std::vector<double> weights;
};

/// A triangle of half-width max(1, from / to) source pixels around each place's centre, cut at the border.
inline resize_taps triangle_taps(std::size_t from, std::size_t to, bool whole_levels) {
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  const double support = std::max(1.0, scale);
  resize_taps taps;
  taps.offset.push_back(0);
  for (std::size_t place = 0; place < to; ++place) {
    const double centre = (static_cast<double>(place) + 0.5) * scale;
    const auto first = static_cast<std::size_t>(std::max(0.0, centre - support + 0.5));
    const auto last = std::min(from, static_cast<std::size_t>(centre + support + 0.5));
    const std::size_t begin = taps.weights.size();
    double sum = 0;
    for (std::size_t source = first; source < last; ++source) {
      const double distance = std::abs((static_cast<double>(source) - centre + 0.5) / support);
      taps.weights.push_back(std::max(0.0, 1.0 - distance));
      sum += taps.weights.back();
    }
    for (std::size_t k = begin; k < taps.weights.size(); ++k) {
      taps.weights[k] /= sum;
      // Pillow's weights are multiples of 2^-22. Products with 8-bit values are then exact in double, as they are
      // there.
      constexpr double unit = 4194304;
      if (whole_levels) taps.weights[k] = std::floor(taps.weights[k] * unit + 0.5) / unit;
    }
    taps.first.push_back(first);
    taps.offset.push_back(taps.weights.size());
  }
  return taps;
}

template <class T>
T resized_value(double sum, bool whole_levels) {
  return static_cast<T>(whole_levels ? std::clamp(std::floor(sum + 0.5), 0.0, 255.0) : sum);
}

template <class T>
tensor<T, 3> resize_rows(const tensor<T, 3>& source, std::size_t width, bool whole_levels) {
  const auto taps = triangle_taps(source.shape(2), width, whole_levels);
  auto result = tensor<T, 3>::from_shape({source.shape(0), source.shape(1), width});
  for (std::size_t row = 0; row < source.shape(0) * source.shape(1); ++row) {
    const T* from = source.data() + row * source.shape(2);
    T* to = result.data() + row * width;
    for (std::size_t x = 0; x < width; ++x) {
      double sum = 0;
      const T* value = from + taps.first[x];
      for (std::size_t k = taps.offset[x]; k < taps.offset[x + 1]; ++k)
        sum += taps.weights[k] * static_cast<double>(*value++);
      to[x] = resized_value<T>(sum, whole_levels);
    }
  }
  return result;
}

template <class T>
tensor<T, 3> resize_columns(const tensor<T, 3>& source, std::size_t height, bool whole_levels) {
  const auto taps = triangle_taps(source.shape(1), height, whole_levels);
  const std::size_t width = source.shape(2);
  auto result = tensor<T, 3>::from_shape({source.shape(0), height, width});
  std::vector<double> sums(width);
  for (std::size_t channel = 0; channel < source.shape(0); ++channel) {
    for (std::size_t y = 0; y < height; ++y) {
      std::fill(sums.begin(), sums.end(), 0.0);
      const T* from = plane(source, channel) + taps.first[y] * width;
      for (std::size_t k = taps.offset[y]; k < taps.offset[y + 1]; ++k, from += width) {
        for (std::size_t x = 0; x < width; ++x) sums[x] += taps.weights[k] * static_cast<double>(from[x]);
      }
      T* to = plane(result, channel) + y * width;
      for (std::size_t x = 0; x < width; ++x) to[x] = resized_value<T>(sums[x], whole_levels);
    }
  }
  return result;
}

}  // namespace detail

/// A picture C x H x W (or H x W, 1 x C x H x W) at another size: C x height x width.
///
/// Bilinear with antialiasing: each place is the mean of the source under a triangle, whose half-width is one source
/// pixel when growing and the ratio of the sizes when shrinking; rows first, then columns. Not fixed by the paper; the
/// rule of Pillow and torchvision. Throws shape_error for a size of zero or of more than max_elements.
template <tensor_expression E>
tensor<scalar_of<E>, 3> resize(const E& picture, std::size_t height, std::size_t width,
                               const resize_options& options = {}) {
  auto result = detail::evaluate_picture<scalar_of<E>>(picture);
  if (height == 0 || width == 0) {
    throw shape_error(detail::text("a picture cannot be resized to ", height, " x ", width));
  }
  element_count(std::array{result.shape(0), result.shape(1), width}, "resized picture");
  element_count(std::array{result.shape(0), height, width}, "resized picture");
  if (width != result.shape(2)) result = detail::resize_rows(result, width, options.whole_levels);
  if (height != result.shape(1)) result = detail::resize_columns(result, height, options.whole_levels);
  return result;
}

/// The picture with its shorter side at `size` and the longer one at floor(size * long / short), torchvision's rule.
template <tensor_expression E>
tensor<scalar_of<E>, 3> resize_short_side(const E& picture, std::size_t size, const resize_options& options = {}) {
  const auto extents = detail::extents_of(picture);
  if (extents.size() < 2)
    throw shape_error(detail::text("picture of ", shape_text(extents), " has no height and width"));
  const std::size_t height = extents[extents.size() - 2];
  const std::size_t width = extents[extents.size() - 1];
  if (size > max_elements) throw shape_error(detail::text("a picture cannot be resized to a short side of ", size));
  if (height == 0 || width == 0) throw shape_error(detail::text("picture of ", shape_text(extents), " has no pixels"));
  return height <= width ? resize(picture, size, size * width / height, options)
                         : resize(picture, size * height / width, size, options);
}

}  // namespace deconvnet
