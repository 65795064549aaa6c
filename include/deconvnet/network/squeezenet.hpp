// SqueezeNet 1.1: AlexNet's accuracy in 5 MB, by fire modules.
#pragma once

#include <string>

#include <deconvnet/network/stack.hpp>
#include <deconvnet/ops/avg_pool2d.hpp>
#include <deconvnet/ops/concat.hpp>

namespace deconvnet {

/// SqueezeNet 1.1, weights zero, ending in logits (N x classes x 1 x 1): conv1 relu1 pool1 fire2 ... fire9 drop9 conv10
/// relu10 pool10. Fire module k is fire<k>/squeeze1x1, /relu_squeeze1x1, /expand1x1, /relu_expand1x1, /expand3x3,
/// /relu_expand3x3, /concat. Throws shape_error for an input the layers do not fit into.
template <scalar T>
network<T> squeezenet1_1(const model_options& options = {}) {
  const max_pool2d_options pool{.kernel = 3, .stride = 2, .padding = 0, .dilation = 1, .ceil_mode = true};
  detail::layer_stack<T> stack(options.input);
  const auto fire = [&](int number, std::size_t squeezed, std::size_t expanded) {
    const std::string name = "fire" + std::to_string(number) + "/";
    const auto branch = [&](const std::string& layer, std::size_t kernel, std::size_t padding) {
      const std::size_t channels = squeezed;
      auto& net = stack.net();
      auto bias = tensor<T, 1>::from_shape({expanded});
      bias.fill(T(0));
      net.add(name + layer, conv2d<T>(zeros<T>({expanded, channels, kernel, kernel}), bias, {.padding = padding}),
              {name + "relu_squeeze1x1"});
      net.add(name + "relu_" + layer, relu{});
    };
    stack.conv_named(name + "squeeze1x1", name + "relu_squeeze1x1", squeezed, 1, {});
    branch("expand1x1", 1, 0);
    branch("expand3x3", 3, 1);
    stack.net().add(name + "concat", concat{}, {name + "relu_expand1x1", name + "relu_expand3x3"});
  };
  stack.conv("1", 64, 3, {.stride = 2});
  stack.pool("1", pool);
  fire(2, 16, 64);
  fire(3, 16, 64);
  stack.pool("3", pool);
  fire(4, 32, 128);
  fire(5, 32, 128);
  stack.pool("5", pool);
  fire(6, 48, 192);
  fire(7, 48, 192);
  fire(8, 64, 256);
  fire(9, 64, 256);
  stack.net().add("drop9", dropout{0.5});
  stack.conv("10", options.classes, 1, {});
  stack.net().add("pool10", global_avg_pool2d{});
  return stack.take();
}

}  // namespace deconvnet
