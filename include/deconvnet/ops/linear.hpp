// Fully connected layers, forward and by the transposed matrix.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <deconvnet/kernels/dense.hpp>
#include <deconvnet/kernels/element.hpp>
#include <deconvnet/kernels/gemm.hpp>
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

/// Rows of the weight times what is not zero of the signal, summed as the matrix product sums.
template <class T>
void adjoint_by_rows(const T* signal, std::size_t images, const tensor<T, 2>& weight, T* result) {
  constexpr std::size_t tile = 1024;
  const auto& elements = kernels::current_element_kernels<T>();
  const std::size_t outputs = weight.shape(0);
  const std::size_t inputs = weight.shape(1);
  const std::size_t tiles = (inputs + tile - 1) / tile;
  parallel_for(images * tiles, [&](std::size_t task) {
    const std::size_t first = task % tiles * tile;
    const std::size_t count = std::min(tile, inputs - first);
    const T* factors = signal + task / tiles * outputs;
    T* to = result + task / tiles * inputs + first;
    T sums[tile];
    std::fill(to, to + count, T(0));
    for (std::size_t block = 0; block < outputs; block += kernels::depth_block) {
      const std::size_t last = std::min(outputs, block + kernels::depth_block);
      if (std::all_of(factors + block, factors + last, [](T factor) { return factor == T(0); })) continue;
      std::fill(sums, sums + count, T(0));
      for (std::size_t o = block; o < last; ++o) {
        if (factors[o] != T(0)) elements.add(weight.data() + o * inputs + first, factors[o], sums, count);
      }
      elements.add(sums, T(1), to, count);
    }
  });
}

}  // namespace detail

namespace ops {

/// y (images x OUT) = x (images x IN) W^T + bias on raw memory: the bits of one image do not depend on the others.
template <scalar T>
void linear_into(const T* x, std::size_t images, const tensor<T, 2>& weight, const tensor<T, 1>& bias, T* y) {
  kernels::dense(x, images, weight.shape(1), weight.data(), weight.shape(0), bias.size() ? bias.data() : nullptr, y);
}

/// result (images x IN) = signal (images x OUT) W on raw memory. Few images take W row by row, as it lies in memory; a signal
/// that is zero nearly everywhere, one unit's, the rows alone that are not met by zeros. Both give the same bits.
template <scalar T>
void linear_adjoint_into(const T* signal, std::size_t images, const tensor<T, 2>& weight, T* result) {
  const std::size_t outputs = weight.shape(0);
  const std::size_t inputs = weight.shape(1);
  const auto zeros = static_cast<std::size_t>(std::count(signal, signal + images * outputs, T(0)));
  constexpr std::size_t few_images = 4;
  if (images >= few_images && 8 * (images * outputs - zeros) > images * outputs) {
    kernels::dense_adjoint(signal, images, outputs, weight.data(), inputs, result);
  } else {
    detail::adjoint_by_rows(signal, images, weight, result);
  }
}

/// weight_gradient[o, k] = sum over n of signal[n, o] x[n, k]; bias_gradient[o] (null: not wanted) the sum of signal over n,
/// in the order of n. Both are overwritten.
template <scalar T>
void linear_gradients_into(const T* x, const T* signal, std::size_t images, std::size_t outputs, std::size_t inputs,
                           T* weight_gradient, T* bias_gradient) {
  T* packed = kernels::workspace<struct packed_signal, T>(outputs * images);
  kernels::pack_rows(kernels::gemm_rows<T>{signal, outputs, 1, images, outputs, kernels::no_tap_offset},
                     kernels::current_gemm_tiles<T>().rows, packed);
  const kernels::gemm_weights<T> rows{packed, outputs, images};
  const kernels::patch_tap tap[] = {kernels::every_place(inputs)};
  const auto columns = kernels::maps_as_columns(x, 1, images * inputs, std::span<const kernels::patch_tap>(tap), images);
  kernels::gemm(rows, columns, kernels::gemm_result<T>{weight_gradient, outputs * inputs, inputs, inputs, 1, nullptr, false});
  if (!bias_gradient) return;
  std::fill(bias_gradient, bias_gradient + outputs, T(0));
  const auto& elements = kernels::current_element_kernels<T>();
  for (std::size_t n = 0; n < images; ++n) elements.add(signal + n * outputs, T(1), bias_gradient, outputs);
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
