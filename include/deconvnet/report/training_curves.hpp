// How a training run went: loss and accuracy over its epochs as a picture.
#pragma once

#include <span>
#include <string>
#include <vector>

#include <deconvnet/report/figure.hpp>
#include <deconvnet/report/plot.hpp>
#include <deconvnet/training/training_options.hpp>

namespace deconvnet {

/// Two plots side by side, as RGB of 0..255: the mean cross-entropy (natural logarithm) and the accuracy in percent after
/// each epoch, of the training images as they were met and, where there is one, of the validation set. An epoch without
/// validation leaves a gap in that curve. Throws what plot throws.
inline tensor<float, 3> training_curves(std::span<const training_row> history, const std::string& title = {}) {
  plot_curve loss{"training", {}, {}};
  plot_curve accuracy{"training", {}, {}};
  plot_curve validation_loss{"validation", {}, {}};
  plot_curve validation_accuracy{"validation", {}, {}};
  const auto put = [](plot_curve& curve, std::size_t epoch, double value) {
    curve.x.push_back(static_cast<double>(epoch));
    curve.y.push_back(value);
  };
  for (const auto& row : history) {
    put(loss, row.epoch, row.loss);
    put(accuracy, row.epoch, 100 * row.accuracy);
    if (row.validation_loss) put(validation_loss, row.epoch, *row.validation_loss);
    if (row.validation_accuracy) put(validation_accuracy, row.epoch, 100 * *row.validation_accuracy);
  }
  const auto drawn = [&](const plot_curve& training, const plot_curve& validation, const std::string& label) {
    std::vector<plot_curve> curves{training};
    if (!validation.x.empty()) curves.push_back(validation);
    return plot(curves, {.title = label, .x_label = "epoch", .y_label = label, .height = 420, .width = 700});
  };
  return figure({{drawn(loss, validation_loss, "cross-entropy"), drawn(accuracy, validation_accuracy, "accuracy in %")}},
                {.title = title});
}

}  // namespace deconvnet
