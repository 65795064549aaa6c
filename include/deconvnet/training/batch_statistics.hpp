// Batch normalization as training runs it: with the statistics of the batch at hand.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include <deconvnet/kernels/element.hpp>
#include <deconvnet/kernels/parallel_for.hpp>
#include <deconvnet/ops/batch_norm.hpp>

namespace deconvnet::detail {

/// Mean and variance of every channel over a batch (the biased variance: divided by the count).
template <scalar T>
struct batch_statistics {
  std::vector<double> mean, variance;
  std::size_t count = 0;  // values per channel

  /// What the running variance is moved to: divided by the count - 1.
  double unbiased(std::size_t c) const {
    return count > 1 ? variance[c] * static_cast<double>(count) / static_cast<double>(count - 1) : variance[c];
  }
};

/// Calls visit(offset of the plane) for every image's map c.
template <class T, class Visit>
void visit_maps(const tensor4<T>& x, std::size_t c, Visit&& visit) {
  const std::size_t plane = x.shape(2) * x.shape(3);
  for (std::size_t n = 0; n < x.shape(0); ++n) visit((n * x.shape(1) + c) * plane, plane);
}

/// y = gamma (x - mean) / sqrt(variance + epsilon) + beta with the batch's own mean and variance.
template <scalar T>
void batch_norm_training(const batch_norm<T>& op, const tensor4<T>& x, tensor4<T>& y, batch_statistics<T>& statistics) {
  check_batch_norm(shape_of(x), op.gamma().size());
  resize(y, shape_of(x));
  const std::size_t channels = x.shape(1);
  statistics.count = x.shape(0) * x.shape(2) * x.shape(3);
  statistics.mean.resize(channels);
  statistics.variance.resize(channels);
  const auto& elements = kernels::current_element_kernels<T>();
  parallel_for(channels, [&](std::size_t c) {
    // One pass: moments about a value of the channel do not cancel as those about 0 would.
    const double shift = static_cast<double>(x.data()[c * x.shape(2) * x.shape(3)]);
    double sum = 0;
    double squares = 0;
    visit_maps(x, c, [&](std::size_t at, std::size_t plane) {
      const auto sums = elements.moments(x.data() + at, shift, plane);
      sum += sums.first;
      squares += sums.second;
    });
    const double offset = sum / static_cast<double>(statistics.count);
    const double mean = shift + offset;
    statistics.mean[c] = mean;
    statistics.variance[c] = std::max(0.0, squares / static_cast<double>(statistics.count) - offset * offset);
    const T scale = static_cast<T>(static_cast<double>(op.gamma()(c)) / std::sqrt(statistics.variance[c] + op.epsilon()));
    const T added = static_cast<T>(static_cast<double>(op.beta()(c)) - mean * static_cast<double>(scale));
    visit_maps(x, c, [&](std::size_t at, std::size_t plane) {
      elements.scale(x.data() + at, scale, added, y.data() + at, plane);
    });
  });
}

/// The derivative of that, the statistics being functions of x. With z = (x - mean) / sigma over the count m of a channel:
/// dgamma = sum g z, dbeta = sum g, dx = gamma / sigma (g - dbeta / m - z dgamma / m).
template <scalar T>
tensor4<T> batch_norm_gradient(const batch_norm<T>& op, const tensor4<T>& x, const tensor4<T>& signal,
                               const batch_statistics<T>& statistics, std::span<T> gamma, std::span<T> beta) {
  auto result = uninitialized<T>(shape_of(x));
  const auto& elements = kernels::current_element_kernels<T>();
  parallel_for(x.shape(1), [&](std::size_t c) {
    const double mean = statistics.mean[c];
    const double inverse = 1 / std::sqrt(statistics.variance[c] + op.epsilon());
    double sum = 0, product = 0;
    visit_maps(x, c, [&](std::size_t at, std::size_t plane) {
      const auto sums = elements.products(signal.data() + at, x.data() + at, mean, plane);
      sum += sums.first;
      product += sums.second;
    });
    product *= inverse;
    gamma[c] = static_cast<T>(product);
    beta[c] = static_cast<T>(sum);
    const double m = static_cast<double>(statistics.count);
    const double factor = static_cast<double>(op.gamma()(c)) * inverse;
    const double slope = -factor * product / m * inverse;
    visit_maps(x, c, [&](std::size_t at, std::size_t plane) {
      elements.combine(signal.data() + at, x.data() + at, factor, slope, -factor * sum / m - slope * mean, result.data() + at, plane);
    });
  });
  return result;
}

}  // namespace deconvnet::detail
