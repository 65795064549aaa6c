// Pictures in a grid with labels: a figure as papers print them.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <deconvnet/image/draw.hpp>
#include <deconvnet/image/picture.hpp>
#include <deconvnet/tensor/tensor.hpp>

namespace deconvnet {

/// One picture of a figure and what stands under it. Without a picture the place stays empty.
struct panel {
  tensor<float, 3> picture{};
  std::string caption{};

  panel() = default;

  /// `pixels`: 3 x H x W, RGB of 0..255, or one channel, which is repeated; H x W and a leading 1 are taken too. Throws
  /// shape_error for others.
  template <tensor_expression E>
  panel(const E& pixels, std::string caption_text = {})  // NOLINT(google-explicit-constructor)
      : picture(detail::evaluate_picture<float>(pixels)), caption(std::move(caption_text)) {
    if (picture.shape(0) != 1 && picture.shape(0) != 3) {
      throw shape_error(detail::text("a panel needs a picture of 1 or 3 channels, not ", shape_text(picture.shape())));
    }
  }

  bool has_picture() const { return picture.size() != 0; }
};

/// Labels stand left of the rows and above the columns; missing ones stay empty. `.gap`: pixels between pictures.
/// `.text_scale`: letters are 12 pixels times this high. `.title` stands above all, `.caption` below.
struct figure_options {
  std::string title{};
  std::string caption{};
  std::vector<std::string> row_labels{};
  std::vector<std::string> column_labels{};
  std::size_t gap = 8;
  std::size_t text_scale = 2;
  double background = 255;
};

namespace detail {

/// Where rows and columns of a figure begin. A column is as wide as its widest picture or text, a row as high as its
/// highest picture with its caption: pictures of several sizes stand in one figure.
class figure_layout {
 public:
  figure_layout(const std::vector<std::vector<panel>>& rows, const figure_options& options) : options_(options) {
    if (options.gap > 4096 || options.text_scale == 0 || options.text_scale > 64) {
      throw error(text("figure: a gap of ", options.gap, ", letters of ", options.text_scale));
    }
    std::size_t columns = 0;
    for (const auto& row : rows) columns = std::max(columns, row.size());
    if (columns == 0) throw error("figure: no pictures");
    if (options.row_labels.size() > rows.size() || options.column_labels.size() > columns) {
      throw error(text("figure: ", options.row_labels.size(), " row labels for ", rows.size(), " rows, ",
                       options.column_labels.size(), " column labels for ", columns, " columns"));
    }
    widths_.resize(columns);
    heights_.resize(rows.size());
    caption_heights_.resize(rows.size());
    for (std::size_t x = 0; x < options.column_labels.size(); ++x) {
      widths_[x] = extent(options.column_labels[x])[1];
      top_ = std::max(top_, extent(options.column_labels[x])[0]);
    }
    for (std::size_t y = 0; y < rows.size(); ++y) {
      if (y < options.row_labels.size()) {
        left_ = std::max(left_, extent(options.row_labels[y])[1]);
        heights_[y] = extent(options.row_labels[y])[0];
      }
      for (std::size_t x = 0; x < rows[y].size(); ++x) add(y, x, rows[y][x]);
    }
    if (left_ > 0) left_ += options.gap;
    title_ = extent(options.title)[0];
    top_ += title_ + (title_ > 0 ? options.gap : 0);
  }

  /// Height and width of a text, 0 where there is none.
  std::array<std::size_t, 2> extent(const std::string& label) const {
    if (label.empty()) return {0, 0};
    const auto [height, width] = text_extent(label, options_.text_scale);
    return {height, width};
  }

  std::size_t top(std::size_t row) const {
    return sum(options_.gap + top_, heights_, row) + sum(0, caption_heights_, row) + row * options_.gap;
  }
  std::size_t left(std::size_t column) const {
    return sum(options_.gap + left_, widths_, column) + column * options_.gap;
  }
  std::size_t width(std::size_t column) const { return widths_[column]; }
  std::size_t height(std::size_t row) const { return heights_[row]; }
  std::size_t labels_row() const { return options_.gap + title_ + (title_ > 0 ? options_.gap : 0); }
  std::size_t caption_row() const { return top(heights_.size()); }

  std::array<std::size_t, 3> shape() const {
    const auto caption = extent(options_.caption);
    const std::size_t widest = std::max(caption[1], extent(options_.title)[1]) + 2 * options_.gap;
    return {3, caption_row() + (caption[0] > 0 ? caption[0] + options_.gap : 0),
            std::max(left(widths_.size()), widest)};
  }

 private:
  void add(std::size_t row, std::size_t column, const panel& one) {
    const auto caption = extent(one.caption);
    widths_[column] = std::max(widths_[column], caption[1]);
    caption_heights_[row] = std::max(caption_heights_[row], caption[0]);
    if (!one.has_picture()) return;
    widths_[column] = std::max(widths_[column], one.picture.shape(2));
    heights_[row] = std::max(heights_[row], one.picture.shape(1));
  }

  static std::size_t sum(std::size_t start, const std::vector<std::size_t>& parts, std::size_t count) {
    for (std::size_t k = 0; k < count; ++k) start += parts[k];
    return start;
  }

  const figure_options& options_;
  std::vector<std::size_t> widths_, heights_, caption_heights_;
  std::size_t left_ = 0;   // the row labels and a gap
  std::size_t top_ = 0;    // the title and the column labels, and a gap between
  std::size_t title_ = 0;  // its height
};

inline void paste(tensor<float, 3>& sheet, const tensor<float, 3>& picture, std::size_t top, std::size_t left) {
  for (std::size_t c = 0; c < 3; ++c) {
    for (std::size_t y = 0; y < picture.shape(1); ++y) {
      const float* from = plane(picture, picture.shape(0) == 1 ? 0 : c) + y * picture.shape(2);
      std::copy_n(from, picture.shape(2), plane(sheet, c) + (top + y) * sheet.shape(2) + left);
    }
  }
}

}  // namespace detail

/// Rows of panels as one picture 3 x H x W, 0..255. Each picture stands in the middle of its column at the top of its
/// row, its caption under it; rows may have different lengths, pictures different sizes.
/// Throws error for no panels, more labels than rows or columns; shape_error for a sheet of more than max_elements.
inline tensor<float, 3> figure(const std::vector<std::vector<panel>>& rows, const figure_options& options = {}) {
  constexpr color ink{0, 0, 0};
  const detail::figure_layout at(rows, options);
  element_count(at.shape(), "figure");
  auto sheet = tensor<float, 3>::from_shape(at.shape());
  std::fill(sheet.begin(), sheet.end(), static_cast<float>(options.background));
  const auto put = [&](std::size_t y, std::size_t x, const std::string& label) {
    draw_text(sheet, static_cast<std::ptrdiff_t>(y), static_cast<std::ptrdiff_t>(x), label, ink, options.text_scale);
  };
  const auto middle = [](std::size_t start, std::size_t room, std::size_t size) { return start + (room - size) / 2; };

  put(options.gap, options.gap, options.title);
  for (std::size_t x = 0; x < options.column_labels.size(); ++x) {
    put(at.labels_row(), middle(at.left(x), at.width(x), at.extent(options.column_labels[x])[1]),
        options.column_labels[x]);
  }
  for (std::size_t y = 0; y < rows.size(); ++y) {
    if (y < options.row_labels.size()) {
      put(middle(at.top(y), at.height(y), at.extent(options.row_labels[y])[0]), options.gap, options.row_labels[y]);
    }
    for (std::size_t x = 0; x < rows[y].size(); ++x) {
      const panel& one = rows[y][x];
      if (one.has_picture())
        detail::paste(sheet, one.picture, at.top(y), middle(at.left(x), at.width(x), one.picture.shape(2)));
      const std::size_t under = at.top(y) + (one.has_picture() ? one.picture.shape(1) : 0) + options.text_scale;
      put(under, middle(at.left(x), at.width(x), at.extent(one.caption)[1]), one.caption);
    }
  }
  put(at.caption_row(), options.gap, options.caption);
  return sheet;
}

}  // namespace deconvnet
