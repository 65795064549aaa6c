// A row of one map's convolution with one filter: what depthwise layers are made of.
#pragma once

#include <cstddef>

#include <deconvnet/kernels/element.hpp>  // its fuse()
#include <deconvnet/kernels/level.hpp>

namespace deconvnet::kernels {

/// to[j] = bias + sum over k < taps of weight[k] map[rows[k] + j] for j < places, then rectified on request; in the order of k
/// from 0 on, the bias last. Whole registers are read and written.
template <class T>
struct tap_sums {
  const T* map;
  const std::size_t* rows;
  std::size_t taps;
  const T* weight;
  T bias;
  bool rectify;
  T* to;
  std::size_t places;
};

#define DECONVNET_KERNEL_FILE <deconvnet/kernels/tap_sums.inc>
#include <deconvnet/kernels/each_level.inc>
#undef DECONVNET_KERNEL_FILE

/// The kernel of the level in use.
template <class T>
auto current_tap_sums() -> void (*)(const tap_sums<T>&) {
#if defined(__x86_64__)
  switch (current_level()) {
    case kernel_level::avx512: return &avx512_kernels::sum_taps<T>;
    case kernel_level::avx2: return &avx2_kernels::sum_taps<T>;
    default: break;
  }
#endif
  return &DECONVNET_PORTABLE_KERNELS::sum_taps<T>;
}

}  // namespace deconvnet::kernels
