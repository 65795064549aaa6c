// How far features move, and how sure the network stays, while the input is moved, scaled or turned (Fig 5).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <deconvnet/analysis/class_output.hpp>
#include <deconvnet/analysis/inputs.hpp>
#include <deconvnet/analysis/layer_values.hpp>
#include <deconvnet/analysis/progress.hpp>
#include <deconvnet/analysis/transforms.hpp>

namespace deconvnet {

/// `.layers`: where distances are measured; none for every layer. `.label`: the class whose probability is followed,
/// without it the one predicted for the input as it is.
struct invariance_options {
  std::vector<layer> layers{};
  std::optional<std::size_t> label{};
  progress_callback progress{};
  std::stop_token stop{};
};

/// What one input under one transform gave; entry k belongs to amount[k].
class invariance_curve {
 public:
  std::string transform;            ///< Its name.
  std::string unit;                 ///< Of the amounts.
  std::vector<double> amount;       ///< Those that were computed: all of them, unless it was stopped.
  std::vector<std::string> layers;  ///< In the order they were asked for.
  std::size_t label = 0;
  std::vector<double> probability;  ///< Of the label, 0..1.
  bool complete = true;             ///< False where it was stopped.

  invariance_curve() = default;

  /// `indices[i]`: the index among `names` of the layer that measured[i] belongs to.
  invariance_curve(detail::layer_names names, std::vector<std::size_t> indices,
                   std::vector<std::vector<double>> measured)
      : names_(std::move(names)), indices_(std::move(indices)), distances_(std::move(measured)) {
    for (const std::size_t index : indices_) layers.push_back(names_[index]);
  }

  /// The Euclidean distance of a layer's features at amount[k] to those of the input as it is. Throws error for a layer
  /// that was not measured and for k out of range.
  double distance(const layer& which, std::size_t k) const {
    const auto& curve = distances(which);
    if (k >= curve.size()) throw error(detail::text("invariance: amount ", k, " of ", curve.size()));
    return curve[k];
  }

  /// The same for every amount.
  const std::vector<double>& distances(const layer& which) const {
    const auto found = std::find(indices_.begin(), indices_.end(), names_.find(which));
    if (found == indices_.end()) {
      throw error("invariance: layer '" + which.text() + "' was not measured: name it in .layers");
    }
    return distances_[static_cast<std::size_t>(found - indices_.begin())];
  }

 private:
  detail::layer_names names_;
  std::vector<std::size_t> indices_;
  std::vector<std::vector<double>> distances_;
};

namespace detail {

template <scalar T>
double euclidean_distance(std::span<const T> a, std::span<const T> b) {
  double sum = 0;
  for (std::size_t k = 0; k < a.size(); ++k) {
    const double difference = static_cast<double>(a[k]) - static_cast<double>(b[k]);
    sum += difference * difference;
  }
  return std::sqrt(sum);
}

/// The input changed by each of these amounts, as one batch.
template <scalar T, class Transform>
tensor4<T> transformed(const tensor4<T>& input, const Transform& change, std::span<const double> amounts) {
  shape4 shape = shape_of(input);
  shape[0] = amounts.size();
  auto batch = uninitialized<T>(shape);
  for (std::size_t k = 0; k < amounts.size(); ++k) {
    const tensor4<T> image(change.apply(input, amounts[k]));
    const std::string what = text("invariance: the input after ", std::string(change.name), " by ", amounts[k]);
    check_input(image, what);
    if (shape_of(image) != shape_of(input)) {
      throw shape_error(text(what, " is ", shape_text(image.shape()), ", before it ", shape_text(input.shape())));
    }
    std::copy(image.data(), image.data() + image.size(), image_span(batch, k).begin());
  }
  return batch;
}

}  // namespace detail

/// Changes the input by each amount of a transform (rotations, translations, scalings, or one of the user's own) and
/// measures, for each: at every layer of `.layers` the Euclidean distance ||f(x') - f(x)|| of its C x H x W features to
/// those of the unchanged input, and the probability of `.label`, the softmax of the network's output (taken as it is
/// where it comes from a softmax). Paper.md section 4, Fig 5; the paper's layers are the first and the seventh.
/// An amount that changes nothing (0, scale 1) has a distance of exactly 0. The result does not depend on the number of
/// threads. Memory: the chosen layers for up to 16 amounts at once.
/// `input`: 1 x C x H x W. Throws shape_error for another shape, for a transform that changes the shape, and where the
/// output is a map and no class; error for NaN or infinity, an unknown layer and a label out of range.
template <class Model, expression_of_rank<4> X, class Transform>
invariance_curve invariance(const Model& model, const X& input, const Transform& change,
                            const invariance_options& options = {}) {
  using T = detail::scalar_of_run<Model, X>;
  static_assert(transform_of<Transform, T>, "a transform has name, unit, amounts and apply(image, amount)");
  const auto& x = contiguous<T, 4>(input);
  detail::check_input(x, "invariance: the input");
  const auto& net = detail::graph_of<T>(model);

  std::vector<std::size_t> wanted;
  for (const layer& which : options.layers) wanted.push_back(net.find(which));
  for (std::size_t i = 0; options.layers.empty() && i < net.size(); ++i) wanted.push_back(i);
  const std::size_t layers = wanted.size();
  wanted.push_back(net.output());

  const detail::layer_values<T> values(net, wanted);
  typename detail::layer_values<T>::records clean;
  values.run(x, clean);
  const auto scores = image_span(values.value(clean, layers), 0);
  const std::size_t classes = detail::class_count(shape_of(values.value(clean, layers)));
  const std::size_t label = options.label ? *options.label : detail::predicted_class(scores);
  detail::check_label("invariance", label, classes);
  const bool from_softmax = detail::final_softmax(net).has_value();

  const std::vector<double> amounts(change.amounts);
  std::vector<double> probability;
  std::vector<std::vector<double>> distances(layers);
  detail::progress_meter meter(options.progress, amounts.size());
  const std::size_t step = std::clamp<std::size_t>((std::size_t{1} << 20) / x.size(), 1, 16);
  typename detail::layer_values<T>::records run;
  for (std::size_t first = 0; first < amounts.size() && !options.stop.stop_requested(); first += step) {
    const auto part = std::span(amounts).subspan(first, std::min(step, amounts.size() - first));
    values.run(detail::transformed(x, change, part), run);
    for (std::size_t n = 0; n < part.size(); ++n) {
      const auto output = image_span(values.value(run, layers), n);
      probability.push_back(detail::probability_of(output, label, from_softmax));
      for (std::size_t k = 0; k < layers; ++k) {
        const auto features = image_span(values.value(run, k), n);
        distances[k].push_back(detail::euclidean_distance(features, image_span(values.value(clean, k), 0)));
      }
    }
    meter.advance(part.size());
  }

  wanted.pop_back();
  invariance_curve curve(net.names(), std::move(wanted), std::move(distances));
  curve.transform = std::string(change.name);
  curve.unit = std::string(change.unit);
  curve.label = label;
  curve.complete = probability.size() == amounts.size();
  curve.amount.assign(amounts.begin(), amounts.begin() + static_cast<std::ptrdiff_t>(probability.size()));
  curve.probability = std::move(probability);
  return curve;
}

}  // namespace deconvnet
