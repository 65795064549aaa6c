// The weights of a network at one moment of its training.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include <deconvnet/network/network.hpp>

namespace deconvnet {

/// Weights after so many whole epochs (0: as initialized), by the names of net.parameters(); not all of a network's need to
/// be there.
template <scalar T>
struct network_snapshot {
  struct weight {
    std::string name;
    std::vector<std::size_t> shape;
    std::vector<T> values;
  };

  std::size_t epoch = 0;
  std::vector<weight> weights;
};

/// The weights that a layer depends on, its own included: what the first layers looked like takes a fraction of the memory
/// of the whole network. Throws error for an unknown layer.
template <scalar T>
network_snapshot<T> snapshot_of(const network<T>& net, std::size_t epoch, const layer& up_to) {
  std::vector<bool> needed(net.size() + 1, false);
  needed[net.find(up_to) + 1] = true;
  for (std::size_t i = net.size(); i-- > 0;) {
    if (!needed[i + 1]) continue;
    for (const std::size_t place : net.inputs(i)) needed[place] = true;
  }
  network_snapshot<T> snapshot{epoch, {}};
  for (std::size_t i = 0; i < net.size(); ++i) {
    if (!needed[i + 1]) continue;
    for (const auto& p : net.op(i).parameters()) {
      snapshot.weights.push_back({net.name(i) + "." + p.name, p.shape, {p.values.begin(), p.values.end()}});
    }
  }
  return snapshot;
}

/// All weights.
template <scalar T>
network_snapshot<T> snapshot_of(const network<T>& net, std::size_t epoch) {
  network_snapshot<T> snapshot{epoch, {}};
  for (const auto& p : net.parameters()) snapshot.weights.push_back({p.name, p.shape, {p.values.begin(), p.values.end()}});
  return snapshot;
}

/// Sets the weights that the snapshot has; the others stay. Throws error for a weight that the network has not, shape_error
/// for one of another shape; then nothing has changed.
template <scalar T>
void restore(network<T>& net, const network_snapshot<T>& snapshot) {
  const auto parameters = net.parameters();
  for (const auto& weight : snapshot.weights) {
    const auto found = std::find_if(parameters.begin(), parameters.end(), [&](const auto& p) { return p.name == weight.name; });
    if (found == parameters.end()) {
      throw error(detail::text("the snapshot of epoch ", snapshot.epoch, " has '", weight.name, "', the network has not"));
    }
    if (found->shape != weight.shape || weight.values.size() != found->values.size()) {
      throw shape_error(detail::text("the snapshot of epoch ", snapshot.epoch, ": '", weight.name, "' is ", shape_text(weight.shape),
                                     ", the network's is ", shape_text(found->shape)));
    }
  }
  for (const auto& weight : snapshot.weights) net.set_parameter(weight.name, weight.values);
}

}  // namespace deconvnet
