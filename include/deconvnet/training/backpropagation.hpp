// Backpropagation: loss and every gradient of a mini-batch (the paper, section 3).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <deconvnet/kernels/algorithm.hpp>
#include <deconvnet/network/network.hpp>
#include <deconvnet/network/reverse.hpp>
#include <deconvnet/ops/dropout.hpp>
#include <deconvnet/ops/softmax.hpp>
#include <deconvnet/training/batch_statistics.hpp>
#include <deconvnet/training/cross_entropy.hpp>
#include <deconvnet/training/dropout_mask.hpp>

namespace deconvnet {

/// What a parameter is to training. `learned`: it has a gradient. `statistic`: batch normalization's running mean or
/// variance; what stands in place of a gradient is what this batch observed. `constant`: left alone.
enum class parameter_role { learned, statistic, constant };

template <scalar T>
struct parameter_gradient {
  std::string name;
  parameter_role role = parameter_role::constant;
  std::vector<T> values;
};

/// One training pass over a mini-batch: forward with dropout masks and batch statistics, cross-entropy at the network's
/// output, and the derivative of the mean loss by every parameter. Keeps its memory from call to call. The bits depend on
/// the kernel level only, not on the number of threads: every sum over the batch is taken in one order.
template <scalar T>
class backpropagation {
 public:
  /// seed: of the dropout masks.
  explicit backpropagation(std::uint64_t seed = 0) : seed_(seed) {}

  /// x: N x C x H x W; labels: N; step: which masks to draw (dropout_mask of seed, step and the layer's index).
  /// Throws shape_error where x does not fit the network; error where the network ends in a softmax, a label is no class or
  /// a layer on the way has no reverse.
  batch_result operator()(const network<T>& net, const tensor4<T>& x, std::span<const std::size_t> labels, std::uint64_t step) {
    const detail::direct_scope changing_weights;
    plan(net);
    forward(net, x, step);
    const std::size_t output = net.output();
    signals_.assign(net.size() + 1, std::nullopt);
    signals_[output + 1].emplace();
    const batch_result result = detail::named(net.name(output), [&] {
      return cross_entropy(value(output + 1), labels, &*signals_[output + 1]);
    });
    backward(net, x, step);
    return result;
  }

  /// One entry per net.parameters(), in that order.
  const std::vector<parameter_gradient<T>>& gradients() const { return gradients_; }

  /// What the layer gave in the last pass, dropout applied; for tests and curious eyes. Values that a later layer has
  /// overwritten in place are that layer's.
  const tensor4<T>& output(const network<T>& net, const layer& which) const { return value(net.find(which) + 1); }

 private:
  struct step_plan {
    bool needed = false;    // the output depends on it
    bool in_place = false;  // overwrites its input
    std::size_t parameter = 0, parameters = 0;
  };

  tensor4<T>& value(std::size_t place) { return values_[storage_[place]]; }
  const tensor4<T>& value(std::size_t place) const { return values_[storage_[place]]; }

  void plan(const network<T>& net) {
    const std::size_t output = net.output();
    if (net.template get_if<softmax>(layer(output))) {
      throw error(detail::text("backpropagation: the network's output '", net.name(output),
                               "' is a softmax; the loss takes logits: set_output to the layer before"));
    }
    steps_.assign(net.size(), {});
    gradients_.resize(net.parameters().size());
    storage_.resize(net.size() + 1);
    std::iota(storage_.begin(), storage_.end(), std::size_t{0});
    values_.resize(net.size() + 1);
    switches_.resize(net.size());
    statistics_.resize(net.size());
    learning_.assign(net.size() + 1, false);
    std::vector<std::size_t> readers(net.size() + 1);
    steps_[output].needed = true;
    for (std::size_t i = output + 1; i-- > 0;) {
      if (!steps_[i].needed) continue;
      for (const std::size_t v : net.inputs(i)) {
        ++readers[v];
        if (v != 0) steps_[v - 1].needed = true;
      }
    }
    std::size_t next = 0;
    for (std::size_t i = 0; i < net.size(); ++i) {
      const auto parameters = net.op(i).parameters();
      steps_[i].parameter = next;
      steps_[i].parameters = parameters.size();
      const bool normalizes = net.template get_if<batch_norm<T>>(layer(i)) != nullptr;
      const bool learns = steps_[i].needed && (net.op(i).learns() || normalizes);
      learning_[i + 1] = learns && !parameters.empty();
      for (const auto& p : parameters) {
        auto& gradient = gradients_[next++];
        const bool statistic = p.name.starts_with("running_");
        gradient.name = net.name(i) + "." + p.name;
        gradient.role = !learns ? parameter_role::constant : statistic ? parameter_role::statistic : parameter_role::learned;
        gradient.values.resize(learns ? p.values.size() : 0);
      }
      for (const std::size_t v : net.inputs(i)) learning_[i + 1] = learning_[i + 1] || learning_[v];
      if (!steps_[i].needed) continue;
      // An input that nobody else reads and neither reverse asks for is overwritten: half the memory of a conv and its ReLU.
      const auto& in = net.inputs(i);
      const bool dropped = net.template get_if<dropout>(layer(i)) != nullptr;
      if (in.size() != 1 || in[0] == 0 || readers[in[0]] != 1 || normalizes) continue;
      const reverse_needs below = net.op(in[0] - 1).needs();
      steps_[i].in_place = (net.op(i).works_in_place() || dropped) && !net.op(i).needs().input && !below.output && !below.sign;
      if (steps_[i].in_place) storage_[i + 1] = storage_[in[0]];
    }
  }

  void forward(const network<T>& net, const tensor4<T>& x, std::uint64_t step) {
    const shape3& fixed = net.input_shape();
    if (x.size() == 0 || (fixed[0] != 0 && x.shape(1) != fixed[0])) {
      throw shape_error(detail::text("backpropagation: a batch of ", shape_text(x.shape()), " for an input of ",
                                     shape_text(fixed)));
    }
    shapes_.assign(net.size() + 1, {});
    shapes_[0] = shape_of(x);
    std::vector<const tensor4<T>*> inputs;
    for (std::size_t i = 0; i < net.size(); ++i) {
      if (!steps_[i].needed) continue;
      inputs.clear();
      for (const std::size_t v : net.inputs(i)) inputs.push_back(v == 0 ? &x : &value(v));
      auto& y = value(i + 1);
      detail::named(net.name(i), [&] {
        if (const auto* drop = net.template get_if<dropout>(layer(i))) {
          apply_mask({drop->probability(), seed_, step, i}, *inputs[0], y);
        } else if (const auto* norm = net.template get_if<batch_norm<T>>(layer(i))) {
          detail::batch_norm_training(*norm, *inputs[0], y, statistics_[i]);
        } else if (steps_[i].in_place) {
          net.op(i).forward_in_place(y);
        } else {
          net.op(i).forward(inputs, y, &switches_[i]);
        }
      });
      shapes_[i + 1] = shape_of(y);  // a flatten in place changes what the value below has
    }
  }

  void backward(const network<T>& net, const tensor4<T>& x, std::uint64_t step) {
    std::vector<std::size_t> images(x.shape(0));
    std::iota(images.begin(), images.end(), std::size_t{0});
    for (std::size_t i = net.output() + 1; i-- > 0;) {
      if (!steps_[i].needed || !signals_[i + 1]) continue;
      tensor4<T> signal = std::move(*signals_[i + 1]);
      signals_[i + 1].reset();
      if (!learning_[i + 1]) continue;
      detail::named(net.name(i), [&] { step_down(net, x, i, std::move(signal), step, images); });
    }
  }

  void step_down(const network<T>& net, const tensor4<T>& x, std::size_t i, tensor4<T>&& signal, std::uint64_t step,
                 std::span<const std::size_t> images) {
    const auto& places = net.inputs(i);
    std::vector<const tensor4<T>*> inputs;
    reverse_context<T> context;
    context.how = rule::gradient;
    context.images = images;
    for (const std::size_t v : places) {
      inputs.push_back(v == 0 ? &x : &value(v));
      context.input_shapes.push_back(shapes_[v]);
    }
    if (const auto* norm = net.template get_if<batch_norm<T>>(layer(i))) {
      auto* slots = &gradients_[steps_[i].parameter];
      auto down = detail::batch_norm_gradient<T>(*norm, *inputs[0], signal, statistics_[i], slots[0].values, slots[1].values);
      for (std::size_t c = 0; c < statistics_[i].mean.size(); ++c) {
        slots[2].values[c] = static_cast<T>(statistics_[i].mean[c]);
        slots[3].values[c] = static_cast<T>(statistics_[i].unbiased(c));
      }
      if (learning_[places[0]]) detail::accumulate(signals_[places[0]], std::move(down));
      return;
    }
    if (steps_[i].parameters != 0 && net.op(i).learns()) {
      std::vector<std::span<T>> into;
      for (std::size_t k = 0; k < steps_[i].parameters; ++k) into.push_back(gradients_[steps_[i].parameter + k].values);
      net.op(i).parameter_gradients(*inputs[0], signal, into);
    }
    if (std::none_of(places.begin(), places.end(), [&](std::size_t v) { return learning_[v]; })) return;
    if (const auto* drop = net.template get_if<dropout>(layer(i))) {
      apply_mask({drop->probability(), seed_, step, i}, signal, signal);
      detail::accumulate(signals_[places[0]], std::move(signal));
      return;
    }
    if (!net.op(i).reversible()) throw unsupported_error(detail::text(net.op(i).kind(), " has no reverse: nothing below it can learn"));
    context.recorded_inputs = inputs;
    context.recorded_output = &value(i + 1);
    if (switches_[i].places.size()) context.recorded_switches = &switches_[i];
    auto parts = net.op(i).reverse(signal, context);
    for (std::size_t k = 0; k < parts.size(); ++k) {
      if (learning_[places[k]]) detail::accumulate(signals_[places[k]], std::move(parts[k]));
    }
  }

  static void apply_mask(const dropout_mask& mask, const tensor4<T>& x, tensor4<T>& y) {
    resize(y, shape_of(x));
    const T factor = static_cast<T>(mask.factor());
    const std::size_t size = x.size() / std::max<std::size_t>(1, x.shape(0));
    parallel_for(x.shape(0), [&](std::size_t n) {
      for (std::size_t k = n * size; k < (n + 1) * size; ++k) y.data()[k] = mask.keeps(k) ? factor * x.data()[k] : T(0);
    });
  }

  std::uint64_t seed_;
  std::vector<step_plan> steps_;
  std::vector<std::size_t> storage_;   // which of values_ holds a value: layers in place share
  std::vector<tensor4<T>> values_;
  std::vector<shape4> shapes_;
  std::vector<switches> switches_;
  std::vector<detail::batch_statistics<T>> statistics_;
  std::vector<bool> learning_;         // the loss changes it through a parameter at or below it
  std::vector<std::optional<tensor4<T>>> signals_;
  std::vector<parameter_gradient<T>> gradients_;
};

}  // namespace deconvnet
