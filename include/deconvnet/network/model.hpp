// What projections and analyses take: a network, or anything that can be seen as one.
#pragma once

#include <deconvnet/network/network.hpp>

namespace deconvnet {

namespace detail {

/// The network behind a model: itself, or the view that `model.as_network<T>()` makes (a pipeline's).
template <scalar T>
const network<T>& graph_of(const network<T>& net) {
  return net;
}

template <scalar T, class Model>
  requires requires(const Model& model) { model.template as_network<T>(); }
network<T> graph_of(const Model& model) {
  return model.template as_network<T>();
}

/// Throws error where the run was not made by these layers, whatever their weights: what reads shapes alone asks this.
template <scalar T>
void check_layers(const network<T>& net, const trace<T>& run) {
  const auto& made_by = trace_access<T>::made_by(run);
  if (!made_by) throw error("the trace is empty: no run has filled it");
  if (!made_by->same_layers(net.identity())) {
    throw error(
        "the trace was made by another network or pipeline, or by this one before a layer was added: use the object that ran, "
        "a copy of it, or run this one");
  }
}

/// Throws error where the run was not made by this network or a copy of it as it is now: see trace.
template <scalar T>
void check_run(const network<T>& net, const trace<T>& run) {
  check_layers(net, run);
  if (!trace_access<T>::made_by(run)->same_weights(net.identity())) {
    throw error("the trace was made with other weights: a parameter of the network has been edited since, run it again");
  }
}

}  // namespace detail

/// A network put together at run time or a pipeline fixed at compile time.
template <class Model, class T>
concept model_of = scalar<T> && requires(const Model& model) { detail::graph_of<T>(model); };

}  // namespace deconvnet
