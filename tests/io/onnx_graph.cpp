#include <deconvnet/io/onnx_graph.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "onnx_outcome.hpp"
#include "onnx_writer.hpp"

namespace ow = onnx_writer;

namespace {

ow::graph relu_graph() { return {.nodes = {ow::node("Relu", {"x"}, {"y"}, {}, "act")}}; }

}  // namespace

TEST_CASE("a node of an unknown kind or domain is named") {
  check_outcome(ow::graph{.nodes = {ow::node("Gelu", {"x"}, {"y"}, {}, "act")}}, "unsupported", "node 'act' (Gelu)",
                "not known");
  check_outcome(ow::graph{.nodes = {ow::node("Relu", {"x"}, {"y"}, {}, "", "com.example")}}, "unsupported",
                "node 'y' (Relu)", "com.example");
  check_outcome(ow::graph{.nodes = {ow::node("RandomNormal", {}, {"y"})}}, "unsupported", "(RandomNormal)");
  CHECK(outcome(ow::graph{.nodes = {ow::node("Relu", {"x"}, {"y"}, {}, "", "ai.onnx")}}) == "loaded");
}

TEST_CASE("an attribute nobody knows is not passed over") {
  check_outcome(ow::graph{.nodes = {ow::node("Relu", {"x"}, {"y"}, {ow::number("slope", 0.1f)})}}, "unsupported",
                "'slope'");
}

TEST_CASE("opsets 7 to 20 are read") {
  auto g = relu_graph();
  for (const std::int64_t opset : {7, 13, 20}) {
    g.opset = opset;
    CHECK(outcome(g) == "loaded");
  }
  for (const std::int64_t opset : {6, 21, -1, 1}) {
    g.opset = opset;
    check_outcome(g, "unsupported", "opset " + std::to_string(opset));
  }
  g.opset = 0;
  check_outcome(g, "file", "does not say which opset");
}

TEST_CASE("values are made once, before they are read") {
  check_outcome(ow::graph{.nodes = {ow::node("Relu", {"z"}, {"y"})}}, "file", "byte ", "node 'y' (Relu)", "reads 'z'");
  check_outcome(ow::graph{.nodes = {ow::node("Relu", {"y"}, {"y"})}}, "file", "reads 'y'");
  check_outcome(
      ow::graph{.nodes = {ow::node("Add", {"x", "b"}, {"a"}), ow::node("Relu", {"a"}, {"b"})}, .outputs = {"b"}},
      "file", "reads 'b'");
  check_outcome(ow::graph{.nodes = {ow::node("Relu", {"x"}, {"y"}), ow::node("Relu", {"x"}, {"y"})}}, "file",
                "'y' is there already");
  check_outcome(ow::graph{.nodes = {ow::node("Relu", {"x"}, {"x"})}, .outputs = {"x"}}, "file", "'x' is there already");
  check_outcome(ow::graph{.nodes = {ow::node("Relu", {"x"}, {"y"})},
                          .initializers = {ow::floats("w", {1}), ow::floats("w", {1})}},
                "file", "'w' is defined twice");
  check_outcome(ow::graph{.nodes = {ow::node("Relu", {"x"}, {"y"})}, .initializers = {ow::floats("", {1})}}, "file",
                "has no name");
  check_outcome(ow::graph{.nodes = {ow::node("Relu", {"x"}, {""})}}, "file", "has no output");
  check_outcome(ow::graph{.nodes = {ow::node("Relu", {"x"}, {})}}, "file", "has no output");
}

TEST_CASE("only first outputs are computed") {
  const auto pool = ow::node("MaxPool", {"x"}, {"a", "places"}, {ow::integers("kernel_shape", {2, 2})});
  CHECK(outcome(ow::graph{.nodes = {pool, ow::node("Relu", {"a"}, {"y"})}}) == "loaded");
  check_outcome(ow::graph{.nodes = {pool, ow::node("Relu", {"places"}, {"y"})}}, "unsupported",
                "reads 'places', output 1");
  check_outcome(ow::graph{.nodes = {pool, ow::node("Relu", {"a"}, {"places"})}, .outputs = {"places"}}, "loaded");
  check_outcome(ow::graph{.nodes = {pool, ow::node("Dropout", {"a"}, {"y", "places"})}}, "file",
                "'places' is there already");
}

TEST_CASE("the graph has one input, of floating-point numbers, in four dimensions or two") {
  auto g = relu_graph();
  g.inputs = {ow::value("x", {1, 2, 3, 3}), ow::value("z", {1})};
  check_outcome(g, "unsupported", "two inputs, 'x' and 'z'");
  g.initializers = {ow::floats("z", {1})};
  CHECK(outcome(g) == "loaded");
  g.inputs = {ow::value("z", {1})};
  check_outcome(g, "file", "has no input");
  g = relu_graph();
  g.inputs = {ow::value("x", {1, 2, 3})};
  check_outcome(g, "unsupported", "graph input 'x' has 3 dimensions");
  g.inputs = {ow::value("x", {1, 2, 3, 3}, 2)};
  check_outcome(g, "unsupported", "graph input 'x' is not floating-point");
  g.inputs = {ow::value("x", {1, 2, 1 << 30, 3})};
  check_outcome(g, "shape", "graph input 'x' has an extent of 1073741824");
  g.inputs = {ow::value("x", {1, 1 << 20, 1 << 20, 1 << 20})};
  check_outcome(g, "shape", "");
  g.inputs = {ow::value("x", {-1, -1, -1, -1})};
  CHECK(loaded(g).input_shape() == deconvnet::shape3{0, 0, 0});
  g.inputs = {ow::message().bytes(1, "x")};  // no type at all
  CHECK(outcome(g) == "loaded");
}

TEST_CASE("the network's output is the graph's first, whatever comes last") {
  ow::graph g{.nodes = {ow::node("Relu", {"x"}, {"a"}), ow::node("Flatten", {"a"}, {"b"})}, .outputs = {"a", "b"}};
  CHECK(loaded(g).output() == 0);
  g.outputs = {"b", "a"};
  CHECK(loaded(g).output() == 1);
  g.outputs = {"c"};
  check_outcome(g, "file", "graph output 'c' is made by no node");
  g.outputs = {};
  check_outcome(g, "file", "no output");
  g.outputs = {"x"};
  check_outcome(g, "unsupported", "graph output 'x' is the input");
  g.initializers = {ow::floats("w", {1})};
  g.outputs = {"w"};
  check_outcome(g, "unsupported", "is a constant");
}

TEST_CASE("the name of a node hides neither a value nor the input") {
  const ow::graph g{.nodes = {ow::node("Relu", {"x"}, {"a"}, {}, "x"), ow::node("Add", {"x", "a"}, {"b"}, {}, "y"),
                              ow::node("Add", {"b", "x"}, {"y"}, {}, "a")}};
  const auto net = loaded(g);
  CHECK(net.layers()[1].inputs == std::vector<std::string>{"x", "a"});
  CHECK(net.layers()[2].inputs == std::vector<std::string>{"b", "x"});
  CHECK(net.find("y") == 2);
  CHECK(net.find("a") == 0);
}

TEST_CASE("constants do not stand where a value of the input must") {
  ow::graph g{.nodes = {ow::node("Conv", {"w", "w"}, {"y"})}, .initializers = {ow::floats("w", {1, 2, 1, 1})}};
  check_outcome(g, "unsupported", "node 'y' (Conv)", "all its inputs are constants");
  g.nodes = {ow::node("Concat", {"x", "w"}, {"y"}, {ow::integer("axis", 1)})};
  check_outcome(g, "unsupported", "(Concat)", "input 1 is a constant");
  g.nodes = {ow::node("Conv", {"x", "x"}, {"y"})};
  check_outcome(g, "unsupported", "(Conv)", "input 1 depends on the network's input");
}
