// Multinomial logistic regression: the small linear classifier that the depth probe trains on features.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include <deconvnet/kernels/eigen.hpp>
#include <deconvnet/kernels/parallel_for.hpp>
#include <deconvnet/tensor/tensor.hpp>

namespace deconvnet {

namespace detail {

template <scalar T>
using row_matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

inline Eigen::Index eigen_index(std::size_t index) { return static_cast<Eigen::Index>(index); }

/// result = a b, block after block of rows: each is a product of its own, so the bits do not depend on threads.
template <class A, class B, class Result>
void multiply_by_rows(const A& a, const B& b, Result& result) {
  constexpr Eigen::Index block = 128;
  const Eigen::Index rows = a.rows();
  parallel_for(static_cast<std::size_t>((rows + block - 1) / block), [&](std::size_t task) {
    const Eigen::Index first = eigen_index(task) * block;
    const Eigen::Index count = std::min(block, rows - first);
    result.middleRows(first, count).noalias() = a.middleRows(first, count) * b;
  });
}

/// Each row's softmax, in place.
template <scalar T>
void softmax_rows(row_matrix<T>& scores) {
  for (Eigen::Index n = 0; n < scores.rows(); ++n) {
    auto row = scores.row(n).array();
    row = (row - row.maxCoeff()).exp().eval();
    row /= row.sum();
  }
}

}  // namespace detail

/// What softmax_regression has learned; called with features N x D it gives the class of each row, the first of equals.
template <scalar T>
class softmax_classifier {
 public:
  softmax_classifier(std::vector<double> mean, std::vector<double> scale, detail::row_matrix<T> weights)
      : mean_(std::move(mean)), scale_(std::move(scale)), weights_(std::move(weights)) {}

  /// N x classes, each row summing to one. Throws shape_error for another number of features.
  detail::row_matrix<T> probabilities(const tensor<T, 2>& features) const {
    const auto x = standardized(features);
    detail::row_matrix<T> scores(x.rows(), weights_.cols());
    detail::multiply_by_rows(x, weights_, scores);
    detail::softmax_rows(scores);
    return scores;
  }

  std::vector<std::size_t> operator()(const tensor<T, 2>& features) const {
    const auto sure = probabilities(features);
    std::vector<std::size_t> classes(features.shape(0));
    for (std::size_t n = 0; n < classes.size(); ++n) {
      Eigen::Index best = 0;
      sure.row(detail::eigen_index(n)).maxCoeff(&best);
      classes[n] = static_cast<std::size_t>(best);
    }
    return classes;
  }

  /// (x - mean) scale for each feature, and a last one that is always 1.
  detail::row_matrix<T> standardized(const tensor<T, 2>& features) const {
    if (features.shape(1) != mean_.size()) {
      throw shape_error(
          detail::text("softmax_regression: ", features.shape(1), " features, learned from ", mean_.size()));
    }
    detail::row_matrix<T> x(detail::eigen_index(features.shape(0)), detail::eigen_index(mean_.size() + 1));
    for (std::size_t n = 0; n < features.shape(0); ++n) {
      for (std::size_t d = 0; d < mean_.size(); ++d) {
        x(detail::eigen_index(n), detail::eigen_index(d)) =
            static_cast<T>((static_cast<double>(features(n, d)) - mean_[d]) * scale_[d]);
      }
      x(detail::eigen_index(n), detail::eigen_index(mean_.size())) = 1;
    }
    return x;
  }

 private:
  std::vector<double> mean_, scale_;
  detail::row_matrix<T> weights_;  // (D + 1) x classes, the last row is the bias
};

/// Minimizes the mean of -log p(label) + l2/2 ||W||^2 over the weights W (the bias is left out of the penalty), with
/// p = softmax(x W + b). Each feature is standardized by its mean and deviation over the rows learned from, those that
/// never change become 0, and all are divided by sqrt(D): layers of different sizes meet the same penalty.
/// Nesterov's method from zero with the step that fits every such problem, 1 / (1/2 + l2): `.iterations` at most, fewer
/// where the gradient's norm falls below `.tolerance`. No chance plays a part, and the result does not depend on the
/// number of threads. Memory: the features once more. Not fixed by the paper.
struct softmax_regression {
  double l2 = 1e-3;
  std::size_t iterations = 300;
  double tolerance = 1e-5;

  /// features: N x D; labels: N, each below `classes`. Throws shape_error or error where they do not fit, for NaN or
  /// infinity, and for no rows, features or classes.
  template <scalar T>
  softmax_classifier<T> operator()(const tensor<T, 2>& features, std::span<const std::size_t> labels,
                                   std::size_t classes) const {
    check(features, labels, classes);
    auto [mean, scale] = moments(features);
    const auto x = softmax_classifier<T>(mean, scale, {}).standardized(features);
    const Eigen::Index width = x.cols();
    detail::row_matrix<T> weights = detail::row_matrix<T>::Zero(width, detail::eigen_index(classes));
    detail::row_matrix<T> ahead = weights;
    detail::row_matrix<T> gradient(width, detail::eigen_index(classes));
    detail::row_matrix<T> residual(x.rows(), detail::eigen_index(classes));
    // Rows have a squared norm of 1 on average and the constant column is orthogonal to the others: no eigenvalue of
    // X^T X / N passes 1. The softmax's second derivative is at most 1/2.
    const double curvature = 0.5 + l2;
    const double ratio = std::sqrt(l2 / curvature);
    const auto momentum = static_cast<T>((1 - ratio) / (1 + ratio));
    const auto step = static_cast<T>(1 / curvature);
    for (std::size_t k = 0; k < iterations; ++k) {
      detail::multiply_by_rows(x, ahead, residual);
      detail::softmax_rows(residual);
      for (std::size_t n = 0; n < labels.size(); ++n)
        residual(detail::eigen_index(n), detail::eigen_index(labels[n])) -= 1;
      residual /= static_cast<T>(labels.size());
      detail::multiply_by_rows(x.transpose(), residual, gradient);
      gradient.topRows(width - 1) += static_cast<T>(l2) * ahead.topRows(width - 1);
      detail::row_matrix<T> next = ahead - step * gradient;
      ahead = next + momentum * (next - weights);
      weights.swap(next);
      if (static_cast<double>(gradient.norm()) < tolerance) break;
    }
    return {std::move(mean), std::move(scale), std::move(weights)};
  }

 private:
  template <scalar T>
  void check(const tensor<T, 2>& features, std::span<const std::size_t> labels, std::size_t classes) const {
    if (!(l2 >= 0) || !(tolerance >= 0) || !std::isfinite(l2))
      throw error(detail::text("softmax_regression: .l2 is ", l2));
    if (features.size() == 0 || classes == 0 || features.shape(0) != labels.size()) {
      throw shape_error(detail::text("softmax_regression: features of ", shape_text(features.shape()), ", ",
                                     labels.size(), " labels, ", classes, " classes"));
    }
    for (std::size_t n = 0; n < labels.size(); ++n) {
      if (labels[n] >= classes)
        throw error(detail::text("softmax_regression: label ", labels[n], " of row ", n, ", of ", classes, " classes"));
    }
    const std::size_t trouble = first_nonfinite(std::span<const T>(features.data(), features.size()));
    if (trouble < features.size())
      throw error(detail::text("softmax_regression: feature ", trouble % features.shape(1), " of row ",
                               trouble / features.shape(1), " is NaN or infinite"));
  }

  /// Of each feature its mean, and 1 / (deviation sqrt(D)), 0 where it never changes.
  template <scalar T>
  static std::pair<std::vector<double>, std::vector<double>> moments(const tensor<T, 2>& features) {
    const std::size_t width = features.shape(1);
    const auto count = static_cast<double>(features.shape(0));
    std::vector<double> mean(width);
    std::vector<double> scale(width);
    for (std::size_t n = 0; n < features.shape(0); ++n) {
      for (std::size_t d = 0; d < width; ++d) mean[d] += static_cast<double>(features(n, d)) / count;
    }
    for (std::size_t n = 0; n < features.shape(0); ++n) {
      for (std::size_t d = 0; d < width; ++d) {
        const double away = static_cast<double>(features(n, d)) - mean[d];
        scale[d] += away * away / count;
      }
    }
    for (std::size_t d = 0; d < width; ++d) {
      const double deviation = std::sqrt(scale[d]);
      // What rounding leaves of a constant is no change.
      const bool changes = deviation > 1e-12 * std::abs(mean[d]) && deviation > 1e-150;
      scale[d] = changes ? 1 / (deviation * std::sqrt(static_cast<double>(width))) : 0;
    }
    return {std::move(mean), std::move(scale)};
  }
};

}  // namespace deconvnet
