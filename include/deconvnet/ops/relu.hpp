// Rectification, forward and under the three rules of the way down.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

#include <deconvnet/kernels/parallel_for.hpp>
#include <deconvnet/ops/reverse_context.hpp>
#include <deconvnet/ops/window.hpp>

namespace deconvnet {

namespace ops {

/// max(x, 0), element by element, for tensors of any rank (4 where it is known at run time only); NaN stays NaN.
template <tensor_expression X>
auto relu(const X& x) {
  using T = scalar_of<X>;
  tensor<T, detail::result_rank<X>> y = contiguous<T, detail::result_rank<X>>(x);
  for (std::size_t k = 0; k < y.size(); ++k) y.data()[k] = y.data()[k] < T(0) ? T(0) : y.data()[k];
  return y;
}

/// The signal after a ReLU on the way down. `active(m, k)`: whether element k of picture m was positive on the way up;
/// it is asked under `gradient` and `guided` only.
template <scalar T, class Active>
tensor4<T> relu_reverse(const tensor4<T>& signal, rule how, Active&& active) {
  auto result = uninitialized<T>(shape_of(signal));
  parallel_for(signal.shape(0), [&](std::size_t m) {
    const auto from = image_span(signal, m);
    const auto to = image_span(result, m);
    for (std::size_t k = 0; k < from.size(); ++k) {
      const bool rectified = how != rule::gradient && from[k] < T(0);
      const bool masked = how != rule::deconvnet && !active(m, k);
      to[k] = rectified || masked ? T(0) : from[k];
    }
  });
  return result;
}

}  // namespace ops

/// ops::relu as a layer.
struct relu {
  static constexpr std::string_view kind = "relu";
  static constexpr reverse_needs needs{.input = false, .output = false, .sign = true};

  template <tensor_expression X>
  auto operator()(const X& x) const {
    return ops::relu(x);
  }

  template <scalar T>
  void forward(const tensor4<T>& x, tensor4<T>& y) const {
    resize(y, shape_of(x));
    parallel_for(x.shape(0) * x.shape(1), [&, plane = x.shape(2) * x.shape(3)](std::size_t map) {
      const T* from = x.data() + map * plane;
      T* to = y.data() + map * plane;
      for (std::size_t k = 0; k < plane; ++k) to[k] = from[k] < T(0) ? T(0) : from[k];
    });
  }

  template <scalar T>
  void forward_in_place(tensor4<T>& x) const {
    forward(x, x);
  }

  /// Under `deconvnet` the output keeps the signal's positive part; the other rules ask the run's sign.
  template <scalar T>
  tensor4<T> reverse(const tensor4<T>& signal, const reverse_context<T>& at) const {
    if (at.how != rule::deconvnet && !at.recorded_output && !at.recorded_signs) {
      throw error("relu: the run kept neither the output nor its sign");
    }
    if (at.recorded_output) {
      return ops::relu_reverse(signal, at.how, [&, size = image_span(*at.recorded_output, 0).size()](std::size_t m, std::size_t k) {
        return at.recorded_output->data()[at.images[m] * size + k] > T(0);
      });
    }
    return ops::relu_reverse(signal, at.how, [&](std::size_t m, std::size_t k) {
      return at.recorded_signs->positive(at.images[m], k);
    });
  }

  shape4 output_shape(const shape4& in) const { return in; }
  deconvnet::reach reach() const { return {}; }
};

}  // namespace deconvnet
