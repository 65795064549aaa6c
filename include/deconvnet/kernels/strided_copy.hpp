// Every n-th element of a row, side by side.
#pragma once

#include <concepts>
#include <cstddef>

namespace deconvnet::kernels {

namespace detail {

typedef float strided_quad __attribute__((vector_size(16)));
typedef float strided_quad_memory __attribute__((vector_size(16), aligned(sizeof(float)), may_alias));

inline strided_quad quad_at(const float* from) { return *reinterpret_cast<const strided_quad_memory*>(from); }

/// Elements 0, Stride, 2 Stride and 3 Stride.
template <std::size_t Stride>
strided_quad strided_quad_at(const float* from) {
  if constexpr (Stride == 2) {
    return __builtin_shufflevector(quad_at(from), quad_at(from + 4), 0, 2, 4, 6);
  } else {
    const strided_quad low = __builtin_shufflevector(quad_at(from), quad_at(from + Stride), 0, 4, 0, 4);
    const strided_quad high = __builtin_shufflevector(quad_at(from + 2 * Stride), quad_at(from + 3 * Stride), 0, 4, 0, 4);
    return __builtin_shufflevector(low, high, 0, 1, 4, 5);
  }
}

/// As many of `count` as whole registers take that read nothing past the last one; returns how many.
template <std::size_t Stride>
std::size_t copy_strided_quads(const float* from, std::size_t count, float* to) {
  std::size_t k = 0;
  for (; k + 4 < count; k += 4) *reinterpret_cast<strided_quad_memory*>(to + k) = strided_quad_at<Stride>(from + k * Stride);
  return k;
}

}  // namespace detail

/// to[k] = from[k stride] for k < count.
template <class T>
void strided_copy(const T* from, std::size_t stride, std::size_t count, T* to) {
  std::size_t k = 0;
  if constexpr (std::same_as<T, float>) {
    if (stride == 2) k = detail::copy_strided_quads<2>(from, count, to);
    if (stride == 4) k = detail::copy_strided_quads<4>(from, count, to);
  }
  for (; k < count; ++k) to[k] = from[k * stride];
}

}  // namespace deconvnet::kernels
