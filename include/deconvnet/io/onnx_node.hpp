// One node of an ONNX graph for those who turn it into a layer: its attributes by type, and errors that name it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <deconvnet/io/onnx_model.hpp>
#include <deconvnet/tensor/error.hpp>

namespace deconvnet::detail::onnx {

class node_reader {
 public:
  node_reader(const std::string& path, const node_record& record, std::int64_t opset)
      : path_(path), record_(record), opset_(opset) {}

  const node_record& record() const { return record_; }
  std::string_view type() const { return record_.type; }
  std::int64_t opset() const { return opset_; }

  /// "node 'conv1' (Conv)"; by its first output where it has no name.
  std::string title() const {
    std::string_view name = record_.name;
    if (name.empty() && !record_.outputs.empty()) name = record_.outputs[0];
    return text("node '", name.substr(0, 200), "' (", record_.type.substr(0, 100), ")");
  }

  /// The file contradicts itself or the ONNX specification.
  [[noreturn]] void damaged(const std::string& problem) const {
    throw file_error(path_, record_.offset, title() + ": " + problem);
  }
  /// Valid ONNX that this library does not do.
  [[noreturn]] void unsupported(const std::string& problem) const {
    throw unsupported_error(text(path_, ": ", title(), ": ", problem));
  }
  [[noreturn]] void misfit(const std::string& problem) const {
    throw shape_error(text(path_, ": ", title(), ": ", problem));
  }

  /// Runs `body`; what it throws about an operator comes out with the file and the node in front.
  template <class Body>
  void guard(Body&& body) const {
    try {
      body();
    } catch (const file_error&) {
      throw;
    } catch (const shape_error& problem) {
      if (is_titled(problem)) throw;
      misfit(problem.what());
    } catch (const unsupported_error& problem) {
      if (is_titled(problem)) throw;
      unsupported(problem.what());
    } catch (const error& problem) {
      damaged(problem.what());
    }
  }

  bool has(std::string_view name) { return find(name) != nullptr; }

  std::int64_t integer(std::string_view name, std::int64_t otherwise) {
    const auto* attribute = find(name, attribute_type::integer);
    return attribute ? attribute->integer : otherwise;
  }

  double number(std::string_view name, double otherwise) {
    const auto* attribute = find(name, attribute_type::number);
    return attribute ? static_cast<double>(attribute->number) : otherwise;
  }

  std::string_view string(std::string_view name, std::string_view otherwise) {
    const auto* attribute = find(name, attribute_type::string);
    return attribute ? attribute->string : otherwise;
  }

  std::vector<std::int64_t> integers(std::string_view name, std::vector<std::int64_t> otherwise = {}) {
    const auto* attribute = find(name, attribute_type::integers);
    return attribute ? attribute->integers : otherwise;
  }

  const attribute_record* find(std::string_view name, attribute_type type) {
    const auto* attribute = find(name);
    if (attribute && attribute->type != type) damaged(text("attribute '", name, "' has the wrong type"));
    return attribute;
  }

  /// Marks an attribute as known and without effect on what this library computes.
  void ignore(std::string_view name) { known_.insert(name); }

  /// After all attributes were asked for: one that nobody knows may change the result, so it is not passed over.
  void check_no_other_attributes() const {
    for (const auto& attribute : record_.attributes) {
      if (!known_.contains(attribute.name)) {
        unsupported(text("attribute '", attribute.name.substr(0, 100), "' is not known"));
      }
    }
  }

  /// Inputs or outputs that are there, empty names (left out) not counted at the end.
  static std::size_t count_used(const std::vector<std::string_view>& names) {
    std::size_t count = names.size();
    while (count > 0 && names[count - 1].empty()) --count;
    return count;
  }

  void check_input_count(std::size_t least, std::size_t most) const {
    const std::size_t count = count_used(record_.inputs);
    if (count < least) damaged(text("it has ", count, " inputs and needs ", least));
    if (count > most) damaged(text("it has ", count, " inputs and may have ", most));
    for (std::size_t k = 0; k < least; ++k) {
      if (record_.inputs[k].empty()) damaged(text("input ", k, " is left out"));
    }
  }

  /// -rank ... rank - 1 to 0 ... rank - 1
  std::size_t axis(std::int64_t axis, std::size_t rank) const {
    const auto signed_rank = static_cast<std::int64_t>(rank);
    if (axis < -signed_rank || axis >= signed_rank)
      damaged(text("axis ", axis, " of a value of ", rank, " dimensions"));
    return static_cast<std::size_t>(axis < 0 ? axis + signed_rank : axis);
  }

 private:
  bool is_titled(const error& problem) const { return std::string_view(problem.what()).starts_with(path_); }

  const attribute_record* find(std::string_view name) {
    known_.insert(name);
    const auto named = [&](const attribute_record& attribute) { return attribute.name == name; };
    const auto& list = record_.attributes;
    const auto found = std::find_if(list.begin(), list.end(), named);
    if (found == list.end()) return nullptr;
    if (std::find_if(found + 1, list.end(), named) != list.end()) damaged(text("attribute '", name, "' stands twice"));
    return &*found;
  }

  const std::string& path_;
  const node_record& record_;
  std::int64_t opset_;
  std::set<std::string_view> known_;
};

}  // namespace deconvnet::detail::onnx
