// Training steps of three small networks against PyTorch in float64: tests/fixtures/make_training.py.
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <deconvnet/io/safetensors.hpp>
#include <deconvnet/network/stack.hpp>
#include <deconvnet/ops/local_response_norm.hpp>
#include <deconvnet/training/backpropagation.hpp>
#include <deconvnet/training/sgd.hpp>

namespace dn = deconvnet;

namespace {

constexpr std::size_t step_classes = 4, step_batch = 16, step_size = 19;
constexpr std::uint64_t mask_seed = 11;

std::pair<dn::tensor4<double>, std::vector<std::size_t>> training_step_batch(std::size_t step) {
  auto x = dn::zeros<double>({step_batch, 3, step_size, step_size});
  std::vector<std::size_t> labels(step_batch);
  const std::size_t count = 3 * step_size * step_size;
  for (std::size_t n = 0; n < step_batch; ++n) {
    labels[n] = (n * 7 + step) % step_classes;
    const std::size_t number = step * step_batch + n;
    for (std::size_t k = 0; k < count; ++k) {
      const std::size_t noise = (number * 7919 + k * 104729 + number * k % 613) % 1000;
      const bool bright = k * (labels[n] + 2) % 11 < 3;
      x.data()[n * count + k] = 0.5 * (static_cast<double>(noise) / 500 - 1) + (bright ? 1 : 0);
    }
  }
  return {x, labels};
}

const dn::local_response_norm step_norm({.size = 5, .alpha = 5e-4, .beta = 0.75, .bias = 2});

void end_with_classifier(dn::detail::layer_stack<double>& stack) {
  stack.fully_connected("6", 12);
  stack.net().add("relu6", dn::relu{});
  stack.net().add("drop6", dn::dropout{0.5});
  stack.fully_connected("8", step_classes);
}

dn::network<double> small_alexnet() {
  dn::detail::layer_stack<double> stack({3, step_size, step_size});
  stack.conv("1", 6, 5, {.stride = 2, .padding = 2});
  stack.net().add("norm1", step_norm);
  stack.pool("1", {.kernel = 3, .stride = 2});
  stack.conv("2", 8, 3, {.padding = 1, .groups = 2});
  stack.net().add("norm2", step_norm);
  stack.pool("2", {.kernel = 2, .stride = 2});
  stack.conv("3", 8, 3, {.padding = 1});
  stack.conv("4", 6, 3, {.padding = 1, .groups = 2});
  end_with_classifier(stack);
  return stack.take();
}

dn::network<double> small_zfnet() {
  const dn::max_pool2d_options pool{.kernel = 3, .stride = 2, .padding = 0, .dilation = 1, .ceil_mode = true};
  dn::detail::layer_stack<double> stack({3, step_size, step_size});
  stack.conv("1", 6, 3, {.padding = 1});
  stack.pool("1", pool);
  stack.net().add("norm1", step_norm);
  stack.conv("2", 8, 3, {.stride = 2, .padding = 1});
  stack.pool("2", pool);
  stack.net().add("norm2", step_norm);
  stack.conv("3", 10, 3, {.padding = 1});
  stack.conv("4", 8, 3, {.padding = 1});
  end_with_classifier(stack);
  return stack.take();
}

dn::network<double> small_batch_normalized() {
  const dn::max_pool2d_options pool{.kernel = 3, .stride = 2};
  dn::detail::layer_stack<double> stack({3, step_size, step_size});
  stack.conv_batch_norm("1", 6, 3, {.padding = 1});
  stack.pool("1", pool);
  stack.conv_batch_norm("2", 8, 3, {.stride = 2, .padding = 1});
  stack.conv_batch_norm("3", 8, 3, {.padding = 1});
  stack.pool("3", pool);
  end_with_classifier(stack);
  return stack.take();
}

using stored_tensors = std::map<std::string, dn::stored_tensor<double>>;

/// The tensors of one kind in the network's order; PyTorch numbers its layers, which sort as text.
std::vector<std::vector<double>> in_order(const stored_tensors& stored, const std::string& kind) {
  std::vector<std::vector<double>> result;
  for (int layer = 0; layer < 100; ++layer) {
    for (const char* part : {".weight", ".bias", ".running_mean", ".running_var"}) {
      const auto found = stored.find(kind + "." + std::to_string(layer) + part);
      if (found != stored.end()) result.push_back(found->second.values);
    }
  }
  return result;
}

double largest_difference(std::span<const double> a, const std::vector<double>& b) {
  REQUIRE(a.size() == b.size());
  double worst = 0;
  for (std::size_t k = 0; k < a.size(); ++k) worst = std::max(worst, std::abs(a[k] - b[k]));
  return worst;
}

void check_against_pytorch(dn::network<double> net, const std::string& name) {
  CAPTURE(name);
  const auto stored = dn::read_safetensors<double>(std::filesystem::path(DECONVNET_FIXTURES_DIR) / "training" / (name + ".safetensors"));
  const auto initial = in_order(stored, "initial");
  const auto gradients = in_order(stored, "gradient");
  const auto updated = in_order(stored, "updated");
  const auto parameters = net.parameters();
  REQUIRE(initial.size() == parameters.size());
  for (std::size_t k = 0; k < initial.size(); ++k) net.set_parameter(parameters[k].name, initial[k]);

  dn::backpropagation<double> pass(mask_seed);
  dn::sgd<double> optimizer(net, {.momentum = 0.9, .weight_decay = 5e-4});
  const auto& losses = stored.at("losses").values;
  double worst = 0;
  for (std::size_t step = 0; step < losses.size(); ++step) {
    const auto [x, labels] = training_step_batch(step);
    const double loss = pass(net, x, labels, step).loss;
    worst = std::max(worst, std::abs(loss - losses[step]));
    if (step == 0) {
      std::size_t k = 0;
      for (const auto& gradient : pass.gradients()) {
        if (gradient.role != dn::parameter_role::learned) continue;
        CAPTURE(gradient.name);
        REQUIRE(k < gradients.size());
        CHECK(largest_difference(gradient.values, gradients[k++]) < 1e-13);
      }
      CHECK(k == gradients.size());
    }
    optimizer(net, pass.gradients(), 1e-2);
    if (step != 0) continue;
    for (std::size_t k = 0; k < updated.size(); ++k) {
      CAPTURE(parameters[k].name);
      CHECK(largest_difference(net.parameters()[k].values, updated[k]) < 1e-14);
    }
  }
  MESSAGE(name << ": the losses of 100 steps differ by " << worst << " at most");
  CHECK(worst < 1e-9);
  // Curves that stand still would agree, too.
  double first = 0, last = 0;
  for (std::size_t k = 0; k < 10; ++k) {
    first += losses[k];
    last += losses[losses.size() - 1 - k];
  }
  CHECK(last < 0.7 * first);
}

}  // namespace

TEST_CASE("a training step of a small AlexNet, and the loss of 100, are PyTorch's") { check_against_pytorch(small_alexnet(), "alexnet"); }

TEST_CASE("a training step of a small ZFNet, and the loss of 100, are PyTorch's") { check_against_pytorch(small_zfnet(), "zfnet"); }

TEST_CASE("a training step with batch normalization, its running statistics, and the loss of 100, are PyTorch's") {
  check_against_pytorch(small_batch_normalized(), "batch_normalized");
}
