// Multiplication by and addition of constants that broadcast over the batch: what normalization comes to in inference.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

#include <deconvnet/kernels/parallel_for.hpp>
#include <deconvnet/ops/reverse_context.hpp>
#include <deconvnet/ops/window.hpp>
#include <deconvnet/tensor/shared_tensor.hpp>

namespace deconvnet {

namespace detail {

/// Strides that read a constant of shape C|1 x H|1 x W|1 as if it were C x H x W. An empty constant is `none`.
template <class T>
struct broadcast_constant {
  const T* values;
  std::array<std::size_t, 3> strides;

  const T* row(std::size_t c, std::size_t y) const { return values + c * strides[0] + y * strides[1]; }
};

template <class T>
broadcast_constant<T> broadcast(const char* who, const tensor<T, 3>& constant, const shape4& in) {
  broadcast_constant<T> result{constant.data(), {}};
  std::size_t stride = 1;
  for (std::size_t axis = 3; axis-- > 0;) {
    const std::size_t extent = constant.shape(axis);
    if (extent != 1 && extent != in[axis + 1]) {
      throw shape_error(text(who, ": a constant of ", shape_text(constant.shape()), " does not spread over ", shape_text(in)));
    }
    result.strides[axis] = extent == 1 ? 0 : stride;
    stride *= extent;
  }
  return result;
}

}  // namespace detail

namespace ops {

/// y[n, c, i, j] = scale[c, i, j] x[n, c, i, j] + shift[c, i, j]. x, y: N x C x H x W; scale, shift: C|1 x H|1 x W|1.
/// `shift` null: none, as on the way down. Throws shape_error where they do not spread over x.
template <scalar T>
void scale_shift_into(const tensor4<T>& x, const tensor<T, 3>& scale, const tensor<T, 3>* shift, tensor4<T>& y) {
  const shape4 in = shape_of(x);
  const auto factor = detail::broadcast("scale_shift", scale, in);
  const auto offset = shift ? detail::broadcast("scale_shift", *shift, in) : detail::broadcast_constant<T>{nullptr, {}};
  resize(y, in);
  parallel_for(in[0] * in[1], [&](std::size_t map) {
    for (std::size_t i = 0; i < in[2]; ++i) {
      const T* from = x.data() + (map * in[2] + i) * in[3];
      T* to = y.data() + (map * in[2] + i) * in[3];
      const T* a = factor.row(map % in[1], i);
      for (std::size_t j = 0; j < in[3]; ++j) to[j] = a[j * factor.strides[2]] * from[j];
      if (!offset.values) continue;
      const T* b = offset.row(map % in[1], i);
      for (std::size_t j = 0; j < in[3]; ++j) to[j] += b[j * offset.strides[2]];
    }
  });
}

template <expression_of_rank<4> X, expression_of_rank<3> A, expression_of_rank<3> B>
auto scale_shift(const X& x, const A& scale, const B& shift) {
  using T = scalar_of<X>;
  tensor4<T> y;
  const tensor<T, 3> offset = contiguous<T, 3>(shift);
  scale_shift_into<T>(contiguous<T, 4>(x), contiguous<T, 3>(scale), &offset, y);
  return y;
}

}  // namespace ops

/// ops::scale_shift as a layer: Mul and Add by constants. On the way down it multiplies by the scale.
template <scalar T>
class scale_shift {
 public:
  static constexpr std::string_view kind = "scale_shift";
  static constexpr reverse_needs needs{};
  using value_type = T;

  /// scale, shift: C|1 x H|1 x W|1 each.
  template <expression_of_rank<3> A, expression_of_rank<3> B>
  scale_shift(const A& scale, const B& shift)
      : scale_(owned<T, 3>(scale)), shift_(owned<T, 3>(shift)) {}

  const tensor<T, 3>& scale() const { return scale_.get(); }
  const tensor<T, 3>& shift() const { return shift_.get(); }

  template <expression_of_rank<4> X>
  tensor4<T> operator()(const X& x) const {
    tensor4<T> y;
    forward(contiguous<T, 4>(x), y);
    return y;
  }

  void forward(const tensor4<T>& x, tensor4<T>& y) const { ops::scale_shift_into(x, scale(), &shift(), y); }
  void forward_in_place(tensor4<T>& x) const { forward(x, x); }

  tensor4<T> reverse(const tensor4<T>& signal, const reverse_context<T>&) const {
    tensor4<T> result;
    ops::scale_shift_into<T>(signal, scale(), nullptr, result);
    return result;
  }

  shape4 output_shape(const shape4& in) const {
    detail::broadcast("scale_shift", scale(), in);
    detail::broadcast("scale_shift", shift(), in);
    return in;
  }

  deconvnet::reach reach() const { return {}; }
  std::size_t multiply_adds(const shape4&, const shape4& out) const { return out[0] * out[1] * out[2] * out[3]; }

  template <class Self, class Visitor>
  static void visit_parameters(Self& self, Visitor&& visit) {
    visit("scale", self.scale_);
    visit("shift", self.shift_);
  }

 private:
  detail::shared_tensor<T, 3> scale_;
  detail::shared_tensor<T, 3> shift_;
};

/// The layer x - mean, to stand first in a network: `net.add("mean", dn::subtract_mean<float>(mean))`. The mean is saved
/// with the weights, and every program that opens the network subtracts it; training leaves it as it is.
template <scalar T>
scale_shift<T> subtract_mean(const tensor<double, 3>& mean) {
  auto shift = tensor<T, 3>::from_shape(mean.shape());
  std::transform(mean.begin(), mean.end(), shift.begin(), [](double value) { return static_cast<T>(-value); });
  auto one = tensor<T, 3>::from_shape({1, 1, 1});
  one.fill(T(1));
  return {one, shift};
}

}  // namespace deconvnet
