// How much each layer knows about another task: a linear classifier on its features (Table 7).
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <ranges>
#include <span>
#include <stop_token>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <deconvnet/analysis/inputs.hpp>
#include <deconvnet/analysis/layer_values.hpp>
#include <deconvnet/analysis/progress.hpp>
#include <deconvnet/analysis/scan_inputs.hpp>
#include <deconvnet/analysis/softmax_regression.hpp>
#include <deconvnet/kernels/parallel_for.hpp>

namespace deconvnet {

/// `.layers`: whose features are probed; at least one. `.classes`: 0 for one more than the largest label.
struct depth_probe_options {
  std::vector<layer> layers{};
  std::size_t classes = 0;
  progress_callback progress{};
  std::stop_token stop{};
};

/// What one layer reached.
struct probed_layer {
  std::string layer;
  std::size_t features = 0;  ///< C x H x W of the layer.
  double accuracy = 0;       ///< On the inputs held out, 0..1.
  double trained = 0;        ///< The same on those trained on.
};

/// `.layers` in the order asked for; those done when it was stopped.
struct depth_probe_result {
  std::vector<probed_layer> layers;
  std::size_t images = 0;           ///< Trained on.
  std::size_t held_out_images = 0;  ///< Tested on.
  std::vector<skipped_input> skipped;
  std::vector<skipped_input> held_out_skipped;
  bool complete = true;
};

/// What trains on features: solver(features N x D, labels, classes) gives a callable that gives, for features M x D,
/// the class of each row.
template <class Solver, class T>
concept probe_solver = requires(const Solver& solve, const tensor<T, 2>& features,
                                std::span<const std::size_t> labels) {
  { solve(features, labels, std::size_t{2})(features) } -> std::convertible_to<std::vector<std::size_t>>;
};

namespace detail {

/// The features of some layers for a set of labelled inputs.
template <scalar T>
struct probed_features {
  std::vector<std::size_t> labels;                // of the inputs that could be read, in their order
  std::vector<std::vector<std::vector<T>>> rows;  // of each layer, of each such input
  std::vector<skipped_input> skipped;
  bool complete = false;

  /// The features of layer k as a matrix; they are let go.
  tensor<T, 2> take(std::size_t k, const std::string& name) {
    auto& list = rows[k];
    auto matrix = tensor<T, 2>::from_shape({list.size(), list.empty() ? 0 : list[0].size()});
    for (std::size_t n = 0; n < list.size(); ++n) {
      if (list[n].size() != matrix.shape(1)) {
        throw shape_error(text("depth_probe: layer '", name, "' has ", list[n].size(), " features for one input, ",
                               matrix.shape(1), " for another"));
      }
      std::copy(list[n].begin(), list[n].end(), matrix.data() + n * matrix.shape(1));
      list[n] = {};
    }
    return matrix;
  }
};

template <std::ranges::input_range Labels>
std::vector<std::size_t> label_list(Labels&& labels) {
  std::vector<std::size_t> list;
  for (const auto label : labels) {
    if (std::cmp_less(label, 0) || std::cmp_greater_equal(label, max_elements)) {
      throw error(text("depth_probe: label ", label, " of input ", list.size()));
    }
    list.push_back(static_cast<std::size_t>(label));
  }
  return list;
}

template <scalar T, class Inputs>
probed_features<T> probe_features(const layer_values<T>& values, std::size_t layers, Inputs& inputs, const char* set,
                                  const std::vector<std::size_t>& labels, const progress_callback& progress,
                                  const std::stop_token& stop) {
  const std::string who = text("depth_probe: ", set);
  probed_features<T> result;
  std::vector<std::vector<std::vector<T>>> rows(layers, std::vector<std::vector<T>>(labels.size()));
  std::vector<char> read(labels.size());  // not bool: threads write neighbours
  std::vector<typename layer_values<T>::records> workers(thread_count());
  input_walker<T, Inputs> walker(who, inputs, 0);
  const auto end =
      scan_inputs(walker, workers.size(), progress, stop, [&](std::size_t worker, const input_batch<T>& batch) {
        if (batch.indices.back() >= labels.size())
          throw error(text(who, ": more inputs than the ", labels.size(), " labels"));
        values.run(batch.images, workers[worker]);
        for (std::size_t n = 0; n < batch.indices.size(); ++n) {
          for (std::size_t k = 0; k < layers; ++k) {
            const auto features = image_span(values.value(workers[worker], k), n);
            rows[k][batch.indices[n]].assign(features.begin(), features.end());
          }
          read[batch.indices[n]] = 1;
        }
      });
  if (end.complete && end.next_image != labels.size()) {
    throw error(text(who, ": ", labels.size(), " labels for ", end.next_image, " inputs"));
  }
  result.skipped = end.skipped;
  result.complete = end.complete;
  result.rows.resize(layers);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (!read[i]) continue;
    result.labels.push_back(labels[i]);
    for (std::size_t k = 0; k < layers; ++k) result.rows[k].push_back(std::move(rows[k][i]));
  }
  if (result.complete && result.labels.empty()) throw error(who + ": there are no inputs");
  return result;
}

/// The share of rows whose class is the label.
inline double accuracy_of(const std::vector<std::size_t>& found, const std::vector<std::size_t>& labels) {
  if (found.size() != labels.size()) {
    throw error(text("depth_probe: the solver gave ", found.size(), " classes for ", labels.size(), " inputs"));
  }
  std::size_t right = 0;
  for (std::size_t n = 0; n < labels.size(); ++n) right += found[n] == labels[n];
  return static_cast<double>(right) / static_cast<double>(labels.size());
}

}  // namespace detail

/// Freezes the network and trains, for each of `.layers`, a classifier on that layer's features of `inputs` (all C x H
/// x W activations); reports how many of the inputs held out it gets right. Paper.md section 4, Table 7: accuracy grows
/// with depth. `solver`: see probe_solver; without one softmax_regression. `inputs`, `held_out`: any ranges of 1 x C x
/// H x W; `labels`, `held_out_labels`: a whole number from 0 for each. Inputs that throw file_error are skipped with
/// their label. One pass over each range; the result does not depend on the number of threads. Memory: the features of
/// all inputs at all layers asked for, and one layer's twice more while it is trained on. Progress counts inputs and
/// layers; a stop gives the layers done so far. Throws error for no layers, an unknown one, no inputs, not as many
/// labels as inputs, a label not below `.classes`, NaN or infinity in an input, with its index; shape_error where
/// inputs give different numbers of features.
template <class Model, range_of_inputs Inputs, std::ranges::input_range Labels, range_of_inputs HeldOut,
          std::ranges::input_range HeldOutLabels, class Solver = softmax_regression>
depth_probe_result depth_probe(const Model& model, Inputs&& inputs, Labels&& labels, HeldOut&& held_out,
                               HeldOutLabels&& held_out_labels, const depth_probe_options& options,
                               const Solver& solver = {}) {
  using T = detail::scalar_of_run<Model, detail::input_of<Inputs>>;
  static_assert(probe_solver<Solver, T>,
                "a solver takes features, labels and classes and gives a classifier of features");
  const auto& net = detail::graph_of<T>(model);
  if (options.layers.empty()) throw error("depth_probe: name the layers in .layers");
  std::vector<std::size_t> indices;
  for (const layer& which : options.layers) indices.push_back(net.find(which));
  const auto train = detail::label_list(labels);
  const auto test = detail::label_list(held_out_labels);
  std::size_t classes = options.classes;
  for (const auto* list : {&train, &test}) {
    for (const std::size_t label : *list) {
      if (options.classes == 0) classes = std::max(classes, label + 1);
      if (label >= classes)
        throw error(detail::text("depth_probe: label ", label, " is out of range of ", classes, " classes"));
    }
  }

  const std::size_t total = train.size() + test.size() + indices.size();
  const auto report_after = [&](std::size_t before) -> progress_callback {
    if (!options.progress) return {};
    return [&, before](std::size_t done, std::size_t) { options.progress(before + done, total); };
  };
  const detail::layer_values<T> values(net, indices);
  auto seen =
      detail::probe_features<T>(values, indices.size(), inputs, "the inputs", train, report_after(0), options.stop);
  depth_probe_result result;
  result.images = seen.labels.size();
  result.skipped = seen.skipped;
  result.complete = false;
  if (!seen.complete) return result;
  auto unseen = detail::probe_features<T>(values, indices.size(), held_out, "the inputs held out", test,
                                          report_after(train.size()), options.stop);
  result.held_out_images = unseen.labels.size();
  result.held_out_skipped = unseen.skipped;
  if (!unseen.complete) return result;
  for (std::size_t k = 0; k < indices.size(); ++k) {
    if (options.stop.stop_requested()) return result;
    const std::string& name = net.name(indices[k]);
    const tensor<T, 2> features = seen.take(k, name);
    const tensor<T, 2> others = unseen.take(k, name);
    const auto classify = solver(features, std::span<const std::size_t>(seen.labels), classes);
    result.layers.push_back({name, features.shape(1), detail::accuracy_of(classify(others), unseen.labels),
                             detail::accuracy_of(classify(features), seen.labels)});
    if (options.progress) options.progress(train.size() + test.size() + k + 1, total);
  }
  result.complete = true;
  return result;
}

}  // namespace deconvnet
