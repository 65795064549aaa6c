// Local response normalization across maps: AlexNet's and ZFNet's contrast normalization.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string_view>

#include <deconvnet/kernels/element.hpp>
#include <deconvnet/kernels/parallel_for.hpp>
#include <deconvnet/kernels/workspace.hpp>
#include <deconvnet/ops/reverse_context.hpp>
#include <deconvnet/ops/window.hpp>

namespace deconvnet {

/// `.size`: how many maps a window counts; `.bias` is k of AlexNet's paper, which uses 2.
struct local_response_norm_options {
  std::size_t size = 5;
  double alpha = 1e-4;
  double beta = 0.75;
  double bias = 1;
};

namespace detail {

/// Maps [first, last) that window c sums over: (size - 1) / 2 below, size / 2 above, clipped to the maps there are.
struct channel_window {
  std::size_t first, last;
};

inline channel_window norm_window(std::size_t c, std::size_t channels, std::size_t size) {
  const std::size_t below = (size - 1) / 2;
  return {c < below ? 0 : c - below, std::min(channels, c + size / 2 + 1)};
}

/// sums[c][k]: the squares in c's window, for the pixels [0, count) of one image.
template <class T>
void window_squares(const T* image, std::size_t channels, std::size_t plane, std::size_t count, std::size_t size, T* sums) {
  const auto& elements = kernels::current_element_kernels<T>();
  for (std::size_t c = 0; c < channels; ++c) {
    T* row = sums + c * count;
    std::fill(row, row + count, T(0));
    const auto window = norm_window(c, channels, size);
    for (std::size_t j = window.first; j < window.last; ++j) elements.add_squares(image + j * plane, row, count);
  }
}

/// What the sums of squares become: s = bias + factor sum, to the power of -beta. The usual exponent 3/4 is two square
/// roots, in vectors; pow is about ten times slower.
template <class T>
struct norm_power {
  explicit norm_power(const local_response_norm_options& options)
      : elements(kernels::current_element_kernels<T>()),
        bias(static_cast<T>(options.bias)),
        factor(static_cast<T>(options.alpha / static_cast<double>(options.size))),
        beta(static_cast<T>(options.beta)) {}

  /// to = x s^-beta.
  void divide(const T* x, const T* sums, T* to, std::size_t count) const {
    if (beta == T(0.75)) return elements.normalize(x, sums, bias, factor, to, count);
    for (std::size_t k = 0; k < count; ++k) to[k] = x[k] * std::pow(bias + factor * sums[k], -beta);
  }

  /// to = signal s^-beta, product = signal x s^(-beta - 1).
  void divide(const T* signal, const T* x, const T* sums, T* product, T* to, std::size_t count) const {
    if (beta == T(0.75)) return elements.normalize_signal(signal, x, sums, bias, factor, product, to, count);
    for (std::size_t k = 0; k < count; ++k) {
      const T s = bias + factor * sums[k];
      to[k] = signal[k] * std::pow(s, -beta);
      product[k] = to[k] * x[k] / s;
    }
  }

  const kernels::element_kernels<T>& elements;
  T bias, factor, beta;
};

inline void check_norm(const local_response_norm_options& options) {
  const bool finite = std::isfinite(options.alpha) && std::isfinite(options.beta) && std::isfinite(options.bias);
  if (options.size == 0 || !finite) {
    throw error(text("local_response_norm: size ", options.size, ", alpha ", options.alpha, ", beta ", options.beta,
                     ", bias ", options.bias, ": the size must be at least 1, the others finite"));
  }
}

/// Pixels per task: scratch of a few hundred kilobytes for the widest layers.
inline constexpr std::size_t norm_block = 256;

}  // namespace detail

namespace ops {

template <scalar T>
void local_response_norm_into(const tensor4<T>& x, const local_response_norm_options& options, tensor4<T>& y) {
  detail::check_norm(options);
  resize(y, shape_of(x));
  const std::size_t channels = x.shape(1);
  const std::size_t plane = x.shape(2) * x.shape(3);
  const detail::norm_power<T> power(options);
  const std::size_t blocks = (plane + detail::norm_block - 1) / detail::norm_block;
  parallel_for(x.shape(0) * blocks, [&](std::size_t task) {
    const std::size_t offset = task / blocks * channels * plane + task % blocks * detail::norm_block;
    const std::size_t count = std::min(detail::norm_block, plane - task % blocks * detail::norm_block);
    T* sums = kernels::workspace<struct norm_sums, T>(channels * count);
    detail::window_squares(x.data() + offset, channels, plane, count, options.size, sums);
    for (std::size_t c = 0; c < channels; ++c) {
      const std::size_t place = offset + c * plane;
      power.divide(x.data() + place, sums + c * count, y.data() + place, count);
    }
  });
}

/// y[c] = x[c] (bias + alpha / size * sum over j of x[j]^2)^-beta, j from c - (size - 1) / 2 to c + size / 2 (ONNX's
/// definition; PyTorch mirrors the window of an even size). x, y: N x C x H x W.
template <expression_of_rank<4> X>
auto local_response_norm(const X& x, const local_response_norm_options& options = {}) {
  using T = scalar_of<X>;
  tensor4<T> y;
  local_response_norm_into<T>(contiguous<T, 4>(x), options, y);
  return y;
}

/// The derivative at x applied to a signal g, with s the sums in brackets above:
/// g[c] s[c]^-beta - 2 alpha beta / size * x[c] * sum over the windows j that hold c of g[j] x[j] s[j]^(-beta - 1).
template <scalar T>
tensor4<T> local_response_norm_gradient(const tensor4<T>& signal, const tensor4<T>& x,
                                        const local_response_norm_options& options) {
  detail::check_norm(options);
  if (shape_of(signal) != shape_of(x)) {
    throw shape_error(detail::text("local_response_norm: a signal of ", shape_text(signal.shape()), " at ", shape_text(x.shape())));
  }
  auto result = uninitialized<T>(shape_of(x));
  const std::size_t channels = x.shape(1);
  const std::size_t plane = x.shape(2) * x.shape(3);
  const T factor = static_cast<T>(2 * options.alpha * options.beta / static_cast<double>(options.size));
  const detail::norm_power<T> power(options);
  parallel_for(x.shape(0), [&](std::size_t n) {
    const std::size_t size = channels * plane;
    const std::size_t offset = n * size;
    T* sums = kernels::workspace<struct norm_sums, T>(size);
    T* product = kernels::workspace<struct norm_products, T>(size);
    detail::window_squares(x.data() + offset, channels, plane, plane, options.size, sums);
    power.divide(signal.data() + offset, x.data() + offset, sums, product, result.data() + offset, size);
    for (std::size_t j = 0; j < channels; ++j) {
      const auto window = detail::norm_window(j, channels, options.size);
      for (std::size_t c = window.first; c < window.last; ++c) {
        const std::size_t place = offset + c * plane;
        power.elements.subtract_product(x.data() + place, product + j * plane, factor, result.data() + place, plane);
      }
    }
  });
  return result;
}

}  // namespace ops

/// ops::local_response_norm as a layer. On the way down: identity under `deconvnet` and `guided`, differentiated under
/// `gradient` (the first is not fixed by the paper).
class local_response_norm {
 public:
  static constexpr std::string_view kind = "local_response_norm";
  static constexpr reverse_needs needs{.input = true, .output = false, .sign = false};

  explicit local_response_norm(const local_response_norm_options& options = {}) : options_(options) {
    detail::check_norm(options);
  }

  const local_response_norm_options& options() const { return options_; }

  template <expression_of_rank<4> X>
  auto operator()(const X& x) const {
    return ops::local_response_norm(x, options_);
  }

  template <scalar T>
  void forward(const tensor4<T>& x, tensor4<T>& y) const {
    ops::local_response_norm_into(x, options_, y);
  }

  template <scalar T>
  tensor4<T> reverse(const tensor4<T>& signal, const reverse_context<T>& at) const {
    return at.how == rule::gradient ? ops::local_response_norm_gradient(signal, at.input(), options_) : signal;
  }

  shape4 output_shape(const shape4& in) const { return in; }
  deconvnet::reach reach() const { return {}; }

 private:
  local_response_norm_options options_;
};

}  // namespace deconvnet
