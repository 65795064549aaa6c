#include <deconvnet/network/model.hpp>

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

TEST_CASE("a run of this network is accepted, also by a copy and by a network put together the same way") {
  const auto net = branched_network<float>();
  const auto run = net.forward(branched_batch<float>());
  CHECK_NOTHROW(dn::detail::check_run(net, run));
  auto copy = net;
  CHECK_NOTHROW(dn::detail::check_run(copy, run));
  copy.alias("entry", "conv1");
  CHECK_NOTHROW(dn::detail::check_run(copy, run));
  CHECK_NOTHROW(dn::detail::check_run(branched_network<float>(), run));
}

TEST_CASE("no run, and a run of a network with other layers, are refused") {
  const auto net = branched_network<float>();
  CHECK(names(message_of<dn::error>([&] { dn::detail::check_run(net, dn::trace<float>()); }), "empty"));
  auto longer = net;
  longer.add("more", dn::relu{});
  const auto run = longer.forward(branched_batch<float>());
  CHECK(names(message_of<dn::error>([&] { dn::detail::check_run(net, run); }), "another network"));
}
