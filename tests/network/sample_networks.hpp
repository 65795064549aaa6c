// Small networks that tests of networks and projections share: every kind of layer on a few pixels.
#pragma once

#include <cstddef>
#include <utility>

#include <deconvnet/network/network.hpp>
#include <deconvnet/ops/add.hpp>
#include <deconvnet/ops/avg_pool2d.hpp>
#include <deconvnet/ops/batch_norm.hpp>
#include <deconvnet/ops/concat.hpp>
#include <deconvnet/ops/conv2d.hpp>
#include <deconvnet/ops/dropout.hpp>
#include <deconvnet/ops/linear.hpp>
#include <deconvnet/ops/local_response_norm.hpp>
#include <deconvnet/ops/max_pool2d.hpp>
#include <deconvnet/ops/relu.hpp>
#include <deconvnet/ops/softmax.hpp>

#include "../tensor/values.hpp"

namespace deconvnet::testing {

template <class T>
conv2d<T> random_conv(const shape4& weight, const conv2d_options& options, unsigned seed) {
  return conv2d<T>(random_maps<T>(weight, seed), random_vector<T>(weight[0], seed + 1), options);
}

template <class T>
linear<T> random_linear(std::size_t outputs, std::size_t inputs, unsigned seed) {
  return linear<T>(random_matrix<T>(outputs, inputs, seed), random_vector<T>(outputs, seed + 1));
}

template <class T>
batch_norm<T> random_batch_norm(std::size_t channels, unsigned seed) {
  auto variance = random_vector<T>(channels, seed + 3);
  for (T& value : variance) value = value * value + T(0.5);
  return batch_norm<T>(random_vector<T>(channels, seed), random_vector<T>(channels, seed + 1),
                       random_vector<T>(channels, seed + 2), variance);
}

/// A network of one layer.
template <class T, class Op>
network<T> network_of(Op op, const shape3& input = {0, 0, 0}) {
  network<T> net(input);
  net.add("layer", std::move(op));
  return net;
}

inline constexpr shape3 branched_input{2, 9, 12};

/// Every kind of layer: contrast norm, a pool in ceil mode, groups, dilation, batch norm, concat, a sum, dropout, fully
/// connected layers, softmax. pool1 is read by conv2 and the sum, relu2 by two branches. Input: 2 x 9 x 12.
template <class T>
network<T> branched_network(unsigned seed = 1) {
  network<T> net(branched_input);
  net.add("conv1", random_conv<T>({4, 2, 3, 2}, {.padding = {1, 0, 0, 1}}, seed));
  net.add("relu1", relu{});
  net.add("norm1", local_response_norm({.size = 3, .alpha = 0.5, .beta = 0.75, .bias = 1}));
  net.add("pool1", max_pool2d{{.kernel = 3, .stride = 2, .padding = 0, .dilation = 1, .ceil_mode = true}});
  net.add("conv2", random_conv<T>({6, 2, 3, 3}, {.padding = 2, .dilation = 2, .groups = 2}, seed + 10));
  net.add("bn2", random_batch_norm<T>(6, seed + 20));
  net.add("relu2", relu{});
  net.add("conv3a", random_conv<T>({2, 6, 1, 1}, {}, seed + 30));
  net.add("relu3a", relu{});
  net.add("conv3b", random_conv<T>({2, 6, 3, 3}, {.padding = 1}, seed + 40), {"relu2"});
  net.add("relu3b", relu{});
  net.add("concat3", concat{}, {"relu3a", "relu3b"});
  net.add("sum4", add{}, {"concat3", "pool1"});
  net.add("relu4", relu{});
  net.add("avg5", avg_pool2d{{.kernel = 2, .stride = 2}});
  net.add("drop5", dropout{0.5});
  net.add("fc6", random_linear<T>(5, 24, seed + 50));
  net.add("relu6", relu{});
  net.add("fc7", random_linear<T>(4, 5, seed + 60));
  net.add("prob", softmax{});
  return net;
}

template <class T>
tensor4<T> branched_batch(std::size_t images = 1, unsigned seed = 7) {
  return random_maps<T>({images, branched_input[0], branched_input[1], branched_input[2]}, seed);
}

}  // namespace deconvnet::testing
