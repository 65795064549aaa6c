// What a function that turns one ONNX node into a layer works with: the node, its inputs, and the network that grows.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <deconvnet/io/onnx_constants.hpp>
#include <deconvnet/io/onnx_extent.hpp>
#include <deconvnet/io/onnx_node.hpp>
#include <deconvnet/network/network.hpp>

namespace deconvnet::detail::onnx {

/// A value that depends on the input: the layer of that name, and its extents as ONNX counts them. A matrix N x K is
/// N x K x 1 x 1 in the network.
struct dynamic_value {
  std::string name;
  std::vector<extent> dims;
  bool channels_last = false;  // N x H x W x C, on its way to a flatten

  std::size_t rank() const { return dims.size(); }
  /// Elements per image, -1 where they are not known.
  std::int64_t features() const { return known_product(dims, 1).value_or(-1); }
};

template <scalar T>
using graph_value = std::variant<dynamic_value, constant<T>>;

template <scalar T>
class layer_context {
 public:
  layer_context(node_reader& reader, tensor_source& source, network<T>& net, std::int64_t batch,
                std::vector<const graph_value<T>*> inputs)
      : node(reader), constants(reader, source), net_(net), batch_(batch), inputs_(std::move(inputs)) {}

  node_reader& node;
  constant_reader<T> constants;

  /// The batch the file was exported for, -1 where it left it open.
  std::int64_t exported_batch() const { return batch_; }

  std::size_t input_count() const { return inputs_.size(); }
  bool has(std::size_t k) const { return k < inputs_.size() && inputs_[k] != nullptr; }
  bool is_constant(std::size_t k) const { return has(k) && std::holds_alternative<constant<T>>(*inputs_[k]); }

  /// An input that must depend on the network's input, in the usual layout.
  const dynamic_value& input(std::size_t k = 0) const {
    const auto& value = input_of_any_layout(k);
    if (value.channels_last) node.unsupported("it reads a transposed value; Transpose is done only before a flatten");
    return value;
  }

  const dynamic_value& input_of_any_layout(std::size_t k = 0) const {
    if (!has(k)) node.damaged(text("input ", k, " is left out"));
    const auto* value = std::get_if<dynamic_value>(inputs_[k]);
    if (!value) node.unsupported(text("input ", k, " is a constant, a value that depends on the input is needed"));
    return *value;
  }

  const dynamic_value& image_input(std::size_t k = 0) const {
    const auto& value = input(k);
    if (value.rank() != 4) {
      node.unsupported(text("input ", k, " is ", extents_text(value.dims), "; it is done for N x C x H x W only"));
    }
    return value;
  }

  const dynamic_value& matrix_input(std::size_t k = 0) const {
    const auto& value = input(k);
    if (value.rank() != 2)
      node.unsupported(text("input ", k, " is ", extents_text(value.dims), "; it is done for N x K only"));
    return value;
  }

  const constant<T>& constant_input(std::size_t k) const {
    if (!has(k)) node.damaged(text("input ", k, " is left out"));
    const auto* value = std::get_if<constant<T>>(inputs_[k]);
    if (!value) node.unsupported(text("input ", k, " depends on the network's input; it is done for constants only"));
    return *value;
  }

  /// A constant list of numbers, as bias, mean and the like are.
  tensor<T, 1> vector_input(std::size_t k) {
    const auto& c = constant_input(k);
    if (c.dims.size() != 1) node.misfit(text("input ", k, " is ", shape_text(c.dims), ", a list is wanted"));
    return constants.template weight<1>(c, {c.dims[0]});
  }

  /// Adds the node's layer, under the name of its first output.
  template <class Op>
  void emit(Op op, const std::vector<dynamic_value>& from, std::vector<extent> dims) {
    result_ = append(std::string(node.record().outputs[0]), std::move(op), from, std::move(dims));
  }

  /// The same for an operator that changes no extents of its one input.
  template <class Op>
  void emit_elementwise(Op op, const dynamic_value& from) {
    emit(std::move(op), {from}, from.dims);
  }

  /// Adds a layer that no ONNX value stands for, named after the node's first output.
  template <class Op>
  dynamic_value emit_before(std::string_view suffix, Op op, const std::vector<dynamic_value>& from,
                            std::vector<extent> dims) {
    return append(text(node.record().outputs[0], suffix), std::move(op), from, std::move(dims));
  }

  void mark_channels_last() { result_.channels_last = true; }

  dynamic_value take_result() { return std::move(result_); }

 private:
  template <class Op>
  dynamic_value append(std::string name, Op op, const std::vector<dynamic_value>& from, std::vector<extent> dims) {
    std::vector<layer> names;
    for (const auto& value : from) names.emplace_back(value.name);
    net_.add(name, std::move(op), names);
    const shape4& shape = net_.value_shape(net_.size());
    if (shape[0] != 0) {
      for (std::size_t d = 1; d < dims.size(); ++d) dims[d] = extent::number(static_cast<std::int64_t>(shape[d]));
    }
    return {std::move(name), std::move(dims)};
  }

  network<T>& net_;
  std::int64_t batch_;
  std::vector<const graph_value<T>*> inputs_;
  dynamic_value result_;
};

}  // namespace deconvnet::detail::onnx
