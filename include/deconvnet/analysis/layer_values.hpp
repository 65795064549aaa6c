// A forward pass for scans: chosen layers and nothing else.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <deconvnet/network/model.hpp>

namespace deconvnet::detail {

/// Computes chosen layers of a network. Unlike a trace it keeps nothing for projecting, and layers that none of the chosen
/// ones depends on are not computed. The network must outlive it. May be used by several threads at once.
template <scalar T>
class layer_values {
 public:
  layer_values(const network<T>& net, std::vector<std::size_t> layers) : net_(net), layers_(std::move(layers)) {
    plan_ = make_plan(net.plan_steps(), layers_, false);
  }

  /// The memory of a run, kept for the next one.
  using records = std::vector<trace_record<T>>;

  /// Runs a batch; afterwards value(run, k) is the output of the k-th chosen layer. Throws shape_error, naming the layer,
  /// where the batch does not fit.
  void run(const tensor4<T>& x, records& run) const {
    if (layers_.empty()) return;
    const std::size_t channels = net_.input_shape()[0];
    if (channels != 0 && x.shape(1) != channels) {
      throw shape_error(text("input '", net_.input_name(), "': ", shape_text(x.shape()), " given, ", channels, " channels needed"));
    }
    evaluate(net_, x, plan_, run);
  }

  const tensor4<T>& value(const records& run, std::size_t k) const { return run[layers_[k] + 1].value; }

 private:
  const network<T>& net_;
  std::vector<std::size_t> layers_;
  trace_plan plan_;
};

}  // namespace deconvnet::detail
