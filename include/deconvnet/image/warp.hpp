// Moving, scaling and turning pictures about their centre.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <vector>

#include <deconvnet/image/picture.hpp>
#include <deconvnet/tensor/tensor.hpp>

namespace deconvnet {

/// What happens to a picture, in this order: scaled, turned, both about its centre ((H - 1) / 2, (W - 1) / 2), then
/// moved.
struct affine_motion {
  double down = 0;     ///< Pixels.
  double right = 0;    ///< Pixels.
  double scale = 1;    ///< Above 1: larger.
  double degrees = 0;  ///< Counter-clockwise, as seen on the screen.
};

/// What stands where the picture moved away: its border's nearest pixel, or `.fill`, one value or one per channel.
enum class warp_border { replicate, fill };

struct warp_options {
  warp_border border = warp_border::replicate;
  std::vector<double> fill = {0.0};
};

namespace detail {

/// One plane of height x width. For an output place p the source place is R(-degrees) (p - centre - move) / scale +
/// centre.
template <class T>
void warp_plane(const T* source, T* result, std::size_t height, std::size_t width, const affine_motion& motion,
                const warp_border border, double fill) {
  const double angle = motion.degrees * std::numbers::pi / 180;
  const double cosine = std::cos(angle) / motion.scale;
  const double sine = std::sin(angle) / motion.scale;
  const double centre_y = (static_cast<double>(height) - 1) / 2;
  const double centre_x = (static_cast<double>(width) - 1) / 2;
  const auto extent_y = static_cast<double>(height);
  const auto extent_x = static_cast<double>(width);
  const auto value = [&](double y, double x) {
    const bool outside = y < 0 || x < 0 || y > extent_y - 1 || x > extent_x - 1;
    if (outside && border == warp_border::fill) return fill;
    const auto row = static_cast<std::size_t>(std::clamp(y, 0.0, extent_y - 1));
    const auto column = static_cast<std::size_t>(std::clamp(x, 0.0, extent_x - 1));
    return static_cast<double>(source[row * width + column]);
  };
  for (std::size_t i = 0; i < height; ++i) {
    for (std::size_t j = 0; j < width; ++j) {
      const double dy = static_cast<double>(i) - centre_y - motion.down;
      const double dx = static_cast<double>(j) - centre_x - motion.right;
      // Far outside one place is as good as another; the bound keeps floor and the sums exact.
      const double y = std::clamp(centre_y + cosine * dy + sine * dx, -4.0, extent_y + 4);
      const double x = std::clamp(centre_x - sine * dy + cosine * dx, -4.0, extent_x + 4);
      const double y0 = std::floor(y);
      const double x0 = std::floor(x);
      const double fy = y - y0;
      const double fx = x - x0;
      const double upper = value(y0, x0) * (1 - fx) + (fx > 0 ? value(y0, x0 + 1) * fx : 0);
      const double lower = fy > 0 ? value(y0 + 1, x0) * (1 - fx) + (fx > 0 ? value(y0 + 1, x0 + 1) * fx : 0) : 0;
      *result++ = static_cast<T>(upper * (1 - fy) + (fy > 0 ? lower * fy : 0));
    }
  }
}

}  // namespace detail

/// The picture after `motion`, in its own size: C x H x W or N x C x H x W, of any units. Bilinear, without
/// antialiasing (meant for scales of about 1 and more); whole-pixel moves are exact. Not fixed by the paper
/// (section 4.1 names the motions only). Throws error for a motion that is not finite or a scale that is not positive,
/// shape_error for a number of fill values that does not fit.
template <tensor_expression E>
requires(expression_of_rank<E, 3> || expression_of_rank<E, 4>) auto warp(const E& picture, const affine_motion& motion,
                                                                         const warp_options& options = {}) {
  using T = scalar_of<E>;
  constexpr std::size_t rank = detail::static_rank<E> == 3 ? 3 : 4;
  const double limit = static_cast<double>(max_elements);
  if (!(std::abs(motion.down) < limit && std::abs(motion.right) < limit) || !std::isfinite(motion.degrees)) {
    throw error(detail::text("warp: a move of ", motion.down, ", ", motion.right, " turned by ", motion.degrees));
  }
  if (!(motion.scale > 1e-6 && motion.scale < 1e6)) {
    throw error(detail::text("warp: .scale is ", motion.scale, ", it must be within 1e-6..1e6"));
  }
  const auto& source = contiguous<T, rank>(picture);
  const std::size_t channels = source.shape(rank - 3);
  if (options.fill.size() != 1 && options.fill.size() != channels) {
    throw shape_error(detail::text("warp: ", options.fill.size(), " fill values for ", channels, " channels"));
  }
  auto result = tensor<T, rank>::from_shape(source.shape());
  const std::size_t height = source.shape(rank - 2);
  const std::size_t width = source.shape(rank - 1);
  const std::size_t pixels = height * width;
  for (std::size_t k = 0; pixels != 0 && k < source.size() / pixels; ++k) {
    const double fill = options.fill[options.fill.size() == 1 ? 0 : k % channels];
    detail::warp_plane(source.data() + k * pixels, result.data() + k * pixels, height, width, motion, options.border,
                       fill);
  }
  return result;
}

}  // namespace deconvnet
