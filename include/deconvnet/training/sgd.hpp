// Stochastic gradient descent with momentum and weight decay (the paper's section 3).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <deconvnet/kernels/parallel_for.hpp>
#include <deconvnet/network/network.hpp>
#include <deconvnet/training/backpropagation.hpp>

namespace deconvnet {

/// `.momentum`: the paper's. `.weight_decay`: not fixed by the paper; AlexNet's. `.decay_biases`: false leaves parameters of
/// one dimension undecayed: biases, and batch normalization's gamma and beta; true is what PyTorch does.
struct sgd_options {
  double momentum = 0.9;
  double weight_decay = 5e-4;
  bool decay_biases = true;
};

namespace detail {

template <scalar T>
struct sgd_factors {
  T rate, momentum, decay;
};

/// v = momentum v + (g + decay w), w -= rate v. Blocks of a fixed size: at -O2 g++ 12 makes vector code of no other loop.
template <scalar T>
void sgd_update(T* __restrict w, T* __restrict v, const T* __restrict g, std::size_t count, const sgd_factors<T>& by) {
  constexpr std::size_t block = 16;
  std::size_t k = 0;
  for (; k + block <= count; k += block) {
    for (std::size_t j = 0; j < block; ++j) {
      v[k + j] = by.momentum * v[k + j] + (g[k + j] + by.decay * w[k + j]);
      w[k + j] -= by.rate * v[k + j];
    }
  }
  for (; k < count; ++k) {
    v[k] = by.momentum * v[k] + (g[k] + by.decay * w[k]);
    w[k] -= by.rate * v[k];
  }
}

}  // namespace detail

/// v = m v + (g + d w), then w -= r v, for each learned parameter w with gradient g, momentum m, weight decay d and
/// learning rate r: torch.optim.SGD with dampening 0, nesterov off. Statistics (batch normalization's) become
/// 0.9 statistic + 0.1 observed, constants stay. The bits do not depend on the number of threads.
///
/// A value: a copy goes on by itself from where the original is.
template <scalar T>
class sgd {
 public:
  using value_type = T;

  /// Momentum buffers of zeros for the parameters of `net`. Throws error for a momentum outside [0, 1), a negative or
  /// infinite weight decay.
  explicit sgd(const network<T>& net, const sgd_options& options = {}) : options_(options) {
    if (!(options.momentum >= 0 && options.momentum < 1)) {
      throw error(detail::text("sgd: the momentum ", options.momentum, " is not in [0, 1)"));
    }
    if (!(options.weight_decay >= 0) || !std::isfinite(options.weight_decay)) {
      throw error(detail::text("sgd: the weight decay ", options.weight_decay, " is not a number from 0 on"));
    }
    for (const auto& p : net.parameters()) buffers_.push_back({p.name, p.shape, std::vector<T>(p.values.size())});
  }

  const sgd_options& options() const { return options_; }

  /// One update. `gradients`: one for each of net.parameters(), in that order. Throws error where they or the network are
  /// not those the buffers were made for, and for a learning rate that is negative or not finite.
  void operator()(network<T>& net, const std::vector<parameter_gradient<T>>& gradients, double learning_rate) {
    if (!(learning_rate >= 0) || !std::isfinite(learning_rate)) {
      throw error(detail::text("sgd: the learning rate is ", learning_rate));
    }
    check(net, gradients);
    for (std::size_t k = 0; k < buffers_.size(); ++k) {
      const auto& gradient = gradients[k];
      if (gradient.role == parameter_role::constant) continue;
      const bool decays = options_.decay_biases || buffers_[k].shape.size() > 1;
      const detail::sgd_factors<T> by{static_cast<T>(learning_rate), static_cast<T>(options_.momentum),
                                      static_cast<T>(decays ? options_.weight_decay : 0.0)};
      T* w = net.edit_parameter(gradient.name).data();
      T* v = buffers_[k].values.data();
      const T* g = gradient.values.data();
      parallel_pieces(gradient.values.size(), [&](std::size_t first, std::size_t count) {
        if (gradient.role == parameter_role::learned) {
          detail::sgd_update(w + first, v + first, g + first, count, by);
        } else {
          for (std::size_t j = first; j < first + count; ++j) w[j] = T(0.9) * w[j] + T(0.1) * g[j];
        }
      });
    }
  }

  /// The momentum buffers by the names of the weights they belong to (those of statistics and constants stay zero).
  std::vector<parameter<T>> parameters() const {
    std::vector<parameter<T>> list;
    for (const auto& one : buffers_) list.push_back({one.name, one.shape, one.values});
    return list;
  }

  /// Overwrites the momentum buffer of a weight. Throws error for an unknown name, shape_error for another number of values.
  void set_parameter(const std::string& name, std::span<const T> values) {
    const auto found = std::find_if(buffers_.begin(), buffers_.end(), [&](const auto& one) { return one.name == name; });
    if (found == buffers_.end()) throw error("sgd: there is no parameter '" + name + "'");
    if (found->values.size() != values.size()) {
      throw shape_error(detail::text("sgd: '", name, "' has ", found->values.size(), " values, not ", values.size()));
    }
    std::copy(values.begin(), values.end(), found->values.begin());
  }

 private:
  struct buffer {
    std::string name;
    std::vector<std::size_t> shape;
    std::vector<T> values;
  };

  void check(const network<T>& net, const std::vector<parameter_gradient<T>>& gradients) const {
    const auto parameters = net.parameters();
    if (parameters.size() != buffers_.size() || gradients.size() != buffers_.size()) {
      throw error(detail::text("sgd: ", parameters.size(), " parameters and ", gradients.size(), " gradients for ",
                               buffers_.size(), " momentum buffers"));
    }
    for (std::size_t k = 0; k < buffers_.size(); ++k) {
      const auto& [name, shape, values] = buffers_[k];
      const bool fits = gradients[k].role == parameter_role::constant || gradients[k].values.size() == values.size();
      if (parameters[k].name != name || gradients[k].name != name || parameters[k].values.size() != values.size() || !fits) {
        throw error(detail::text("sgd: parameter '", parameters[k].name, "' of ", parameters[k].values.size(),
                                 " values and gradient '", gradients[k].name, "' of ", gradients[k].values.size(),
                                 " for the momentum buffer '", name, "' of ", values.size()));
      }
    }
  }

  sgd_options options_;
  std::vector<buffer> buffers_;
};

}  // namespace deconvnet
