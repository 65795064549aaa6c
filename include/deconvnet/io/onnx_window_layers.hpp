// ONNX nodes with windows, as layers: convolution and pooling, with their four ways to say how a map is padded.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include <deconvnet/io/onnx_context.hpp>
#include <deconvnet/ops/avg_pool2d.hpp>
#include <deconvnet/ops/conv2d.hpp>
#include <deconvnet/ops/identity.hpp>
#include <deconvnet/ops/max_pool2d.hpp>

namespace deconvnet::detail::onnx {

/// Identity for maps of one size. It stands before a layer whose padding was worked out for that size (auto_pad) and
/// would be another for another.
struct fixed_extents : identity {
  shape3 image;

  explicit fixed_extents(const shape3& only) : image(only) {}

  template <scalar T>
  void forward(const tensor4<T>& x, tensor4<T>& y) const {
    output_shape(shape_of(x));
    identity::forward(x, y);
  }

  template <scalar T>
  void forward_in_place(tensor4<T>& x) const {
    output_shape(shape_of(x));
  }

  shape4 output_shape(const shape4& in) const {
    if (in[1] != image[0] || in[2] != image[1] || in[3] != image[2]) {
      throw shape_error(text("the paddings (auto_pad) were worked out for maps of ", shape_text(image), ", not ",
                             shape_text(in), "; load the network with .input_shape for this size"));
    }
    return in;
  }
};

struct window {
  extent2d kernel, stride, dilation;
  padding2d padding;
  bool depends_on_extents = false;
};

/// Larger windows, strides and paddings come from damaged files.
inline constexpr std::int64_t max_window = 4096;

template <scalar T>
extent2d window_pair(layer_context<T>& context, std::string_view name, const std::vector<std::int64_t>& list) {
  if (list.size() != 2) {
    context.node.unsupported(text(name, " has ", list.size(), " entries; windows of two dimensions are done"));
  }
  for (const std::int64_t k : list) {
    if (k < 1 || k > max_window) context.node.misfit(text(name, " of ", k, " is not in 1 ... ", max_window));
  }
  return {static_cast<std::size_t>(list[0]), static_cast<std::size_t>(list[1])};
}

/// SAME: ceil(size / stride) outputs; an odd row of padding goes to the end (SAME_UPPER) or to the start (SAME_LOWER).
template <scalar T>
std::array<std::size_t, 2> same_padding(layer_context<T>& context, const extent& size, std::size_t kernel,
                                        std::size_t stride, std::size_t dilation, bool upper) {
  const std::size_t span = (kernel - 1) * dilation + 1;
  std::size_t total = span - 1;
  if (stride != 1) {
    if (!size.is_number()) {
      context.node.unsupported(
          "auto_pad with a stride needs the input's extents, which this file leaves open; pass .input_shape");
    }
    const auto in = static_cast<std::size_t>(size.value);
    const std::size_t covered = ((in + stride - 1) / stride - 1) * stride + span;
    total = covered > in ? covered - in : 0;
  }
  const std::size_t small = total / 2;
  return upper ? std::array{small, total - small} : std::array{total - small, small};
}

/// The window of a Conv or pool over `x`. The kernel is in kernel_shape, or that of the weight.
template <scalar T>
window read_window(layer_context<T>& context, const dynamic_value& x, const std::vector<std::int64_t>& kernel) {
  auto& node = context.node;
  window w;
  w.kernel = window_pair(context, "kernel_shape", kernel);
  w.stride = window_pair(context, "strides", node.integers("strides", {1, 1}));
  w.dilation = window_pair(context, "dilations", node.integers("dilations", {1, 1}));
  const std::vector<std::int64_t> pads = node.integers("pads", {0, 0, 0, 0});
  const std::string_view automatic = node.string("auto_pad", "NOTSET");
  if (automatic == "SAME_UPPER" || automatic == "SAME_LOWER") {
    const bool upper = automatic == "SAME_UPPER";
    const auto rows = same_padding(context, x.dims[2], w.kernel.height, w.stride.height, w.dilation.height, upper);
    const auto columns = same_padding(context, x.dims[3], w.kernel.width, w.stride.width, w.dilation.width, upper);
    w.padding = {rows[0], columns[0], rows[1], columns[1]};
    w.depends_on_extents = !(w.stride == extent2d{1, 1});
  } else if (automatic == "NOTSET" || automatic.empty()) {
    if (pads.size() != 4)
      node.unsupported(text("pads has ", pads.size(), " entries; windows of two dimensions are done"));
    for (const std::int64_t p : pads) {
      if (p < 0 || p > max_window) node.misfit(text("pads of ", p, " is not in 0 ... ", max_window));
    }
    const auto side = [&](std::size_t k) { return static_cast<std::size_t>(pads[k]); };
    w.padding = {side(0), side(1), side(2), side(3)};
  } else if (automatic != "VALID") {
    node.damaged(text("auto_pad '", automatic.substr(0, 40), "' is not known"));
  }
  return w;
}

/// What the layer is to read: x, or x behind a check of its extents where the padding hangs on them.
template <scalar T>
dynamic_value padded_input(layer_context<T>& context, const dynamic_value& x, const window& w) {
  if (!w.depends_on_extents) return x;
  shape3 image{};
  for (std::size_t d = 1; d < 4; ++d) {
    if (!x.dims[d].is_number()) context.node.unsupported("auto_pad with a stride needs all extents; pass .input_shape");
    image[d - 1] = static_cast<std::size_t>(x.dims[d].value);
  }
  return context.emit_before("/extents", fixed_extents(image), {x}, x.dims);
}

template <scalar T>
std::vector<extent> map_extents(const extent& channels) {
  return {extent::batch(), channels, extent::unknown(), extent::unknown()};
}

template <scalar T>
void conv(layer_context<T>& context) {
  auto& node = context.node;
  node.check_input_count(2, 3);
  const auto& x = context.image_input();
  const auto& weight = context.constant_input(1);
  if (weight.dims.size() != 4)
    node.unsupported(text("a weight of ", shape_text(weight.dims), "; two dimensions are done"));
  const std::vector<std::int64_t> kernel{static_cast<std::int64_t>(weight.dims[2]),
                                         static_cast<std::int64_t>(weight.dims[3])};
  if (node.integers("kernel_shape", kernel) != kernel) {
    node.misfit(text("kernel_shape is not that of the weight, ", shape_text(weight.dims)));
  }
  const window w = read_window(context, x, kernel);
  const std::int64_t groups = node.integer("group", 1);
  if (groups < 1 || groups > max_window * max_window) node.misfit(text("group ", groups));

  const conv2d_options options{w.stride, w.padding, w.dilation, static_cast<std::size_t>(groups)};
  const dynamic_value from = padded_input(context, x, w);
  const auto dims = map_extents<T>(extent::number(static_cast<std::int64_t>(weight.dims[0])));
  auto filters =
      context.constants.template weight<4>(weight, {weight.dims[0], weight.dims[1], weight.dims[2], weight.dims[3]});
  if (context.has(2)) {
    context.emit(conv2d<T>(std::move(filters), context.vector_input(2), options), {from}, dims);
  } else {
    context.emit(conv2d<T>(std::move(filters), options), {from}, dims);
  }
}

template <scalar T>
window pool_window(layer_context<T>& context, const dynamic_value& x) {
  context.node.check_input_count(1, 1);
  if (!context.node.has("kernel_shape")) context.node.damaged("it has no kernel_shape");
  return read_window(context, x, context.node.integers("kernel_shape"));
}

template <scalar T>
void max_pool(layer_context<T>& context) {
  const auto& x = context.image_input();
  const window w = pool_window(context, x);
  const bool ceil_mode = context.node.integer("ceil_mode", 0) != 0;
  context.node.ignore("storage_order");  // of the indices, which nobody may read
  const max_pool2d pool({w.kernel, w.stride, w.padding, w.dilation, ceil_mode});
  context.emit(pool, {padded_input(context, x, w)}, map_extents<T>(x.dims[1]));
}

template <scalar T>
void average_pool(layer_context<T>& context) {
  const auto& x = context.image_input();
  const window w = pool_window(context, x);
  const bool ceil_mode = context.node.integer("ceil_mode", 0) != 0;
  const bool count_padding = context.node.integer("count_include_pad", 0) != 0;
  const avg_pool2d pool({w.kernel, w.stride, w.padding, w.dilation, ceil_mode, count_padding});
  context.emit(pool, {padded_input(context, x, w)}, map_extents<T>(x.dims[1]));
}

template <scalar T>
void global_average_pool(layer_context<T>& context) {
  context.node.check_input_count(1, 1);
  const auto& x = context.image_input();
  context.emit(global_avg_pool2d{}, {x}, {extent::batch(), x.dims[1], extent::number(1), extent::number(1)});
}

}  // namespace deconvnet::detail::onnx
