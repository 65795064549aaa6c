// ZFNet scaled to small pictures: the networks that ship with the library.
#pragma once

#include <array>
#include <cstddef>
#include <string>

#include <deconvnet/network/stack.hpp>
#include <deconvnet/ops/local_response_norm.hpp>
#include <deconvnet/ops/scale_shift.hpp>

namespace deconvnet {

/// What evens out the activations: nothing; contrast normalization after pools 1 and 2, as in the paper; batch
/// normalization after every convolution, which the paper could not know and which learns in fewer epochs.
enum class activation_norm { none, contrast, batch };

/// `.filters`: of conv1 to conv5. `.kernel`: of conv1, odd; the others are 3 x 3. `.units`: of the fully connected layer
/// fc6, `.dropout`: after it. `.mean`: what a first layer subtracts, see subtract_mean; empty: there is no such layer.
struct scaled_zfnet_options {
  std::size_t classes = 10;
  shape3 input{3, 32, 32};
  std::array<std::size_t, 5> filters{32, 64, 96, 96, 64};
  std::size_t kernel = 5;
  std::size_t units = 128;
  double dropout = 0.5;
  activation_norm norm = activation_norm::contrast;
  tensor<double, 3> mean = tensor<double, 3>::from_shape({0, 0, 0});
};

/// ZFNet's plan (conv1 pool1 conv2 pool2 conv3 conv4 conv5 pool5 fc6 fc7, a ReLU after each convolution and after fc6) for
/// pictures of 20 to 100 pixels: convolutions keep the size of their maps, stride 1, and the three pools of 3 x 3 halve
/// it, in ceil mode. Layers: [mean] conv<k> [bn<k>] relu<k>, pool1 [norm1], pool2 [norm2], pool5, fc6 relu6 drop6 fc7; weights
/// zero, ending in logits. Contrast normalization has the constants of dn::zfnet. Throws error for an even kernel, shape_error
/// for an input the layers do not fit into.
template <scalar T>
network<T> scaled_zfnet(const scaled_zfnet_options& options = {}) {
  if (options.kernel % 2 == 0) throw error(detail::text("scaled_zfnet: a kernel of ", options.kernel, " has no middle"));
  detail::layer_stack<T> stack(options.input);
  if (options.mean.size() != 0) stack.net().add("mean", subtract_mean<T>(options.mean));
  for (std::size_t k = 0; k < options.filters.size(); ++k) {
    const std::string suffix = std::to_string(k + 1);
    const std::size_t kernel = k == 0 ? options.kernel : 3;
    const conv2d_options same{.padding = kernel / 2};
    if (options.norm == activation_norm::batch) {
      stack.conv_batch_norm(suffix, options.filters[k], kernel, same);
    } else {
      stack.conv(suffix, options.filters[k], kernel, same);
    }
    if (k == 2 || k == 3) continue;
    stack.pool(suffix, {.kernel = 3, .stride = 2, .padding = 0, .dilation = 1, .ceil_mode = true});
    if (options.norm == activation_norm::contrast && k < 2) {
      stack.net().add("norm" + suffix, local_response_norm({.size = 5, .alpha = 5e-4, .beta = 0.75, .bias = 2}));
    }
  }
  stack.fully_connected("6", options.units);
  stack.net().add("relu6", relu{});
  stack.net().add("drop6", dropout{options.dropout});
  stack.fully_connected("7", options.classes);
  return stack.take();
}

}  // namespace deconvnet
