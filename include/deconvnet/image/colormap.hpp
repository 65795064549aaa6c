// A map of numbers as a picture.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <optional>
#include <span>

#include <deconvnet/image/picture.hpp>
#include <deconvnet/tensor/tensor.hpp>

namespace deconvnet {

/// `perceptual`: from dark blue through purple and orange to light yellow, the lightness rising evenly, so that equal
/// steps look equal and the order survives in grey print. `grey`: from black to white.
enum class color_map { perceptual, grey };

/// The values shown in the first and the last colour; without them the map's least and greatest. Values beyond are
/// clipped.
struct colormap_options {
  color_map map = color_map::perceptual;
  std::optional<double> low = std::nullopt;
  std::optional<double> high = std::nullopt;
};

/// The colour, RGB of 0..255, at a place of 0..1 on the map.
inline std::array<double, 3> color_at(color_map map, double place) {
  const double t = std::clamp(place, 0.0, 1.0);
  if (map == color_map::grey) return {255 * t, 255 * t, 255 * t};
  // A path through OKLab: lightness even, the hue turning, the chroma as high as sRGB allows all along the path.
  const double lightness = 0.18 + 0.77 * t;
  const double hue = (270 + 190 * t) * std::numbers::pi / 180;
  const double chroma = 0.06 + 0.14 * std::sin(std::numbers::pi * t);
  const double a = chroma * std::cos(hue);
  const double b = chroma * std::sin(hue);
  const double l = std::pow(lightness + 0.3963377774 * a + 0.2158037573 * b, 3);
  const double m = std::pow(lightness - 0.1055613458 * a - 0.0638541728 * b, 3);
  const double s = std::pow(lightness - 0.0894841775 * a - 1.2914855480 * b, 3);
  std::array<double, 3> shade = {4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
                                 -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
                                 -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s};
  for (double& value : shade) {
    const double linear = std::clamp(value, 0.0, 1.0);
    value = 255 * (linear <= 0.0031308 ? 12.92 * linear : 1.055 * std::pow(linear, 1 / 2.4) - 0.055);
  }
  return shade;
}

/// A map H x W (or 1 x H x W, 1 x 1 x H x W) as a picture 3 x H x W, RGB, 0..255. A map of one value only, without
/// `.low` and `.high`, gets the middle colour. Throws error for a NaN or an infinity, with its index, and where `.low`
/// is not below `.high`; shape_error for another shape.
template <tensor_expression E>
tensor<scalar_of<E>, 3> colorize(const E& map, const colormap_options& options = {}) {
  using T = scalar_of<E>;
  const auto values = detail::evaluate_picture<T>(map, "map");
  if (values.shape(0) != 1) {
    throw shape_error(detail::text("a map of one channel is needed, not ", shape_text(values.shape())));
  }
  const std::span<const T> all(values.data(), values.size());
  if (const std::size_t bad = first_nonfinite(all); bad != all.size()) {
    throw error(detail::text("colorize: the value at index ", bad, " is ", all[bad]));
  }
  const auto [least, greatest] = std::minmax_element(all.begin(), all.end());
  const double low = options.low.value_or(static_cast<double>(*least));
  const double high = options.high.value_or(static_cast<double>(*greatest));
  if ((options.low || options.high) && !(low < high)) {
    throw error(detail::text("colorize: the range from ", low, " to ", high, " is empty"));
  }
  auto picture = tensor<T, 3>::from_shape({3, values.shape(1), values.shape(2)});
  for (std::size_t k = 0; k < all.size(); ++k) {
    // Halves first: the difference of two finite numbers may be infinite.
    const double place = low < high ? (all[k] / 2 - low / 2) / (high / 2 - low / 2) : 0.5;
    const auto shade = color_at(options.map, place);
    for (std::size_t channel = 0; channel < 3; ++channel) {
      picture.data()[channel * all.size() + k] = static_cast<T>(shade[channel]);
    }
  }
  return picture;
}

}  // namespace deconvnet
