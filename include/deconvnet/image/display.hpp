// Signed values as a picture: zero is mid-grey.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include <deconvnet/image/picture.hpp>
#include <deconvnet/tensor/tensor.hpp>

namespace deconvnet {

/// Over what the largest magnitude is taken: each picture for itself, or one for the whole batch (a map, a layer), so
/// that its pictures can be compared.
enum class display_scope { picture, batch };

/// `.percentile`, above 0 up to 100: the magnitude shown as black or white is the smallest one that so many percent of
/// the values other than zero do not exceed; larger ones are clipped. Zeros are left out, as most of a projection is
/// zero.
struct display_options {
  display_scope scope = display_scope::picture;
  double percentile = 100;
};

namespace detail {

/// The magnitude at that percentile of the values other than zero; 0 where all are zero.
template <class T>
T display_magnitude(std::span<const T> values, double percentile) {
  if (percentile >= 100) {
    T largest = 0;
    for (const T value : values) largest = std::max(largest, std::abs(value));
    return largest;
  }
  std::vector<T> magnitudes;
  for (const T value : values) {
    if (value != T(0)) magnitudes.push_back(std::abs(value));
  }
  if (magnitudes.empty()) return T(0);
  const double rank = std::ceil(percentile / 100 * static_cast<double>(magnitudes.size()));
  const auto place = std::min(magnitudes.size(), std::max(std::size_t{1}, static_cast<std::size_t>(rank))) - 1;
  std::nth_element(magnitudes.begin(), magnitudes.begin() + static_cast<std::ptrdiff_t>(place), magnitudes.end());
  return magnitudes[place];
}

/// 255 (0.5 + x / (2 m)), in place.
template <class T>
void display_in_place(std::span<T> values, T magnitude) {
  for (T& value : values) {
    const double ratio = magnitude > 0 ? static_cast<double>(value) / static_cast<double>(magnitude) : 0.0;
    value = static_cast<T>(127.5 + 127.5 * std::clamp(ratio, -1.0, 1.0));
  }
}

}  // namespace detail

/// 255 (0.5 + x / (2 max|x|)): values of 0..255 in the shape handed over, zero at 127.5 (paper.md section 4,
/// "display").
///
/// `pixels`: C x H x W, one picture, or N x C x H x W, N pictures of any number of channels; any expression. The
/// maximum is taken over one picture with all its channels, or over the batch: `.scope`. A picture that is all zero
/// gives 127.5 throughout. Throws error for a NaN or an infinity, with its index, and for a percentile out of range.
template <tensor_expression E>
requires(expression_of_rank<E, 3> || expression_of_rank<E, 4>) auto to_display(const E& pixels,
                                                                               const display_options& options = {}) {
  using T = scalar_of<E>;
  constexpr std::size_t rank = detail::static_rank<E> == 3 ? 3 : 4;
  if (!(options.percentile > 0 && options.percentile <= 100)) {
    throw error(
        detail::text("to_display: .percentile is ", options.percentile, ", it must be above 0 and at most 100"));
  }
  tensor<T, rank> pictures = contiguous<T, rank>(pixels);
  const std::span<T> all(pictures.data(), pictures.size());
  if (const std::size_t bad = first_nonfinite(std::span<const T>(all)); bad != all.size()) {
    throw error(detail::text("to_display: the value at index ", bad, " is ", all[bad]));
  }
  const std::size_t count = rank == 4 && options.scope == display_scope::picture ? pictures.shape(0) : 1;
  if (all.empty()) return pictures;
  const std::size_t size = all.size() / count;
  for (std::size_t n = 0; n < count; ++n) {
    const auto part = all.subspan(n * size, size);
    detail::display_in_place(part, detail::display_magnitude(std::span<const T>(part), options.percentile));
  }
  return pictures;
}

}  // namespace deconvnet
