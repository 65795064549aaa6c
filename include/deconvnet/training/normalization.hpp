// From pixels to what a network takes in, as batches are made.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

#include <deconvnet/tensor/error.hpp>

namespace deconvnet {

/// (pixel * scale - mean) / stddev for each channel: dn::preprocessing's last step, and its bits. `.mean`, `.stddev`: in
/// units of pixel * scale, one value per channel or one for all.
struct normalization {
  double scale = 1.0 / 255.0;
  std::vector<double> mean = {0.0};
  std::vector<double> stddev = {1.0};

  friend bool operator==(const normalization&, const normalization&) = default;
};

namespace detail {

/// A normalization made ready for pictures of so many channels: whole pixels of 0..255 are looked up.
class pixel_scale {
 public:
  /// Throws error for options that make no sense, shape_error where they do not fit the channels.
  pixel_scale(const normalization& options, std::size_t channels) : scale_(options.scale) {
    if (!std::isfinite(options.scale) || options.scale == 0) throw error(text("normalization: .scale is ", options.scale));
    for (const auto& [name, values] : {std::pair{"mean", &options.mean}, std::pair{"stddev", &options.stddev}}) {
      if (values->size() != 1 && values->size() != channels) {
        throw shape_error(
            text("normalization: .", name, " has ", values->size(), " values, the picture ", channels, " channels"));
      }
      for (const double value : *values) {
        if (!std::isfinite(value)) throw error(text("normalization: .", name, " has the value ", value));
      }
    }
    for (std::size_t c = 0; c < channels; ++c) {
      const double mean = options.mean[options.mean.size() == 1 ? 0 : c];
      const double stddev = options.stddev[options.stddev.size() == 1 ? 0 : c];
      if (stddev <= 0) throw error(text("normalization: .stddev has the value ", stddev, ", it must be positive"));
      channels_.push_back({mean, stddev, {}});
      for (std::size_t level = 0; level < 256; ++level) {
        channels_[c].table[level] = (static_cast<double>(level) * scale_ - mean) / stddev;
      }
    }
  }

  template <class Pixel>
  double operator()(std::size_t channel, Pixel pixel) const {
    const auto& by = channels_[channel];
    if (pixel >= Pixel(0) && pixel <= Pixel(255)) {
      const auto level = static_cast<std::size_t>(pixel);
      if (static_cast<Pixel>(level) == pixel) return by.table[level];
    }
    return (static_cast<double>(pixel) * scale_ - by.mean) / by.stddev;
  }

 private:
  struct channel_scale {
    double mean, stddev;
    std::array<double, 256> table;
  };

  double scale_;
  std::vector<channel_scale> channels_;
};

}  // namespace detail

}  // namespace deconvnet
