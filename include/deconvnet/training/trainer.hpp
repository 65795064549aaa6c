// Training: epochs of mini-batches, validation, and the ways out: the end, a stop, divergence.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <deconvnet/kernels/algorithm.hpp>
#include <deconvnet/kernels/parallel_for.hpp>
#include <deconvnet/training/accuracy.hpp>
#include <deconvnet/training/backpropagation.hpp>
#include <deconvnet/training/batches.hpp>
#include <deconvnet/training/training_state.hpp>

namespace deconvnet {

namespace detail {

/// In place of a validation set.
struct no_images {
  std::size_t size() const { return 0; }
  std::size_t label(std::size_t) const { return 0; }
  tensor<float, 3> image(std::size_t) const { return {}; }
};

/// The first parameter that holds a NaN or an infinity; empty where none does.
template <scalar T>
std::string nonfinite_parameter(const network<T>& net) {
  constexpr std::size_t piece = std::size_t{1} << 16;
  for (const auto& p : net.parameters()) {
    std::atomic<bool> found = false;
    parallel_for((p.values.size() + piece - 1) / piece, [&](std::size_t k) {
      const auto part = p.values.subspan(k * piece, std::min(piece, p.values.size() - k * piece));
      if (first_nonfinite(part) != part.size()) found = true;
    });
    if (found) return p.name;
  }
  return {};
}

class stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// One call of train().
template <scalar T, labelled_images Images, labelled_images Validation>
class training_run {
 public:
  training_run(training_state<T>& state, const Images& images, const Validation& validation, const training_options<T>& options)
      : state_(state),
        images_(images),
        validation_(validation),
        options_(options),
        per_epoch_(batches<T, Images>::count(images.size(), options.batch)),
        schedule_(options.learning_rate),
        gradient_(options.seed) {
    check();
    schedule_.restore(state.schedule.empty() ? schedule_.state() : state.schedule);
    state.training_images = images.size();
    state.validation_images = validation.size();
  }

  bool run() {
    const direct_scope one_algorithm;  // which epoch was the best must not hang on which algorithm tested it
    batches<T, Images> source(images_,
                              {.batch = options_.batch,
                               .seed = options_.seed,
                               .augmentation = options_.augmentation,
                               .normalization = options_.normalization,
                               .threads = options_.reader_threads,
                               .ahead = options_.batches_ahead},
                              options_.epochs, state_.epoch, state_.batch);
    image_batch<T> batch;
    while (state_.epoch < options_.epochs) {
      while (state_.batch < per_epoch_) {
        if (options_.stop.stop_requested()) return false;
        const stopwatch watch;
        source.next(batch);
        learn(batch);
        const double seconds = watch.seconds();
        state_.seconds += seconds;
        training_seconds_ += seconds;
        trained_ += batch.labels.size();
        if (options_.progress) options_.progress(progress());
        if (options_.on_batch) options_.on_batch(state_);
      }
      if (!end_epoch()) return false;
      if (options_.on_epoch) options_.on_epoch(state_, state_.history.back());
    }
    return true;
  }

 private:
  void check() const {
    if (const auto difference = line_difference(state_.recipe, recipe_of(options_)); !difference.empty()) {
      throw error("train: the state was made with other options: " + difference);
    }
    if (state_.training_images != 0 &&
        (state_.training_images != images_.size() || state_.validation_images != validation_.size())) {
      throw error(text("train: the run was begun with ", state_.training_images, " images and ", state_.validation_images,
                       " for validation, not ", images_.size(), " and ", validation_.size()));
    }
    if (options_.keep_best && validation_.size() == 0) throw error("train: .keep_best needs images for validation");
    if (state_.batch > per_epoch_) throw error(text("train: batch ", state_.batch, " of an epoch of ", per_epoch_));
    const std::size_t seen = std::min(state_.batch * options_.batch, images_.size());
    if (state_.step != state_.epoch * per_epoch_ + state_.batch || state_.seen != seen) {
      throw error(text("train: the state is damaged: step ", state_.step, " and ", state_.seen, " images after ", state_.epoch,
                       " epochs and ", state_.batch, " batches"));
    }
  }

  double rate_of(std::size_t batch) const {
    return schedule_.at(state_.epoch, static_cast<double>(batch) / static_cast<double>(per_epoch_));
  }

  void learn(const image_batch<T>& batch) {
    rate_ = rate_of(state_.batch);
    const batch_result result = gradient_(state_.net, batch.images, batch.labels, state_.step);
    if (!std::isfinite(result.loss)) diverged(text("the loss is ", result.loss));
    state_.update(state_.net, gradient_.gradients(), rate_);
    if (options_.renormalization) renormalize_filters(state_.net, *options_.renormalization);
    if (const std::string name = nonfinite_parameter(state_.net); !name.empty()) diverged("'" + name + "' is not finite");
    ++state_.step;
    ++state_.batch;
    state_.loss_sum += result.loss * static_cast<double>(batch.labels.size());
    state_.correct += result.correct;
    state_.seen += batch.labels.size();
  }

  [[noreturn]] void diverged(const std::string& how) const {
    diverged_in(text("epoch ", state_.epoch + 1, ", batch ", state_.batch + 1, " of ", per_epoch_, " (step ", state_.step + 1, ")"), how,
                rate_);
  }

  [[noreturn]] static void diverged_in(const std::string& where, const std::string& how, double rate) {
    throw error(text("training diverged in ", where, ": ", how, ", at a learning rate of ", rate,
                     ". Try a lower one, a warm-up (learning_rate::warmed_up) or .renormalization; see that the images are "
                     "normalized, and go on from an earlier checkpoint"));
  }

  double images() const { return static_cast<double>(std::max<std::size_t>(1, state_.seen)); }

  training_progress progress() const {
    const double speed = static_cast<double>(trained_) / std::max(1e-9, training_seconds_);
    const double left = static_cast<double>((options_.epochs - state_.epoch) * images_.size() - state_.seen);
    const double validations = static_cast<double>(options_.epochs - state_.epoch) * validation_seconds_;
    return {state_.epoch + 1, options_.epochs, state_.batch, per_epoch_, state_.step, state_.loss_sum / images(),
            static_cast<double>(state_.correct) / images(), rate_, speed, left / speed + validations};
  }

  /// Validation, a row of the history, the schedule's turn; false where it was stopped before it was done: then it is done
  /// when the run goes on.
  bool end_epoch() {
    const stopwatch watch;
    training_row row{.epoch = state_.epoch + 1,
                     .learning_rate = rate_of(per_epoch_ - 1),  // its batches may have been made before this call
                     .loss = state_.loss_sum / images(),
                     .accuracy = static_cast<double>(state_.correct) / images()};
    if (validation_.size() > 0) {
      const auto result = validate(row.learning_rate);
      if (!result.complete) return false;
      row.validation_loss = result.loss;
      row.validation_accuracy = result.accuracy;
      if (options_.keep_best && is_best(row)) {
        state_.best = state_.net;
        state_.best_epoch = row.epoch;
      }
    }
    schedule_.observe(1 - row.validation_accuracy.value_or(row.accuracy));
    state_.schedule = schedule_.state();
    validation_seconds_ = validation_.size() > 0 ? watch.seconds() : 0;
    row.seconds = state_.seconds + validation_seconds_;
    state_.history.push_back(row);
    ++state_.epoch;
    state_.batch = state_.correct = state_.seen = 0;
    state_.loss_sum = state_.seconds = 0;
    return true;
  }

  accuracy_result validate(double rate) const {
    try {
      return accuracy(state_.net, validation_,
                      {.batch = options_.batch,
                       .normalization = options_.normalization,
                       .crop = options_.augmentation.crop,
                       .threads = options_.reader_threads,
                       .progress = {},
                       .stop = options_.stop});
    } catch (const nonfinite_output& problem) {
      diverged_in(text("epoch ", state_.epoch + 1, ", at its validation"), problem.what(), rate);
    }
  }

  bool is_best(const training_row& row) const {
    if (state_.best_epoch == 0) return true;
    const auto& best = state_.history[state_.best_epoch - 1];
    return std::pair(*row.validation_accuracy, -*row.validation_loss) >
           std::pair(*best.validation_accuracy, -*best.validation_loss);
  }

  training_state<T>& state_;
  const Images& images_;
  const Validation& validation_;
  const training_options<T>& options_;
  const std::size_t per_epoch_;
  learning_rate schedule_;
  backpropagation<T> gradient_;
  double rate_ = 0;
  std::size_t trained_ = 0;
  double training_seconds_ = 0;
  double validation_seconds_ = 0;
};

}  // namespace detail

/// Trains on from where the state is, to the end of epoch `options.epochs`: forward, backward and an update for each
/// mini-batch, after each epoch a validation. True at the end; false where it was stopped, after the batch under way: the
/// state can be saved and go on.
///
/// The same seed gives the same weights for any number of threads, and for any number of stops on the way. Throws error
/// where the loss, a weight or an output of the validation becomes NaN or infinite, naming epoch and batch; where the state is
/// damaged, was made with other options or begun with other numbers of images; and what reading an image throws, with its
/// number.
template <scalar T, labelled_images Images, labelled_images Validation>
bool train(training_state<T>& state, const Images& images, const Validation& validation, const training_options<T>& options) {
  return detail::training_run<T, Images, Validation>(state, images, validation, options).run();
}

/// Without validation; a schedule on a plateau watches the training error.
template <scalar T, labelled_images Images>
bool train(training_state<T>& state, const Images& images, const training_options<T>& options) {
  return train(state, images, detail::no_images{}, options);
}

/// The whole run on a network, in place; with `.keep_best` it ends with the best weights. Returns the history.
template <scalar T, labelled_images Images, labelled_images Validation>
std::vector<training_row> train(network<T>& net, const Images& images, const Validation& validation,
                                const training_options<T>& options) {
  training_state<T> state(net, options);
  train(state, images, validation, options);
  net = options.keep_best ? *state.best : state.net;
  return state.history;
}

template <scalar T, labelled_images Images>
std::vector<training_row> train(network<T>& net, const Images& images, const training_options<T>& options) {
  return train(net, images, detail::no_images{}, options);
}

}  // namespace deconvnet
