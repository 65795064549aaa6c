#include <deconvnet/network/trace.hpp>

#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <deconvnet/network/pipeline.hpp>
#include <deconvnet/network/projection.hpp>
#include <deconvnet/network/receptive_field.hpp>

#include "own_operators.hpp"
#include "sample_networks.hpp"

namespace dn = deconvnet;
using namespace deconvnet::testing;

namespace {

const auto x = branched_batch<float>(2);

/// Every kept value of two runs has the same bits.
bool same_runs(const dn::network<float>& net, const dn::trace<float>& a, const dn::trace<float>& b) {
  for (const auto& info : net.layers()) {
    if (!same_bits(a[info.name], b[info.name])) return false;
  }
  return same_bits(a.input(), b.input()) && a.switches("pool1").places == b.switches("pool1").places;
}

std::vector<const void*> addresses(const dn::network<float>& net, const dn::trace<float>& run) {
  std::vector<const void*> list{run.input().data(), run.switches("pool1").places.data()};
  for (const auto& info : net.layers()) list.push_back(run[info.name].data());
  return list;
}

}  // namespace

TEST_CASE("a trace holds the input, every layer's output and every pool's switches") {
  const auto net = branched_network<float>();
  const auto run = net.forward(x);
  CHECK(!run.empty());
  CHECK(run.input() == x);
  CHECK(run.input_shape() == dn::shape4{2, 2, 9, 12});
  for (const auto& info : net.layers()) {
    dn::shape4 shape = info.shape;
    shape[0] = 2;
    CHECK(dn::shape_of(run[info.name]) == shape);
    CHECK(run.shape(info.name) == shape);
  }
  CHECK(run.switches("pool1").input_shape == run.shape("norm1"));
  CHECK(run.switches("pool1").output_shape() == run.shape("pool1"));
  CHECK(&run["conv1"] == &run[0]);
  CHECK(dn::shape_of(run["fc6"]) == dn::shape4{2, 5, 1, 1});
}

TEST_CASE("a trace refuses what it does not hold") {
  const auto run = branched_network<float>().forward(x);
  CHECK(names(message_of<dn::error>([&] { run["conv2x"]; }), "'conv2x'", "'conv2'"));
  CHECK_THROWS_AS(run[20], dn::error);
  CHECK(names(message_of<dn::error>([&] { run.switches("relu1"); }), "'relu1'", "switches"));
  CHECK_THROWS_AS(run.switches("nothing"), dn::error);
}

TEST_CASE("an empty trace refuses everything") {
  const dn::trace<float> run;
  CHECK(run.empty());
  CHECK_THROWS_AS(run[0], dn::error);
  CHECK_THROWS_AS(run["conv1"], dn::error);
  CHECK_THROWS_AS(run.switches(0), dn::error);
  CHECK_THROWS_AS(run.input(), dn::error);
  CHECK_THROWS_AS(run.shape(0), dn::error);
  CHECK_THROWS_AS(run.input_shape(), dn::error);
  CHECK_THROWS_AS(dn::project(branched_network<float>(), run, "conv1", dn::unit{}), dn::error);
}

TEST_CASE("with .keep a trace holds the named layers, bit for bit those of a full run") {
  const auto net = branched_network<float>();
  const auto full = net.forward(x);
  const auto run = net.forward(x, {.keep = {"relu1", "fc6"}});
  CHECK(same_bits(run["relu1"], full["relu1"]));
  CHECK(same_bits(run["fc6"], full["fc6"]));
  CHECK(run.switches("pool1").places == full.switches("pool1").places);
  CHECK(names(message_of<dn::error>([&] { run["relu2"]; }), "'relu2'", ".keep"));
  CHECK(names(message_of<dn::error>([&] { run[6]; }), "'relu2'", ".keep"));
  CHECK_THROWS_AS(run.input(), dn::error);
  CHECK(run.input_shape() == full.input_shape());
  CHECK(run.shape("relu2") == full.shape("relu2"));
}

TEST_CASE("with .keep layers that no kept one depends on are not computed") {
  dn::network<float> net({2, 9, 12});
  net.add("conv", random_conv<float>({1, 2, 3, 3}, {}, 1));
  net.add("never", fragile{});
  net.add("side", dn::relu{}, {"conv"});
  const auto large = 1e6f * x;
  CHECK_THROWS(net.forward(large));
  const auto run = net.forward(large, {.keep = {"side"}});
  CHECK(run.shape("never") == dn::shape4{});
  CHECK_THROWS_AS(run["never"], dn::error);
  CHECK_THROWS_AS(dn::project(net, run, "never", dn::unit{}), dn::error);
}

TEST_CASE("keep takes indices and aliases; an unknown layer is refused") {
  auto net = branched_network<float>();
  net.alias("node", "conv2");
  CHECK(net.forward(x, {.keep = {"node"}})["conv2"] == net.forward(x)["conv2"]);
  CHECK(net.forward(x, {.keep = {0}})[0] == net.forward(x)["conv1"]);
  CHECK_THROWS_AS(net.forward(x, {.keep = {"conv9"}}), dn::error);
}

TEST_CASE("refilling a trace at the same shape gives the run's numbers in the same memory") {
  const auto net = branched_network<float>();
  auto run = net.forward(x);
  const auto before = addresses(net, run);
  const auto y = branched_batch<float>(2, 8);
  net.forward(y, run);
  CHECK(addresses(net, run) == before);
  CHECK(same_runs(net, run, net.forward(y)));
}

TEST_CASE("a trace can be refilled at another batch, and back") {
  const auto net = branched_network<float>();
  auto run = net.forward(x);
  net.forward(branched_batch<float>(3, 9), run);
  CHECK(same_runs(net, run, net.forward(branched_batch<float>(3, 9))));
  net.forward(x, run);
  CHECK(same_runs(net, run, net.forward(x)));
}

TEST_CASE("refilling keeps what was kept; new options replace the old ones") {
  const auto net = branched_network<float>();
  auto run = net.forward(x, {.keep = {"conv2"}});
  const auto y = branched_batch<float>(2, 8);
  const auto full = net.forward(y);
  net.forward(y, run);
  CHECK(run["conv2"] == full["conv2"]);
  CHECK_THROWS_AS(run["conv1"], dn::error);
  net.forward(y, run, {.keep = {"fc7"}});
  CHECK(run["fc7"] == full["fc7"]);
  CHECK_THROWS_AS(run["conv2"], dn::error);
  net.forward(y, run, {});
  CHECK(same_runs(net, run, full));
  net.forward(y, run, {.keep = {"fc7"}});
  for (const auto how : {dn::rule::deconvnet, dn::rule::gradient, dn::rule::guided}) {
    CHECK(dn::project(net, run, "fc7", dn::unit{}, how) == dn::project(net, full, "fc7", dn::unit{}, how));
  }
}

TEST_CASE("refilling from another network leaves nothing of the first") {
  dn::network<float> pool_first({1, 4, 4});
  pool_first.add("a", dn::max_pool2d{});
  pool_first.add("b", dn::relu{});
  dn::network<float> relu_first({1, 4, 4});
  relu_first.add("a", dn::relu{});
  const auto input = random_maps<float>({1, 1, 4, 4}, 1);
  auto run = pool_first.forward(input);
  CHECK(run.switches("a").places.size() == 4);
  relu_first.forward(input, run);
  CHECK_THROWS_AS(run.switches("a"), dn::error);
  CHECK_THROWS_AS(run["b"], dn::error);
  CHECK_THROWS_AS(dn::project(pool_first, run, "b", dn::unit{}), dn::error);
}

TEST_CASE("a layer of a trace may be the next input to the same trace") {
  dn::network<float> net;
  net.add("conv", random_conv<float>({2, 2, 3, 3}, {.padding = 1}, 1));
  net.add("sum", dn::add{}, {"conv", "input"});
  net.add("relu", dn::relu{});
  const auto start = random_maps<float>({1, 2, 5, 5}, 2);
  for (const std::vector<dn::layer>& keep : {std::vector<dn::layer>{}, std::vector<dn::layer>{"conv", "relu"}}) {
    for (const std::string name : {"conv", "sum", "relu"}) {
      if (!keep.empty() && name == "sum") continue;
      CAPTURE(name);
      auto run = net.forward(start, {.keep = keep});
      const auto expected = net.forward(dn::tensor4<float>(run[name]));
      net.forward(run[name], run);
      CHECK(same_bits(run["relu"], expected["relu"]));
      CHECK(same_bits(run["conv"], expected["conv"]));
    }
  }
  auto run = net.forward(start);
  net.forward(run.input(), run);
  CHECK(same_bits(run["relu"], net.forward(start)["relu"]));
}

TEST_CASE("a run that throws on the way leaves the trace empty, not half filled") {
  dn::network<float> net;
  net.add("relu", dn::relu{});
  net.add("fragile", fragile{});
  auto run = net.forward(dn::tensor4<float>({1, 1, 2, 2}, 1.f));
  CHECK_THROWS_WITH(net.forward(dn::tensor4<float>({1, 1, 2, 2}, 1e6f), run), "too large");
  CHECK(run.empty());
  CHECK_THROWS_AS(run["relu"], dn::error);
  CHECK_THROWS_AS(dn::project(net, run, "relu", dn::unit{}), dn::error);
  net.forward(dn::tensor4<float>({1, 1, 2, 2}, 3.f), run);
  CHECK(run["relu"](0, 0, 0, 0) == 3.f);
}

TEST_CASE("a trace is a value: copied, moved, read after the network is gone") {
  auto net = std::make_unique<dn::network<float>>(branched_network<float>());
  auto run = net->forward(x);
  const auto copy = run;
  net->forward(branched_batch<float>(2, 8), run);
  CHECK(copy["conv1"] == net->forward(x)["conv1"]);
  CHECK(run["conv1"] != copy["conv1"]);
  const auto moved = std::move(run);
  net->add("more", dn::relu{});
  net->alias("conv1", "relu4");
  net.reset();
  CHECK(copy["conv1"].shape(1) == 4);
  CHECK(moved["prob"].size() == 8);
  CHECK_THROWS_AS(copy["more"], dn::error);
}

TEST_CASE("a trace that was moved from, or filled by the pipeline of the same layers, is planned anew") {
  const dn::pipeline pipe{random_conv<float>({4, 2, 3, 3}, {.padding = {1, 1}}, 1), dn::relu{}, dn::max_pool2d{}};
  const auto net = pipe.as_network();
  const auto x = random_maps<float>({1, 2, 6, 6}, 2);
  const auto expected = net(x);
  auto run = net.forward(x, {.keep = {"2"}});
  pipe.forward(x, run);
  CHECK(same_bits(run["2"], expected));
  net.forward(x, run);
  CHECK(same_bits(run["2"], expected));
  const auto saved = std::move(run);
  net.forward(x, run);
  CHECK(same_bits(run["2"], saved["2"]));
}
