// Signals on the way down that are zero outside a small part of their map: a unit's, as far as its receptive field reaches.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <deconvnet/kernels/parallel_for.hpp>
#include <deconvnet/tensor/box.hpp>
#include <deconvnet/tensor/tensor.hpp>

namespace deconvnet::detail {

/// M pictures, M x C x h x w, of which picture m lies at `origins[m]` on its map: crops of one size at places of their own,
/// so that they can go down as one batch. A crop may reach beyond its map; what lies there is zero.
template <scalar T>
struct cropped_signal {
  struct place {
    std::ptrdiff_t y, x;
  };

  tensor4<T> values;
  std::vector<place> origins;

  std::size_t height() const { return values.shape(2); }
  std::size_t width() const { return values.shape(3); }
};

/// Calls visit(row of the crop, first column of the crop, row of the map, first column of the map, count) for what crop and
/// map share.
template <class Place, class Visit>
void for_shared_rows(const Place& origin, std::size_t crop_height, std::size_t crop_width, std::size_t height, std::size_t width,
                     Visit&& visit) {
  const auto first = [](std::ptrdiff_t start) { return start < 0 ? static_cast<std::size_t>(-start) : 0; };
  const auto last = [](std::ptrdiff_t start, std::size_t size, std::size_t extent) {
    const std::ptrdiff_t end = std::min(static_cast<std::ptrdiff_t>(size), static_cast<std::ptrdiff_t>(extent) - start);
    return static_cast<std::size_t>(std::max<std::ptrdiff_t>(end, 0));
  };
  const std::size_t left = first(origin.x), right = last(origin.x, crop_width, width);
  if (left >= right) return;
  for (std::size_t y = first(origin.y); y < last(origin.y, crop_height, height); ++y) {
    visit(y, left, static_cast<std::size_t>(origin.y + static_cast<std::ptrdiff_t>(y)),
          static_cast<std::size_t>(origin.x + static_cast<std::ptrdiff_t>(left)), right - left);
  }
}

/// The whole maps, height x width, zero around the crops.
template <scalar T>
tensor4<T> embedded(const cropped_signal<T>& signal, std::size_t height, std::size_t width) {
  const std::size_t channels = signal.values.shape(1);
  auto maps = zeros<T>({signal.values.shape(0), channels, height, width});
  parallel_for(maps.shape(0) * channels, [&](std::size_t plane) {
    const T* from = signal.values.data() + plane * signal.height() * signal.width();
    T* to = maps.data() + plane * height * width;
    for_shared_rows(signal.origins[plane / channels], signal.height(), signal.width(), height, width,
                    [&](std::size_t y, std::size_t x, std::size_t row, std::size_t column, std::size_t count) {
                      std::copy_n(from + y * signal.width() + x, count, to + row * width + column);
                    });
  });
  return maps;
}

/// Sets what lies beyond the map to zero: signals into padding go no further.
template <scalar T>
void clear_outside(cropped_signal<T>& signal, std::size_t height, std::size_t width) {
  const std::size_t channels = signal.values.shape(1), area = signal.height() * signal.width();
  for (std::size_t m = 0; m < signal.origins.size(); ++m) {
    const auto [top, left] = signal.origins[m];
    const auto bottom = top + static_cast<std::ptrdiff_t>(signal.height());
    const auto right = left + static_cast<std::ptrdiff_t>(signal.width());
    if (top >= 0 && left >= 0 && bottom <= static_cast<std::ptrdiff_t>(height) && right <= static_cast<std::ptrdiff_t>(width)) continue;
    for (std::size_t c = 0; c < channels; ++c) {
      T* plane = signal.values.data() + (m * channels + c) * area;
      for (std::size_t y = 0; y < signal.height(); ++y) {
        const std::ptrdiff_t row = top + static_cast<std::ptrdiff_t>(y);
        const bool beyond = row < 0 || row >= static_cast<std::ptrdiff_t>(height);
        for (std::size_t x = 0; x < signal.width(); ++x) {
          const std::ptrdiff_t column = left + static_cast<std::ptrdiff_t>(x);
          if (beyond || column < 0 || column >= static_cast<std::ptrdiff_t>(width)) plane[y * signal.width() + x] = T(0);
        }
      }
    }
  }
}

/// Adds a signal to what has come down to the same value already. Crops of one start differ by the same step for all
/// pictures: the sum lies on the smallest crop that holds both.
template <scalar T>
void accumulate_crops(std::optional<cropped_signal<T>>& sum, cropped_signal<T>&& part) {
  if (!sum) {
    sum = std::move(part);
    return;
  }
  const auto merged = [&](const cropped_signal<T>& one, std::ptrdiff_t top, std::ptrdiff_t left, tensor4<T>& to) {
    const auto down = static_cast<std::size_t>(one.origins[0].y - top), across = static_cast<std::size_t>(one.origins[0].x - left);
    const std::size_t planes = one.values.shape(0) * one.values.shape(1);
    for (std::size_t plane = 0; plane < planes; ++plane) {
      for (std::size_t y = 0; y < one.height(); ++y) {
        const T* from = one.values.data() + (plane * one.height() + y) * one.width();
        T* row = to.data() + (plane * to.shape(2) + down + y) * to.shape(3) + across;
        for (std::size_t x = 0; x < one.width(); ++x) row[x] += from[x];
      }
    }
  };
  const auto& a = sum->origins[0];
  const auto& b = part.origins[0];
  const std::ptrdiff_t top = std::min(a.y, b.y), left = std::min(a.x, b.x);
  const auto end = [](std::ptrdiff_t start, std::size_t size) { return start + static_cast<std::ptrdiff_t>(size); };
  const auto height = static_cast<std::size_t>(std::max(end(a.y, sum->height()), end(b.y, part.height())) - top);
  const auto width = static_cast<std::size_t>(std::max(end(a.x, sum->width()), end(b.x, part.width())) - left);
  auto both = zeros<T>({sum->values.shape(0), sum->values.shape(1), height, width});
  merged(*sum, top, left, both);
  merged(part, top, left, both);
  const std::ptrdiff_t up = a.y - top, back = a.x - left;
  for (auto& origin : sum->origins) {
    origin.y -= up;
    origin.x -= back;
  }
  sum->values = std::move(both);
}

}  // namespace deconvnet::detail
