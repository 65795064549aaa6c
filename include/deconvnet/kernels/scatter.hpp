// Values that are not zero, each times a small picture of weights, added up where they lie: the adjoint of a convolution for
// signals that are mostly zero.
#pragma once

#include <cstddef>
#include <cstdint>

#include <deconvnet/kernels/element.hpp>  // its fuse()
#include <deconvnet/kernels/level.hpp>

namespace deconvnet::kernels {

/// out[places[k] + offsets[s] + i] += values[k] weight[s][i] for every value k, segment s and number i of a segment, in this
/// order; a segment has as many numbers as the kernel's registers.
template <class T>
struct scatter_arguments {
  const T* values;
  const std::uint32_t* places;
  std::size_t count;
  const T* weight;
  const std::ptrdiff_t* offsets;
  std::size_t segments;
  T* out;
};

/// run[registers of a segment - 1].
template <class T>
struct scatter_kernels {
  std::size_t lanes;
  void (*run[4])(const scatter_arguments<T>&);
};

#define DECONVNET_KERNEL_FILE <deconvnet/kernels/scatter.inc>
#include <deconvnet/kernels/each_level.inc>
#undef DECONVNET_KERNEL_FILE

/// The kernels of the level in use.
template <class T>
scatter_kernels<T> current_scatter_kernels() {
#if defined(__x86_64__)
  switch (current_level()) {
    case kernel_level::avx512: return avx512_kernels::make_scatter_kernels<T>();
    case kernel_level::avx2: return avx2_kernels::make_scatter_kernels<T>();
    default: break;
  }
#endif
  return DECONVNET_PORTABLE_KERNELS::make_scatter_kernels<T>();
}

}  // namespace deconvnet::kernels
