// Sums of feature maps: residual connections; on the way down each branch takes a copy.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include <deconvnet/kernels/element.hpp>
#include <deconvnet/kernels/parallel_for.hpp>
#include <deconvnet/ops/input_shapes.hpp>
#include <deconvnet/ops/reverse_context.hpp>
#include <deconvnet/ops/window.hpp>

namespace deconvnet {

namespace detail {

inline shape4 summed_shape(std::span<const shape4> inputs) {
  if (inputs.empty()) throw shape_error("add: no inputs");
  for (const shape4& in : inputs) {
    if (in != inputs[0]) throw shape_error(text("add: ", shape_text(inputs[0]), " and ", shape_text(in), " differ"));
  }
  return inputs[0];
}

}  // namespace detail

namespace ops {

template <scalar T>
void add_into(std::span<const tensor4<T>* const> inputs, tensor4<T>& y) {
  resize(y, detail::summed_shape(detail::input_shapes<T>(inputs)));
  const auto& elements = kernels::current_element_kernels<T>();
  parallel_pieces(y.size(), [&](std::size_t first, std::size_t count) {
    std::copy_n(inputs[0]->data() + first, count, y.data() + first);
    for (const auto* input : inputs.subspan(1)) elements.add(input->data() + first, T(1), y.data() + first, count);
  });
}

/// The sum of the inputs, all N x C x H x W; none is broadcast. Throws shape_error where they differ.
template <expression_of_rank<4> First, expression_of_rank<4>... Rest>
auto add(const First& first, const Rest&... rest) {
  using T = scalar_of<First>;
  const auto summed = [](const auto&... inputs) {
    const tensor4<T>* const list[] = {&inputs...};
    tensor4<T> y;
    add_into<T>(list, y);
    return y;
  };
  return summed(contiguous<T, 4>(first), contiguous<T, 4>(rest)...);
}

}  // namespace ops

/// ops::add as a layer of several inputs.
struct add {
  static constexpr std::string_view kind = "add";
  static constexpr reverse_needs needs{};

  template <expression_of_rank<4>... X>
  auto operator()(const X&... inputs) const {
    return ops::add(inputs...);
  }

  template <scalar T>
  void forward(std::span<const tensor4<T>* const> inputs, tensor4<T>& y) const {
    ops::add_into<T>(inputs, y);
  }

  template <scalar T>
  std::vector<tensor4<T>> reverse(const tensor4<T>& signal, const reverse_context<T>& at) const {
    if (shape_of(signal) != output_shape(at.input_shapes)) {
      throw shape_error(detail::text("add: a signal of ", shape_text(signal.shape()), " for inputs of ",
                                     shape_text(output_shape(at.input_shapes))));
    }
    return std::vector<tensor4<T>>(at.input_shapes.size(), signal);
  }

  shape4 output_shape(std::span<const shape4> inputs) const { return detail::summed_shape(inputs); }
  deconvnet::reach reach() const { return {}; }
};

}  // namespace deconvnet
