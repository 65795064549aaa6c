// Where a training run stands: all that it needs to go on as if it had never stopped.
#pragma once

#include <algorithm>
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

/// A value: a copy made at any batch is a snapshot of the run. It is saved as a network is,
///   dn::save_safetensors(state, path, {.metadata = state.metadata()});
/// and comes back into a state made from a network of the same layers and the same options:
///   dn::load_safetensors(state, path);
///   state.restore(dn::read_safetensors_metadata(path));
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
    return {{"training.format", "1"},
            {"training.recipe", recipe},
            {"training.images", number(training_images) + " " + number(validation_images)},
            {"training.place", number(epoch) + " " + number(batch) + " " + number(step)},
            {"training.sums", number(loss_sum) + " " + number(correct) + " " + number(seen) + " " + number(seconds)},
            {"training.schedule", schedule},
            {"training.best_epoch", number(best_epoch)},
            {"training.history", rows}};
  }

  /// Takes back what metadata() gave; other keys are passed over. Throws error where something is missing or damaged, and
  /// where the run was begun with other options than this state, saying which; then nothing has changed.
  void restore(const std::map<std::string, std::string>& metadata) {
    const auto value = [&](const std::string& key) -> const std::string& {
      const auto found = metadata.find("training." + key);
      if (found == metadata.end()) throw error("training_state: the metadata have no 'training." + key + "'");
      return found->second;
    };
    if (value("format") != "1") throw error("training_state: format '" + value("format") + "' is not known");
    const std::string difference = detail::recipe_difference(value("recipe"), recipe);
    if (!difference.empty()) {
      throw error("training_state: the run was begun with other options and cannot go on with these: " + difference);
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
      if (const double loss = rows.number(); loss >= 0) row.validation_loss = loss;
      if (const double share = rows.number(); share >= 0) row.validation_accuracy = share;
      row.seconds = rows.number();
      next.history.push_back(row);
    }
    if (next.history.size() != next.epoch || next.best_epoch > next.epoch) {
      throw error(detail::text("training_state: ", next.epoch, " epochs, a history of ", next.history.size(),
                               " and a best epoch ", next.best_epoch));
    }
    *this = std::move(next);
  }
};

}  // namespace deconvnet
