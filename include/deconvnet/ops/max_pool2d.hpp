// Max-pooling that records its switches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

#include <deconvnet/kernels/parallel_for.hpp>
#include <deconvnet/kernels/window_maximum.hpp>
#include <deconvnet/kernels/workspace.hpp>
#include <deconvnet/ops/max_unpool2d.hpp>
#include <deconvnet/ops/reverse_context.hpp>
#include <deconvnet/ops/window.hpp>

namespace deconvnet {

/// `.stride` {0, 0} stands for the kernel: windows side by side.
struct max_pool2d_options {
  extent2d kernel{2, 2};
  extent2d stride{0, 0};
  padding2d padding{};
  extent2d dilation{1, 1};
  bool ceil_mode = false;
};

/// What a max-pool returns: `auto [output, switches] = pool(x);`
template <scalar T>
struct max_pool2d_result {
  tensor4<T> output;
  deconvnet::switches switches;
};

namespace detail {

/// The windows of a pooling layer: axes, checks and output sizes, for maximum and average alike.
struct pool_geometry {
  extent2d kernel, stride;
  padding2d padding;
  extent2d dilation;
  bool ceil_mode;

  window_axis rows() const { return vertical(kernel, stride, padding, dilation, ceil_mode); }
  window_axis columns() const { return horizontal(kernel, stride, padding, dilation, ceil_mode); }

  void check(const char* who) const { check_window(who, kernel, stride, padding, dilation); }

  /// `needs_pixels`: every window must cover at least one place of the map, or there is nothing to take the maximum or
  /// the mean of.
  shape4 output_shape(const char* who, const shape4& in, bool needs_pixels) const {
    const extent2d out = window_outputs(who, in, rows(), columns());
    if (needs_pixels) {
      check_touches(who, rows(), out.height, in, 2, "row");
      check_touches(who, columns(), out.width, in, 3, "column");
    }
    return {in[0], in[1], out.height, out.width};
  }

 private:
  static void check_touches(const char* who, const window_axis& axis, std::size_t outputs, const shape4& in,
                            std::size_t dimension, const char* what) {
    for (std::size_t k = 0; k < outputs; ++k) {
      if (axis.taps_on_map(k, in[dimension]).size() == 0) {
        throw shape_error(text(who, ": the window at ", what, " ", k, " of ", outputs, " over ", shape_text(in), " covers nothing but padding"));
      }
    }
  }
};

inline pool_geometry geometry_of(const max_pool2d_options& o) {
  const extent2d stride{o.stride.height ? o.stride.height : o.kernel.height,
                        o.stride.width ? o.stride.width : o.kernel.width};
  return {o.kernel, stride, o.padding, o.dilation, o.ceil_mode};
}

/// The maximum of one window and its place: the first in row-major order; NaN wins over every number.
template <class T>
struct window_maximum {
  T value;
  std::size_t place;
};

template <class T>
window_maximum<T> maximum(const T* map, std::size_t height, std::size_t width, const window_axis& rows,
                          const window_axis& columns, std::size_t oy, std::size_t ox) {
  window_maximum<T> best{T(0), height * width};
  const auto taps_y = rows.taps_on_map(oy, height);
  const auto taps_x = columns.taps_on_map(ox, width);
  for (std::size_t ky = taps_y.first; ky < taps_y.last; ++ky) {
    const std::size_t y = oy * rows.stride + ky * rows.dilation - rows.padding_before;
    for (std::size_t kx = taps_x.first; kx < taps_x.last; ++kx) {
      const std::size_t x = ox * columns.stride + kx * columns.dilation - columns.padding_before;
      const T value = map[y * width + x];
      const bool first = best.place == height * width;
      if (first || value > best.value || (value != value && best.value == best.value)) best = {value, y * width + x};
    }
  }
  return best;
}

/// One map, window by window.
template <class T>
void pool_plane(const T* map, const shape4& in, const pool_geometry& geometry, const shape4& out, T* to, std::uint32_t* places) {
  const auto rows = geometry.rows();
  const auto columns = geometry.columns();
  for (std::size_t k = 0; k < out[2] * out[3]; ++k) {
    const auto best = maximum(map, in[2], in[3], rows, columns, k / out[3], k % out[3]);
    to[k] = best.value;
    if (places) places[k] = static_cast<std::uint32_t>(best.place);
  }
}

/// One map, a row of windows at a time, out of a copy with borders that never win: of the map where places are wanted, else
/// of the maxima of its columns. Strides of 1 and 2 alone.
template <class T>
void pool_plane_in_vectors(const T* map, const shape4& in, const pool_geometry& geometry, const shape4& out, T* to,
                           std::uint32_t* places) {
  const auto kernel = kernels::current_window_maximum<T>();
  const auto rows = geometry.rows();
  const auto columns = geometry.columns();
  const std::size_t reach = (out[3] - 1) * columns.stride + (columns.kernel - 1) * columns.dilation + 1;
  const std::size_t border = columns.padding_before;
  const std::size_t pitch = std::max(border + in[3], reach) + 3 * kernel.lanes;
  const std::size_t copied = places ? in[2] : 1;
  T* copy = kernels::workspace<struct pooled_map, T>(copied * pitch);
  for (std::size_t y = 0; y < copied; ++y) {
    T* row = copy + y * pitch;
    std::fill(row, row + border, -std::numeric_limits<T>::infinity());
    if (places) std::copy_n(map + y * in[3], in[3], row + border);
    std::fill(row + border + in[3], row + pitch, -std::numeric_limits<T>::infinity());
  }
  for (std::size_t oy = 0; oy < out[2]; ++oy) {
    const auto taps = rows.taps_on_map(oy, in[2]);
    const std::size_t first_y = oy * rows.stride + taps.first * rows.dilation - rows.padding_before;
    const std::size_t done = oy * out[3];
    if (!places) kernel.columns({map + first_y * in[3], rows.dilation * in[3], taps.size(), in[3], copy + border});
    kernel.row({copy, pitch, border, in[3], places ? first_y : 0, places ? taps.size() : 1, rows.dilation, columns.kernel,
                columns.dilation, columns.stride, out[3], to + done, out[2] * out[3] - done, places ? places + done : nullptr});
  }
  for (std::size_t k = 0; places && k < out[2] * out[3]; ++k) {
    if (places[k] != kernels::no_place) continue;
    places[k] = static_cast<std::uint32_t>(maximum(map, in[2], in[3], rows, columns, k / out[3], k % out[3]).place);
  }
}

}  // namespace detail

namespace ops {

/// max_pool2d into containers of the caller's, which take the result's shape. `record` null: no switches are written.
template <scalar T>
void max_pool2d_into(const tensor4<T>& x, const max_pool2d_options& options, tensor4<T>& y,
                     deconvnet::switches* record) {
  const auto geometry = detail::geometry_of(options);
  geometry.check("max_pool2d");
  const shape4 in = shape_of(x);
  const shape4 out = geometry.output_shape("max_pool2d", in, true);
  if (in[2] * in[3] > UINT32_MAX) throw shape_error(detail::text("max_pool2d: maps of ", shape_text(in), " are too large"));
  resize(y, out);
  if (record) {
    record->input_shape = in;
    if (record->output_shape() != out) record->places.resize(out);
  }
  // A window as wide as this may lie on borders for the most part, which the other way skips.
  constexpr std::size_t widest = 32;
  const bool in_vectors = geometry.stride.width <= 2 && geometry.columns().span() <= widest && in[3] != 0;
  parallel_for(in[0] * in[1], [&](std::size_t plane) {
    const T* map = x.data() + plane * in[2] * in[3];
    const std::size_t place = plane * out[2] * out[3];
    std::uint32_t* places = record ? record->places.data() + place : nullptr;
    if (in_vectors) {
      detail::pool_plane_in_vectors(map, in, geometry, out, y.data() + place, places);
    } else {
      detail::pool_plane(map, in, geometry, out, y.data() + place, places);
    }
  });
}

/// The maximum of each window and its switch. x: N x C x H x W; output: N x C x OH x OW, sizes as floor or, in ceil mode,
/// ceil of (H + padding - dilation (K - 1) - 1) / stride, plus 1; a window that would start past the map and its leading
/// padding is dropped. Ties: the first maximum in row-major order. Padding never wins. Throws shape_error where no window
/// fits or one covers nothing but padding.
template <expression_of_rank<4> X>
auto max_pool2d(const X& x, const max_pool2d_options& options) {
  using T = scalar_of<X>;
  max_pool2d_result<T> result;
  max_pool2d_into<T>(contiguous<T, 4>(x), options, result.output, &result.switches);
  return result;
}

}  // namespace ops

/// ops::max_pool2d as a layer.
class max_pool2d {
 public:
  static constexpr std::string_view kind = "max_pool2d";
  static constexpr reverse_needs needs{};

  explicit max_pool2d(const max_pool2d_options& options = {}) : options_(options) {
    detail::geometry_of(options).check("max_pool2d");
  }

  const max_pool2d_options& options() const { return options_; }

  template <expression_of_rank<4> X>
  auto operator()(const X& x) const {
    return ops::max_pool2d(x, options_);
  }

  template <scalar T>
  void forward(const tensor4<T>& x, tensor4<T>& y, deconvnet::switches* record) const {
    ops::max_pool2d_into(x, options_, y, record);
  }

  template <scalar T>
  tensor4<T> reverse(const tensor4<T>& signal, const reverse_context<T>& at) const {
    if (!at.recorded_switches) throw error("max_pool2d: the run kept no switches");
    return ops::max_unpool2d(signal, *at.recorded_switches, at.images);
  }

  shape4 output_shape(const shape4& in) const { return detail::geometry_of(options_).output_shape("max_pool2d", in, true); }

  deconvnet::reach reach() const {
    const auto g = detail::geometry_of(options_);
    return {g.kernel, g.stride, g.padding, g.dilation};
  }

 private:
  max_pool2d_options options_;
};

}  // namespace deconvnet
