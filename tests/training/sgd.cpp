#include <deconvnet/training/sgd.hpp>

#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include <deconvnet/ops/linear.hpp>

#include "../analysis/thread_count.hpp"
#include "../network/sample_networks.hpp"

namespace dn = deconvnet;
using namespace deconvnet::testing;

namespace {

/// fc.weight 2 x 3 and fc.bias 2.
template <class T>
dn::network<T> sgd_network() {
  dn::network<T> net({3, 1, 1});
  net.add("fc", dn::linear<T>{dn::tensor<T, 2>{{T(0.5), T(-0.25), T(1)}, {T(2), T(-1.5), T(0.125)}},
                              dn::tensor<T, 1>{T(0.1), T(-0.2)}});
  return net;
}

template <class T>
std::vector<dn::parameter_gradient<T>> sgd_gradients(std::vector<T> weight, std::vector<T> bias) {
  return {{"fc.weight", dn::parameter_role::learned, std::move(weight)}, {"fc.bias", dn::parameter_role::learned, std::move(bias)}};
}


template <class Holder>
auto flat_values(const Holder& holder) {
  using T = typename Holder::value_type;
  std::vector<T> all;
  for (const auto& p : holder.parameters()) all.insert(all.end(), p.values.begin(), p.values.end());
  return all;
}

/// Five updates, the rate lowered before the fourth; the weights, then the momentum buffers.
template <class T>
std::vector<T> five_updates() {
  auto net = sgd_network<T>();
  dn::sgd<T> update(net);
  for (int t = 0; t < 5; ++t) {
    const T times = T(t + 1);
    std::vector<T> weight;
    for (int k = 0; k < 6; ++k) weight.push_back(T(k - 2) / 4 * times);
    update(net, sgd_gradients<T>(weight, {T(0.5) / times, T(-0.75) / times}), t < 3 ? 0.1 : 0.01);
  }
  auto result = flat_values(net);
  const auto buffers = flat_values(update);
  result.insert(result.end(), buffers.begin(), buffers.end());
  return result;
}

}  // namespace

TEST_CASE("two updates by hand: v = m v + (g + d w), w -= r v") {
  dn::network<double> net({1, 1, 1});
  net.add("fc", dn::linear<double>{dn::tensor<double, 2>{{2.0}}});
  dn::sgd<double> update(net, {.momentum = 0.5, .weight_decay = 0.25});
  const std::vector<dn::parameter_gradient<double>> gradient = {{"fc.weight", dn::parameter_role::learned, {1.0}}};
  update(net, gradient, 0.5);  // v = 1 + 0.5 = 1.5, w = 2 - 0.75
  CHECK(net.parameters()[0].values[0] == 1.25);
  CHECK(update.parameters()[0].values[0] == 1.5);
  update(net, gradient, 0.5);  // v = 0.75 + 1 + 0.3125 = 2.0625, w = 1.25 - 1.03125
  CHECK(net.parameters()[0].values[0] == 0.21875);
  CHECK(update.parameters()[0].values[0] == 2.0625);
}

TEST_CASE("five updates are those of torch.optim.SGD") {
  // w = [[0.5, -0.25, 1], [2, -1.5, 0.125]], b = [0.1, -0.2]; optim.SGD([w, b], lr=0.1, momentum=0.9, weight_decay=5e-4);
  // for t in 0..4: lr = 0.01 from t = 3 on; w.grad = (arange(6) - 2) / 4 * (t + 1); b.grad = [0.5, -0.75] / (t + 1); step().
  // PyTorch 2.15, float64: w, b, and their momentum_buffer.
  const std::vector<double> expected = {
      1.086282751037607,   0.0433004518801068,  0.9996818472773934,    1.7061427808553316,
      -2.0859645983150004, -0.7547025101886914, -0.1166813842332127,   0.12503798398594937,
      -6.570454870020569,  -3.2862510340058053, 0.0020471979910410957, 3.2898336304901266,
      6.568407672029528,   9.857473603273014,   0.8577440135610362,    -1.2867183802411064};
  const auto exact = five_updates<double>();
  REQUIRE(exact.size() == expected.size());
  for (std::size_t k = 0; k < expected.size(); ++k) CHECK(exact[k] == doctest::Approx(expected[k]).epsilon(1e-14));
  // float32.
  const std::vector<float> rounded = {1.086282730102539f,   0.04330042749643326f, 0.9996818900108337f,    1.7061429023742676f,
                                      -2.0859646797180176f, -0.7547025680541992f, -0.11668138951063156f,  0.1250379979610443f,
                                      -6.5704545974731445f, -3.2862510681152344f, 0.0020471978932619095f, 3.2898337841033936f,
                                      6.56840705871582f,    9.857473373413086f,   0.857744038105011f,     -1.2867183685302734f};
  const auto single = five_updates<float>();
  for (std::size_t k = 0; k < rounded.size(); ++k) CHECK(single[k] == doctest::Approx(rounded[k]).epsilon(1e-6));
}

TEST_CASE("without decay of biases only what has one dimension keeps its size") {
  auto net = sgd_network<double>();
  dn::sgd<double> update(net, {.weight_decay = 0.5, .decay_biases = false});
  update(net, sgd_gradients<double>(std::vector<double>(6), {0, 0}), 1);
  CHECK(net.parameters()[0].values[0] == 0.25);
  CHECK(net.parameters()[1].values[0] == 0.1);
}

TEST_CASE("statistics take a tenth of what the batch observed, constants stay") {
  dn::network<float> net({2, 1, 1});
  net.add("bn", random_batch_norm<float>(2, 1));
  const auto before = flat_values(net);
  std::vector<dn::parameter_gradient<float>> gradients;
  for (const auto& p : net.parameters()) {
    const bool statistic = p.name.starts_with("bn.running");
    gradients.push_back({p.name, statistic ? dn::parameter_role::statistic : dn::parameter_role::constant, {}});
    if (statistic) gradients.back().values = {10, 20};
  }
  dn::sgd<float> update(net, {});
  update(net, gradients, 0.1);
  const auto after = flat_values(net);
  for (std::size_t k = 0; k < 4; ++k) CHECK(after[k] == before[k]);
  for (std::size_t k = 4; k < 8; ++k) CHECK(after[k] == 0.9f * before[k] + 0.1f * (k % 2 ? 20.f : 10.f));
  for (const float value : flat_values(update)) CHECK(value == 0);
}

TEST_CASE("every element is updated, in long weights too, with the same bits for any number of threads") {
  dn::network<float> start({1000, 1, 1});
  start.add("fc", random_linear<float>(67, 1000, 5));
  const std::vector<dn::parameter_gradient<float>> gradients = {
      {"fc.weight", dn::parameter_role::learned, random_values<float>(67000, 8)},
      {"fc.bias", dn::parameter_role::learned, random_values<float>(67, 9)}};
  std::vector<float> first;
  for (const std::size_t threads : {1u, 2u, 3u}) {
    const thread_count_for_test guard(threads);
    auto net = start;
    dn::sgd<float> update(net);
    for (int k = 0; k < 2; ++k) update(net, gradients, 0.01);
    const auto after = flat_values(net);
    if (first.empty()) first = after;
    CHECK(after == first);
  }
  const auto before = flat_values(start);
  const std::size_t wrong = static_cast<std::size_t>(std::count_if(first.begin(), first.end(), [&](const float& value) {
    const auto k = static_cast<std::size_t>(&value - first.data());
    const double g = static_cast<double>(k < 67000 ? gradients[0].values[k] : gradients[1].values[k - 67000]);
    double w = static_cast<double>(before[k]), v = 0;
    for (int t = 0; t < 2; ++t) w -= 0.01 * (v = 0.9 * v + g + 5e-4 * w);
    return std::abs(w - static_cast<double>(value)) > 1e-6;
  }));
  CHECK(wrong == 0);
}

TEST_CASE("a copy goes on by itself, and buffers put back go on where they were") {
  auto net = sgd_network<float>();
  dn::sgd<float> update(net);
  const auto gradients = sgd_gradients<float>({1, 2, 3, 4, 5, 6}, {7, 8});
  update(net, gradients, 0.1);
  auto other_net = net;
  dn::sgd<float> other(other_net);
  for (const auto& p : update.parameters()) other.set_parameter(p.name, p.values);
  update(net, gradients, 0.1);
  CHECK(flat_values(other_net) != flat_values(net));
  other(other_net, gradients, 0.1);
  CHECK(flat_values(other_net) == flat_values(net));
  CHECK(flat_values(other) == flat_values(update));
}

TEST_CASE("what does not fit is refused") {
  auto net = sgd_network<float>();
  CHECK_THROWS_AS((dn::sgd<float>(net, {.momentum = 1})), dn::error);
  CHECK_THROWS_AS((dn::sgd<float>(net, {.momentum = -0.1})), dn::error);
  CHECK_THROWS_AS((dn::sgd<float>(net, {.weight_decay = -1})), dn::error);
  dn::sgd<float> update(net);
  const auto gradients = sgd_gradients<float>({1, 2, 3, 4, 5, 6}, {7, 8});
  CHECK_THROWS_AS(update(net, gradients, std::numeric_limits<double>::quiet_NaN()), dn::error);
  CHECK_THROWS_AS(update(net, gradients, -0.1), dn::error);
  CHECK_THROWS_AS(update(net, {gradients[0]}, 0.1), dn::error);
  CHECK_THROWS_WITH_AS(update(net, sgd_gradients<float>({1, 2, 3}, {7, 8}), 0.1), doctest::Contains("fc.weight"), dn::error);
  CHECK_THROWS_AS(update(net, {gradients[1], gradients[0]}, 0.1), dn::error);
  CHECK_THROWS_AS(update.set_parameter("fc.scale", {}), dn::error);
  CHECK_THROWS_AS(update.set_parameter("fc.weight", {}), dn::shape_error);
}
