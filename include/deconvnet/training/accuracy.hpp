// How often a network is right: on one view of each image, or on ten (the paper's section 3).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <span>
#include <stop_token>
#include <vector>

#include <deconvnet/network/network.hpp>
#include <deconvnet/training/batches.hpp>

namespace deconvnet {

/// `.crop`: the size of a view, 0: the picture. `.ten_crop`: four corners, centre, and the same mirrored, instead of the
/// centre alone. `.batch`: images that go through the network at once; it changes the memory, not the result.
struct accuracy_options {
  std::size_t batch = 128;
  deconvnet::normalization normalization{};
  extent2d crop{0, 0};
  bool ten_crop = false;
  std::size_t threads = 0;
  std::function<void(std::size_t done, std::size_t total)> progress{};
  std::stop_token stop{};
};

/// `.accuracy`: the share of `.images` whose most probable class (of equal ones the first) is the label; `.loss`: their
/// mean of -log p(label), natural. `.complete`: false where it was stopped; then they are about the first `.images`.
struct accuracy_result {
  double accuracy = 0;
  double loss = 0;
  std::size_t correct = 0;
  std::size_t images = 0;
  bool complete = true;
};

namespace detail {

/// Told apart from other errors: a run whose validation meets it has diverged.
class nonfinite_output final : public error {
 public:
  using error::error;
};

/// Adds the softmax of one output to `sum`, or the output itself where it is one already.
template <scalar T>
void add_probabilities(std::span<const T> output, bool is_softmax, std::vector<double>& sum) {
  if (is_softmax) {
    for (std::size_t c = 0; c < output.size(); ++c) sum[c] += static_cast<double>(output[c]);
    return;
  }
  const auto highest = static_cast<double>(*std::max_element(output.begin(), output.end()));
  std::vector<double> powers;
  double total = 0;
  for (const T logit : output) total += powers.emplace_back(std::exp(static_cast<double>(logit) - highest));
  for (std::size_t c = 0; c < output.size(); ++c) sum[c] += powers[c] / total;
}

/// Adds one image to the result.
template <scalar T>
void score_image(std::span<const T> outputs, std::size_t views, std::size_t label, bool is_softmax, accuracy_result& result) {
  const std::size_t classes = outputs.size() / views;
  if (first_nonfinite(outputs) != outputs.size()) throw nonfinite_output("the network's output is not finite");
  if (label >= classes) throw error(text("the label ", label, " is none of the network's ", classes, " classes"));
  std::vector<double> mean(classes);
  for (std::size_t v = 0; v < views; ++v) add_probabilities(outputs.subspan(v * classes, classes), is_softmax, mean);
  for (double& p : mean) p /= static_cast<double>(views);
  const auto best = static_cast<std::size_t>(std::max_element(mean.begin(), mean.end()) - mean.begin());
  if (best == label) ++result.correct;
  ++result.images;
  // A probability that underflows would make the mean infinite: a sure mistake counts 745, as many as a double can tell.
  result.loss -= std::log(std::max(mean[label], 5e-324));
}

}  // namespace detail

/// Accuracy and mean loss of a network over a set; over ten views it is the mean of their softmax outputs that decides.
/// An output that comes from a softmax is taken as it is. Does not depend on the number of threads. Throws error where
/// the set has no images, and, with the image's number, for a label that is no class, an output that is not finite or not
/// N x classes x 1 x 1, and what image(i) throws.
template <scalar T, labelled_images Images>
accuracy_result accuracy(const network<T>& net, const Images& images, const accuracy_options& options = {}) {
  const std::size_t count = images.size();
  const std::size_t views = options.ten_crop ? 10 : 1;
  const std::size_t size = std::max<std::size_t>(1, options.batch / views);
  const std::size_t total = batches<T, Images>::count(count, size);
  const bool is_softmax = net.op(net.output()).kind() == "softmax";
  const auto views_of = [&](const extent2d& picture, std::size_t) {
    return options.ten_crop ? ten_views(picture, options.crop) : std::vector{centre_view(picture, options.crop)};
  };
  detail::work_ahead<image_batch<T>> queue(
      0, total, detail::reader_threads(options.threads), 3, [&](std::size_t number, image_batch<T>& batch) {
        batch.indices.clear();
        for (std::size_t i = number * size; i < std::min(count, (number + 1) * size); ++i) batch.indices.push_back(i);
        detail::fill_batch(images, options.normalization, border::zero, views_of, batch);
      });
  accuracy_result result;
  image_batch<T> batch;
  while (!(result.complete = result.images == count) && !options.stop.stop_requested()) {
    queue.take(batch);
    const tensor4<T> output = net(batch.images);
    if (output.shape(2) != 1 || output.shape(3) != 1) {
      throw shape_error("accuracy: the output is " + shape_text(output.shape()) + ", not N x classes x 1 x 1");
    }
    const std::size_t each = views * output.shape(1);
    for (std::size_t k = 0; k < batch.indices.size(); ++k) {
      try {
        detail::score_image(std::span<const T>(output.data() + k * each, each), views, batch.labels[k], is_softmax, result);
      } catch (const detail::nonfinite_output& problem) {
        throw detail::nonfinite_output(detail::text("image ", batch.indices[k], ": ", problem.what()));
      } catch (const error& problem) {
        throw error(detail::text("image ", batch.indices[k], ": ", problem.what()));
      }
    }
    if (options.progress) options.progress(result.images, count);
  }
  if (result.images > 0) {
    result.accuracy = static_cast<double>(result.correct) / static_cast<double>(result.images);
    result.loss /= static_cast<double>(result.images);
  }
  return result;
}

}  // namespace deconvnet
