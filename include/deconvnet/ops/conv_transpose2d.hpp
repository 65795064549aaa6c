// Transposed convolution: the filtering step of the deconvnet (the paper, section 2.1).
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include <deconvnet/ops/conv2d.hpp>

namespace deconvnet {

struct conv_transpose2d_options {
  extent2d stride{1, 1};
  padding2d padding{};
  extent2d dilation{1, 1};
  std::size_t groups = 1;
  /// The map to restore. A stride leaves several sizes possible; {0, 0} takes the smallest.
  extent2d output_size{0, 0};
};

namespace detail {

inline conv2d_options forward_options(const conv_transpose2d_options& options) {
  return {options.stride, options.padding, options.dilation, options.groups};
}

/// The extents of the map that a transposed convolution restores from a signal.
inline shape4 transposed_shape(const shape4& weight, const conv_transpose2d_options& options, const shape4& signal) {
  const conv2d_geometry geometry{weight, forward_options(options)};
  geometry.check("conv_transpose2d");
  if (signal[1] != geometry.out_channels() || signal[2] == 0 || signal[3] == 0) {
    throw shape_error(text("conv_transpose2d: a signal of ", shape_text(signal), " for a weight of ",
                           shape_text(weight), ": ", geometry.out_channels(), " channels of at least 1 x 1 are needed"));
  }
  const auto side = [](std::size_t wanted, std::size_t places, const window_axis& axis) {
    const std::size_t padded = (places - 1) * axis.stride + axis.span();
    const std::size_t padding = axis.padding_before + axis.padding_after;
    return wanted != 0 ? wanted : padded > padding ? padded - padding : 1;
  };
  return {signal[0], geometry.in_channels(), side(options.output_size.height, signal[2], geometry.rows()),
          side(options.output_size.width, signal[3], geometry.columns())};
}

}  // namespace detail

namespace ops {

/// The exact adjoint of the conv2d with these weights and options: <conv2d(x), s> = <x, conv_transpose2d(s)>; filters
/// flipped both ways, contributions of overlapping windows added up.
/// signal: N x OC x OH x OW; weight: OC x IC/groups x KH x KW, as in that conv2d; result: N x IC x H x W with
/// (H, W) = output_size. Throws shape_error where that conv2d would not turn H x W into OH x OW.
template <expression_of_rank<4> S, expression_of_rank<4> W>
auto conv_transpose2d(const S& signal, const W& weight, const conv_transpose2d_options& options = {}) {
  using T = scalar_of<S>;
  const auto& down = contiguous<T, 4>(signal);
  const auto& filters = contiguous<T, 4>(weight);
  const shape4 large = detail::transposed_shape(shape_of(filters), options, shape_of(down));
  return conv2d_adjoint<T>(down, filters, detail::forward_options(options), large, "conv_transpose2d");
}

}  // namespace ops

/// A transposed convolution with its weights: ops::conv_transpose2d as a layer. It has no bias: there is none on the way
/// down. Its own reverse is the convolution.
template <scalar T>
class conv_transpose2d {
 public:
  static constexpr std::string_view kind = "conv_transpose2d";
  static constexpr reverse_needs needs{};
  using value_type = T;

  template <expression_of_rank<4> W>
  explicit conv_transpose2d(W&& weight, const conv_transpose2d_options& options = {})
      : conv_transpose2d(detail::shared_tensor<T, 4>(owned<T, 4>(std::forward<W>(weight))), options) {}

  /// The adjoint of a conv2d, sharing its weights.
  conv_transpose2d(detail::shared_tensor<T, 4> weight, const conv_transpose2d_options& options)
      : weight_(std::move(weight)), options_(options) {
    detail::conv2d_geometry{shape_of(this->weight()), detail::forward_options(options)}.check("conv_transpose2d");
  }

  const tensor4<T>& weight() const { return weight_.get(); }
  const conv_transpose2d_options& options() const { return options_; }

  template <expression_of_rank<4> S>
  tensor4<T> operator()(const S& signal) const {
    tensor4<T> y;
    forward(contiguous<T, 4>(signal), y);
    return y;
  }

  void forward(const tensor4<T>& signal, tensor4<T>& y) const {
    y = detail::conv2d_adjoint_kept(signal, weight_, detail::forward_options(options_), output_shape(shape_of(signal)),
                                    "conv_transpose2d");
  }

  tensor4<T> reverse(const tensor4<T>& signal, const reverse_context<T>&) const {
    const detail::conv2d_geometry geometry{shape_of(weight()), detail::forward_options(options_)};
    const shape4 out = geometry.output_shape(kind.data(), shape_of(signal));
    auto result = uninitialized<T>(out);
    detail::convolve_kept<T>(geometry.problem(shape_of(signal), out), signal.data(), weight_, nullptr, result.data(), false);
    return result;
  }

  /// The derivative by the weight: the convolution's, with signal and input in each other's place.
  void parameter_gradients(const tensor4<T>& x, const tensor4<T>& signal, std::span<const std::span<T>> into) const {
    const detail::conv2d_geometry geometry{shape_of(weight()), detail::forward_options(options_)};
    kernels::convolution_weight_gradient<T>(geometry.problem(shape_of(signal), shape_of(x)), signal.data(), x.data(),
                                            into[0].data(), nullptr);
  }

  shape4 output_shape(const shape4& in) const {
    return detail::transposed_shape(shape_of(weight()), options_, in);
  }

  std::size_t multiply_adds(const shape4& in, const shape4&) const { return in[0] * in[2] * in[3] * weight().size(); }

  template <class Self, class Visitor>
  static void visit_parameters(Self& self, Visitor&& visit) {
    visit("weight", self.weight_);
  }

 private:
  detail::shared_tensor<T, 4> weight_;
  conv_transpose2d_options options_;
};

}  // namespace deconvnet
