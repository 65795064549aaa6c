// From a picture to what a network takes in, and back.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

#include <deconvnet/image/picture.hpp>
#include <deconvnet/image/resize.hpp>
#include <deconvnet/tensor/box.hpp>
#include <deconvnet/tensor/tensor.hpp>

namespace deconvnet {

/// The order of a network's colour channels. Pictures are always RGB.
enum class channel_order { rgb, bgr };

/// What a network expects: resize, crop, then (pixel * scale - mean) / stddev for each channel.
///
/// `.mean` and `.stddev` hold one value per channel, in the network's channel order and after `.scale`, or one for all.
/// The paper's per-pixel mean (section 3) is not part of this: subtract it from the result.
struct preprocessing {
  std::size_t resize = 0;              ///< The short side in pixels; 0: as it comes.
  std::size_t crop = 0;                ///< The side of a centre square; 0: everything.
  std::vector<double> mean = {0.0};    ///< In units of pixel * scale.
  std::vector<double> stddev = {1.0};  ///< In units of pixel * scale.
  double scale = 1.0 / 255.0;
  deconvnet::channel_order channel_order = deconvnet::channel_order::rgb;

  /// Models of torchvision: short side 256, centre 224, 0..1, ImageNet's mean and standard deviation, RGB.
  static preprocessing torchvision() {
    return {.resize = 256, .crop = 224, .mean = {0.485, 0.456, 0.406}, .stddev = {0.229, 0.224, 0.225}};
  }

  /// Models of Caffe: short side 256, centre 224, pixels of 0..255 minus `mean`, BGR. `mean` is given in that order,
  /// blue first, in 0..255: ImageNet's is {104, 117, 123}. Resizing and crop differ between Caffe's models: set them.
  static preprocessing caffe(std::vector<double> mean) {
    return {.resize = 256,
            .crop = 224,
            .mean = std::move(mean),
            .scale = 1.0,
            .channel_order = deconvnet::channel_order::bgr};
  }
};

namespace detail {

inline double per_channel(const std::vector<double>& values, std::size_t channel) {
  return values.size() == 1 ? values[0] : values[channel];
}

/// Throws error where the options make no sense by themselves.
inline void check(const preprocessing& options) {
  for (const auto& [name, values] : {std::pair{"mean", &options.mean}, std::pair{"stddev", &options.stddev}}) {
    if (values->empty()) throw error(text("preprocessing: .", name, " is empty"));
    for (const double value : *values) {
      if (!std::isfinite(value)) throw error(text("preprocessing: .", name, " has the value ", value));
    }
  }
  for (const double value : options.stddev) {
    if (value <= 0) throw error(text("preprocessing: .stddev has the value ", value, ", it must be positive"));
  }
  if (!std::isfinite(options.scale) || options.scale == 0) {
    throw error(text("preprocessing: .scale is ", options.scale));
  }
  if (options.resize != 0 && options.crop > options.resize) {
    throw error(text("preprocessing: .crop = ", options.crop, " is larger than .resize = ", options.resize));
  }
}

/// Throws shape_error where the options do not fit a picture of so many channels.
inline void check(const preprocessing& options, std::size_t channels) {
  check(options);
  for (const auto& [name, values] : {std::pair{"mean", &options.mean}, std::pair{"stddev", &options.stddev}}) {
    if (values->size() != 1 && values->size() != channels) {
      throw shape_error(
          text("preprocessing: .", name, " has ", values->size(), " values, the picture ", channels, " channels"));
    }
  }
  if (options.channel_order == channel_order::bgr && channels != 3) {
    throw shape_error(text("preprocessing: BGR needs a picture of 3 channels, this one has ", channels));
  }
}

/// Where a channel of the network's input lies in the picture, and the other way round.
inline std::size_t swapped_channel(const preprocessing& options, std::size_t channel) {
  return options.channel_order == channel_order::bgr ? 2 - channel : channel;
}

template <class T>
bool has_whole_levels(const tensor<T, 3>& picture) {
  return std::all_of(picture.data(), picture.data() + picture.size(),
                     [](T value) { return value >= 0 && value <= 255 && value == std::floor(value); });
}

}  // namespace detail

/// A picture C x H x W, RGB, 0..255, as a network's input: 1 x C x H' x W'.
///
/// Short side to `.resize`, centre square of `.crop` (torchvision's rounding), then (pixel * scale - mean) / stddev.
/// A picture of whole numbers, which is what load_image gives, is resized with rounding as Pillow does to 8-bit
/// pictures, so that the result is torchvision's on the same pixels; other pictures without. Throws error for options
/// that make no sense, shape_error for a crop that is larger than the picture (torchvision pads with black there; a
/// picture that small is more likely a mistake), or a number of channels that does not fit.
template <tensor_expression E>
tensor4<scalar_of<E>> preprocess(const E& picture, const preprocessing& options) {
  using T = scalar_of<E>;
  auto pixels = detail::evaluate_picture<T>(picture);
  const std::size_t channels = pixels.shape(0);
  detail::check(options, channels);
  if (options.resize != 0) {
    pixels = resize_short_side(pixels, options.resize, {.whole_levels = detail::has_whole_levels(pixels)});
  }
  const std::size_t rows = options.crop == 0 ? pixels.shape(1) : options.crop;
  const std::size_t columns = options.crop == 0 ? pixels.shape(2) : options.crop;
  if (rows > pixels.shape(1) || columns > pixels.shape(2)) {
    throw shape_error(detail::text("preprocessing: .crop = ", options.crop, " is larger than the picture of ",
                                   pixels.shape(1), " x ", pixels.shape(2)));
  }
  const std::size_t top = detail::centre_crop_start(pixels.shape(1), rows);
  const std::size_t left = detail::centre_crop_start(pixels.shape(2), columns);
  auto input = uninitialized<T>({1, channels, rows, columns});
  T* to = input.data();
  for (std::size_t channel = 0; channel < channels; ++channel) {
    const double mean = detail::per_channel(options.mean, channel);
    const double stddev = detail::per_channel(options.stddev, channel);
    const T* from = detail::plane(pixels, detail::swapped_channel(options, channel));
    for (std::size_t y = 0; y < rows; ++y) {
      const T* row = from + (top + y) * pixels.shape(2) + left;
      for (std::size_t x = 0; x < columns; ++x) {
        *to++ = static_cast<T>((static_cast<double>(row[x]) * options.scale - mean) / stddev);
      }
    }
  }
  return input;
}

/// What the network saw, as pictures: the inverse of preprocess's last step, (x * stddev + mean) / scale, channels back
/// in RGB. `input`: C x H x W or N x C x H x W; the result has the same shape. Values outside 0..255 stay (save_image
/// clamps). Throws as preprocess does.
template <tensor_expression E>
requires(expression_of_rank<E, 3> || expression_of_rank<E, 4>) auto unprocess(const E& input,
                                                                              const preprocessing& options) {
  using T = scalar_of<E>;
  constexpr std::size_t rank = detail::static_rank<E> == 3 ? 3 : 4;
  const auto& values = contiguous<T, rank>(input);
  auto pictures = tensor<T, rank>::from_shape(values.shape());
  const std::size_t channels = values.shape(rank - 3);
  const std::size_t pixels = values.shape(rank - 2) * values.shape(rank - 1);
  detail::check(options, channels);
  const std::size_t planes = pixels == 0 ? 0 : values.size() / pixels;
  for (std::size_t k = 0; k < planes; ++k) {
    const std::size_t channel = k % channels;
    const double mean = detail::per_channel(options.mean, channel);
    const double stddev = detail::per_channel(options.stddev, channel);
    const T* from = values.data() + k * pixels;
    T* to = pictures.data() + (k - channel + detail::swapped_channel(options, channel)) * pixels;
    for (std::size_t p = 0; p < pixels; ++p) {
      to[p] = static_cast<T>((static_cast<double>(from[p]) * stddev + mean) / options.scale);
    }
  }
  return pictures;
}

/// A grey pixel of 0..255 in the units of the network's input: one value per channel, in the network's order, as many
/// as
/// `.mean` or `.stddev` has (one, where both hold one for all). The fill of occlusion and of crops past the border.
inline std::vector<double> fill_for(double pixel, const preprocessing& options) {
  const std::size_t channels = std::max(options.mean.size(), options.stddev.size());
  detail::check(options, channels == 1 && options.channel_order == channel_order::bgr ? 3 : channels);
  std::vector<double> fill(channels);
  for (std::size_t channel = 0; channel < channels; ++channel) {
    const double mean = detail::per_channel(options.mean, channel);
    fill[channel] = (pixel * options.scale - mean) / detail::per_channel(options.stddev, channel);
  }
  return fill;
}

}  // namespace deconvnet
