// Outlines and labels, drawn into a picture.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <deconvnet/image/picture.hpp>
#include <deconvnet/image/stb.hpp>
#include <deconvnet/tensor/box.hpp>
#include <deconvnet/tensor/tensor.hpp>

namespace deconvnet {

/// RGB, 0..255.
using color = std::array<double, 3>;

namespace detail {

/// The letters there are: others become '?'. Newlines stay.
inline std::string drawable_text(std::string_view text) {
  constexpr std::size_t longest = 65536;
  if (text.size() > longest)
    throw error(detail::text("a label of ", text.size(), " letters, at most ", longest, " are drawn"));
  std::string letters(text);
  for (char& letter : letters) {
    if (letter != '\n' && (letter < ' ' || letter > '~')) letter = '?';
  }
  return letters;
}

/// Throws shape_error unless the picture has 3 channels, or 1, which takes the mean of the colour.
template <class T>
void check_drawable(const tensor<T, 3>& picture) {
  if (picture.shape(0) != 1 && picture.shape(0) != 3) {
    throw shape_error(text("drawing needs a picture of 1 or 3 channels, not ", shape_text(picture.shape())));
  }
}

/// Rows [y0, y1) and columns [x0, x1), the part within the picture.
template <class T>
void fill_rectangle(tensor<T, 3>& picture, std::array<double, 4> edges, const color& paint) {
  const auto within = [](double edge, std::size_t extent) {
    return static_cast<std::size_t>(std::clamp(edge, 0.0, static_cast<double>(extent)));
  };
  const std::size_t top = within(edges[0], picture.shape(1));
  const std::size_t left = within(edges[1], picture.shape(2));
  const std::size_t bottom = within(edges[2], picture.shape(1));
  const std::size_t right = within(edges[3], picture.shape(2));
  for (std::size_t channel = 0; channel < picture.shape(0); ++channel) {
    const double value = picture.shape(0) == 1 ? (paint[0] + paint[1] + paint[2]) / 3 : paint[channel];
    for (std::size_t y = top; y < bottom; ++y) {
      for (std::size_t x = left; x < right; ++x) picture(channel, y, x) = static_cast<T>(value);
    }
  }
}

}  // namespace detail

/// Draws the outline of `where`, `thickness` pixels wide and within the box. What lies outside the picture is left out.
/// `picture`: 3 x H x W, or 1 x H x W, which takes the mean of the colour; throws shape_error for others.
template <scalar T>
void draw_box(tensor<T, 3>& picture, const box& where, const color& paint, std::size_t thickness = 1) {
  detail::check_drawable(picture);
  const auto top = static_cast<double>(where.y);
  const auto left = static_cast<double>(where.x);
  const double bottom = top + static_cast<double>(where.height);
  const double right = left + static_cast<double>(where.width);
  const auto line = static_cast<double>(std::min({thickness, where.height, where.width}));
  detail::fill_rectangle(picture, {top, left, top + line, right}, paint);
  detail::fill_rectangle(picture, {bottom - line, left, bottom, right}, paint);
  detail::fill_rectangle(picture, {top, left, bottom, left + line}, paint);
  detail::fill_rectangle(picture, {top, right - line, bottom, right}, paint);
}

/// Height and width in pixels of a label drawn by draw_text: 12 pixels a line, times `scale`.
inline std::pair<std::size_t, std::size_t> text_extent(std::string_view text, std::size_t scale = 1) {
  auto letters = detail::drawable_text(text);
  const auto lines = static_cast<std::size_t>(std::count(letters.begin(), letters.end(), '\n')) + 1;
  return {12 * lines * scale, static_cast<std::size_t>(stb::stb_easy_font_width(letters.data())) * scale};
}

/// Draws a label with its upper left corner at (y, x), each pixel of the letters `scale` x `scale` pixels large.
/// Letters beyond ASCII become '?'; '\n' begins a new line; what lies outside the picture is left out. Throws as
/// draw_box does.
template <scalar T>
void draw_text(tensor<T, 3>& picture, std::ptrdiff_t y, std::ptrdiff_t x, std::string_view text, const color& paint,
               std::size_t scale = 1) {
  detail::check_drawable(picture);
  auto letters = detail::drawable_text(text);
  // Four corners of four floats for each rectangle; no letter of the font has more than 24.
  constexpr std::size_t quad = 64;
  std::vector<float> corners((letters.size() + 1) * 24 * quad / sizeof(float));
  const int quads = stb::stb_easy_font_print(0, 0, letters.data(), nullptr, corners.data(),
                                             static_cast<int>(corners.size() * sizeof(float)));
  const auto size = static_cast<double>(scale);
  for (std::size_t k = 0; k < static_cast<std::size_t>(quads); ++k) {
    const float* corner = corners.data() + k * quad / sizeof(float);  // upper left; the third is lower right
    const std::array<double, 4> edges = {static_cast<double>(y) + size * static_cast<double>(corner[1]),
                                         static_cast<double>(x) + size * static_cast<double>(corner[0]),
                                         static_cast<double>(y) + size * static_cast<double>(corner[9]),
                                         static_cast<double>(x) + size * static_cast<double>(corner[8])};
    detail::fill_rectangle(picture, edges, paint);
  }
}

}  // namespace deconvnet
