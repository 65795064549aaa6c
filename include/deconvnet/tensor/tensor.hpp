// Tensors are xt::xtensor, row-major. What the operators accept, and how any expression becomes one.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>

#include <deconvnet/tensor/large_pages.hpp>
#include <deconvnet/tensor/shape.hpp>
#include <deconvnet/tensor/xtensor.hpp>

namespace deconvnet {

/// The scalars the library computes with.
template <class T>
concept scalar = std::same_as<T, float> || std::same_as<T, double>;

/// An owning, contiguous, row-major container of N dimensions.
template <class T, std::size_t N>
using tensor = xt::xtensor<T, N, xt::layout_type::row_major>;

/// Feature maps: N x C x H x W.
template <class T>
using tensor4 = tensor<T, 4>;

/// Anything xtensor can evaluate: containers, views, adaptors, lazy expressions.
template <class E>
concept tensor_expression = xt::is_xexpression<std::remove_cvref_t<E>>::value;

/// The scalar of an expression: double stays double, everything else is computed in float.
template <tensor_expression E>
using scalar_of =
    std::conditional_t<std::same_as<std::remove_cv_t<typename std::remove_cvref_t<E>::value_type>, double>, double, float>;

namespace detail {

template <class E>
inline constexpr std::size_t static_rank = [] {
  using shape_type = typename std::remove_cvref_t<E>::shape_type;
  if constexpr (requires { std::tuple_size<shape_type>::value; }) {
    return std::tuple_size<shape_type>::value;
  } else {
    return std::size_t{0};  // rank known at run time only
  }
}();

/// The rank of what an operator for any rank returns; an expression of run-time rank must be feature maps.
template <class E>
inline constexpr std::size_t result_rank = static_rank<E> == 0 ? 4 : static_rank<E>;

}  // namespace detail

/// An expression whose rank is N, or is known at run time only (then it is checked there).
template <class E, std::size_t N>
concept expression_of_rank = tensor_expression<E> && (detail::static_rank<E> == N || detail::static_rank<E> == 0);

/// `expression` as a contiguous row-major container of T: itself, by reference, where it is one; else evaluated.
/// Keep the result in `decltype(auto)` or `const auto&`. Throws shape_error where the rank is not N.
template <scalar T, std::size_t N, expression_of_rank<N> E>
decltype(auto) contiguous(const E& expression) {
  if constexpr (std::same_as<E, tensor<T, N>>) {
    return (expression);
  } else {
    if (expression.dimension() != N) {
      throw shape_error(detail::text("a tensor of ", N, " dimensions is needed, this one has ", expression.dimension()));
    }
    return tensor<T, N>(xt::cast<T>(expression));
  }
}

/// `expression` as a container of its own: moved where it is one to be given away, else copied or evaluated.
template <scalar T, std::size_t N, class E>
  requires expression_of_rank<std::remove_cvref_t<E>, N>
tensor<T, N> owned(E&& expression) {
  if constexpr (std::same_as<std::remove_cvref_t<E>, tensor<T, N>>) {
    return std::forward<E>(expression);
  } else {
    return contiguous<T, N>(expression);
  }
}

template <class T>
shape4 shape_of(const tensor4<T>& x) {
  return {x.shape(0), x.shape(1), x.shape(2), x.shape(3)};
}

/// A tensor of that shape, its elements not yet set.
template <class T>
tensor4<T> uninitialized(const shape4& shape) {
  element_count(shape);
  return tensor4<T>::from_shape(shape);
}

/// The same for weights, which stay.
template <class T, std::size_t N>
tensor<T, N> uninitialized_weights(const std::array<std::size_t, N>& shape) {
  element_count(shape);
  auto result = tensor<T, N>::from_shape(shape);
  detail::prefer_large_pages(result.data(), result.size() * sizeof(T));
  return result;
}

/// A tensor of that shape, all zero.
template <class T>
tensor4<T> zeros(const shape4& shape) {
  auto result = uninitialized<T>(shape);
  std::fill(result.data(), result.data() + result.size(), T(0));
  return result;
}

/// Gives `x` that shape, keeping its memory where the shape is the same already. The elements are not set.
template <class T>
void resize(tensor4<T>& x, const shape4& shape) {
  if (shape_of(x) == shape) return;
  element_count(shape);
  x.resize(shape);
}

/// The elements of one image of a batch, or of any other slice along the first dimension.
template <class T>
std::span<const T> image_span(const tensor4<T>& x, std::size_t n) {
  const std::size_t size = x.shape(1) * x.shape(2) * x.shape(3);
  return {x.data() + n * size, size};
}

template <class T>
std::span<T> image_span(tensor4<T>& x, std::size_t n) {
  const std::size_t size = x.shape(1) * x.shape(2) * x.shape(3);
  return {x.data() + n * size, size};
}

/// The index of the first NaN or infinity, or `values.size()` where all are finite.
template <scalar T>
std::size_t first_nonfinite(std::span<const T> values) {
  // x - x is 0 for finite x and NaN otherwise: a sum of blocks finds trouble at the speed of memory.
  constexpr std::size_t block = 4096;
  for (std::size_t start = 0; start < values.size(); start += block) {
    const std::size_t end = std::min(values.size(), start + block);
    T sum = 0;
    for (std::size_t k = start; k < end; ++k) sum += values[k] - values[k];
    if (sum == T(0)) continue;
    for (std::size_t k = start; k < end; ++k) {
      if (!std::isfinite(values[k])) return k;
    }
  }
  return values.size();
}

}  // namespace deconvnet
