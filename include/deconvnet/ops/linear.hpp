// Fully connected layers, forward and by the transposed matrix.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

#include <deconvnet/kernels/dot.hpp>
#include <deconvnet/kernels/parallel_for.hpp>
#include <deconvnet/ops/reverse_context.hpp>
#include <deconvnet/tensor/shared_tensor.hpp>

namespace deconvnet {

namespace detail {

/// Features per image of a batch, whatever its rank.
template <class X>
std::size_t features_of(const X& x) {
  return x.shape(0) == 0 ? 0 : x.size() / x.shape(0);
}

template <class T>
void check_linear(const tensor<T, 2>& weight, std::size_t bias, std::size_t features) {
  if (weight.shape(1) != features || (bias != 0 && bias != weight.shape(0))) {
    throw shape_error(text("linear: ", features, " features per image and a bias of ", bias, " for a weight of ",
                           shape_text(weight.shape())));
  }
}

}  // namespace detail

namespace ops {

/// y (images x OUT) = x (images x IN) W^T + bias on raw memory. A tile of rows of W stays in cache for all images, each
/// of which is a product of its own: the bits do not depend on the batch.
template <scalar T>
void linear_into(const T* x, std::size_t images, const tensor<T, 2>& weight, const tensor<T, 1>& bias, T* y) {
  constexpr std::size_t tile = 16;
  const std::size_t outputs = weight.shape(0);
  const std::size_t inputs = weight.shape(1);
  parallel_for((outputs + tile - 1) / tile, [&](std::size_t task) {
    for (std::size_t n = 0; n < images; ++n) {
      for (std::size_t o = task * tile; o < std::min(outputs, (task + 1) * tile); ++o) {
        y[n * outputs + o] = kernels::dot(weight.data() + o * inputs, x + n * inputs, inputs) +
                             (bias.size() ? bias.data()[o] : T(0));
      }
    }
  });
}

/// result (images x IN) = signal (images x OUT) W on raw memory. Rows whose signal is zero in every image, most of them
/// when one unit is projected, cost nothing.
template <scalar T>
void linear_adjoint_into(const T* signal, std::size_t images, const tensor<T, 2>& weight, T* result) {
  constexpr std::size_t tile = 512;
  const std::size_t outputs = weight.shape(0);
  const std::size_t inputs = weight.shape(1);
  parallel_for((inputs + tile - 1) / tile, [&](std::size_t task) {
    const std::size_t first = task * tile;
    const std::size_t last = std::min(inputs, first + tile);
    for (std::size_t n = 0; n < images; ++n) std::fill(result + n * inputs + first, result + n * inputs + last, T(0));
    for (std::size_t o = 0; o < outputs; ++o) {
      const T* row = weight.data() + o * inputs;
      for (std::size_t n = 0; n < images; ++n) {
        const T factor = signal[n * outputs + o];
        if (factor == T(0)) continue;
        T* to = result + n * inputs;
        for (std::size_t k = first; k < last; ++k) to[k] += factor * row[k];
      }
    }
  });
}

/// weight_gradient[o, k] = sum over n of signal[n, o] x[n, k], in the order of n; bias_gradient[o] (null: not wanted) the sum
/// of signal over n. Both are overwritten.
template <scalar T>
void linear_gradients_into(const T* x, const T* signal, std::size_t images, std::size_t outputs, std::size_t inputs,
                           T* weight_gradient, T* bias_gradient) {
  parallel_for(outputs, [&](std::size_t o) {
    T* row = weight_gradient + o * inputs;
    std::fill(row, row + inputs, T(0));
    T sum = 0;
    for (std::size_t n = 0; n < images; ++n) {
      const T factor = signal[n * outputs + o];
      sum += factor;
      const T* from = x + n * inputs;
      for (std::size_t k = 0; k < inputs; ++k) row[k] += factor * from[k];
    }
    if (bias_gradient) bias_gradient[o] = sum;
  });
}

/// y[n, o] = bias[o] + sum over k of weight[o, k] x[n, k]. x: N x IN; weight: OUT x IN; bias: OUT, or empty for none;
/// y: N x OUT. Throws shape_error where these do not fit.
template <expression_of_rank<2> X, expression_of_rank<2> W, expression_of_rank<1> B>
auto linear(const X& x, const W& weight, const B& bias) {
  using T = scalar_of<X>;
  const auto& in = contiguous<T, 2>(x);
  const auto& matrix = contiguous<T, 2>(weight);
  const auto& offset = contiguous<T, 1>(bias);
  detail::check_linear<T>(matrix, offset.size(), in.shape(1));
  auto y = tensor<T, 2>::from_shape({in.shape(0), matrix.shape(0)});
  linear_into<T>(in.data(), in.shape(0), matrix, offset, y.data());
  return y;
}

}  // namespace ops

/// ops::linear as a layer. An N x C x H x W input is read as N x (C H W), so a flatten before it may be left out; the
/// output of one is N x OUT x 1 x 1. An N x IN input gives N x OUT.
template <scalar T>
class linear {
 public:
  static constexpr std::string_view kind = "linear";
  static constexpr reverse_needs needs{};
  using value_type = T;

  /// weight: OUT x IN; bias: OUT.
  template <expression_of_rank<2> W, expression_of_rank<1> B>
  linear(W&& weight, B&& bias)
      : weight_(owned<T, 2>(std::forward<W>(weight))), bias_(owned<T, 1>(std::forward<B>(bias))) {
    detail::check_linear<T>(this->weight(), this->bias().size(), this->weight().shape(1));
    if (this->weight().size() == 0) throw shape_error("linear: the weight is empty: " + shape_text(this->weight().shape()));
  }

  /// Without a bias.
  template <expression_of_rank<2> W>
  explicit linear(W&& weight) : linear(std::forward<W>(weight), tensor<T, 1>::from_shape({0})) {}

  const tensor<T, 2>& weight() const { return weight_.get(); }
  const tensor<T, 1>& bias() const { return bias_.get(); }  // of size 0 where there is none

  template <expression_of_rank<4> X>
  tensor4<T> operator()(const X& x) const {
    tensor4<T> y;
    forward(contiguous<T, 4>(x), y);
    return y;
  }

  template <expression_of_rank<2> X>
    requires(detail::static_rank<X> == 2)
  tensor<T, 2> operator()(const X& x) const {
    return ops::linear(tensor<T, 2>(contiguous<T, 2>(x)), weight(), bias());
  }

  void forward(const tensor4<T>& x, tensor4<T>& y) const {
    resize(y, output_shape(shape_of(x)));
    ops::linear_into<T>(x.data(), x.shape(0), weight(), bias(), y.data());
  }

  tensor4<T> reverse(const tensor4<T>& signal, const reverse_context<T>& at) const {
    const shape4 down = shape_of(signal);
    const shape4& in = at.input_shape();
    if (down != shape4{in[0], weight().shape(0), 1, 1} || in[1] * in[2] * in[3] != weight().shape(1)) {
      throw shape_error(detail::text("linear: a signal of ", shape_text(down), " for an input of ", shape_text(in),
                                     " by a weight of ", shape_text(weight().shape())));
    }
    auto result = uninitialized<T>(at.input_shape());
    ops::linear_adjoint_into<T>(signal.data(), signal.shape(0), weight(), result.data());
    return result;
  }

  /// The derivatives by weight and, where there is one, bias.
  void parameter_gradients(const tensor4<T>& x, const tensor4<T>& signal, std::span<const std::span<T>> into) const {
    ops::linear_gradients_into<T>(x.data(), signal.data(), x.shape(0), weight().shape(0), weight().shape(1), into[0].data(),
                                  into.size() > 1 ? into[1].data() : nullptr);
  }

  shape4 output_shape(const shape4& in) const {
    element_count(in);
    detail::check_linear<T>(weight(), bias().size(), in[1] * in[2] * in[3]);
    return {in[0], weight().shape(0), 1, 1};
  }

  std::size_t multiply_adds(const shape4& in, const shape4&) const { return in[0] * weight().size(); }

  template <class Self, class Visitor>
  static void visit_parameters(Self& self, Visitor&& visit) {
    visit("weight", self.weight_);
    if (self.bias_.get().size()) visit("bias", self.bias_);
  }

 private:
  detail::shared_tensor<T, 2> weight_;
  detail::shared_tensor<T, 1> bias_;
};

}  // namespace deconvnet
