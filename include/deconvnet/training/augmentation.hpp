// Views of a training picture: a random crop, mirrored or not; the centre; ten crops (the paper's section 3).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <deconvnet/ops/window.hpp>
#include <deconvnet/tensor/box.hpp>
#include <deconvnet/tensor/tensor.hpp>
#include <deconvnet/training/random_numbers.hpp>

namespace deconvnet {

/// What stands around a padded picture: zeros, or the nearest pixel.
enum class border { zero, replicate };

/// Where training takes its views from: any place, or the ten of the paper's section 3 (ten_views), of which each epoch takes one
/// of each picture, at random.
enum class view_choice { anywhere, ten_crops };

/// The random views that training sees. `.padding`: rows and columns added on every side. `.crop`: the size of a view; an
/// extent of 0 is the picture's own, before padding. `.flip`: every second view, at random, is mirrored left to right. The
/// default is the picture as it is; CIFAR-10's usual recipe is {.padding = 4, .flip = true}, the paper's {.crop = 224, .choice =
/// view_choice::ten_crops} out of 256 x 256. Ten crops have no padding, and are mirrored without `.flip`.
struct augmentation {
  std::size_t padding = 0;
  deconvnet::border border = deconvnet::border::zero;
  extent2d crop{0, 0};
  bool flip = false;
  view_choice choice = view_choice::anywhere;
};

/// A part of a picture: rows y .. y + height - 1, columns x .. x + width - 1 of it (they may pass its border), and
/// whether it is mirrored left to right afterwards.
struct picture_view {
  box where;
  bool mirrored = false;

  friend bool operator==(const picture_view&, const picture_view&) = default;
};

namespace detail {

/// The crop with its zeros replaced by the picture's extents. Throws shape_error where it is larger than the picture with
/// its padding.
inline extent2d view_extent(const extent2d& picture, const extent2d& crop, std::size_t padding = 0) {
  check_extent("augmentation", "padding", padding, 0);
  const extent2d view{crop.height == 0 ? picture.height : crop.height, crop.width == 0 ? picture.width : crop.width};
  if (view.height > picture.height + 2 * padding || view.width > picture.width + 2 * padding) {
    throw shape_error(text("augmentation: a crop of ", view.height, " x ", view.width, " out of a picture of ", picture.height,
                           " x ", picture.width, " padded by ", padding));
  }
  return view;
}

/// Writes a view of a picture C x H x W to C x height x width: to[k] = value(channel, pixel), a pixel beyond the border
/// being 0 or the nearest.
template <class Pixel, class T, class Value>
void copy_view(const tensor<Pixel, 3>& picture, const picture_view& view, border around, T* to, const Value& value) {
  const auto [y0, x0, rows, columns] = view.where;
  const auto height = static_cast<std::ptrdiff_t>(picture.shape(1));
  const auto width = static_cast<std::ptrdiff_t>(picture.shape(2));
  for (std::size_t c = 0; c < picture.shape(0); ++c) {
    const Pixel* plane = picture.data() + c * picture.shape(1) * picture.shape(2);
    for (std::size_t i = 0; i < rows; ++i) {
      const std::ptrdiff_t y = y0 + static_cast<std::ptrdiff_t>(i);
      const bool outside = y < 0 || y >= height;
      const Pixel* row = plane + std::clamp<std::ptrdiff_t>(y, 0, height - 1) * width;
      for (std::size_t j = 0; j < columns; ++j) {
        const std::ptrdiff_t x = x0 + static_cast<std::ptrdiff_t>(view.mirrored ? columns - 1 - j : j);
        const bool beyond = outside || x < 0 || x >= width;
        const Pixel pixel = beyond && around == border::zero ? Pixel(0) : row[std::clamp<std::ptrdiff_t>(x, 0, width - 1)];
        *to++ = static_cast<T>(value(c, pixel));
      }
    }
  }
}

}  // namespace detail

/// The middle, torchvision's rounding; a crop of 0 is all of it. Throws shape_error for a crop larger than the picture.
inline picture_view centre_view(const extent2d& picture, const extent2d& crop) {
  const extent2d size = detail::view_extent(picture, crop);
  return {{static_cast<std::ptrdiff_t>(detail::centre_crop_start(picture.height, size.height)),
           static_cast<std::ptrdiff_t>(detail::centre_crop_start(picture.width, size.width)), size.height, size.width},
          false};
}

/// The four corners (upper left, upper right, lower left, lower right) and the centre, then the same mirrored.
inline std::vector<picture_view> ten_views(const extent2d& picture, const extent2d& crop) {
  const picture_view centre = centre_view(picture, crop);
  const auto [height, width] = extent2d{centre.where.height, centre.where.width};
  const auto bottom = static_cast<std::ptrdiff_t>(picture.height - height);
  const auto right = static_cast<std::ptrdiff_t>(picture.width - width);
  std::vector<picture_view> views;
  for (const bool mirrored : {false, true}) {
    for (const std::ptrdiff_t y : {std::ptrdiff_t{0}, bottom}) {
      for (const std::ptrdiff_t x : {std::ptrdiff_t{0}, right}) views.push_back({{y, x, height, width}, mirrored});
    }
    views.push_back({centre.where, mirrored});
  }
  return views;
}

/// The view of a picture of that size that training sees: a function of (seed, epoch, image) alone, so neither threads nor
/// the order of the images nor a resumed run change it. Throws shape_error where the crop is larger than the padded picture,
/// error for ten crops of a padded one.
inline picture_view random_view(const extent2d& picture, const augmentation& options, std::uint64_t seed, std::uint64_t epoch,
                                std::uint64_t image) {
  const extent2d size = detail::view_extent(picture, options.crop, options.padding);
  detail::keyed_numbers random{seed, epoch, image, 0x76696577};  // shuffling draws from other keys
  if (options.choice == view_choice::ten_crops) {
    if (options.padding != 0) throw error("augmentation: ten crops are of the picture itself: they take no padding");
    return ten_views(picture, options.crop)[random.below(10)];
  }
  const auto start = [&](std::size_t extent, std::size_t view) {
    const std::size_t place = random.below(extent + 2 * options.padding - view + 1);
    return static_cast<std::ptrdiff_t>(place) - static_cast<std::ptrdiff_t>(options.padding);
  };
  const std::ptrdiff_t y = start(picture.height, size.height);
  const std::ptrdiff_t x = start(picture.width, size.width);
  return {{y, x, size.height, size.width}, options.flip && random.below(2) == 1};
}

/// The pixels of some views of one size: views x C x height x width. `picture`: C x H x W, pixels or preprocessed. Throws
/// shape_error where the views differ in size or the picture is empty.
template <expression_of_rank<3> E>
tensor4<scalar_of<E>> picture_views(const E& picture, const std::vector<picture_view>& views, border around = border::zero) {
  using T = scalar_of<E>;
  const auto& pixels = contiguous<T, 3>(picture);
  if (pixels.size() == 0) throw shape_error("picture_views: the picture is empty: " + shape_text(pixels.shape()));
  const box first = views.empty() ? box{} : views[0].where;
  auto result = uninitialized<T>({views.size(), pixels.shape(0), first.height, first.width});
  for (std::size_t k = 0; k < views.size(); ++k) {
    if (views[k].where.height != first.height || views[k].where.width != first.width) {
      throw shape_error(detail::text("picture_views: views of ", first.height, " x ", first.width, " and ",
                                     views[k].where.height, " x ", views[k].where.width));
    }
    detail::copy_view(pixels, views[k], around, image_span(result, k).data(), [](std::size_t, T pixel) { return pixel; });
  }
  return result;
}

}  // namespace deconvnet
