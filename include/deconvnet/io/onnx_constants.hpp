// What is fixed when an ONNX file is read: weights, and the shapes that exporters compute node by node.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <deconvnet/io/onnx_extent.hpp>
#include <deconvnet/io/onnx_model.hpp>
#include <deconvnet/io/onnx_node.hpp>
#include <deconvnet/io/onnx_tensor.hpp>
#include <deconvnet/io/strided_order.hpp>
#include <deconvnet/tensor/tensor.hpp>

namespace deconvnet::detail::onnx {

/// A constant: still in the file (`record`, its axes in `order`), computed numbers, or a small list of extents some of
/// which may hang on the batch. Weights stay in the file until a layer takes them.
template <scalar T>
struct constant {
  std::vector<std::size_t> dims;
  bool integral = false;
  std::shared_ptr<const tensor_record> record{};
  std::vector<std::size_t> order{};
  std::shared_ptr<const std::vector<T>> numbers{};
  std::shared_ptr<const std::vector<extent>> extents{};

  std::size_t count() const { return count_of(dims); }
  std::vector<extent> shape() const {
    std::vector<extent> list;
    for (const std::size_t d : dims) list.push_back(extent::number(static_cast<std::int64_t>(d)));
    return list;
  }
};

/// Reads constants for one node and computes new ones.
template <scalar T>
class constant_reader {
 public:
  constant_reader(node_reader& node, tensor_source& source) : node_(node), source_(source) {}

  static constant<T> of_record(std::shared_ptr<const tensor_record> record) {
    return {record->dims, is_integral(record->type), record};
  }
  static constant<T> of_extents(std::vector<extent> extents) {
    return {{extents.size()}, true, {}, {}, {}, std::make_shared<std::vector<extent>>(std::move(extents))};
  }

  /// Shape arithmetic works on lists this short; what is longer are weights.
  static constexpr std::size_t max_extents = 4096;

  bool is_short_integral(const constant<T>& c) const {
    return c.extents || (c.integral && c.record && c.count() <= max_extents);
  }

  std::vector<extent> extents(const constant<T>& c) {
    if (c.extents) return *c.extents;
    if (!is_short_integral(c)) node_.unsupported("weights stand where a shape or an index is wanted");
    source_.check(*c.record);
    std::vector<std::int64_t> values(c.count());
    source_.read(*c.record, c.order, values.data());
    std::vector<extent> list;
    for (const std::int64_t value : values) list.push_back(extent::number(value));
    return list;
  }

  /// The same where nothing may hang on the batch.
  std::vector<std::int64_t> integers(const constant<T>& c) {
    std::vector<std::int64_t> list;
    for (const extent& e : extents(c)) {
      if (!e.is_number()) node_.unsupported("its constants depend on the batch or on an extent that is not fixed");
      list.push_back(e.value);
    }
    return list;
  }

  std::vector<T> numbers(const constant<T>& c, const std::vector<std::size_t>& order = {}) {
    prepare(c);
    std::vector<T> values(c.count());
    read(c, order, values.data());
    return values;
  }

  /// A tensor of the constant's elements under other extents, for a layer to keep.
  template <std::size_t N>
  tensor<T, N> weight(const constant<T>& c, const std::array<std::size_t, N>& shape,
                      const std::vector<std::size_t>& order = {}) {
    if (element_count(shape) != c.count()) {
      node_.misfit(text("a weight of ", shape_text(c.dims), " stands where ", shape_text(shape), " is wanted"));
    }
    prepare(c);
    auto result = uninitialized_weights<T>(shape);
    read(c, order, result.data());
    return result;
  }

  constant<T> with_dims(constant<T> c, std::vector<std::size_t> dims) {
    if (!c.order.empty()) c = computed(c.dims, c.integral, numbers(c));
    c.dims = std::move(dims);
    return c;
  }

  constant<T> transposed(const constant<T>& c, const std::vector<std::size_t>& order) {
    std::vector<std::size_t> dims;
    for (const std::size_t axis : order) dims.push_back(c.dims[axis]);
    if (!c.record) return computed(std::move(dims), c.integral, numbers(c, order));
    constant<T> result = c;
    result.order = order;
    if (!c.order.empty()) {
      for (std::size_t d = 0; d < order.size(); ++d) result.order[d] = c.order[order[d]];
    }
    result.dims = std::move(dims);
    return result;
  }

  static constant<T> computed(std::vector<std::size_t> dims, bool integral, std::vector<T> numbers) {
    return {std::move(dims), integral, {}, {}, std::make_shared<std::vector<T>>(std::move(numbers))};
  }

  /// a (+ or *) b, broadcast as NumPy does.
  template <class Combine>
  constant<T> combined(const constant<T>& a, const constant<T>& b, Combine&& combine) {
    std::vector<std::size_t> dims(std::max(a.dims.size(), b.dims.size()));
    std::array<std::vector<std::size_t>, 2> strides;
    for (std::size_t d = 0; d < dims.size(); ++d) {
      dims[d] = std::max(axis_of(a, d, dims.size()), axis_of(b, d, dims.size()));
    }
    const constant<T>* const operands[] = {&a, &b};
    for (std::size_t side = 0; side < 2; ++side) {
      const auto own = row_major_strides(operands[side]->dims);
      for (std::size_t d = 0; d < dims.size(); ++d) {
        const std::size_t size = axis_of(*operands[side], d, dims.size());
        if (size != 1 && size != dims[d]) {
          node_.misfit(text(shape_text(a.dims), " and ", shape_text(b.dims), " do not spread over each other"));
        }
        strides[side].push_back(size == 1 ? 0 : own[d + own.size() - dims.size()]);
      }
    }
    const auto combine_lists = [&](const auto& left, const auto& right) {
      std::decay_t<decltype(left)> result(element_count(dims));
      for_each_strided(dims, strides[0], [&](std::size_t k, std::size_t from) { result[k] = left[from]; });
      for_each_strided(dims, strides[1],
                       [&](std::size_t k, std::size_t from) { result[k] = combine(result[k], right[from]); });
      return result;
    };
    if (is_short_integral(a) && is_short_integral(b) && element_count(dims) <= max_extents) {
      auto result = of_extents(combine_lists(extents(a), extents(b)));
      result.dims = std::move(dims);
      return result;
    }
    source_.charge(element_count(dims));
    return computed(dims, a.integral && b.integral, combine_lists(numbers(a), numbers(b)));
  }

  tensor_source& source() { return source_; }

 private:
  static std::size_t axis_of(const constant<T>& c, std::size_t axis, std::size_t rank) {
    return axis + c.dims.size() < rank ? 1 : c.dims[axis + c.dims.size() - rank];
  }

  /// Writes the constant's elements, row-major, axis d of the result being axis order[d] of the constant.
  void read(const constant<T>& c, const std::vector<std::size_t>& order, T* destination) {
    if (c.record) {
      std::vector<std::size_t> both = order.empty() ? c.order : order;
      if (!c.order.empty() && !order.empty()) {
        for (std::size_t d = 0; d < order.size(); ++d) both[d] = c.order[order[d]];
      }
      return source_.read(*c.record, both, destination);
    }
    const auto value = [&](std::size_t k) { return c.numbers ? (*c.numbers)[k] : number_of((*c.extents)[k]); };
    const auto strides = row_major_strides(c.dims);
    std::vector<std::size_t> dims;
    std::vector<std::size_t> steps;
    for (std::size_t d = 0; d < c.dims.size(); ++d) {
      dims.push_back(c.dims[order.empty() ? d : order[d]]);
      steps.push_back(strides[order.empty() ? d : order[d]]);
    }
    for_each_strided(dims, steps, [&](std::size_t k, std::size_t from) { destination[k] = value(from); });
  }

  /// Before memory is taken for a constant's elements.
  void prepare(const constant<T>& c) {
    if (c.record) source_.check(*c.record);
    source_.charge(c.count());
  }

  T number_of(const extent& e) const {
    if (!e.is_number()) node_.unsupported("it computes with numbers that depend on the batch");
    return static_cast<T>(e.value);
  }

  node_reader& node_;
  tensor_source& source_;
};

}  // namespace deconvnet::detail::onnx
