// Pictures side by side in one.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <ranges>
#include <vector>

#include <deconvnet/image/picture.hpp>
#include <deconvnet/tensor/tensor.hpp>

namespace deconvnet {

/// `.columns`: 0 for the smallest square that holds all; more than there are pictures counts as many as there are.
/// `.gap`: pixels between pictures; none around them.
struct montage_options {
  std::size_t columns = 0;
  std::size_t gap = 2;
  double background = 255;
};

namespace detail {

/// `picture(n)` points to picture n, contiguous, of that shape.
template <class T, class Picture>
tensor<T, 3> join_pictures(std::size_t count, const std::array<std::size_t, 3>& shape, const montage_options& options,
                           const Picture& picture) {
  if (count == 0) throw shape_error("montage: no pictures");
  std::size_t columns = std::min(options.columns, count);
  if (columns == 0) {
    while (columns * columns < count) ++columns;
  }
  const std::size_t rows = (count + columns - 1) / columns;
  const auto [channels, height, width] = shape;
  if (options.gap > max_elements) throw shape_error(text("montage: a gap of ", options.gap, " pixels"));
  const std::array<std::size_t, 3> extents = {channels, rows * (height + options.gap) - options.gap,
                                              columns * (width + options.gap) - options.gap};
  element_count(extents, "montage");
  auto sheet = tensor<T, 3>::from_shape(extents);
  std::fill_n(sheet.data(), sheet.size(), static_cast<T>(options.background));
  for (std::size_t n = 0; n < count; ++n) {
    const T* from = picture(n);
    const std::size_t top = n / columns * (height + options.gap);
    const std::size_t left = n % columns * (width + options.gap);
    for (std::size_t channel = 0; channel < channels; ++channel) {
      for (std::size_t y = 0; y < height; ++y, from += width) {
        std::copy_n(from, width, plane(sheet, channel) + (top + y) * extents[2] + left);
      }
    }
  }
  return sheet;
}

}  // namespace detail

/// The pictures of a batch N x C x H x W in rows from the upper left, as one picture C x H' x W':
/// H' = rows (H + gap) - gap, W' = columns (W + gap) - gap; places left over have the background's value.
/// Throws shape_error for no pictures, or a result of more than max_elements.
template <expression_of_rank<4> E>
tensor<scalar_of<E>, 3> montage(const E& pictures, const montage_options& options = {}) {
  using T = scalar_of<E>;
  const auto& batch = contiguous<T, 4>(pictures);
  return detail::join_pictures<T>(batch.shape(0), {batch.shape(1), batch.shape(2), batch.shape(3)}, options,
                                  [&](std::size_t n) { return image_span(batch, n).data(); });
}

/// The same of a range of pictures, each C x H x W (or H x W, 1 x C x H x W). Throws shape_error also where one of them
/// has another shape than the first.
template <std::ranges::input_range R>
requires(tensor_expression<std::ranges::range_value_t<R>> &&
         !tensor_expression<R>) auto montage(const R& pictures, const montage_options& options = {}) {
  using T = scalar_of<std::ranges::range_value_t<R>>;
  std::vector<tensor<T, 3>> copies;
  for (const auto& picture : pictures) {
    copies.push_back(detail::evaluate_picture<T>(picture));
    if (copies.back().shape() != copies.front().shape()) {
      throw shape_error(detail::text("montage: picture ", copies.size() - 1, " is ", shape_text(copies.back().shape()),
                                     ", the first one ", shape_text(copies.front().shape())));
    }
  }
  if (copies.empty()) throw shape_error("montage: no pictures");
  const auto& first = copies.front();
  return detail::join_pictures<T>(copies.size(), {first.shape(0), first.shape(1), first.shape(2)}, options,
                                  [&](std::size_t n) { return copies[n].data(); });
}

}  // namespace deconvnet
