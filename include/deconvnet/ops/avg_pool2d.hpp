// Average pooling, over windows and over whole maps; on the way down each value spreads evenly.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

#include <deconvnet/kernels/element.hpp>
#include <deconvnet/kernels/parallel_for.hpp>
#include <deconvnet/ops/max_pool2d.hpp>

namespace deconvnet {

/// `.stride` {0, 0} stands for the kernel. `.count_include_pad`: the divisor counts padding too (but never what ceil mode
/// adds past it); without, only places of the map.
struct avg_pool2d_options {
  extent2d kernel{2, 2};
  extent2d stride{0, 0};
  padding2d padding{};
  extent2d dilation{1, 1};
  bool ceil_mode = false;
  bool count_include_pad = true;
};

namespace detail {

inline pool_geometry geometry_of(const avg_pool2d_options& o) {
  return geometry_of(max_pool2d_options{o.kernel, o.stride, o.padding, o.dilation, o.ceil_mode});
}

/// How many taps of window `index` fall on the map or, with `include_padding`, on the map and its padding.
inline std::size_t counted_taps(const window_axis& axis, std::size_t index, std::size_t size, bool include_padding) {
  if (!include_padding) return axis.taps_on_map(index, size).size();
  return axis.taps_within(index, 0, size + axis.padding_before + axis.padding_after).size();
}

/// Calls body(place in the map, weight) for each tap of a window that falls on the map, row-major.
template <class T, class Body>
void for_each_tap(const window_axis& rows, const window_axis& columns, std::size_t oy, std::size_t ox,
                  std::size_t height, std::size_t width, bool include_padding, Body&& body) {
  const std::size_t counted = counted_taps(rows, oy, height, include_padding) * counted_taps(columns, ox, width, include_padding);
  const T weight = T(1) / static_cast<T>(counted);
  const auto taps_y = rows.taps_on_map(oy, height);
  const auto taps_x = columns.taps_on_map(ox, width);
  for (std::size_t ky = taps_y.first; ky < taps_y.last; ++ky) {
    const std::size_t y = oy * rows.stride + ky * rows.dilation - rows.padding_before;
    for (std::size_t kx = taps_x.first; kx < taps_x.last; ++kx) {
      body(y * width + ox * columns.stride + kx * columns.dilation - columns.padding_before, weight);
    }
  }
}

/// What global_avg_pool2d makes of these.
inline shape4 shape_of_means(const shape4& in) {
  if (in[2] == 0 || in[3] == 0) throw shape_error("global_avg_pool2d: the maps are empty: " + shape_text(in));
  return {in[0], in[1], 1, 1};
}

}  // namespace detail

namespace ops {

template <scalar T>
void avg_pool2d_into(const tensor4<T>& x, const avg_pool2d_options& options, tensor4<T>& y) {
  const auto geometry = detail::geometry_of(options);
  geometry.check("avg_pool2d");
  const shape4 in = shape_of(x);
  const shape4 out = geometry.output_shape("avg_pool2d", in, !options.count_include_pad);
  resize(y, out);
  const auto rows = geometry.rows();
  const auto columns = geometry.columns();
  parallel_for(in[0] * in[1], [&](std::size_t plane) {
    const T* map = x.data() + plane * in[2] * in[3];
    T* to = y.data() + plane * out[2] * out[3];
    for (std::size_t oy = 0; oy < out[2]; ++oy) {
      for (std::size_t ox = 0; ox < out[3]; ++ox) {
        T sum = 0;
        detail::for_each_tap<T>(rows, columns, oy, ox, in[2], in[3], options.count_include_pad,
                                [&](std::size_t place, T weight) { sum += weight * map[place]; });
        to[oy * out[3] + ox] = sum;
      }
    }
  });
}

/// The mean of each window. x: N x C x H x W; result: N x C x OH x OW, sizes as in max_pool2d. Throws shape_error where no
/// window fits, or one covers nothing but padding that does not count.
template <expression_of_rank<4> X>
auto avg_pool2d(const X& x, const avg_pool2d_options& options) {
  using T = scalar_of<X>;
  tensor4<T> y;
  avg_pool2d_into<T>(contiguous<T, 4>(x), options, y);
  return y;
}

/// The adjoint of avg_pool2d: each value of the signal (N x C x OH x OW) spreads evenly over its window; the result has
/// the shape `large`, N x C x H x W.
template <scalar T>
tensor4<T> avg_pool2d_adjoint(const tensor4<T>& signal, const avg_pool2d_options& options, const shape4& large) {
  const auto geometry = detail::geometry_of(options);
  geometry.check("avg_pool2d");
  const shape4 small = shape_of(signal);
  if (small != geometry.output_shape("avg_pool2d", large, !options.count_include_pad)) {
    throw shape_error(detail::text("avg_pool2d: a signal of ", shape_text(small), " does not come from ", shape_text(large)));
  }
  auto result = zeros<T>(large);
  const auto rows = geometry.rows();
  const auto columns = geometry.columns();
  parallel_for(large[0] * large[1], [&](std::size_t plane) {
    T* map = result.data() + plane * large[2] * large[3];
    const T* from = signal.data() + plane * small[2] * small[3];
    for (std::size_t oy = 0; oy < small[2]; ++oy) {
      for (std::size_t ox = 0; ox < small[3]; ++ox) {
        const T value = from[oy * small[3] + ox];
        if (value == T(0)) continue;
        detail::for_each_tap<T>(rows, columns, oy, ox, large[2], large[3], options.count_include_pad,
                                [&](std::size_t place, T weight) { map[place] += weight * value; });
      }
    }
  });
  return result;
}

}  // namespace ops

/// ops::avg_pool2d as a layer.
class avg_pool2d {
 public:
  static constexpr std::string_view kind = "avg_pool2d";
  static constexpr reverse_needs needs{};

  explicit avg_pool2d(const avg_pool2d_options& options = {}) : options_(options) {
    detail::geometry_of(options).check("avg_pool2d");
  }

  const avg_pool2d_options& options() const { return options_; }

  template <expression_of_rank<4> X>
  auto operator()(const X& x) const {
    return ops::avg_pool2d(x, options_);
  }

  template <scalar T>
  void forward(const tensor4<T>& x, tensor4<T>& y) const {
    ops::avg_pool2d_into(x, options_, y);
  }

  template <scalar T>
  tensor4<T> reverse(const tensor4<T>& signal, const reverse_context<T>& at) const {
    return ops::avg_pool2d_adjoint(signal, options_, at.input_shape());
  }

  shape4 output_shape(const shape4& in) const {
    return detail::geometry_of(options_).output_shape("avg_pool2d", in, !options_.count_include_pad);
  }

  deconvnet::reach reach() const {
    const auto g = detail::geometry_of(options_);
    return {g.kernel, g.stride, g.padding, g.dilation};
  }

 private:
  avg_pool2d_options options_;
};

namespace ops {

template <scalar T>
void global_avg_pool2d_into(const tensor4<T>& x, tensor4<T>& y) {
  const shape4 in = shape_of(x);
  resize(y, detail::shape_of_means(in));
  const std::size_t pixels = in[2] * in[3];
  const auto& elements = kernels::current_element_kernels<T>();
  parallel_for(in[0] * in[1], [&](std::size_t plane) {
    y.data()[plane] = static_cast<T>(elements.moments(x.data() + plane * pixels, 0, pixels).first / static_cast<double>(pixels));
  });
}

/// The mean of each whole map, summed in double. x: N x C x H x W; result: N x C x 1 x 1. Throws shape_error where maps are
/// empty.
template <expression_of_rank<4> X>
auto global_avg_pool2d(const X& x) {
  using T = scalar_of<X>;
  tensor4<T> y;
  global_avg_pool2d_into<T>(contiguous<T, 4>(x), y);
  return y;
}

}  // namespace ops

/// ops::global_avg_pool2d as a layer: it reaches the whole map, whatever its size.
struct global_avg_pool2d {
  static constexpr std::string_view kind = "global_avg_pool2d";
  static constexpr reverse_needs needs{};

  template <expression_of_rank<4> X>
  auto operator()(const X& x) const {
    return ops::global_avg_pool2d(x);
  }

  template <scalar T>
  void forward(const tensor4<T>& x, tensor4<T>& y) const {
    ops::global_avg_pool2d_into(x, y);
  }

  template <scalar T>
  tensor4<T> reverse(const tensor4<T>& signal, const reverse_context<T>& at) const {
    return ops::avg_pool2d_adjoint(signal, whole(at.input_shape()), at.input_shape());
  }

  shape4 output_shape(const shape4& in) const { return detail::shape_of_means(in); }

 private:
  static avg_pool2d_options whole(const shape4& in) { return {.kernel = {in[2], in[3]}}; }
};

}  // namespace deconvnet
