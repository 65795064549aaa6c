// Whether a network relates the same part of different pictures (Table 1).
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ranges>
#include <span>
#include <stop_token>
#include <type_traits>
#include <utility>
#include <vector>

#include <deconvnet/analysis/hidden.hpp>
#include <deconvnet/analysis/inputs.hpp>
#include <deconvnet/analysis/layer_values.hpp>
#include <deconvnet/analysis/occlusion_grid.hpp>
#include <deconvnet/analysis/progress.hpp>
#include <deconvnet/analysis/random_boxes.hpp>
#include <deconvnet/kernels/parallel_for.hpp>

namespace deconvnet {

/// `.layer`: whose features are compared; must be set (the paper's are the fifth and the seventh). `.fill`: what hides
/// a part, a number or one per channel, in the units of the input.
struct correspondence_options {
  std::optional<deconvnet::layer> layer{};
  occlusion_fill fill{0};
  progress_callback progress{};
  std::stop_token stop{};
};

/// Delta of one part. Pairs stand in the order (0, 1), (0, 2) ... (1, 2) ..., skipped images left out.
struct correspondence_result {
  double mean = 0;               ///< Over all pairs; 0 where there is none.
  double stddev = 0;             ///< Of the pairs themselves: sqrt(mean of (d - mean)^2).
  std::size_t pairs = 0;         ///< Unordered: n (n - 1) / 2 for n images.
  std::vector<double> distance;  ///< Of each pair, 0..1.
  std::vector<skipped_input> skipped;
  bool complete = true;  ///< False where it was stopped.
};

namespace detail {

/// The sign of a - b, element by element: -1, 0 or 1.
template <scalar T>
std::vector<std::int8_t> signs_of_difference(std::span<const T> a, std::span<const T> b) {
  std::vector<std::int8_t> signs(a.size());
  for (std::size_t k = 0; k < a.size(); ++k) signs[k] = static_cast<std::int8_t>((a[k] > b[k]) - (a[k] < b[k]));
  return signs;
}

/// The share of places where two lists differ.
inline double hamming_distance(const std::vector<std::int8_t>& a, const std::vector<std::int8_t>& b) {
  std::size_t different = 0;
  for (std::size_t k = 0; k < a.size(); ++k) different += a[k] != b[k];
  return static_cast<double>(different) / static_cast<double>(a.size());
}

/// The distances of all unordered pairs, and their mean and standard deviation.
inline void compare_pairs(const std::vector<std::vector<std::int8_t>>& signs, correspondence_result& result) {
  const std::size_t count = signs.size();
  std::vector<std::size_t> start(count + 1);
  for (std::size_t i = 0; i < count; ++i) start[i + 1] = start[i] + count - 1 - i;
  result.pairs = start[count];
  result.distance.resize(result.pairs);
  parallel_for(count, [&](std::size_t i) {
    for (std::size_t j = i + 1; j < count; ++j)
      result.distance[start[i] + j - i - 1] = hamming_distance(signs[i], signs[j]);
  });
  if (result.pairs == 0) return;
  double sum = 0;
  for (const double d : result.distance) sum += d;
  result.mean = sum / static_cast<double>(result.pairs);
  double squares = 0;
  for (const double d : result.distance) squares += (d - result.mean) * (d - result.mean);
  result.stddev = std::sqrt(squares / static_cast<double>(result.pairs));
}

}  // namespace detail

/// Hides one part in each of a range of inputs and compares what that changes: with x_i the features of `.layer` (C x H
/// x W numbers) for input i and x~_i those with boxes[i] filled, eps_i = x_i - x~_i, and the distance of a pair i < j
/// is the share of features where sign(eps_i) and sign(eps_j) differ, sign(0) = 0. Delta, `.mean`, is their mean: low
/// where the network reacts to the part in the same way in all pictures. Paper.md section 4, Table 1; the standard
/// deviation is that of the pairs (divided by their number; not fixed by the paper). Compare with random_boxes.
/// `inputs`: any range of 1 x C x H x W; `boxes`: one dn::box for each, skipped ones too. Inputs that throw file_error
/// are skipped with their box. The result does not depend on the number of threads. A stop gives the pairs of the
/// images looked at. Memory: one byte per image and feature. Throws error without `.layer`, for an unknown one, for
/// more inputs than boxes or, unless it was stopped, fewer, for a box that is empty or not within its input, for NaN or
/// infinity in an input, with its index; shape_error where inputs give features of different shapes or the fill does
/// not fit.
template <class Model, range_of_inputs Inputs, std::ranges::input_range Boxes>
requires std::convertible_to<std::ranges::range_reference_t<Boxes>, box> correspondence_result
correspondence(const Model& model, Inputs&& inputs, Boxes&& boxes, const correspondence_options& options = {}) {
  using T = detail::scalar_of_run<Model, detail::input_of<Inputs>>;
  if (!options.layer) throw error("correspondence: name the layer whose features are compared in .layer");
  const auto& net = detail::graph_of<T>(model);
  const detail::layer_values<T> values(net, {net.find(*options.layer)});
  std::vector<box> parts;
  for (auto&& one : boxes) parts.push_back(one);

  correspondence_result result;
  detail::input_walker<T, std::remove_reference_t<Inputs>> walker("correspondence", inputs, 0);
  detail::progress_meter meter(options.progress, walker.total());
  std::vector<std::vector<std::int8_t>> signs;
  shape4 features{};
  typename detail::layer_values<T>::records run;
  while (!options.stop.stop_requested()) {
    const std::size_t before = walker.index();
    const auto input = walker.next();
    if (walker.index() > parts.size()) {
      throw error(detail::text("correspondence: ", parts.size(), " boxes, but at least ", walker.index(), " inputs"));
    }
    if (input) {
      const auto what = detail::text("correspondence: the box of image ", input->index);
      const box& part = parts[input->index];
      detail::check_box_within(part, input->image.shape(2), input->image.shape(3), what);
      shape4 pair = shape_of(input->image);
      pair[0] = 2;
      auto both = uninitialized<T>(pair);
      for (std::size_t n = 0; n < 2; ++n)
        std::copy(input->image.begin(), input->image.end(), image_span(both, n).begin());
      detail::hide(both, 1, part, options.fill.template for_channels<T>(both.shape(1)));
      values.run(both, run);
      const tensor4<T>& found = values.value(run, 0);
      if (signs.empty()) features = shape_of(found);
      if (shape_of(found) != features) {
        throw shape_error(detail::text("correspondence: layer '", options.layer->text(), "' has ",
                                       shape_text(found.shape()), " for image ", input->index, " and its hidden part, ",
                                       shape_text(features), " before"));
      }
      signs.push_back(detail::signs_of_difference(image_span(found, 0), image_span(found, 1)));
    }
    meter.advance(walker.index() - before);
    if (!input) break;
  }
  result.complete = walker.finished();
  if (result.complete && walker.index() != parts.size()) {
    throw error(detail::text("correspondence: ", parts.size(), " boxes for ", walker.index(), " inputs"));
  }
  result.skipped = walker.skipped();
  detail::compare_pairs(signs, result);
  return result;
}

}  // namespace deconvnet
