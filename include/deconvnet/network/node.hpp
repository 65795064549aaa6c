// Any operator behind one interface: what a network, put together at run time, calls.
#pragma once

#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <deconvnet/ops/channel_part.hpp>
#include <deconvnet/ops/concat.hpp>
#include <deconvnet/ops/relu.hpp>
#include <deconvnet/ops/reverse_context.hpp>
#include <deconvnet/ops/window.hpp>
#include <deconvnet/tensor/shared_tensor.hpp>

namespace deconvnet {

/// The inputs of an operator that takes several.
template <scalar T>
using tensor_list = std::span<const tensor4<T>* const>;

/// What a network or pipeline accepts as a layer. One of
///   op.forward(x, y, switches*)     a pool that records switches
///   op.forward(tensor_list, y)      several inputs
///   op.forward(x, y)                one input, result into y
///   op(x), op(a, b)                 one or two inputs, the result returned
/// with x: const tensor4<T>&, y: tensor4<T>&; the result has as many images as the inputs. Operators are copyable values.
/// Everything else is optional:
///   static constexpr std::string_view kind       its name in tables and messages
///   output_shape(shape4 or span of shape4)       else it is run once on zeros
///   reverse(signal, reverse_context<T>)          without it nothing below can be projected
///   static constexpr reverse_needs needs         what reverse reads of the run; default: input and output
///   reach()                                      what one output place sees; default: the whole map
///   forward_in_place(x), multiply_adds(in, out), visit_parameters(self, visitor)
///   forward_rectified(x, y)                      forward with a ReLU on its result
///   part_channels(), forward_part(x, whole, channel_part, rectify)
///                                                the channels of its result, and forward of one image into a part of a value
///                                                that is made to have the part's channels; returns the result's shape
///   parameter_gradients(x, signal, spans)        the loss's derivatives by the parameters, in the order of
///                                                visit_parameters; without it training leaves them as they are
template <class Op, class T>
concept records_switches = requires(const Op& op, const tensor4<T>& x, tensor4<T>& y, switches* s) { op.forward(x, y, s); };
template <class Op, class T>
concept takes_list = requires(const Op& op, tensor_list<T> list, tensor4<T>& y) { op.forward(list, y); };
template <class Op, class T>
concept fills_result = requires(const Op& op, const tensor4<T>& x, tensor4<T>& y) { op.forward(x, y); };
template <class Op, class T>
concept returns_result = requires(const Op& op, const tensor4<T>& x) {
  { op(x) } -> expression_of_rank<4>;
};
template <class Op, class T>
concept joins_two = requires(const Op& op, const tensor4<T>& x) {
  { op(x, x) } -> expression_of_rank<4>;
};
// xtensor converts between scalars: conv2d<double> could be called by a network<float>, but not reversed.
template <class Op, class T>
concept weights_of_another_scalar = scalar<typename Op::value_type> && !std::same_as<typename Op::value_type, T>;
template <class Op, class T>
concept layer_operator =
    std::copy_constructible<Op> && !weights_of_another_scalar<Op, T> &&
    (records_switches<Op, T> || takes_list<Op, T> || fills_result<Op, T> || returns_result<Op, T> || joins_two<Op, T>);
template <class Op, class T>
concept has_reverse = requires(const Op& op, const tensor4<T>& signal, const reverse_context<T>& at) { op.reverse(signal, at); };

/// A parameter of a network by name: `values` row-major in extents `shape`.
template <scalar T>
struct parameter {
  std::string name;
  std::vector<std::size_t> shape;
  std::span<const T> values;
};

namespace detail {

template <class Op>
std::string_view kind_of() {
  if constexpr (requires { std::string_view(Op::kind); }) {
    return Op::kind;
  } else {
    return "operator";
  }
}

template <class Op>
constexpr reverse_needs needs_of() {
  if constexpr (requires { reverse_needs(Op::needs); }) {
    return Op::needs;
  } else {
    return {.input = true, .output = true, .sign = false};
  }
}

/// How many inputs an operator may have: the least and, 0 for no bound, the most.
template <class Op, class T>
constexpr std::pair<std::size_t, std::size_t> arity_of() {
  constexpr bool one = records_switches<Op, T> || fills_result<Op, T> || returns_result<Op, T>;
  if constexpr (takes_list<Op, T>) {
    return {1, 0};
  } else {
    return {one ? 1 : 2, joins_two<Op, T> ? 2 : 1};
  }
}

/// Runs an operator forward; `record` is used by pools only and may be null.
template <class Op, scalar T>
void run_forward(const Op& op, tensor_list<T> inputs, tensor4<T>& y, switches* record) {
  if constexpr (takes_list<Op, T>) {
    op.forward(inputs, y);
  } else {
    if constexpr (joins_two<Op, T>) {
      if (inputs.size() == 2) {
        y = op(*inputs[0], *inputs[1]);
        return;
      }
    }
    if constexpr (records_switches<Op, T>) {
      op.forward(*inputs[0], y, record);
    } else if constexpr (fills_result<Op, T>) {
      op.forward(*inputs[0], y);
    } else if constexpr (returns_result<Op, T>) {
      y = op(*inputs[0]);
    }
  }
}

template <class Op, scalar T>
shape4 output_shape_of(const Op& op, std::span<const shape4> inputs) {
  if constexpr (requires { shape4(op.output_shape(inputs)); }) {
    return op.output_shape(inputs);
  } else if constexpr (requires { shape4(op.output_shape(inputs[0])); }) {
    return op.output_shape(inputs[0]);
  } else {
    std::vector<tensor4<T>> blanks;
    std::vector<const tensor4<T>*> list;
    for (const shape4& shape : inputs) blanks.push_back(zeros<T>(shape));
    for (const auto& blank : blanks) list.push_back(&blank);
    tensor4<T> y;
    run_forward<Op, T>(op, list, y, nullptr);
    return shape_of(y);
  }
}

template <class Op, scalar T>
std::vector<tensor4<T>> run_reverse(const Op& op, const tensor4<T>& signal, const reverse_context<T>& at) {
  if constexpr (requires { std::vector<tensor4<T>>(op.reverse(signal, at)); }) {
    return op.reverse(signal, at);
  } else {
    std::vector<tensor4<T>> result;
    result.emplace_back(op.reverse(signal, at));
    return result;
  }
}

/// The interface. Immutable while shared: a network that edits weights takes a copy first.
template <scalar T>
class node_operator {
 public:
  virtual ~node_operator() = default;
  virtual std::unique_ptr<node_operator> clone() const = 0;
  virtual std::string_view kind() const = 0;
  virtual std::pair<std::size_t, std::size_t> arity() const = 0;
  virtual shape4 output_shape(std::span<const shape4> inputs) const = 0;
  virtual void forward(tensor_list<T> inputs, tensor4<T>& y, switches* record) const = 0;
  virtual bool records() const = 0;
  virtual bool works_in_place() const = 0;
  virtual void forward_in_place(tensor4<T>& x) const = 0;
  virtual bool is_rectifier() const = 0;
  virtual bool can_rectify() const = 0;
  virtual void forward_rectified(tensor_list<T> inputs, tensor4<T>& y) const = 0;
  virtual bool is_concat() const = 0;
  virtual std::size_t part_channels() const = 0;
  virtual shape4 forward_part(const tensor4<T>& x, tensor4<T>& whole, const channel_part& part, bool rectify) const = 0;
  virtual bool reversible() const = 0;
  virtual reverse_needs needs() const = 0;
  virtual std::vector<tensor4<T>> reverse(const tensor4<T>& signal, const reverse_context<T>& at) const = 0;
  virtual std::optional<deconvnet::reach> reach() const = 0;
  virtual std::size_t multiply_adds(std::span<const shape4> inputs, const shape4& out) const = 0;
  /// The parameters, their names without the layer's.
  virtual std::vector<parameter<T>> parameters() const = 0;
  /// The elements of one parameter, for writing.
  virtual std::span<T> edit(std::string_view name) = 0;
  virtual bool learns() const = 0;
  /// x: the input of a run; signal: the loss's derivative by the output. Overwrites one span per parameter.
  virtual void parameter_gradients(const tensor4<T>& x, const tensor4<T>& signal, std::span<const std::span<T>> into) const = 0;
};

template <scalar T, class Op>
class node_of final : public node_operator<T> {
 public:
  explicit node_of(Op op) : op_(std::move(op)) {}

  const Op& get() const { return op_; }

  std::unique_ptr<node_operator<T>> clone() const override { return std::make_unique<node_of>(op_); }
  std::string_view kind() const override { return kind_of<Op>(); }
  std::pair<std::size_t, std::size_t> arity() const override { return arity_of<Op, T>(); }
  shape4 output_shape(std::span<const shape4> inputs) const override { return output_shape_of<Op, T>(op_, inputs); }

  void forward(tensor_list<T> inputs, tensor4<T>& y, switches* record) const override {
    run_forward<Op, T>(op_, inputs, y, record);
  }

  bool records() const override { return records_switches<Op, T>; }
  bool works_in_place() const override { return in_place; }

  void forward_in_place(tensor4<T>& x) const override {
    if constexpr (in_place) op_.forward_in_place(x);
  }

  bool is_rectifier() const override { return std::same_as<Op, relu>; }
  bool can_rectify() const override { return rectifies_result; }

  void forward_rectified(tensor_list<T> inputs, tensor4<T>& y) const override {
    if constexpr (rectifies_result) op_.forward_rectified(*inputs[0], y);
  }

  bool is_concat() const override { return std::same_as<Op, concat>; }

  std::size_t part_channels() const override {
    if constexpr (writes_parts) return op_.part_channels();
    return 0;
  }

  shape4 forward_part(const tensor4<T>& x, tensor4<T>& whole, const channel_part& part, bool rectify) const override {
    if constexpr (writes_parts) return op_.forward_part(x, whole, part, rectify);
    return {};
  }

  bool reversible() const override { return has_reverse<Op, T>; }
  reverse_needs needs() const override { return has_reverse<Op, T> ? needs_of<Op>() : reverse_needs{}; }

  std::vector<tensor4<T>> reverse(const tensor4<T>& signal, const reverse_context<T>& at) const override {
    if constexpr (has_reverse<Op, T>) {
      return run_reverse<Op, T>(op_, signal, at);
    } else {
      throw unsupported_error(text(kind(), " has no reverse: nothing can be projected through it"));
    }
  }

  std::optional<deconvnet::reach> reach() const override {
    if constexpr (requires { std::optional<deconvnet::reach>(op_.reach()); }) return op_.reach();
    return std::nullopt;
  }

  std::size_t multiply_adds(std::span<const shape4> inputs, const shape4& out) const override {
    if constexpr (requires { op_.multiply_adds(inputs[0], out); }) return op_.multiply_adds(inputs[0], out);
    return 0;
  }

  std::vector<parameter<T>> parameters() const override {
    std::vector<parameter<T>> list;
    if constexpr (has_parameters) {
      Op::visit_parameters(op_, [&](std::string_view name, const auto& shared) {
        const auto& values = shared.get();
        list.push_back({std::string(name), {values.shape().begin(), values.shape().end()}, {values.data(), values.size()}});
      });
    }
    return list;
  }

  std::span<T> edit(std::string_view wanted) override {
    std::span<T> found;
    if constexpr (has_parameters) {
      Op::visit_parameters(op_, [&](std::string_view name, auto& shared) {
        if (name != wanted) return;
        auto& values = shared.edit();
        found = {values.data(), values.size()};
      });
    }
    return found;
  }

  bool learns() const override { return has_gradients; }

  void parameter_gradients(const tensor4<T>& x, const tensor4<T>& signal, std::span<const std::span<T>> into) const override {
    if constexpr (has_gradients) op_.parameter_gradients(x, signal, into);
  }

 private:
  static constexpr bool has_gradients =
      requires(const Op& op, const tensor4<T>& x, std::span<const std::span<T>> into) { op.parameter_gradients(x, x, into); };
  static constexpr bool rectifies_result = requires(const Op& op, const tensor4<T>& x, tensor4<T>& y) { op.forward_rectified(x, y); };
  static constexpr bool writes_parts = requires(const Op& op, const tensor4<T>& x, tensor4<T>& y) {
    std::size_t(op.part_channels());
    shape4(op.forward_part(x, y, channel_part{}, true));
  };
  static constexpr bool in_place = requires(const Op& op, tensor4<T>& x) { op.forward_in_place(x); };
  static constexpr bool has_parameters = requires(const Op& op) {
    Op::visit_parameters(op, [](std::string_view, const auto&) {});
  };

  Op op_;
};

}  // namespace detail

}  // namespace deconvnet
