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

/// Throws error where the run was not made by this network: other layers, or none.
template <scalar T>
void check_run(const network<T>& net, const trace<T>& run) {
  const auto* names = trace_access<T>::names(run);
  if (!names) throw error("the trace is empty: no run has filled it");
  if (names != &net.names() && !(*names == net.names())) {
    throw error("the trace was made by another network: its layers have other names");
  }
}

}  // namespace detail

/// A network put together at run time or a pipeline fixed at compile time.
template <class Model, class T>
concept model_of = scalar<T> && requires(const Model& model) { detail::graph_of<T>(model); };

}  // namespace deconvnet
