// Softmax: activations to probabilities.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string_view>

#include <deconvnet/kernels/parallel_for.hpp>
#include <deconvnet/ops/reverse_context.hpp>
#include <deconvnet/ops/window.hpp>

namespace deconvnet {

/// What sums to one: the channels of each place, or all C x H x W features of an image together (ONNX before opset 13).
enum class softmax_over { channels, features };

namespace detail {

/// A batch as `groups` vectors of `size` elements `step` apart: what a softmax normalizes.
struct softmax_layout {
  std::size_t groups, size, step;

  std::size_t start(std::size_t group) const { return group / step * step * size + group % step; }
};

inline softmax_layout layout_of(const shape4& shape, softmax_over over) {
  if (over == softmax_over::features) return {shape[0], shape[1] * shape[2] * shape[3], 1};
  return {shape[0] * shape[2] * shape[3], shape[1], shape[2] * shape[3]};
}

}  // namespace detail

namespace ops {

template <scalar T>
void softmax_into(const tensor4<T>& x, softmax_over over, tensor4<T>& y) {
  resize(y, shape_of(x));
  if (x.size() == 0) return;
  const auto layout = detail::layout_of(shape_of(x), over);
  parallel_for(layout.groups, [&](std::size_t group) {
    const T* from = x.data() + layout.start(group);
    T* to = y.data() + layout.start(group);
    T highest = from[0];
    for (std::size_t k = 1; k < layout.size; ++k) highest = std::max(highest, from[k * layout.step]);
    T sum = 0;
    for (std::size_t k = 0; k < layout.size; ++k) {
      sum += to[k * layout.step] = std::exp(from[k * layout.step] - highest);
    }
    for (std::size_t k = 0; k < layout.size; ++k) to[k * layout.step] /= sum;
  });
}

/// exp(x - max) / sum of exp(x - max), over the channels of each place or over all features of each image.
/// x, y: N x C x H x W.
template <expression_of_rank<4> X>
auto softmax(const X& x, softmax_over over = softmax_over::channels) {
  using T = scalar_of<X>;
  tensor4<T> y;
  softmax_into<T>(contiguous<T, 4>(x), over, y);
  return y;
}

/// The same for N x K.
template <expression_of_rank<2> X>
  requires(detail::static_rank<X> == 2)
auto softmax(const X& x) {
  using T = scalar_of<X>;
  const auto& in = contiguous<T, 2>(x);
  auto batch = uninitialized<T>({in.shape(0), in.shape(1), 1, 1});
  std::copy(in.data(), in.data() + in.size(), batch.data());
  softmax_into(batch, softmax_over::channels, batch);
  auto y = tensor<T, 2>::from_shape({in.shape(0), in.shape(1)});
  std::copy(batch.data(), batch.data() + batch.size(), y.data());
  return y;
}

/// The derivative where the softmax gave y, applied to a signal g: y (g - sum of g y).
template <scalar T>
tensor4<T> softmax_gradient(const tensor4<T>& signal, const tensor4<T>& y, softmax_over over) {
  if (shape_of(signal) != shape_of(y)) {
    throw shape_error(detail::text("softmax: a signal of ", shape_text(signal.shape()), " at ", shape_text(y.shape())));
  }
  auto result = uninitialized<T>(shape_of(y));
  const auto layout = detail::layout_of(shape_of(y), over);
  for (std::size_t group = 0; group < layout.groups; ++group) {
    const std::size_t start = layout.start(group);
    T sum = 0;
    for (std::size_t k = 0; k < layout.size; ++k) {
      sum += signal.data()[start + k * layout.step] * y.data()[start + k * layout.step];
    }
    for (std::size_t k = 0; k < layout.size; ++k) {
      const std::size_t place = start + k * layout.step;
      result.data()[place] = y.data()[place] * (signal.data()[place] - sum);
    }
  }
  return result;
}

}  // namespace ops

/// ops::softmax as a layer. On the way down: identity under `deconvnet` and `guided`, differentiated under `gradient`
/// (not fixed by the paper).
class softmax {
 public:
  static constexpr std::string_view kind = "softmax";
  static constexpr reverse_needs needs{.input = false, .output = true, .sign = false};

  explicit softmax(softmax_over over = softmax_over::channels) : over_(over) {}

  softmax_over over() const { return over_; }

  template <expression_of_rank<4> X>
  auto operator()(const X& x) const {
    return ops::softmax(x, over_);
  }

  /// N x K: both ways of counting are the same.
  template <expression_of_rank<2> X>
    requires(detail::static_rank<X> == 2)
  auto operator()(const X& x) const {
    return ops::softmax(x);
  }

  template <scalar T>
  void forward(const tensor4<T>& x, tensor4<T>& y) const {
    ops::softmax_into(x, over_, y);
  }

  template <scalar T>
  tensor4<T> reverse(const tensor4<T>& signal, const reverse_context<T>& at) const {
    return at.how == rule::gradient ? ops::softmax_gradient(signal, at.output(), over_) : signal;
  }

  shape4 output_shape(const shape4& in) const { return in; }

  /// One place where each place is normalized by itself; over all features, the whole map.
  std::optional<deconvnet::reach> reach() const {
    return over_ == softmax_over::channels ? std::optional<deconvnet::reach>(deconvnet::reach{}) : std::nullopt;
  }

 private:
  softmax_over over_;
};

}  // namespace deconvnet
