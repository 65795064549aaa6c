// The way down for single units: no more of each map than their receptive fields reach, many units as one batch.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <deconvnet/network/cropped_signal.hpp>
#include <deconvnet/network/reverse.hpp>
#include <deconvnet/network/unit.hpp>
#include <deconvnet/ops/conv2d.hpp>
#include <deconvnet/ops/max_pool2d.hpp>

namespace deconvnet::detail {

/// Where the crops go through a window, padding and all.
template <scalar T>
std::vector<typename cropped_signal<T>::place> origins_below(const cropped_signal<T>& signal, const reach& window) {
  auto origins = signal.origins;
  for (auto& [y, x] : origins) {
    y = y * static_cast<std::ptrdiff_t>(window.stride.height) - static_cast<std::ptrdiff_t>(window.padding.top);
    x = x * static_cast<std::ptrdiff_t>(window.stride.width) - static_cast<std::ptrdiff_t>(window.padding.left);
  }
  return origins;
}

inline extent2d extent_below(std::size_t height, std::size_t width, const reach& window) {
  return {(height - 1) * window.stride.height + (window.kernel.height - 1) * window.dilation.height + 1,
          (width - 1) * window.stride.width + (window.kernel.width - 1) * window.dilation.width + 1};
}

/// Through a convolution: its adjoint without padding, on the crops; then what fell into the padding is dropped.
template <scalar T>
cropped_signal<T> reverse_crops(const conv2d<T>& op, const cropped_signal<T>& signal, const shape4& below) {
  const reach window = op.reach();
  const extent2d extent = extent_below(signal.height(), signal.width(), window);
  const auto& o = op.options();
  cropped_signal<T> result{conv2d_adjoint_kept<T>(signal.values, op.shared_weight(), {o.stride, {}, o.dilation, o.groups},
                                                  {signal.values.shape(0), below[1], extent.height, extent.width}, "conv2d"),
                           origins_below(signal, window)};
  clear_outside(result, below[2], below[3]);
  return result;
}

/// Through a max-pool: each value to the place its switch names, which lies within the window.
template <scalar T>
cropped_signal<T> reverse_crops(const max_pool2d& op, const cropped_signal<T>& signal, const switches& record,
                                std::span<const std::size_t> images) {
  const reach window = op.reach();
  const extent2d extent = extent_below(signal.height(), signal.width(), window);
  const std::size_t channels = signal.values.shape(1);
  const std::size_t map_width = record.input_shape[3];
  const shape4 pooled = record.output_shape();
  cropped_signal<T> result{zeros<T>({signal.values.shape(0), channels, extent.height, extent.width}), origins_below(signal, window)};
  parallel_for(result.values.shape(0) * channels, [&](std::size_t plane) {
    const std::size_t m = plane / channels;
    const T* from = signal.values.data() + plane * signal.height() * signal.width();
    const std::uint32_t* places = record.places.data() + (images[m] * channels + plane % channels) * pooled[2] * pooled[3];
    T* to = result.values.data() + plane * extent.height * extent.width;
    for_shared_rows(signal.origins[m], signal.height(), signal.width(), pooled[2], pooled[3],
                    [&](std::size_t y, std::size_t x, std::size_t row, std::size_t column, std::size_t count) {
                      for (std::size_t k = 0; k < count; ++k) {
                        const std::size_t place = places[row * pooled[3] + column + k];
                        const auto down = static_cast<std::ptrdiff_t>(place / map_width) - result.origins[m].y;
                        const auto across = static_cast<std::ptrdiff_t>(place % map_width) - result.origins[m].x;
                        to[static_cast<std::size_t>(down) * extent.width + static_cast<std::size_t>(across)] +=
                            from[y * signal.width() + x + k];
                      }
                    });
  });
  return result;
}

/// One where the run's output was positive, zero elsewhere and outside the map: what a ReLU's reverse asks for.
template <scalar T>
tensor4<T> cropped_activity(const cropped_signal<T>& signal, const trace_record<T>& record, std::span<const std::size_t> images) {
  auto activity = zeros<T>(shape_of(signal.values));
  const std::size_t channels = activity.shape(1), height = record.shape[2], width = record.shape[3];
  parallel_for(activity.shape(0) * channels, [&](std::size_t plane) {
    const std::size_t m = plane / channels;
    T* to = activity.data() + plane * signal.height() * signal.width();
    for_shared_rows(signal.origins[m], signal.height(), signal.width(), height, width,
                    [&](std::size_t y, std::size_t x, std::size_t row, std::size_t column, std::size_t count) {
                      for (std::size_t k = 0; k < count; ++k) {
                        const std::size_t place = (plane % channels * height + row) * width + column + k;
                        const bool positive = record.kept ? image_span(record.value, images[m])[place] > T(0)
                                                          : record.signs.positive(images[m], place);
                        to[y * signal.width() + x + k] = positive ? T(1) : T(0);
                      }
                    });
  });
  return activity;
}

/// Through layer i, or nothing where that takes whole maps.
template <scalar T>
std::optional<std::vector<cropped_signal<T>>> reverse_crops(const network<T>& net, const trace<T>& run, std::size_t i,
                                                            const cropped_signal<T>& signal, rule how,
                                                            std::span<const std::size_t> images) {
  const auto& records = trace_access<T>::records(run);
  const layer which(i);
  std::vector<cropped_signal<T>> parts;
  if (const auto* conv = net.template get_if<conv2d<T>>(which)) {
    parts.push_back(reverse_crops(*conv, signal, records[net.inputs(i)[0]].shape));
    return parts;
  }
  if (const auto* pool = net.template get_if<max_pool2d>(which)) {
    if (records[i + 1].switches.places.size() == 0) return std::nullopt;
    parts.push_back(reverse_crops(*pool, signal, records[i + 1].switches, images));
    return parts;
  }
  const auto kind = net.op(i).kind();
  const bool pointwise = kind == "relu" || kind == "dropout" || kind == "identity" || kind == "batch_norm" || kind == "concat" ||
                         kind == "add" || (kind == "local_response_norm" && how != rule::gradient);
  if (!pointwise) return std::nullopt;
  const auto every = every_image(images.size());
  reverse_context<T> context;
  context.how = how;
  context.images = every;
  for (const std::size_t v : net.inputs(i)) {
    context.input_shapes.push_back({images.size(), records[v].shape[1], signal.height(), signal.width()});
  }
  tensor4<T> activity;
  if (kind == "relu" && how != rule::deconvnet) {
    activity = cropped_activity(signal, records[i + 1], images);
    context.recorded_output = &activity;
  }
  for (auto& part : net.op(i).reverse(signal.values, context)) parts.push_back({std::move(part), signal.origins});
  return parts;
}

/// Sends units of layer `start` down to the input: one picture each, M x C x H x W. values[m]: what unit m is set to. As
/// long as crops are smaller than their maps and the layers allow it, crops go down; then whole maps.
template <scalar T>
tensor4<T> reverse_units(const network<T>& net, const trace<T>& run, std::size_t start, std::span<const unit> units,
                         std::span<const T> values, rule how) {
  const auto& records = trace_access<T>::records(run);
  std::vector<std::size_t> images(units.size());
  std::vector<std::optional<cropped_signal<T>>> crops(start + 2);
  auto& first = crops[start + 1].emplace();
  first.values = zeros<T>({units.size(), records[start + 1].shape[1], 1, 1});
  for (std::size_t m = 0; m < units.size(); ++m) {
    images[m] = units[m].n;
    first.values(m, units[m].c, 0, 0) = values[m];
    first.origins.push_back({static_cast<std::ptrdiff_t>(units[m].y), static_cast<std::ptrdiff_t>(units[m].x)});
  }
  // Of maps that a crop nearly covers the rest costs less than crops do.
  const auto covers = [&](std::size_t v) {
    return crops[v] && 4 * crops[v]->height() * crops[v]->width() > 3 * records[v].shape[2] * records[v].shape[3];
  };
  std::size_t i = start + 1;  // layers from i on are done
  while (i > 0) {
    if (!crops[i]) {
      --i;
      continue;
    }
    if (covers(i)) break;
    if (!net.op(i - 1).reversible()) {
      throw unsupported_error(text("layer '", net.name(i - 1), "' (", net.op(i - 1).kind(), ") has no reverse"));
    }
    auto parts = named(net.name(i - 1), [&] { return reverse_crops(net, run, i - 1, *crops[i], how, std::span<const std::size_t>(images)); });
    if (!parts) break;
    crops[i].reset();
    const auto& places = net.inputs(i - 1);
    for (std::size_t k = 0; k < places.size(); ++k) accumulate_crops(crops[places[k]], std::move((*parts)[k]));
    --i;
  }
  std::vector<std::optional<tensor4<T>>> signals(i + 1);
  for (std::size_t v = 0; v <= i; ++v) {
    if (crops[v]) signals[v] = embedded(*crops[v], records[v].shape[2], records[v].shape[3]);
  }
  return reverse_signals(net, run, std::move(signals), 0, how, std::span<const std::size_t>(images));
}

}  // namespace deconvnet::detail
