// Rows of weights turned into columns, a small block at a time.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>

namespace deconvnet::kernels {

namespace detail {

typedef float transposed_quad __attribute__((vector_size(16), aligned(sizeof(float)), may_alias));

/// 4 x 4 numbers. Registers of 16 bytes, which every set has: the memory behind a block is slower than its turning.
inline void transpose_quads(const float* from, std::size_t pitch, float* to, std::size_t width) {
  const auto row = [](const float* place) { return *reinterpret_cast<const transposed_quad*>(place); };
  const auto a = row(from), b = row(from + pitch), c = row(from + 2 * pitch), d = row(from + 3 * pitch);
  const auto ab = __builtin_shufflevector(a, b, 0, 4, 1, 5), cd = __builtin_shufflevector(c, d, 0, 4, 1, 5);
  const auto upper_ab = __builtin_shufflevector(a, b, 2, 6, 3, 7), upper_cd = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  *reinterpret_cast<transposed_quad*>(to) = __builtin_shufflevector(ab, cd, 0, 1, 4, 5);
  *reinterpret_cast<transposed_quad*>(to + width) = __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
  *reinterpret_cast<transposed_quad*>(to + 2 * width) = __builtin_shufflevector(upper_ab, upper_cd, 0, 1, 4, 5);
  *reinterpret_cast<transposed_quad*>(to + 3 * width) = __builtin_shufflevector(upper_ab, upper_cd, 2, 3, 6, 7);
}

}  // namespace detail

/// to[k width + r] = from[r pitch + k] for r < rows, k < depth.
template <class T>
void transpose_rows(const T* from, std::size_t pitch, std::size_t rows, std::size_t depth, T* to, std::size_t width) {
  std::size_t done = 0;  // rows
  if constexpr (std::same_as<T, float>) {
    for (; done + 4 <= rows; done += 4) {
      const float* block = from + done * pitch;
      std::size_t k = 0;
      for (; k + 4 <= depth; k += 4) detail::transpose_quads(block + k, pitch, to + k * width + done, width);
      for (; k < depth; ++k) {
        for (std::size_t r = 0; r < 4; ++r) to[k * width + done + r] = block[r * pitch + k];
      }
    }
  }
  for (; done < rows; ++done) {
    for (std::size_t k = 0; k < depth; ++k) to[k * width + done] = from[done * pitch + k];
  }
}

}  // namespace deconvnet::kernels
