// The per-pixel mean of a training set (the paper's section 3), as a layer.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <stop_token>
#include <vector>

#include <deconvnet/kernels/parallel_for.hpp>
#include <deconvnet/training/batches.hpp>

namespace deconvnet {

/// `.crop`: the size of the network's input, cut out of the middle; 0: the pictures as they are.
struct pixel_mean_options {
  deconvnet::normalization normalization{};
  extent2d crop{0, 0};
  std::function<void(std::size_t done, std::size_t total)> progress{};
  std::stop_token stop{};
};

/// The mean of every input value over a set, C x H x W, after normalization: sums are double, in the order of the images,
/// so the bits do not depend on the number of threads. Throws what batches throws; error where it is stopped (the mean of
/// some is not the mean).
///
/// The paper takes the mean over its 256 x 256 pictures and crops afterwards; here it is the mean of the centre crops,
/// which has the size of the network's input and can be its first layer: see subtract_mean.
template <labelled_images Images>
tensor<double, 3> pixel_mean(const Images& images, const pixel_mean_options& options = {}) {
  const std::size_t count = images.size();
  if (count == 0) throw error("pixel_mean: the set has no images");
  constexpr std::size_t group = 64;
  std::vector<image_batch<double>> made(std::min(group, count));
  tensor<double, 3> sum;
  for (std::size_t first = 0; first < count; first += group) {
    if (options.stop.stop_requested()) throw error(detail::text("pixel_mean: stopped after ", first, " of ", count, " images"));
    const std::size_t size = std::min(group, count - first);
    parallel_for(size, [&](std::size_t k) {
      made[k].indices = {first + k};
      detail::fill_batch(images, options.normalization, border::zero,
                         [&](const extent2d& picture, std::size_t) { return std::vector{centre_view(picture, options.crop)}; },
                         made[k]);
    });
    for (std::size_t k = 0; k < size; ++k) {
      const auto& one = made[k].images;
      if (first + k == 0) {
        sum = tensor<double, 3>::from_shape({one.shape(1), one.shape(2), one.shape(3)});
        sum.fill(0);
      }
      if (!std::equal(sum.shape().begin(), sum.shape().end(), one.shape().begin() + 1)) {
        throw shape_error(detail::text("image ", first + k, ": its view is ", shape_text(one.shape()), ", the mean ",
                                       shape_text(sum.shape()), ": give pixel_mean a .crop"));
      }
      for (std::size_t j = 0; j < sum.size(); ++j) sum.data()[j] += one.data()[j];
    }
    if (options.progress) options.progress(first + size, count);
  }
  for (double& value : sum) value /= static_cast<double>(count);
  return sum;
}

}  // namespace deconvnet
