#include <deconvnet/io/onnx_folding.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "onnx_outcome.hpp"
#include "onnx_writer.hpp"

namespace ow = onnx_writer;

namespace {

// x is reshaped to the shape that the nodes make as 't'.
ow::graph target(std::vector<ow::message> nodes, const std::vector<ow::message>& constants = {},
                 std::int64_t opset = 13) {
  nodes.push_back(ow::node("Reshape", {"x", "t"}, {"y"}));
  return {.nodes = nodes, .initializers = constants, .opset = opset};
}

// x is multiplied by the constant that the nodes make as 'c'.
ow::graph factor(std::vector<ow::message> nodes, const std::vector<ow::message>& constants = {},
                 std::int64_t opset = 13) {
  nodes.push_back(ow::node("Mul", {"x", "c"}, {"y"}));
  return {.nodes = nodes, .initializers = constants, .opset = opset};
}

std::vector<double> scale_of(const ow::graph& g) {
  const auto net = loaded(g);
  const auto& scale = net.get_if<deconvnet::scale_shift<double>>("y")->scale();
  return {scale.begin(), scale.end()};
}

const auto shape_node = ow::node("Shape", {"x"}, {"s"});

}  // namespace

TEST_CASE("shapes are computed with the batch left open") {
  const auto flat = [](const ow::graph& g) {
    return loaded(g).layers().back().shape == deconvnet::shape4{1, 72, 1, 1};
  };
  CHECK(flat(target({shape_node, ow::node("Gather", {"s", "0"}, {"n"}),
                     ow::node("Concat", {"n", "-1"}, {"t"}, {ow::integer("axis", 0)})},
                    {ow::list("0", {0}), ow::list("-1", {-1})})));
  CHECK(flat(target({shape_node, ow::node("Slice", {"s", "0", "1"}, {"n"}),
                     ow::node("Concat", {"n", "72"}, {"t"}, {ow::integer("axis", 0)})},
                    {ow::list("0", {0}), ow::list("1", {1}), ow::list("72", {72})})));
  CHECK(flat(target({shape_node, ow::node("Mul", {"s", "m"}, {"p"}),
                     ow::node("Slice", {"p"}, {"t"}, {ow::integers("starts", {0}), ow::integers("ends", {-2})})},
                    {ow::list("m", {1, 36, 1, 1})}, 9)));
  CHECK(flat(target({ow::node("Shape", {"x"}, {"n"}, {ow::integer("end", -3)}),
                     ow::node("Concat", {"n", "-1"}, {"t"}, {ow::integer("axis", 0)})},
                    {ow::list("-1", {-1})}, 15)));
  check_outcome(target({shape_node, ow::node("Gather", {"s", "0"}, {"n"}), ow::node("Add", {"n", "0"}, {"m"}),
                        ow::node("Concat", {"m", "m"}, {"t"}, {ow::integer("axis", 0)})},
                       {ow::list("0", {1})}),
                "unsupported", "join or split images");
  check_outcome(target({shape_node, ow::node("ConstantOfShape", {"s"}, {"t"})}), "unsupported", "(ConstantOfShape)",
                "depend on the batch");
}

TEST_CASE("constants take other shapes, orders and types") {
  const auto w = ow::tensor("w", {2, 3}, ow::message::raw(std::vector<float>{1, 2, 3, 4, 5, 6}));
  const auto last = ow::list("a", {-1});
  using list = std::vector<double>;
  CHECK(scale_of(factor({ow::node("Transpose", {"w"}, {"v"}), ow::node("Reshape", {"v", "s"}, {"c"})},
                        {w, ow::list("s", {6, -1})})) == list{1, 4, 2, 5, 3, 6});
  CHECK(scale_of(factor({ow::node("Transpose", {"w"}, {"v"}), ow::node("Transpose", {"v"}, {"u"}),
                         ow::node("Reshape", {"u", "s"}, {"c"})},
                        {w, ow::list("s", {6})})) == list{1, 2, 3, 4, 5, 6});
  CHECK(scale_of(
            factor({ow::node("Constant", {}, {"k"}, {ow::number("value_float", 2)}), ow::node("Mul", {"w", "k"}, {"v"}),
                    ow::node("Transpose", {"v"}, {"u"}), ow::node("Reshape", {"u", "s"}, {"c"})},
                   {w, ow::list("s", {6})})) == list{2, 8, 4, 10, 6, 12});
  CHECK(scale_of(factor({ow::node("Cast", {"k"}, {"c"}, {ow::integer("to", 1)})}, {ow::list("k", {-7})})) == list{-7});
  CHECK(scale_of(factor({ow::node("Cast", {"k"}, {"i"}, {ow::integer("to", 7)}),
                         ow::node("Cast", {"i"}, {"c"}, {ow::integer("to", 1)})},
                        {ow::tensor("k", {1}, ow::message::raw(std::vector<float>{2.75f}))})) == list{2});
  CHECK(scale_of(factor({ow::node("Squeeze", {"k"}, {"c"})}, {ow::floats("k", {1, 6, 1, 1, 1})})).size() == 6);
  CHECK(scale_of(factor({ow::node("Identity", {"k"}, {"c"})}, {ow::floats("k", {2, 1, 6})})).size() == 12);
  CHECK(scale_of(factor({ow::node("Constant", {}, {"c"}, {ow::tensor_attribute("value", ow::floats("", {6}))})}))
            .size() == 6);
}

TEST_CASE("constants that cannot be computed are refused by the node's name") {
  const auto w = ow::floats("c", {2, 3});
  const auto bad = [&](const ow::message& node, std::vector<ow::message> constants = {}) {
    constants.push_back(ow::floats("w", {2, 3}));
    return ow::graph{.nodes = {node, ow::node("Relu", {"x"}, {"y"})}, .initializers = constants, .opset = 11};
  };
  check_outcome(bad(ow::node("Constant", {}, {"c"})), "unsupported", "node 'c' (Constant)", "no value");
  check_outcome(bad(ow::node("Constant", {}, {"c"}, {ow::string("value_string", "a")})), "unsupported", "no value");
  check_outcome(bad(ow::node("Constant", {}, {"c"}, {ow::integer("value", 1)})), "file", "wrong type");
  check_outcome(bad(ow::node("Constant", {}, {"c"}, {ow::message().bytes(1, "value").integer(20, 4)})), "file",
                "has no tensor");
  check_outcome(bad(ow::node("Reshape", {"w", "s"}, {"c"}), {ow::list("s", {7})}), "shape", "2 x 3 cannot become 7");
  check_outcome(bad(ow::node("Reshape", {"w", "s"}, {"c"}), {ow::list("s", {-1, -1})}), "file", "extent of -1");
  check_outcome(bad(ow::node("Reshape", {"w", "s"}, {"c"}), {ow::list("s", {4, -1})}), "shape", "cannot become");
  check_outcome(bad(ow::node("Reshape", {"w", "s"}, {"c"}), {ow::list("s", {2, 3, 0})}), "file", "copies an extent");
  check_outcome(bad(ow::node("Transpose", {"w"}, {"c"}, {ow::integers("perm", {0, 0})})), "file", "no permutation");
  check_outcome(bad(ow::node("Squeeze", {"w"}, {"c"}, {ow::integers("axes", {0})})), "shape", "is not 1");
  check_outcome(bad(ow::node("Unsqueeze", {"w"}, {"c"})), "file", "no axes");
  check_outcome(bad(ow::node("Unsqueeze", {"w"}, {"c"}, {ow::integers("axes", {0, 0})})), "file", "stands twice");
  check_outcome(bad(ow::node("Unsqueeze", {"w"}, {"c"}, {ow::integers("axes", {9})})), "file", "axis 9");
  check_outcome(bad(ow::node("Gather", {"w", "s"}, {"c"}), {ow::list("s", {0})}), "unsupported", "not a list");
  check_outcome(bad(ow::node("Gather", {"s", "s"}, {"c"}), {ow::list("s", {1})}), "file", "axis 1");
  check_outcome(bad(ow::node("Slice", {"w", "s", "s"}, {"c"}), {ow::list("s", {1})}), "unsupported", "not a list");
  check_outcome(bad(ow::node("Concat", {"w", "w"}, {"c"}, {ow::integer("axis", 0)})), "unsupported", "not lists");
  check_outcome(bad(ow::node("Add", {"w", "s"}, {"c"}), {ow::floats("s", {2})}), "shape", "do not spread");
  check_outcome(bad(ow::node("Cast", {"w"}, {"c"}, {ow::integer("to", 8)})), "unsupported", "type 8");
  check_outcome(bad(ow::node("Relu", {"w"}, {"c"})), "unsupported", "all its inputs are constants");
  check_outcome(bad(ow::node("Reshape", {"w", ""}, {"c"})), "file", "1 inputs and needs 2");
  check_outcome(bad(ow::node("Slice", {"", "s"}, {"c"}), {ow::list("s", {1})}), "file", "input 0 is left out");
  check_outcome(bad(ow::node("ConstantOfShape", {"s"}, {"c"}), {ow::list("s", {-1})}), "file", "extent of -1");
}

TEST_CASE("a small file cannot make large constants") {
  const std::int64_t half_a_gigabyte = std::int64_t{1} << 27;
  std::vector<ow::message> nodes;
  nodes.push_back(ow::node("ConstantOfShape", {"s"}, {"c"}));
  check_outcome(factor(nodes, {ow::list("s", {half_a_gigabyte})}), "file", "far more weights than the file has");
  check_outcome(factor(nodes, {ow::list("s", {1 << 30, 1 << 30})}), "shape", "ConstantOfShape");
  const std::int64_t many = std::int64_t{1} << 20;
  std::vector<ow::message> sums{ow::node("ConstantOfShape", {"s"}, {"c0"})};
  std::vector<std::string> names{"c0"};
  for (int k = 1; k < 200; ++k) names.push_back("c" + std::to_string(k));
  for (std::size_t k = 1; k < names.size(); ++k)
    sums.push_back(ow::node("Add", {names[k - 1], names[k - 1]}, {names[k]}));
  check_outcome(ow::graph{.nodes = sums, .initializers = {ow::list("s", {many})}}, "file", "far more weights");
}
