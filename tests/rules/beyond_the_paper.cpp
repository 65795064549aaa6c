// Rules for what the paper's networks do not have: batch norm, concatenation, sums, values read twice, average pooling.
#include <deconvnet/network/projection.hpp>

#include <cmath>

#include <doctest/doctest.h>

#include "../network/sample_networks.hpp"

namespace dn = deconvnet;
using namespace deconvnet::testing;

namespace {

const dn::rule every_rule[] = {dn::rule::deconvnet, dn::rule::gradient, dn::rule::guided};

}  // namespace

TEST_CASE("batch norm multiplies by gamma / sigma on the way down") {
  const dn::tensor<double, 1> gamma{2, -3};
  const dn::tensor<double, 1> variance{3, 8};
  const auto net = network_of<double>(
      dn::batch_norm<double>{gamma, random_vector<double>(2, 1), random_vector<double>(2, 2), variance, 1.0});
  const auto run = net.forward(random_maps<double>({1, 2, 2, 2}, 3));
  const auto signal = random_maps<double>({1, 2, 2, 2}, 4);
  for (const auto how : every_rule) {
    const auto picture = dn::deconv(net, run, 0, signal, how);
    for (std::size_t k = 0; k < 4; ++k) {
      CHECK(picture.data()[k] == doctest::Approx(signal.data()[k] * 2 / std::sqrt(4.0)));
      CHECK(picture.data()[4 + k] == doctest::Approx(signal.data()[4 + k] * -3 / std::sqrt(9.0)));
    }
  }
}

TEST_CASE("concat gives each branch its slice") {
  dn::network<double> net({1, 1, 2});
  net.add("left", dn::conv2d<double>{dn::tensor4<double>{{{{1.0}}}, {{{10.0}}}}});
  net.add("right", dn::conv2d<double>{dn::tensor4<double>{{{{100.0}}}}}, {"input"});
  net.add("both", dn::concat{}, {"right", "left"});
  const auto run = net.forward(dn::tensor4<double>{{{{1, 1}}}});
  CHECK(run.shape("both") == dn::shape4{1, 3, 1, 2});
  const dn::tensor4<double> signal{{{{1, 0}}, {{0, 2}}, {{3, 0}}}};  // right, left's first, left's second
  for (const auto how : every_rule) {
    CHECK(dn::deconv(net, run, "both", signal, how) == dn::tensor4<double>{{{{100 + 30, 2}}}});
  }
}

TEST_CASE("concat of a value with itself: both slices go back to it") {
  dn::network<double> net({1, 1, 2});
  net.add("twice", dn::concat{}, {"input", "input"});
  const auto run = net.forward(dn::tensor4<double>{{{{1, 1}}}});
  CHECK(dn::deconv(net, run, 0, dn::tensor4<double>{{{{1, 2}}, {{30, 40}}}}) == dn::tensor4<double>{{{{31, 42}}}});
}

TEST_CASE("a sum copies the signal to each of its inputs") {
  dn::network<double> net({1, 1, 2});
  net.add("times2", dn::conv2d<double>{dn::tensor4<double>{{{{2.0}}}}});
  net.add("times5", dn::conv2d<double>{dn::tensor4<double>{{{{5.0}}}}}, {"input"});
  net.add("sum", dn::add{}, {"times2", "times5", "input"});
  const auto run = net.forward(dn::tensor4<double>{{{{1, -1}}}});
  for (const auto how : every_rule) {
    CHECK(dn::deconv(net, run, "sum", dn::tensor4<double>{{{{1, -2}}}}, how) == dn::tensor4<double>{{{{8, -16}}}});
  }
}

TEST_CASE("a value that feeds several layers: the reconstructions add up before the ReLU rule of the layer below") {
  dn::network<double> net({1, 1, 2});
  net.add("relu", dn::relu{});
  net.add("plus", dn::conv2d<double>{dn::tensor4<double>{{{{3.0}}}}}, {"relu"});
  net.add("minus", dn::conv2d<double>{dn::tensor4<double>{{{{-2.0}}}}}, {"relu"});
  net.add("sum", dn::add{}, {"plus", "minus"});
  const auto run = net.forward(dn::tensor4<double>{{{{4, -4}}}});
  const dn::tensor4<double> signal{{{{1, 1}}}};
  const dn::tensor4<double> minus{{{{-1, -1}}}};
  // 3 - 2 = 1; rectified each by itself it would be 3
  CHECK(dn::deconv(net, run, "sum", signal) == dn::tensor4<double>{{{{1, 1}}}});
  CHECK(dn::deconv(net, run, "sum", minus) == dn::tensor4<double>{{{{0, 0}}}});
  CHECK(dn::deconv(net, run, "sum", signal, dn::rule::guided) == dn::tensor4<double>{{{{1, 0}}}});
  CHECK(dn::deconv(net, run, "sum", minus, dn::rule::gradient) == dn::tensor4<double>{{{{-1, 0}}}});
}

TEST_CASE("a residual connection: the signal goes down both ways") {
  dn::network<double> net({2, 4, 4});
  net.add("conv1", random_conv<double>({2, 2, 3, 3}, {.padding = 1}, 1));
  net.add("relu1", dn::relu{});
  net.add("conv2", random_conv<double>({2, 2, 3, 3}, {.padding = 1}, 2));
  net.add("sum", dn::add{}, {"conv2", "relu1"});
  net.add("relu2", dn::relu{});
  const auto run = net.forward(random_maps<double>({1, 2, 4, 4}, 3));
  const auto signal = random_maps<double>({1, 2, 4, 4}, 4);
  for (const auto how : every_rule) {
    auto at_sum = signal;
    for (std::size_t k = 0; k < at_sum.size(); ++k) {
      const bool negative = how != dn::rule::gradient && at_sum.data()[k] < 0;
      const bool off = how != dn::rule::deconvnet && run["sum"].data()[k] <= 0;
      if (negative || off) at_sum.data()[k] = 0;
    }
    // What reaches relu1: at_sum itself and, through conv2, its adjoint image.
    const auto* conv2 = net.get_if<dn::conv2d<double>>("conv2");
    dn::tensor4<double> at_relu1 =
        at_sum + dn::ops::conv2d_adjoint(at_sum, conv2->weight(), conv2->options(), {1, 2, 4, 4});
    CHECK(distance(dn::deconv(net, run, "relu2", signal, how), dn::deconv(net, run, "relu1", at_relu1, how)) < 1e-14);
  }
}

TEST_CASE("average pooling spreads evenly") {
  const auto net = network_of<double>(dn::avg_pool2d{{.kernel = 2}});
  const auto run = net.forward(random_maps<double>({1, 1, 2, 4}, 1));
  for (const auto how : every_rule) {
    CHECK(dn::deconv(net, run, 0, dn::tensor4<double>{{{{4, -8}}}}, how) ==
          dn::tensor4<double>{{{{1, 1, -2, -2}, {1, 1, -2, -2}}}});
  }
}

TEST_CASE("average pooling over whole maps spreads evenly") {
  const auto net = network_of<double>(dn::global_avg_pool2d{});
  const auto run = net.forward(random_maps<double>({1, 2, 2, 2}, 1));
  CHECK(dn::deconv(net, run, 0, dn::tensor4<double>{{{{4}}, {{-8}}}}) ==
        dn::tensor4<double>{{{{1, 1}, {1, 1}}, {{-2, -2}, {-2, -2}}}});
}
