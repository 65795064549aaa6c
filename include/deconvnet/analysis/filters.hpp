// What filters look like in numbers: strength, high frequencies, and which are dead (Fig 6).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numbers>
#include <span>
#include <stop_token>
#include <type_traits>
#include <vector>

#include <deconvnet/analysis/inputs.hpp>
#include <deconvnet/analysis/layer_values.hpp>
#include <deconvnet/analysis/progress.hpp>
#include <deconvnet/analysis/scan_inputs.hpp>
#include <deconvnet/kernels/parallel_for.hpp>
#include <deconvnet/network/model.hpp>
#include <deconvnet/ops/conv2d.hpp>
#include <deconvnet/ops/linear.hpp>

namespace deconvnet {

/// One filter, C x KH x KW, by itself.
struct filter_statistic {
  double rms = 0;  ///< sqrt(mean of w^2) over all its weights.
  double high_frequency =
      0;  ///< The share of its energy above half the Nyquist frequency, 0..1; see filter_statistics.
};

/// One filter and what it did on a data set.
struct filter_activity : filter_statistic {
  /// The largest value of its map over all images, read after its ReLU where one follows; minus infinity without
  /// images.
  double largest = -std::numeric_limits<double>::infinity();
  /// Images were looked at, and `largest` is not above zero: never active.
  bool dead = false;
};

struct filter_survey {
  std::vector<filter_activity> filters;
  std::size_t images = 0;              ///< That were looked at, skipped ones left out.
  std::vector<skipped_input> skipped;  ///< That could not be read.
  bool complete = true;                ///< False where it was stopped.

  const filter_activity& operator[](std::size_t filter) const { return filters[filter]; }
  std::size_t size() const { return filters.size(); }
};

struct filter_survey_options {
  progress_callback progress{};
  std::stop_token stop{};
};

namespace detail {

/// The weights of a layer as filters, F x C x KH x KW; a fully connected layer's have one place.
template <scalar T>
tensor4<T> filters_of(const network<T>& net, std::size_t index) {
  if (const auto* conv = net.template get_if<conv2d<T>>(index)) return conv->weight();
  if (const auto* full = net.template get_if<linear<T>>(index)) {
    auto filters = uninitialized<T>({full->weight().shape(0), full->weight().shape(1), 1, 1});
    std::copy(full->weight().data(), full->weight().data() + full->weight().size(), filters.data());
    return filters;
  }
  throw unsupported_error(
      text("layer '", net.name(index), "' (", net.op(index).kind(), ") has no filters: neither conv2d nor linear"));
}

/// The matrix, size x size, with w^T M w the energy of w at frequencies of at most a quarter of a cycle per pixel: the
/// integral of cos(2 pi f (a - b)) over -1/4 < f < 1/4.
inline std::vector<double> low_pass(std::size_t size) {
  std::vector<double> matrix(size * size);
  for (std::size_t a = 0; a < size; ++a) {
    for (std::size_t b = 0; b < size; ++b) {
      const std::size_t apart = a < b ? b - a : a - b;
      const double waves =
          apart % 2 == 0 ? 0 : (apart % 4 == 1 ? 1 : -1) / (std::numbers::pi * static_cast<double>(apart));
      matrix[a * size + b] = apart == 0 ? 0.5 : waves;
    }
  }
  return matrix;
}

template <scalar T>
filter_statistic statistic_of(const T* weights, const shape4& shape, const std::vector<double>& rows,
                              const std::vector<double>& columns) {
  const auto [filters, channels, height, width] = shape;
  double energy = 0;
  double low = 0;
  std::vector<double> half(height * width);
  for (std::size_t c = 0; c < channels; ++c, weights += height * width) {
    std::fill(half.begin(), half.end(), 0.0);
    for (std::size_t y = 0; y < height; ++y) {
      for (std::size_t k = 0; k < height; ++k) {
        for (std::size_t x = 0; x < width; ++x)
          half[y * width + x] += rows[y * height + k] * static_cast<double>(weights[k * width + x]);
      }
    }
    for (std::size_t y = 0; y < height; ++y) {
      for (std::size_t x = 0; x < width; ++x) {
        const auto weight = static_cast<double>(weights[y * width + x]);
        double kept = 0;
        for (std::size_t k = 0; k < width; ++k) kept += half[y * width + k] * columns[k * width + x];
        energy += weight * weight;
        low += weight * kept;
      }
    }
  }
  const auto count = static_cast<double>(channels * height * width);
  return {std::sqrt(energy / count), energy > 0 ? std::clamp(1 - low / energy, 0.0, 1.0) : 0.0};
}

template <scalar T>
std::vector<filter_statistic> statistics_of(const tensor4<T>& filters) {
  const shape4 shape = shape_of(filters);
  const auto trouble = first_nonfinite(std::span<const T>(filters.data(), filters.size()));
  if (trouble < filters.size()) throw error(text("filter_statistics: weight ", trouble, " is NaN or infinite"));
  const auto rows = low_pass(shape[2]);
  const auto columns = low_pass(shape[3]);
  std::vector<filter_statistic> result(shape[0]);
  parallel_for(shape[0],
               [&](std::size_t f) { result[f] = statistic_of(image_span(filters, f).data(), shape, rows, columns); });
  return result;
}

/// The layer whose output tells whether a filter fired: the ReLU that reads `index` directly or through layers that
/// work on each map by itself; where there is none, `index`.
template <scalar T>
std::size_t rectified_layer(const network<T>& net, std::size_t index) {
  std::size_t last = index;
  for (std::size_t i = index + 1; i < net.size(); ++i) {
    if (net.inputs(i) != std::vector<std::size_t>{last + 1}) continue;
    const auto kind = net.op(i).kind();
    if (kind == "relu") return i;
    if (kind == "batch_norm" || kind == "scale_shift" || kind == "identity" || kind == "dropout") last = i;
  }
  return index;
}

}  // namespace detail

/// Numbers of every filter of a convolution (or fully connected) layer, one entry each.
///
/// `.rms`: sqrt(mean of w^2), over the filter's input channels and places.
/// `.high_frequency`: with F(u, v) the two-dimensional Fourier transform of one channel of the filter, that is the
/// discrete one of KH x KW weights padded with zeros without end, the mean not removed and no window: the energy |F|^2,
/// summed over channels and frequencies, where |u| or |v| is above 1/4 cycle per pixel (half the Nyquist frequency of
/// 1/2), as a share of all energy. In closed form, so that filters of different sizes are measured by the same rule (a
/// transform of the filter's own size knows but two frequencies of 3 pixels). Rows and columns by themselves, as a
/// stride of 2 in each is what such frequencies do not survive. Noise has 3/4 of its energy there, as has a filter of
/// one place; a constant filter little (0.08 at 7 x 7, from its edges), one that alternates from pixel to pixel nearly
/// all; a filter of zeros gives 0. Not fixed by the paper, which speaks of a mix of high and low frequencies and of
/// aliasing (section 4.1). Throws error for an unknown layer and weights that are NaN or infinite; unsupported_error
/// for a layer without filters.
template <class Model>
std::vector<filter_statistic> filter_statistics(const Model& model, const layer& which) {
  using T = detail::scalar_of_run<Model, tensor4<float>>;
  const auto& net = detail::graph_of<T>(model);
  return detail::statistics_of(detail::filters_of(net, net.find(which)));
}

/// The same, and for every filter whether it is dead: its map is not above zero anywhere, in any of the inputs (any
/// range of 1 x C x H x W). The map is read after the ReLU that follows the layer, where batch norm or a scale may
/// stand between; without a ReLU, as the layer gives it. Inputs that throw file_error are skipped and counted. The
/// result does not depend on the number of threads. Throws also error for an input with NaN or infinity, with its
/// index.
template <class Model, range_of_inputs Inputs>
filter_survey filter_statistics(const Model& model, const layer& which, Inputs&& inputs,
                                const filter_survey_options& options = {}) {
  using X = detail::input_of<Inputs>;
  using T = detail::scalar_of_run<Model, X>;
  const auto& net = detail::graph_of<T>(model);
  const std::size_t index = net.find(which);
  filter_survey survey;
  for (const auto& one : detail::statistics_of(detail::filters_of(net, index))) survey.filters.push_back({one});

  struct worker_state {
    typename detail::layer_values<T>::records records;
    std::vector<double> largest;
    std::size_t images = 0;
  };
  const detail::layer_values<T> values(net, {detail::rectified_layer(net, index)});
  std::vector<worker_state> workers(thread_count());
  for (auto& worker : workers) worker.largest.assign(survey.size(), -std::numeric_limits<double>::infinity());
  detail::input_walker<T, std::remove_reference_t<Inputs>> walker("filter_statistics", inputs, 0);
  const auto end = detail::scan_inputs(
      walker, workers.size(), options.progress, options.stop, [&](std::size_t w, const auto& batch) {
        auto& worker = workers[w];
        values.run(batch.images, worker.records);
        const auto& maps = values.value(worker.records, 0);
        worker.images += batch.indices.size();
        const std::size_t plane = maps.shape(2) * maps.shape(3);
        for (std::size_t k = 0; k < maps.shape(0) * maps.shape(1); ++k) {
          auto& largest = worker.largest[k % maps.shape(1)];
          largest = std::max(
              largest, static_cast<double>(*std::max_element(maps.data() + k * plane, maps.data() + (k + 1) * plane)));
        }
      });
  for (const auto& worker : workers) {
    survey.images += worker.images;
    for (std::size_t f = 0; f < survey.size(); ++f) {
      survey.filters[f].largest = std::max(survey.filters[f].largest, worker.largest[f]);
    }
  }
  for (auto& filter : survey.filters) filter.dead = survey.images > 0 && filter.largest <= 0;
  survey.skipped = end.skipped;
  survey.complete = end.complete;
  return survey;
}

}  // namespace deconvnet
