// A pipeline: a chain of operators fixed at compile time, with the calls of a network.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <deconvnet/network/evaluation.hpp>
#include <deconvnet/network/network.hpp>
#include <deconvnet/network/receptive_field.hpp>

namespace deconvnet {

namespace detail {

/// The scalar that a pipeline's weights fix; void where none of the operators has weights.
template <class... Ops>
struct pipeline_scalar {
  using type = void;
};

template <class First, class... Rest>
struct pipeline_scalar<First, Rest...> {
  using rest = typename pipeline_scalar<Rest...>::type;
  static auto pick() {
    if constexpr (requires { typename First::value_type; }) {
      static_assert(std::is_void_v<rest> || std::is_same_v<rest, typename First::value_type>,
                    "all operators of a pipeline must have weights of one scalar type");
      return std::type_identity<typename First::value_type>{};
    } else {
      return std::type_identity<rest>{};
    }
  }
  using type = typename decltype(pick())::type;
};

}  // namespace detail

/// Operators one after the other, by value. Layers are 0, 1, 2 ..., by index or by those numbers as names. Values between
/// layers are N x C x H x W. A trace can be projected by the pipeline that made it, its copies and its as_network(); a
/// second pipeline{...} of the same operators is another pipeline.
template <class... Ops>
class pipeline {
  using weight_scalar = typename detail::pipeline_scalar<Ops...>::type;
  using default_scalar = std::conditional_t<std::is_void_v<weight_scalar>, float, weight_scalar>;
  static_assert(sizeof...(Ops) > 0, "a pipeline needs at least one operator");
  static_assert((layer_operator<Ops, default_scalar> && ...), "an operator of a pipeline needs a forward: see layer_operator");
  static_assert(((detail::arity_of<Ops, default_scalar>().first == 1) && ...), "an operator of a pipeline takes one input");

 public:
  explicit pipeline(Ops... ops) : ops_(std::move(ops)...), names_(std::make_shared<detail::layer_names>()) {
    for (std::size_t i = 0; i < sizeof...(Ops); ++i) names_->add(std::to_string(i));
  }

  static constexpr std::size_t size() { return sizeof...(Ops); }

  /// Operator I.
  template <std::size_t I>
  const auto& get() const {
    return std::get<I>(ops_);
  }

  /// The output alone; no trace is kept. x: N x C x H x W.
  template <expression_of_rank<4> X>
  auto operator()(const X& x) const {
    using T = scalar_for<X>;
    const auto& in = contiguous<T, 4>(x);
    check_input(in);
    std::vector<detail::trace_record<T>> records;
    detail::evaluate(*this, in, detail::make_plan(steps<T>(), {size() - 1}, false), records);
    return std::move(records.back().value);
  }

  /// The trace of a run; options and errors as network::forward.
  template <expression_of_rank<4> X>
  auto forward(const X& x, const trace_options& options = {}) const {
    trace<scalar_for<X>> run;
    forward(x, run, options);
    return run;
  }

  template <expression_of_rank<4> X, scalar T>
  void forward(const X& x, trace<T>& run) const {
    forward(x, run, detail::trace_writer<T>::options(run));
  }

  template <expression_of_rank<4> X, scalar T>
  void forward(const X& x, trace<T>& run, const trace_options& options) const {
    static_assert(std::is_void_v<weight_scalar> || std::is_same_v<weight_scalar, T>,
                  "the trace must have the scalar of the pipeline's weights");
    const auto& in = contiguous<T, 4>(x);
    check_input(in);
    detail::trace_writer<T>::fill(*this, names_, [] { return steps<T>(); }, in, run, options);
  }

  /// The rows of network::layers(), for an input of C x H x W; without one, shapes and multiply-adds are not known.
  std::vector<layer_info> layers(const shape3& input = {0, 0, 0}) const { return as_network(input).layers(); }

  /// This pipeline as a network of the same layers, sharing its weights: how projections and analyses see it. Both take
  /// each other's traces, until the network is edited.
  template <scalar T = default_scalar>
    requires(std::is_void_v<weight_scalar> || std::is_same_v<weight_scalar, T>)
  network<T> as_network(const shape3& input = {0, 0, 0}) const {
    network<T> net(input);
    add_to<T>(net, std::index_sequence_for<Ops...>{});
    net.identity_ = identity_;
    return net;
  }

  // What the forward pass asks of layer i; see detail::evaluate.
  static std::vector<std::size_t> inputs(std::size_t i) { return {i}; }
  const std::string& name(std::size_t i) const { return (*names_)[i]; }
  const detail::network_identity& identity() const { return identity_; }
  static bool works_in_place(std::size_t) { return false; }
  template <scalar T>
  static void forward_in_place(std::size_t, tensor4<T>&) {}
  template <scalar T>
  static void forward_rectified(std::size_t, tensor_list<T>, tensor4<T>&) {}
  template <scalar T>
  static shape4 forward_part(std::size_t, const tensor4<T>&, tensor4<T>&, const detail::channel_part&, bool) {
    return {};
  }

  template <scalar T>
  void forward_layer(std::size_t i, tensor_list<T> list, tensor4<T>& y, switches* record) const {
    forward_one(i, list, y, record, std::index_sequence_for<Ops...>{});
  }

 private:
  template <class X>
  using scalar_for = std::conditional_t<std::is_void_v<weight_scalar>, scalar_of<X>, weight_scalar>;

  template <scalar T>
  static void check_input(const tensor4<T>& x) {
    if (x.size() == 0) throw shape_error("the pipeline's input is empty: " + shape_text(x.shape()));
  }

  template <scalar T, std::size_t... I>
  void forward_one(std::size_t i, tensor_list<T> list, tensor4<T>& y, switches* record, std::index_sequence<I...>) const {
    ((i == I ? detail::run_forward<Ops, T>(get<I>(), list, y, record) : void()), ...);
  }

  template <scalar T, std::size_t... I>
  void add_to(network<T>& net, std::index_sequence<I...>) const {
    (net.add(std::to_string(I), get<I>()), ...);
  }

  template <scalar T>
  static std::vector<detail::plan_step> steps() {
    std::vector<detail::plan_step> list;
    (list.push_back({{list.size()}, has_reverse<Ops, T> ? detail::needs_of<Ops>() : reverse_needs{}, false, false, false, 0}), ...);
    return list;
  }

  std::tuple<Ops...> ops_;
  std::shared_ptr<detail::layer_names> names_;
  detail::network_identity identity_;
};

/// receptive_field of a pipeline, as of a network whose input size is not fixed.
template <class... Ops>
box receptive_field(const pipeline<Ops...>& model, const layer& which, const unit& u) {
  return receptive_field(model.as_network(), which, u);
}

}  // namespace deconvnet
