// Nodes whose inputs are all constants, computed when the file is read: what exporters write around a flatten.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <numeric>
#include <string_view>
#include <utility>
#include <vector>

#include <deconvnet/io/onnx_constants.hpp>
#include <deconvnet/io/onnx_extent.hpp>
#include <deconvnet/io/onnx_model.hpp>
#include <deconvnet/io/onnx_node.hpp>

namespace deconvnet::detail::onnx {

/// Computes one node. `inputs` are its constants, null where an optional one is left out.
template <scalar T>
class constant_folder {
 public:
  constant_folder(node_reader& node, tensor_source& source, model_reader& reader,
                  std::vector<const constant<T>*> inputs)
      : node_(node), constants_(node, source), reader_(reader), inputs_(std::move(inputs)) {}

  constant<T> fold() {
    constant<T> result = dispatch();
    node_.check_no_other_attributes();
    return result;
  }

 private:
  constant<T> dispatch() {
    const std::string_view type = node_.type();
    if (type == "Constant") return node_.check_input_count(0, 0), constant_node();
    if (type == "ConstantOfShape") return node_.check_input_count(1, 1), constant_of_shape();
    if (type == "Identity") return node_.check_input_count(1, 1), input(0);
    if (type == "Cast") return node_.check_input_count(1, 1), cast();
    if (type == "Reshape") return node_.check_input_count(2, 2), reshape();
    if (type == "Squeeze") return node_.check_input_count(1, 2), squeeze();
    if (type == "Unsqueeze") return node_.check_input_count(1, 2), unsqueeze();
    if (type == "Transpose") return node_.check_input_count(1, 1), transpose();
    if (type == "Shape") return node_.check_input_count(1, 1), part_of_shape(node_, input(0).shape());
    if (type == "Gather") return node_.check_input_count(2, 2), gather();
    if (type == "Slice") return node_.check_input_count(1, 5), slice();
    if (type == "Concat") return concat();
    if (type == "Add") return node_.check_input_count(2, 2), constants_.combined(input(0), input(1), std::plus<>());
    if (type == "Mul")
      return node_.check_input_count(2, 2), constants_.combined(input(0), input(1), std::multiplies<>());
    node_.unsupported("all its inputs are constants, and this kind of node is not computed when the file is read");
  }

 public:
  /// The extents a Shape node gives; `start` and `end` cut them from opset 15 on.
  static constant<T> part_of_shape(node_reader& node, const std::vector<extent>& shape) {
    const auto rank = static_cast<std::int64_t>(shape.size());
    const auto bound = [&](std::int64_t at) { return std::clamp<std::int64_t>(at < 0 ? at + rank : at, 0, rank); };
    const std::int64_t start = bound(node.integer("start", 0));
    const std::int64_t end = std::max(start, bound(node.integer("end", rank)));
    return constant_reader<T>::of_extents({shape.begin() + start, shape.begin() + end});
  }

 private:
  const constant<T>& input(std::size_t k) const { return *inputs_[k]; }
  const constant<T>* optional_input(std::size_t k) const { return k < inputs_.size() ? inputs_[k] : nullptr; }

  constant<T> of_attribute(const attribute_record& attribute) {
    if (attribute.tensor.data() == nullptr) node_.damaged(text("attribute '", attribute.name, "' has no tensor"));
    return constant_reader<T>::of_record(std::make_shared<tensor_record>(reader_.tensor(attribute.tensor)));
  }

  constant<T> constant_node() {
    if (const auto* value = node_.find("value", attribute_type::tensor)) return of_attribute(*value);
    if (const auto* value = node_.find("value_float", attribute_type::number)) {
      return constants_.computed({}, false, {static_cast<T>(value->number)});
    }
    if (const auto* value = node_.find("value_floats", attribute_type::numbers)) {
      return constants_.computed({value->numbers.size()}, false, {value->numbers.begin(), value->numbers.end()});
    }
    if (const auto* value = node_.find("value_int", attribute_type::integer)) {
      auto result = constants_.of_extents({extent::number(value->integer)});
      result.dims.clear();
      return result;
    }
    if (const auto* value = node_.find("value_ints", attribute_type::integers)) {
      std::vector<extent> list;
      for (const std::int64_t k : value->integers) list.push_back(extent::number(k));
      return constants_.of_extents(std::move(list));
    }
    node_.unsupported("it has no value that is numbers");
  }

  constant<T> constant_of_shape() {
    std::vector<std::size_t> dims;
    for (const std::int64_t extent : constants_.integers(input(0))) dims.push_back(checked(extent));
    constant<T> one = constants_.computed({}, false, {T(0)});
    if (const auto* attribute = node_.find("value", attribute_type::tensor)) one = of_attribute(*attribute);
    if (one.count() != 1) node_.damaged(text("its value has ", one.count(), " elements"));
    const std::size_t count = element_count(dims, "ConstantOfShape");
    if (one.integral && count <= constant_reader<T>::max_extents) {
      auto result = constants_.of_extents(std::vector<extent>(count, constants_.extents(one)[0]));
      result.dims = std::move(dims);
      return result;
    }
    constants_.source().charge(count);
    const T value = constants_.numbers(one)[0];
    return constants_.computed(std::move(dims), one.integral, std::vector<T>(count, value));
  }

  std::size_t checked(std::int64_t extent) const {
    if (extent < 0 || static_cast<std::uint64_t>(extent) > max_elements) node_.damaged(text("an extent of ", extent));
    return static_cast<std::size_t>(extent);
  }

  constant<T> cast() {
    const auto to = static_cast<data_type>(node_.integer("to", 0));
    node_.ignore("saturate");
    const bool exact =
        to == data_type::float32 || to == data_type::float64 || to == data_type::int32 || to == data_type::int64;
    if (!exact) node_.unsupported(text("it casts to type ", static_cast<std::int64_t>(to)));
    constant<T> result = input(0);
    if (!is_integral(to)) {
      if (constants_.is_short_integral(result)) return result;  // may still be a shape: stays exact
      result.integral = false;
      return result;
    }
    if (result.integral) return result;
    if (result.count() > constant_reader<T>::max_extents) node_.unsupported("it casts weights to integers");
    std::vector<extent> list;
    for (const T value : constants_.numbers(result)) {
      if (!(std::abs(value) < T(1e15))) node_.damaged("it casts a number that is no integer");
      list.push_back(extent::number(static_cast<std::int64_t>(value)));
    }
    auto integers = constants_.of_extents(std::move(list));
    integers.dims = result.dims;
    return integers;
  }

  constant<T> reshape() {
    const bool zero_means_zero = node_.integer("allowzero", 0) != 0;
    const std::vector<std::int64_t> target = constants_.integers(input(1));
    std::vector<std::size_t> dims;
    std::size_t open = target.size();
    for (std::size_t d = 0; d < target.size(); ++d) {
      if (target[d] == -1 && open == target.size()) {
        open = d;
        dims.push_back(1);
      } else if (target[d] == 0 && !zero_means_zero) {
        if (d >= input(0).dims.size()) node_.damaged("its shape copies an extent that the input does not have");
        dims.push_back(input(0).dims[d]);
      } else {
        dims.push_back(checked(target[d]));
      }
    }
    const std::size_t known = element_count(dims, "Reshape");
    if (open != target.size() && known != 0) dims[open] = input(0).count() / known;
    if (element_count(dims, "Reshape") != input(0).count()) {
      node_.misfit(text(shape_text(input(0).dims), " cannot become ", shape_text(dims)));
    }
    return constants_.with_dims(input(0), std::move(dims));
  }

  // Axes are an attribute before opset 13 and an input since.
  std::vector<std::int64_t> axes() {
    if (const auto* list = optional_input(1)) return constants_.integers(*list);
    return node_.integers("axes");
  }

  constant<T> squeeze() {
    const bool all = !node_.has("axes") && optional_input(1) == nullptr;
    std::vector<std::size_t> dims = input(0).dims;
    std::vector<bool> drop(dims.size(), all);
    for (const std::int64_t k : axes()) drop[node_.axis(k, dims.size())] = true;
    std::vector<std::size_t> kept;
    for (std::size_t d = 0; d < dims.size(); ++d) {
      if (!drop[d] || (all && dims[d] != 1))
        kept.push_back(dims[d]);
      else if (dims[d] != 1)
        node_.misfit(text("axis ", d, " of ", shape_text(dims), " is not 1"));
    }
    return constants_.with_dims(input(0), std::move(kept));
  }

  constant<T> unsqueeze() {
    const auto list = axes();
    if (list.empty()) node_.damaged("it has no axes");
    if (list.size() > 32) node_.damaged("it has more than 32 axes");
    const std::size_t rank = input(0).dims.size() + list.size();
    std::vector<bool> is_new(rank, false);
    for (const std::int64_t k : list) {
      if (is_new[node_.axis(k, rank)]) node_.damaged(text("axis ", k, " stands twice"));
      is_new[node_.axis(k, rank)] = true;
    }
    std::vector<std::size_t> dims;
    auto next = input(0).dims.begin();
    for (const bool one : is_new) dims.push_back(one ? 1 : *next++);
    return constants_.with_dims(input(0), std::move(dims));
  }

  constant<T> transpose() { return constants_.transposed(input(0), permutation(node_, input(0).dims.size())); }

 public:
  /// The `perm` attribute, checked; by default the axes from last to first.
  static std::vector<std::size_t> permutation(node_reader& node, std::size_t rank) {
    std::vector<std::int64_t> listed(rank);
    std::iota(listed.rbegin(), listed.rend(), std::int64_t{0});
    listed = node.integers("perm", listed);
    std::vector<std::size_t> order;
    for (const std::int64_t k : listed) order.push_back(node.axis(k, rank));
    auto sorted = order;
    std::sort(sorted.begin(), sorted.end());
    if (sorted.size() != rank || std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) {
      node.damaged(text("perm is no permutation of ", rank, " axes"));
    }
    return order;
  }

 private:
  constant<T> gather() {
    node_.axis(node_.integer("axis", 0), 1);
    if (input(0).dims.size() != 1) node_.unsupported("it picks from a constant that is not a list");
    const auto list = constants_.extents(input(0));
    std::vector<extent> picked;
    for (const std::int64_t k : constants_.integers(input(1))) picked.push_back(list[node_.axis(k, list.size())]);
    auto result = constants_.of_extents(std::move(picked));
    result.dims = input(1).dims;
    return result;
  }

  constant<T> slice() {
    if (input(0).dims.size() != 1) node_.unsupported("it cuts a constant that is not a list");
    const auto list = constants_.extents(input(0));
    const auto size = static_cast<std::int64_t>(list.size());
    // Starts, ends and axes are attributes before opset 10 and inputs since.
    const auto one = [&](std::size_t k, std::string_view name, std::int64_t otherwise) {
      std::vector<std::int64_t> given =
          optional_input(k) ? constants_.integers(*optional_input(k)) : node_.integers(name);
      if (given.size() > 1) node_.damaged(text("it has more than one of ", name));
      return given.empty() ? otherwise : given[0];
    };
    const std::int64_t start = one(1, "starts", 0);
    const std::int64_t end = one(2, "ends", size);
    node_.axis(one(3, "axes", 0), 1);
    if (one(4, "steps", 1) != 1) node_.unsupported("it cuts in steps");
    const auto bound = [&](std::int64_t at) { return std::clamp<std::int64_t>(at < 0 ? at + size : at, 0, size); };
    const std::int64_t first = bound(start);
    const std::int64_t last = std::max(first, bound(end));
    return constants_.of_extents({list.begin() + first, list.begin() + last});
  }

  constant<T> concat() {
    node_.axis(node_.integer("axis", 0), 1);
    std::vector<extent> joined;
    for (const auto* part : inputs_) {
      if (!part || part->dims.size() != 1) node_.unsupported("it joins constants that are not lists");
      const auto list = constants_.extents(*part);
      if (joined.size() + list.size() > constant_reader<T>::max_extents) node_.unsupported("it joins long lists");
      joined.insert(joined.end(), list.begin(), list.end());
    }
    return constants_.of_extents(std::move(joined));
  }

  node_reader& node_;
  constant_reader<T> constants_;
  model_reader& reader_;
  std::vector<const constant<T>*> inputs_;
};

}  // namespace deconvnet::detail::onnx
