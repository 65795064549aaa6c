// Small ONNX models, right or wrong, written field by field: for what no exporter would produce.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace onnx_writer {

/// A protobuf message under construction. The numbers of fields are those of onnx.proto.
class message {
 public:
  message& integer(unsigned field, std::int64_t value) {
    varint(field << 3);
    varint(static_cast<std::uint64_t>(value));
    return *this;
  }
  message& bytes(unsigned field, std::string_view value) {
    varint((field << 3) | 2);
    varint(value.size());
    text_ += value;
    return *this;
  }
  message& number(unsigned field, float value) {
    varint((field << 3) | 5);
    text_ += raw(std::vector<float>{value});
    return *this;
  }
  message& inner(unsigned field, const message& value) { return bytes(field, value.text_); }

  const std::string& text() const { return text_; }

  template <class T>
  static std::string raw(const std::vector<T>& values) {
    return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
  }

 private:
  void varint(std::uint64_t value) {
    for (; value > 127; value >>= 7) text_ += static_cast<char>(value | 128);
    text_ += static_cast<char>(value);
  }
  std::string text_;
};

inline message integers(std::string_view name, const std::vector<std::int64_t>& list) {
  message m;
  m.bytes(1, name).integer(20, 7);
  for (const std::int64_t value : list) m.integer(8, value);
  return m;
}
inline message integer(std::string_view name, std::int64_t value) {
  return message().bytes(1, name).integer(20, 2).integer(3, value);
}
inline message number(std::string_view name, float value) {
  return message().bytes(1, name).integer(20, 1).number(2, value);
}
inline message string(std::string_view name, std::string_view value) {
  return message().bytes(1, name).integer(20, 3).bytes(4, value);
}
inline message tensor_attribute(std::string_view name, const message& tensor) {
  return message().bytes(1, name).integer(20, 4).inner(5, tensor);
}

/// A tensor of any type: data_type 1 is float, 7 is int64.
inline message tensor(std::string_view name, const std::vector<std::int64_t>& dims, std::string_view raw,
                      std::int64_t type = 1) {
  message m;
  for (const std::int64_t extent : dims) m.integer(1, extent);
  return m.integer(2, type).bytes(8, name).bytes(9, raw);
}
inline message floats(std::string_view name, const std::vector<std::int64_t>& dims) {
  std::size_t count = 1;
  for (const std::int64_t extent : dims) count *= static_cast<std::size_t>(extent);
  std::vector<float> values(count);
  for (std::size_t k = 0; k < count; ++k) values[k] = 0.25f * static_cast<float>(k % 7) - 0.5f;
  return tensor(name, dims, message::raw(values));
}
inline message list(std::string_view name, const std::vector<std::int64_t>& values) {
  return tensor(name, {static_cast<std::int64_t>(values.size())}, message::raw(values), 7);
}

inline message node(std::string_view type, const std::vector<std::string_view>& inputs,
                    const std::vector<std::string_view>& outputs, const std::vector<message>& attributes = {},
                    std::string_view name = "", std::string_view domain = "") {
  message m;
  for (const auto input : inputs) m.bytes(1, input);
  for (const auto output : outputs) m.bytes(2, output);
  m.bytes(3, name).bytes(4, type).bytes(7, domain);
  for (const auto& attribute : attributes) m.inner(5, attribute);
  return m;
}

/// An extent of 0 is written as a name: left open.
inline message value(std::string_view name, const std::vector<std::int64_t>& dims, std::int64_t type = 1) {
  message shape;
  for (const std::int64_t extent : dims)
    shape.inner(1, extent == 0 ? message().bytes(2, "n") : message().integer(1, extent));
  return message().bytes(1, name).inner(2, message().inner(1, message().integer(1, type).inner(2, shape)));
}

struct graph {
  std::vector<message> nodes;
  std::vector<message> initializers{};
  std::vector<message> inputs{value("x", {0, 2, 6, 6})};
  std::vector<std::string_view> outputs{"y"};
  std::int64_t opset = 13;
};

inline std::string model(const graph& g) {
  message m;
  for (const auto& node : g.nodes) m.inner(1, node);
  for (const auto& tensor : g.initializers) m.inner(5, tensor);
  for (const auto& input : g.inputs) m.inner(11, input);
  for (const auto output : g.outputs) m.inner(12, value(output, {}));
  return message().integer(1, 8).inner(7, m).inner(8, message().bytes(1, "").integer(2, g.opset)).text();
}

}  // namespace onnx_writer
