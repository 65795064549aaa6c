// Rectification, forward and under the three rules of the way down.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include <deconvnet/kernels/element.hpp>
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
  kernels::current_element_kernels<T>().rectify(y.data(), y.data(), y.size());
  return y;
}

/// The signal after a ReLU on the way down. `active(m, k)`: whether element k of picture m was positive on the way up;
/// it is asked under `gradient` and `guided` only.
template <scalar T, class Active>
tensor4<T> relu_reverse(const tensor4<T>& signal, rule how, Active&& active) {
  auto result = uninitialized<T>(shape_of(signal));
  const auto& elements = kernels::current_element_kernels<T>();
  parallel_for(signal.shape(0), [&](std::size_t m) {
    const auto from = image_span(signal, m);
    const auto to = image_span(result, m);
    if (how == rule::deconvnet) return elements.rectify(from.data(), to.data(), from.size());
    for (std::size_t k = 0; k < from.size(); ++k) {
      const bool rectified = how != rule::gradient && from[k] < T(0);
      to[k] = rectified || !active(m, k) ? T(0) : from[k];
    }
  });
  return result;
}

/// The same where the outputs of the way up were kept: those of picture m are those of image images[m].
template <scalar T>
tensor4<T> relu_reverse(const tensor4<T>& signal, rule how, const tensor4<T>& output, std::span<const std::size_t> images) {
  auto result = uninitialized<T>(shape_of(signal));
  const auto& elements = kernels::current_element_kernels<T>();
  const std::size_t size = signal.shape(1) * signal.shape(2) * signal.shape(3);
  parallel_for(signal.shape(0), [&](std::size_t m) {
    parallel_pieces(size, [&](std::size_t first, std::size_t count) {
      const T* from = signal.data() + m * size + first;
      T* to = result.data() + m * size + first;
      if (how == rule::deconvnet) return elements.rectify(from, to, count);
      elements.mask(from, output.data() + images[m] * size + first, how == rule::guided, to, count);
    });
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
    const auto& elements = kernels::current_element_kernels<T>();
    parallel_pieces(x.size(), [&](std::size_t first, std::size_t count) {
      elements.rectify(x.data() + first, y.data() + first, count);
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
    if (at.recorded_output) return ops::relu_reverse(signal, at.how, *at.recorded_output, at.images);
    return ops::relu_reverse(signal, at.how, [&](std::size_t m, std::size_t k) {
      return at.recorded_signs->positive(at.images[m], k);
    });
  }

  shape4 output_shape(const shape4& in) const { return in; }
  deconvnet::reach reach() const { return {}; }
};

}  // namespace deconvnet
