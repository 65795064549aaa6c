// Unpooling: each value goes back to its switch (the paper, section 2.1).
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <deconvnet/kernels/parallel_for.hpp>
#include <deconvnet/ops/reverse_context.hpp>

namespace deconvnet {

namespace detail {

/// Signal m belongs to image images[m] of the run that recorded the switches; the maps must agree.
inline void check_unpool(const shape4& signal, const switches& record, std::span<const std::size_t> images) {
  const shape4 recorded = record.output_shape();
  const bool maps_fit = std::equal(signal.begin() + 1, signal.end(), recorded.begin() + 1);
  if (!maps_fit || images.size() != signal[0]) {
    throw shape_error(text("max_unpool2d: a signal of ", shape_text(signal), " for ", images.size(), " images, switches of ",
                           shape_text(recorded)));
  }
  for (const std::size_t image : images) {
    if (image >= recorded[0]) {
      throw shape_error(text("max_unpool2d: image ", image, " of switches of ", shape_text(recorded)));
    }
  }
}

/// Switches are values and may come from anywhere: one that points out of its map must not be followed.
inline void check_switch(std::uint32_t place, std::size_t size) {
  if (place >= size) throw shape_error(text("max_unpool2d: switch ", place, " points out of a map of ", size, " places"));
}

inline void check_switches(const switches& record) {
  const shape4 recorded = record.output_shape();
  if (recorded[0] != record.input_shape[0] || recorded[1] != record.input_shape[1]) {
    throw shape_error(text("max_unpool2d: switches of ", shape_text(recorded), " into ", shape_text(record.input_shape)));
  }
}

/// Images 0 ... count - 1, each its own.
inline std::vector<std::size_t> every_image(std::size_t count) {
  std::vector<std::size_t> images(count);
  std::iota(images.begin(), images.end(), std::size_t{0});
  return images;
}

}  // namespace detail

namespace ops {

/// result[m, c, s] += signal[m, c, y, x] with s the switch of (images[m], c, y, x); zero elsewhere. Contributions of
/// overlapping windows to one place add up: the adjoint of the selection that the switches make.
/// signal: M x C x OH x OW; result: M x C x H x W, the pool's recorded input size. Throws shape_error where they do not fit.
template <scalar T>
tensor4<T> max_unpool2d(const tensor4<T>& signal, const switches& record, std::span<const std::size_t> images) {
  const shape4 small = shape_of(signal);
  detail::check_switches(record);
  detail::check_unpool(small, record, images);
  const shape4 large{small[0], small[1], record.input_shape[2], record.input_shape[3]};
  auto result = zeros<T>(large);
  parallel_for(small[0] * small[1], [&](std::size_t plane) {
    const std::size_t size = small[2] * small[3];
    const std::size_t recorded = images[plane / small[1]] * small[1] + plane % small[1];
    const T* from = signal.data() + plane * size;
    const std::uint32_t* places = record.places.data() + recorded * size;
    T* to = result.data() + plane * large[2] * large[3];
    for (std::size_t k = 0; k < size; ++k) {
      detail::check_switch(places[k], large[2] * large[3]);
      to[places[k]] += from[k];
    }
  });
  return result;
}

/// The same for the very batch that was pooled; shape_error where the signal has another number of images.
template <expression_of_rank<4> S>
auto max_unpool2d(const S& signal, const switches& record) {
  using T = scalar_of<S>;
  const auto& down = contiguous<T, 4>(signal);
  if (shape_of(down) != record.output_shape()) {
    throw shape_error(detail::text("max_unpool2d: a signal of ", shape_text(down.shape()), ", switches of ",
                                   shape_text(record.output_shape())));
  }
  return max_unpool2d<T>(down, record, detail::every_image(down.shape(0)));
}

/// The adjoint of max_unpool2d: result[n, c, y, x] = x[n, c, switch of (n, c, y, x)].
template <scalar T>
tensor4<T> take_switches(const tensor4<T>& x, const switches& record) {
  const shape4 in = shape_of(x);
  detail::check_switches(record);
  if (in != record.input_shape) {
    throw shape_error(detail::text("take_switches: maps of ", shape_text(in), ", switches into ",
                                   shape_text(record.input_shape)));
  }
  auto result = uninitialized<T>(record.output_shape());
  const std::size_t size = result.shape(2) * result.shape(3);
  for (std::size_t k = 0; k < result.size(); ++k) {
    detail::check_switch(record.places.data()[k], in[2] * in[3]);
    result.data()[k] = x.data()[k / size * in[2] * in[3] + record.places.data()[k]];
  }
  return result;
}

}  // namespace ops

/// ops::max_unpool2d as a layer: an operator bound to one run's switches.
class max_unpool2d {
 public:
  static constexpr std::string_view kind = "max_unpool2d";
  static constexpr reverse_needs needs{};

  /// Throws shape_error where the switches do not fit their input shape.
  explicit max_unpool2d(deconvnet::switches record) : switches_(std::move(record)) {
    detail::check_switches(switches_);
    const std::size_t size = switches_.input_shape[2] * switches_.input_shape[3];
    for (const std::uint32_t place : switches_.places) detail::check_switch(place, size);
  }

  const deconvnet::switches& switches() const { return switches_; }

  template <expression_of_rank<4> S>
  auto operator()(const S& signal) const {
    return ops::max_unpool2d(signal, switches_);
  }

  template <scalar T>
  tensor4<T> reverse(const tensor4<T>& signal, const reverse_context<T>&) const {
    return ops::take_switches(signal, switches_);
  }

  shape4 output_shape(const shape4& in) const { return {in[0], in[1], switches_.input_shape[2], switches_.input_shape[3]}; }

 private:
  deconvnet::switches switches_;
};

}  // namespace deconvnet
