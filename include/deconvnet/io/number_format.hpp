// Numbers as files store them: either byte order, half precision and bfloat16 besides what the machine computes with.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace deconvnet::detail {

/// IEEE 754 binary16, as bits: 1 sign, 5 exponent, 10 fraction.
struct half {
  std::uint16_t bits = 0;

  explicit operator float() const {
    const std::uint32_t sign = (bits & 0x8000u) << 16;
    const std::uint32_t exponent = (bits >> 10) & 0x1fu;
    const std::uint32_t fraction = bits & 0x3ffu;
    if (exponent == 0) {  // zero and subnormals: fraction * 2^-24, exact in float
      const float magnitude = std::ldexp(static_cast<float>(fraction), -24);
      return sign != 0 ? -magnitude : magnitude;
    }
    const std::uint32_t wide = exponent == 31 ? 255u : exponent + 112u;
    return std::bit_cast<float>(sign | (wide << 23) | (fraction << 13));
  }

  /// Rounds to nearest, ties to even; what passes 65504 by half a step becomes infinity.
  static half from(double value) {
    const auto sign = static_cast<std::uint16_t>(std::signbit(value) ? 0x8000u : 0u);
    if (std::isnan(value)) return {static_cast<std::uint16_t>(sign | 0x7e00u)};
    const double magnitude = std::fabs(value);
    if (magnitude >= 65520.0) return {static_cast<std::uint16_t>(sign | 0x7c00u)};
    // The step between neighbours is 2^(exponent - 10), never finer than 2^-24: count in steps, and carries from the
    // fraction into the exponent come out right by themselves.
    const int exponent = magnitude < 0x1p-14 ? -14 : std::ilogb(magnitude);
    const auto steps = static_cast<std::uint32_t>(std::nearbyint(std::ldexp(magnitude, 10 - exponent)));
    const std::uint32_t base = static_cast<std::uint32_t>(exponent + 14) << 10;
    return {static_cast<std::uint16_t>(sign | (base + steps))};
  }
};

/// bfloat16: the upper half of a float.
struct bfloat16 {
  std::uint16_t bits = 0;
  explicit operator float() const { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }
};

/// Reads a `Stored` from any address, in the given byte order.
template <class Stored>
Stored read_number(const std::byte* address, std::endian order) {
  std::array<std::byte, sizeof(Stored)> bytes;
  std::memcpy(bytes.data(), address, sizeof(Stored));
  if (order != std::endian::native) std::reverse(bytes.begin(), bytes.end());
  return std::bit_cast<Stored>(bytes);
}

/// The opposite of read_number, at the end of `bytes`.
template <class Stored>
void append_number(std::vector<std::byte>& bytes, Stored value, std::endian order) {
  auto image = std::bit_cast<std::array<std::byte, sizeof(Stored)>>(value);
  if (order != std::endian::native) std::reverse(image.begin(), image.end());
  bytes.insert(bytes.end(), image.begin(), image.end());
}

/// A stored number as a T. Floating-point T takes everything (the nearest value).
template <class T, class Stored>
T converted(Stored value) {
  if constexpr (std::same_as<Stored, half> || std::same_as<Stored, bfloat16>) {
    return static_cast<T>(static_cast<float>(value));
  } else {
    return static_cast<T>(value);
  }
}

/// Converts `count` numbers that lie one after the other at `source`.
template <class Stored, class T>
void convert_numbers(const std::byte* source, std::endian order, std::size_t count, T* destination) {
  if constexpr (std::same_as<Stored, T>) {
    if (order == std::endian::native) {
      if (count != 0) std::memcpy(destination, source, count * sizeof(T));
      return;
    }
  }
  for (std::size_t k = 0; k < count; ++k) {
    destination[k] = converted<T>(read_number<Stored>(source + k * sizeof(Stored), order));
  }
}

}  // namespace deconvnet::detail
