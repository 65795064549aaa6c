// How weights begin.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <random>
#include <string_view>
#include <vector>

#include <deconvnet/network/network.hpp>

namespace deconvnet {

/// `normal`: standard deviation 0.01, the paper's scale of 1e-2 (section 3). `he`: sqrt(2 / fan-in), where fan-in is the
/// number of inputs one output sums over; for networks too deep to learn from 0.01.
enum class initialization { normal, he };

namespace detail {

/// Standard normal numbers by Box and Muller: std::normal_distribution gives other numbers with other libraries.
class normal_numbers {
 public:
  explicit normal_numbers(std::uint64_t seed) : engine_(seed) {}

  double operator()() {
    constexpr double scale = 1.0 / 9007199254740992.0;  // 2^-53
    const double u = (static_cast<double>(engine_() >> 11) + 0.5) * scale;
    const double v = static_cast<double>(engine_() >> 11) * scale;
    return std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * v);
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace detail

/// Sets every weight of convolutions and fully connected layers to normal random numbers of mean 0, every bias to 0, and
/// batch normalization to the identity. What an operator calls otherwise (the constants of scale_shift, a user's own) stays.
/// The same seed gives the same weights.
template <scalar T>
void initialize(network<T>& net, std::uint64_t seed, initialization how = initialization::normal) {
  detail::normal_numbers next(seed);
  for (const auto& p : net.parameters()) {
    const std::string_view kind = std::string_view(p.name).substr(p.name.rfind('.') + 1);
    const bool one = kind == "weight" || kind == "running_var";
    if (!one && kind != "bias" && kind != "running_mean") continue;
    const std::vector<std::size_t> shape = p.shape;
    const auto values = net.edit_parameter(p.name);
    if (kind == "weight" && shape.size() > 1) {
      const double fan_in = static_cast<double>(values.size()) / static_cast<double>(shape[0]);
      const double deviation = how == initialization::he ? std::sqrt(2 / fan_in) : 0.01;
      for (T& value : values) value = static_cast<T>(deviation * next());
    } else {
      for (T& value : values) value = one ? T(1) : T(0);
    }
  }
}

}  // namespace deconvnet
