// The loss that classifiers are trained with.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include <deconvnet/tensor/tensor.hpp>

namespace deconvnet {

/// What a batch came to: the mean loss per image, and how many images have their largest logit at the label (ties: the
/// first).
struct batch_result {
  double loss = 0;
  std::size_t correct = 0;
};

/// The mean over a batch of -log softmax(logits)[label]. logits: N x C x 1 x 1; labels: N of 0 .. C - 1. `gradient`, where
/// not null, takes the derivative by the logits, (softmax - one at the label) / N. Throws shape_error where the logits are
/// not N x C x 1 x 1 or the labels not N; error for a label that is no class.
template <scalar T>
batch_result cross_entropy(const tensor4<T>& logits, std::span<const std::size_t> labels, tensor4<T>* gradient = nullptr) {
  const std::size_t images = logits.shape(0);
  const std::size_t classes = logits.shape(1);
  if (logits.shape(2) != 1 || logits.shape(3) != 1 || labels.size() != images || images == 0 || classes == 0) {
    throw shape_error(detail::text("cross_entropy: ", labels.size(), " labels for logits of ", shape_text(logits.shape()),
                                   ": N x classes x 1 x 1 and N labels are needed"));
  }
  if (gradient) resize(*gradient, shape_of(logits));
  batch_result result;
  std::vector<double> powers(classes);
  for (std::size_t n = 0; n < images; ++n) {
    const auto row = image_span(logits, n);
    if (labels[n] >= classes) {
      throw error(detail::text("cross_entropy: label ", labels[n], " of image ", n, " is none of ", classes, " classes"));
    }
    const auto largest = std::max_element(row.begin(), row.end());
    if (static_cast<std::size_t>(largest - row.begin()) == labels[n]) ++result.correct;
    double sum = 0;
    for (std::size_t c = 0; c < classes; ++c) {
      // Subtracting the largest: exp cannot overflow, and the sum is at least 1.
      powers[c] = std::exp(static_cast<double>(row[c]) - static_cast<double>(*largest));
      sum += powers[c];
    }
    result.loss += std::log(sum) - (static_cast<double>(row[labels[n]]) - static_cast<double>(*largest));
    if (!gradient) continue;
    const auto to = image_span(*gradient, n);
    for (std::size_t c = 0; c < classes; ++c) {
      const double wanted = c == labels[n] ? 1 : 0;
      to[c] = static_cast<T>((powers[c] / sum - wanted) / static_cast<double>(images));
    }
  }
  result.loss /= static_cast<double>(images);
  return result;
}

}  // namespace deconvnet
