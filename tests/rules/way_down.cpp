// The exact rules of the paper, section 2.1: order, seed, bias, rectification.
#include <deconvnet/network/projection.hpp>
#include <deconvnet/ops/conv_transpose2d.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "../network/sample_networks.hpp"

namespace dn = deconvnet;
using namespace deconvnet::testing;

namespace {

dn::network<double> conv_relu_pool() {
  dn::network<double> net({2, 7, 9});
  net.add("conv", random_conv<double>({3, 2, 3, 3}, {.stride = {2, 1}, .padding = 1}, 1));
  net.add("relu", dn::relu{});
  net.add("pool", dn::max_pool2d{{.kernel = 3, .stride = 2}});
  return net;
}

const dn::rule way_down_rules[] = {dn::rule::deconvnet, dn::rule::gradient, dn::rule::guided};

}  // namespace

TEST_CASE("order: unpool, rectify, filter") {
  const auto net = conv_relu_pool();
  const auto run = net.forward(random_maps<double>({1, 2, 7, 9}, 5));
  auto signal = random_maps<double>(run.shape("pool"), 6);  // of both signs
  const auto* conv = net.get_if<dn::conv2d<double>>("conv");
  REQUIRE(conv);

  auto maps = dn::max_unpool2d{run.switches("pool")}(signal);
  for (double& value : maps) value = std::max(value, 0.0);
  const dn::conv_transpose2d<double> filter{conv->weight(), {.stride = {2, 1}, .padding = 1, .output_size = {7, 9}}};
  CHECK(same_bits(dn::deconv(net, run, "pool", signal), filter(maps)));
}

TEST_CASE("order: contributions of overlapping windows add up before they are rectified") {
  // Both windows of 1 x 3, stride 2, have their maximum in the middle of a row of five.
  dn::network<double> net({1, 1, 5});
  net.add("relu", dn::relu{});
  net.add("pool", dn::max_pool2d{{.kernel = {1, 3}, .stride = {1, 2}}});
  const auto run = net.forward(dn::tensor4<double>{{{{1, 2, 9, 2, 1}}}});
  CHECK(dn::deconv(net, run, "pool", dn::tensor4<double>{{{{3, -2}}}}) == dn::tensor4<double>{{{{0, 0, 1, 0, 0}}}});
  CHECK(dn::deconv(net, run, "pool", dn::tensor4<double>{{{{3, -4}}}}) == dn::tensor4<double>{{{{0, 0, 0, 0, 0}}}});
}

TEST_CASE("order: the last step is a filter, the picture keeps its negative values") {
  const auto net = conv_relu_pool();
  const auto run = net.forward(random_maps<double>({1, 2, 7, 9}, 5));
  for (const auto how : way_down_rules) {
    const auto picture = dn::project(net, run, "pool", dn::strongest(run["pool"]), how);
    CHECK(*std::min_element(picture.begin(), picture.end()) < 0);
    CHECK(*std::max_element(picture.begin(), picture.end()) > 0);
  }
}

TEST_CASE("seed: one unit goes down with its own activation, all others of its layer are zero") {
  const auto net = branched_network<double>();
  const auto run = net.forward(branched_batch<double>(2));
  for (const std::string name : {"conv1", "pool1", "conv2", "relu3b", "concat3", "relu4", "fc6", "fc7"}) {
    CAPTURE(name);
    const auto u = dn::strongest(run[name], {.image = 1});
    auto signal = dn::zeros<double>(run.shape(name));
    signal(u.n, u.c, u.y, u.x) = run[name](u.n, u.c, u.y, u.x);
    for (const auto how : way_down_rules) {
      CHECK(same_bits(dn::project(net, run, name, u, how), dn::deconv(net, run, name, signal, how)));
    }
  }
}

TEST_CASE("seed: a negative activation goes down as it is") {
  dn::network<double> net({1, 1, 2});
  net.add("conv", dn::conv2d<double>{dn::tensor4<double>{{{{2.0}}}}});
  const auto run = net.forward(dn::tensor4<double>{{{{-3, 1}}}});
  CHECK(dn::project(net, run, "conv", dn::unit{0, 0, 0, 0}) == dn::tensor4<double>{{{{-12, 0}}}});
}

TEST_CASE("seed: on request the value 1") {
  const auto net = branched_network<double>();
  const auto run = net.forward(branched_batch<double>());
  const auto u = dn::strongest(run["relu4"]);
  const double activation = run["relu4"](u.n, u.c, u.y, u.x);
  REQUIRE(activation > 0);
  for (const auto how : way_down_rules) {
    const auto one = dn::project(net, run, "relu4", u, how, dn::seed::one);
    const auto own = dn::project(net, run, "relu4", u, how);
    CHECK(distance(dn::tensor4<double>(one * activation), own) < 1e-13);
  }
}

TEST_CASE("seed: on request a whole feature map") {
  const auto net = branched_network<double>();
  const auto run = net.forward(branched_batch<double>(2));
  auto signal = dn::zeros<double>(run.shape("conv2"));
  for (std::size_t y = 0; y < signal.shape(2); ++y) {
    for (std::size_t x = 0; x < signal.shape(3); ++x) signal(1, 3, y, x) = run["conv2"](1, 3, y, x);
  }
  for (const auto how : way_down_rules) {
    CHECK(same_bits(dn::project(net, run, "conv2", dn::feature_map{1, 3}, how),
                    dn::deconv(net, run, "conv2", signal, how)));
  }
}

TEST_CASE("bias: none on the way down, nothing comes from nothing") {
  const auto net = branched_network<double>();  // every layer with weights has a bias
  const auto run = net.forward(branched_batch<double>());
  for (const auto& info : net.layers()) {
    for (const auto how : way_down_rules) {
      const auto picture = dn::deconv(net, run, info.name, dn::zeros<double>(run.shape(info.name)), how);
      CAPTURE(info.name);
      CHECK(picture == dn::zeros<double>(run.input_shape()));
    }
  }
}

TEST_CASE("bias: none on the way down, project(a s) = a project(s) for a > 0") {
  const auto net = branched_network<double>();
  const auto run = net.forward(branched_batch<double>());
  for (const auto& info : net.layers()) {
    const auto signal = random_maps<double>(run.shape(info.name), 11);
    for (const auto how : way_down_rules) {
      CAPTURE(info.name);
      const auto once = dn::deconv(net, run, info.name, signal, how);
      // Powers of two leave the bits alone.
      CHECK(dn::deconv(net, run, info.name, 4 * signal, how) == dn::tensor4<double>(4 * once));
      CHECK(distance(dn::deconv(net, run, info.name, 0.3 * signal, how), dn::tensor4<double>(0.3 * once)) < 1e-13);
    }
  }
}

TEST_CASE("bias: the way down does not read it") {
  auto net = conv_relu_pool();
  const auto x = random_maps<double>({1, 2, 7, 9}, 5);
  // So large that ReLU passes everything and the switches stay where they are.
  const auto projected = [&](const std::vector<double>& bias) {
    net.set_parameter("conv.bias", bias);
    return dn::project(net, net.forward(x), "pool", dn::unit{0, 1, 0, 0}, dn::rule::deconvnet, dn::seed::one);
  };
  CHECK(projected({100, 100, 100}) == projected({300, 50, 75}));
}

TEST_CASE("ReLU: deconvnet keeps the positive part, gradient asks the forward sign, guided does both") {
  const auto net = network_of<double>(dn::relu{});
  //                                          active  active    off     off     zero on the way up
  const auto run = net.forward(dn::tensor4<double>{{{{5, 6, -1, -2, 0}}}});
  const dn::tensor4<double> signal{{{{1, -2, 3, -4, 7}}}};
  CHECK(dn::deconv(net, run, 0, signal) == dn::tensor4<double>{{{{1, 0, 3, 0, 7}}}});
  CHECK(dn::deconv(net, run, 0, signal, dn::rule::deconvnet) == dn::tensor4<double>{{{{1, 0, 3, 0, 7}}}});
  CHECK(dn::deconv(net, run, 0, signal, dn::rule::gradient) == dn::tensor4<double>{{{{1, -2, 0, 0, 0}}}});
  CHECK(dn::deconv(net, run, 0, signal, dn::rule::guided) == dn::tensor4<double>{{{{1, 0, 0, 0, 0}}}});
}

TEST_CASE("ReLU: under deconvnet the forward signal's sign plays no part, under the others it does") {
  dn::network<double> net({1, 1, 4});
  net.add("relu", dn::relu{});
  net.add("conv", dn::conv2d<double>{dn::tensor4<double>{{{{1.0, 1.0}}}}});
  const dn::tensor4<double> signal{{{{1, 1, 1}}}};
  const auto up = net.forward(dn::tensor4<double>{{{{1, 1, 1, 1}}}});
  const auto down = net.forward(dn::tensor4<double>{{{{-1, 1, -1, 1}}}});
  CHECK(dn::deconv(net, up, "conv", signal) == dn::deconv(net, down, "conv", signal));
  CHECK(dn::deconv(net, down, "conv", signal, dn::rule::gradient) == dn::tensor4<double>{{{{0, 2, 0, 1}}}});
  CHECK(dn::deconv(net, down, "conv", signal, dn::rule::guided) == dn::tensor4<double>{{{{0, 2, 0, 1}}}});
}

TEST_CASE("the picture depends on the input through the switches alone") {
  const auto net = conv_relu_pool();
  const auto x = random_maps<double>({1, 2, 7, 9}, 5);
  const auto run = net.forward(x);
  auto bias_free = net;
  bias_free.set_parameter("conv.bias", std::vector<double>(3, 0.0));
  const auto one = bias_free.forward(x);
  const auto two = bias_free.forward(2 * x);
  REQUIRE(one.switches("pool").places == two.switches("pool").places);
  const auto signal = random_maps<double>(one.shape("pool"), 6);
  CHECK(dn::deconv(bias_free, one, "pool", signal) == dn::deconv(bias_free, two, "pool", signal));
}
