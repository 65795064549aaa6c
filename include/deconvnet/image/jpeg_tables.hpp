// A look at a JPEG's Huffman tables before the decoder sees them.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace deconvnet::detail {

/// The byte offset of the first Huffman table with more than 256 codes, if there is one: stb_image before 2.29 (Debian
/// 12 has 2.27) writes such a table past its end. Walks the markers the way the decoder does, so that it sees every
/// table the decoder may get to; what else is wrong with the file is left to the decoder.
inline std::optional<std::size_t> oversized_huffman_table(std::span<const std::byte> jpeg) {
  const auto at = [&](std::size_t k) { return k < jpeg.size() ? std::to_integer<std::size_t>(jpeg[k]) : 0; };
  std::size_t position = 0;
  while (position < jpeg.size()) {
    if (at(position) != 0xFF) {  // padding, or the data of a scan
      ++position;
      continue;
    }
    while (position < jpeg.size() && at(position) == 0xFF) ++position;
    const std::size_t marker = at(position++);
    const bool stands_alone = marker == 0x00 || marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8);
    if (stands_alone) continue;
    if (marker == 0xD9) break;
    const std::size_t length = at(position) * 256 + at(position + 1);
    if (marker == 0xC4) {
      std::size_t table = position + 2;
      while (table < position + length) {
        std::size_t codes = 0;
        for (std::size_t k = 1; k <= 16; ++k) codes += at(table + k);
        if (codes > 256) return table;
        table += 17 + codes;
      }
    }
    position += length < 2 ? 2 : length;
  }
  return std::nullopt;
}

}  // namespace deconvnet::detail
