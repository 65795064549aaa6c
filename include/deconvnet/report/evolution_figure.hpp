// The paper's figure 4: feature maps through the epochs of their training.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <deconvnet/analysis/feature_evolution.hpp>
#include <deconvnet/image/display.hpp>
#include <deconvnet/image/draw.hpp>
#include <deconvnet/image/enlarge.hpp>
#include <deconvnet/image/montage.hpp>
#include <deconvnet/image/preprocess.hpp>
#include <deconvnet/image/resize.hpp>
#include <deconvnet/report/figure.hpp>

namespace deconvnet {

/// `.inputs`: how pictures were made into inputs; where it is given, what the unit saw stands under each projection.
/// `.tile`: pixels of a cell's longer side, or somewhat less: small fields are enlarged by whole numbers. `.percentile`: see
/// display_options. `.mark`: the colour of the bars between cells of different images.
struct evolution_figure_options {
  std::string title{};
  std::string caption{};
  std::optional<preprocessing> inputs{};
  std::size_t tile = 96;
  double percentile = 99.5;
  color mark{214, 39, 40};
};

namespace detail {

/// Large pictures shrunk, smoothly; the pixels of small ones as squares.
template <scalar T>
tensor<T, 3> evolution_tile(const tensor<T, 3>& shown, std::size_t side) {
  const std::size_t longest = std::max(shown.shape(1), shown.shape(2));
  if (longest <= side) return enlarge(shown, side / longest);
  const auto shrunk = [&](std::size_t extent) { return std::max<std::size_t>(1, extent * side / longest); };
  return resize(shown, shrunk(shown.shape(1)), shrunk(shown.shape(2)));
}

/// The number in the middle under the word.
inline std::string epoch_label(std::size_t epoch) {
  const std::string number = std::to_string(epoch);
  const std::size_t word = text_extent("epoch").second;
  const std::size_t digits = text_extent(number).second;
  const std::size_t spaces = digits < word ? (word - digits) / 2 / std::max<std::size_t>(1, text_extent(" ").second) : 0;
  return "epoch\n" + std::string(spaces, ' ') + number;
}

template <scalar T>
tensor<T, 3> evolution_cell(const evolved_feature<T>& feature, const evolution_figure_options& options) {
  // Shrunk first: the signs of neighbours cancel, and the scale is to be that of what is seen.
  tensor<T, 3> projection = to_display(evolution_tile(feature.projection, options.tile), {.percentile = options.percentile});
  if (!options.inputs) return projection;
  if (options.inputs->channel_order == channel_order::bgr && projection.shape(0) == 3) {
    const std::size_t plane = projection.shape(1) * projection.shape(2);
    for (std::size_t k = 0; k < plane; ++k) std::swap(projection.data()[k], projection.data()[2 * plane + k]);
  }
  const tensor<T, 3> input = evolution_tile<T>(unprocess(feature.input, *options.inputs), options.tile);
  return montage(std::vector{projection, input}, {.columns = 1, .gap = 2});
}

}  // namespace detail

/// A row for each map, a column for each epoch, as RGB of 0..255: the projections, grey where they are zero, each on its own
/// scale. A bar stands between two cells where the image that excites the map most changed; where there is none the
/// changes are the weights' alone. Epochs above, maps at the left. Throws error for an evolution without epochs;
/// shape_error for inputs of other than 1 or 3 channels; and as to_display and figure do. The paper, figure 4.
template <scalar T>
tensor<float, 3> evolution_figure(const evolution<T>& seen, const evolution_figure_options& options = {}) {
  if (seen.epochs.empty() || seen.maps.empty()) throw error("evolution_figure: there are no maps, or no epochs");
  if (options.tile == 0 || options.tile > 4096) throw error(detail::text("evolution_figure: a tile of ", options.tile, " pixels"));
  std::vector<std::vector<panel>> rows;
  figure_options layout{.title = options.title, .caption = options.caption, .gap = 10};
  for (const std::size_t epoch : seen.epochs) layout.column_labels.push_back(detail::epoch_label(epoch));
  for (std::size_t m = 0; m < seen.maps.size(); ++m) {
    layout.row_labels.push_back("map " + std::to_string(seen.maps[m]));
    rows.emplace_back();
    for (const auto& feature : seen.features[m]) rows.back().emplace_back(detail::evolution_cell(feature, options));
  }
  auto sheet = figure(rows, layout);
  const detail::figure_layout at(rows, layout);
  for (std::size_t m = 0; m < rows.size(); ++m) {
    for (std::size_t e = 0; e < rows[m].size(); ++e) {
      if (!seen.features[m][e].changed) continue;
      const auto top = static_cast<double>(at.top(m));
      const auto left = static_cast<double>(at.left(e) - layout.gap);
      const auto gap = static_cast<double>(layout.gap);
      detail::fill_rectangle(sheet, {top, left + 0.3 * gap, top + static_cast<double>(at.height(m)), left + 0.7 * gap}, options.mark);
    }
  }
  return sheet;
}

}  // namespace deconvnet
