// The operator that changes nothing.
#pragma once

#include <algorithm>
#include <string_view>

#include <deconvnet/ops/reverse_context.hpp>
#include <deconvnet/ops/window.hpp>

namespace deconvnet {

/// y = x, for tensors of any rank (4 where it is known at run time only).
struct identity {
  static constexpr std::string_view kind = "identity";
  static constexpr reverse_needs needs{};

  template <tensor_expression X>
  auto operator()(const X& x) const {
    constexpr std::size_t rank = detail::result_rank<X>;
    return tensor<scalar_of<X>, rank>(contiguous<scalar_of<X>, rank>(x));
  }

  template <scalar T>
  void forward(const tensor4<T>& x, tensor4<T>& y) const {
    resize(y, shape_of(x));
    std::copy(x.data(), x.data() + x.size(), y.data());
  }

  template <scalar T>
  void forward_in_place(tensor4<T>&) const {}

  template <scalar T>
  tensor4<T> reverse(const tensor4<T>& signal, const reverse_context<T>&) const {
    return signal;
  }

  shape4 output_shape(const shape4& in) const { return in; }
  deconvnet::reach reach() const { return {}; }
};

}  // namespace deconvnet
