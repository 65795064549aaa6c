// ZFNet: the paper's own network (section 3 and figure 3).
#pragma once

#include <deconvnet/network/stack.hpp>
#include <deconvnet/ops/local_response_norm.hpp>

namespace deconvnet {

/// ZFNet, weights zero, ending in logits: conv1 relu1 pool1 norm1 conv2 relu2 pool2 norm2 conv3 relu3 conv4 relu4 conv5
/// relu5 pool5 fc6 relu6 drop6 fc7 relu7 drop7 fc8. At 224 x 224 the maps are 110, 55, 26, 13, 13, 13, 6, by padding 1 on
/// conv1 and pools in ceil mode. The constants of the contrast normalization are AlexNet's (not fixed by the paper): k 2,
/// n 5, beta 3/4, and 1e-4 per squared activation, which is alpha 5e-4 where the sum is divided by n.
/// Throws shape_error for an input the layers do not fit into.
template <scalar T>
network<T> zfnet(const model_options& options = {}) {
  const max_pool2d_options pool{.kernel = 3, .stride = 2, .padding = 0, .dilation = 1, .ceil_mode = true};
  const local_response_norm norm({.size = 5, .alpha = 5e-4, .beta = 0.75, .bias = 2});
  detail::layer_stack<T> stack(options.input);
  stack.conv("1", 96, 7, {.stride = 2, .padding = 1});
  stack.pool("1", pool);
  stack.net().add("norm1", norm);
  stack.conv("2", 256, 5, {.stride = 2});
  stack.pool("2", pool);
  stack.net().add("norm2", norm);
  stack.conv("3", 384, 3, {.padding = 1});
  stack.conv("4", 384, 3, {.padding = 1});
  stack.conv("5", 256, 3, {.padding = 1});
  stack.pool("5", pool);
  stack.classifier(options.classes);
  return stack.take();
}

}  // namespace deconvnet
