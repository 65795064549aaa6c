// What a classifier says: its scores, its probabilities, the class it predicts.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <deconvnet/network/model.hpp>

namespace deconvnet::detail {

/// The softmax that the network's output comes from, be it through layers that change no value; nothing where it is
/// none.
template <scalar T>
std::optional<std::size_t> final_softmax(const network<T>& net) {
  std::size_t i = net.output();
  while (true) {
    const auto kind = net.op(i).kind();
    if (kind == "softmax") return i;
    const bool passes = kind == "identity" || kind == "dropout" || kind == "flatten" || kind == "reshape";
    if (!passes || net.inputs(i)[0] == 0) return std::nullopt;
    i = net.inputs(i)[0] - 1;
  }
}

/// The layer that holds the scores of the classes: the one a final softmax reads, else the output. Throws error where
/// the softmax reads the network's input.
template <scalar T>
std::size_t score_layer(const network<T>& net) {
  const auto last = final_softmax(net);
  if (!last) return net.output();
  const std::size_t place = net.inputs(*last)[0];
  if (place == 0) throw error("the network's softmax reads its input: there is no layer of scores");
  return place - 1;
}

/// The number of classes of an output N x K x 1 x 1 (K may stand at another place). Throws shape_error where it is a
/// map of several places: no class of the whole picture is said there.
inline std::size_t class_count(const shape4& output) {
  const std::size_t classes = output[1] * output[2] * output[3];
  if (std::max({output[1], output[2], output[3]}) != classes) {
    throw shape_error("the output " + shape_text(output) +
                      " is a map, not one score for each class: N x classes x 1 x 1");
  }
  return classes;
}

/// Throws error for a class that the output does not have.
inline void check_label(const char* who, std::size_t label, std::size_t classes) {
  if (label >= classes)
    throw error(text(who, ": label ", label, " is out of range: the output has ", classes, " classes"));
}

/// The first of the largest scores. Throws error for a NaN.
template <scalar T>
std::size_t predicted_class(std::span<const T> scores) {
  std::size_t best = 0;
  for (std::size_t k = 0; k < scores.size(); ++k) {
    if (std::isnan(scores[k])) throw error(text("the score of class ", k, " is NaN"));
    if (scores[k] > scores[best]) best = k;
  }
  return best;
}

/// The probability of one class: the softmax of the scores, or, where the output comes from a softmax, the output
/// itself.
template <scalar T>
double probability_of(std::span<const T> output, std::size_t label, bool from_softmax) {
  if (from_softmax) return static_cast<double>(output[label]);
  const auto highest = static_cast<double>(*std::max_element(output.begin(), output.end()));
  double sum = 0;
  for (const T score : output) sum += std::exp(static_cast<double>(score) - highest);
  return std::exp(static_cast<double>(output[label]) - highest) / sum;
}

}  // namespace deconvnet::detail
