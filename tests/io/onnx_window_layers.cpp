#include <deconvnet/io/onnx_window_layers.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "onnx_outcome.hpp"
#include "onnx_writer.hpp"

namespace ow = onnx_writer;

namespace {

ow::graph conv(const std::vector<ow::message>& attributes, const std::vector<std::int64_t>& weight = {3, 2, 3, 3}) {
  return {.nodes = {ow::node("Conv", {"x", "w"}, {"y"}, attributes, "c")}, .initializers = {ow::floats("w", weight)}};
}

ow::graph pool(const char* kind, std::vector<ow::message> attributes) {
  attributes.push_back(ow::integers("kernel_shape", {3, 2}));
  return {.nodes = {ow::node(kind, {"x"}, {"y"}, attributes, "p")}};
}

deconvnet::extent2d size_of(const ow::graph& g) {
  const auto shape = loaded(g).layers().back().shape;
  return {shape[2], shape[3]};
}

}  // namespace

TEST_CASE("attributes of a convolution reach the layer") {
  const auto net = loaded(conv({ow::integers("strides", {2, 1}), ow::integers("pads", {0, 1, 2, 3}),
                                ow::integers("dilations", {1, 2}), ow::integers("kernel_shape", {3, 3})}));
  const auto* layer = net.get_if<deconvnet::conv2d<double>>("y");
  REQUIRE(layer != nullptr);
  CHECK(layer->options().stride == deconvnet::extent2d{2, 1});
  CHECK(layer->options().padding == deconvnet::padding2d{0, 1, 2, 3});
  CHECK(layer->options().dilation == deconvnet::extent2d{1, 2});
  CHECK(layer->bias().size() == 0);
  CHECK(layer->weight()(0, 0, 0, 1) == -0.25);
  CHECK(loaded(conv({ow::integer("group", 2)}, {4, 1, 3, 3})).layers().back().shape[1] == 4);
}

TEST_CASE("attributes of pools reach the layer") {
  CHECK(size_of(pool("MaxPool", {})) == deconvnet::extent2d{4, 5});
  CHECK(size_of(pool("MaxPool", {ow::integers("strides", {2, 2}), ow::integer("ceil_mode", 1)})) ==
        deconvnet::extent2d{3, 3});
  CHECK(size_of(pool("AveragePool", {ow::integers("dilations", {2, 3})})) == deconvnet::extent2d{2, 3});
  CHECK(size_of(pool("MaxPool", {ow::string("auto_pad", "VALID")})) == deconvnet::extent2d{4, 5});
  CHECK(size_of(pool("MaxPool", {ow::string("auto_pad", "SAME_LOWER"), ow::integers("strides", {4, 4})})) ==
        deconvnet::extent2d{2, 2});
  CHECK(outcome(ow::graph{.nodes = {ow::node("GlobalAveragePool", {"x"}, {"y"})}}) == "loaded");
}

TEST_CASE("windows that make no sense are refused by the node's name") {
  for (const auto& g : {conv({}), pool("MaxPool", {}), pool("AveragePool", {})}) {
    const auto with = [&](const ow::message& attribute) {
      auto changed = g;
      changed.nodes[0].inner(5, attribute);
      return changed;
    };
    const std::string title = "node '";
    check_outcome(with(ow::integers("strides", {0, 1})), "shape", title, "strides of 0");
    check_outcome(with(ow::integers("strides", {1, -1})), "shape", title, "strides of -1");
    check_outcome(with(ow::integers("dilations", {0, 1})), "shape", title, "dilations of 0");
    check_outcome(with(ow::integers("pads", {0, 0, 0, -1})), "shape", title, "pads of -1");
    check_outcome(with(ow::integers("pads", {0, 0, 0, std::int64_t{1} << 62})), "shape", title,
                  "pads of 4611686018427387904");
    check_outcome(with(ow::integers("strides", {1, std::int64_t{1} << 40})), "shape", title,
                  "strides of 1099511627776");
    check_outcome(with(ow::integers("pads", {0, 0})), "unsupported", title, "pads has 2 entries");
    check_outcome(with(ow::integers("strides", {1, 1, 1})), "unsupported", title, "strides has 3 entries");
    check_outcome(with(ow::integer("strides", 1)), "file", title, "'strides' has the wrong type");
    check_outcome(with(ow::number("pads", 1)), "file", title, "'pads' has the wrong type");
    check_outcome(with(ow::string("auto_pad", "MAYBE")), "file", title, "'MAYBE' is not known");
    check_outcome(with(ow::integers("dilations", {20, 1})), "shape", title, "does not fit");
  }
}

TEST_CASE("a convolution's weight, bias and groups must fit each other and the input") {
  check_outcome(conv({ow::integers("kernel_shape", {3, 2})}), "shape", "node 'c' (Conv)",
                "kernel_shape is not that of the weight");
  check_outcome(conv({}, {3, 4, 3, 3}), "shape", "channels");
  check_outcome(conv({ow::integer("group", 3)}, {4, 1, 1, 1}), "shape", "groups");
  check_outcome(conv({ow::integer("group", 0)}), "shape", "group 0");
  check_outcome(conv({ow::integer("group", -2)}), "shape", "group -2");
  check_outcome(conv({}, {3, 2, 3}), "unsupported", "weight of 3 x 2 x 3");
  check_outcome(conv({}, {3, 2, 3, 3, 1}), "unsupported", "weight of 3 x 2 x 3 x 3 x 1");
  check_outcome(conv({}, {0, 2, 3, 3}), "shape", "node 'c'");
  check_outcome(conv({}, {3, 2, 0, 3}), "shape", "kernel_shape of 0");
  auto biased = conv({});
  biased.nodes = {ow::node("Conv", {"x", "w", "b"}, {"y"})};
  biased.initializers.push_back(ow::floats("b", {4}));
  check_outcome(biased, "shape", "bias of 4 for 3 filters");
  biased.initializers[1] = ow::floats("b", {3, 1});
  check_outcome(biased, "shape", "input 2 is 3 x 1");
  biased.nodes = {ow::node("Conv", {"x", "w", ""}, {"y"})};
  CHECK(outcome(biased) == "loaded");
  biased.nodes = {ow::node("Conv", {"x", "", "b"}, {"y"})};
  check_outcome(biased, "file", "input 1 is left out");
  biased.nodes = {ow::node("Conv", {"x"}, {"y"})};
  check_outcome(biased, "file", "1 inputs and needs 2");
}

TEST_CASE("pools need a kernel, and windows over something else than padding") {
  check_outcome(ow::graph{.nodes = {ow::node("MaxPool", {"x"}, {"y"})}}, "file", "no kernel_shape");
  check_outcome(ow::graph{.nodes = {ow::node("MaxPool", {"x"}, {"y"}, {ow::integers("kernel_shape", {2})})}},
                "unsupported", "kernel_shape has 1 entries");
  check_outcome(pool("MaxPool", {ow::integers("pads", {5, 0, 0, 0})}), "shape", "nothing but padding");
  check_outcome(pool("MaxPool", {ow::integers("pads", {4096, 4096, 4096, 4096})}), "shape", "nothing but padding");
}

TEST_CASE("a matrix has no windows") {
  const auto flat = ow::node("Flatten", {"x"}, {"f"});
  check_outcome(ow::graph{.nodes = {flat, ow::node("GlobalAveragePool", {"f"}, {"y"})}}, "unsupported",
                "input 0 is N x 72");
}
