// A heat map laid over a picture.
#pragma once

#include <cstddef>

#include <deconvnet/image/colormap.hpp>
#include <deconvnet/image/picture.hpp>
#include <deconvnet/image/resize.hpp>
#include <deconvnet/tensor/tensor.hpp>

namespace deconvnet {

/// `.opacity` of the heat map, 0..1, and its colours.
struct overlay_options {
  double opacity = 0.5;
  colormap_options colors = {};
};

/// picture (1 - opacity) + colours(map) opacity: 3 x H x W, 0..255.
///
/// `picture`: 3 x H x W, or one channel, which is repeated. `map`: h x w of any size; its colours are stretched over
/// the whole picture, bilinear: place (y, x) of the map covers the same share of both. Range and errors as in colorize;
/// throws error for an opacity out of range, shape_error for a picture of other channels.
template <tensor_expression P, tensor_expression M>
tensor<scalar_of<P>, 3> overlay(const P& picture, const M& map, const overlay_options& options = {}) {
  using T = scalar_of<P>;
  if (!(options.opacity >= 0 && options.opacity <= 1)) {
    throw error(detail::text("overlay: .opacity is ", options.opacity, ", it must be within 0..1"));
  }
  const auto base = detail::evaluate_picture<T>(picture);
  const std::size_t channels = base.shape(0);
  if (channels != 1 && channels != 3) {
    throw shape_error(detail::text("overlay: a picture of 1 or 3 channels is needed, not ", shape_text(base.shape())));
  }
  const std::size_t pixels = base.shape(1) * base.shape(2);
  auto result = tensor<T, 3>(resize(colorize(map, options.colors), base.shape(1), base.shape(2)));
  for (std::size_t k = 0; k < result.size(); ++k) {
    const double under = static_cast<double>(base.data()[channels == 1 ? k % pixels : k]);
    const double over = static_cast<double>(result.data()[k]);
    result.data()[k] = static_cast<T>(under * (1 - options.opacity) + over * options.opacity);
  }
  return result;
}

}  // namespace deconvnet
