// The forward pass that networks and pipelines share: what to compute, what to keep, when to let go.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <deconvnet/network/node.hpp>
#include <deconvnet/tensor/recycled_tensors.hpp>
#include <deconvnet/network/trace.hpp>
#include <deconvnet/ops/concat.hpp>

namespace deconvnet::detail {

/// A layer as the plan sees it. `inputs` are places of values: 0 the network's input, i + 1 the output of layer i.
struct plan_step {
  std::vector<std::size_t> inputs;
  reverse_needs needs{};
  bool is_rectifier = false;  // a ReLU and nothing else
  bool can_rectify = false;   // its results may be rectified as they are made
  bool is_concat = false;
  std::size_t part_channels = 0;  // of its results, where it can write them to a part of another value's
};

/// Where layers write straight to their places in concatenations: where each of these is the only reader of all it joins, and
/// nothing else is asked of them.
inline void plan_parts(const std::vector<plan_step>& steps, const std::vector<std::size_t>& readers, trace_plan& plan) {
  plan.parts.assign(steps.size(), {});
  plan.put_together.assign(steps.size(), false);
  const auto writer_of = [&](std::size_t v) {
    const std::size_t below = v != 0 && steps[v - 1].is_rectifier ? steps[v - 1].inputs[0] : 0;
    return below != 0 && plan.rectified[below - 1] ? below : v;
  };
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (!plan.needed[i + 1] || !steps[i].is_concat) continue;
    channel_part part{i + 1, 0, 0};
    plan.put_together[i] = true;
    for (const std::size_t v : steps[i].inputs) {
      const std::size_t writer = writer_of(v);
      const std::size_t channels = writer == 0 ? 0 : steps[writer - 1].part_channels;
      part.channels += channels;
      if (channels == 0 || readers[v] != 1 || plan.keep_value[v] || plan.keep_signs[v]) plan.put_together[i] = false;
    }
    if (!plan.put_together[i]) continue;
    for (const std::size_t v : steps[i].inputs) {
      plan.parts[writer_of(v) - 1] = part;
      part.first += steps[writer_of(v) - 1].part_channels;
    }
  }
}

/// keep: the layers to keep; empty means all, with switches. `for_projection`: also what projecting from them needs.
inline trace_plan make_plan(const std::vector<plan_step>& steps, const std::vector<std::size_t>& keep, bool for_projection) {
  const std::size_t values = steps.size() + 1;
  trace_plan plan;
  plan.needed.assign(values, keep.empty());
  plan.keep_value.assign(values, keep.empty());
  plan.keep_signs.assign(values, false);
  plan.last_use.assign(values, 0);
  plan.keep_switches = for_projection;
  for (const std::size_t k : keep) plan.needed[k + 1] = plan.keep_value[k + 1] = true;
  for (std::size_t i = steps.size(); i-- > 0;) {
    if (!plan.needed[i + 1]) continue;
    for (const std::size_t v : steps[i].inputs) {
      plan.needed[v] = true;
      plan.last_use[v] = std::max(plan.last_use[v], i);
      if (for_projection && steps[i].needs.input) plan.keep_value[v] = true;
    }
    if (for_projection && steps[i].needs.output) plan.keep_value[i + 1] = true;
  }
  std::vector<std::size_t> readers(values, 0);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    for (const std::size_t v : steps[i].inputs) readers[v] += plan.needed[i + 1] ? 1 : 0;
  }
  plan.rectified.assign(steps.size(), false);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const std::size_t v = steps[i].inputs.empty() ? 0 : steps[i].inputs[0];
    if (plan.needed[i + 1] && steps[i].is_rectifier && v != 0 && readers[v] == 1 && !plan.keep_value[v] && steps[v - 1].can_rectify) {
      plan.rectified[v - 1] = true;
    }
  }
  for (std::size_t i = 0; i < steps.size(); ++i) {
    plan.keep_signs[i + 1] = for_projection && plan.needed[i + 1] && steps[i].needs.sign && !plan.keep_value[i + 1];
  }
  plan_parts(steps, readers, plan);
  return plan;
}

/// Runs `body`, and puts the layer's name before the message of what goes wrong in it.
template <class Body>
decltype(auto) named(const std::string& name, Body&& body) {
  try {
    return body();
  } catch (const shape_error& problem) {
    throw shape_error(text("layer '", name, "': ", problem.what()));
  } catch (const unsupported_error& problem) {
    throw unsupported_error(text("layer '", name, "': ", problem.what()));
  } catch (const file_error&) {
    throw;  // begins with the path
  } catch (const error& problem) {
    throw error(text("layer '", name, "': ", problem.what()));
  }
}

/// Memory for a value that is let go later in the run, of the size that it had in the last one.
template <scalar T>
void reuse(trace_record<T>& record, bool kept) {
  if (kept || record.value.size() != 0 || record.shape[0] == 0) return;
  record.value = recycled_tensors<T>::of_this_thread().take(record.shape[0] * record.shape[1] * record.shape[2] * record.shape[3]);
}

/// The value of the layer below becomes this one's; what stood here is for others.
template <scalar T>
void take_over(trace_record<T>& record, trace_record<T>& below) {
  recycled_tensors<T>::of_this_thread().give(std::move(record.value));
  record.value = std::move(below.value);
}

/// Throws shape_error where the values of which a concatenation was put together do not fit each other.
template <scalar T>
void check_parts(const std::vector<std::size_t>& places, const std::vector<trace_record<T>>& records) {
  const shape4& first = records[places[0]].shape;
  const auto fits = [&](std::size_t v) { return records[v].shape[2] == first[2] && records[v].shape[3] == first[3]; };
  if (std::all_of(places.begin(), places.end(), fits)) return;
  std::vector<shape4> shapes;
  for (const std::size_t v : places) shapes.push_back(records[v].shape);
  concatenated_shape(shapes);
}

/// Fills the records of a run. Model gives, for layer i: inputs(i), name(i), forward_layer(i, list, y, record),
/// forward_rectified(i, list, y), forward_part(i, x, whole, part, rectify), works_in_place(i), forward_in_place(i, x).
/// `first_layer`: those before it have run.
template <scalar T, class Model>
void evaluate(const Model& model, const tensor4<T>& x, const trace_plan& plan, std::vector<trace_record<T>>& records,
              std::size_t first_layer = 0) {
  records.resize(plan.needed.size());
  records[0].shape = shape_of(x);
  records[0].kept = plan.keep_value[0];
  if (plan.keep_value[0]) {
    resize(records[0].value, shape_of(x));
    std::copy(x.data(), x.data() + x.size(), records[0].value.data());
  }
  // Kept from run to run. Taken away meanwhile: a layer of a user's own may run a network of its own.
  static thread_local std::vector<const tensor4<T>*> kept_inputs;
  std::vector<const tensor4<T>*> inputs = std::exchange(kept_inputs, {});
  const bool in_parts = x.shape(0) == 1;  // the channels of one image lie side by side
  for (std::size_t i = first_layer; i + 1 < records.size(); ++i) {
    auto& record = records[i + 1];
    record.kept = plan.keep_value[i + 1];
    if (!plan.needed[i + 1]) {
      if (record.shape[0] != 0) record = {};
      continue;
    }
    const auto& places = model.inputs(i);
    inputs.clear();
    for (const std::size_t v : places) inputs.push_back(v == 0 ? &x : &records[v].value);
    named(model.name(i), [&] {
      const std::size_t first = places[0];
      const bool last_reader = first != 0 && !plan.keep_value[first] && plan.last_use[first] == i;
      if (const channel_part& part = plan.parts[i]; in_parts && part.value != 0) {
        auto& whole = records[part.value];
        reuse(whole, plan.keep_value[part.value]);
        record.shape = model.forward_part(i, *inputs[0], whole.value, part, plan.rectified[i]);
        return;
      }
      if (in_parts && plan.put_together[i]) {
        check_parts(places, records);
      } else if (plan.rectified[i]) {
        reuse(record, false);
        model.forward_rectified(i, tensor_list<T>(inputs), record.value);
      } else if (first > first_layer && plan.rectified[first - 1]) {
        take_over(record, records[first]);
        if (in_parts && plan.parts[first - 1].value != 0) {
          record.shape = records[first].shape;
          return;
        }
      } else if (last_reader && places.size() == 1 && model.works_in_place(i)) {
        take_over(record, records[first]);
        model.forward_in_place(i, record.value);
      } else {
        reuse(record, plan.keep_value[i + 1]);
        model.forward_layer(i, tensor_list<T>(inputs), record.value, plan.keep_switches ? &record.switches : nullptr);
      }
      record.shape = shape_of(record.value);
      if (record.shape[0] != x.shape(0)) {
        throw shape_error(text("its output ", shape_text(record.shape), " is not one image for each of ", x.shape(0)));
      }
    });
    if (plan.keep_signs[i + 1]) record.signs.record(record.value);
    for (const std::size_t v : places) {
      if (v != 0 && !plan.keep_value[v] && plan.last_use[v] == i) {
        recycled_tensors<T>::of_this_thread().give(std::move(records[v].value));
        records[v].value = tensor4<T>();
      }
    }
  }
  kept_inputs = std::move(inputs);
}

/// What forward(x, run, options) of networks and pipelines share. Model gives identity() besides what evaluate() asks for.
template <scalar T>
struct trace_writer {
  /// make_steps(): the model's layers, asked for where a new plan is needed.
  template <class Model, class MakeSteps>
  static void fill(const Model& model, const std::shared_ptr<const layer_names>& names, const MakeSteps& make_steps,
                   const tensor4<T>& x, trace<T>& run, const trace_options& options) {
    for (const auto& record : run.records_) {
      // x would be overwritten while it is read.
      if (&record.value == &x) return fill(model, names, make_steps, tensor4<T>(x), run, options);
    }
    // A second run of the same layers that keeps the same takes no memory.
    const bool planned = &run.options_ == &options && run.names_ == names && run.made_by_ && run.made_by_->same_layers(model.identity());
    if (!planned) {
      std::vector<std::size_t> keep;
      for (const layer& which : options.keep) keep.push_back(names->find(which));
      run.plan_ = make_plan(make_steps(), keep, true);
      if (&run.options_ != &options) run.options_ = options;
    }
    // What another network recorded must not be read as this one's.
    if (run.names_ != names) run.records_.clear();
    run.names_ = names;
    run.made_by_ = model.identity();
    const std::size_t trouble = first_nonfinite(std::span<const T>(x.data(), x.size()));
    run.nonfinite_ = trouble < x.size() ? std::optional(trouble) : std::nullopt;
    try {
      evaluate(model, x, run.plan_, run.records_);
    } catch (...) {
      // Half of it would be this run's, half the last one's.
      run.records_.clear();
      run.names_.reset();
      run.made_by_.reset();
      throw;
    }
  }

  static const trace_options& options(const trace<T>& run) { return run.options_; }
};

}  // namespace deconvnet::detail
