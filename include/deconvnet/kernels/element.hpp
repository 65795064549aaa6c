// What layers do to one element after the other, and sums over elements, in vectors.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstring>

#include <deconvnet/kernels/level.hpp>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace deconvnet::kernels {

/// Sums over n elements of a channel, in double, in as many partial sums as a register has lanes, which are joined at the
/// end: the bits depend on the kernel level and n.
struct channel_sums {
  double first = 0, second = 0;
};

/// Loops over n elements. Results may be the input's own memory.
template <class T>
struct element_kernels {
  /// to = max(x, 0); NaN stays NaN.
  void (*rectify)(const T* x, T* to, std::size_t n);
  /// to = signal where output > 0 and, with `rectified`, signal > 0; else 0.
  void (*mask)(const T* signal, const T* output, bool rectified, T* to, std::size_t n);
  /// to = a x + b.
  void (*scale)(const T* x, T a, T b, T* to, std::size_t n);
  /// to += a x.
  void (*add)(const T* x, T a, T* to, std::size_t n);
  /// to += x[0] + x[1] + ..., one after the other, for `rows` of x.
  void (*add_rows)(const T* const* x, std::size_t rows, T* to, std::size_t n);
  /// to = a signal + b x + c, rounded once: in double.
  void (*combine)(const T* signal, const T* x, double a, double b, double c, T* to, std::size_t n);
  /// first: sum of x - shift; second: sum of (x - shift)^2.
  channel_sums (*moments)(const T* x, double shift, std::size_t n);
  /// first: sum of g; second: sum of g (x - shift).
  channel_sums (*products)(const T* g, const T* x, double shift, std::size_t n);
  /// to += x^2.
  void (*add_squares)(const T* x, T* to, std::size_t n);
  /// to = x s^(-3/4), with s = bias + factor sums.
  void (*normalize)(const T* x, const T* sums, T bias, T factor, T* to, std::size_t n);
  /// With s as above: product = signal x s^(-7/4); to = signal s^(-3/4).
  void (*normalize_signal)(const T* signal, const T* x, const T* sums, T bias, T factor, T* product, T* to, std::size_t n);
  /// to -= a x y.
  void (*subtract_product)(const T* x, const T* y, T a, T* to, std::size_t n);
};

#define DECONVNET_KERNEL_FILE <deconvnet/kernels/element.inc>
#include <deconvnet/kernels/each_level.inc>
#undef DECONVNET_KERNEL_FILE

/// The kernels of the level in use.
template <class T>
const element_kernels<T>& current_element_kernels() {
#if defined(__x86_64__)
  static constexpr auto avx512 = avx512_kernels::make_element_kernels<T>();
  static constexpr auto avx2 = avx2_kernels::make_element_kernels<T>();
  switch (current_level()) {
    case kernel_level::avx512: return avx512;
    case kernel_level::avx2: return avx2;
    default: break;
  }
#endif
  static constexpr auto portable = DECONVNET_PORTABLE_KERNELS::make_element_kernels<T>();
  return portable;
}

}  // namespace deconvnet::kernels
