// Convolution (cross-correlation, as every network means it), forward and adjoint.
#pragma once

#include <concepts>
#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

#include <deconvnet/kernels/algorithm.hpp>
#include <deconvnet/kernels/convolution.hpp>
#include <deconvnet/kernels/weight_gradient.hpp>
#include <deconvnet/kernels/winograd.hpp>
#include <deconvnet/ops/channel_part.hpp>
#include <deconvnet/ops/reverse_context.hpp>
#include <deconvnet/ops/window.hpp>
#include <deconvnet/tensor/recycled_tensors.hpp>
#include <deconvnet/tensor/shared_tensor.hpp>

namespace deconvnet {

struct conv2d_options {
  extent2d stride{1, 1};
  padding2d padding{};
  extent2d dilation{1, 1};
  std::size_t groups = 1;
};

namespace detail {

/// Everything about a convolution that does not change from call to call: its checks and its output size.
/// `weight` is OC x IC/groups x KH x KW.
struct conv2d_geometry {
  shape4 weight;
  conv2d_options options;

  extent2d kernel() const { return {weight[2], weight[3]}; }
  std::size_t in_channels() const { return weight[1] * options.groups; }
  std::size_t out_channels() const { return weight[0]; }
  window_axis rows() const { return vertical(kernel(), options.stride, options.padding, options.dilation); }
  window_axis columns() const { return horizontal(kernel(), options.stride, options.padding, options.dilation); }

  void check(const char* who) const {
    check_window(who, kernel(), options.stride, options.padding, options.dilation);
    if (weight[0] == 0 || weight[1] == 0) throw shape_error(text(who, ": the weight is empty: ", shape_text(weight)));
    if (options.groups == 0 || weight[0] % options.groups != 0) {
      throw shape_error(text(who, ": ", weight[0], " filters cannot be split into ", options.groups, " groups"));
    }
  }

  void check_bias(const char* who, std::size_t size) const {
    if (size != 0 && size != weight[0]) {
      throw shape_error(text(who, ": a bias of ", size, " for ", weight[0], " filters (weight ", shape_text(weight), ")"));
    }
  }

  shape4 output_shape(const char* who, const shape4& in) const {
    if (in[1] != in_channels()) {
      throw shape_error(text(who, ": the input ", shape_text(in), " has ", in[1], " channels, the weight ",
                             shape_text(weight), " in ", options.groups, " groups needs ", in_channels()));
    }
    const extent2d out = window_outputs(who, in, rows(), columns());
    return {in[0], out_channels(), out.height, out.width};
  }

  kernels::convolution_problem problem(const shape4& large, const shape4& small) const {
    return {{weight[1], large[2], large[3], weight[2], weight[3], options.stride.height, options.stride.width,
             options.padding.top, options.padding.left, options.dilation.height, options.dilation.width, small[2],
             small[3]},
            large[0],
            options.groups,
            weight[0] / options.groups};
  }
};

/// Throws shape_error where a signal does not come from a map of that shape.
template <scalar T>
kernels::convolution_problem adjoint_problem(const conv2d_geometry& geometry, const tensor4<T>& signal, const shape4& large,
                                             const char* who) {
  geometry.check(who);
  const shape4 small = shape_of(signal);
  if (small != geometry.output_shape(who, large)) {
    throw shape_error(text(who, ": a signal of ", shape_text(small), " does not come from ", shape_text(large), " by the weight ",
                           shape_text(geometry.weight)));
  }
  return geometry.problem(large, small);
}

}  // namespace detail

namespace ops {

/// conv2d into a container of the caller's, which takes the result's shape.
template <scalar T>
void conv2d_into(const tensor4<T>& x, const tensor4<T>& weight, const tensor<T, 1>& bias, const conv2d_options& options,
                 tensor4<T>& y) {
  const detail::conv2d_geometry geometry{shape_of(weight), options};
  geometry.check("conv2d");
  geometry.check_bias("conv2d", bias.size());
  const shape4 in = shape_of(x);
  const shape4 out = geometry.output_shape("conv2d", in);
  resize(y, out);
  const auto problem = geometry.problem(in, out);
  kernels::convolve(problem, x.data(), kernels::weights_for_now(problem, weight.data(), false), bias.size() ? bias.data() : nullptr,
                    y.data());
}

/// y[n, o, i, j] = bias[o] + sum over c, ky, kx of weight[o, c, ky, kx] x[n, c', i s + ky d - p, j s + kx d - p], with
/// c' = c shifted to o's group and zero outside the map.
/// x: N x IC x H x W; weight: OC x IC/groups x KH x KW; bias: OC, or empty for none; y: N x OC x OH x OW with
/// OH = floor((H + top + bottom - d (KH - 1) - 1) / s) + 1. Throws shape_error where these do not fit.
template <expression_of_rank<4> X, expression_of_rank<4> W, expression_of_rank<1> B>
auto conv2d(const X& x, const W& weight, const B& bias, const conv2d_options& options = {}) {
  using T = scalar_of<X>;
  tensor4<T> y;
  conv2d_into<T>(contiguous<T, 4>(x), contiguous<T, 4>(weight), contiguous<T, 1>(bias), options, y);
  return y;
}

/// The exact adjoint of conv2d without its bias: <conv2d(x), s> = <x, conv2d_adjoint(s)>.
/// signal: N x OC x OH x OW; weight as in conv2d; the result has the shape `large`, N x IC x H x W.
template <scalar T>
tensor4<T> conv2d_adjoint(const tensor4<T>& signal, const tensor4<T>& weight, const conv2d_options& options,
                          const shape4& large, const char* who = "conv2d") {
  const detail::conv2d_geometry geometry{shape_of(weight), options};
  const auto problem = detail::adjoint_problem(geometry, signal, large, who);
  auto result = uninitialized<T>(large);
  kernels::convolve_transposed(problem, signal.data(), kernels::weights_for_now(problem, weight.data(), true), result.data());
  return result;
}

}  // namespace ops

namespace detail {

/// What is made of a convolution's weights and kept with them, each in a slot of shared_tensor: the ways up, and down.
struct weight_slot {
  static constexpr std::size_t winograd = 0, winograd_down = 1, packed = 2, packed_down = 3, scattered = 4;
};

/// Calls use(weights for convolve, or with `down` for convolve_transposed). What large weights become when packed is not kept: a
/// second copy of VGG-16 passes the memory it may take (rules/memory.cpp), and packing as the first product goes costs nothing
/// then.
template <scalar T, class Use>
void with_weights(const kernels::convolution_problem& p, const shared_tensor<T, 4>& weight, bool down, const Use& use) {
  constexpr std::size_t most_kept = std::size_t{1} << 20;
  if (weight.get().size() > most_kept) return use(kernels::weights_for_now(p, weight.get().data(), down));
  // How weights are packed follows from their shape, the groups, strides and dilation, which stay with them, whatever the maps' size.
  const auto packed = weight.template derived<kernels::packed_convolution<T>>(
      down ? weight_slot::packed_down : weight_slot::packed, [](const auto& known) { return known.level == current_level(); },
      [&] { return kernels::packed_convolution<T>(p, weight.get().data(), down); });
  use(kernels::convolution_weights<T>{packed->values.data(), nullptr});
}

/// What a convolution is given: maps, or many small pieces of maps.
enum class convolved { maps, pieces };

/// Convolution by weights that stay: what an algorithm makes of them is kept with them.
template <scalar T>
void convolve_kept(const kernels::convolution_problem& p, const T* large, const shared_tensor<T, 4>& weight, const T* bias,
                   T* small, bool rectify, convolved what = convolved::maps) {
  if constexpr (std::same_as<T, float>) {
    const bool gains = what == convolved::maps ? kernels::gains_by_winograd(p) : kernels::pieces_gain_by_winograd(p);
    if (current_algorithm() == algorithm::automatic && gains) {
      const auto problem = kernels::winograd_forward(p);
      const auto filters = weight.template derived<kernels::winograd_filters>(
          weight_slot::winograd, [](const auto& known) { return known.level() == current_level(); },
          [&] { return kernels::winograd_filters(problem, weight.get().data(), false); });
      return kernels::convolve_winograd(problem, large, *filters, bias, small, rectify);
    }
  }
  with_weights(p, weight, false, [&](const auto& weights) { kernels::convolve(p, large, weights, bias, small, rectify); });
}

/// The adjoint, likewise.
template <scalar T>
void convolve_transposed_kept(const kernels::convolution_problem& p, const T* small, const shared_tensor<T, 4>& weight, T* large) {
  if constexpr (std::same_as<T, float>) {
    if (current_algorithm() == algorithm::automatic && kernels::gains_by_winograd(p)) {
      const auto problem = kernels::winograd_transposed(p);
      const auto filters = weight.template derived<kernels::winograd_filters>(
          weight_slot::winograd_down, [](const auto& known) { return known.level() == current_level(); },
          [&] { return kernels::winograd_filters(problem, weight.get().data(), true); });
      return kernels::convolve_winograd(problem, small, *filters, nullptr, large);
    }
  }
  with_weights(p, weight, true, [&](const auto& weights) { kernels::convolve_transposed(p, small, weights, large); });
}

/// ops::conv2d_adjoint by weights that stay.
template <scalar T>
tensor4<T> conv2d_adjoint_kept(const tensor4<T>& signal, const shared_tensor<T, 4>& weight, const conv2d_options& options,
                               const shape4& large, const char* who) {
  const conv2d_geometry geometry{shape_of(weight.get()), options};
  const auto problem = adjoint_problem(geometry, signal, large, who);
  auto result = recycled_signal<T>(large);
  convolve_transposed_kept(problem, signal.data(), weight, result.data());
  return result;
}

}  // namespace detail

/// A convolution with its weights: ops::conv2d as a layer.
template <scalar T>
class conv2d {
 public:
  static constexpr std::string_view kind = "conv2d";
  static constexpr reverse_needs needs{};
  using value_type = T;

  /// weight: OC x IC/groups x KH x KW; bias: OC. Throws shape_error where they do not fit each other or the options.
  template <expression_of_rank<4> W, expression_of_rank<1> B>
  conv2d(W&& weight, B&& bias, const conv2d_options& options = {})
      : weight_(owned<T, 4>(std::forward<W>(weight))), bias_(owned<T, 1>(std::forward<B>(bias))), options_(options) {
    geometry().check("conv2d");
    geometry().check_bias("conv2d", bias_.get().size());
  }

  /// Without a bias.
  template <expression_of_rank<4> W>
  explicit conv2d(W&& weight, const conv2d_options& options = {})
      : conv2d(std::forward<W>(weight), tensor<T, 1>::from_shape({0}), options) {}

  const tensor4<T>& weight() const { return weight_.get(); }
  const tensor<T, 1>& bias() const { return bias_.get(); }  // of size 0 where there is none
  const detail::shared_tensor<T, 4>& shared_weight() const { return weight_; }
  const conv2d_options& options() const { return options_; }

  template <expression_of_rank<4> X>
  tensor4<T> operator()(const X& x) const {
    tensor4<T> y;
    forward(contiguous<T, 4>(x), y);
    return y;
  }

  void forward(const tensor4<T>& x, tensor4<T>& y) const { convolve(x, options_, y, false, detail::convolved::maps); }
  void forward_rectified(const tensor4<T>& x, tensor4<T>& y) const { convolve(x, options_, y, true, detail::convolved::maps); }

  std::size_t part_channels() const { return weight().shape(0); }

  /// One image, into channels [part.first, part.first + OC) of `whole`, which becomes 1 x part.channels x OH x OW. Returns the
  /// shape of the result.
  shape4 forward_part(const tensor4<T>& x, tensor4<T>& whole, const detail::channel_part& part, bool rectify) const {
    const shape4 in = shape_of(x), out = output_shape(in);
    resize(whole, {1, part.channels, out[2], out[3]});
    detail::convolve_kept(geometry().problem(in, out), x.data(), weight_, bias().size() ? bias().data() : nullptr,
                          whole.data() + part.first * out[2] * out[3], rectify);
    return out;
  }

  /// Many small pieces of maps at once, which hold their padding.
  void forward_pieces(const tensor4<T>& pieces, tensor4<T>& y) const {
    convolve(pieces, {options_.stride, {}, options_.dilation, options_.groups}, y, false, detail::convolved::pieces);
  }

  tensor4<T> reverse(const tensor4<T>& signal, const reverse_context<T>& at) const {
    return detail::conv2d_adjoint_kept(signal, weight_, options_, at.input_shape(), "conv2d");
  }

  /// The derivatives by weight and, where there is one, bias.
  void parameter_gradients(const tensor4<T>& x, const tensor4<T>& signal, std::span<const std::span<T>> into) const {
    kernels::convolution_weight_gradient(geometry().problem(shape_of(x), shape_of(signal)), x.data(), signal.data(),
                                         into[0].data(), into.size() > 1 ? into[1].data() : nullptr);
  }

  shape4 output_shape(const shape4& in) const { return geometry().output_shape("conv2d", in); }
  deconvnet::reach reach() const { return {geometry().kernel(), options_.stride, options_.padding, options_.dilation}; }

  std::size_t multiply_adds(const shape4&, const shape4& out) const {
    return out[0] * out[2] * out[3] * weight().size();
  }

  template <class Self, class Visitor>
  static void visit_parameters(Self& self, Visitor&& visit) {
    visit("weight", self.weight_);
    if (self.bias_.get().size()) visit("bias", self.bias_);
  }

 private:
  detail::conv2d_geometry geometry() const { return {shape_of(weight()), options_}; }

  void convolve(const tensor4<T>& x, const conv2d_options& options, tensor4<T>& y, bool rectify, detail::convolved what) const {
    const detail::conv2d_geometry shapes{shape_of(weight()), options};
    const shape4 in = shape_of(x), out = shapes.output_shape("conv2d", in);
    resize(y, out);
    detail::convolve_kept(shapes.problem(in, out), x.data(), weight_, bias().size() ? bias().data() : nullptr, y.data(), rectify, what);
  }

  detail::shared_tensor<T, 4> weight_;
  detail::shared_tensor<T, 1> bias_;
  conv2d_options options_;
};

}  // namespace deconvnet
