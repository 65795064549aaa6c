// VGG-16 and VGG-19: 3 x 3 convolutions, thirteen or sixteen deep.
#pragma once

#include <array>
#include <string>

#include <deconvnet/network/stack.hpp>

namespace deconvnet {

namespace detail {

/// Five blocks of 3 x 3 convolutions and a 2 x 2 pool, `depths[b]` convolutions in block b.
template <scalar T>
network<T> vgg(const std::array<std::size_t, 5>& depths, const model_options& options) {
  constexpr std::array<std::size_t, 5> filters{64, 128, 256, 512, 512};
  layer_stack<T> stack(options.input);
  for (std::size_t block = 0; block < depths.size(); ++block) {
    const std::string number = std::to_string(block + 1);
    for (std::size_t k = 1; k <= depths[block]; ++k) {
      stack.conv(number + "_" + std::to_string(k), filters[block], 3, {.padding = 1});
    }
    stack.pool(number, {.kernel = 2, .stride = 2});
  }
  stack.classifier(options.classes);
  return stack.take();
}

}  // namespace detail

/// VGG-16, weights zero, ending in logits: conv1_1 relu1_1 conv1_2 relu1_2 pool1 ... conv5_3 relu5_3 pool5 fc6 relu6 drop6
/// fc7 relu7 drop7 fc8. Throws shape_error for an input the layers do not fit into.
template <scalar T>
network<T> vgg16(const model_options& options = {}) {
  return detail::vgg<T>({2, 2, 3, 3, 3}, options);
}

/// VGG-19: as vgg16, with four convolutions in each of the last three blocks.
template <scalar T>
network<T> vgg19(const model_options& options = {}) {
  return detail::vgg<T>({2, 2, 4, 4, 4}, options);
}

}  // namespace deconvnet
