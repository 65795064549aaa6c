// An ONNX file as plain structs: what the protobuf says, nothing interpreted. Strings and tensors stay where they are
// in the file; nothing is copied but small lists.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <deconvnet/io/binary_file.hpp>
#include <deconvnet/io/protobuf_message.hpp>
#include <deconvnet/tensor/error.hpp>
#include <deconvnet/tensor/shape.hpp>

namespace deconvnet::detail::onnx {

/// TensorProto.DataType
enum class data_type : std::int64_t {
  undefined = 0,
  float32 = 1,
  uint8 = 2,
  int8 = 3,
  uint16 = 4,
  int16 = 5,
  int32 = 6,
  int64 = 7,
  string = 8,
  boolean = 9,
  float16 = 10,
  float64 = 11,
  uint32 = 12,
  uint64 = 13,
  bfloat16 = 16
};

/// TensorProto. The elements are in `raw`, in typed lists inside `message`, or in another file.
struct tensor_record {
  std::string_view name;
  data_type type = data_type::undefined;
  std::vector<std::size_t> dims;
  std::string_view message;
  std::string_view raw;
  bool has_raw = false;
  bool is_external = false;
  std::string_view location;
  std::uint64_t external_offset = 0;
  std::int64_t external_length = -1;  // -1: as long as the shape needs
  std::uint64_t offset = 0;
};

/// AttributeProto.AttributeType
enum class attribute_type : std::int64_t {
  undefined = 0,
  number = 1,
  integer = 2,
  string = 3,
  tensor = 4,
  graph = 5,
  numbers = 6,
  integers = 7,
  strings = 8
};

struct attribute_record {
  std::string_view name;
  attribute_type type = attribute_type::undefined;
  float number = 0;
  std::int64_t integer = 0;
  std::string_view string;
  std::string_view tensor;  // a TensorProto
  std::vector<float> numbers;
  std::vector<std::int64_t> integers;
  std::uint64_t offset = 0;
};

struct node_record {
  std::string_view name;
  std::string_view type;
  std::string_view domain;
  std::vector<std::string_view> inputs;
  std::vector<std::string_view> outputs;
  std::vector<attribute_record> attributes;
  std::uint64_t offset = 0;
};

/// ValueInfoProto: a graph input or output. An extent of -1 is not fixed.
struct value_record {
  std::string_view name;
  data_type type = data_type::undefined;
  bool has_shape = false;
  std::vector<std::int64_t> dims;
  std::uint64_t offset = 0;
};

struct model_record {
  std::int64_t opset = 0;
  std::vector<node_record> nodes;
  std::vector<tensor_record> initializers;
  std::vector<value_record> inputs;
  std::vector<value_record> outputs;
};

/// Reads the messages of onnx.proto; the numbers in the switches are its field numbers.
class model_reader {
 public:
  explicit model_reader(const binary_file& file) : file_(file) {}

  model_record model() {
    model_record model;
    bool has_graph = false;
    protobuf_message message(file_, file_.characters());
    while (message.next()) {
      switch (message.tag()) {
        case 7: {
          if (has_graph) message.fail("the model has two graphs");
          has_graph = true;
          const auto bytes = message.bytes();
          graph(bytes, model);
          break;
        }
        case 8: opset_import(message, model); break;
        default: break;
      }
    }
    if (!has_graph) throw file_error(file_.path(), "this is not an ONNX model: there is no graph in it");
    return model;
  }

  tensor_record tensor(std::string_view bytes) {
    tensor_record tensor;
    tensor.message = bytes;
    tensor.offset = static_cast<std::uint64_t>(bytes.data() - file_.characters().data());
    protobuf_message message(file_, bytes);
    while (message.next()) {
      switch (message.tag()) {
        case 1: message.integers([&](std::int64_t extent) { dimension(message, tensor, extent); }); break;
        case 2: tensor.type = static_cast<data_type>(message.integer()); break;
        case 3: throw unsupported_error(file_.path() + ": tensors in segments are not read");
        case 8: tensor.name = message.bytes(); break;
        case 9:
          tensor.raw = message.bytes();
          tensor.has_raw = true;
          break;
        case 13: external(message, tensor); break;
        case 14: {
          const std::int64_t place = message.integer();
          if (place != 0 && place != 1) message.fail(text("unknown data_location ", place));
          tensor.is_external = place == 1;
          break;
        }
        default: break;
      }
    }
    std::size_t count = 1;
    for (const std::size_t extent : tensor.dims) {
      if (extent == 0) continue;
      if (count > max_elements / extent) {
        throw file_error(file_.path(), tensor.offset,
                         text("tensor '", tensor.name, "' of ", shape_text(tensor.dims), " is too large"));
      }
      count *= extent;
    }
    return tensor;
  }

 private:
  // A record takes more memory than the bytes it was read from: this bounds how much a file of empty ones can claim.
  static constexpr std::size_t max_records = std::size_t{1} << 18;
  static constexpr std::size_t max_rank = 32;

  template <class Record>
  static Record& append(const protobuf_message& message, std::vector<Record>& list, const char* what) {
    if (list.size() == max_records) message.fail(text("there are more than ", max_records, " ", what));
    return list.emplace_back();
  }

  void opset_import(protobuf_message& outer, model_record& model) {
    protobuf_message message(file_, outer.bytes());
    std::string_view domain;
    std::int64_t version = 0;
    while (message.next()) {
      if (message.tag() == 1) domain = message.bytes();
      if (message.tag() == 2) version = message.integer();
    }
    if (!domain.empty() && domain != "ai.onnx") return;
    if (model.opset != 0 && model.opset != version)
      outer.fail(text("opset ", model.opset, " and opset ", version, " both"));
    model.opset = version;
  }

  void graph(std::string_view bytes, model_record& model) {
    protobuf_message message(file_, bytes);
    while (message.next()) {
      switch (message.tag()) {
        case 1: node(message, append(message, model.nodes, "nodes")); break;
        case 5: {
          auto& place = append(message, model.initializers, "initializers");
          place = tensor(message.bytes());
          break;
        }
        case 11: value(message, append(message, model.inputs, "graph inputs")); break;
        case 12: value(message, append(message, model.outputs, "graph outputs")); break;
        case 15: throw unsupported_error(file_.path() + ": sparse initializers are not read");
        default: break;
      }
    }
  }

  void node(protobuf_message& outer, node_record& node) {
    node.offset = outer.offset();
    protobuf_message message(file_, outer.bytes());
    while (message.next()) {
      switch (message.tag()) {
        case 1: append(message, node.inputs, "inputs of a node") = message.bytes(); break;
        case 2: append(message, node.outputs, "outputs of a node") = message.bytes(); break;
        case 3: node.name = message.bytes(); break;
        case 4: node.type = message.bytes(); break;
        case 5:
          if (node.attributes.size() == 256) message.fail("a node has more than 256 attributes");
          attribute(message, append(message, node.attributes, "attributes"));
          break;
        case 7: node.domain = message.bytes(); break;
        default: break;
      }
    }
  }

  void attribute(protobuf_message& outer, attribute_record& attribute) {
    attribute.offset = outer.offset();
    protobuf_message message(file_, outer.bytes());
    attribute_type seen = attribute_type::undefined;  // files of the first years do not say
    while (message.next()) {
      switch (message.tag()) {
        case 1: attribute.name = message.bytes(); break;
        case 2:
          attribute.number = message.number();
          seen = attribute_type::number;
          break;
        case 3:
          attribute.integer = message.integer();
          seen = attribute_type::integer;
          break;
        case 4:
          attribute.string = message.bytes();
          seen = attribute_type::string;
          break;
        case 5:
          attribute.tensor = message.bytes();
          seen = attribute_type::tensor;
          break;
        case 7:
          message.fixed_numbers<float>([&](float value) { append(message, attribute.numbers, "numbers") = value; });
          seen = attribute_type::numbers;
          break;
        case 8:
          message.integers([&](std::int64_t value) { append(message, attribute.integers, "integers") = value; });
          seen = attribute_type::integers;
          break;
        case 20: attribute.type = static_cast<attribute_type>(message.integer()); break;
        default: break;
      }
    }
    if (attribute.type == attribute_type::undefined) attribute.type = seen;
  }

  void dimension(const protobuf_message& message, tensor_record& tensor, std::int64_t extent) {
    if (extent < 0 || static_cast<std::uint64_t>(extent) > max_elements) {
      message.fail(text("a tensor has an extent of ", extent));
    }
    if (tensor.dims.size() == max_rank) message.fail(text("a tensor has more than ", max_rank, " dimensions"));
    tensor.dims.push_back(static_cast<std::size_t>(extent));
  }

  void external(protobuf_message& outer, tensor_record& tensor) {
    protobuf_message message(file_, outer.bytes());
    std::string_view key;
    std::string_view value;
    while (message.next()) {
      if (message.tag() == 1) key = message.bytes();
      if (message.tag() == 2) value = message.bytes();
    }
    if (key == "location") tensor.location = value;
    if (key != "offset" && key != "length") return;
    std::int64_t number = 0;
    for (const char digit : value) {
      if (digit < '0' || digit > '9' || number > (std::int64_t{1} << 56)) {
        outer.fail(text("external data with the ", key, " '", value.substr(0, 40), "'"));
      }
      number = number * 10 + (digit - '0');
    }
    if (value.empty()) outer.fail(text("external data with an empty ", key));
    if (key == "offset") tensor.external_offset = static_cast<std::uint64_t>(number);
    if (key == "length") tensor.external_length = number;
  }

  // ValueInfoProto holds TypeProto holds Tensor holds TensorShapeProto holds Dimension.
  void value(protobuf_message& outer, value_record& value) {
    value.offset = outer.offset();
    protobuf_message message(file_, outer.bytes());
    while (message.next()) {
      if (message.tag() == 1) value.name = message.bytes();
      if (message.tag() != 2) continue;
      protobuf_message type(file_, message.bytes());
      while (type.next()) {
        if (type.tag() != 1) continue;
        protobuf_message tensor(file_, type.bytes());
        while (tensor.next()) {
          if (tensor.tag() == 1) value.type = static_cast<data_type>(tensor.integer());
          if (tensor.tag() == 2) shape(tensor, value);
        }
      }
    }
  }

  void shape(protobuf_message& outer, value_record& value) {
    value.has_shape = true;
    protobuf_message message(file_, outer.bytes());
    while (message.next()) {
      if (message.tag() != 1) continue;
      if (value.dims.size() == max_rank) message.fail(text("a value has more than ", max_rank, " dimensions"));
      value.dims.push_back(-1);
      protobuf_message dimension(file_, message.bytes());
      while (dimension.next()) {
        if (dimension.tag() == 1) value.dims.back() = dimension.integer();
      }
    }
  }

  const binary_file& file_;
};

}  // namespace deconvnet::detail::onnx
