// AlexNet: the network the paper looks into first and repairs.
#pragma once

#include <deconvnet/network/stack.hpp>
#include <deconvnet/ops/local_response_norm.hpp>

namespace deconvnet {

/// `paper`: 96 256 384 384 256 filters, layers 2, 4, 5 in groups of two, local response normalization before pools 1, 2.
/// `torchvision`: 64 192 384 256 256 filters, no groups, no normalization; the weights PyTorch ships fit it.
enum class alexnet_variant { paper, torchvision };

struct alexnet_options {
  std::size_t classes = 1000;
  shape3 input{3, 224, 224};
  alexnet_variant variant = alexnet_variant::paper;
};

/// AlexNet, weights zero, ending in logits: conv1 relu1 norm1 pool1 conv2 relu2 norm2 pool2 conv3 relu3 conv4 relu4 conv5
/// relu5 pool5 fc6 relu6 drop6 fc7 relu7 drop7 fc8 (no norms in the torchvision variant). Padding 2 on conv1 gives the 55 x
/// 55 maps that its paper states from 224 x 224. 1e-4 per squared activation is alpha 5e-4 where the sum is divided by n.
/// Throws shape_error for an input the layers do not fit into.
template <scalar T>
network<T> alexnet(const alexnet_options& options = {}) {
  const bool paper = options.variant == alexnet_variant::paper;
  const std::size_t groups = paper ? 2 : 1;
  const max_pool2d_options pool{.kernel = 3, .stride = 2};
  detail::layer_stack<T> stack(options.input);
  const auto norm = [&](const char* name) {
    if (paper) stack.net().add(name, local_response_norm({.size = 5, .alpha = 5e-4, .beta = 0.75, .bias = 2}));
  };
  stack.conv("1", paper ? 96 : 64, 11, {.stride = 4, .padding = 2});
  norm("norm1");
  stack.pool("1", pool);
  stack.conv("2", paper ? 256 : 192, 5, {.padding = 2, .groups = groups});
  norm("norm2");
  stack.pool("2", pool);
  stack.conv("3", 384, 3, {.padding = 1});
  stack.conv("4", paper ? 384 : 256, 3, {.padding = 1, .groups = groups});
  stack.conv("5", 256, 3, {.padding = 1, .groups = groups});
  stack.pool("5", pool);
  stack.classifier(options.classes);
  return stack.take();
}

}  // namespace deconvnet
