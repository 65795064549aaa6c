// Smooth lines and dots in pictures, for curves.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include <deconvnet/image/draw.hpp>
#include <deconvnet/tensor/box.hpp>
#include <deconvnet/tensor/tensor.hpp>

namespace deconvnet {

/// A place in a picture, in pixels; the centre of the upper left one is (0, 0).
struct picture_point {
  double y = 0;
  double x = 0;
};

/// `.dash`: pixels from the start of one dash to the next, 0 for an unbroken line.
struct line_style {
  color paint{0, 0, 0};
  double thickness = 2;
  double dash = 0;
};

namespace detail {

/// How much of each pixel of a part of a picture is painted, 0..1: a line that crosses itself is painted once.
class coverage {
 public:
  /// `where`: clipped to a picture of that size.
  coverage(const box& where, std::size_t height, std::size_t width)
      : top_(clipped(where.y, height)),
        left_(clipped(where.x, width)),
        bottom_(clipped(where.y + static_cast<std::ptrdiff_t>(where.height), height)),
        right_(clipped(where.x + static_cast<std::ptrdiff_t>(where.width), width)),
        values_((bottom_ - top_) * (right_ - left_)) {}

  /// Raises the pixels from `low` to `high` to what amount(y, x) says.
  template <class Amount>
  void raise(const picture_point& low, const picture_point& high, Amount&& amount) {
    const std::size_t first = within(std::floor(low.y), top_, bottom_);
    const std::size_t last = within(std::ceil(high.y) + 1, top_, bottom_);
    for (std::size_t y = first; y < last; ++y) {
      for (std::size_t x = within(std::floor(low.x), left_, right_); x < within(std::ceil(high.x) + 1, left_, right_);
           ++x) {
        double& value = values_[(y - top_) * (right_ - left_) + x - left_];
        value = std::max(value, std::clamp(amount(static_cast<double>(y), static_cast<double>(x)), 0.0, 1.0));
      }
    }
  }

  template <scalar T>
  void paint(tensor<T, 3>& picture, const color& colour) const {
    const double grey = (colour[0] + colour[1] + colour[2]) / 3;
    for (std::size_t c = 0; c < picture.shape(0); ++c) {
      const double value = picture.shape(0) == 1 ? grey : colour[c];
      const double* share = values_.data();
      for (std::size_t y = top_; y < bottom_; ++y) {
        for (std::size_t x = left_; x < right_; ++x, ++share) {
          T& pixel = picture(c, y, x);
          pixel = static_cast<T>(static_cast<double>(pixel) * (1 - *share) + value * *share);
        }
      }
    }
  }

 private:
  static std::size_t clipped(std::ptrdiff_t place, std::size_t extent) {
    return place < 0 ? 0 : std::min(extent, static_cast<std::size_t>(place));
  }
  static std::size_t within(double place, std::size_t low, std::size_t high) {
    return static_cast<std::size_t>(std::clamp(place, static_cast<double>(low), static_cast<double>(high)));
  }

  std::size_t top_, left_, bottom_, right_;
  std::vector<double> values_;
};

/// Far outside one place is as good as another, and squares of distances stay finite.
inline picture_point bounded(const picture_point& place) {
  constexpr double far = 1e6;
  return {std::clamp(place.y, -far, far), std::clamp(place.x, -far, far)};
}

}  // namespace detail

/// Draws straight lines from point to point, edges smoothed, into the part `clip` of a picture of 3 channels, or 1,
/// which takes the mean of the colour; throws shape_error for others. One point draws nothing.
template <scalar T>
void draw_polyline(tensor<T, 3>& picture, std::span<const picture_point> points, const line_style& style,
                   const box& clip) {
  detail::check_drawable(picture);
  detail::coverage drawn(clip, picture.shape(1), picture.shape(2));
  const double reach = style.thickness / 2 + 0.5;
  double travelled = 0;
  for (std::size_t k = 1; k < points.size(); ++k) {
    const picture_point from = detail::bounded(points[k - 1]);
    const picture_point to = detail::bounded(points[k]);
    const double dy = to.y - from.y;
    const double dx = to.x - from.x;
    const double length = std::hypot(dy, dx);
    const picture_point low{std::min(from.y, to.y) - reach, std::min(from.x, to.x) - reach};
    const picture_point high{std::max(from.y, to.y) + reach, std::max(from.x, to.x) + reach};
    drawn.raise(low, high, [&](double y, double x) {
      const double along = length > 0 ? ((y - from.y) * dy + (x - from.x) * dx) / length : 0;
      const double at = std::clamp(along, 0.0, length);
      const double share = length > 0 ? at / length : 0;
      if (style.dash > 0 && std::fmod(travelled + at, style.dash) > 0.6 * style.dash) return 0.0;
      return reach - std::hypot(y - from.y - share * dy, x - from.x - share * dx);
    });
    travelled += length;
  }
  drawn.paint(picture, style.paint);
}

/// Draws a filled disc of that radius at each point; picture, clip and errors as for draw_polyline.
template <scalar T>
void draw_dots(tensor<T, 3>& picture, std::span<const picture_point> points, double radius, const color& paint,
               const box& clip) {
  detail::check_drawable(picture);
  detail::coverage drawn(clip, picture.shape(1), picture.shape(2));
  for (const picture_point& point : points) {
    const picture_point centre = detail::bounded(point);
    drawn.raise({centre.y - radius - 1, centre.x - radius - 1}, {centre.y + radius + 1, centre.x + radius + 1},
                [&](double y, double x) { return radius + 0.5 - std::hypot(y - centre.y, x - centre.x); });
  }
  drawn.paint(picture, paint);
}

}  // namespace deconvnet
