// The deconvnet of a pipeline, itself a pipeline: unpool, rectify, filter, bound to one run.
#pragma once

#include <cstddef>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include <deconvnet/network/pipeline.hpp>
#include <deconvnet/ops/conv_transpose2d.hpp>
#include <deconvnet/ops/identity.hpp>
#include <deconvnet/ops/local_response_norm.hpp>
#include <deconvnet/ops/max_pool2d.hpp>
#include <deconvnet/ops/relu.hpp>
#include <deconvnet/ops/softmax.hpp>

namespace deconvnet {

namespace detail {

/// Any operator whose reverse needs nothing but shapes under the deconvnet rule, as an operator that goes the other way.
template <class Op>
class reversed {
 public:
  static constexpr std::string_view kind = "reversed";

  reversed(Op op, const shape4& input) : op_(std::move(op)), input_(input) {}

  template <scalar T>
  void forward(const tensor4<T>& signal, tensor4<T>& y) const {
    const auto images = every_image(signal.shape(0));
    reverse_context<T> at;
    at.images = images;
    at.input_shapes = {output_shape(shape_of(signal))};
    y = op_.reverse(signal, at);
  }

  shape4 output_shape(const shape4& in) const { return {in[0], input_[1], input_[2], input_[3]}; }

 private:
  Op op_;
  shape4 input_;
};

/// The operator that undoes `op` under the deconvnet rule. `input`: the shape of what op read in the run.
template <class Op, scalar T>
auto reverse_operator(const Op& op, const trace_record<T>& record, const shape4& input) {
  if constexpr (std::is_same_v<Op, conv2d<T>>) {
    const auto& o = op.options();
    return conv_transpose2d<T>(op.shared_weight(), {o.stride, o.padding, o.dilation, o.groups, {input[2], input[3]}});
  } else if constexpr (std::is_same_v<Op, max_pool2d>) {
    return max_unpool2d(record.switches);
  } else if constexpr (std::is_same_v<Op, relu>) {
    return relu{};
  } else if constexpr (std::is_same_v<Op, local_response_norm> || std::is_same_v<Op, softmax> || std::is_base_of_v<identity, Op>) {
    return identity{};
  } else {
    static_assert(has_reverse<Op, T>, "an operator of a deconv_pipeline needs a reverse");
    static_assert(!needs_of<Op>().input && !needs_of<Op>().output && !needs_of<Op>().sign,
                  "this operator's reverse reads the run: use deconv() on the pipeline instead");
    return reversed<Op>(op, input);
  }
}

}  // namespace detail

/// The reverse of a pipeline for one run, under the deconvnet rule: max_unpool2d for each max-pool, relu for each relu,
/// conv_transpose2d for each conv2d, the transposed matrix for each linear, last layer first. A pipeline like any other:
/// deconv_pipeline(p, run)(signal) is deconv(p, run, last layer, signal), and its trace holds the reconstruction
/// at every step. Throws error where the run is not this pipeline's or did not compute the last layer.
template <class... Ops, scalar T>
auto deconv_pipeline(const pipeline<Ops...>& forward, const trace<T>& run) {
  detail::check_run(forward.template as_network<T>(), run);
  const auto& records = trace_access<T>::records(run);
  if (records.back().shape[0] == 0) throw error("deconv_pipeline: the run did not compute the last layer");
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    constexpr std::size_t last = sizeof...(Ops) - 1;
    return pipeline(detail::reverse_operator<std::tuple_element_t<last - I, std::tuple<Ops...>>, T>(
        forward.template get<last - I>(), records[last - I + 1], records[last - I].shape)...);
  }(std::index_sequence_for<Ops...>{});
}

}  // namespace deconvnet
