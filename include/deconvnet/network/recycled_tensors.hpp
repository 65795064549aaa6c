// Tensors whose values nobody needs any more, for the next layers of the same size.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include <deconvnet/tensor/tensor.hpp>

namespace deconvnet::detail {

/// One thread's. The system hands out fresh memory page by page, at the price of a fifth of a small network's run; a run of
/// the same shapes finds here what the last one let go of.
template <scalar T>
class recycled_tensors {
 public:
  static recycled_tensors& of_this_thread() {
    static thread_local recycled_tensors tensors;
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

  void give(tensor4<T>&& one) {
    constexpr std::size_t most_bytes = std::size_t{1} << 24;
    // What was moved from has a shape still, but no elements.
    if (one.size() == 0 || one.storage().size() != one.size() || (elements_ + one.size()) * sizeof(T) > most_bytes) return;
    elements_ += one.size();
    kept_.push_back(std::move(one));
  }

 private:
  std::vector<tensor4<T>> kept_;
  std::size_t elements_ = 0;
};

}  // namespace deconvnet::detail
