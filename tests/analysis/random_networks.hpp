// Random networks of every operator, for tests that compare two ways of evaluating one.
#pragma once

#include <cstddef>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <deconvnet/ops/add.hpp>
#include <deconvnet/ops/avg_pool2d.hpp>
#include <deconvnet/ops/batch_norm.hpp>
#include <deconvnet/ops/concat.hpp>
#include <deconvnet/ops/conv_transpose2d.hpp>
#include <deconvnet/ops/dropout.hpp>
#include <deconvnet/ops/local_response_norm.hpp>
#include <deconvnet/ops/reshape.hpp>
#include <deconvnet/ops/softmax.hpp>

#include "small_models.hpp"

namespace deconvnet::testing {

/// Grows a network layer by layer from a seed; what does not fit the maps is left out.
template <scalar T>
class random_network {
 public:
  random_network(unsigned seed, const shape3& input) : engine_(seed), net_(input) {
    const std::size_t layers = 3 + pick(5);
    for (std::size_t k = 0; k < layers; ++k) grow();
    finish();
  }

  const network<T>& net() const { return net_; }

 private:
  std::size_t pick(std::size_t below) { return engine_() % below; }
  unsigned seed() { return static_cast<unsigned>(engine_()); }
  std::string name(const char* kind) { return kind + std::to_string(net_.size()); }
  shape4 shape() const { return net_.value_shape(net_.size()); }
  std::string top() const { return net_.size() ? net_.name(net_.size() - 1) : net_.input_name(); }

  /// Adds a layer if it fits.
  template <class Op>
  void try_add(const char* kind, Op op) {
    try {
      net_.add(name(kind), std::move(op));
    } catch (const shape_error&) {
    }
  }

  conv2d<T> conv(std::size_t in, std::size_t out) {
    const std::size_t groups = in % 2 == 0 && out % 2 == 0 && pick(3) == 0 ? 2 : 1;
    return random_conv<T>(out, in, {1 + pick(4), 1 + pick(4)}, seed(),
                          {.stride = {1 + pick(2), 1 + pick(3)},
                           .padding = {pick(3), pick(3), pick(3), pick(3)},
                           .dilation = {1 + pick(2), 1 + pick(2)},
                           .groups = groups});
  }

  void grow() {
    const std::size_t channels = shape()[1];
    switch (pick(13)) {
      case 0:
      case 1:
      case 2: return try_add("conv", conv(channels, 2 + pick(6)));
      case 3: return try_add("relu", relu{});
      case 4: {
        const extent2d kernel{1 + pick(3), 1 + pick(3)};
        return try_add("max", max_pool2d({.kernel = kernel,
                                          .stride = {1 + pick(2), 1 + pick(3)},
                                          .padding = {pick(kernel.height), pick(kernel.width)},
                                          .dilation = {1 + pick(2), 1},
                                          .ceil_mode = pick(2) == 0}));
      }
      case 5: {
        const extent2d kernel{1 + pick(3), 1 + pick(3)};
        return try_add("avg", avg_pool2d({.kernel = kernel,
                                          .stride = {1 + pick(2), 1 + pick(3)},
                                          .padding = {pick(kernel.height), pick(kernel.width)},
                                          .dilation = 1,
                                          .ceil_mode = pick(2) == 0,
                                          .count_include_pad = pick(2) == 0}));
      }
      case 6: return try_add("norm", local_response_norm({.size = 1 + pick(4), .alpha = 0.3, .beta = 0.75, .bias = 2}));
      case 7: return normalize(channels);
      case 8: return branch();
      case 9: return try_add("edge", falling_edge{});
      case 10: return constant(channels);
      case 11: return pick(3) == 0 ? try_add("centred", centred{}) : try_add("drop", dropout{});
      default: return pick(3) == 0 ? try_add("positional", positional{}) : widen(channels);
    }
  }

  void normalize(std::size_t channels) {
    auto variance = random_vector<T>(channels, seed());
    for (std::size_t c = 0; c < channels; ++c) variance(c) = 1 + variance(c) * variance(c);
    try_add("batchnorm", batch_norm<T>(random_vector<T>(channels, seed()), random_vector<T>(channels, seed()),
                                       random_vector<T>(channels, seed()), variance));
  }

  /// A constant per channel or a whole picture of constants.
  void constant(std::size_t channels) {
    const bool picture = pick(2) == 0;
    auto scale = tensor<T, 3>::from_shape({channels, picture ? shape()[2] : 1, picture ? shape()[3] : 1});
    auto shift = scale;
    fill_random(scale.data(), scale.size(), seed());
    fill_random(shift.data(), shift.size(), seed());
    try_add("constant", scale_shift<T>(scale, shift));
  }

  void widen(std::size_t channels) {
    if (shape()[2] > 20) return;
    try_add("transposed", conv_transpose2d<T>(random_maps<T>({channels, 3, 3, 2}, seed()), {.stride = {2, 1}, .padding = {1, 0}}));
  }

  /// Two branches of the same maps and one that passes everything by, added up or put side by side.
  void branch() {
    const std::string below = top();
    const std::size_t channels = shape()[1];
    const std::size_t reach = pick(2);
    const auto arm = [&](std::size_t half) {
      const std::string arm_name = name("arm");
      net_.add(arm_name, random_conv<T>(channels, channels, 2 * half + 1, seed(), {.padding = half}), {below});
      return arm_name;
    };
    const std::string one = arm(reach);
    const std::string other = arm(1);
    if (pick(2) == 0) {
      net_.add(name("sum"), add{}, {one, other, below});
    } else {
      net_.add(name("concat"), concat{}, {other, below, one});
    }
  }

  void finish() {
    const shape4 in = shape();
    switch (pick(5)) {
      case 0: net_.add(name("global"), global_avg_pool2d{}); break;
      case 1: net_.add(name("flatten"), flatten{}); break;
      case 2: net_.add(name("softmax"), softmax{}); break;
      case 3: break;
      default:
        net_.add(name("fc"), random_linear<T>(7, in[1] * in[2] * in[3], seed()));
        net_.add(name("relu"), relu{});
        net_.add(name("fc"), random_linear<T>(5, 7, seed()));
    }
    if (net_.size() == 0) net_.add("relu0", relu{});
  }

  std::mt19937 engine_;
  network<T> net_;
};

}  // namespace deconvnet::testing
