// Matrix products on row-major memory.
#pragma once

#include <cstddef>

#include <deconvnet/kernels/eigen.hpp>

namespace deconvnet::kernels {

namespace detail {

template <class T>
using matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

template <class T>
using matrix_map = Eigen::Map<matrix<T>, Eigen::Unaligned, Eigen::OuterStride<>>;

template <class T>
using const_matrix_map = Eigen::Map<const matrix<T>, Eigen::Unaligned, Eigen::OuterStride<>>;

template <class T>
const_matrix_map<T> map(const T* data, std::size_t rows, std::size_t columns, std::size_t leading) {
  return {data, static_cast<Eigen::Index>(rows), static_cast<Eigen::Index>(columns),
          Eigen::OuterStride<>(static_cast<Eigen::Index>(leading))};
}

template <class T>
matrix_map<T> map(T* data, std::size_t rows, std::size_t columns, std::size_t leading) {
  return {data, static_cast<Eigen::Index>(rows), static_cast<Eigen::Index>(columns),
          Eigen::OuterStride<>(static_cast<Eigen::Index>(leading))};
}

}  // namespace detail

/// C (m x n) += A (m x k) B (k x n); each matrix row-major with its own leading dimension.
template <class T>
void gemm_add(std::size_t m, std::size_t n, std::size_t k, const T* a, std::size_t lda, const T* b, std::size_t ldb,
              T* c, std::size_t ldc) {
  detail::map(c, m, n, ldc).noalias() += detail::map(a, m, k, lda) * detail::map(b, k, n, ldb);
}

/// C (m x n) = A^T B, where A is k x m and B is k x n.
template <class T>
void gemm_transposed(std::size_t m, std::size_t n, std::size_t k, const T* a, std::size_t lda, const T* b,
                     std::size_t ldb, T* c, std::size_t ldc) {
  detail::map(c, m, n, ldc).noalias() = detail::map(a, k, m, lda).transpose() * detail::map(b, k, n, ldb);
}

}  // namespace deconvnet::kernels
