// Renormalization of filters: none may grow past a fixed RMS (the paper's section 3).
#pragma once

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <deconvnet/kernels/parallel_for.hpp>
#include <deconvnet/network/network.hpp>

namespace deconvnet {

/// `.radius`: the paper's 0.1. A filter that begins beyond it is scaled back at the first update: with He's initialization
/// that is every filter that sums over fewer than 200 inputs (sqrt(2 / 200) = 0.1), a first layer of 3 x 3 x 3 for one.
/// `.layers`: convolutions; none named: all of them.
struct filter_renormalization {
  double radius = 0.1;
  std::vector<layer> layers{};
};

namespace detail {

/// Scales each of `filters` equal parts of the weight whose RMS is over the radius back to it. Sums are double and in
/// order: the bits do not depend on the number of threads.
template <scalar T>
std::size_t renormalize(std::span<T> weight, std::size_t filters, double radius) {
  const std::size_t size = weight.size() / filters;
  std::atomic<std::size_t> scaled = 0;
  parallel_for(filters, [&](std::size_t f) {
    const auto filter = weight.subspan(f * size, size);
    double squares = 0;
    for (const T value : filter) squares += static_cast<double>(value) * static_cast<double>(value);
    const double rms = std::sqrt(squares / static_cast<double>(size));
    if (!(rms > radius * (1 + 1e-6))) return;  // what was scaled before may be over it by a rounding
    for (T& value : filter) value = static_cast<T>(static_cast<double>(value) * (radius / rms));
    ++scaled;
  });
  return scaled;
}

}  // namespace detail

/// Scales every filter (the weights one output map sums with) whose RMS is over the radius back to it, and returns how
/// many they were. Biases stay. Throws error for a layer that is no convolution, and a radius that is not positive.
template <scalar T>
std::size_t renormalize_filters(network<T>& net, const filter_renormalization& options = {}) {
  if (!(options.radius > 0)) throw error(detail::text("renormalize_filters: the radius is ", options.radius));
  std::vector<std::size_t> places;
  for (const layer& which : options.layers) {
    places.push_back(net.find(which));
    if (net.op(places.back()).kind() != "conv2d") {
      throw error(detail::text("renormalize_filters: layer '", net.name(places.back()), "' is no convolution but ",
                               net.op(places.back()).kind()));
    }
  }
  for (std::size_t i = 0; options.layers.empty() && i < net.size(); ++i) {
    if (net.op(i).kind() == "conv2d") places.push_back(i);
  }
  std::size_t scaled = 0;
  for (const std::size_t i : places) {
    const std::size_t filters = net.op(i).parameters()[0].shape[0];
    scaled += detail::renormalize(net.edit_parameter(net.name(i) + ".weight"), filters, options.radius);
  }
  return scaled;
}

}  // namespace deconvnet
