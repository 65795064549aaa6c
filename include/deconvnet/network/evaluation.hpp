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
#include <deconvnet/network/trace.hpp>

namespace deconvnet::detail {

/// A layer as the plan sees it. `inputs` are places of values: 0 the network's input, i + 1 the output of layer i.
struct plan_step {
  std::vector<std::size_t> inputs;
  reverse_needs needs{};
  bool is_rectifier = false;  // a ReLU and nothing else
  bool can_rectify = false;   // its results may be rectified as they are made
};

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

/// Fills the records of a run. Model gives, for layer i: inputs(i), name(i), forward_layer(i, list, y, record),
/// forward_rectified(i, list, y), works_in_place(i), forward_in_place(i, x).
template <scalar T, class Model>
void evaluate(const Model& model, const tensor4<T>& x, const trace_plan& plan, std::vector<trace_record<T>>& records) {
  records.resize(plan.needed.size());
  records[0].shape = shape_of(x);
  records[0].kept = plan.keep_value[0];
  if (plan.keep_value[0]) {
    resize(records[0].value, shape_of(x));
    std::copy(x.data(), x.data() + x.size(), records[0].value.data());
  }
  std::vector<const tensor4<T>*> inputs;
  for (std::size_t i = 0; i + 1 < records.size(); ++i) {
    auto& record = records[i + 1];
    record.kept = plan.keep_value[i + 1];
    if (!plan.needed[i + 1]) {
      record = {};
      continue;
    }
    const auto& places = model.inputs(i);
    inputs.clear();
    for (const std::size_t v : places) inputs.push_back(v == 0 ? &x : &records[v].value);
    named(model.name(i), [&] {
      const std::size_t first = places[0];
      const bool last_reader = first != 0 && !plan.keep_value[first] && plan.last_use[first] == i;
      if (plan.rectified[i]) {
        model.forward_rectified(i, tensor_list<T>(inputs), record.value);
      } else if (first != 0 && plan.rectified[first - 1]) {
        record.value = std::move(records[first].value);
      } else if (last_reader && places.size() == 1 && model.works_in_place(i)) {
        record.value = std::move(records[first].value);
        model.forward_in_place(i, record.value);
      } else {
        model.forward_layer(i, tensor_list<T>(inputs), record.value, plan.keep_switches ? &record.switches : nullptr);
      }
      record.shape = shape_of(record.value);
      if (record.shape[0] != x.shape(0)) {
        throw shape_error(text("its output ", shape_text(record.shape), " is not one image for each of ", x.shape(0)));
      }
    });
    if (plan.keep_signs[i + 1]) record.signs.record(record.value);
    for (const std::size_t v : places) {
      if (v != 0 && !plan.keep_value[v] && plan.last_use[v] == i) records[v].value = tensor4<T>();
    }
  }
}

/// What forward(x, run, options) of networks and pipelines share. Model gives identity() besides what evaluate() asks for.
template <scalar T>
struct trace_writer {
  template <class Model>
  static void fill(const Model& model, const std::shared_ptr<const layer_names>& names, const std::vector<plan_step>& steps,
                   const tensor4<T>& x, trace<T>& run, const trace_options& options) {
    for (const auto& record : run.records_) {
      // x would be overwritten while it is read.
      if (&record.value == &x) return fill(model, names, steps, tensor4<T>(x), run, options);
    }
    std::vector<std::size_t> keep;
    for (const layer& which : options.keep) keep.push_back(names->find(which));
    const trace_plan plan = make_plan(steps, keep, true);
    if (&run.options_ != &options) run.options_ = options;
    // What another network recorded must not be read as this one's.
    if (run.names_ != names) run.records_.clear();
    run.names_ = names;
    run.made_by_ = model.identity();
    const std::size_t trouble = first_nonfinite(std::span<const T>(x.data(), x.size()));
    run.nonfinite_ = trouble < x.size() ? std::optional(trouble) : std::nullopt;
    try {
      evaluate(model, x, plan, run.records_);
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
