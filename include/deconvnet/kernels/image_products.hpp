// Rows of a matrix, read where they lie, times a few images side by side: a fully connected layer on a batch. Memory is behind
// the products, not before them.
#pragma once

#include <cstddef>

#include <deconvnet/kernels/element.hpp>  // its fuse()
#include <deconvnet/kernels/level.hpp>

namespace deconvnet::kernels {

/// sums[r, n] += sum over k < depth of weight[r pitch + k] x[k, n], as the matrix product sums: blocks of `block` terms, each in
/// the order of k from 0 on, added up; for `rows` rows and whole registers of images. x: depth x images; sums: rows x images.
template <class T>
struct image_products {
  const T* weight;
  std::size_t pitch, rows, depth, block;
  const T* x;
  T* sums;
};

/// The kernels of one instruction set, by registers of images - 1.
template <class T>
struct image_product_kernels {
  std::size_t lanes;
  void (*multiply[3])(const image_products<T>&);
};

#define DECONVNET_KERNEL_FILE <deconvnet/kernels/image_products.inc>
#include <deconvnet/kernels/each_level.inc>
#undef DECONVNET_KERNEL_FILE

/// The kernels of the level in use.
template <class T>
image_product_kernels<T> current_image_products() {
#if defined(__x86_64__)
  switch (current_level()) {
    case kernel_level::avx512: return avx512_kernels::make_image_products<T>();
    case kernel_level::avx2: return avx2_kernels::make_image_products<T>();
    default: break;
  }
#endif
  return DECONVNET_PORTABLE_KERNELS::make_image_products<T>();
}

}  // namespace deconvnet::kernels
