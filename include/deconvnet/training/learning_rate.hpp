// The learning rate over a training run: constant, in steps, on a plateau, or along a cosine; with a warm-up or without.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include <deconvnet/tensor/error.hpp>
#include <deconvnet/training/state_text.hpp>

namespace deconvnet {

/// `.patience`: so many epochs without an error lower than the lowest so far by more than `.least_gain`, and the rate is
/// multiplied by `.factor`, but not below `.least_rate`.
struct plateau_options {
  std::size_t patience = 5;
  double factor = 0.1;
  double least_gain = 0;
  double least_rate = 0;
};

/// A schedule and where it stands. A value: what it has seen is part of a checkpoint. A number is a constant rate.
/// Every maker throws error for a rate or factor that is not positive and finite.
class learning_rate {
 public:
  learning_rate(double rate) : rate_(rate) { check_positive("rate", rate); }  // NOLINT(google-explicit-constructor)

  static learning_rate constant(double rate) { return rate; }

  /// rate * factor^floor(epoch / every).
  static learning_rate step(double rate, std::size_t every, double factor = 0.1) {
    learning_rate result(rate);
    if (every == 0) throw error("learning_rate: steps every 0 epochs");
    check_positive("factor", factor);
    result.kind_ = kind::step;
    result.every_ = every;
    result.factor_ = factor;
    return result;
  }

  /// Multiplied by the factor as each of these epochs begins, counted from 0.
  static learning_rate at_epochs(double rate, std::vector<std::size_t> epochs, double factor = 0.1) {
    learning_rate result(rate);
    check_positive("factor", factor);
    result.kind_ = kind::at_epochs;
    result.epochs_ = std::move(epochs);
    result.factor_ = factor;
    return result;
  }

  /// The paper anneals by hand when the validation error stalls (section 3); this is that hand.
  static learning_rate on_plateau(double rate, const plateau_options& options = {}) {
    learning_rate result(rate);
    check_positive("factor", options.factor);
    if (options.factor >= 1) throw error(detail::text("learning_rate: a plateau's factor of ", options.factor));
    if (options.patience == 0) throw error("learning_rate: a patience of 0 epochs");
    if (!(options.least_gain >= 0) || !(options.least_rate >= 0)) throw error("learning_rate: a negative least gain or rate");
    result.kind_ = kind::plateau;
    result.plateau_ = options;
    return result;
  }

  /// Half a cosine from `rate` to `last` over so many epochs, anew for each batch: last + (rate - last) (1 + cos(pi t)) / 2,
  /// t the share of the epochs that is done; `last` after them. Not in the paper.
  static learning_rate cosine(double rate, std::size_t epochs, double last = 0) {
    learning_rate result(rate);
    if (epochs == 0) throw error("learning_rate: a cosine over 0 epochs");
    if (!(last >= 0) || last > rate) throw error(detail::text("learning_rate: a cosine from ", rate, " to ", last));
    result.kind_ = kind::cosine;
    result.every_ = epochs;
    result.last_ = last;
    return result;
  }

  /// The same with the rate rising linearly from a tenth of it to all of it during the first epochs (2, or 0.5). Not in
  /// the paper.
  learning_rate warmed_up(double epochs) const {
    if (!(epochs >= 0) || !std::isfinite(epochs)) throw error(detail::text("learning_rate: a warm-up of ", epochs, " epochs"));
    learning_rate result = *this;
    result.warm_up_ = epochs;
    return result;
  }

  /// The rate after `epoch` whole epochs, counted from 0, and the share `within` of the next, in [0, 1).
  double at(std::size_t epoch, double within = 0) const {
    const double time = static_cast<double>(epoch) + within;
    const double warm = time < warm_up_ ? 0.1 + 0.9 * time / warm_up_ : 1.0;
    return warm * scheduled(epoch, time);
  }

  /// Tells the schedule the validation error of the epoch that has ended (without a validation set: the training error).
  /// Only on_plateau listens; NaN is no progress.
  void observe(double error) {
    if (kind_ != kind::plateau) return;
    if (error < best_ - plateau_.least_gain) {
      best_ = error;
      stalled_ = 0;
    } else if (++stalled_ >= plateau_.patience) {
      decay_ *= plateau_.factor;
      stalled_ = 0;
    }
  }

  /// What was asked for, as text. Two schedules of the same description go the same way.
  std::string description() const {
    const auto number = [](double value) { return detail::exact_text(value); };
    std::string text;
    switch (kind_) {
      case kind::constant: text = "constant " + number(rate_); break;
      case kind::step: text = detail::text("step ", number(rate_), " every ", every_, " factor ", number(factor_)); break;
      case kind::at_epochs:
        text = "step " + number(rate_) + " at";
        for (const std::size_t epoch : epochs_) text += " " + std::to_string(epoch);
        text += " factor " + number(factor_);
        break;
      case kind::plateau:
        text = detail::text("plateau ", number(rate_), " patience ", plateau_.patience, " factor ", number(plateau_.factor),
                            " gain ", number(plateau_.least_gain), " least ", number(plateau_.least_rate));
        break;
      case kind::cosine: text = detail::text("cosine ", number(rate_), " to ", number(last_), " epochs ", every_); break;
    }
    return warm_up_ > 0 ? text + " warm-up " + number(warm_up_) : text;
  }

  /// What it has seen, as text for a checkpoint; empty where it has not to see anything.
  std::string state() const {
    if (kind_ != kind::plateau) return {};
    return detail::text(detail::exact_text(best_), ' ', detail::exact_text(decay_), ' ', stalled_);
  }

  /// Takes back what state() gave. Throws error where it is not the state of such a schedule.
  void restore(const std::string& state) {
    if (kind_ != kind::plateau) {
      if (!state.empty()) throw error("learning_rate: the state '" + state + "' belongs to another schedule");
      return;
    }
    detail::text_reader from("the state of the learning rate", state);
    const double best = from.number();
    const double decay = from.number();
    const std::size_t stalled = from.count();
    from.end();
    if (std::isnan(best) || !(decay >= 0 && decay <= 1) || stalled >= plateau_.patience) {
      throw error("learning_rate: the state '" + state + "' is none that a plateau comes to");
    }
    best_ = best;
    decay_ = decay;
    stalled_ = stalled;
  }

 private:
  enum class kind { constant, step, at_epochs, plateau, cosine };

  static void check_positive(const char* what, double value) {
    if (!(value > 0) || !std::isfinite(value)) {
      throw error(detail::text("learning_rate: the ", what, " is ", value, ", it must be positive"));
    }
  }

  double scheduled(std::size_t epoch, double time) const {
    switch (kind_) {
      case kind::constant: break;
      case kind::step: return rate_ * std::pow(factor_, static_cast<double>(epoch / every_));
      case kind::at_epochs: {
        const auto passed = std::count_if(epochs_.begin(), epochs_.end(), [&](std::size_t e) { return e <= epoch; });
        return rate_ * std::pow(factor_, static_cast<double>(passed));
      }
      case kind::plateau: return std::max(rate_ * decay_, std::min(rate_, plateau_.least_rate));
      case kind::cosine: {
        const double share = std::min(1.0, time / static_cast<double>(every_));
        return last_ + (rate_ - last_) * 0.5 * (1 + std::cos(std::numbers::pi * share));
      }
    }
    return rate_;
  }

  double rate_;
  kind kind_ = kind::constant;
  double factor_ = 1;
  double last_ = 0;
  double warm_up_ = 0;
  std::size_t every_ = 1;
  std::vector<std::size_t> epochs_;
  plateau_options plateau_;
  double best_ = std::numeric_limits<double>::infinity();
  double decay_ = 1;
  std::size_t stalled_ = 0;
};

}  // namespace deconvnet
