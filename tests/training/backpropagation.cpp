#include <deconvnet/training/backpropagation.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <deconvnet/network/stack.hpp>
#include <deconvnet/ops/add.hpp>
#include <deconvnet/ops/avg_pool2d.hpp>
#include <deconvnet/ops/concat.hpp>
#include <deconvnet/ops/conv_transpose2d.hpp>
#include <deconvnet/ops/local_response_norm.hpp>
#include <deconvnet/ops/reshape.hpp>
#include <deconvnet/ops/scale_shift.hpp>
#include <deconvnet/ops/softmax.hpp>
#include <deconvnet/ops/transpose_layout.hpp>
#include <deconvnet/training/initialization.hpp>

#include "../network/own_operators.hpp"

namespace dn = deconvnet;

namespace {

dn::tensor4<double> training_batch(const dn::shape4& shape, std::uint64_t seed) {
  auto x = dn::zeros<double>(shape);
  dn::detail::normal_numbers next(seed);
  for (std::size_t k = 0; k < x.size(); ++k) x.data()[k] = next();
  return x;
}

template <class T>
dn::tensor<T, 4> filters_of(std::size_t out, std::size_t in, std::size_t height, std::size_t width) {
  return dn::zeros<T>({out, in, height, width});
}

template <class T>
dn::tensor<T, 1> ones(std::size_t count) {
  auto result = dn::tensor<T, 1>::from_shape({count});
  result.fill(T(1));
  return result;
}

/// Random values in every parameter, biases and gammas too: zeros would hide mistakes.
void scatter_parameters(dn::network<double>& net, std::uint64_t seed) {
  dn::detail::normal_numbers next(seed);
  for (const auto& p : net.parameters()) {
    const bool positive = p.name.ends_with("running_var");
    for (double& value : net.edit_parameter(p.name)) value = positive ? 1 + 0.1 * std::abs(next()) : 0.4 * next();
  }
}

/// Every learned parameter, at up to `samples` of its elements, against central differences of the loss.
void check_by_differences(dn::network<double> net, const dn::tensor4<double>& x, std::size_t classes, std::size_t samples = 12) {
  std::vector<std::size_t> labels(x.shape(0));
  for (std::size_t n = 0; n < labels.size(); ++n) labels[n] = (n * 7 + 1) % classes;
  dn::backpropagation<double> pass(5), probe(5);
  pass(net, x, labels, 3);
  std::size_t checked = 0;
  for (const auto& gradient : pass.gradients()) {
    if (gradient.role != dn::parameter_role::learned) continue;
    CAPTURE(gradient.name);
    for (std::size_t s = 0; s < std::min(samples, gradient.values.size()); ++s) {
      const std::size_t k = s * gradient.values.size() / std::min(samples, gradient.values.size());
      const double value = net.edit_parameter(gradient.name)[k];
      constexpr double step = 1e-6;
      net.edit_parameter(gradient.name)[k] = value + step;
      const double above = probe(net, x, labels, 3).loss;
      net.edit_parameter(gradient.name)[k] = value - step;
      const double below = probe(net, x, labels, 3).loss;
      net.edit_parameter(gradient.name)[k] = value;
      CAPTURE(k);
      CHECK(gradient.values[k] == doctest::Approx((above - below) / (2 * step)).epsilon(1e-5).scale(0.1));
      ++checked;
    }
  }
  CHECK(checked != 0);
}

}  // namespace

TEST_CASE("the gradients of a small AlexNet are those of finite differences") {
  dn::detail::layer_stack<double> stack({3, 19, 17});
  stack.conv("1", 6, 5, {.stride = 2, .padding = 2});
  stack.net().add("norm1", dn::local_response_norm({.size = 3, .alpha = 0.1, .beta = 0.75, .bias = 2}));
  stack.pool("1", {.kernel = 3, .stride = 2});
  stack.conv("2", 8, 3, {.padding = 1, .groups = 2});
  stack.pool("2", {.kernel = 2, .stride = 2, .padding = 1, .dilation = 1, .ceil_mode = true});
  stack.fully_connected("6", 11);
  stack.net().add("relu6", dn::relu{});
  stack.net().add("drop6", dn::dropout{0.3});
  stack.fully_connected("8", 5);
  auto net = stack.take();
  scatter_parameters(net, 1);
  check_by_differences(net, training_batch({4, 3, 19, 17}, 2), 5);
}

TEST_CASE("the gradients of branches, batch norm, average pools, dilation and transposed convolutions are those of differences") {
  dn::network<double> net({2, 11, 9});
  net.add("conv1", dn::conv2d<double>(filters_of<double>(4, 2, 3, 3), ones<double>(4), {.padding = 2, .dilation = 2}));
  net.add("bn1", dn::batch_norm<double>(ones<double>(4), ones<double>(4), ones<double>(4), ones<double>(4)));
  net.add("relu1", dn::relu{});
  net.add("left", dn::conv2d<double>(filters_of<double>(3, 4, 1, 1)), {"relu1"});
  net.add("right", dn::conv2d<double>(filters_of<double>(4, 4, 3, 3), ones<double>(4), {.padding = 1}), {"relu1"});
  net.add("sum", dn::add{}, {"right", "relu1"});
  net.add("joined", dn::concat{}, {"left", "sum"});
  net.add("scaled", dn::scale_shift<double>(dn::tensor<double, 3>({1, 1, 1}, 0.5), dn::tensor<double, 3>({1, 1, 1}, 0.1)));
  net.add("half", dn::avg_pool2d({.kernel = 2, .stride = 2}));
  net.add("up", dn::conv_transpose2d<double>(filters_of<double>(7, 3, 3, 3), {.stride = 2, .padding = 1}));
  net.add("relu2", dn::relu{});
  net.add("mean", dn::global_avg_pool2d{});
  net.add("flat", dn::flatten{});
  auto matrix = dn::tensor<double, 2>::from_shape({4, 3});
  matrix.fill(0.0);
  net.add("fc", dn::linear<double>(matrix, ones<double>(4)));
  scatter_parameters(net, 3);
  check_by_differences(net, training_batch({3, 2, 11, 9}, 4), 4);
  dn::backpropagation<double> pass;
  pass(net, training_batch({3, 2, 11, 9}, 4), std::vector<std::size_t>{0, 1, 2}, 0);
  for (const auto& gradient : pass.gradients()) {
    if (gradient.name.starts_with("scaled.")) CHECK(gradient.role == dn::parameter_role::constant);
    if (gradient.name.starts_with("bn1.running")) CHECK(gradient.role == dn::parameter_role::statistic);
  }
}

TEST_CASE("the gradients below a softmax over channels, a change of layout and a reshape are those of differences") {
  dn::network<double> net({3, 5, 4});
  net.add("conv", dn::conv2d<double>(filters_of<double>(4, 3, 3, 3), ones<double>(4), {.padding = 1}));
  net.add("weighting", dn::softmax{dn::softmax_over::channels});
  net.add("same", dn::identity{});
  net.add("overlapping", dn::max_pool2d{{.kernel = 3, .stride = 1, .padding = 1}});
  net.add("layout", dn::transpose_layout{});
  net.add("turned", dn::reshape{{4, 5, 4}});
  auto matrix = dn::tensor<double, 2>::from_shape({3, 80});
  matrix.fill(0.0);
  net.add("fc", dn::linear<double>(matrix));
  scatter_parameters(net, 6);
  check_by_differences(net, training_batch({2, 3, 5, 4}, 7), 3);
}

TEST_CASE("without dropout and batch norm the loss is that of the network's own logits") {
  dn::detail::layer_stack<float> stack({1, 8, 8});
  stack.conv("1", 4, 3, {});
  stack.fully_connected("2", 3);
  auto net = stack.take();
  dn::initialize(net, 1, dn::initialization::he);
  auto x = dn::zeros<float>({5, 1, 8, 8});
  for (std::size_t k = 0; k < x.size(); ++k) x.data()[k] = std::sin(static_cast<float>(k));
  const std::vector<std::size_t> labels{0, 1, 2, 0, 1};
  dn::backpropagation<float> pass;
  const auto result = pass(net, x, labels, 0);
  const auto direct = dn::cross_entropy(net(x), std::span<const std::size_t>(labels));
  CHECK(result.loss == doctest::Approx(direct.loss).epsilon(1e-6));
  CHECK(result.correct == direct.correct);
}

TEST_CASE("a pass has the same bits for any number of threads, and in the memory of a pass before") {
  dn::detail::layer_stack<float> stack({3, 12, 12});
  stack.conv("1", 8, 3, {.padding = 1});
  stack.pool("1", {.kernel = 3, .stride = 2});
  stack.conv("2", 16, 3, {.padding = 1});
  stack.fully_connected("6", 20);
  stack.net().add("drop6", dn::dropout{0.5});
  stack.fully_connected("8", 4);
  auto net = stack.take();
  dn::initialize(net, 9, dn::initialization::he);
  auto x = dn::zeros<float>({6, 3, 12, 12});
  for (std::size_t k = 0; k < x.size(); ++k) x.data()[k] = std::sin(static_cast<float>(k * k % 1013));
  const std::vector<std::size_t> labels{0, 1, 2, 3, 0, 1};
  const std::size_t kept = dn::thread_count();
  std::vector<float> expected;
  dn::backpropagation<float> used(4);
  for (const std::size_t threads : {1u, 2u, 3u}) {
    dn::set_thread_count(threads);
    dn::backpropagation<float> fresh(4);
    used(net, x, labels, 99);
    for (auto* pass : {&fresh, &used}) {
      (*pass)(net, x, labels, 7);
      std::vector<float> all;
      for (const auto& gradient : pass->gradients()) all.insert(all.end(), gradient.values.begin(), gradient.values.end());
      if (expected.empty()) expected = all;
      CHECK(all == expected);
    }
  }
  dn::set_thread_count(kept);
}

TEST_CASE("what cannot be trained is named") {
  dn::network<float> net({1, 4, 4});
  net.add("conv", dn::conv2d<float>(filters_of<float>(2, 1, 4, 4)));
  net.add("own", dn::testing::twice{});
  const auto x = dn::zeros<float>({1, 1, 4, 4});
  const std::vector<std::size_t> labels{1};
  dn::backpropagation<float> pass;
  CHECK_THROWS_WITH_AS(pass(net, x, labels, 0), doctest::Contains("layer 'own'"), dn::unsupported_error);
  net.set_output("conv");
  CHECK_NOTHROW(pass(net, x, labels, 0));
  CHECK_THROWS_AS(pass(net, dn::zeros<float>({1, 2, 4, 4}), labels, 0), dn::shape_error);
  net.add("probability", dn::softmax{}, {"conv"});
  net.set_output("probability");
  CHECK_THROWS_WITH_AS(pass(net, x, labels, 0), doctest::Contains("'probability' is a softmax"), dn::error);
}
