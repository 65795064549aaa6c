// Products of a vector with a matrix, in an order of additions that depends on the length alone.
#pragma once

#include <cstddef>
#include <cstring>

namespace deconvnet::kernels {

/// sum over k of a[k] b[k], in 4 x 4 lanes that are joined at the end. Eigen's reduction peels to the alignment of its
/// pointers, so the same image could give other bits at another address; this one cannot.
template <class T>
T dot(const T* a, const T* b, std::size_t size) {
  typedef T lanes __attribute__((vector_size(4 * sizeof(T))));
  lanes sum[4] = {};
  std::size_t k = 0;
  for (; k + 16 <= size; k += 16) {
    for (std::size_t part = 0; part < 4; ++part) {
      lanes left;
      lanes right;
      std::memcpy(&left, a + k + 4 * part, sizeof(left));
      std::memcpy(&right, b + k + 4 * part, sizeof(right));
      sum[part] += left * right;
    }
  }
  const lanes total = (sum[0] + sum[1]) + (sum[2] + sum[3]);
  T result = (total[0] + total[1]) + (total[2] + total[3]);
  for (; k < size; ++k) result += a[k] * b[k];
  return result;
}

}  // namespace deconvnet::kernels
