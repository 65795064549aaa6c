// Tensors whose values nobody needs any more, for the next layers of the same size.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include <deconvnet/tensor/tensor.hpp>

namespace deconvnet::detail {

/// One thread's. The system hands out fresh memory page by page, at the price of a fifth of a small network's run and an eighth
/// of a projection; a run of the same shapes finds here what the last one let go of.
template <scalar T>
class recycled_tensors {
 public:
  explicit recycled_tensors(std::size_t most_bytes) : most_bytes_(most_bytes) {}

  /// For values on the way up. Counted in what VGG-16 may take (rules/memory.cpp).
  static recycled_tensors& of_this_thread() {
    static thread_local recycled_tensors tensors(std::size_t{1} << 24);
    return tensors;
  }

  /// For signals on the way down, two of the largest of VGG-16 at least.
  static recycled_tensors& signals_of_this_thread() {
    static thread_local recycled_tensors tensors(std::size_t{1} << 25);
    return tensors;
  }

  /// A tensor of so many elements, whatever their values and its shape, or an empty one.
  tensor4<T> take(std::size_t size) {
    for (auto& one : kept_) {
      if (one.size() != size) continue;
      std::swap(one, kept_.back());
      tensor4<T> found = std::move(kept_.back());
      kept_.pop_back();
      elements_ -= size;
      return found;
    }
    return {};
  }

  /// Where there is too much, the smallest go: they cost the least to have anew.
  void give(tensor4<T>&& one) {
    // What was moved from has a shape still, but no elements.
    if (one.size() == 0 || one.storage().size() != one.size() || one.size() * sizeof(T) > most_bytes_) return;
    elements_ += one.size();
    kept_.push_back(std::move(one));
    while (elements_ * sizeof(T) > most_bytes_) {
      const auto smallest = std::min_element(kept_.begin(), kept_.end(), [](const auto& a, const auto& b) { return a.size() < b.size(); });
      elements_ -= smallest->size();
      std::swap(*smallest, kept_.back());
      kept_.pop_back();
    }
  }

 private:
  std::size_t most_bytes_;
  std::vector<tensor4<T>> kept_;
  std::size_t elements_ = 0;
};

/// uninitialized(), in the memory of a signal that was let go where there is one of that size.
template <scalar T>
tensor4<T> recycled_signal(const shape4& shape) {
  tensor4<T> result = recycled_tensors<T>::signals_of_this_thread().take(element_count(shape));
  resize(result, shape);
  return result;
}

/// Lets go of a signal.
template <scalar T>
void recycle_signal(tensor4<T>&& signal) {
  recycled_tensors<T>::signals_of_this_thread().give(std::move(signal));
}

}  // namespace deconvnet::detail
