// Maps of what speaks for a class: gradient saliency, guided backpropagation, Grad-CAM. Beyond the paper: the same
// engine under other rules.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include <deconvnet/analysis/class_output.hpp>
#include <deconvnet/analysis/inputs.hpp>
#include <deconvnet/network/projection.hpp>

namespace deconvnet {

/// `.label`: the class; without it the one the network predicts.
struct saliency_options {
  std::optional<std::size_t> label{};
};

/// `.layer`: whose maps are weighted, usually the last one with places; must be set.
struct grad_cam_options {
  std::optional<deconvnet::layer> layer{};
  std::optional<std::size_t> label{};
};

namespace detail {

/// A forward run and the score in it that a class stands for.
template <scalar T>
struct scored_run {
  trace<T> run;
  std::size_t scores;  // the layer of the scores
  unit score;
};

/// Runs a checked input; keeps, beside the scores, these layers and what the way down from them needs.
template <scalar T, class X>
scored_run<T> run_for_class(const network<T>& net, const X& input, std::optional<std::size_t> label, const char* who,
                            std::vector<layer> keep = {}) {
  const auto& x = contiguous<T, 4>(input);
  check_input(x, text(who, ": the input"));
  scored_run<T> result{{}, score_layer(net), {}};
  keep.emplace_back(result.scores);
  net.forward(x, result.run, trace_options{.keep = std::move(keep)});
  const auto& scores = result.run[result.scores];
  const std::size_t classes = class_count(shape_of(scores));
  const std::size_t chosen = label ? *label : predicted_class(image_span(scores, 0));
  check_label(who, chosen, classes);
  // All extents but one are 1: that one takes the label.
  result.score = {0, scores.shape(1) > 1 ? chosen : 0, scores.shape(2) > 1 ? chosen : 0,
                  scores.shape(3) > 1 ? chosen : 0};
  return result;
}

}  // namespace detail

/// The largest magnitude over channels of the gradient of a class's score S, max over c of |dS/dx[c, y, x]|: H x W of
/// the input. S is the logit: the input of a final softmax, else the output (not fixed by the paper). `input`: 1 x C x
/// H x W. Throws shape_error for another shape and an output that is a map; error for NaN or infinity and a label out
/// of range; unsupported_error where a layer has no reverse.
template <class Model, expression_of_rank<4> X>
auto gradient_saliency(const Model& model, const X& input, const saliency_options& options = {}) {
  using T = detail::scalar_of_run<Model, X>;
  const auto& net = detail::graph_of<T>(model);
  const auto seen = detail::run_for_class<T>(net, input, options.label, "gradient_saliency");
  const auto gradient = project(net, seen.run, seen.scores, seen.score, rule::gradient, seed::one);
  const std::size_t plane = gradient.shape(2) * gradient.shape(3);
  auto map = tensor<T, 2>::from_shape({gradient.shape(2), gradient.shape(3)});
  std::fill(map.begin(), map.end(), T(0));
  for (std::size_t k = 0; k < gradient.size(); ++k) {
    map.data()[k % plane] = std::max(map.data()[k % plane], std::abs(gradient.data()[k]));
  }
  return map;
}

/// The projection of a class's score under the guided rule, the score set to 1: 1 x C x H x W of the input. Score and
/// errors as for gradient_saliency.
template <class Model, expression_of_rank<4> X>
auto guided_backpropagation(const Model& model, const X& input, const saliency_options& options = {}) {
  using T = detail::scalar_of_run<Model, X>;
  const auto& net = detail::graph_of<T>(model);
  const auto seen = detail::run_for_class<T>(net, input, options.label, "guided_backpropagation");
  return project(net, seen.run, seen.scores, seen.score, rule::guided, seed::one);
}

/// Grad-CAM: max(0, sum over c of a_c A_c), h x w of the layer, with A_c its maps and a_c the mean over their places of
/// dS/dA_c; S as in gradient_saliency. resize brings it to the picture's size.
/// Throws as gradient_saliency; error also without `.layer`, for an unknown one, and for one the scores do not depend
/// on.
template <class Model, expression_of_rank<4> X>
auto grad_cam(const Model& model, const X& input, const grad_cam_options& options) {
  using T = detail::scalar_of_run<Model, X>;
  if (!options.layer) throw error("grad_cam: name the layer whose maps are weighted in .layer");
  const auto& net = detail::graph_of<T>(model);
  const std::size_t index = net.find(*options.layer);
  const auto seen = detail::run_for_class<T>(net, input, options.label, "grad_cam", {layer(index)});
  if (!detail::values_above(net, index + 1)[seen.scores + 1]) {
    throw error("grad_cam: the scores do not depend on layer '" + net.name(index) + "'");
  }
  auto signal = zeros<T>(seen.run.shape(seen.scores));
  signal(0, seen.score.c, seen.score.y, seen.score.x) = 1;
  const std::size_t images[] = {0};
  const auto gradient =
      detail::reverse_to(net, seen.run, seen.scores, index + 1, std::move(signal), rule::gradient, images);

  const tensor4<T>& maps = seen.run[index];
  const std::size_t plane = maps.shape(2) * maps.shape(3);
  auto result = tensor<T, 2>::from_shape({maps.shape(2), maps.shape(3)});
  std::fill(result.begin(), result.end(), T(0));
  for (std::size_t c = 0; c < maps.shape(1); ++c) {
    T weight = 0;
    for (std::size_t k = 0; k < plane; ++k) weight += gradient.data()[c * plane + k];
    weight /= static_cast<T>(plane);
    for (std::size_t k = 0; k < plane; ++k) result.data()[k] += weight * maps.data()[c * plane + k];
  }
  for (T& value : result) value = std::max(value, T(0));
  return result;
}

}  // namespace deconvnet
