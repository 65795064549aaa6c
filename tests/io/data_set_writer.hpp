// Small data sets in their files' forms.
#pragma once

#include <cstdint>
#include <string>

/// An IDX file of unsigned bytes: values 0, 1, 2 ... modulo `modulus`.
inline std::string idx_file_bytes(std::initializer_list<std::uint32_t> extents, unsigned modulus = 256) {
  std::string bytes = {0, 0, 8, static_cast<char>(extents.size())};
  std::size_t count = 1;
  for (const std::uint32_t extent : extents) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(extent >> shift);
    count *= extent;
  }
  for (std::size_t k = 0; k < count; ++k) bytes += static_cast<char>(k % modulus);
  return bytes;
}

/// Records of CIFAR: `label_bytes` labels, all `first_label + record`, then 3072 bytes that count up from the label.
inline std::string cifar_file_bytes(std::size_t records, std::size_t label_bytes, unsigned first_label) {
  std::string bytes;
  for (std::size_t r = 0; r < records; ++r) {
    const auto label = static_cast<char>(first_label + r);
    bytes.append(label_bytes, label);
    for (std::size_t k = 0; k < 3072; ++k) bytes += static_cast<char>(static_cast<std::size_t>(label) + k);
  }
  return bytes;
}

inline std::string lines_of(const char* prefix, std::size_t count) {
  std::string text;
  for (std::size_t k = 0; k < count; ++k) text += prefix + std::to_string(k) + "\n";
  return text;
}
