// Concatenation of feature maps; on the way down each branch takes its slice.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include <deconvnet/kernels/parallel_for.hpp>
#include <deconvnet/ops/input_shapes.hpp>
#include <deconvnet/ops/reverse_context.hpp>
#include <deconvnet/ops/window.hpp>

namespace deconvnet {

namespace detail {

inline shape4 concatenated_shape(std::span<const shape4> inputs) {
  if (inputs.empty()) throw shape_error("concat: no inputs");
  shape4 out = inputs[0];
  out[1] = 0;
  for (const shape4& in : inputs) {
    element_count(in, "concat: an input");
    if (in[0] != out[0] || in[2] != out[2] || in[3] != out[3]) {
      throw shape_error(text("concat: ", shape_text(inputs[0]), " and ", shape_text(in), " differ in more than channels"));
    }
    out[1] += in[1];
  }
  return out;
}

}  // namespace detail

namespace ops {

template <scalar T>
void concat_into(std::span<const tensor4<T>* const> inputs, tensor4<T>& y) {
  resize(y, detail::concatenated_shape(detail::input_shapes<T>(inputs)));
  for (std::size_t n = 0; n < y.shape(0); ++n) {
    T* to = image_span(y, n).data();
    for (const auto* input : inputs) {
      const auto from = image_span(*input, n);
      parallel_pieces(from.size(), [&](std::size_t first, std::size_t count) { std::copy_n(from.data() + first, count, to + first); });
      to += from.size();
    }
  }
}

/// The channels of the inputs, one after the other: N x C_k x H x W each, N x (sum of C_k) x H x W. Throws shape_error
/// where they differ in more than channels.
template <expression_of_rank<4> First, expression_of_rank<4>... Rest>
auto concat(const First& first, const Rest&... rest) {
  using T = scalar_of<First>;
  const auto joined = [](const auto&... inputs) {
    const tensor4<T>* const list[] = {&inputs...};
    tensor4<T> y;
    concat_into<T>(list, y);
    return y;
  };
  return joined(contiguous<T, 4>(first), contiguous<T, 4>(rest)...);
}

}  // namespace ops

/// ops::concat as a layer of several inputs.
struct concat {
  static constexpr std::string_view kind = "concat";
  static constexpr reverse_needs needs{};

  template <expression_of_rank<4>... X>
  auto operator()(const X&... inputs) const {
    return ops::concat(inputs...);
  }

  template <scalar T>
  void forward(std::span<const tensor4<T>* const> inputs, tensor4<T>& y) const {
    ops::concat_into<T>(inputs, y);
  }

  template <scalar T>
  std::vector<tensor4<T>> reverse(const tensor4<T>& signal, const reverse_context<T>& at) const {
    if (shape_of(signal) != output_shape(at.input_shapes)) {
      throw shape_error(detail::text("concat: a signal of ", shape_text(signal.shape()), " for inputs that make ",
                                     shape_text(output_shape(at.input_shapes))));
    }
    std::vector<tensor4<T>> slices;
    for (const shape4& shape : at.input_shapes) slices.push_back(uninitialized<T>(shape));
    for (std::size_t m = 0; m < signal.shape(0); ++m) {
      auto from = image_span(signal, m).begin();
      for (auto& slice : slices) {
        const auto to = image_span(slice, m);
        std::copy_n(from, to.size(), to.begin());
        from += static_cast<std::ptrdiff_t>(to.size());
      }
    }
    return slices;
  }

  shape4 output_shape(std::span<const shape4> inputs) const { return detail::concatenated_shape(inputs); }
  deconvnet::reach reach() const { return {}; }
};

}  // namespace deconvnet
