// Random numbers that are a function of what they are for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>

namespace deconvnet::detail {

/// The last steps of SplitMix64 (Steele, Lea, Flood, 2014): every bit of the result hangs on every bit of the number.
constexpr std::uint64_t scrambled(std::uint64_t number) {
  number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9u;
  number = (number ^ (number >> 27)) * 0x94d049bb133111ebu;
  return number ^ (number >> 31);
}

/// The random numbers of one key, (seed, epoch, image) say. Whoever needs them makes them from the key: what they are
/// depends on no thread, no order of calls and no number drawn elsewhere, so a run can be resumed anywhere.
class keyed_numbers {
 public:
  constexpr keyed_numbers(std::initializer_list<std::uint64_t> key) {
    for (const std::uint64_t part : key) state_ = scrambled(state_ + step) ^ scrambled(part + 0x2545f4914f6cdd1du);
  }

  constexpr std::uint64_t operator()() { return scrambled(state_ += step); }

  /// Uniform in 0 ... bound - 1, bound > 0: numbers past the last whole multiple of the bound are drawn again.
  constexpr std::uint64_t below(std::uint64_t bound) {
    const std::uint64_t rest = (0 - bound) % bound;  // 2^64 modulo the bound
    std::uint64_t number = (*this)();
    while (number < rest) number = (*this)();
    return number % bound;
  }

 private:
  static constexpr std::uint64_t step = 0x9e3779b97f4a7c15u;
  std::uint64_t state_ = 0;
};

}  // namespace deconvnet::detail
