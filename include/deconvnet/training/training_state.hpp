// Where a training run stands: all that it needs to go on as if it had never stopped.
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <deconvnet/network/network.hpp>
#include <deconvnet/training/sgd.hpp>
#include <deconvnet/training/state_text.hpp>
#include <deconvnet/training/training_options.hpp>

namespace deconvnet {

/// A value: a copy made at any batch is a snapshot of the run. It is saved by
///   dn::save_checkpoint(state, path);
/// and comes back into a state made from a network of the same layers and the same options by
///   dn::load_checkpoint(state, path);
/// A run that goes on from there, with the same images, ends with the bits of one that was never stopped.
template <scalar T>
class training_state {
 public:
  using value_type = T;

  training_state(network<T> start, const training_options<T>& options)
      : net(std::move(start)),
        update(net, {.momentum = options.momentum, .weight_decay = options.weight_decay, .decay_biases = options.decay_biases}),
        recipe(detail::recipe_of(options)) {
    if (options.keep_best) best = net;
  }

  network<T> net;  ///< As trained so far.
  sgd<T> update;   ///< The momentum buffers.

  /// The weights of the best epoch, with .keep_best; before the first validation those at the start.
  std::optional<network<T>> best;
  std::size_t best_epoch = 0;  ///< Counted from 1; 0: none yet.

  std::size_t epoch = 0;  ///< Whole epochs done.
  std::size_t batch = 0;  ///< Batches of the next one done.
  std::size_t step = 0;   ///< Updates in all.
  std::vector<training_row> history;

  double loss_sum = 0;  ///< Over the images of the epoch under way.
  std::size_t correct = 0;
  std::size_t seen = 0;
  double seconds = 0;
  std::string schedule;               ///< learning_rate::state()
  std::size_t training_images = 0;    ///< Sizes of the sets it was begun with; 0: not begun.
  std::size_t validation_images = 0;
  std::string recipe;                 ///< The options that decide the weights.

  /// What else decides the weights and only the caller knows, a line each: the layers (network_text), which images they are
  /// and how they were made. A run does not go on under another.
  std::string setting;

  /// Weights, momentum buffers and best weights: "network.<name>", "momentum.<name>", "best.<name>".
  std::vector<parameter<T>> parameters() const {
    std::vector<parameter<T>> list;
    const auto append = [&](const char* prefix, std::vector<parameter<T>> some) {
      for (auto& p : some) list.push_back({prefix + p.name, std::move(p.shape), p.values});
    };
    append("network.", net.parameters());
    append("momentum.", update.parameters());
    if (best) append("best.", best->parameters());
    return list;
  }

  /// Throws error for an unknown name, shape_error for another number of values.
  void set_parameter(const std::string& name, std::span<const T> values) {
    const std::size_t dot = std::min(name.find('.'), name.size());
    const std::string of = name.substr(0, dot);
    const std::string rest = name.substr(std::min(dot + 1, name.size()));
    if (of == "network") return net.set_parameter(rest, values);
    if (of == "momentum") return update.set_parameter(rest, values);
    if (of == "best" && best) return best->set_parameter(rest, values);
    throw error("training_state: there is no parameter '" + name + "'");
  }

  /// Everything else, as text; the keys begin with "training.".
  std::map<std::string, std::string> metadata() const {
    const auto number = [](auto value) {
      if constexpr (std::floating_point<decltype(value)>) {
        return detail::exact_text(value);
      } else {
        return std::to_string(value);
      }
    };
    std::string rows;
    for (const auto& row : history) {
      // No validation is written as -1: neither a loss nor an accuracy is negative.
      rows += (rows.empty() ? "" : " ") + number(row.epoch) + " " + number(row.learning_rate) + " " + number(row.loss) + " " +
              number(row.accuracy) + " " + number(row.validation_loss.value_or(-1)) + " " +
              number(row.validation_accuracy.value_or(-1)) + " " + number(row.seconds);
    }
    return {{"training.format", "2"},
            {"training.recipe", recipe},
            {"training.setting", setting},
            {"training.images", number(training_images) + " " + number(validation_images)},
            {"training.place", number(epoch) + " " + number(batch) + " " + number(step)},
            {"training.sums", number(loss_sum) + " " + number(correct) + " " + number(seen) + " " + number(seconds)},
            {"training.schedule", schedule},
            {"training.best_epoch", number(best_epoch)},
            {"training.history", rows}};
  }

  /// Takes back what metadata() gave; other keys are passed over. Throws error where something is missing or damaged, and
  /// where the run was begun with other options or another setting than this state, saying which; then nothing has changed.
  void restore(const std::map<std::string, std::string>& metadata) {
    const auto value = [&](const std::string& key) -> const std::string& {
      const auto found = metadata.find("training." + key);
      if (found == metadata.end()) throw error("training_state: the metadata have no 'training." + key + "'");
      return found->second;
    };
    if (value("format") != "2") throw error("training_state: format '" + value("format") + "' is not known");
    const std::string difference = detail::line_difference(value("recipe"), recipe);
    if (!difference.empty()) {
      throw error("training_state: the run was begun with other options and cannot go on with these: " + difference);
    }
    if (const std::string other = detail::line_difference(value("setting"), setting); !other.empty()) {
      throw error("training_state: the run was begun on something else and cannot go on with this: " + other);
    }
    training_state next = *this;
    detail::text_reader images("training.images", value("images"));
    next.training_images = images.count();
    next.validation_images = images.count();
    images.end();
    detail::text_reader place("training.place", value("place"));
    next.epoch = place.count();
    next.batch = place.count();
    next.step = place.count();
    place.end();
    detail::text_reader sums("training.sums", value("sums"));
    next.loss_sum = sums.number();
    next.correct = sums.count();
    next.seen = sums.count();
    next.seconds = sums.number();
    sums.end();
    next.schedule = value("schedule");
    detail::text_reader best_one("training.best_epoch", value("best_epoch"));
    next.best_epoch = best_one.count();
    best_one.end();
    next.history.clear();
    detail::text_reader rows("training.history", value("history"));
    while (!rows.at_end()) {
      training_row row;
      row.epoch = rows.count();
      row.learning_rate = rows.number();
      row.loss = rows.number();
      row.accuracy = rows.number();
      if (const double loss = rows.number(); loss != -1) row.validation_loss = loss;
      if (const double share = rows.number(); share != -1) row.validation_accuracy = share;
      row.seconds = rows.number();
      next.history.push_back(row);
    }
    next.check();
    *this = std::move(next);
  }

 private:
  /// Throws error where numbers contradict each other: a training run would look up what is not there.
  void check() const {
    const auto damaged = [](const auto&... parts) { throw error(detail::text("training_state: damaged: ", parts...)); };
    if (history.size() != epoch) damaged(epoch, " epochs, a history of ", history.size());
    const std::size_t least = best && epoch > 0 ? 1 : 0;
    const std::size_t most = best ? epoch : 0;
    if (best_epoch < least || best_epoch > most) damaged("best epoch ", best_epoch, " of ", epoch);
    const auto is_share = [](double value) { return value >= 0 && value <= 1; };
    for (std::size_t k = 0; k < history.size(); ++k) {
      const auto& row = history[k];
      if (row.epoch != k + 1) damaged("row ", k + 1, " of the history is of epoch ", row.epoch);
      const bool validated = validation_images > 0;
      if (row.validation_loss.has_value() != validated || row.validation_accuracy.has_value() != validated) {
        damaged("epoch ", row.epoch, " of the history has ", validated ? "no " : "a ", "validation, ", validation_images,
                " images are for it");
      }
      if (!std::isfinite(row.loss) || !is_share(row.accuracy) || !std::isfinite(row.validation_loss.value_or(0)) ||
          !is_share(row.validation_accuracy.value_or(0)) || !std::isfinite(row.learning_rate) || !std::isfinite(row.seconds)) {
        damaged("epoch ", row.epoch, " of the history has numbers that cannot be");
      }
    }
    const bool begun = batch > 0;
    if (correct > seen || seen > training_images || (seen > 0) != begun || !std::isfinite(loss_sum) || !std::isfinite(seconds)) {
      damaged(correct, " of ", seen, " images right in ", batch, " batches, a sum of losses of ", loss_sum, ", ", seconds, " s");
    }
    if (training_images == 0 && (epoch > 0 || step > 0)) damaged(epoch, " epochs of no images");
  }
};

}  // namespace deconvnet
