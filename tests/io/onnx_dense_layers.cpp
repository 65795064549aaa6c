#include <deconvnet/io/onnx_dense_layers.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "onnx_outcome.hpp"
#include "onnx_writer.hpp"

namespace ow = onnx_writer;

namespace {

// A node that reads rows of four numbers and a constant 'w'.
ow::graph rows(const ow::message& node, const ow::message& w) {
  return {.nodes = {node}, .initializers = {w}, .inputs = {ow::value("x", {0, 4})}};
}

ow::graph maps(const ow::message& node, const ow::message& w) { return {.nodes = {node}, .initializers = {w}}; }

ow::graph norm(std::vector<ow::message> attributes, std::int64_t opset = 13) {
  return {.nodes = {ow::node("BatchNormalization", {"x", "w", "w", "w", "w"}, {"y"}, attributes)},
          .initializers = {ow::floats("w", {2})},
          .opset = opset};
}

}  // namespace

TEST_CASE("Gemm takes a constant matrix from the right") {
  const auto gemm = [](const std::vector<ow::message>& attributes) {
    return ow::node("Gemm", {"x", "w"}, {"y"}, attributes);
  };
  const auto net = loaded(rows(gemm({ow::number("alpha", 2)}), ow::floats("w", {4, 3})));
  const auto* layer = net.get_if<deconvnet::linear<double>>("y");
  REQUIRE(layer != nullptr);
  CHECK(layer->weight().shape(0) == 3);
  CHECK(layer->weight()(2, 0) == 0.0);  // w(0, 2) = 0.25 * 2 - 0.5
  CHECK(layer->weight()(0, 1) == 0.5);  // 2 w(1, 0)
  CHECK(layer->bias().size() == 0);
  CHECK(outcome(rows(gemm({ow::integer("transB", 1)}), ow::floats("w", {3, 4}))) == "loaded");
  check_outcome(rows(gemm({}), ow::floats("w", {3, 4})), "shape", "node 'y' (Gemm)", "4 features per image");
  check_outcome(rows(gemm({ow::integer("transA", 1)}), ow::floats("w", {4, 3})), "unsupported", "transA");
  check_outcome(rows(gemm({}), ow::floats("w", {4})), "unsupported", "a constant of 4; a matrix is done");
  check_outcome(rows(gemm({}), ow::floats("w", {4, 0})), "shape", "node 'y'");
  check_outcome(rows(ow::node("Gemm", {"w", "x"}, {"y"}), ow::floats("w", {4, 3})), "unsupported",
                "input 0 is a constant");
  check_outcome(maps(gemm({}), ow::floats("w", {4, 3})), "unsupported", "input 0 is N x 2 x 6 x 6");
}

TEST_CASE("Gemm's C is left out, a number or a row") {
  const auto with_c = [](const std::vector<std::int64_t>& dims) {
    auto g = rows(ow::node("Gemm", {"x", "w", "c"}, {"y"}, {ow::number("beta", 2)}), ow::floats("w", {4, 3}));
    g.initializers.push_back(ow::floats("c", dims));
    return g;
  };
  const auto bias = [&](const std::vector<std::int64_t>& dims) {
    return loaded(with_c(dims)).get_if<deconvnet::linear<double>>("y")->bias();
  };
  CHECK(bias({3})(1) == -0.5);
  CHECK(bias({1, 3})(1) == -0.5);
  CHECK(bias({})(1) == -1.0);
  CHECK(bias({1, 1})(2) == -1.0);
  for (const std::vector<std::int64_t>& dims : {std::vector<std::int64_t>{4}, {3, 1}, {2, 3}, {1, 1, 3}, {0}}) {
    check_outcome(with_c(dims), "unsupported", "C of ");
  }
}

TEST_CASE("MatMul takes a constant matrix from the right") {
  CHECK(outcome(rows(ow::node("MatMul", {"x", "w"}, {"y"}), ow::floats("w", {4, 2}))) == "loaded");
  check_outcome(rows(ow::node("MatMul", {"w", "x"}, {"y"}), ow::floats("w", {4, 2})), "unsupported",
                "input 0 is a constant");
  check_outcome(rows(ow::node("MatMul", {"x", "w"}, {"y"}), ow::floats("w", {4, 2, 1})), "unsupported", "matrix");
  check_outcome(maps(ow::node("MatMul", {"x", "w"}, {"y"}), ow::floats("w", {6, 2})), "unsupported", "N x K only");
}

TEST_CASE("constants are added and multiplied where they are the same for every image") {
  for (const char* kind : {"Add", "Mul", "Sum"}) {
    CAPTURE(kind);
    if (kind != std::string("Sum")) {
      check_outcome(maps(ow::node(kind, {"x"}, {"y"}), ow::floats("w", {1})), "file", "1 inputs and needs 2");
    }
    for (const std::vector<std::int64_t>& dims :
         {std::vector<std::int64_t>{}, {1}, {6}, {6, 1}, {2, 1, 1}, {2, 6, 6}, {1, 2, 6, 6}, {1, 1, 1, 1, 1}}) {
      CHECK(outcome(maps(ow::node(kind, {"w", "x"}, {"y"}), ow::floats("w", dims))) == "loaded");
    }
    check_outcome(maps(ow::node(kind, {"x", "w"}, {"y"}), ow::floats("w", {5})), "shape", "node 'y'",
                  "does not spread");
    check_outcome(maps(ow::node(kind, {"x", "w"}, {"y"}), ow::floats("w", {3, 1, 1})), "shape", "does not spread");
    check_outcome(maps(ow::node(kind, {"x", "w"}, {"y"}), ow::floats("w", {3, 2, 6, 6})), "unsupported",
                  "the same for every image");
    check_outcome(maps(ow::node(kind, {"x", "w"}, {"y"}), ow::floats("w", {2, 1, 2, 6, 6})), "unsupported",
                  "the same for every image");
    check_outcome(maps(ow::node(kind, {"x", "w"}, {"y"}), ow::floats("w", {0})), "shape", "node 'y'");
  }
  const auto net = loaded(rows(ow::node("Add", {"x", "w"}, {"y"}), ow::floats("w", {4})));
  CHECK(net(deconvnet::zeros<double>({2, 4, 1, 1}))(1, 3, 0, 0) == 0.25);
}

TEST_CASE("products and sums of values that do not fit are refused") {
  check_outcome(ow::graph{.nodes = {ow::node("Mul", {"x", "x"}, {"y"})}}, "unsupported", "(Mul)", "constants only");
  const auto pooled = ow::node("GlobalAveragePool", {"x"}, {"p"});
  check_outcome(ow::graph{.nodes = {pooled, ow::node("Add", {"x", "p"}, {"y"})}}, "shape", "node 'y' (Add)", "differ");
  const auto flat = ow::node("Flatten", {"x"}, {"f"});
  check_outcome(ow::graph{.nodes = {flat, ow::node("Sum", {"x", "f"}, {"y"})}}, "unsupported", "(Sum)", "it adds");
}

TEST_CASE("a sum of values and constants is two layers") {
  auto g = maps(ow::node("Sum", {"x", "w", "x", "w"}, {"y"}), ow::floats("w", {2, 1, 1}));
  const auto net = loaded(g);
  CHECK(net.layers().size() == 2);
  CHECK(net.contains("y/sum"));
  CHECK(net(deconvnet::zeros<double>({1, 2, 6, 6}))(0, 1, 3, 3) == -0.5);
}

TEST_CASE("channels are joined, other axes are not") {
  const auto join = [](std::int64_t axis) {
    return ow::graph{
        .nodes = {ow::node("Relu", {"x"}, {"r"}), ow::node("Concat", {"x", "r"}, {"y"}, {ow::integer("axis", axis)})}};
  };
  CHECK(loaded(join(1)).layers().back().shape[1] == 4);
  CHECK(loaded(join(-3)).layers().back().shape[1] == 4);
  check_outcome(join(0), "unsupported", "node 'y' (Concat)", "axis 0");
  check_outcome(join(-1), "unsupported", "axis 3");
  check_outcome(join(4), "file", "axis 4 of a value of 4 dimensions");
  check_outcome(join(-5), "file", "axis -5");
  check_outcome(ow::graph{.nodes = {ow::node("Concat", {"x", "x"}, {"y"})}}, "file", "has no axis");
  const auto pooled = ow::node("GlobalAveragePool", {"x"}, {"p"});
  check_outcome(ow::graph{.nodes = {pooled, ow::node("Concat", {"x", "p"}, {"y"}, {ow::integer("axis", 1)})}}, "shape",
                "differ");
}

TEST_CASE("batch normalization is read as inference runs it") {
  CHECK(outcome(norm({ow::number("momentum", 0.5f), ow::number("epsilon", 1e-3f)})) == "loaded");
  CHECK(outcome(norm({ow::integer("spatial", 1)}, 7)) == "loaded");
  check_outcome(norm({ow::integer("spatial", 0)}, 7), "unsupported", "spatial");
  check_outcome(norm({ow::integer("training_mode", 1)}, 15), "unsupported", "training_mode");
  auto g = norm({});
  g.nodes = {ow::node("BatchNormalization", {"x", "w", "w", "w"}, {"y"})};
  check_outcome(g, "file", "4 inputs and needs 5");
  g = norm({});
  g.initializers = {ow::floats("w", {3})};
  check_outcome(g, "shape", "node 'y' (BatchNormalization)", "3 channels");
  g.initializers = {ow::floats("w", {2, 1})};
  check_outcome(g, "shape", "a list is wanted");
}

TEST_CASE("dropout's ratio is an attribute or an input, and training is refused") {
  CHECK(outcome(ow::graph{.nodes = {ow::node("Dropout", {"x"}, {"y", "m"}, {ow::number("ratio", 0.3f)})},
                          .opset = 7}) == "loaded");
  ow::graph g{.nodes = {ow::node("Dropout", {"x", "r", "t"}, {"y"}, {ow::integer("seed", 1)})},
              .initializers = {ow::floats("r", {}), ow::tensor("t", {}, std::string(1, '\0'), 9)}};
  check_outcome(g, "file", "node 'y' (Dropout)", "probability -0.5");
  g.initializers[0] = ow::tensor("r", {}, ow::message::raw(std::vector<float>{0.75f}));
  CHECK(loaded(g).get_if<deconvnet::dropout>("y")->probability() == 0.75);
  g.initializers[1] = ow::tensor("t", {}, "\1", 9);
  check_outcome(g, "unsupported", "training_mode");
  g.initializers[0] = ow::floats("r", {3});
  check_outcome(g, "shape", "one number is wanted");
  g.nodes = {ow::node("Dropout", {"x", "x"}, {"y"})};
  check_outcome(g, "unsupported", "input 1 depends");
  check_outcome(ow::graph{.nodes = {ow::node("Dropout", {"x"}, {"y"}, {ow::number("ratio", 2)})}}, "file",
                "probability 2");
}

TEST_CASE("softmax runs over channels, before opset 13 over all features") {
  const auto soft = [](std::int64_t opset, const std::vector<ow::message>& attributes) {
    return ow::graph{.nodes = {ow::node("Softmax", {"x"}, {"y"}, attributes)}, .opset = opset};
  };
  CHECK(loaded(soft(12, {})).get_if<deconvnet::softmax>("y")->over() == deconvnet::softmax_over::features);
  CHECK(loaded(soft(13, {ow::integer("axis", 1)})).get_if<deconvnet::softmax>("y")->over() ==
        deconvnet::softmax_over::channels);
  check_outcome(soft(13, {}), "unsupported", "axis 3 of N x 2 x 6 x 6");
  check_outcome(soft(12, {ow::integer("axis", 2)}), "unsupported", "axis 2");
  check_outcome(soft(13, {ow::integer("axis", 4)}), "file", "axis 4");
}

TEST_CASE("contrast normalization has a size") {
  CHECK(outcome(ow::graph{.nodes = {ow::node("LRN", {"x"}, {"y"}, {ow::integer("size", 3)})}}) == "loaded");
  check_outcome(ow::graph{.nodes = {ow::node("LRN", {"x"}, {"y"})}}, "shape", "node 'y' (LRN)", "size 0");
  check_outcome(ow::graph{.nodes = {ow::node("LRN", {"x"}, {"y"}, {ow::integer("size", std::int64_t{1} << 40)})}},
                "shape", "size 1099");
  check_outcome(
      ow::graph{.nodes = {ow::node("LRN", {"x"}, {"y"}, {ow::integer("size", 3), ow::number("alpha", 1e30f * 1e30f)})}},
      "file", "node 'y' (LRN)", "finite");
}
