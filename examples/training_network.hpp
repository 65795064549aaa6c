// What `train` makes of its arguments: the network, the recipe, the file.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <deconvnet/deconvnet.hpp>

#include "progress_line.hpp"
#include "training_arguments.hpp"

namespace examples {

namespace dn = deconvnet;

/// Mean and standard deviation of each channel over a set, in 0..1, to four digits: a number that is written in a file.
/// Pictures are read by all threads; sums are in the order of the set, whoever reads. Throws error where Ctrl-C stops it.
template <class Images>
dn::normalization channel_statistics(const Images& images) {
  constexpr std::size_t group = 64;
  std::vector<xt::xtensor<float, 3>> read(std::min<std::size_t>(group, images.size()));
  std::vector<double> sum, squares, count;
  progress_line progress("statistics of colours", "pictures");
  for (std::size_t first = 0; first < images.size(); first += group) {
    const std::size_t size = std::min(group, images.size() - first);
    dn::parallel_for(size, [&](std::size_t k) { read[k] = dn::detail::checked_image<float>(images, first + k); });
    for (std::size_t i = 0; i < size; ++i) {
      const auto& picture = read[i];
      const std::size_t plane = picture.shape(1) * picture.shape(2);
      for (auto* values : {&sum, &squares, &count}) values->resize(picture.shape(0), 0.0);
      for (std::size_t k = 0; k < picture.size(); ++k) {
        const double value = static_cast<double>(picture.data()[k]) / 255;
        sum[k / plane] += value;
        squares[k / plane] += value * value;
        count[k / plane] += 1;
      }
    }
    progress.update(first + size, images.size());
    if (progress.stop().stop_requested()) throw dn::error("stopped before training began");
  }
  dn::normalization result{.scale = 1.0 / 255.0, .mean = {}, .stddev = {}};
  const auto rounded = [](double value) { return std::round(value * 1e4) / 1e4; };
  for (std::size_t c = 0; c < sum.size(); ++c) {
    const double mean = sum[c] / count[c];
    result.mean.push_back(rounded(mean));
    result.stddev.push_back(std::max(1e-4, rounded(std::sqrt(std::max(0.0, squares[c] / count[c] - mean * mean)))));
  }
  return result;
}

/// A stored network's own, as training and testing take it.
inline dn::normalization normalization_of(const dn::preprocessing& how) {
  if (how.channel_order != dn::channel_order::rgb) throw dn::unsupported_error("a network for BGR pictures cannot be tested here");
  return {.scale = how.scale, .mean = how.mean, .stddev = how.stddev};
}

/// The mean of each pixel. Throws error where Ctrl-C stops it.
template <class Images>
auto pixel_statistics(const training_arguments& args, const Images& images, const dn::normalization& normalization) {
  progress_line progress("mean of each pixel", "pictures");
  return dn::pixel_mean(images, {.normalization = normalization,
                                 .crop = {args.crop, args.crop},
                                 .progress = [&](std::size_t done, std::size_t total) { progress.update(done, total); },
                                 .stop = progress.stop()});
}

/// The network before its first update: a layer that subtracts the mean, then a scaled ZFNet for pictures of the size of the
/// first one, or of --crop. Where its weights are read from a checkpoint the mean is left zero: it is read with them.
template <class Images>
dn::network<float> network_of(const training_arguments& args, const Images& images, std::size_t classes,
                              const dn::normalization& normalization, bool from_checkpoint) {
  const auto first = images.image(0);
  const dn::shape3 input{first.shape(0), args.crop ? args.crop : first.shape(1), args.crop ? args.crop : first.shape(2)};
  dn::scaled_zfnet_options options{.classes = classes, .input = input, .kernel = args.kernel, .units = args.units, .dropout = args.dropout};
  std::copy(args.filters.begin(), args.filters.end(), options.filters.begin());
  options.norm = args.normalization == "batch"      ? dn::activation_norm::batch
                 : args.normalization == "contrast" ? dn::activation_norm::contrast
                                                    : dn::activation_norm::none;
  if (args.mean == "pixel") options.mean = from_checkpoint ? dn::tensor<double, 3>(input, 0.0) : pixel_statistics(args, images, normalization);
  auto net = dn::scaled_zfnet<float>(options);
  dn::initialize(net, args.seed, args.initialization == "he" ? dn::initialization::he : dn::initialization::normal);
  return net;
}

inline dn::learning_rate schedule_of(const training_arguments& args) {
  const auto schedule = args.schedule == "cosine"    ? dn::learning_rate::cosine(args.rate, args.epochs)
                        : args.schedule == "step"    ? dn::learning_rate::step(args.rate, args.step_epochs, args.step_factor)
                        : args.schedule == "plateau" ? dn::learning_rate::on_plateau(args.rate)
                                                     : dn::learning_rate::constant(args.rate);
  return schedule.warmed_up(args.warm_up);
}

inline dn::training_options<float> recipe_of(const training_arguments& args, const dn::normalization& normalization) {
  dn::training_options<float> options{.epochs = args.epochs,
                                      .batch = args.batch,
                                      .learning_rate = schedule_of(args),
                                      .momentum = args.momentum,
                                      .weight_decay = args.weight_decay,
                                      .augmentation = {.padding = args.padding,
                                                       .crop = {args.crop, args.crop},
                                                       .flip = args.flip,
                                                       .choice = args.ten_crop ? dn::view_choice::ten_crops : dn::view_choice::anywhere},
                                      .normalization = normalization,
                                      .seed = args.seed,
                                      .keep_best = true};
  if (args.renormalization > 0) options.renormalization = dn::filter_renormalization{.radius = args.renormalization};
  return options;
}

/// Writes the best weights with all that a program needs to use them, and all that made them. `short_side`: of the pictures
/// it was trained on, before any crop.
inline void save_trained(const training_arguments& args, const dn::training_state<float>& state, const std::vector<std::string>& classes,
                         const dn::normalization& normalization, std::size_t short_side) {
  const auto& input = state.net.input_shape();
  const std::size_t side = std::min(input[1], input[2]);
  const dn::preprocessing how{.resize = std::max(side, short_side), .crop = input[1] == input[2] ? side : 0,
                              .mean = normalization.mean, .stddev = normalization.stddev, .scale = normalization.scale};
  dn::save_network(*state.best, args.network,
                   {.preparation = how,
                    .classes = classes,
                    .precision = args.half ? dn::storage::half : dn::storage::native,
                    .metadata = {{"command", args.command},
                                 {"recipe", state.recipe},
                                 {"best epoch", std::to_string(state.best_epoch)},
                                 {"kernels", std::string(dn::kernel_level_name(dn::current_level()))}}});
}

}  // namespace examples
