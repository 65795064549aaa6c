// ONNX nodes that give the same elements other extents, as layers. The batch always stays the batch.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <deconvnet/io/onnx_context.hpp>
#include <deconvnet/io/onnx_folding.hpp>
#include <deconvnet/ops/identity.hpp>
#include <deconvnet/ops/reshape.hpp>
#include <deconvnet/ops/transpose_layout.hpp>

namespace deconvnet::detail::onnx {

template <scalar T>
void emit_flatten(layer_context<T>& context, const dynamic_value& x) {
  const auto features = known_product(x.dims, 1);
  context.emit(flatten{}, {x}, {extent::batch(), features ? extent::number(*features) : extent::unknown()});
}

/// To N x C x H x W, or N x K, of known extents; checked against the input's where those are known, else when it runs.
template <scalar T>
void emit_reshape(layer_context<T>& context, const dynamic_value& x, const std::vector<extent>& target) {
  shape3 image{1, 1, 1};
  for (std::size_t d = 1; d < target.size(); ++d) {
    const std::int64_t value = target[d].value;
    if (value < 1 || static_cast<std::uint64_t>(value) > max_elements)
      context.node.misfit(text("an extent of ", value));
    image[d - 1] = static_cast<std::size_t>(value);
  }
  context.emit(reshape(image), {x}, target);
}

template <scalar T>
void flatten_node(layer_context<T>& context) {
  context.node.check_input_count(1, 1);
  const auto& x = context.input_of_any_layout();
  const std::int64_t axis = context.node.integer("axis", 1);
  const auto rank = static_cast<std::int64_t>(x.rank());
  if (axis < -rank || axis > rank) context.node.damaged(text("axis ", axis, " of ", extents_text(x.dims)));
  if (axis != 1 && axis != 1 - rank) {
    context.node.unsupported(text("axis ", axis, " of ", extents_text(x.dims), " would join images"));
  }
  emit_flatten(context, x);
}

/// Whether the first entry of a Reshape's shape means the batch: the batch itself, copied or computed; the number the
/// file was exported for, or 1; or "whatever is left" where the other entries are all known.
template <scalar T>
bool means_batch(const layer_context<T>& context, const std::vector<extent>& target) {
  if (target[0].is_batch()) return true;
  if (!target[0].is_number()) return false;
  const std::int64_t value = target[0].value;
  if (value != -1) return value == 1 || (value >= 1 && value == context.exported_batch());
  return std::all_of(target.begin() + 1, target.end(), [](const extent& e) { return e.is_number() && e.value > 0; });
}

template <scalar T>
void reshape_node(layer_context<T>& context) {
  auto& node = context.node;
  node.check_input_count(2, 2);
  const auto& x = context.input_of_any_layout();
  const bool zero_copies = node.integer("allowzero", 0) == 0;
  std::vector<extent> target = context.constants.extents(context.constant_input(1));
  if (target.size() != 2 && target.size() != 4) {
    node.unsupported(text("to ", extents_text(target), "; N x K and N x C x H x W are done"));
  }
  for (std::size_t d = 0; d < target.size(); ++d) {
    if (!target[d].is_number(0)) continue;
    if (!zero_copies) node.misfit("an extent of 0");
    if (d >= x.rank()) node.damaged("its shape copies an extent that the input does not have");
    target[d] = x.dims[d];
  }
  if (!means_batch(context, target)) {
    node.unsupported(text(extents_text(x.dims), " to ", extents_text(target), " would join or split images"));
  }
  target[0] = extent::batch();

  // At most one entry is left open; a product of the others, where the image's is known too, closes it.
  std::optional<std::size_t> open;
  std::int64_t known = 1;
  for (std::size_t d = 1; d < target.size(); ++d) {
    const bool is_open = target[d].is_number(-1) || target[d].is == extent::form::unknown;
    if (!is_open && (!target[d].is_number() || target[d].value < 1)) node.misfit(text("to ", extents_text(target)));
    if (is_open && open) node.unsupported(text("to ", extents_text(target), ", more than one extent of which is open"));
    if (is_open)
      open = d;
    else if (__builtin_mul_overflow(known, target[d].value, &known))
      node.misfit(text("to ", extents_text(target)));
  }
  const std::int64_t features = x.features();
  if (features >= 0 && (open ? features % known != 0 : features != known)) {
    node.misfit(text(extents_text(x.dims), " to ", extents_text(target), " changes how many elements an image has"));
  }
  if (open && features >= 0) target[*open] = extent::number(features / known);
  if (target.size() == 2 && (features >= 0 || open)) return emit_flatten(context, x);
  if (open && features < 0) {
    node.unsupported(text("to ", extents_text(target),
                          " needs the input's extents, which this file leaves open; pass .input_shape"));
  }
  if (x.channels_last && target.size() == 4) node.unsupported("it reshapes a transposed value to N x C x H x W");
  emit_reshape(context, x, target);
}

/// Axes are an attribute before opset 13 and an input since.
template <scalar T>
std::vector<std::int64_t> axes_of(layer_context<T>& context) {
  context.node.check_input_count(1, 2);
  if (context.has(1)) return context.constants.integers(context.constant_input(1));
  return context.node.integers("axes");
}

/// N x C x 1 x 1 to N x C.
template <scalar T>
void squeeze_node(layer_context<T>& context) {
  auto& node = context.node;
  const auto& x = context.image_input();
  std::vector<std::size_t> axes;
  for (const std::int64_t k : axes_of(context)) axes.push_back(node.axis(k, 4));
  std::sort(axes.begin(), axes.end());
  if (axes != std::vector<std::size_t>{2, 3}) node.unsupported("N x C x 1 x 1 to N x C, by axes 2 and 3, is done");
  for (const std::size_t d : axes) {
    if (x.dims[d].is_number() && x.dims[d].value != 1)
      node.misfit(text("axis ", d, " of ", extents_text(x.dims), " is not 1"));
  }
  if (x.features() < 0 && x.dims[1].is_number()) return emit_reshape(context, x, {extent::batch(), x.dims[1]});
  emit_flatten(context, x);
}

/// N x C to N x C x 1 x 1: the same in the network.
template <scalar T>
void unsqueeze_node(layer_context<T>& context) {
  auto& node = context.node;
  const auto& x = context.matrix_input();
  std::vector<std::size_t> axes;
  for (const std::int64_t k : axes_of(context)) axes.push_back(node.axis(k, 4));
  std::sort(axes.begin(), axes.end());
  if (axes != std::vector<std::size_t>{2, 3}) node.unsupported("N x C to N x C x 1 x 1, by axes 2 and 3, is done");
  context.emit(identity{}, {x}, {extent::batch(), x.dims[1], extent::number(1), extent::number(1)});
}

/// N x C x H x W to N x H x W x C, which a flatten must follow.
template <scalar T>
void transpose_node(layer_context<T>& context) {
  context.node.check_input_count(1, 1);
  const auto& x = context.input();
  const auto order = constant_folder<T>::permutation(context.node, x.rank());
  if (std::is_sorted(order.begin(), order.end())) return context.emit_elementwise(identity{}, x);
  if (order != std::vector<std::size_t>{0, 2, 3, 1}) {
    context.node.unsupported("N x C x H x W to N x H x W x C before a flatten is the one transposition that is done");
  }
  context.emit(transpose_layout{}, {x}, {x.dims[0], x.dims[2], x.dims[3], x.dims[1]});
  context.mark_channels_last();
}

/// Between floating-point types: the network computes in one of its own.
template <scalar T>
void cast_node(layer_context<T>& context) {
  context.node.check_input_count(1, 1);
  context.node.ignore("saturate");
  const auto to = static_cast<data_type>(context.node.integer("to", 0));
  if (to != data_type::float32 && to != data_type::float64) {
    context.node.unsupported(text("it casts to type ", static_cast<std::int64_t>(to)));
  }
  context.emit_elementwise(identity{}, context.input());
}

}  // namespace deconvnet::detail::onnx
