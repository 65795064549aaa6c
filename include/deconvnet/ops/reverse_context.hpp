// What an operator is told when a signal comes down through it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include <deconvnet/ops/rule.hpp>
#include <deconvnet/ops/sign_bits.hpp>
#include <deconvnet/ops/switches.hpp>
#include <deconvnet/tensor/tensor.hpp>

namespace deconvnet {

/// What an operator's reverse reads of the forward run; a trace that keeps only some layers keeps this much of the
/// others. An operator declares it as `static constexpr reverse_needs needs`; one that has a reverse and declares
/// nothing is given its input and its output.
struct reverse_needs {
  bool input = false;
  bool output = false;
  bool sign = false;  // of the output: one bit per activation
};

/// One step of the way down, as an operator's `reverse(signal, context)` sees it. The signal is a batch of M pictures;
/// picture m belongs to image images[m] of the recorded run.
template <scalar T>
struct reverse_context {
  rule how = rule::deconvnet;
  std::vector<shape4> input_shapes;                       // of each input, with M as the batch extent
  std::span<const std::size_t> images;                    // M entries
  std::span<const tensor4<T>* const> recorded_inputs{};   // null where the run did not keep them
  const tensor4<T>* recorded_output = nullptr;            // null where the run did not keep it
  const sign_bits* recorded_signs = nullptr;              // null where recorded_output is there
  const deconvnet::switches* recorded_switches = nullptr; // of a max-pool

  const shape4& input_shape(std::size_t k = 0) const {
    if (k >= input_shapes.size()) throw error(detail::text("the reverse is not told the shape of input ", k));
    return input_shapes[k];
  }

  /// Input k of the run for every picture of the signal: M x C x H x W.
  tensor4<T> input(std::size_t k = 0) const {
    return gather(k < recorded_inputs.size() ? recorded_inputs[k] : nullptr, "input");
  }

  /// The output of the run for every picture of the signal: M x C x H x W.
  tensor4<T> output() const { return gather(recorded_output, "output"); }

 private:
  tensor4<T> gather(const tensor4<T>* recorded, const char* what) const {
    if (!recorded) throw error(detail::text("the run did not keep the ", what, " that this reverse needs"));
    auto result = uninitialized<T>({images.size(), recorded->shape(1), recorded->shape(2), recorded->shape(3)});
    for (std::size_t m = 0; m < images.size(); ++m) {
      const auto from = image_span(*recorded, images[m]);
      std::copy(from.begin(), from.end(), image_span(result, m).begin());
    }
    return result;
  }
};

}  // namespace deconvnet
