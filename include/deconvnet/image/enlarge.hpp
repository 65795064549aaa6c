// Pictures with each pixel as a square: small ones for the eye.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include <deconvnet/image/picture.hpp>
#include <deconvnet/tensor/tensor.hpp>

namespace deconvnet {

namespace detail {

/// `planes` planes of height x width, each pixel factor x factor times.
template <class T>
void enlarge_planes(const T* from, std::size_t planes, std::size_t height, std::size_t width, std::size_t factor,
                    T* to) {
  for (std::size_t row = 0; row < planes * height; ++row, from += width) {
    const T* first = to;
    for (std::size_t x = 0; x < width; ++x, to += factor) std::fill_n(to, factor, from[x]);
    for (std::size_t k = 1; k < factor; ++k, to += width * factor) std::copy_n(first, width * factor, to);
  }
}

}  // namespace detail

/// Pictures C x H x W or N x C x H x W with every pixel as a square of factor x factor, nothing smoothed: for filters
/// and maps, where each number is to be seen. Throws error for a factor of zero, shape_error for a result of more than
/// max_elements.
template <tensor_expression E>
requires(expression_of_rank<E, 3> || expression_of_rank<E, 4>) auto enlarge(const E& pictures, std::size_t factor) {
  using T = scalar_of<E>;
  constexpr std::size_t rank = detail::static_rank<E> == 3 ? 3 : 4;
  const auto& small = contiguous<T, rank>(pictures);
  std::array<std::size_t, rank> shape;
  std::copy(small.shape().begin(), small.shape().end(), shape.begin());
  if (factor == 0 || factor > max_elements) throw error(detail::text("enlarge: a factor of ", factor));
  const std::size_t height = shape[rank - 2];
  const std::size_t width = shape[rank - 1];
  shape[rank - 2] *= factor;
  shape[rank - 1] *= factor;
  const std::size_t count = element_count(shape, "enlarged picture");
  auto large = tensor<T, rank>::from_shape(shape);
  if (count != 0)
    detail::enlarge_planes(small.data(), small.size() / (height * width), height, width, factor, large.data());
  return large;
}

}  // namespace deconvnet
