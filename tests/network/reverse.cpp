#include <deconvnet/network/reverse.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <deconvnet/network/projection.hpp>

#include "own_operators.hpp"
#include "sample_networks.hpp"

namespace dn = deconvnet;
using namespace deconvnet::testing;

namespace {

const dn::rule reverse_rules[] = {dn::rule::deconvnet, dn::rule::gradient, dn::rule::guided};
const std::size_t image_zero[] = {0};

/// A reverse that answers with what it was made with.
struct wrong_reverse {
  static constexpr dn::reverse_needs needs{};
  dn::shape4 shape;
  std::size_t count = 1;

  template <dn::scalar T>
  void forward(const dn::tensor4<T>& x, dn::tensor4<T>& y) const {
    y = x;
  }
  template <dn::scalar T>
  std::vector<dn::tensor4<T>> reverse(const dn::tensor4<T>&, const dn::reverse_context<T>&) const {
    return std::vector<dn::tensor4<T>>(count, dn::zeros<T>(shape));
  }
};

/// Keeps what its reverse was told.
struct curious {
  struct notes {
    dn::rule how;
    std::vector<dn::shape4> shapes;
    std::vector<std::size_t> images;
    bool input, output, signs, switches;
  };
  static inline std::vector<notes> seen;
  static constexpr dn::reverse_needs needs{.input = false, .output = false, .sign = true};

  template <dn::scalar T>
  void forward(const dn::tensor4<T>& x, dn::tensor4<T>& y) const {
    y = x;
  }
  template <dn::scalar T>
  dn::tensor4<T> reverse(const dn::tensor4<T>& signal, const dn::reverse_context<T>& at) const {
    seen.push_back({at.how,
                    at.input_shapes,
                    {at.images.begin(), at.images.end()},
                    at.recorded_inputs[0] != nullptr,
                    at.recorded_output != nullptr,
                    at.recorded_signs != nullptr,
                    at.recorded_switches != nullptr});
    return signal;
  }
};

}  // namespace

TEST_CASE("gradient through a whole network is the derivative: finite differences in double") {
  const auto net = branched_network<double>();
  const auto x = branched_batch<double>(2);
  const auto run = net.forward(x);
  for (const std::string name : {"norm1", "pool1", "bn2", "concat3", "relu4", "avg5", "fc6", "fc7", "prob"}) {
    CAPTURE(name);
    const auto signal = random_maps<double>(run.shape(name), 3);
    const auto slope = dn::deconv(net, run, name, signal, dn::rule::gradient);
    REQUIRE(inner_product(slope, slope) > 0);
    double worst = 0;
    for (std::size_t k = 0; k < x.size(); k += 5) {
      constexpr double step = 1e-6;
      auto more = x;
      auto less = x;
      more.data()[k] += step;
      less.data()[k] -= step;
      const double up = inner_product(net.forward(more, {.keep = {name}})[name], signal);
      const double down = inner_product(net.forward(less, {.keep = {name}})[name], signal);
      worst = std::max(worst, std::abs((up - down) / (2 * step) - slope.data()[k]));
    }
    CHECK(worst < 1e-7 * std::max(1.0, *std::max_element(slope.begin(), slope.end())));
  }
}

TEST_CASE("a layer on the way without a reverse is told by name and kind") {
  dn::network<float> net;
  net.add("own", twice{});
  net.add("relu", dn::relu{});
  const auto run = net.forward(branched_batch<float>());
  const auto down = [&] { dn::detail::reverse(net, run, 1, run["relu"], dn::rule::deconvnet, image_zero); };
  CHECK(names(message_of<dn::unsupported_error>(down), "'own'", "operator"));
}

TEST_CASE("a layer without a reverse that is not on the way does not matter") {
  dn::network<double> net({1, 2, 2});
  net.add("own", twice{});
  net.add("relu", dn::relu{}, {"input"});
  net.add("late", twice{});
  const auto run = net.forward(random_maps<double>({1, 1, 2, 2}, 1));
  CHECK_NOTHROW(dn::project(net, run, "relu", dn::unit{}));
}

TEST_CASE("a reverse that gives another shape or number of signals is refused by name") {
  const auto x = random_maps<double>({1, 2, 3, 3}, 1);
  const auto down = [&](const wrong_reverse& op) {
    const auto net = network_of<double>(op);
    dn::deconv(net, net.forward(x), 0, x);
  };
  CHECK(names(message_of([&] { down({{1, 2, 3, 4}}); }), "'layer'", "1 x 2 x 3 x 4", "1 x 2 x 3 x 3"));
  CHECK(names(message_of<dn::error>([&] { down({{1, 2, 3, 3}, 2}); }), "'layer'", "2 signals for 1"));
  CHECK_THROWS_AS(down({{1, 2, 3, 3}, 0}), dn::error);
  CHECK_NOTHROW(down({{1, 2, 3, 3}}));
}

TEST_CASE("what a reverse is told: the rule, its input's shape, whose pictures they are, and no more than it needs") {
  dn::network<double> net;
  net.add("curious", curious{});
  net.add("conv", random_conv<double>({1, 2, 1, 1}, {}, 1));
  const auto x = random_maps<double>({3, 2, 2, 2}, 1);
  const std::vector<dn::unit> units{{2, 0, 0, 0}, {0, 0, 1, 1}};
  curious::seen.clear();
  dn::project(net, net.forward(x, {.keep = {"conv"}}), "conv", std::span<const dn::unit>(units), dn::rule::guided);
  REQUIRE(curious::seen.size() == 1);
  CHECK(curious::seen[0].how == dn::rule::guided);
  CHECK(curious::seen[0].shapes == std::vector<dn::shape4>{{2, 2, 2, 2}});
  CHECK(curious::seen[0].images == std::vector<std::size_t>{2, 0});
  CHECK(curious::seen[0].signs);
  CHECK_FALSE(curious::seen[0].input);
  CHECK_FALSE(curious::seen[0].output);
  CHECK_FALSE(curious::seen[0].switches);
  dn::project(net, net.forward(x), "conv", dn::unit{});
  CHECK(curious::seen[1].input);
  CHECK(curious::seen[1].output);
  CHECK_FALSE(curious::seen[1].signs);  // the output tells the sign
}

TEST_CASE("a way down may end at a layer: the rest of the way gives the whole") {
  const auto net = branched_network<double>();
  const auto run = net.forward(branched_batch<double>());
  const auto signal = random_maps<double>(run.shape("fc7"), 3);
  const std::size_t start = net.find("fc7");
  for (const auto how : reverse_rules) {
    for (const std::string name : {"relu4", "conv1"}) {  // every way from fc7 to the input passes these
      const std::size_t middle = net.find(name);
      const auto half = dn::detail::reverse_to(net, run, start, middle + 1, signal, how, image_zero);
      CHECK(dn::shape_of(half) == run.shape(name));
      CHECK(same_bits(dn::detail::reverse(net, run, middle, half, how, image_zero),
                      dn::detail::reverse(net, run, start, signal, how, image_zero)));
    }
  }
}

TEST_CASE("a way down to a layer that the start does not depend on is zero, to the start itself the signal") {
  const auto net = branched_network<double>();
  const auto run = net.forward(branched_batch<double>());
  const auto signal = random_maps<double>(run.shape("relu3a"), 3);
  const auto to = [&](const char* name) {
    return dn::detail::reverse_to(net, run, net.find("relu3a"), net.find(name) + 1, signal, dn::rule::gradient,
                                  image_zero);
  };
  CHECK(to("conv3b") == dn::zeros<double>(run.shape("conv3b")));
  CHECK(to("fc7") == dn::zeros<double>(run.shape("fc7")));
  CHECK(to("relu3a") == signal);
}
