// Which activations dropout drops: a function of numbers, not a state.
#pragma once

#include <cstddef>
#include <cstdint>

#include <deconvnet/tensor/error.hpp>

namespace deconvnet {

/// The mask of one dropout layer in one training step: element k of its N x C x H x W input, counted row-major, is kept with
/// probability 1 - p, and then multiplied by factor() = 1 / (1 - p), so that inference needs no correction. A function of
/// (seed, step, layer, k) alone: nothing is stored, the way down asks again, and neither threads nor a resumed run change it.
class dropout_mask {
 public:
  dropout_mask(double probability, std::uint64_t seed, std::uint64_t step, std::size_t layer)
      : key_(mix(mix(mix(seed) ^ step) ^ layer)), limit_(probability * 18446744073709551616.0), factor_(1 / (1 - probability)) {
    if (!(probability >= 0 && probability < 1)) {
      throw error(detail::text("dropout: the probability ", probability, " is not in [0, 1)"));
    }
  }

  bool keeps(std::size_t k) const { return static_cast<double>(mix(key_ + k)) >= limit_; }
  double factor() const { return factor_; }

 private:
  /// The output function of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
  static std::uint64_t mix(std::uint64_t z) {
    z += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

  std::uint64_t key_;
  double limit_;
  double factor_;
};

}  // namespace deconvnet
