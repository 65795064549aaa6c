// Figure 7: what a network makes of a picture while a grey square hides one part of it after the other.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <stop_token>
#include <string_view>
#include <utility>
#include <vector>

#include <deconvnet/analysis/incremental.hpp>
#include <deconvnet/analysis/inputs.hpp>
#include <deconvnet/analysis/occlusion_grid.hpp>
#include <deconvnet/analysis/progress.hpp>
#include <deconvnet/kernels/parallel_for.hpp>
#include <deconvnet/network/unit.hpp>
#include <deconvnet/ops/softmax.hpp>

namespace deconvnet {

/// `.size`, `.stride`: of the window, in pixels, `32` or `{height, width}`. `.fill`: what it is painted with, in the units of
/// the input, a number or one per channel; 0 is the mean for an input the mean was subtracted from. `.label`: the class whose
/// probability is followed; without it the one predicted for the clean input. `.layer`: whose strongest map is followed.
/// `.incremental` false runs the whole network at every position: slower, the same maps to float rounding.
struct occlusion_options {
  extent2d size{32};
  extent2d stride{8};
  occlusion_fill fill{0};
  std::optional<std::size_t> label{};
  std::optional<deconvnet::layer> layer{};
  bool incremental = true;
  progress_callback progress{};
  std::stop_token stop{};
};

/// Rows x columns of positions each. Positions that a stop left out are NaN, `predicted` there not_evaluated.
template <scalar T>
struct occlusion_maps {
  static constexpr std::size_t not_evaluated = std::numeric_limits<std::size_t>::max();

  tensor<T, 2> activation;            // sum of the followed map; empty without .layer
  tensor<T, 2> probability;           // of the class `label`
  tensor<std::size_t, 2> predicted;   // the most probable class, the first of equal ones
  std::size_t channel = 0;            // the map followed: of the strongest activation of .layer on the clean input
  std::size_t label = 0;
  T clean_activation = 0;             // the same three numbers for the clean input
  T clean_probability = 0;
  std::size_t clean_predicted = 0;
  occlusion_grid grid;                // grid.at(row, column): the pixels hidden there
  bool complete = false;
};

namespace detail {

/// The classes of a network's output: probability of one, and which is the most probable.
struct class_reading {
  bool is_probability;  // the output comes from a softmax
  std::size_t label;

  template <scalar T>
  static std::size_t predicted(std::span<const T> output) {
    return static_cast<std::size_t>(std::max_element(output.begin(), output.end()) - output.begin());
  }

  template <scalar T>
  T probability(std::span<const T> output) const {
    if (is_probability) return output[label];
    const auto highest = static_cast<double>(*std::max_element(output.begin(), output.end()));
    double sum = 0;
    for (const T value : output) sum += std::exp(static_cast<double>(value) - highest);
    return static_cast<T>(std::exp(static_cast<double>(output[label]) - highest) / sum);
  }
};

/// Whether a layer's values are those of a softmax, perhaps put into another shape.
template <scalar T>
bool comes_from_softmax(const network<T>& net, std::size_t layer) {
  for (;;) {
    const std::string_view kind = net.op(layer).kind();
    if (kind == softmax::kind) return true;
    const bool passes = kind == "identity" || kind == "dropout" || kind == "flatten" || kind == "reshape";
    if (!passes || net.inputs(layer)[0] == 0) return false;
    layer = net.inputs(layer)[0] - 1;
  }
}

template <scalar T>
T map_sum(const T* values, std::size_t plane) {
  double sum = 0;
  for (std::size_t k = 0; k < plane; ++k) sum += static_cast<double>(values[k]);
  return static_cast<T>(sum);
}

/// One occlusion experiment: what to read at a position, and where to put it.
template <scalar T>
class occlusion_sweep {
 public:
  occlusion_sweep(const network<T>& net, const tensor4<T>& input, const occlusion_options& options)
      : net_(net), input_(input), options_(options), output_(net.output()),
        fill_(options.fill.for_channels<T>(input.shape(1))) {
    maps_.grid = occlusion_grid({input.shape(2), input.shape(3)}, options.size, options.stride);
    if (options.layer) followed_ = net.find(*options.layer);
    targets_.push_back(output_);
    if (followed_) targets_.push_back(*followed_);
    reading_ = {comes_from_softmax(net, output_), 0};
  }

  occlusion_maps<T> run() {
    if (options_.incremental) {
      const incremental_evaluation<T> evaluation(net_, input_, targets_);
      read_clean(evaluation.clean(output_), followed_ ? &evaluation.clean(*followed_) : nullptr);
      sweep(variants_at_once(evaluation), [&](std::span<const std::size_t> positions) { read_incremental(evaluation, positions); });
    } else {
      const layer_values<T> values(net_, targets_);
      typename layer_values<T>::records records;
      values.run(input_, records);
      read_clean(values.value(records, 0), followed_ ? &values.value(records, 1) : nullptr);
      // A few whole inputs at once: fully connected layers read their weights once for all of them.
      const std::size_t at_once = std::clamp<std::size_t>((std::size_t{1} << 20) / input_.size(), 1, 16);
      sweep(at_once, [&](std::span<const std::size_t> positions) { read_dense(values, positions); });
    }
    return std::move(maps_);
  }

 private:
  void read_clean(const tensor4<T>& output, const tensor4<T>* followed) {
    const auto classes = image_span(output, 0);
    if (classes.size() == 0) throw shape_error("occlusion: the network's output is empty");
    maps_.clean_predicted = strongest_class(output);
    reading_.label = maps_.label = options_.label.value_or(maps_.clean_predicted);
    if (reading_.label >= classes.size()) {
      throw error(text("occlusion: label ", reading_.label, " is out of range: the network has ", classes.size(), " classes"));
    }
    maps_.clean_probability = reading_.probability(classes);
    const std::array<std::size_t, 2> shape{maps_.grid.rows(), maps_.grid.columns()};
    maps_.probability.resize(shape);
    maps_.predicted.resize(shape);
    maps_.probability.fill(std::numeric_limits<T>::quiet_NaN());
    maps_.predicted.fill(occlusion_maps<T>::not_evaluated);
    if (!followed) return;
    maps_.channel = strongest(*followed).c;
    maps_.clean_activation = map_sum(channel_of(*followed, 0), followed->shape(2) * followed->shape(3));
    maps_.activation.resize(shape);
    maps_.activation.fill(std::numeric_limits<T>::quiet_NaN());
  }

  /// Throws where a class's value is NaN.
  static std::size_t strongest_class(const tensor4<T>& output) {
    const unit u = strongest(output);
    return (u.c * output.shape(2) + u.y) * output.shape(3) + u.x;
  }

  const T* channel_of(const tensor4<T>& value, std::size_t n) const {
    return image_span(value, n).data() + maps_.channel * value.shape(2) * value.shape(3);
  }

  box hidden(std::size_t position) const {
    return maps_.grid.at(position / maps_.grid.columns(), position % maps_.grid.columns());
  }

  /// Calls body(positions) for all positions, `at_once` together, on all threads.
  template <class Body>
  void sweep(std::size_t at_once, Body&& body) {
    const std::size_t count = maps_.grid.count();
    progress_meter meter(options_.progress, count);
    std::atomic<bool> stopped = false;
    parallel_for((count + at_once - 1) / at_once, [&](std::size_t group) {
      if (stopped || options_.stop.stop_requested()) {
        stopped = true;
        return;
      }
      std::vector<std::size_t> positions(std::min(at_once, count - group * at_once));
      for (std::size_t k = 0; k < positions.size(); ++k) positions[k] = group * at_once + k;
      body(positions);
      meter.advance(positions.size());
    });
    maps_.complete = !stopped;
  }

  void put_output(std::size_t position, std::span<const T> classes) {
    maps_.probability.data()[position] = reading_.probability(classes);
    maps_.predicted.data()[position] = class_reading::predicted(classes);
  }

  void read_dense(const layer_values<T>& values, std::span<const std::size_t> positions) {
    auto batch = uninitialized<T>({positions.size(), input_.shape(1), input_.shape(2), input_.shape(3)});
    for (std::size_t n = 0; n < positions.size(); ++n) {
      std::copy(input_.data(), input_.data() + input_.size(), image_span(batch, n).begin());
      const box b = hidden(positions[n]);
      const auto y = static_cast<std::size_t>(b.y), x = static_cast<std::size_t>(b.x);
      for (std::size_t c = 0; c < batch.shape(1); ++c) {
        for (std::size_t row = y; row < y + b.height; ++row) {
          for (std::size_t column = x; column < x + b.width; ++column) batch(n, c, row, column) = fill_[c];
        }
      }
    }
    typename layer_values<T>::records records;
    values.run(batch, records);
    for (std::size_t n = 0; n < positions.size(); ++n) {
      put_output(positions[n], image_span(values.value(records, 0), n));
      if (!followed_) continue;
      const auto& followed = values.value(records, 1);
      maps_.activation.data()[positions[n]] = map_sum(channel_of(followed, n), followed.shape(2) * followed.shape(3));
    }
  }

  /// Groups big enough for layers that read many weights, small enough for memory and for all threads to have work. Fixed by
  /// the network and the grid alone.
  std::size_t variants_at_once(const incremental_evaluation<T>& evaluation) const {
    const region middle = region_of(maps_.grid.at(maps_.grid.rows() / 2, maps_.grid.columns() / 2));
    return std::clamp<std::size_t>((std::size_t{1} << 25) / evaluation.footprint(middle), 1, 64);
  }

  static region region_of(const box& b) {
    const auto y = static_cast<std::size_t>(b.y), x = static_cast<std::size_t>(b.x);
    return {{y, y + b.height}, {x, x + b.width}};
  }

  /// The window's pixels, where painting them changes any.
  patched_value<T> painted(std::span<const std::size_t> positions) const {
    patched_value<T> value;
    value.patches.resize(positions.size());
    for (std::size_t k = 0; k < positions.size(); ++k) {
      const region where = region_of(hidden(positions[k]));
      if (where.empty() || !differs(where)) continue;
      auto paint = uninitialized<T>({1, input_.shape(1), where.rows.size(), where.columns.size()});
      for (std::size_t c = 0; c < input_.shape(1); ++c) std::fill_n(paint.data() + c * where.area(), where.area(), fill_[c]);
      value.patches[k] = {where, value.batches.size(), 0};
      value.batches.push_back(std::move(paint));
    }
    return value;
  }

  bool differs(const region& where) const {
    for (std::size_t c = 0; c < input_.shape(1); ++c) {
      for (std::size_t y = where.rows.first; y < where.rows.last; ++y) {
        for (std::size_t x = where.columns.first; x < where.columns.last; ++x) {
          if (input_(0, c, y, x) != fill_[c]) return true;
        }
      }
    }
    return false;
  }

  void read_incremental(const incremental_evaluation<T>& evaluation, std::span<const std::size_t> positions) {
    const auto visit = [&](std::size_t layer, const patched_value<T>& value) {
      const auto& clean = evaluation.clean(layer);
      const std::size_t height = clean.shape(2), width = clean.shape(3);
      const crop all{{0, height, 0, height}, {0, width, 0, width}};
      std::vector<T> values(clean.size());
      for (std::size_t k = 0; k < positions.size(); ++k) {
        if (layer == output_) {
          copy_variant(clean, &value, k, all, T(0), 0, clean.shape(1), values.data());
          put_output(positions[k], std::span<const T>(values));
        }
        if (followed_ && layer == *followed_) {
          copy_variant(clean, &value, k, all, T(0), maps_.channel, maps_.channel + 1, values.data());
          maps_.activation.data()[positions[k]] = map_sum(values.data(), height * width);
        }
      }
    };
    evaluation.evaluate(painted(positions), visit);
  }

  const network<T>& net_;
  const tensor4<T>& input_;
  const occlusion_options& options_;
  std::size_t output_;
  std::optional<std::size_t> followed_;
  std::vector<std::size_t> targets_;
  std::vector<T> fill_;
  class_reading reading_{};
  occlusion_maps<T> maps_;
};

}  // namespace detail

/// A window slides over the input, painted over what is there; at each position three numbers are read: the sum of the map
/// of .layer that was strongest without the window, the probability of the class .label, and the most probable class.
/// input: 1 x C x H x W, preprocessed. Positions: see occlusion_grid. Probabilities are the softmax over all elements of the
/// output; an output that comes from a softmax is taken as it is.
///
/// Only what the window can reach is recomputed, layer by layer; the rest is taken from the clean run. Results equal full
/// recomputation to float rounding: an operator without a declared reach (fully connected, global average, one of a user's
/// own) is run on whole maps from there on, many positions at once. They do not depend on the number of threads. A stop
/// leaves the remaining positions NaN and .complete false.
/// Throws error for a label or layer that is not there, for NaN or infinity in the input, the fill or the clean output;
/// shape_error where input or fill do not fit. The paper, figure 7.
template <class Model, expression_of_rank<4> X>
auto occlusion_sensitivity(const Model& model, const X& input, const occlusion_options& options = {}) {
  using T = detail::scalar_of_run<Model, X>;
  const auto& net = detail::graph_of<T>(model);
  const auto& x = contiguous<T, 4>(input);
  detail::check_input(x, "occlusion_sensitivity: the input");
  return detail::occlusion_sweep<T>(net, x, options).run();
}

}  // namespace deconvnet
