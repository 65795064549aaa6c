// Operators as a user might write them: one of every form that networks and pipelines accept, and some they do not.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

#include <deconvnet/network/node.hpp>

namespace deconvnet::testing {

/// A forward that returns its result, and nothing else.
struct twice {
  template <class X>
  auto operator()(const X& x) const {
    return 2 * x;
  }
};

/// With a reverse that reads nothing of the run.
struct negated {
  static constexpr std::string_view kind = "negated";
  static constexpr reverse_needs needs{};

  template <class X>
  auto operator()(const X& x) const {
    return -1 * x;
  }

  template <scalar T>
  tensor4<T> reverse(const tensor4<T>& signal, const reverse_context<T>&) const {
    return -1 * signal;
  }

  deconvnet::reach reach() const { return {}; }
};

/// Fills a result; its reverse reads its input, as an operator that declares no needs may.
struct squared {
  template <scalar T>
  void forward(const tensor4<T>& x, tensor4<T>& y) const {
    y = x * x;
  }

  template <scalar T>
  auto reverse(const tensor4<T>& signal, const reverse_context<T>& at) const {
    return tensor4<T>(2 * signal * at.input());
  }
};

/// Its reverse reads its output, and says so.
struct cubed {
  static constexpr reverse_needs needs{.input = false, .output = true, .sign = false};

  template <scalar T>
  void forward(const tensor4<T>& x, tensor4<T>& y) const {
    y = x * x * x;
  }

  template <scalar T>
  tensor4<T> reverse(const tensor4<T>& signal, const reverse_context<T>& at) const {
    auto result = at.output();  // 3 x^2 = 3 y^(2/3)
    for (std::size_t k = 0; k < result.size(); ++k) {
      const T root = std::cbrt(result.data()[k]);
      result.data()[k] = 3 * root * root * signal.data()[k];
    }
    return result;
  }
};

/// Two inputs, the result returned; one signal for each on the way down.
struct difference {
  static constexpr reverse_needs needs{};

  template <class X>
  auto operator()(const X& a, const X& b) const {
    return a - b;
  }

  template <scalar T>
  std::vector<tensor4<T>> reverse(const tensor4<T>& signal, const reverse_context<T>&) const {
    return {signal, tensor4<T>(-1 * signal)};
  }
};

/// Any number of inputs.
struct largest_of {
  template <scalar T>
  void forward(tensor_list<T> inputs, tensor4<T>& y) const {
    y = *inputs[0];
    for (const auto* x : inputs.subspan(1)) {
      for (std::size_t k = 0; k < y.size(); ++k) y.data()[k] = std::max(y.data()[k], x->data()[k]);
    }
  }

  shape4 output_shape(std::span<const shape4> inputs) const { return inputs[0]; }
};

/// A pool of its own that records switches: every second column.
struct every_second_column {
  static constexpr reverse_needs needs{};

  template <scalar T>
  void forward(const tensor4<T>& x, tensor4<T>& y, switches* record) const {
    y = tensor4<T>::from_shape({x.shape(0), x.shape(1), x.shape(2), x.shape(3) / 2});
    if (record) {
      record->input_shape = shape_of(x);
      record->places.resize(shape_of(y));
    }
    const std::size_t width = y.shape(3);
    for (std::size_t k = 0; k < y.size(); ++k) {
      const std::size_t row = k / width;
      y.data()[k] = x.data()[row * x.shape(3) + k % width * 2];
      if (record) record->places.data()[k] = static_cast<std::uint32_t>(row % x.shape(2) * x.shape(3) + k % width * 2);
    }
  }

  template <scalar T>
  tensor4<T> reverse(const tensor4<T>& signal, const reverse_context<T>& at) const {
    auto result = zeros<T>(at.input_shape());
    const std::size_t width = signal.shape(3);
    for (std::size_t k = 0; k < signal.size(); ++k) {
      result.data()[k / width * at.input_shape()[3] + at.recorded_switches->places.data()[k % width]] =
          signal.data()[k];
    }
    return result;
  }

  deconvnet::reach reach() const { return {.stride = {1, 2}}; }
};

/// A weight of its own, under a name that only it knows.
template <scalar T>
class gain {
 public:
  static constexpr std::string_view kind = "gain";
  static constexpr reverse_needs needs{};

  explicit gain(T factor) : factor_(tensor<T, 1>({1}, factor)) {}

  void forward(const tensor4<T>& x, tensor4<T>& y) const { y = factor_.get()(0) * x; }
  tensor4<T> reverse(const tensor4<T>& signal, const reverse_context<T>&) const { return factor_.get()(0) * signal; }
  shape4 output_shape(const shape4& in) const { return in; }

  template <class Self, class Visitor>
  static void visit_parameters(Self& self, Visitor&& visit) {
    visit("factor", self.factor_);
  }

 private:
  detail::shared_tensor<T, 1> factor_;
};

/// Throws on the way up as soon as an input is large.
struct fragile {
  template <scalar T>
  void forward(const tensor4<T>& x, tensor4<T>& y) const {
    for (const T value : x) {
      if (value > T(100)) throw std::runtime_error("too large");
    }
    y = x;
  }
};

/// Changes the number of images, which no operator may.
struct doubled_batch {
  template <scalar T>
  void forward(const tensor4<T>& x, tensor4<T>& y) const {
    y = zeros<T>({2 * x.shape(0), x.shape(1), x.shape(2), x.shape(3)});
  }
};

// No operators:
struct without_forward {
  void backward() const {}
};
struct takes_a_matrix {
  tensor<float, 2> operator()(const tensor<float, 2>& x) const { return x; }
};
struct changes_itself {
  tensor4<float> operator()(const tensor4<float>& x) { return x; }
};
struct cannot_be_copied {
  cannot_be_copied() = default;
  cannot_be_copied(cannot_be_copied&&) = default;
  tensor4<float> operator()(const tensor4<float>& x) const { return x; }
};

}  // namespace deconvnet::testing
