// A network's output alone, for one image or many: least memory, and maps that stay in the caches from layer to layer.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <deconvnet/kernels/parallel_for.hpp>
#include <deconvnet/network/evaluation.hpp>
#include <deconvnet/network/identity.hpp>

namespace deconvnet::detail {

/// What a thread keeps of the network it ran last: which layers to run, how large their values were.
template <scalar T>
struct output_memory {
  std::optional<network_identity> made_for;
  std::size_t output = 0;
  std::size_t joined = 0;  // the value for which the images of a batch come together: the first fully connected layer's input
  trace_plan below, above;
  std::vector<trace_record<T>> records;
  tensor4<T> some;

  template <class Network>
  void prepare(const Network& net) {
    if (made_for && made_for->same_layers(net.identity()) && output == net.output()) return;
    records.clear();
    const std::vector<plan_step> steps = net.plan_steps();
    joined = joining_value(net, steps);
    below = make_plan(steps, {joined - 1}, false);
    above = make_plan(steps, {net.output()}, false);
    made_for = net.identity();
    output = net.output();
  }

 private:
  /// Above it no layer reads anything from below it.
  template <class Network>
  static std::size_t joining_value(const Network& net, const std::vector<plan_step>& steps) {
    const std::size_t end = net.output() + 1;
    for (std::size_t layer = 0; layer < end; ++layer) {
      if (net.op(layer).kind() != "linear" || steps[layer].inputs[0] == 0) continue;
      const std::size_t value = steps[layer].inputs[0];
      const auto stands_on_it = [&](const plan_step& step) {
        return std::all_of(step.inputs.begin(), step.inputs.end(), [&](std::size_t v) { return v >= value; });
      };
      const auto first = steps.begin() + static_cast<std::ptrdiff_t>(value);
      if (std::all_of(first, steps.begin() + static_cast<std::ptrdiff_t>(end), stands_on_it)) return value;
      break;
    }
    return end;
  }
};

/// This thread's, one per purpose, for as long as one of these lives: a layer of a user's own may run another network
/// meanwhile.
template <scalar T, class Purpose>
class borrowed_output_memory {
 public:
  borrowed_output_memory() : memory_(std::exchange(kept(), {})) {}
  ~borrowed_output_memory() { kept() = std::move(memory_); }
  borrowed_output_memory(const borrowed_output_memory&) = delete;
  borrowed_output_memory& operator=(const borrowed_output_memory&) = delete;
  output_memory<T>* operator->() { return &memory_; }

 private:
  static output_memory<T>& kept() {
    static thread_local output_memory<T> memory;
    return memory;
  }

  output_memory<T> memory_;
};

/// Images [first, first + count) of x up to the joining value, into `joined`, which takes its shape at the first call.
template <scalar T, class Network>
void evaluate_below(const Network& net, const tensor4<T>& x, std::size_t first, std::size_t count, tensor4<T>& joined) {
  borrowed_output_memory<T, struct part_of_a_batch> memory;
  memory->prepare(net);
  const tensor4<T>* images = &x;
  if (count != x.shape(0)) {
    resize(memory->some, {count, x.shape(1), x.shape(2), x.shape(3)});
    std::copy_n(image_span(x, first).data(), memory->some.size(), memory->some.data());
    images = &memory->some;
  }
  evaluate(net, *images, memory->below, memory->records);
  const tensor4<T>& value = memory->records[memory->joined].value;
  if (joined.size() == 0) {
    joined = recycled_tensors<T>::of_this_thread().take(value.size() / count * x.shape(0));
    resize(joined, {x.shape(0), value.shape(1), value.shape(2), value.shape(3)});
  }
  std::copy_n(value.data(), value.size(), image_span(joined, first).data());
}

/// The output of a network for a batch. Bits depend neither on the batch nor on how it is cut.
template <scalar T, class Network>
tensor4<T> evaluate_output(const Network& net, const tensor4<T>& x) {
  const std::size_t images = x.shape(0);
  borrowed_output_memory<T, struct whole_batch> memory;
  memory->prepare(net);
  const std::size_t output = net.output() + 1;
  if (images == 1) {
    evaluate(net, x, memory->above, memory->records);
    return std::exchange(memory->records[output].value, {});
  }
  // So many that narrow maps fill the kernels' registers and wide ones stay in the caches.
  constexpr std::size_t most_pixels = std::size_t{1} << 17;
  const std::size_t at_once = std::clamp<std::size_t>(most_pixels / std::max<std::size_t>(1, x.size() / images), 1, 16);
  tensor4<T> joined;
  const std::size_t first = std::min(images, at_once);
  evaluate_below(net, x, 0, first, joined);
  parallel_for((images - first + at_once - 1) / at_once, [&](std::size_t k) {
    const std::size_t begin = first + k * at_once;
    evaluate_below(net, x, begin, std::min(at_once, images - begin), joined);
  });
  if (memory->joined == output) return joined;
  auto& records = memory->records;
  records.resize(net.size() + 1);
  records[memory->joined].value = std::move(joined);
  records[memory->joined].shape = shape_of(records[memory->joined].value);
  evaluate(net, x, memory->above, records, memory->joined);
  return std::exchange(records[output].value, {});
}

}  // namespace deconvnet::detail
