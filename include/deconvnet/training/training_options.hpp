// How a network is trained: the recipe, and who hears of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <deconvnet/training/augmentation.hpp>
#include <deconvnet/training/filter_renormalization.hpp>
#include <deconvnet/training/learning_rate.hpp>
#include <deconvnet/training/normalization.hpp>
#include <deconvnet/training/state_text.hpp>

namespace deconvnet {

template <scalar T>
class training_state;

/// One epoch of the history. `.epoch` is counted from 1. `.loss`, `.accuracy`: means over the epoch's training images as
/// they were met, augmented, with dropout, the weights changing all the while; so in the first epochs they are behind the
/// validation's. `.learning_rate`: of its last batch. `.seconds`: with validation, without the callbacks.
struct training_row {
  std::size_t epoch = 0;
  double learning_rate = 0;
  double loss = 0;
  double accuracy = 0;
  std::optional<double> validation_loss{};
  std::optional<double> validation_accuracy{};
  double seconds = 0;
};

/// After a batch: `.epoch` of `.epochs` counted from 1, `.batch` of `.batches` of it done, `.step` updates in all; `.loss` and
/// `.accuracy` of the epoch so far. `.seconds_left`: to the end of the last epoch, validations included.
struct training_progress {
  std::size_t epoch = 0;
  std::size_t epochs = 0;
  std::size_t batch = 0;
  std::size_t batches = 0;
  std::size_t step = 0;
  double loss = 0;
  double accuracy = 0;
  double learning_rate = 0;
  double images_per_second = 0;
  double seconds_left = 0;
};

/// The defaults are the paper's (section 3): 70 epochs, batches of 128, rate 0.01, momentum 0.9; weight decay, on which it is
/// silent, is AlexNet's 5e-4. Its filter renormalization is off until asked for, by `.renormalization =
/// dn::filter_renormalization{}`: it binds at once on small first layers (see there).
template <scalar T>
struct training_options {
  std::size_t epochs = 70;
  std::size_t batch = 128;
  deconvnet::learning_rate learning_rate = 0.01;
  double momentum = 0.9;
  double weight_decay = 5e-4;
  bool decay_biases = true;
  std::optional<filter_renormalization> renormalization{};
  deconvnet::augmentation augmentation{};
  deconvnet::normalization normalization{};
  /// Of the order of images, their views and the dropout masks. The same seed gives the same weights, bit for bit on the
  /// same kernel level, for any number of threads.
  std::uint64_t seed = 0;
  /// Also keeps the weights of the epoch with the highest validation accuracy, of equal ones the lower loss.
  bool keep_best = false;
  /// Threads that read and augment images (0: half as many as compute), and batches that they make ahead.
  std::size_t reader_threads = 0;
  std::size_t batches_ahead = 4;
  /// After every update. The place to write a checkpoint: from any batch a run goes on with the same bits.
  std::function<void(const training_state<T>& state)> on_batch{};
  /// After every epoch and its validation. `state.net` is the network: the place to take snapshots, by copying it.
  std::function<void(const training_state<T>& state, const training_row& row)> on_epoch{};
  std::function<void(const training_progress&)> progress{};
  std::stop_token stop{};
};

namespace detail {

/// What decides the weights, one line each. Two runs of the same recipe on the same images end the same, however far each
/// goes: the number of epochs is not in it, so a finished run can be made longer.
template <scalar T>
std::string recipe_of(const training_options<T>& options) {
  const auto numbers = [](const auto& values) {
    std::string list;
    for (const double value : values) list += " " + exact_text(value);
    return list;
  };
  std::string renormalization = "off";
  if (options.renormalization) {
    renormalization = exact_text(options.renormalization->radius);
    for (const layer& which : options.renormalization->layers) renormalization += " " + which.text();
  }
  const auto& view = options.augmentation;
  const auto& pixels = options.normalization;
  return text("batch: ", options.batch, "\nlearning rate: ", options.learning_rate.description(), "\nmomentum: ",
              exact_text(options.momentum), "\nweight decay: ", exact_text(options.weight_decay),
              options.decay_biases ? "" : " without biases", "\nrenormalization: ", renormalization, "\naugmentation: padding ",
              view.padding, view.border == border::zero ? " zero" : " replicate", " crop ", view.crop.height, " x ",
              view.crop.width, view.flip ? " flip" : "", view.choice == view_choice::ten_crops ? " ten crops" : "", "\nnormalization: scale ", exact_text(pixels.scale), " mean",
              numbers(pixels.mean), " stddev", numbers(pixels.stddev), "\nseed: ", options.seed,
              "\nkeep best: ", options.keep_best ? "yes" : "no");
}

/// The first line in which two texts differ, as "'X' became 'Y'"; empty where there is none.
inline std::string line_difference(std::string_view was, std::string_view is) {
  const auto line = [](std::string_view& rest) {
    const std::string_view first = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), first.size() + 1));
    return first;
  };
  while (!was.empty() || !is.empty()) {
    const std::string_view a = line(was);
    const std::string_view b = line(is);
    if (a != b) return text("'", a, "' became '", b, "'");
  }
  return {};
}

}  // namespace detail

}  // namespace deconvnet
