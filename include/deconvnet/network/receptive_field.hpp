// Receptive fields: the part of the input a unit can see.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <vector>

#include <deconvnet/network/model.hpp>
#include <deconvnet/network/unit.hpp>
#include <deconvnet/tensor/box.hpp>

namespace deconvnet {

namespace detail {

inline box hull(const box& a, const box& b) {
  const std::ptrdiff_t top = std::min(a.y, b.y);
  const std::ptrdiff_t left = std::min(a.x, b.x);
  const auto end = [](std::ptrdiff_t start, std::size_t extent) { return start + static_cast<std::ptrdiff_t>(extent); };
  const std::ptrdiff_t bottom = std::max(end(a.y, a.height), end(b.y, b.height));
  const std::ptrdiff_t right = std::max(end(a.x, a.width), end(b.x, b.width));
  return {top, left, static_cast<std::size_t>(bottom - top), static_cast<std::size_t>(right - left)};
}

/// What a box of a layer's output sees of its input: places first * stride - padding to last * stride - padding + span - 1.
inline box seen_by(const box& out, const reach& window) {
  const auto start = [](std::ptrdiff_t place, std::size_t stride, std::size_t padding) {
    return place * static_cast<std::ptrdiff_t>(stride) - static_cast<std::ptrdiff_t>(padding);
  };
  const auto length = [](std::size_t places, std::size_t stride, std::size_t kernel, std::size_t dilation) {
    return (places - 1) * stride + (kernel - 1) * dilation + 1;
  };
  return {start(out.y, window.stride.height, window.padding.top), start(out.x, window.stride.width, window.padding.left),
          length(out.height, window.stride.height, window.kernel.height, window.dilation.height),
          length(out.width, window.stride.width, window.kernel.width, window.dilation.width)};
}

/// The box of the input that a box of layer `index` depends on; `shapes[v]` the shape of value v, zeros where not known.
template <scalar T>
box input_box(const network<T>& net, std::size_t index, const box& start, const std::vector<shape4>& shapes) {
  std::vector<std::optional<box>> boxes(index + 2);
  boxes[index + 1] = start;
  for (std::size_t i = index + 1; i-- > 0;) {
    if (!boxes[i + 1]) continue;
    const auto window = net.op(i).reach();
    for (const std::size_t v : net.inputs(i)) {
      if (!window && shapes[v][0] == 0) {
        throw error(text("receptive_field: layer '", net.name(i), "' sees its whole input, whose size is not fixed"));
      }
      const box seen = window ? seen_by(*boxes[i + 1], *window) : box{0, 0, shapes[v][2], shapes[v][3]};
      boxes[v] = boxes[v] ? hull(*boxes[v], seen) : seen;
    }
  }
  return boxes[0].value_or(box{0, 0, 0, 0});
}

template <scalar T>
std::vector<shape4> value_shapes(const network<T>& net) {
  std::vector<shape4> shapes;
  for (std::size_t v = 0; v <= net.size(); ++v) shapes.push_back(net.value_shape(v));
  return shapes;
}

}  // namespace detail

/// The box of input pixels that unit u of a layer depends on: {y, x, height, width}. Signed: at the border it reaches into
/// padding. Places that a layer below drops or pads are counted as if its map went on, so every unit of a layer of
/// convolutions and pools has a box of one size. A layer that declares no reach (fully connected, global average) sees all
/// of its input. Not fixed by the paper.
/// Throws error for an unknown layer or a unit out of range, and where a layer sees a whole map whose size the network
/// does not fix (then hand over a trace).
template <scalar T>
box receptive_field(const network<T>& net, const layer& which, const unit& u) {
  const std::size_t index = net.find(which);
  const auto shapes = detail::value_shapes(net);
  if (shapes[index + 1][0] != 0) {
    shape4 shape = shapes[index + 1];
    shape[0] = u.n + 1;  // the batch is not fixed
    detail::check_unit(u, shape);
  }
  return detail::input_box(net, index, {static_cast<std::ptrdiff_t>(u.y), static_cast<std::ptrdiff_t>(u.x), 1, 1}, shapes);
}

/// The same for the map sizes of one run: for pipelines, and networks whose input size is not fixed.
template <class Model, scalar T>
  requires model_of<Model, T>
box receptive_field(const Model& model, const trace<T>& run, const layer& which, const unit& u) {
  const auto& net = detail::graph_of<T>(model);
  detail::check_layers(net, run);
  const std::size_t index = net.find(which);
  detail::check_unit(u, run.shape(index));
  std::vector<shape4> shapes;
  for (const auto& record : trace_access<T>::records(run)) shapes.push_back(record.shape);
  return detail::input_box(net, index, {static_cast<std::ptrdiff_t>(u.y), static_cast<std::ptrdiff_t>(u.x), 1, 1}, shapes);
}

}  // namespace deconvnet
