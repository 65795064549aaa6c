// Weights: values to their users, one copy in memory until somebody writes.
#pragma once

#include <memory>
#include <utility>

#include <deconvnet/tensor/tensor.hpp>

namespace deconvnet::detail {

/// A tensor with value semantics whose copies share their elements until one of them is edited. Operators hold their
/// weights in it: copying a network or building the deconvnet of a pipeline costs no second set of weights.
template <scalar T, std::size_t N>
class shared_tensor {
 public:
  shared_tensor() : values_(std::make_shared<tensor<T, N>>()) {}
  explicit shared_tensor(tensor<T, N> values) : values_(std::make_shared<tensor<T, N>>(std::move(values))) {}

  // A move is a copy: an operator that was moved from keeps its weights instead of a null pointer.
  shared_tensor(const shared_tensor&) = default;
  shared_tensor& operator=(const shared_tensor&) = default;
  ~shared_tensor() = default;

  const tensor<T, N>& get() const { return *values_; }

  /// For writing: takes a copy of its own first where the elements are shared.
  tensor<T, N>& edit() {
    if (values_.use_count() > 1) values_ = std::make_shared<tensor<T, N>>(*values_);
    return *values_;
  }

 private:
  std::shared_ptr<tensor<T, N>> values_;
};

}  // namespace deconvnet::detail
