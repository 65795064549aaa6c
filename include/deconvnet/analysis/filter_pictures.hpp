// First-layer filters as pictures (Fig 6).
#pragma once

#include <algorithm>
#include <cstddef>

#include <deconvnet/analysis/filters.hpp>
#include <deconvnet/image/display.hpp>
#include <deconvnet/image/enlarge.hpp>
#include <deconvnet/image/preprocess.hpp>

namespace deconvnet {

/// `.scope`: batch for one scale, on which filters can be compared (a few strong ones leave the others grey); picture
/// for a scale of its own for each, on which the structure of weak ones shows. `.channel_order`: of the network's
/// input.
/// `.enlarge`: the side of the square that each weight becomes.
struct filter_picture_options {
  display_scope scope = display_scope::batch;
  deconvnet::channel_order channel_order = deconvnet::channel_order::rgb;
  std::size_t enlarge = 1;
};

/// The filters of a layer that reads pictures, one picture each, 0..255: F x 3 x KH x KW, or F x 1 x KH x KW of a
/// network for grey ones, times `.enlarge`. 255 (0.5 + w / (2 max|w|)): a weight of zero is mid-grey, a filter of zeros
/// flat. montage joins them to one picture. Weights of inputs whose channels have different standard deviations are
/// shown as they are. Throws error for an unknown layer; unsupported_error for a layer without filters; shape_error for
/// filters of other than 1 or 3 channels, which are no pictures.
template <class Model>
auto filter_pictures(const Model& model, const layer& which, const filter_picture_options& options = {}) {
  using T = detail::scalar_of_run<Model, tensor4<float>>;
  const auto& net = detail::graph_of<T>(model);
  const std::size_t index = net.find(which);
  tensor4<T> filters = detail::filters_of(net, index);
  const std::size_t channels = filters.shape(1);
  if (channels != 1 && channels != 3) {
    throw shape_error(detail::text("layer '", net.name(index), "': filters of ", channels,
                                   " channels are no pictures, which have 1 or 3"));
  }
  if (options.channel_order == channel_order::bgr && channels == 3) {
    const std::size_t plane = filters.shape(2) * filters.shape(3);
    for (std::size_t f = 0; f < filters.shape(0); ++f) {
      T* first = image_span(filters, f).data();
      std::swap_ranges(first, first + plane, first + 2 * plane);
    }
  }
  return enlarge(to_display(filters, {.scope = options.scope}), options.enlarge);
}

}  // namespace deconvnet
