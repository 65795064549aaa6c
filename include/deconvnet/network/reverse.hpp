// The way down: one engine, three rules, any graph.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <deconvnet/network/model.hpp>
#include <deconvnet/tensor/recycled_tensors.hpp>

namespace deconvnet::detail {

/// What one layer's reverse is told.
template <scalar T>
struct recorded_step {
  std::vector<const tensor4<T>*> inputs;
  reverse_context<T> context;
};

template <scalar T>
recorded_step<T> recorded(const network<T>& net, const trace<T>& run, std::size_t i, rule how,
                          std::span<const std::size_t> images) {
  const auto& records = trace_access<T>::records(run);
  recorded_step<T> step;
  step.context.how = how;
  step.context.images = images;
  for (const std::size_t v : net.inputs(i)) {
    shape4 shape = records[v].shape;
    shape[0] = images.size();
    step.context.input_shapes.push_back(shape);
    step.inputs.push_back(records[v].kept ? &records[v].value : nullptr);
  }
  const auto& out = records[i + 1];
  step.context.recorded_output = out.kept ? &out.value : nullptr;
  step.context.recorded_signs = out.signs.empty() || out.kept ? nullptr : &out.signs;
  step.context.recorded_switches = out.switches.places.size() ? &out.switches : nullptr;
  return step;
}

/// Adds a reconstruction to what other layers have sent to the same value already: they add up before the rule of the
/// layer below.
template <scalar T>
void accumulate(std::optional<tensor4<T>>& sum, tensor4<T>&& part) {
  if (!sum) {
    sum = std::move(part);
    return;
  }
  for (std::size_t k = 0; k < sum->size(); ++k) sum->data()[k] += part.data()[k];
}

/// Which values depend on value `place`, itself among them. A way down to it passes these only.
template <scalar T>
std::vector<bool> values_above(const network<T>& net, std::size_t place) {
  std::vector<bool> above(net.size() + 1);
  above[place] = true;
  for (std::size_t i = place; i < net.size(); ++i) {
    for (const std::size_t v : net.inputs(i)) above[i + 1] = above[i + 1] || above[v];
  }
  return above;
}

/// Sends signals down to value `end`: signals[v], where there is one, lies at value v.
template <scalar T>
tensor4<T> reverse_signals(const network<T>& net, const trace<T>& run, std::vector<std::optional<tensor4<T>>> signals,
                           std::size_t end, rule how, std::span<const std::size_t> images) {
  const std::vector<bool> above = values_above(net, end);
  for (std::size_t i = signals.size() - 1; i-- > end;) {
    if (!signals[i + 1] || !above[i + 1]) continue;
    if (!net.op(i).reversible()) {
      throw unsupported_error(text("layer '", net.name(i), "' (", net.op(i).kind(), ") has no reverse"));
    }
    auto step = recorded(net, run, i, how, images);
    step.context.recorded_inputs = step.inputs;
    auto parts = named(net.name(i), [&] { return net.op(i).reverse(*signals[i + 1], step.context); });
    recycle_signal(std::move(*signals[i + 1]));
    signals[i + 1].reset();
    const auto& places = net.inputs(i);
    if (parts.size() != places.size()) {
      throw error(text("layer '", net.name(i), "': its reverse gave ", parts.size(), " signals for ", places.size(), " inputs"));
    }
    for (std::size_t k = 0; k < parts.size(); ++k) {
      if (shape_of(parts[k]) != step.context.input_shapes[k]) {
        throw shape_error(text("layer '", net.name(i), "': its reverse gave ", shape_text(parts[k].shape()), " for an input of ",
                               shape_text(step.context.input_shapes[k])));
      }
      if (above[places[k]]) accumulate(signals[places[k]], std::move(parts[k]));
    }
  }
  if (signals[end]) return std::move(*signals[end]);
  shape4 shape = trace_access<T>::records(run)[end].shape;
  shape[0] = images.size();
  return zeros<T>(shape);
}

/// Sends a batch of signals at the output of layer `start` down to value `end`: 0 the network's input, k + 1 the output
/// of layer k. signal: M x C x H x W of layer start; images[m]: the image of the run that picture m belongs to; result:
/// M x C x H x W of that value, zero where no way leads there. Layers on no way to it are left out.
/// Throws unsupported_error, naming the layer, where one on the way has no reverse.
template <scalar T>
tensor4<T> reverse_to(const network<T>& net, const trace<T>& run, std::size_t start, std::size_t end, tensor4<T> signal,
                      rule how, std::span<const std::size_t> images) {
  std::vector<std::optional<tensor4<T>>> signals(std::max(start + 1, end) + 1);
  signals[start + 1] = std::move(signal);
  return reverse_signals(net, run, std::move(signals), end, how, images);
}

/// The same down to the network's input.
template <scalar T>
tensor4<T> reverse(const network<T>& net, const trace<T>& run, std::size_t start, tensor4<T> signal, rule how,
                   std::span<const std::size_t> images) {
  return reverse_to(net, run, start, 0, std::move(signal), how, images);
}

}  // namespace deconvnet::detail
