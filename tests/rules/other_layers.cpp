// The exact rules of the paper: contrast normalization, dropout, softmax, fully connected layers.
#include <deconvnet/network/projection.hpp>
#include <deconvnet/ops/reshape.hpp>

#include <cmath>
#include <string>

#include <doctest/doctest.h>

#include "../network/sample_networks.hpp"

namespace dn = deconvnet;
using namespace deconvnet::testing;

TEST_CASE("contrast normalization: identity on the way down under deconvnet and guided") {
  const auto net = network_of<double>(dn::local_response_norm({.size = 3, .alpha = 2, .beta = 0.6, .bias = 1}));
  const auto run = net.forward(random_maps<double>({2, 5, 3, 4}, 1));
  const auto signal = random_maps<double>({2, 5, 3, 4}, 2);
  CHECK(dn::deconv(net, run, 0, signal, dn::rule::deconvnet) == signal);
  CHECK(dn::deconv(net, run, 0, signal, dn::rule::guided) == signal);
}

TEST_CASE("contrast normalization: differentiated under gradient") {
  const auto net = network_of<double>(dn::local_response_norm({.size = 3, .alpha = 2, .beta = 0.6, .bias = 1}));
  const auto x = random_maps<double>({1, 5, 2, 2}, 1);
  const auto signal = random_maps<double>({1, 5, 2, 2}, 2);
  const auto slope = dn::deconv(net, net.forward(x), 0, signal, dn::rule::gradient);
  CHECK(slope != signal);
  for (std::size_t k = 0; k < x.size(); ++k) {
    constexpr double step = 1e-6;
    auto more = x;
    auto less = x;
    more.data()[k] += step;
    less.data()[k] -= step;
    const double difference = (inner_product(net(more), signal) - inner_product(net(less), signal)) / (2 * step);
    CHECK(slope.data()[k] == doctest::Approx(difference).epsilon(1e-7));
  }
}

TEST_CASE("dropout: identity on the way up and down, under every rule") {
  const auto net = network_of<double>(dn::dropout{0.5});
  const auto x = random_maps<double>({2, 3, 2, 2}, 1);
  const auto run = net.forward(x);
  CHECK(run[0] == x);
  for (const auto how : {dn::rule::deconvnet, dn::rule::gradient, dn::rule::guided}) {
    CHECK(dn::deconv(net, run, 0, x, how) == x);
  }
}

TEST_CASE("softmax: identity on the way down under deconvnet and guided, differentiated under gradient") {
  const auto net = network_of<double>(dn::softmax{});
  const dn::tensor4<double> x{{{{0.5}}, {{-1}}, {{2}}}};
  const dn::tensor4<double> signal{{{{1}}, {{3}}, {{-2}}}};
  const auto run = net.forward(x);
  CHECK(dn::deconv(net, run, 0, signal, dn::rule::deconvnet) == signal);
  CHECK(dn::deconv(net, run, 0, signal, dn::rule::guided) == signal);
  const auto slope = dn::deconv(net, run, 0, signal, dn::rule::gradient);
  const auto& p = run[0];
  for (std::size_t j = 0; j < 3; ++j) {
    double expected = 0;  // sum over k of signal_k p_k ([j = k] - p_j)
    for (std::size_t k = 0; k < 3; ++k) {
      expected += signal(0, k, 0, 0) * p(0, k, 0, 0) * ((j == k ? 1.0 : 0.0) - p(0, j, 0, 0));
    }
    CHECK(slope(0, j, 0, 0) == doctest::Approx(expected));
  }
}

TEST_CASE("softmax: a unit of its own output is seeded with its probability, not with the logit") {
  const auto net = branched_network<double>();
  const auto run = net.forward(branched_batch<double>());
  const auto u = dn::strongest(run["prob"]);
  const double probability = run["prob"](u.n, u.c, 0, 0);
  REQUIRE(run["fc7"](u.n, u.c, 0, 0) != doctest::Approx(probability));
  for (const auto how : {dn::rule::deconvnet, dn::rule::guided}) {
    const auto before = dn::project(net, run, "fc7", u, how, dn::seed::one);
    CHECK(distance(dn::project(net, run, "prob", u, how), dn::tensor4<double>(probability * before)) < 1e-14);
  }
  // gradient: p (e_u - p) goes into the layer before
  auto signal = dn::zeros<double>(run.shape("fc7"));
  for (std::size_t k = 0; k < signal.size(); ++k) {
    signal.data()[k] = probability * run["prob"].data()[k] * ((k == u.c ? 1.0 : 0.0) - probability);
  }
  CHECK(distance(dn::project(net, run, "prob", u, dn::rule::gradient),
                 dn::deconv(net, run, "fc7", signal, dn::rule::gradient)) < 1e-14);
}

namespace {

/// conv, relu, pool and two fully connected layers; or these as convolutions over the whole map, with the same weights.
dn::network<double> small_classifier(bool as_convolutions, bool with_flatten = false) {
  const auto first = random_matrix<double>(6, 3 * 3 * 4, 10);
  const auto second = random_matrix<double>(5, 6, 12);
  const auto first_bias = random_vector<double>(6, 11);
  const auto second_bias = random_vector<double>(5, 13);
  const auto as_filters = [](const dn::tensor<double, 2>& matrix, const dn::shape4& shape) {
    auto weight = dn::tensor4<double>::from_shape(shape);
    std::copy(matrix.begin(), matrix.end(), weight.begin());
    return weight;
  };
  dn::network<double> net({2, 6, 8});
  net.add("conv1", random_conv<double>({3, 2, 3, 3}, {.padding = 1}, 1));
  net.add("relu1", dn::relu{});
  net.add("pool1", dn::max_pool2d{{.kernel = 2}});
  if (with_flatten) net.add("flatten", dn::flatten{});
  if (as_convolutions) {
    net.add("fc6", dn::conv2d<double>{as_filters(first, {6, 3, 3, 4}), first_bias});
  } else {
    net.add("fc6", dn::linear<double>{first, first_bias});
  }
  net.add("relu6", dn::relu{});
  if (as_convolutions) {
    net.add("fc7", dn::conv2d<double>{as_filters(second, {5, 6, 1, 1}), second_bias});
  } else {
    net.add("fc7", dn::linear<double>{second, second_bias});
  }
  return net;
}

}  // namespace

TEST_CASE("fully connected: FC6 gives the same as those weights written as a convolution") {
  const auto dense = small_classifier(false);
  const auto filters = small_classifier(true);
  const auto x = random_maps<double>({2, 2, 6, 8}, 3);
  const auto run = dense.forward(x);
  const auto other = filters.forward(x);
  for (const std::string name : {"fc6", "relu6", "fc7"}) {
    CAPTURE(name);
    CHECK(distance(run[name], other[name]) < 1e-14);
    for (const auto how : {dn::rule::deconvnet, dn::rule::gradient, dn::rule::guided}) {
      for (std::size_t n = 0; n < 2; ++n) {
        const auto u = dn::strongest(run[name], {.image = n});
        CHECK(distance(dn::project(dense, run, name, u, how), dn::project(filters, other, name, u, how)) < 1e-14);
      }
    }
  }
}

TEST_CASE("fully connected: a flatten before it changes nothing") {
  const auto plain = small_classifier(false);
  const auto flattened = small_classifier(false, true);
  const auto x = random_maps<double>({1, 2, 6, 8}, 3);
  const auto run = plain.forward(x);
  const auto other = flattened.forward(x);
  CHECK(dn::shape_of(other["flatten"]) == dn::shape4{1, 36, 1, 1});
  const auto u = dn::strongest(run["fc7"]);
  CHECK(same_bits(dn::project(plain, run, "fc7", u), dn::project(flattened, other, "fc7", u)));
}

TEST_CASE("fully connected: the transposed matrix, with a ReLU between") {
  dn::network<double> net({2, 1, 1});
  net.add("fc6", dn::linear<double>{dn::tensor<double, 2>{{1, 2}, {3, -4}}});
  net.add("relu6", dn::relu{});
  net.add("fc7", dn::linear<double>{dn::tensor<double, 2>{{5, -6}}});
  const auto run = net.forward(dn::tensor4<double>{{{{1}}, {{1}}}});
  CHECK(run["fc6"] == dn::tensor4<double>{{{{3}}, {{-1}}}});
  const dn::tensor4<double> one{{{{1}}}};
  const dn::tensor4<double> minus{{{{-1}}}};
  // (5, -6) -> (5, 0) -> 5 (1, 2); from -1: (-5, 6) -> (0, 6) -> 6 (3, -4), where fc6 was negative
  CHECK(dn::deconv(net, run, "fc7", one) == dn::tensor4<double>{{{{5}}, {{10}}}});
  CHECK(dn::deconv(net, run, "fc7", minus) == dn::tensor4<double>{{{{18}}, {{-24}}}});
  CHECK(dn::deconv(net, run, "fc7", minus, dn::rule::gradient) == dn::tensor4<double>{{{{-5}}, {{-10}}}});
  CHECK(dn::deconv(net, run, "fc7", minus, dn::rule::guided) == dn::tensor4<double>{{{{0}}, {{0}}}});
}
