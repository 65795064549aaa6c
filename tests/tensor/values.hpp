// What the tests of tensors, kernels and operators share: values to compute with, and ways to compare.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <deconvnet/tensor/tensor.hpp>

namespace deconvnet::testing {

/// Thousandths in -1 ... 1, the same ones on every machine.
template <class T>
void fill_random(T* values, std::size_t count, unsigned seed) {
  std::mt19937 engine(seed);
  for (std::size_t k = 0; k < count; ++k) values[k] = static_cast<T>(static_cast<int>(engine() % 2001) - 1000) / T(1000);
}

template <class T>
std::vector<T> random_values(std::size_t count, unsigned seed) {
  std::vector<T> result(count);
  fill_random(result.data(), count, seed);
  return result;
}

template <class T>
tensor4<T> random_maps(const shape4& shape, unsigned seed) {
  auto result = tensor4<T>::from_shape(shape);
  fill_random(result.data(), result.size(), seed);
  return result;
}

template <class T>
tensor<T, 2> random_matrix(std::size_t rows, std::size_t columns, unsigned seed) {
  auto result = tensor<T, 2>::from_shape({rows, columns});
  fill_random(result.data(), result.size(), seed);
  return result;
}

template <class T>
tensor<T, 1> random_vector(std::size_t count, unsigned seed) {
  auto result = tensor<T, 1>::from_shape({count});
  fill_random(result.data(), result.size(), seed);
  return result;
}

template <class Tensor>
bool same_shape(const Tensor& a, const Tensor& b) {
  return std::equal(a.shape().begin(), a.shape().end(), b.shape().begin(), b.shape().end());
}

/// Same extents and the same bits: NaN equals NaN, 0 does not equal -0.
template <class Tensor>
bool same_bits(const Tensor& a, const Tensor& b) {
  if (!same_shape(a, b)) return false;
  return a.size() == 0 || std::memcmp(a.data(), b.data(), a.size() * sizeof(*a.data())) == 0;
}

/// The largest difference, relative to the largest value of `b` where that passes 1; infinite for other extents or a NaN.
template <class A, class B>
double distance(const A& a, const B& b) {
  if (!std::equal(a.shape().begin(), a.shape().end(), b.shape().begin(), b.shape().end())) {
    return std::numeric_limits<double>::infinity();
  }
  double largest = 1;
  double difference = 0;
  for (std::size_t k = 0; k < a.size(); ++k) {
    const double left = static_cast<double>(a.data()[k]);
    const double right = static_cast<double>(b.data()[k]);
    if (!std::isfinite(left) || !std::isfinite(right)) return std::numeric_limits<double>::infinity();
    difference = std::max(difference, std::abs(left - right));
    largest = std::max(largest, std::abs(right));
  }
  return difference / largest;
}

/// What rounding may cost in sums of a few hundred products.
template <class T>
inline constexpr double rounding = sizeof(T) == sizeof(float) ? 2e-6 : 1e-14;

/// <a, b>, summed in double.
template <class A, class B>
double inner_product(const A& a, const B& b) {
  double sum = 0;
  for (std::size_t k = 0; k < a.size(); ++k) sum += static_cast<double>(a.data()[k]) * static_cast<double>(b.data()[k]);
  return sum;
}

/// Image n of a batch, as a batch of one.
template <class T>
tensor4<T> image_of(const tensor4<T>& x, std::size_t n) {
  auto result = tensor4<T>::from_shape({1, x.shape(1), x.shape(2), x.shape(3)});
  const auto from = image_span(x, n);
  std::copy(from.begin(), from.end(), result.data());
  return result;
}

/// The message of the Error that `action` throws; empty where it throws nothing. Other exceptions pass.
template <class Error = shape_error, class Action>
std::string message_of(Action&& action) {
  try {
    action();
  } catch (const Error& problem) {
    return problem.what();
  }
  return {};
}

/// Whether every one of `parts` is in `message`.
template <class... Parts>
bool names(const std::string& message, const Parts&... parts) {
  return ((message.find(parts) != std::string::npos) && ...);
}

}  // namespace deconvnet::testing
