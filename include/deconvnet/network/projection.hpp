// Projection: what in the input excited a unit (the paper, section 2.1).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <deconvnet/network/cropped_reverse.hpp>
#include <deconvnet/network/model.hpp>
#include <deconvnet/network/reverse.hpp>
#include <deconvnet/network/unit.hpp>
#include <deconvnet/ops/max_unpool2d.hpp>

namespace deconvnet {

/// What the projected unit is set to before it goes down: its own activation, or 1.
enum class seed { activation, one };

namespace detail {

/// Checks that hold for every projection; the index of the layer.
template <scalar T>
std::size_t check_projection(const network<T>& net, const trace<T>& run, const layer& which) {
  check_run(net, run);
  if (const auto place = trace_access<T>::nonfinite(run)) {
    throw error(text("project: element ", *place, " of the run's input ", shape_text(run.input_shape()), " is NaN or infinite"));
  }
  const std::size_t index = net.find(which);
  if (run.shape(index)[0] == 0) {
    throw error(text("the run did not compute layer '", net.name(index), "': name it in .keep"));
  }
  return index;
}

/// What a unit is set to. Throws error where its activation was not kept, or is NaN or infinite: an overflow on the way up.
template <scalar T>
T seed_value(const network<T>& net, const trace<T>& run, std::size_t index, const unit& u, seed with) {
  const T value = with == seed::one ? T(1) : run[index](u.n, u.c, u.y, u.x);
  if (!std::isfinite(value)) {
    throw error(text("project: the activation of layer '", net.name(index), "' at ", shape_text(shape4{u.n, u.c, u.y, u.x}),
                     " is NaN or infinite"));
  }
  return value;
}

/// How many pictures go down together: their largest map takes about 32 MB.
template <scalar T>
std::size_t pictures_at_once(const trace<T>& run) {
  std::size_t largest = 1;
  for (const auto& record : trace_access<T>::records(run)) {
    largest = std::max(largest, record.shape[1] * record.shape[2] * record.shape[3]);
  }
  return std::clamp<std::size_t>((std::size_t{32} << 20) / sizeof(T) / largest, 1, 64);
}

/// One picture of image n as a batch of the run's size whose other images are zero.
template <scalar T>
tensor4<T> place_in_batch(const tensor4<T>& picture, const trace<T>& run, std::size_t n) {
  if (run.input_shape()[0] == 1) return picture;
  auto batch = zeros<T>(run.input_shape());
  const auto from = image_span(picture, 0);
  std::copy(from.begin(), from.end(), image_span(batch, n).begin());
  return batch;
}

}  // namespace detail

/// Sends any reconstruction signal of a layer's shape, N x C x H x W, down to the input; the result is N x C x H x W of the
/// input. From a layer down: unpool at the switches, rectify by the rule, filter with the transposed weights; no bias, so
/// deconv(0) = 0 and, for a > 0, deconv(a s) = a deconv(s). The last step is a filter: negative values stay.
/// Throws error for an unknown layer, a trace of another network, NaN or infinity in the input or the signal; shape_error
/// for another shape; unsupported_error where a layer on the way has no reverse.
template <class Model, scalar T, expression_of_rank<4> S>
  requires model_of<Model, T>
tensor4<T> deconv(const Model& model, const trace<T>& run, const layer& which, const S& signal, rule how = rule::deconvnet) {
  const auto& net = detail::graph_of<T>(model);
  const std::size_t index = detail::check_projection(net, run, which);
  tensor4<T> down = contiguous<T, 4>(signal);
  if (shape_of(down) != run.shape(index)) {
    throw shape_error(detail::text("layer '", net.name(index), "' is ", shape_text(run.shape(index)), ", the signal ",
                                   shape_text(down.shape())));
  }
  const std::size_t trouble = first_nonfinite(std::span<const T>(down.data(), down.size()));
  if (trouble < down.size()) throw error(detail::text("deconv: element ", trouble, " of the signal is NaN or infinite"));
  return detail::reverse(net, run, index, std::move(down), how, detail::every_image(run.input_shape()[0]));
}

/// The projections of many units of one layer, one picture each: (number of units) x C x H x W of the input, in the
/// units' order. They go down in batches, no more of each map than a unit sees: many units cost a fraction each of what one
/// costs. The numbers are those of one unit alone but for the rounding of another order of sums.
/// Throws as project of one unit does.
template <class Model, scalar T>
  requires model_of<Model, T>
tensor4<T> project(const Model& model, const trace<T>& run, const layer& which, std::span<const unit> units,
                   rule how = rule::deconvnet, seed with = seed::activation) {
  const auto& net = detail::graph_of<T>(model);
  const std::size_t index = detail::check_projection(net, run, which);
  const shape4 shape = run.shape(index);
  for (const unit& u : units) detail::check_unit(u, shape);
  shape4 pictures = run.input_shape();
  pictures[0] = units.size();
  auto result = uninitialized<T>(pictures);
  const std::size_t step = detail::pictures_at_once(run);
  for (std::size_t first = 0; first < units.size(); first += step) {
    const std::size_t count = std::min(step, units.size() - first);
    std::vector<T> values(count);
    for (std::size_t m = 0; m < count; ++m) values[m] = detail::seed_value(net, run, index, units[first + m], with);
    const auto part = detail::reverse_units<T>(net, run, index, units.subspan(first, count), values, how);
    std::copy(part.data(), part.data() + part.size(), image_span(result, first).data());
  }
  return result;
}

/// The projection of one unit: every other activation of its layer is set to zero, its own goes down to the pixels. The
/// picture depends on the input through the switches (and, by the other two rules, the signs) alone.
/// Result: N x C x H x W of the input, images other than the unit's zero. `how`: see rule; `with`: what the unit is set to.
/// Throws error for an unknown layer, a unit out of range, a layer the run did not keep, a trace of another network, NaN or
/// infinity in the run's input; unsupported_error where a layer on the way has no reverse.
template <class Model, scalar T>
  requires model_of<Model, T>
tensor4<T> project(const Model& model, const trace<T>& run, const layer& which, const unit& u, rule how = rule::deconvnet,
                   seed with = seed::activation) {
  return detail::place_in_batch(project(model, run, which, std::span<const unit>(&u, 1), how, with), run, u.n);
}

/// The projection of a whole feature map: all its activations go down at once, the other maps are zero.
/// Result and errors as for one unit.
template <class Model, scalar T>
  requires model_of<Model, T>
tensor4<T> project(const Model& model, const trace<T>& run, const layer& which, const feature_map& map,
                   rule how = rule::deconvnet) {
  const auto& net = detail::graph_of<T>(model);
  const std::size_t index = detail::check_projection(net, run, which);
  const shape4 shape = run.shape(index);
  detail::check_unit({map.n, map.c, 0, 0}, shape);
  auto signal = zeros<T>({1, shape[1], shape[2], shape[3]});
  const std::size_t plane = shape[2] * shape[3];
  const T* from = run[index].data() + (map.n * shape[1] + map.c) * plane;
  if (first_nonfinite(std::span<const T>(from, plane)) < plane) {
    throw error(detail::text("project: map ", map.c, " of layer '", net.name(index), "' has NaN or infinite activations"));
  }
  std::copy(from, from + plane, signal.data() + map.c * plane);
  const std::size_t images[] = {map.n};
  return detail::place_in_batch(detail::reverse(net, run, index, std::move(signal), how, images), run, map.n);
}

}  // namespace deconvnet
