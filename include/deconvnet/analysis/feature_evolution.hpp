// Figure 4: what excites a feature map most, from the first epochs of the training to the last.
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <map>
#include <numeric>
#include <ranges>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <deconvnet/analysis/top_activations.hpp>
#include <deconvnet/image/crop.hpp>
#include <deconvnet/network/network_snapshot.hpp>
#include <deconvnet/network/projection.hpp>
#include <deconvnet/network/receptive_field.hpp>

namespace deconvnet {

/// One map at one epoch. `strongest`: the largest activation over all images, of equal ones that of the lower index, in an
/// image the first in row-major order. `field`: the unit's receptive field; in an extent in which that covers the input or
/// more, the input. `projection` and `input`: C x field.height x field.width, the activation projected down and what the
/// network was shown, both zero where the field reaches into padding. `changed`: the snapshot before had another image.
template <scalar T>
struct evolved_feature {
  top_activation<T> strongest{};
  box field{};
  tensor<T, 3> projection{};
  tensor<T, 3> input{};
  bool changed = false;
};

/// features[m][e]: map maps[m] at epoch epochs[e].
template <scalar T>
struct evolution {
  std::string layer;
  std::vector<std::size_t> epochs;
  std::vector<std::size_t> maps;
  std::vector<std::vector<evolved_feature<T>>> features;
  std::vector<skipped_input> skipped;  // images that could not be read, by index
  bool complete = true;                // false: stopped, and later epochs are missing
};

/// `.maps`: the maps to follow, in the order wanted; none: all. `.progress`: counts images over all snapshots.
struct feature_evolution_options {
  std::vector<std::size_t> maps{};
  rule how = rule::deconvnet;
  progress_callback progress{};
  std::stop_token stop{};
};

namespace detail {

/// A snapshot without a weight would be mixed with the network's own, and the picture would be of neither.
template <scalar T>
void check_snapshots(const network<T>& net, std::span<const network_snapshot<T>> snapshots, std::size_t index) {
  const auto needed = snapshot_of(net, 0, index).weights;
  for (std::size_t k = 0; k < snapshots.size(); ++k) {
    const auto& one = snapshots[k];
    if (k > 0 && one.epoch <= snapshots[k - 1].epoch) {
      throw error(text("feature_evolution: epoch ", one.epoch, " stands behind epoch ", snapshots[k - 1].epoch));
    }
    for (const auto& weight : needed) {
      const auto same = [&](const auto& other) { return other.name == weight.name; };
      if (std::none_of(one.weights.begin(), one.weights.end(), same)) {
        throw error(text("the snapshot of epoch ", one.epoch, " lacks '", weight.name, "', which layer '", net.name(index),
                         "' depends on"));
      }
    }
    auto copy = net;
    restore(copy, one);
  }
}

/// In an extent in which a field covers the input or more, the input.
inline box within_input(box field, const shape4& input) {
  if (field.height >= input[2]) field.y = 0, field.height = input[2];
  if (field.width >= input[3]) field.x = 0, field.width = input[3];
  return field;
}

/// Projects the chosen maps' strongest activations of one snapshot; images that several maps share are read once.
template <scalar T, class Inputs>
std::vector<evolved_feature<T>> project_strongest(const network<T>& net, std::size_t index, const Inputs& inputs,
                                                  const top_ranking<T>& top, const std::vector<std::size_t>& maps, rule how) {
  std::map<std::size_t, std::vector<std::size_t>> places;  // by image: places in `maps`
  for (std::size_t m = 0; m < maps.size(); ++m) places[top[maps[m]][0].image].push_back(m);
  std::vector<evolved_feature<T>> features(maps.size());
  for (const auto& [image, list] : places) {
    const tensor4<T> x = owned<T, 4>(*std::ranges::next(std::ranges::begin(inputs), static_cast<std::ptrdiff_t>(image)));
    const auto run = net.forward(x, {.keep = {index}});
    std::vector<unit> units;
    for (const std::size_t m : list) units.push_back({0, maps[m], top[maps[m]][0].y, top[maps[m]][0].x});
    const auto projections = project(net, run, index, std::span<const unit>(units), how);
    for (std::size_t k = 0; k < list.size(); ++k) {
      auto& feature = features[list[k]];
      feature.strongest = top[maps[list[k]]][0];
      feature.field = within_input(receptive_field(net, run, index, units[k]), run.input_shape());
      feature.projection = deconvnet::crop(projections, k, feature.field);
      feature.input = deconvnet::crop(x, 0, feature.field);
    }
  }
  return features;
}

}  // namespace detail

/// Follows feature maps of one layer through the snapshots of a training run: at each, the strongest activation over all
/// images, and its projection. Snapshots in the order of their epochs, weights of this network; its own weights play no
/// part in what the layer depends on. The result does not depend on the number of threads.
///
/// inputs: a range whose elements are 1 x C x H x W, preprocessed, and that can be walked again: a vector, or one that makes
/// them when they are looked at. Each is looked at once per snapshot, the winners once more. One that throws file_error is
/// counted in .skipped. A stop ends it after the snapshots that were done.
/// Throws error for an unknown layer or map, for snapshots out of order, that lack a weight the layer depends on or have one
/// that the network has not, for no images; shape_error for a weight of another shape; and as top_activations and project
/// do. Everything about snapshots is checked before an image is read. The paper, figure 4.
template <scalar T, range_of_inputs Inputs>
  requires std::ranges::forward_range<const Inputs>
evolution<T> feature_evolution(const network<T>& net, std::span<const network_snapshot<T>> snapshots, const layer& which,
                               const Inputs& inputs, const feature_evolution_options& options = {}) {
  const std::size_t index = net.find(which);
  detail::check_snapshots(net, snapshots, index);
  evolution<T> result;
  result.layer = net.name(index);
  std::size_t done_before = 0;
  for (const auto& snapshot : snapshots) {
    auto at_epoch = net;
    restore(at_epoch, snapshot);
    const auto count = static_cast<std::size_t>(std::ranges::distance(inputs));
    progress_callback progress;
    if (options.progress) {
      progress = [&](std::size_t done, std::size_t) { options.progress(done_before + done, count * snapshots.size()); };
    }
    const auto top = top_activations(at_epoch, layer(index), inputs, {.count = 1, .progress = progress, .stop = options.stop});
    result.complete = top.complete;
    if (!top.complete) break;
    done_before += count;
    if (top.images() == top.skipped.size()) throw error("feature_evolution: no image could be read");
    if (result.epochs.empty()) {
      result.skipped = top.skipped;
      result.maps = options.maps;
      if (result.maps.empty()) {
        result.maps.resize(top.size());
        std::iota(result.maps.begin(), result.maps.end(), std::size_t{0});
      }
      for (const std::size_t map : result.maps) {
        if (map < top.size()) continue;
        throw error(detail::text("feature_evolution: map ", map, ": layer '", result.layer, "' has ", top.size(), " maps"));
      }
      result.features.resize(result.maps.size());
    }
    auto features = detail::project_strongest(at_epoch, index, inputs, top, result.maps, options.how);
    for (std::size_t m = 0; m < features.size(); ++m) {
      auto& row = result.features[m];
      features[m].changed = !row.empty() && row.back().strongest.image != features[m].strongest.image;
      row.push_back(std::move(features[m]));
    }
    result.epochs.push_back(snapshot.epoch);
  }
  return result;
}

template <scalar T, range_of_inputs Inputs>
  requires std::ranges::forward_range<const Inputs>
evolution<T> feature_evolution(const network<T>& net, const std::vector<network_snapshot<T>>& snapshots, const layer& which,
                               const Inputs& inputs, const feature_evolution_options& options = {}) {
  return feature_evolution(net, std::span<const network_snapshot<T>>(snapshots), which, inputs, options);
}

}  // namespace deconvnet
