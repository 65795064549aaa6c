// ONNX nodes that multiply, add, join and normalize, as layers.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <deconvnet/io/onnx_context.hpp>
#include <deconvnet/ops/add.hpp>
#include <deconvnet/ops/batch_norm.hpp>
#include <deconvnet/ops/concat.hpp>
#include <deconvnet/ops/dropout.hpp>
#include <deconvnet/ops/identity.hpp>
#include <deconvnet/ops/linear.hpp>
#include <deconvnet/ops/local_response_norm.hpp>
#include <deconvnet/ops/relu.hpp>
#include <deconvnet/ops/scale_shift.hpp>
#include <deconvnet/ops/softmax.hpp>

namespace deconvnet::detail::onnx {

/// The matrix K x M that multiplies from the right (`transposed`: M x K), as the weight of a linear layer, M x K.
template <scalar T>
tensor<T, 2> linear_weight(layer_context<T>& context, const constant<T>& matrix, bool transposed) {
  if (matrix.dims.size() != 2) {
    context.node.unsupported(text("it multiplies by a constant of ", shape_text(matrix.dims), "; a matrix is done"));
  }
  const std::size_t outputs = matrix.dims[transposed ? 0 : 1];
  const std::size_t inputs = matrix.dims[transposed ? 1 : 0];
  const std::vector<std::size_t> order = transposed ? std::vector<std::size_t>{} : std::vector<std::size_t>{1, 0};
  return context.constants.template weight<2>(matrix, {outputs, inputs}, order);
}

template <scalar T>
void scale_by(T factor, tensor<T, 1>& values) {
  for (T& value : values) value *= factor;
}

/// alpha x B + beta C; C may be left out (opset 11), be a number, or a row.
template <scalar T>
void gemm(layer_context<T>& context) {
  auto& node = context.node;
  node.check_input_count(2, 3);
  const auto& x = context.matrix_input();
  if (node.integer("transA", 0) != 0) node.unsupported("transA on a value that depends on the input");
  const T alpha = static_cast<T>(node.number("alpha", 1));
  const T beta = static_cast<T>(node.number("beta", 1));
  auto weight = linear_weight(context, context.constant_input(1), node.integer("transB", 0) != 0);
  if (alpha != T(1)) {
    for (T& value : weight) value *= alpha;
  }
  const std::size_t outputs = weight.shape(0);
  const std::vector<extent> dims{extent::batch(), extent::number(static_cast<std::int64_t>(outputs))};
  if (!context.has(2)) return context.emit(linear<T>(std::move(weight)), {x}, dims);

  const auto& c = context.constant_input(2);
  const std::size_t last = c.dims.empty() ? 1 : c.dims.back();
  if (c.dims.size() > 2 || c.count() != last || (last != 1 && last != outputs)) {
    node.unsupported(text("C of ", shape_text(c.dims), "; a number or a row of ", outputs, " is done"));
  }
  auto bias = tensor<T, 1>::from_shape({outputs});
  const std::vector<T> values = context.constants.numbers(c);
  for (std::size_t k = 0; k < outputs; ++k) bias(k) = beta * values[last == 1 ? 0 : k];
  context.emit(linear<T>(std::move(weight), std::move(bias)), {x}, dims);
}

template <scalar T>
void mat_mul(layer_context<T>& context) {
  context.node.check_input_count(2, 2);
  const auto& x = context.matrix_input();
  auto weight = linear_weight(context, context.constant_input(1), false);
  const auto outputs = static_cast<std::int64_t>(weight.shape(0));
  context.emit(linear<T>(std::move(weight)), {x}, {extent::batch(), extent::number(outputs)});
}

/// A constant as NumPy spreads it over N x C x H x W or N x K: C|1 x H|1 x W|1. It must be the same for every image.
template <scalar T>
tensor<T, 3> spread(layer_context<T>& context, const constant<T>& c, const dynamic_value& x) {
  std::vector<std::size_t> dims = c.dims;
  while (dims.size() > x.rank() && dims.front() == 1) dims.erase(dims.begin());
  if (dims.size() > x.rank() || (dims.size() == x.rank() && dims.front() != 1)) {
    context.node.unsupported(text("a constant of ", shape_text(c.dims), " over ", extents_text(x.dims),
                                  "; it must be the same for every image"));
  }
  if (dims.size() == x.rank()) dims.erase(dims.begin());
  while (dims.size() < x.rank() - 1) dims.insert(dims.begin(), 1);
  while (dims.size() < 3) dims.push_back(1);
  return context.constants.template weight<3>(c, {dims[0], dims[1], dims[2]});
}

template <scalar T>
tensor<T, 3> one_number(T value) {
  return xt::ones<T>({1, 1, 1}) * value;
}

template <scalar T>
void add_constant(layer_context<T>& context, const dynamic_value& x, const constant<T>& c) {
  context.emit_elementwise(scale_shift<T>(one_number(T(1)), spread(context, c, x)), x);
}

/// Add and Sum: values that depend on the input add up in one layer, constants are added by another.
template <scalar T>
void sum(layer_context<T>& context) {
  std::vector<dynamic_value> values;
  std::optional<constant<T>> shift;
  for (std::size_t k = 0; k < context.input_count(); ++k) {
    if (context.is_constant(k)) {
      const auto& c = context.constant_input(k);
      shift = shift ? context.constants.combined(*shift, c, std::plus<>()) : c;
    } else {
      values.push_back(context.input(k));
    }
  }
  for (const auto& value : values) {
    if (value.rank() != values[0].rank()) {
      context.node.unsupported(text("it adds ", extents_text(values[0].dims), " and ", extents_text(value.dims)));
    }
  }
  if (values.size() == 1) {
    return shift ? add_constant(context, values[0], *shift) : context.emit_elementwise(identity{}, values[0]);
  }
  if (!shift) return context.emit(add{}, values, values[0].dims);
  add_constant(context, context.emit_before("/sum", add{}, values, values[0].dims), *shift);
}

template <scalar T>
void add_node(layer_context<T>& context) {
  context.node.check_input_count(2, 2);
  sum(context);
}

template <scalar T>
void mul(layer_context<T>& context) {
  context.node.check_input_count(2, 2);
  const std::size_t value = context.is_constant(0) ? 1 : 0;
  const auto& x = context.input(value);
  const auto& c = context.constant_input(1 - value);
  context.emit_elementwise(scale_shift<T>(spread(context, c, x), one_number(T(0))), x);
}

template <scalar T>
void concat_node(layer_context<T>& context) {
  auto& node = context.node;
  std::vector<dynamic_value> values;
  extent channels = extent::number(0);
  for (std::size_t k = 0; k < context.input_count(); ++k) {
    values.push_back(context.input(k));
    if (values[k].rank() != values[0].rank()) node.misfit("its inputs differ in how many dimensions they have");
    channels = channels + values[k].dims[1];
  }
  if (!node.has("axis")) node.damaged("it has no axis");
  const std::size_t axis = node.axis(node.integer("axis", 0), values[0].rank());
  if (axis != 1)
    node.unsupported(text("it joins axis ", axis, " of ", extents_text(values[0].dims), "; channels are done"));
  std::vector<extent> dims = values[0].dims;
  dims[1] = channels;
  context.emit(concat{}, values, dims);
}

template <scalar T>
void batch_normalization(layer_context<T>& context) {
  auto& node = context.node;
  node.check_input_count(5, 5);
  if (node.integer("spatial", 1) != 1) node.unsupported("statistics per place (spatial 0)");
  if (node.integer("training_mode", 0) != 0) node.unsupported("training_mode");
  node.ignore("momentum");
  const auto& x = context.input();
  const double epsilon = node.number("epsilon", 1e-5);
  context.emit_elementwise(batch_norm<T>(context.vector_input(1), context.vector_input(2), context.vector_input(3),
                                         context.vector_input(4), epsilon),
                           x);
}

template <scalar T>
void lrn(layer_context<T>& context) {
  auto& node = context.node;
  node.check_input_count(1, 1);
  const auto& x = context.image_input();
  const std::int64_t size = node.integer("size", 0);
  if (size < 1 || size > (std::int64_t{1} << 24)) node.misfit(text("size ", size));
  const local_response_norm norm({.size = static_cast<std::size_t>(size),
                                  .alpha = node.number("alpha", 1e-4),
                                  .beta = node.number("beta", 0.75),
                                  .bias = node.number("bias", 1)});
  context.emit_elementwise(norm, x);
}

/// The ratio is an attribute before opset 12 and an input since; in inference it changes nothing.
template <scalar T>
void dropout_node(layer_context<T>& context) {
  auto& node = context.node;
  node.check_input_count(1, 3);
  node.ignore("seed");
  double ratio = node.number("ratio", 0.5);
  const auto one = [&](std::size_t k) {
    const auto& c = context.constant_input(k);
    if (c.count() != 1) node.misfit(text("input ", k, " is ", shape_text(c.dims), ", one number is wanted"));
    return context.constants.numbers(c)[0];
  };
  if (context.has(1)) ratio = static_cast<double>(one(1));
  if (context.has(2) && one(2) != T(0)) node.unsupported("training_mode");
  context.emit_elementwise(dropout(ratio), context.input());
}

template <scalar T>
void softmax_node(layer_context<T>& context) {
  auto& node = context.node;
  node.check_input_count(1, 1);
  const auto& x = context.input();
  const bool old = node.opset() < 13;  // all axes from `axis` on count as one
  const std::size_t axis = node.axis(node.integer("axis", old ? 1 : -1), x.rank());
  if (axis != 1) node.unsupported(text("it runs over axis ", axis, " of ", extents_text(x.dims)));
  context.emit_elementwise(softmax(old ? softmax_over::features : softmax_over::channels), x);
}

template <scalar T>
void relu_node(layer_context<T>& context) {
  context.node.check_input_count(1, 1);
  context.emit_elementwise(relu{}, context.input());
}

template <scalar T>
void identity_node(layer_context<T>& context) {
  context.node.check_input_count(1, 1);
  context.emit_elementwise(identity{}, context.input());
}

}  // namespace deconvnet::detail::onnx
