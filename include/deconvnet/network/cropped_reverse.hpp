// The way down for single units: no more of each map than their receptive fields reach, many units as one batch.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <deconvnet/kernels/element.hpp>
#include <deconvnet/network/cropped_signal.hpp>
#include <deconvnet/network/reverse.hpp>
#include <deconvnet/network/unit.hpp>
#include <deconvnet/ops/conv2d.hpp>
#include <deconvnet/ops/conv2d_sparse_adjoint.hpp>
#include <deconvnet/ops/max_pool2d.hpp>
#include <deconvnet/ops/relu.hpp>
#include <deconvnet/tensor/recycled_tensors.hpp>

namespace deconvnet::detail {

/// Where the crops of a signal lie below a layer, and how large they are there. The crops of one unit alone end at the map's
/// borders: `cut` is what its windows see beyond. Those of several keep one size for all.
template <scalar T>
struct crops_below {
  crops_below(const cropped_signal<T>& signal, const reach& window, const shape4& below) : origins(signal.origins) {
    extent = {(signal.height() - 1) * window.stride.height + (window.kernel.height - 1) * window.dilation.height + 1,
              (signal.width() - 1) * window.stride.width + (window.kernel.width - 1) * window.dilation.width + 1};
    for (auto& [y, x] : origins) {
      y = y * static_cast<std::ptrdiff_t>(window.stride.height) - static_cast<std::ptrdiff_t>(window.padding.top);
      x = x * static_cast<std::ptrdiff_t>(window.stride.width) - static_cast<std::ptrdiff_t>(window.padding.left);
    }
    if (origins.size() != 1) return;
    // A window may lie in padding altogether; then nothing is cut, and clear_outside leaves nothing.
    const auto on_map = [](std::ptrdiff_t start, std::size_t size, std::size_t map) {
      return start < static_cast<std::ptrdiff_t>(map) && start + static_cast<std::ptrdiff_t>(size) > 0;
    };
    if (!on_map(origins[0].y, extent.height, below[2]) || !on_map(origins[0].x, extent.width, below[3])) return;
    const auto ends = [](std::ptrdiff_t& start, std::size_t& size, std::size_t map, std::size_t& before, std::size_t& after) {
      const auto beyond = start + static_cast<std::ptrdiff_t>(size) - static_cast<std::ptrdiff_t>(map);
      before = static_cast<std::size_t>(std::max<std::ptrdiff_t>(0, -start));
      after = static_cast<std::size_t>(std::max<std::ptrdiff_t>(0, beyond));
      size -= before + after;
      start += static_cast<std::ptrdiff_t>(before);
    };
    ends(origins[0].y, extent.height, below[2], cut.top, cut.bottom);
    ends(origins[0].x, extent.width, below[3], cut.left, cut.right);
  }

  std::vector<typename cropped_signal<T>::place> origins;
  extent2d extent{0};
  padding2d cut{};
};

/// Through a convolution: its adjoint on the crops, without what falls into the padding.
template <scalar T>
cropped_signal<T> reverse_crops(const conv2d<T>& op, const cropped_signal<T>& signal, const shape4& below) {
  crops_below<T> crops(signal, op.reach(), below);
  const auto& o = op.options();
  cropped_signal<T> result{conv2d_adjoint_by_density<T>(signal.values, op.shared_weight(), {o.stride, crops.cut, o.dilation, o.groups},
                                                        {signal.values.shape(0), below[1], crops.extent.height, crops.extent.width}),
                           std::move(crops.origins)};
  clear_outside(result, below[2], below[3]);
  return result;
}

/// Through a max-pool: each value to the place its switch names, which lies within the window.
template <scalar T>
cropped_signal<T> reverse_crops(const max_pool2d& op, const cropped_signal<T>& signal, const switches& record,
                                std::span<const std::size_t> images) {
  crops_below<T> crops(signal, op.reach(), record.input_shape);
  const extent2d extent = crops.extent;
  const std::size_t channels = signal.values.shape(1);
  const auto map_width = static_cast<std::uint32_t>(record.input_shape[3]);
  const shape4 pooled = record.output_shape();
  cropped_signal<T> result{recycled_signal<T>({signal.values.shape(0), channels, extent.height, extent.width}), std::move(crops.origins)};
  parallel_for(result.values.shape(0) * channels, [&](std::size_t plane) {
    const std::size_t m = plane / channels;
    const T* from = signal.values.data() + plane * signal.height() * signal.width();
    const std::uint32_t* places = record.places.data() + (images[m] * channels + plane % channels) * pooled[2] * pooled[3];
    T* to = result.values.data() + plane * extent.height * extent.width;
    std::fill_n(to, extent.height * extent.width, T(0));
    for_shared_rows(signal.origins[m], signal.height(), signal.width(), pooled[2], pooled[3],
                    [&](std::size_t y, std::size_t x, std::size_t row, std::size_t column, std::size_t count) {
                      for (std::size_t k = 0; k < count; ++k) {
                        // Zeros as well: whether a value is one is a coin's toss to the branch predictor.
                        const std::uint32_t place = places[row * pooled[3] + column + k];
                        const auto down = static_cast<std::ptrdiff_t>(place / map_width) - result.origins[m].y;
                        const auto across = static_cast<std::ptrdiff_t>(place % map_width) - result.origins[m].x;
                        to[static_cast<std::size_t>(down) * extent.width + static_cast<std::size_t>(across)] += from[y * signal.width() + x + k];
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

/// Through a ReLU, in place.
template <scalar T>
void rectify_crops(cropped_signal<T>& signal, const trace_record<T>& record, rule how, std::span<const std::size_t> images) {
  const auto& elements = kernels::current_element_kernels<T>();
  const std::size_t size = signal.values.size();
  tensor4<T> activity;
  if (how != rule::deconvnet) activity = cropped_activity(signal, record, images);
  parallel_pieces(size, [&](std::size_t first, std::size_t count) {
    T* values = signal.values.data() + first;
    if (how == rule::deconvnet) return elements.rectify(values, values, count);
    elements.mask(values, activity.data() + first, how == rule::guided, values, count);
  });
}

/// Through layer i; nothing, and the signal as it was, where that takes whole maps.
template <scalar T>
std::vector<cropped_signal<T>> reverse_crops(const network<T>& net, const trace<T>& run, std::size_t i, cropped_signal<T>& signal,
                                             rule how, std::span<const std::size_t> images) {
  const auto& records = trace_access<T>::records(run);
  const layer which(i);
  std::vector<cropped_signal<T>> parts;
  const auto kind = net.op(i).kind();
  if (const auto* conv = net.template get_if<conv2d<T>>(which)) {
    parts.push_back(reverse_crops(*conv, signal, records[net.inputs(i)[0]].shape));
  } else if (const auto* pool = net.template get_if<max_pool2d>(which)) {
    if (records[i + 1].switches.places.size() != 0) parts.push_back(reverse_crops(*pool, signal, records[i + 1].switches, images));
  } else if (net.template get_if<relu>(which)) {
    rectify_crops(signal, records[i + 1], how, images);
    parts.push_back(std::move(signal));
  } else if (kind == "dropout" || kind == "identity" || (kind == "local_response_norm" && how != rule::gradient)) {
    parts.push_back(std::move(signal));
  } else if (kind == "batch_norm" || kind == "concat" || kind == "add") {
    const auto every = every_image(images.size());
    reverse_context<T> context;
    context.how = how;
    context.images = every;
    for (const std::size_t v : net.inputs(i)) {
      context.input_shapes.push_back({images.size(), records[v].shape[1], signal.height(), signal.width()});
    }
    for (auto& part : net.op(i).reverse(signal.values, context)) parts.push_back({std::move(part), signal.origins});
  }
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
  // Of maps that a crop nearly covers the rest costs less than crops do, but for those of one unit, which end at the borders.
  const auto covers = [&](std::size_t v) {
    return crops[v] && units.size() > 1 && 4 * crops[v]->height() * crops[v]->width() > 3 * records[v].shape[2] * records[v].shape[3];
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
    if (parts.empty()) break;
    recycle_signal(std::move(crops[i]->values));
    crops[i].reset();
    const auto& places = net.inputs(i - 1);
    for (std::size_t k = 0; k < places.size(); ++k) accumulate_crops(crops[places[k]], std::move(parts[k]));
    --i;
  }
  std::vector<std::optional<tensor4<T>>> signals(i + 1);
  for (std::size_t v = 0; v <= i; ++v) {
    if (crops[v]) signals[v] = embedded(*crops[v], records[v].shape[2], records[v].shape[3]);
  }
  return reverse_signals(net, run, std::move(signals), 0, how, std::span<const std::size_t>(images));
}

}  // namespace deconvnet::detail
