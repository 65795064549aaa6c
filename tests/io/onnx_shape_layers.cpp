#include <deconvnet/io/onnx_shape_layers.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "onnx_outcome.hpp"
#include "onnx_writer.hpp"

namespace ow = onnx_writer;

namespace {

ow::graph reshaped(const std::vector<std::int64_t>& target, const std::vector<std::int64_t>& input = {0, 2, 6, 6},
                   const std::vector<ow::message>& attributes = {}) {
  return {.nodes = {ow::node("Reshape", {"x", "t"}, {"y"}, attributes)},
          .initializers = {ow::list("t", target)},
          .inputs = {ow::value("x", input)},
          .opset = 14};
}

deconvnet::shape4 shape_after(const ow::graph& g) { return loaded(g).layers().back().shape; }

}  // namespace

TEST_CASE("every way to write a flatten is one") {
  const deconvnet::shape4 flat{1, 72, 1, 1};
  for (const std::vector<std::int64_t>& target :
       {std::vector<std::int64_t>{0, -1}, {-1, 72}, {1, -1}, {1, 72}, {0, 72}}) {
    CAPTURE(target.back());
    CHECK(shape_after(reshaped(target)) == flat);
    CHECK(shape_after(reshaped(target, {1, 2, 6, 6})) == flat);
  }
  CHECK(shape_after(reshaped({8, -1}, {8, 2, 6, 6})) == flat);
  for (const std::int64_t axis : {1, -3}) {
    CHECK(shape_after({.nodes = {ow::node("Flatten", {"x"}, {"y"}, {ow::integer("axis", axis)})}}) == flat);
  }
}

TEST_CASE("maps may take other extents") {
  CHECK(shape_after(reshaped({0, 8, 3, 3})) == deconvnet::shape4{1, 8, 3, 3});
  CHECK(shape_after(reshaped({-1, 8, 3, 3})) == deconvnet::shape4{1, 8, 3, 3});
  CHECK(shape_after(reshaped({0, 0, -1, 12})) == deconvnet::shape4{1, 2, 3, 12});
  CHECK(shape_after(reshaped({1, 72, 1, 1})) == deconvnet::shape4{1, 72, 1, 1});
}

TEST_CASE("a reshape that mixes images or loses elements is refused") {
  check_outcome(reshaped({72, -1}), "unsupported", "node 'y' (Reshape)", "join or split images");
  check_outcome(reshaped({-1, -1}), "unsupported", "join or split images");
  check_outcome(reshaped({2, 36}), "unsupported", "join or split images");
  check_outcome(reshaped({-1, 36}), "shape", "changes how many elements");
  check_outcome(reshaped({1, 71}), "shape", "N x 2 x 6 x 6 to N x 71");
  check_outcome(reshaped({0, 5, -1, 1}), "shape", "changes how many elements");
  check_outcome(reshaped({0, -2}), "shape", "N x -2");
  check_outcome(reshaped({0, -1, -1, 1}), "unsupported", "more than one");
  check_outcome(reshaped({0, 2, 36}), "unsupported", "N x K and N x C x H x W are done");
  check_outcome(reshaped({72}), "unsupported", "");
  check_outcome(reshaped({}), "unsupported", "");
  check_outcome(reshaped({0, 72, 1, 1}, {0, 2, 6, 6}, {ow::integer("allowzero", 1)}), "shape", "an extent of 0");
  check_outcome(reshaped({0, 2, 6, 0}, {0, 72}), "file", "copies an extent");
  const std::int64_t huge = std::int64_t{1} << 40;
  check_outcome(reshaped({0, huge, huge, huge}), "shape", "");
  check_outcome(ow::graph{.nodes = {ow::node("Reshape", {"x", "x"}, {"y"})}}, "unsupported", "input 1 depends");
  check_outcome(ow::graph{.nodes = {ow::node("Reshape", {"x", "t"}, {"y"})}, .initializers = {ow::floats("t", {2})}},
                "unsupported", "weights stand where a shape");
  check_outcome(ow::graph{.nodes = {ow::node("Flatten", {"x"}, {"y"}, {ow::integer("axis", 2)})}}, "unsupported",
                "would join images");
  check_outcome(ow::graph{.nodes = {ow::node("Flatten", {"x"}, {"y"}, {ow::integer("axis", 5)})}}, "file", "axis 5");
}

TEST_CASE("open extents are enough where the result does not hang on them") {
  const std::vector<std::int64_t> open{0, 2, 0, 0};
  CHECK(loaded(reshaped({0, -1}, open))(deconvnet::zeros<double>({2, 2, 3, 4})).shape(1) == 24);
  const auto fixed = loaded(reshaped({-1, 24}, open));
  CHECK(fixed(deconvnet::zeros<double>({2, 2, 3, 4})).shape(1) == 24);
  CHECK_THROWS_AS(fixed(deconvnet::zeros<double>({2, 2, 3, 5})), deconvnet::shape_error);
  check_outcome(reshaped({0, 8, -1, 3}, open), "unsupported", "pass .input_shape");
}

TEST_CASE("a transposition to channels last is done before a flatten only") {
  const auto transpose = ow::node("Transpose", {"x"}, {"t"}, {ow::integers("perm", {0, 2, 3, 1})});
  const auto net = loaded(ow::graph{.nodes = {transpose, ow::node("Flatten", {"t"}, {"y"})}});
  auto x = deconvnet::zeros<double>({1, 2, 6, 6});
  x(0, 1, 0, 2) = 7;
  CHECK(net(x)(0, 5, 0, 0) == 7);
  check_outcome(ow::graph{.nodes = {transpose, ow::node("Relu", {"t"}, {"y"})}}, "unsupported", "node 'y' (Relu)",
                "transposed value");
  ow::graph maps{.nodes = {transpose, ow::node("Reshape", {"t", "s"}, {"y"})},
                 .initializers = {ow::list("s", {0, 6, 6, 2})}};
  check_outcome(maps, "unsupported", "transposed value");
  const auto order = [](const std::vector<std::int64_t>& perm) {
    return ow::graph{.nodes = {ow::node("Transpose", {"x"}, {"y"}, {ow::integers("perm", perm)})}};
  };
  CHECK(outcome(order({0, 1, 2, 3})) == "loaded");
  check_outcome(order({0, 3, 1, 2}), "unsupported", "before a flatten");
  check_outcome(order({1, 0, 2, 3}), "unsupported", "before a flatten");
  check_outcome(order({0, 1, 1, 3}), "file", "no permutation");
  check_outcome(order({0, 1}), "file", "no permutation");
  check_outcome(order({0, 1, 2, 4}), "file", "axis 4");
}

TEST_CASE("squeeze and unsqueeze turn maps of one place to rows and back") {
  const auto pooled = ow::node("GlobalAveragePool", {"x"}, {"p"});
  const auto squeeze = [&](const std::vector<std::int64_t>& axes) {
    return ow::graph{.nodes = {pooled, ow::node("Squeeze", {"p"}, {"y"}, {ow::integers("axes", axes)})}, .opset = 11};
  };
  CHECK(shape_after(squeeze({2, 3})) == deconvnet::shape4{1, 2, 1, 1});
  CHECK(shape_after(squeeze({-1, -2})) == deconvnet::shape4{1, 2, 1, 1});
  check_outcome(squeeze({2}), "unsupported", "N x C x 1 x 1 to N x C");
  check_outcome(squeeze({}), "unsupported", "N x C x 1 x 1 to N x C");
  check_outcome(squeeze({2, 7}), "file", "axis 7");
  check_outcome(ow::graph{.nodes = {ow::node("Squeeze", {"x"}, {"y"}, {ow::integers("axes", {2, 3})})}, .opset = 11},
                "shape", "is not 1");
  ow::graph rows{.nodes = {ow::node("Unsqueeze", {"x", "a"}, {"m"}), ow::node("GlobalAveragePool", {"m"}, {"y"})},
                 .initializers = {ow::list("a", {2, 3})},
                 .inputs = {ow::value("x", {0, 5})}};
  CHECK(shape_after(rows) == deconvnet::shape4{1, 5, 1, 1});
  rows.initializers = {ow::list("a", {1, 2})};
  check_outcome(rows, "unsupported", "N x C to N x C x 1 x 1");
}

TEST_CASE("a cast between floating-point types changes nothing") {
  const auto cast = [](std::int64_t to) {
    return ow::graph{.nodes = {ow::node("Cast", {"x"}, {"y"}, {ow::integer("to", to)})}};
  };
  CHECK(outcome(cast(1)) == "loaded");
  CHECK(outcome(cast(11)) == "loaded");
  check_outcome(cast(7), "unsupported", "type 7");
  check_outcome(cast(10), "unsupported", "type 10");
}
