// An ONNX graph to a network: its nodes in order, each folded into a constant or turned into a layer.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <deconvnet/io/onnx_context.hpp>
#include <deconvnet/io/onnx_dense_layers.hpp>
#include <deconvnet/io/onnx_folding.hpp>
#include <deconvnet/io/onnx_shape_layers.hpp>
#include <deconvnet/io/onnx_window_layers.hpp>
#include <deconvnet/network/network.hpp>

namespace deconvnet::detail::onnx {

template <scalar T>
using layer_function = void (*)(layer_context<T>&);

/// The function that turns a node of this kind into a layer; null where there is none.
template <scalar T>
layer_function<T> layer_function_for(std::string_view type) {
  static const std::map<std::string_view, layer_function<T>> functions{
      {"Add", add_node<T>},
      {"AveragePool", average_pool<T>},
      {"BatchNormalization", batch_normalization<T>},
      {"Cast", cast_node<T>},
      {"Concat", concat_node<T>},
      {"Conv", conv<T>},
      {"Dropout", dropout_node<T>},
      {"Flatten", flatten_node<T>},
      {"Gemm", gemm<T>},
      {"GlobalAveragePool", global_average_pool<T>},
      {"Identity", identity_node<T>},
      {"LRN", lrn<T>},
      {"MatMul", mat_mul<T>},
      {"MaxPool", max_pool<T>},
      {"Mul", mul<T>},
      {"Relu", relu_node<T>},
      {"Reshape", reshape_node<T>},
      {"Softmax", softmax_node<T>},
      {"Squeeze", squeeze_node<T>},
      {"Sum", sum<T>},
      {"Transpose", transpose_node<T>},
      {"Unsqueeze", unsqueeze_node<T>},
  };
  const auto found = functions.find(type);
  return found == functions.end() ? nullptr : found->second;
}

template <scalar T>
class graph_builder {
 public:
  graph_builder(const binary_file& file, const shape3& input_shape)
      : file_(file), reader_(file), source_(file), model_(reader_.model()), wanted_(input_shape) {}

  network<T> build() {
    check_opset();
    for (const auto& initializer : model_.initializers) {
      // Points into model_, which outlives every constant: nothing to own.
      const std::shared_ptr<const tensor_record> record(std::shared_ptr<void>(), &initializer);
      define(initializer.name, constant_reader<T>::of_record(record), initializer.offset);
    }
    network<T> net = input_network();
    for (const auto& node : model_.nodes) add_node(node, net);
    finish(net);
    return net;
  }

 private:
  static constexpr std::int64_t oldest = 7;
  static constexpr std::int64_t newest = 20;

  void check_opset() const {
    if (model_.opset == 0) throw file_error(file_.path(), "the model does not say which opset it is written in");
    if (model_.opset < oldest || model_.opset > newest) {
      throw unsupported_error(text(file_.path(), ": opset ", model_.opset, "; ", oldest, " to ", newest, " are read"));
    }
  }

  void define(std::string_view name, graph_value<T> value, std::uint64_t offset) {
    if (name.empty()) throw file_error(file_.path(), offset, "a value has no name");
    if (!values_.emplace(name, std::move(value)).second) {
      throw file_error(file_.path(), offset, text("the value '", name.substr(0, 200), "' is defined twice"));
    }
  }

  /// The one graph input that is no initializer.
  network<T> input_network() {
    const value_record* found = nullptr;
    for (const auto& input : model_.inputs) {
      if (values_.contains(input.name)) continue;
      if (found) {
        throw unsupported_error(
            text(file_.path(), ": the graph has two inputs, '", found->name, "' and '", input.name, "'"));
      }
      found = &input;
    }
    if (!found) throw file_error(file_.path(), "the graph has no input");
    const auto title = text("graph input '", found->name.substr(0, 200), "' ");
    if (found->type != data_type::undefined && is_integral(found->type)) {
      throw unsupported_error(text(file_.path(), ": ", title, "is not floating-point"));
    }
    const std::size_t rank = found->has_shape ? found->dims.size() : 4;
    if (rank != 4 && rank != 2) {
      throw unsupported_error(
          text(file_.path(), ": ", title, "has ", rank, " dimensions; N x C x H x W and N x K are read"));
    }
    shape3 image{0, 0, 0};
    if (rank == 2) image = {0, 1, 1};
    std::vector<extent> dims(rank, extent::unknown());
    dims[0] = extent::batch();
    for (std::size_t d = 0; d < rank && found->has_shape; ++d) {
      const std::int64_t size = found->dims[d];
      if (size <= 0) continue;  // exporters write 0 and -1 for what is not fixed
      if (size > std::int64_t{1} << 24) throw shape_error(text(file_.path(), ": ", title, "has an extent of ", size));
      if (d == 0)
        batch_ = size;
      else
        image[d - 1] = static_cast<std::size_t>(size);
    }
    for (std::size_t d = 0; d < 3; ++d) {
      if (wanted_[d] != 0 && image[d] != 0 && wanted_[d] != image[d]) {
        throw shape_error(text(file_.path(), ": ", title, "is ", shape_text(image), " (0: not fixed), .input_shape is ",
                               shape_text(wanted_)));
      }
      if (image[d] == 0) image[d] = wanted_[d];
    }
    for (std::size_t d = 1; d < rank; ++d) {
      if (image[d - 1] != 0) dims[d] = extent::number(static_cast<std::int64_t>(image[d - 1]));
    }
    const std::string name(found->name);
    define(found->name, dynamic_value{name, std::move(dims)}, found->offset);
    return network<T>(image, name);
  }

  void add_node(const node_record& record, network<T>& net) {
    node_reader node(file_.path(), record, model_.opset);
    if (!record.domain.empty() && record.domain != "ai.onnx") {
      node.unsupported(text("it belongs to the domain '", record.domain.substr(0, 100), "'"));
    }
    if (record.outputs.empty() || record.outputs[0].empty()) node.damaged("it has no output");
    if (values_.contains(record.outputs[0]))
      node.damaged(text("its output '", record.outputs[0], "' is there already"));

    std::vector<const graph_value<T>*> inputs;
    std::vector<const constant<T>*> constants;
    bool all_constant = true;
    for (const std::string_view name : record.inputs) {
      inputs.push_back(name.empty() ? nullptr : &find(node, name));
      constants.push_back(inputs.back() ? std::get_if<constant<T>>(inputs.back()) : nullptr);
      all_constant = all_constant && (!inputs.back() || constants.back());
    }
    node.guard([&] {
      const bool shape_of_value = record.type == "Shape" && !all_constant;
      const auto make_layer = layer_function_for<T>(record.type);
      if (shape_of_value) {
        const auto& value = std::get<dynamic_value>(*inputs.at(0));
        define(record.outputs[0], constant_folder<T>::part_of_shape(node, value.dims), record.offset);
        node.check_no_other_attributes();
      } else if (all_constant) {
        define(record.outputs[0], constant_folder<T>(node, source_, reader_, std::move(constants)).fold(),
               record.offset);
      } else if (make_layer) {
        layer_context<T> context(node, source_, net, batch_, std::move(inputs));
        make_layer(context);
        node.check_no_other_attributes();
        define(record.outputs[0], context.take_result(), record.offset);
        layers_.push_back(&record);
      } else {
        node.unsupported("this kind of node is not known");
      }
    });
    for (std::size_t k = 1; k < record.outputs.size(); ++k) {
      if (record.outputs[k].empty()) continue;
      if (values_.contains(record.outputs[k]) || !side_outputs_.emplace(record.outputs[k], k).second) {
        node.damaged(text("its output '", record.outputs[k], "' is there already"));
      }
    }
  }

  const graph_value<T>& find(const node_reader& node, std::string_view name) const {
    const auto found = values_.find(name);
    if (found != values_.end()) return found->second;
    if (const auto side = side_outputs_.find(name); side != side_outputs_.end()) {
      node.unsupported(text("it reads '", name.substr(0, 200), "', output ", side->second,
                            " of its node; only first outputs are computed"));
    }
    node.damaged(text("it reads '", name.substr(0, 200), "', which no node before it makes"));
  }

  void finish(network<T>& net) {
    if (model_.outputs.empty()) throw file_error(file_.path(), "the graph has no output");
    const auto& output = model_.outputs[0];
    const auto title = text("graph output '", output.name.substr(0, 200), "' ");
    const auto found = values_.find(output.name);
    if (found == values_.end()) throw file_error(file_.path(), output.offset, title + "is made by no node");
    const auto* value = std::get_if<dynamic_value>(&found->second);
    if (!value || value->name == net.input_name()) {
      throw unsupported_error(text(file_.path(), ": ", title, "is ", value ? "the input" : "a constant"));
    }
    net.set_output(value->name);

    // Only after all layers are there: an alias must not hide the network's input from a layer that reads it. A name
    // that several nodes have names none of them.
    std::map<std::string_view, std::size_t> uses;
    for (const auto* record : layers_) ++uses[record->name];
    for (const auto* record : layers_) {
      const std::string name(record->name);
      if (!name.empty() && uses[name] == 1 && name != net.input_name())
        net.alias(name, std::string(record->outputs[0]));
    }
  }

  const binary_file& file_;
  model_reader reader_;
  tensor_source source_;
  const model_record model_;
  shape3 wanted_;
  std::int64_t batch_ = -1;
  std::map<std::string_view, graph_value<T>> values_;
  std::map<std::string_view, std::size_t> side_outputs_;
  std::vector<const node_record*> layers_;
};

}  // namespace deconvnet::detail::onnx
