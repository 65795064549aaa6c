#include <deconvnet/network/model.hpp>

#include <utility>

#include <doctest/doctest.h>

#include <deconvnet/network/pipeline.hpp>

#include "sample_networks.hpp"

namespace dn = deconvnet;
using namespace deconvnet::testing;

using small_pipeline = dn::pipeline<dn::conv2d<float>, dn::relu>;

static_assert(dn::model_of<dn::network<float>, float>);
static_assert(dn::model_of<dn::network<double>, double>);
static_assert(!dn::model_of<dn::network<double>, float>);
static_assert(dn::model_of<small_pipeline, float>);
static_assert(dn::model_of<dn::pipeline<dn::relu>, double>);
static_assert(!dn::model_of<small_pipeline, double>);
static_assert(!dn::model_of<dn::relu, float>);
static_assert(!dn::model_of<dn::network<float>, int>);

TEST_CASE("a network is its own graph, a pipeline shows one that shares its weights") {
  const auto net = branched_network<float>();
  CHECK(&dn::detail::graph_of<float>(net) == &net);
  const small_pipeline pipe{random_conv<float>({2, 1, 3, 3}, {}, 1), dn::relu{}};
  const auto graph = dn::detail::graph_of<float>(pipe);
  CHECK(graph.size() == 2);
  CHECK(graph.get_if<dn::conv2d<float>>(0)->weight().data() == pipe.get<0>().weight().data());
}

TEST_CASE("a run of this network is accepted, also by a copy, under another name for a layer, with another output") {
  const auto net = branched_network<float>();
  const auto run = net.forward(branched_batch<float>());
  CHECK_NOTHROW(dn::detail::check_run(net, run));
  auto copy = net;
  CHECK_NOTHROW(dn::detail::check_run(copy, run));
  copy.alias("entry", "conv1");
  copy.set_output("conv2");
  CHECK_NOTHROW(dn::detail::check_run(copy, run));
  CHECK_NOTHROW(dn::detail::check_run(net, dn::trace<float>(run)));
  const auto moved = std::move(copy);
  CHECK_NOTHROW(dn::detail::check_run(moved, run));
}

TEST_CASE("a run of a network put together the same way is refused: its weights are not looked at") {
  const auto run = branched_network<float>().forward(branched_batch<float>());
  CHECK(names(message_of<dn::error>([&] { dn::detail::check_run(branched_network<float>(), run); }), "another network"));
}

TEST_CASE("a run of a network of equal names and shapes is refused") {
  const auto conv = random_conv<float>({2, 2, 1, 1}, {}, 1);
  dn::network<float> up;
  up.add("a", conv);
  up.add("b", dn::relu{});
  dn::network<float> down;
  down.add("a", dn::relu{});
  down.add("b", conv);
  const auto run = up.forward(random_maps<float>({1, 2, 3, 3}, 1));
  CHECK_NOTHROW(dn::detail::check_run(up, run));
  CHECK(names(message_of<dn::error>([&] { dn::detail::check_run(down, run); }), "another network"));
}

TEST_CASE("a run made before a weight was edited is refused, by the edited copy only") {
  const auto net = branched_network<float>();
  auto run = net.forward(branched_batch<float>());
  auto copy = net;
  CHECK_THROWS_AS(copy.edit_parameter("conv1.nothing"), dn::error);
  CHECK_NOTHROW(dn::detail::check_run(copy, run));
  copy.edit_parameter("conv1.bias")[0] += 1;
  CHECK(names(message_of<dn::error>([&] { dn::detail::check_run(copy, run); }), "weights"));
  CHECK_NOTHROW(dn::detail::check_layers(copy, run));
  CHECK_NOTHROW(dn::detail::check_run(net, run));
  copy.forward(branched_batch<float>(), run);
  CHECK_NOTHROW(dn::detail::check_run(copy, run));
  CHECK(names(message_of<dn::error>([&] { dn::detail::check_run(net, run); }), "weights"));
}

TEST_CASE("no run, and a run of a network with other layers, are refused") {
  const auto net = branched_network<float>();
  CHECK(names(message_of<dn::error>([&] { dn::detail::check_run(net, dn::trace<float>()); }), "empty"));
  auto longer = net;
  longer.add("more", dn::relu{});
  const auto run = longer.forward(branched_batch<float>());
  CHECK(names(message_of<dn::error>([&] { dn::detail::check_run(net, run); }), "another network"));
}
