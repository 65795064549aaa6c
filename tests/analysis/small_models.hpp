// What the tests of analyses run on: operators as a user would write them, and small networks and pipelines made of them.
#pragma once

#include <cstddef>
#include <string_view>
#include <utility>

#include <deconvnet/network/network.hpp>
#include <deconvnet/network/pipeline.hpp>
#include <deconvnet/ops/conv2d.hpp>
#include <deconvnet/ops/identity.hpp>
#include <deconvnet/ops/linear.hpp>
#include <deconvnet/ops/max_pool2d.hpp>
#include <deconvnet/ops/relu.hpp>
#include <deconvnet/ops/scale_shift.hpp>

#include "../tensor/values.hpp"

namespace deconvnet::testing {

/// A user's operator with all it can declare: each place minus half of the place below it, zero past the map.
struct falling_edge {
  static constexpr std::string_view kind = "falling_edge";
  static constexpr reverse_needs needs{};

  template <scalar T>
  void forward(const tensor4<T>& x, tensor4<T>& y) const {
    y = x;
    for (std::size_t n = 0; n < x.shape(0); ++n)
      for (std::size_t c = 0; c < x.shape(1); ++c)
        for (std::size_t i = 0; i + 1 < x.shape(2); ++i)
          for (std::size_t j = 0; j < x.shape(3); ++j) y(n, c, i, j) -= x(n, c, i + 1, j) / 2;
  }

  template <scalar T>
  tensor4<T> reverse(const tensor4<T>& signal, const reverse_context<T>&) const {
    tensor4<T> result = signal;
    for (std::size_t n = 0; n < signal.shape(0); ++n)
      for (std::size_t c = 0; c < signal.shape(1); ++c)
        for (std::size_t i = 0; i + 1 < signal.shape(2); ++i)
          for (std::size_t j = 0; j < signal.shape(3); ++j) result(n, c, i + 1, j) -= signal(n, c, i, j) / 2;
    return result;
  }

  shape4 output_shape(const shape4& in) const { return in; }
  deconvnet::reach reach() const { return {.kernel = {2, 1}, .stride = 1, .padding = {0, 0, 1, 0}}; }
};

/// A user's operator that declares nothing: each map minus its mean.
struct centred {
  template <scalar T>
  void forward(const tensor4<T>& x, tensor4<T>& y) const {
    y = x;
    const std::size_t plane = x.shape(2) * x.shape(3);
    for (std::size_t map = 0; map < x.shape(0) * x.shape(1); ++map) {
      T sum = 0;
      for (std::size_t k = 0; k < plane; ++k) sum += x.data()[map * plane + k];
      for (std::size_t k = 0; k < plane; ++k) y.data()[map * plane + k] -= sum / static_cast<T>(plane);
    }
  }
};

/// A user's operator that declares a reach but adds up the places of its map, which a crop does not know.
struct positional {
  template <scalar T>
  void forward(const tensor4<T>& x, tensor4<T>& y) const {
    y = x;
    for (std::size_t k = 0; k < x.size(); ++k) y.data()[k] += static_cast<T>(k % (x.shape(2) * x.shape(3))) / T(100);
  }
  deconvnet::reach reach() const { return {}; }
};

template <scalar T>
conv2d<T> random_conv(std::size_t out, std::size_t in, extent2d kernel, unsigned seed, const conv2d_options& options = {}) {
  return conv2d<T>(random_maps<T>({out, in / options.groups, kernel.height, kernel.width}, seed), random_vector<T>(out, seed + 1), options);
}

template <scalar T>
linear<T> random_linear(std::size_t out, std::size_t in, unsigned seed) {
  return linear<T>(random_matrix<T>(out, in, seed), random_vector<T>(out, seed + 1));
}

/// conv, relu, pool, a user's layer, conv for inputs of 3 channels: the same as small_pipeline.
template <scalar T, class User>
network<T> small_network(User user, const shape3& input = {0, 0, 0}) {
  network<T> net(input);
  net.add("conv1", random_conv<T>(6, 3, {3, 5}, 1, {.stride = {2, 1}, .padding = {1, 2}}));
  net.add("relu1", relu{});
  net.add("pool1", max_pool2d({.kernel = 3, .stride = 2, .padding = {0, 1}, .dilation = 1, .ceil_mode = true}));
  net.add("user", std::move(user));
  net.add("conv2", random_conv<T>(4, 6, 3, 3, {.padding = 1}));
  return net;
}

template <scalar T, class User>
auto small_pipeline(User user) {
  return pipeline(random_conv<T>(6, 3, {3, 5}, 1, {.stride = {2, 1}, .padding = {1, 2}}), relu{},
                  max_pool2d({.kernel = 3, .stride = 2, .padding = {0, 1}, .dilation = 1, .ceil_mode = true}), std::move(user),
                  random_conv<T>(4, 6, 3, 3, {.padding = 1}));
}

}  // namespace deconvnet::testing
