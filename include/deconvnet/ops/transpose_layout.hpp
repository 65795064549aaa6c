// Channels last: the transposition some exporters put before a flatten.
#pragma once

#include <cstddef>
#include <string_view>

#include <deconvnet/ops/reverse_context.hpp>

namespace deconvnet {

namespace ops {

/// y[n, h, w, c] = x[n, c, h, w]: N x C x H x W to N x H x W x C. The order in which TensorFlow's networks flatten.
template <expression_of_rank<4> X>
auto transpose_layout(const X& x) {
  using T = scalar_of<X>;
  const auto& in = contiguous<T, 4>(x);
  const std::size_t channels = in.shape(1);
  const std::size_t plane = in.shape(2) * in.shape(3);
  auto y = uninitialized<T>({in.shape(0), in.shape(2), in.shape(3), channels});
  for (std::size_t k = 0; k < in.size(); ++k) {
    const std::size_t c = k / plane % channels;
    y.data()[(k / plane / channels * plane + k % plane) * channels + c] = in.data()[k];
  }
  return y;
}

/// The inverse: N x H x W x C to N x C x H x W.
template <expression_of_rank<4> Y>
auto restore_layout(const Y& y) {
  using T = scalar_of<Y>;
  const auto& in = contiguous<T, 4>(y);
  const std::size_t channels = in.shape(3);
  const std::size_t plane = in.shape(1) * in.shape(2);
  auto x = uninitialized<T>({in.shape(0), channels, in.shape(1), in.shape(2)});
  for (std::size_t k = 0; k < in.size(); ++k) {
    const std::size_t place = k / channels;
    x.data()[(place / plane * channels + k % channels) * plane + place % plane] = in.data()[k];
  }
  return x;
}

}  // namespace ops

/// ops::transpose_layout as a layer.
struct transpose_layout {
  static constexpr std::string_view kind = "transpose_layout";
  static constexpr reverse_needs needs{};

  template <expression_of_rank<4> X>
  auto operator()(const X& x) const {
    return ops::transpose_layout(x);
  }

  template <scalar T>
  tensor4<T> reverse(const tensor4<T>& signal, const reverse_context<T>&) const {
    return ops::restore_layout(signal);
  }

  shape4 output_shape(const shape4& in) const { return {in[0], in[2], in[3], in[1]}; }
};

}  // namespace deconvnet
