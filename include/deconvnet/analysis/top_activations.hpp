// Figure 2: which images excite each feature map most.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <deconvnet/analysis/layer_values.hpp>
#include <deconvnet/analysis/scan_inputs.hpp>
#include <deconvnet/analysis/top_ranking.hpp>

namespace deconvnet {

/// `.count`: entries per map. `.first_image`: the index of the first input, for a shard of a data set or the rest of a
/// scan that was stopped.
struct top_activations_options {
  std::size_t count = 9;
  std::size_t first_image = 0;
  progress_callback progress{};
  std::stop_token stop{};
};

namespace detail {

/// The maximum of a map, the first in row-major order.
template <scalar T>
top_activation<T> map_maximum(std::span<const T> map, std::size_t width, std::size_t image, const std::string& layer) {
  std::size_t best = 0;
  for (std::size_t k = 0; k < map.size(); ++k) {
    if (map[k] <= map[best]) continue;
    if (map[k] > map[best]) {
      best = k;
      continue;
    }
    throw error(text("top_activations: layer '", layer, "' is NaN for image ", image));
  }
  return {map[best], image, best / width, best % width};
}

/// Offers every map of every image of a batch to a ranking.
template <scalar T>
void rank(const tensor4<T>& value, const std::vector<std::size_t>& images, top_ranking<T>& ranking) {
  if (value.shape(0) != images.size() || value.size() == 0) {
    throw shape_error(text("top_activations: layer '", ranking.layer, "' is ", shape_text(value.shape()), " for ", images.size(),
                           " images"));
  }
  if (ranking.size() == 0) ranking.maps.resize(value.shape(1));
  if (ranking.size() != value.shape(1)) {
    throw shape_error(text("top_activations: layer '", ranking.layer, "' has ", value.shape(1), " maps for image ", images[0],
                           " and ", ranking.size(), " for others"));
  }
  const std::size_t plane = value.shape(2) * value.shape(3);
  for (std::size_t n = 0; n < images.size(); ++n) {
    for (std::size_t map = 0; map < ranking.size(); ++map) {
      const auto values = image_span(value, n).subspan(map * plane, plane);
      offer(ranking.maps[map], ranking.count, map_maximum(values, value.shape(3), images[n], ranking.layer));
    }
  }
}

/// A ranking of nothing yet. How many maps a layer has is known beforehand where the network fixes its input.
template <scalar T>
top_ranking<T> blank_ranking(const network<T>& net, std::size_t index, std::size_t count) {
  top_ranking<T> ranking;
  ranking.layer = net.name(index);
  ranking.count = count;
  ranking.maps.resize(net.value_shape(index + 1)[1]);
  return ranking;
}

/// Marks what a scan looked at.
template <scalar T>
void set_coverage(top_ranking<T>& ranking, std::size_t first, const scan_end& end) {
  ranking.complete = end.complete;
  if (!end.complete) ranking.cuts = {end.next_image};
  if (end.complete || end.next_image != first) ranking.scanned = {{first, end.next_image}};
  ranking.skipped = end.skipped;
}

}  // namespace detail

/// The strongest activations of every map of several layers over a range of inputs, in one scan; one ranking per layer, in
/// their order. In each image a map counts once, with its maximum (the first in row-major order); of the images the
/// .count strongest are kept, ties to the lower index. A map has min(count, images that could be read) entries, zero and
/// negative ones among them: what counts as silent is the caller's to say. The result does not depend on the number of
/// threads, on batches, or on where a scan was cut.
///
/// inputs: any range whose elements are 1 x C x H x W, preprocessed; walked once, images let go as soon as they were looked
/// at; of unequal sizes where the network takes them. An element that throws file_error is counted in .skipped and keeps its
/// index. A stop ends the scan after the images that were read: .complete is false, .next_image() the place to go on.
/// Throws error for an unknown layer, for an input with NaN or infinity (with its index), for a layer that gives NaN;
/// shape_error where an input does not fit. The paper, figure 2.
template <class Model, range_of_inputs Inputs>
auto top_activations(const Model& model, std::span<const layer> layers, Inputs&& inputs, const top_activations_options& options = {}) {
  using T = detail::scalar_of_run<Model, detail::input_of<Inputs>>;
  const auto& net = detail::graph_of<T>(model);
  std::vector<std::size_t> indices;
  std::vector<top_ranking<T>> blank;
  for (const layer& which : layers) {
    indices.push_back(net.find(which));
    blank.push_back(detail::blank_ranking(net, indices.back(), options.count));
  }
  const detail::layer_values<T> values(net, indices);
  const std::size_t workers = thread_count();
  std::vector<std::vector<top_ranking<T>>> parts(workers, blank);
  std::vector<typename detail::layer_values<T>::records> runs(workers);
  detail::input_walker<T, std::remove_reference_t<Inputs>> walker("top_activations", inputs, options.first_image);
  const auto end = detail::scan_inputs(walker, workers, options.progress, options.stop,
                                       [&](std::size_t worker, const detail::input_batch<T>& batch) {
                                         values.run(batch.images, runs[worker]);
                                         for (std::size_t k = 0; k < indices.size(); ++k) {
                                           detail::rank(values.value(runs[worker], k), batch.indices, parts[worker][k]);
                                         }
                                       });
  for (std::size_t worker = 1; worker < workers; ++worker) {
    for (std::size_t k = 0; k < indices.size(); ++k) parts[0][k] = merge(parts[0][k], parts[worker][k]);
  }
  for (auto& ranking : parts[0]) detail::set_coverage(ranking, options.first_image, end);
  return std::move(parts[0]);
}

/// The same for one layer.
template <class Model, range_of_inputs Inputs>
auto top_activations(const Model& model, const layer& which, Inputs&& inputs, const top_activations_options& options = {}) {
  return std::move(top_activations(model, std::span<const layer>(&which, 1), inputs, options)[0]);
}

}  // namespace deconvnet
