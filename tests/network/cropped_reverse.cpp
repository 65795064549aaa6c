#include <deconvnet/network/cropped_reverse.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include <deconvnet/network/projection.hpp>
#include <deconvnet/ops/add.hpp>
#include <deconvnet/ops/avg_pool2d.hpp>
#include <deconvnet/ops/concat.hpp>
#include <deconvnet/ops/local_response_norm.hpp>

#include "sample_networks.hpp"

namespace dn = deconvnet;
using namespace deconvnet::testing;

namespace {

/// Strides, odd paddings, overlapping and ceil-mode pools, branches of different reach, and layers that end the crops.
template <class T>
dn::network<T> branching_network() {
  dn::network<T> net({3, 41, 37});
  net.add("conv1", random_conv<T>({6, 3, 5, 5}, {.stride = 2, .padding = {1, 2, 2, 0}}, 1));
  net.add("relu1", dn::relu{});
  net.add("norm1", dn::local_response_norm({.size = 3, .alpha = 0.1, .beta = 0.75, .bias = 1}));
  net.add("pool1", dn::max_pool2d({.kernel = 3, .stride = 2, .padding = 1, .ceil_mode = true}));
  net.add("narrow", random_conv<T>({4, 6, 1, 1}, {}, 2), {"pool1"});
  net.add("wide", random_conv<T>({4, 3, 3, 3}, {.padding = 1, .groups = 2}, 3), {"pool1"});
  net.add("both", dn::concat{}, {"narrow", "wide"});
  net.add("relu2", dn::relu{});
  net.add("bn", random_batch_norm<T>(8, 4));
  net.add("again", random_conv<T>({8, 8, 3, 3}, {.padding = 2, .dilation = 2}, 5));
  net.add("sum", dn::add{}, {"bn", "again"});
  net.add("relu3", dn::relu{});
  net.add("mean", dn::avg_pool2d({.kernel = 2, .stride = 1}));
  net.add("conv3", random_conv<T>({5, 8, 3, 3}, {.padding = 1}, 6));
  net.add("relu4", dn::relu{});
  return net;
}

template <class T>
std::vector<dn::unit> spread_units(const dn::shape4& shape) {
  std::vector<dn::unit> units;
  for (std::size_t k = 0; k < 14; ++k) {
    units.push_back({k % shape[0], (3 * k) % shape[1], (5 * k) % shape[2], (7 * k + k / 3) % shape[3]});
  }
  units.push_back({1, 0, 0, 0});
  units.push_back({0, shape[1] - 1, shape[2] - 1, shape[3] - 1});
  return units;
}

}  // namespace

TEST_CASE_TEMPLATE("units go down through crops to what they give in whole maps, by every rule, from every layer", T, float, double) {
  const auto net = branching_network<T>();
  const auto x = random_maps<T>({2, 3, 41, 37}, 7);
  const auto run = net.forward(x);
  for (const char* layer : {"conv1", "pool1", "both", "bn", "sum", "relu3", "mean", "relu4"}) {
    const auto units = spread_units<T>(run.shape(layer));
    for (const auto how : {dn::rule::deconvnet, dn::rule::gradient, dn::rule::guided}) {
      CAPTURE(layer);
      const auto crops = dn::project(net, run, layer, std::span<const dn::unit>(units), how, dn::seed::one);
      for (std::size_t m = 0; m < units.size(); ++m) {
        auto signal = dn::zeros<T>(run.shape(layer));
        signal(units[m].n, units[m].c, units[m].y, units[m].x) = 1;
        const auto whole = dn::deconv(net, run, layer, signal, how);
        const auto alone = dn::project(net, run, layer, units[m], how, dn::seed::one);  // its crops end at the borders
        const auto expected = dn::image_span(whole, units[m].n);
        const auto found = dn::image_span(crops, m);
        const auto single = dn::image_span(alone, units[m].n);
        double scale = 0, difference = 0;
        for (std::size_t k = 0; k < expected.size(); ++k) {
          const auto right = static_cast<double>(expected[k]);
          scale = std::max(scale, std::abs(right));
          difference = std::max({difference, std::abs(right - static_cast<double>(found[k])), std::abs(right - static_cast<double>(single[k]))});
        }
        CHECK(difference <= scale * (sizeof(T) == 4 ? 1e-5 : 1e-13));
      }
    }
  }
}

TEST_CASE("a trace that keeps signs only is enough for every rule") {
  const auto net = branching_network<float>();
  const auto x = random_maps<float>({1, 3, 41, 37}, 7);
  const auto all = net.forward(x);
  const auto some = net.forward(x, {.keep = {"relu3"}});
  const dn::unit u{0, 3, 4, 5};
  for (const auto how : {dn::rule::deconvnet, dn::rule::guided}) {
    CHECK(dn::project(net, some, "relu3", u, how) == dn::project(net, all, "relu3", u, how));
  }
}

TEST_CASE_TEMPLATE("a unit whose window lies in padding altogether gives nothing, alone and beside others", T, float, double) {
  dn::network<T> net({3, 9, 8});
  net.add("conv1", random_conv<T>({4, 3, 3, 3}, {.padding = {4, 4}}, 1));
  net.add("conv2", random_conv<T>({5, 4, 1, 1}, {.padding = {2, 2}}, 2));
  const auto run = net.forward(random_maps<T>({1, 3, 9, 8}, 3));
  const auto shape = run.shape("conv2");
  for (const std::size_t y : {std::size_t{0}, std::size_t{3}, shape[2] / 2, shape[2] - 1}) {
    for (const std::size_t x : {std::size_t{0}, shape[3] / 2, shape[3] - 3, shape[3] - 1}) {
      const dn::unit u{0, 1, y, x};
      auto signal = dn::zeros<T>(shape);
      signal(0, 1, y, x) = 1;
      const auto whole = dn::deconv(net, run, "conv2", signal);
      const auto alone = dn::project(net, run, "conv2", u, dn::rule::deconvnet, dn::seed::one);
      double difference = 0;
      for (std::size_t k = 0; k < whole.size(); ++k) difference = std::max(difference, std::abs(static_cast<double>(whole.data()[k] - alone.data()[k])));
      CHECK(difference < 1e-5);
    }
  }
}
