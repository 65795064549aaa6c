// Curves over an axis as a picture.
//
// Drawn here: the plot libraries of Debian that write PNGs (PLplot, libplot, giza) are compiled and bring cairo or X,
// the header-only ones (sciplot, gnuplot-iostream) start gnuplot.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <deconvnet/image/draw.hpp>
#include <deconvnet/report/axis.hpp>
#include <deconvnet/report/line.hpp>

namespace deconvnet {

/// Points joined by straight lines in the order given; `name` stands in the legend, none without it.
struct plot_curve {
  std::string name;
  std::vector<double> x;
  std::vector<double> y;
};

/// Labels say what an axis counts and in which unit. `.y_range`: of the vertical axis, else that of the points,
/// rounded.
/// `.height`, `.width`: of the picture, in pixels. `.text_scale`: letters are 12 pixels times this high.
struct plot_options {
  std::string title{};
  std::string x_label{};
  std::string y_label{};
  std::optional<axis_range> y_range{};
  std::size_t height = 480;
  std::size_t width = 800;
  std::size_t text_scale = 2;
};

namespace detail {

/// Colours that stay apart for the colour-blind (Okabe and Ito), blue first; curves beyond the seventh are broken
/// lines.
inline line_style curve_style(std::size_t k) {
  constexpr std::array<color, 7> paints = {
      {{0, 114, 178}, {213, 94, 0}, {0, 158, 115}, {204, 121, 167}, {230, 159, 0}, {86, 180, 233}, {0, 0, 0}}};
  return {paints[k % paints.size()], 2.5, 10.0 * static_cast<double>(k / paints.size())};
}

inline constexpr color ink{40, 40, 40};
inline constexpr color grid_ink{224, 224, 224};

/// Where everything is, in pixels. The frame holds the curves, the legend stands to its right.
class plot_layout {
 public:
  plot_layout(std::span<const plot_curve> curves, const plot_options& options) : options_(options) {
    if (options.height == 0 || options.width == 0 || options.height > 16384 || options.width > 16384 ||
        options.text_scale == 0 || options.text_scale > 64) {
      throw error(
          text("plot: a picture of ", options.height, " x ", options.width, ", letters of ", options.text_scale));
    }
    std::vector<double> xs;
    std::vector<double> ys;
    for (const auto& curve : curves) {
      xs.insert(xs.end(), curve.x.begin(), curve.x.end());
      ys.insert(ys.end(), curve.y.begin(), curve.y.end());
      if (curve.name.empty()) continue;
      legend_ = std::max(legend_, letters(curve.name));
      ++names_;
    }
    x_ = range_of(xs);
    y_ = options.y_range ? *options.y_range : rounded(range_of(ys));
    if (!(y_.low < y_.high) || !std::isfinite(y_.high - y_.low)) {
      throw error(text("plot: .y_range from ", y_.low, " to ", y_.high, " is empty"));
    }
    place_frame();
  }

  const axis_range& x_range() const { return x_; }
  const axis_range& y_range() const { return y_; }
  const std::vector<tick>& x_ticks() const { return x_ticks_; }
  const std::vector<tick>& y_ticks() const { return y_ticks_; }
  const box& frame() const { return frame_; }
  double top() const { return static_cast<double>(frame_.y); }
  double line() const { return 12.0 * static_cast<double>(options_.text_scale); }
  double right() const { return static_cast<double>(frame_.x) + static_cast<double>(frame_.width) - 1; }
  double bottom() const { return static_cast<double>(frame_.y) + static_cast<double>(frame_.height) - 1; }

  double letters(const std::string& label) const {
    return static_cast<double>(text_extent(label, options_.text_scale).second);
  }

  /// The length of the line in the legend before a name.
  double sample() const { return 2 * line(); }

  double column(double x) const {
    return static_cast<double>(frame_.x) + share(x, x_) * static_cast<double>(frame_.width - 1);
  }
  double row(double y) const { return bottom() - share(y, y_) * static_cast<double>(frame_.height - 1); }

 private:
  static double share(double value, const axis_range& range) { return (value - range.low) / (range.high - range.low); }

  void place_frame() {
    const double height = static_cast<double>(options_.height);
    const double width = static_cast<double>(options_.width);
    const double top = line() * (0.75 + (options_.title.empty() ? 0 : 1.25) + (options_.y_label.empty() ? 0 : 1.25));
    const double below = line() * (2 + (options_.x_label.empty() ? 0 : 1.25));
    const double rows = height - top - below;
    y_ticks_ = ticks_of(y_, static_cast<std::size_t>(std::clamp(rows / (2 * line()), 1.0, 8.0)));
    double left = 0;
    for (const auto& one : y_ticks_) left = std::max(left, letters(one.label));
    left += line();
    const double legend = legend_ > 0 ? legend_ + sample() + 1.5 * line() : 0;
    double columns = width - left - legend - 1.5 * line();
    if (rows < 3 * line() || columns < 3 * line() || rows < 1.25 * line() * static_cast<double>(names_)) {
      throw error(
          text("plot: ", options_.height, " x ", options_.width, " pixels are too few for the labels and the legend"));
    }
    frame_ = {static_cast<std::ptrdiff_t>(top), static_cast<std::ptrdiff_t>(left), static_cast<std::size_t>(rows),
              static_cast<std::size_t>(columns)};
    // As many as stand side by side without touching.
    for (std::size_t most = 12; most > 0; --most) {
      x_ticks_ = ticks_of(x_, most);
      double widest = 0;
      for (const auto& one : x_ticks_) widest = std::max(widest, letters(one.label));
      const double each = x_ticks_.size() < 2 ? columns : column(x_ticks_[1].value) - column(x_ticks_[0].value);
      if (widest + line() <= each) break;
    }
  }

  plot_options options_;
  axis_range x_, y_;
  std::vector<tick> x_ticks_, y_ticks_;
  double legend_ = 0;  // the widest name
  std::size_t names_ = 0;
  box frame_;
};

/// A label whose upper left corner, or the middle or the end of whose upper edge, is at (y, x).
inline void put_text(tensor<float, 3>& picture, double y, double x, const std::string& label,
                     const plot_options& options, double share_before = 0) {
  const auto [height, width] = text_extent(label, options.text_scale);
  const double left =
      std::clamp(x - share_before * static_cast<double>(width), 0.0, static_cast<double>(options.width));
  draw_text(picture, static_cast<std::ptrdiff_t>(y), static_cast<std::ptrdiff_t>(left), label, ink, options.text_scale);
}

inline void draw_axes(tensor<float, 3>& picture, const plot_layout& at, const plot_options& options) {
  const auto& frame = at.frame();
  const double top = at.top();
  const auto left = static_cast<double>(frame.x);
  for (const auto& one : at.x_ticks()) {
    const double x = std::round(at.column(one.value));
    fill_rectangle(picture, {top, x, at.bottom(), x + 1}, grid_ink);
    fill_rectangle(picture, {at.bottom(), x, at.bottom() + at.line() / 4, x + 1}, ink);
    put_text(picture, at.bottom() + at.line() / 2, x, one.label, options, 0.5);
  }
  for (const auto& one : at.y_ticks()) {
    const double y = std::round(at.row(one.value));
    fill_rectangle(picture, {y, left, y + 1, at.right()}, grid_ink);
    fill_rectangle(picture, {y, left - at.line() / 4, y + 1, left}, ink);
    put_text(picture, y - at.line() / 3, left - at.line() / 2, one.label, options, 1);
  }
  draw_box(picture, frame, ink);
  if (!options.title.empty())
    put_text(picture, at.line() / 4, static_cast<double>(options.width) / 2, options.title, options, 0.5);
  if (!options.y_label.empty()) put_text(picture, top - 1.5 * at.line(), at.line() / 2, options.y_label, options);
  if (!options.x_label.empty()) {
    put_text(picture, at.bottom() + 1.75 * at.line(), (left + at.right()) / 2, options.x_label, options, 0.5);
  }
}

}  // namespace detail

/// Curves in one frame, as a picture 3 x height x width, 0..255, on white: ticks at round numbers, labels, a legend of
/// the curves' names to the right. Up to 60 points of a curve are marked by dots. Without points the frame stands
/// empty; a curve that is level all the way lies in the middle. Throws error where a curve has not as many y as x, or
/// holds NaN or infinity (with the curve and the index), and where the picture is too small for its labels.
inline tensor<float, 3> plot(std::span<const plot_curve> curves, const plot_options& options = {}) {
  for (const auto& curve : curves) {
    if (curve.x.size() != curve.y.size()) {
      throw error(detail::text("plot: curve '", curve.name, "' has ", curve.x.size(), " x and ", curve.y.size(), " y"));
    }
    for (std::size_t k = 0; k < curve.x.size(); ++k) {
      if (!std::isfinite(curve.x[k]) || !std::isfinite(curve.y[k])) {
        throw error(
            detail::text("plot: point ", k, " of curve '", curve.name, "' is (", curve.x[k], ", ", curve.y[k], ")"));
      }
    }
  }
  const detail::plot_layout at(curves, options);
  auto picture = tensor<float, 3>::from_shape({3, options.height, options.width});
  std::fill(picture.begin(), picture.end(), 255.f);
  detail::draw_axes(picture, at, options);
  const box page{0, 0, options.height, options.width};
  double legend_row = at.top() + at.line() / 2;
  for (std::size_t k = 0; k < curves.size(); ++k) {
    const line_style style = detail::curve_style(k);
    std::vector<picture_point> points;
    for (std::size_t i = 0; i < curves[k].x.size(); ++i)
      points.push_back({at.row(curves[k].y[i]), at.column(curves[k].x[i])});
    draw_polyline<float>(picture, points, style, at.frame());
    if (points.size() <= 60) {
      std::erase_if(points, [&](const picture_point& p) { return p.y < at.top() - 0.5 || p.y > at.bottom() + 0.5; });
      draw_dots<float>(picture, points, 1.6 * style.thickness, style.paint, page);
    }
    if (curves[k].name.empty()) continue;
    const double left = at.right() + at.line() / 2;
    const std::array<picture_point, 2> sample = {{{legend_row, left}, {legend_row, left + at.sample()}}};
    draw_polyline<float>(picture, sample, style, page);
    detail::put_text(picture, legend_row - at.line() / 3, left + at.sample() + at.line() / 2, curves[k].name, options);
    legend_row += 1.25 * at.line();
  }
  return picture;
}

inline tensor<float, 3> plot(const std::vector<plot_curve>& curves, const plot_options& options = {}) {
  return plot(std::span<const plot_curve>(curves), options);
}

}  // namespace deconvnet
