// The shapes of a list of inputs.
#pragma once

#include <cstddef>
#include <span>

#include <deconvnet/kernels/workspace.hpp>
#include <deconvnet/tensor/tensor.hpp>

namespace deconvnet::detail {

/// In scratch memory of this thread: good until it is asked again.
template <scalar T>
std::span<const shape4> input_shapes(std::span<const tensor4<T>* const> inputs) {
  shape4* shapes = kernels::workspace<struct shapes_of_inputs, shape4>(inputs.size());
  for (std::size_t k = 0; k < inputs.size(); ++k) shapes[k] = shape_of(*inputs[k]);
  return {shapes, inputs.size()};
}

}  // namespace deconvnet::detail
