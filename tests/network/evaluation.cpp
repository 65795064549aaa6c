#include <deconvnet/network/evaluation.hpp>

#include <stdexcept>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <deconvnet/network/projection.hpp>
#include <deconvnet/ops/reshape.hpp>

#include "sample_networks.hpp"

namespace dn = deconvnet;
using namespace deconvnet::testing;

namespace {

using flags = std::vector<bool>;

/// input -> 0 (pool) -> 1 (relu, needs signs) -> 2 (needs its input) -> 3; 4 reads 0 and 2.
std::vector<dn::detail::plan_step> five_steps() {
  const dn::reverse_needs sign{.input = false, .output = false, .sign = true};
  const dn::reverse_needs input{.input = true, .output = false, .sign = false};
  const dn::reverse_needs output{.input = false, .output = true, .sign = false};
  return {{{0}, {}}, {{1}, sign}, {{2}, input}, {{3}, output}, {{1, 3}, {}}};
}

}  // namespace

TEST_CASE("a plan without names keeps every value and needs no signs") {
  const auto plan = dn::detail::make_plan(five_steps(), {}, true);
  CHECK(plan.needed == flags(6, true));
  CHECK(plan.keep_value == flags(6, true));
  CHECK(plan.keep_signs == flags(6, false));
  CHECK(plan.keep_switches);
}

TEST_CASE("a plan keeps what was named and what projecting from it reads") {
  const auto plan = dn::detail::make_plan(five_steps(), {3}, true);
  CHECK(plan.needed == flags{true, true, true, true, true, false});
  CHECK(plan.keep_value == flags{false, false, true, false, true, false});    // 2 reads value 2; 3 is named
  CHECK(plan.keep_signs == flags{false, false, false, false, false, false});  // relu's output is kept already
  CHECK(dn::detail::make_plan(five_steps(), {1, 0}, true).keep_signs ==
        flags{false, false, false, false, false, false});
  CHECK(dn::detail::make_plan({{{0}, {.sign = true}}, {{1}, {}}}, {1}, true).keep_signs == flags{false, true, false});
}

TEST_CASE("a plan for the output alone keeps it and nothing else") {
  const auto plan = dn::detail::make_plan(five_steps(), {4}, false);
  CHECK(plan.needed == flags{true, true, true, true, false, true});
  CHECK(plan.keep_value == flags{false, false, false, false, false, true});
  CHECK(plan.keep_signs == flags(6, false));
  CHECK(!plan.keep_switches);
  CHECK(plan.last_use[1] == 4);
  CHECK(plan.last_use[3] == 4);
  CHECK(plan.last_use[2] == 2);
}

TEST_CASE("a value that a later layer still reads is not overwritten in place") {
  dn::network<double> net({2, 3, 3});
  net.add("conv", random_conv<double>({2, 2, 1, 1}, {}, 1));
  net.add("relu", dn::relu{});
  net.add("again", dn::relu{}, {"conv"});
  net.add("sum", dn::add{}, {"relu", "conv"});
  net.add("flat", dn::flatten{}, {"sum"});
  net.add("back", dn::reshape{{2, 3, 3}});
  net.add("last", dn::add{}, {"back", "again"});
  const auto x = random_maps<double>({2, 2, 3, 3}, 2);
  const auto run = net.forward(x);
  CHECK(run["last"] == dn::tensor4<double>(2 * run["relu"] + run["conv"]));
  CHECK(net(x) == run["last"]);
  for (const auto& info : net.layers()) CHECK(net.forward(x, {.keep = {info.name}})[info.name] == run[info.name]);
}

TEST_CASE("the input is never overwritten, not even by layers that work in place") {
  dn::network<double> net;
  net.add("relu", dn::relu{});
  net.add("drop", dn::dropout{0.5});
  const auto x = random_maps<double>({1, 2, 3, 3}, 2);
  auto copy = x;
  net(copy);
  net.forward(copy, {.keep = {"drop"}});
  CHECK(copy == x);
}

TEST_CASE("every layer kept by itself has the bits of a full run, and so has the output alone") {
  const auto net = branched_network<float>();
  const auto x = branched_batch<float>(2);
  const auto run = net.forward(x);
  for (const auto& info : net.layers()) {
    CAPTURE(info.name);
    CHECK(same_bits(net.forward(x, {.keep = {info.name}})[info.name], run[info.name]));
  }
  CHECK(same_bits(net(x), run["prob"]));
}

TEST_CASE("a shape that does not fit is told with the layer's name before it") {
  dn::network<float> net;
  net.add("conv", random_conv<float>({1, 2, 3, 3}, {}, 1));
  net.add("fc", random_linear<float>(2, 9, 1));
  CHECK(names(message_of([&] {
                net.forward(random_maps<float>({1, 3, 5, 5}, 1));
              }),
              "layer 'conv'", "1 x 3 x 5 x 5", "1 x 2 x 3 x 3"));
  CHECK(names(message_of([&] { net(random_maps<float>({1, 2, 6, 5}, 1)); }), "layer 'fc'", "12", "2 x 9"));
  CHECK_NOTHROW(net(random_maps<float>({1, 2, 5, 5}, 1)));
}

namespace {

template <class Error>
std::string message_from_a_layer() {
  const auto throws = [](const dn::tensor4<float>& x) -> dn::tensor4<float> {
    if (x.size() > 0) throw Error("trouble");
    return x;
  };
  const auto net = network_of<float>(throws);
  return message_of<Error>([&] { net(dn::zeros<float>({1, 1, 2, 2})); });
}

}  // namespace

TEST_CASE("whatever error of the library a layer throws keeps its type and gets the layer's name") {
  CHECK(message_from_a_layer<dn::error>() == "layer 'layer': trouble");
  CHECK(message_from_a_layer<dn::shape_error>() == "layer 'layer': trouble");
  CHECK(message_from_a_layer<dn::unsupported_error>() == "layer 'layer': trouble");
  CHECK(message_from_a_layer<std::runtime_error>() == "trouble");
}

namespace {

/// Branches of 16, 20 and 3 channels, joined; the last has no ReLU. Winograd serves the first two.
dn::network<float> joining_network(std::size_t last_padding = 1) {
  dn::network<float> net;
  net.add("first", random_conv<float>({16, 3, 1, 1}, {}, 1));
  net.add("a", random_conv<float>({16, 16, 3, 3}, {.padding = 1}, 2), {"first"});
  net.add("a relu", dn::relu{});
  net.add("b", random_conv<float>({20, 16, 3, 3}, {.padding = 1}, 3), {"first"});
  net.add("b relu", dn::relu{});
  net.add("c", random_conv<float>({3, 16, 3, 3}, {.padding = last_padding}, 4), {"first"});
  net.add("joined", dn::concat{}, {"a relu", "c", "b relu"});
  net.add("pool", dn::max_pool2d{{2, 2}});
  net.add("again", dn::concat{}, {"pool", "pool"});
  return net;
}

}  // namespace

TEST_CASE("layers that only a concatenation reads write their channels where it has them") {
  const auto steps = joining_network().plan_steps();
  const auto plan = dn::detail::make_plan(steps, {8}, false);
  CHECK(plan.put_together == flags{false, false, false, false, false, false, true, false, false});
  const auto part_is = [&](std::size_t layer, std::size_t first) {
    const auto& part = plan.parts[layer];
    return part.value == 7 && part.first == first && part.channels == 39;
  };
  CHECK(part_is(1, 0));
  CHECK(part_is(5, 16));
  CHECK(part_is(3, 19));
  for (const std::size_t layer : {0u, 2u, 4u, 6u, 7u, 8u}) CHECK(plan.parts[layer].value == 0);
  // A branch that is kept, or whose signs are, has a value of its own.
  CHECK(!dn::detail::make_plan(steps, {8, 5}, false).put_together[6]);
  CHECK(!dn::detail::make_plan(steps, {8}, true).put_together[6]);
}

TEST_CASE("a concatenation put together by its branches has the bits of one that copies") {
  const auto net = joining_network();
  for (const std::size_t size : {14u, 7u}) {
    for (const std::size_t images : {1u, 2u, 1u}) {
      const auto x = random_maps<float>({images, 3, size, size}, 5);
      const auto run = net.forward(x);
      CHECK(same_bits(net(x), run["again"]));
      CHECK(same_bits(net(x), run["again"]));
    }
  }
  auto until_joined = joining_network();
  until_joined.set_output("joined");
  const auto x = random_maps<float>({1, 3, 9, 9}, 5);
  const auto expected = net.forward(x)["joined"];
  const auto once = until_joined(x);
  CHECK(same_bits(once, expected));
  CHECK(same_bits(until_joined(random_maps<float>({1, 3, 9, 9}, 6)), net.forward(random_maps<float>({1, 3, 9, 9}, 6))["joined"]));
  CHECK(same_bits(once, expected));
}

TEST_CASE("branches that do not fit each other are told by the concatenation") {
  for (const std::size_t images : {1u, 2u}) {
    CHECK(names(message_of([&] { joining_network(0)(random_maps<float>({images, 3, 9, 9}, 5)); }), "layer 'joined'", "concat", "differ"));
  }
}
