#include <deconvnet/io/onnx_model.hpp>

#include <doctest/doctest.h>

#include <string>

#include "onnx_outcome.hpp"
#include "onnx_writer.hpp"

namespace ow = onnx_writer;

namespace {

std::string model_of(const ow::message& graph, std::int64_t opset = 13) {
  return ow::message().inner(7, graph).inner(8, ow::message().integer(2, opset)).text();
}

}  // namespace

TEST_CASE("fields of the wrong wire type are file errors with an offset") {
  check_outcome(ow::message().integer(7, 1).text(), "file", "byte 0: ");
  check_outcome(model_of(ow::message().integer(1, 5)), "file", "byte 2: ");
  check_outcome(model_of(ow::message().inner(1, ow::message().integer(1, 5))), "file", "byte 4: ");
  check_outcome(model_of(ow::message().inner(1, ow::message().inner(5, ow::message().bytes(3, "")))), "file",
                "byte 6: ");
  check_outcome(model_of(ow::message().inner(5, ow::message().number(1, 1))), "file", "byte 4: ");
  check_outcome(model_of(ow::message().inner(11, ow::message().inner(2, ow::message().integer(1, 1)))), "file",
                "byte 6: ");
}

TEST_CASE("a model has one graph, with one opset") {
  check_outcome(ow::message().integer(1, 8).text(), "file", "no graph");
  check_outcome(ow::message().inner(7, ow::message()).inner(7, ow::message()).text(), "file", "two graphs");
  auto two = model_of(ow::message());
  two += ow::message().inner(8, ow::message().integer(2, 12)).text();
  check_outcome(two, "file", "opset 13 and opset 12");
  auto others = ow::model({.nodes = {ow::node("Relu", {"x"}, {"y"})}});
  others += ow::message().inner(8, ow::message().bytes(1, "com.example").integer(2, 99)).text();
  CHECK(outcome(others) == "loaded");
  check_outcome(model_of(ow::message().inner(15, ow::message())), "unsupported", "sparse");
}

TEST_CASE("what a file of empty records can claim is bounded") {
  std::string nodes;
  for (int k = 0; k < 300000; ++k) nodes += std::string("\x0a\x00", 2);  // field 1, empty
  check_outcome(ow::message().bytes(7, nodes).text(), "file", "more than 262144 nodes");
  std::string attributes;
  for (int k = 0; k < 300; ++k) attributes += std::string("\x2a\x00", 2);
  check_outcome(model_of(ow::message().bytes(1, attributes)), "file", "more than 256 attributes");
}

TEST_CASE("attributes without a type have that of their value") {
  const auto axis = ow::message().bytes(1, "axis").integer(3, 1);
  CHECK(outcome(ow::graph{.nodes = {ow::node("Flatten", {"x"}, {"y"}, {axis})}}) == "loaded");
  const auto twice = ow::integer("axis", 1);
  check_outcome(ow::graph{.nodes = {ow::node("Flatten", {"x"}, {"y"}, {twice, twice})}}, "file", "'axis' stands twice");
}
