// A small network with something of everything that training treats in its own way, and its weights as one list.
#pragma once

#include <vector>

#include <deconvnet/network/network.hpp>
#include <deconvnet/training/initialization.hpp>
#include <deconvnet/training/training_state.hpp>

#include "../network/sample_networks.hpp"

namespace deconvnet::testing {

/// A constant layer, convolution, batch norm, pool, dropout, two classes. Input: 1 x 8 x 8.
template <class T>
network<T> small_classifier(std::uint64_t seed = 1) {
  network<T> net({1, 8, 8});
  net.add("mean", scale_shift<T>{tensor<T, 3>({1, 1, 1}, T(2)), tensor<T, 3>({1, 1, 1}, T(-0.5))});
  net.add("conv1", random_conv<T>({4, 1, 3, 3}, {.padding = 1}, 1));
  net.add("bn1", random_batch_norm<T>(4, 2));
  net.add("relu1", relu{});
  net.add("pool1", max_pool2d{{.kernel = 2, .stride = 2}});
  net.add("drop1", dropout{0.1});
  net.add("fc2", random_linear<T>(2, 64, 3));
  initialize(net, seed, initialization::he);
  return net;
}

/// Every number that a state holds in tensors: weights, momentum buffers, best weights.
template <class Holder>
auto numbers_of(const Holder& holder) {
  std::vector<typename Holder::value_type> all;
  for (const auto& p : holder.parameters()) all.insert(all.end(), p.values.begin(), p.values.end());
  return all;
}

/// The rows without their times.
inline std::vector<double> figures_of(const std::vector<training_row>& history) {
  std::vector<double> all;
  for (const auto& row : history) {
    all.insert(all.end(), {static_cast<double>(row.epoch), row.learning_rate, row.loss, row.accuracy,
                           row.validation_loss.value_or(-1), row.validation_accuracy.value_or(-1)});
  }
  return all;
}

}  // namespace deconvnet::testing
