// Whole numbers as exporters compute with shapes: known, a multiple of the batch, or not known before an input is
// there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace deconvnet::detail::onnx {

/// An extent or another integer: `value`, or `value` times the batch, or unknown.
struct extent {
  enum class form { number, batch, unknown };

  std::int64_t value = 0;
  form is = form::number;

  static extent number(std::int64_t value) { return {value, form::number}; }
  static extent batch() { return {1, form::batch}; }
  static extent unknown() { return {0, form::unknown}; }

  bool is_number() const { return is == form::number; }
  bool is_batch() const { return is == form::batch && value == 1; }
  bool is_number(std::int64_t wanted) const { return is_number() && value == wanted; }

  friend bool operator==(const extent&, const extent&) = default;

  /// What cannot be said without knowing the batch is unknown; so is what passes 64 bits.
  friend extent operator+(const extent& a, const extent& b) {
    std::int64_t sum = 0;
    if (a.is != b.is || a.is == form::unknown || __builtin_add_overflow(a.value, b.value, &sum)) return unknown();
    return {sum, a.is};
  }

  friend extent operator*(const extent& a, const extent& b) {
    std::int64_t product = 0;
    if (a.is == form::unknown || b.is == form::unknown || (a.is == form::batch && b.is == form::batch) ||
        __builtin_mul_overflow(a.value, b.value, &product)) {
      return unknown();
    }
    return {product, a.is == form::batch ? a.is : b.is};
  }
};

/// "N x 3 x ? x 224"
inline std::string extents_text(const std::vector<extent>& extents) {
  std::string list;
  for (const extent& e : extents) {
    if (!list.empty()) list += " x ";
    if (e.is == extent::form::unknown) list += '?';
    if (e.is == extent::form::batch) list += e.value == 1 ? "N" : std::to_string(e.value) + "N";
    if (e.is == extent::form::number) list += std::to_string(e.value);
  }
  return list.empty() ? "scalar" : list;
}

/// The product, where every factor is known.
inline std::optional<std::int64_t> known_product(const std::vector<extent>& extents, std::size_t first) {
  extent product = extent::number(1);
  for (std::size_t k = first; k < extents.size(); ++k) product = product * extents[k];
  return product.is_number() ? std::optional(product.value) : std::nullopt;
}

}  // namespace deconvnet::detail::onnx
