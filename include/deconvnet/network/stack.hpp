// How the bundled models are written down: layers on top of each other, channel counts carried along.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <utility>

#include <deconvnet/network/network.hpp>
#include <deconvnet/ops/batch_norm.hpp>
#include <deconvnet/ops/conv2d.hpp>
#include <deconvnet/ops/dropout.hpp>
#include <deconvnet/ops/linear.hpp>
#include <deconvnet/ops/max_pool2d.hpp>
#include <deconvnet/ops/relu.hpp>

namespace deconvnet {

/// What every bundled model can be asked for: the number of classes, and C x H x W of its input. Smaller inputs give
/// smaller maps; one too small for the pools is a shape_error that names the layer.
struct model_options {
  std::size_t classes = 1000;
  shape3 input{3, 224, 224};
};

namespace detail {

/// A network in the making, its weights zero: training/initialization.hpp or a file fills them.
template <scalar T>
class layer_stack {
 public:
  explicit layer_stack(const shape3& input) : net_(input) {
    for (const std::size_t extent : input) {
      if (extent == 0) throw shape_error(text("a model needs a fixed input, not ", shape_text(input)));
    }
  }

  const shape4& shape() const { return net_.value_shape(net_.size()); }

  /// A convolution and its ReLU: conv<suffix>, relu<suffix>.
  void conv(const std::string& suffix, std::size_t filters, std::size_t kernel, const conv2d_options& options) {
    conv_named("conv" + suffix, "relu" + suffix, filters, kernel, options);
  }

  void conv_named(const std::string& name, const std::string& relu_name, std::size_t filters, std::size_t kernel,
                  const conv2d_options& options) {
    const std::size_t channels = shape()[1] / options.groups;
    net_.add(name, conv2d<T>(zeros<T>({filters, channels, kernel, kernel}), blank_bias(filters), options));
    net_.add(relu_name, relu{});
  }

  /// A convolution without bias, batch normalization that is the identity, and ReLU: conv<suffix>, bn<suffix>,
  /// relu<suffix>.
  void conv_batch_norm(const std::string& suffix, std::size_t filters, std::size_t kernel, const conv2d_options& options) {
    net_.add("conv" + suffix, conv2d<T>(zeros<T>({filters, shape()[1] / options.groups, kernel, kernel}), options));
    const auto zero = blank_bias(filters);
    const tensor<T, 1> one = zero + T(1);
    net_.add("bn" + suffix, batch_norm<T>(one, zero, zero, one));
    net_.add("relu" + suffix, relu{});
  }

  void pool(const std::string& suffix, const max_pool2d_options& options) { net_.add("pool" + suffix, max_pool2d{options}); }

  void fully_connected(const std::string& suffix, std::size_t outputs) {
    const shape4 in = shape();
    element_count(shape4{outputs, in[1], in[2], in[3]}, "a fully connected layer's weight");
    auto weight = uninitialized_weights<T, 2>({outputs, in[1] * in[2] * in[3]});
    weight.fill(T(0));
    net_.add("fc" + suffix, linear<T>(std::move(weight), blank_bias(outputs)));
  }

  /// fc6 relu6 drop6 fc7 relu7 drop7 fc8: the end that AlexNet, ZFNet and VGG share.
  void classifier(std::size_t classes) {
    for (const char* number : {"6", "7"}) {
      fully_connected(number, 4096);
      net_.add(std::string("relu") + number, relu{});
      net_.add(std::string("drop") + number, dropout{0.5});
    }
    fully_connected("8", classes);
  }

  network<T>& net() { return net_; }
  network<T> take() { return std::move(net_); }

 private:
  static tensor<T, 1> blank_bias(std::size_t size) {
    element_count(std::array{size}, "a bias");
    auto bias = tensor<T, 1>::from_shape({size});
    bias.fill(T(0));
    return bias;
  }

  network<T> net_;
};

}  // namespace detail

}  // namespace deconvnet
