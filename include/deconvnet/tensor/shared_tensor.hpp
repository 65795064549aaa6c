// Weights: values to their users, one copy in memory until somebody writes.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>

#include <deconvnet/tensor/tensor.hpp>

namespace deconvnet::detail {

/// A tensor with value semantics whose copies share their elements until one of them is edited. Operators hold their
/// weights in it: copying a network or building the deconvnet of a pipeline costs no second set of weights.
template <scalar T, std::size_t N>
class shared_tensor {
 public:
  shared_tensor() : shared_(std::make_shared<content>()) {}
  explicit shared_tensor(tensor<T, N> values) : shared_(std::make_shared<content>(std::move(values))) {}

  // A move is a copy: an operator that was moved from keeps its weights instead of a null pointer.
  shared_tensor(const shared_tensor&) = default;
  shared_tensor& operator=(const shared_tensor&) = default;
  ~shared_tensor() = default;

  const tensor<T, N>& get() const { return shared_->values; }

  /// For writing: takes a copy of its own first where the elements are shared, and forgets what was made of them.
  tensor<T, N>& edit() {
    if (shared_.use_count() > 1) shared_ = std::make_shared<content>(shared_->values);
    shared_->derived = {};
    return shared_->values;
  }

  /// What make() makes of the elements, kept for all copies until they are edited. `slot`: 0 to 4, always for the same type.
  /// `usable` says whether what is there will do. Threads that ask at once wait for the one that makes it.
  template <class Derived, class Usable, class Make>
  std::shared_ptr<const Derived> derived(std::size_t slot, const Usable& usable, const Make& make) const {
    const std::lock_guard lock(shared_->mutex);
    auto known = std::static_pointer_cast<const Derived>(shared_->derived[slot]);
    if (known && usable(*known)) return known;
    known = std::make_shared<const Derived>(make());
    shared_->derived[slot] = known;
    return known;
  }

 private:
  struct content {
    content() = default;
    explicit content(tensor<T, N> elements) : values(std::move(elements)) {}

    tensor<T, N> values;
    std::mutex mutex;
    std::array<std::shared_ptr<const void>, 5> derived;
  };

  std::shared_ptr<content> shared_;
};

}  // namespace deconvnet::detail
