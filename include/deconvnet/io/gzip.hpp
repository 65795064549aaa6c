// Files compressed by gzip (RFC 1952), inflated by the decoder that reads PNG.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <deconvnet/image/stb.hpp>
#include <deconvnet/io/binary_file.hpp>
#include <deconvnet/io/number_format.hpp>
#include <deconvnet/tensor/error.hpp>

namespace deconvnet::detail {

/// CRC-32 of IEEE 802.3, which gzip and PNG use.
inline std::uint32_t crc32(std::span<const std::byte> bytes) {
  static constexpr auto table = [] {
    std::array<std::uint32_t, 256> entries{};
    for (std::uint32_t n = 0; n < 256; ++n) {
      std::uint32_t value = n;
      for (int bit = 0; bit < 8; ++bit) value = (value & 1) != 0 ? 0xEDB88320u ^ (value >> 1) : value >> 1;
      entries[n] = value;
    }
    return entries;
  }();
  std::uint32_t crc = 0xFFFFFFFFu;
  for (const std::byte byte : bytes) crc = table[(crc ^ std::to_integer<std::uint32_t>(byte)) & 0xFF] ^ (crc >> 8);
  return ~crc;
}

/// A gzip file of one member, what `gzip` writes. Nothing is inflated before somebody says how many bytes he expects.
class gzip_file {
 public:
  /// Reads the file and its header and trailer. Throws file_error, with the byte offset, where they are damaged.
  explicit gzip_file(const std::filesystem::path& path) : file_(path) {
    const auto bytes = file_.bytes();
    constexpr std::size_t fixed_bytes = 10;
    const auto at = [&](std::size_t place) { return std::to_integer<unsigned>(bytes[place]); };
    if (bytes.size() >= 2 && (at(0) != 0x1F || at(1) != 0x8B)) throw file_error(name(), 0, "this is not a gzip file");
    if (bytes.size() < fixed_bytes + trailer_bytes) fail_short();
    if (at(2) != 8) throw file_error(name(), 2, text("compressed by method ", at(2), ", only 8 (deflate) is read"));
    const unsigned flags = at(3);
    if ((flags & 0xE0) != 0) throw file_error(name(), 3, text("the gzip header has unknown flags, ", flags));
    std::size_t begin = fixed_bytes;
    const std::size_t end = bytes.size() - trailer_bytes;
    if ((flags & 4) != 0) {  // extra field
      if (end - begin < 2) fail_short();
      begin += 2 + std::size_t{at(begin)} + 256 * std::size_t{at(begin + 1)};
    }
    for (const unsigned flag : {8u, 16u}) {  // the file's name, a comment: up to a zero
      if ((flags & flag) == 0) continue;
      while (begin < end && at(begin) != 0) ++begin;
      ++begin;
    }
    if ((flags & 2) != 0) begin += 2;  // the header's own checksum
    if (begin >= end) fail_short();
    if (end - begin > INT_MAX - trailer_bytes) throw file_error(name(), "more than 2 GiB of compressed data");
    deflated_ = bytes.subspan(begin, end - begin);
    crc_ = read_number<std::uint32_t>(bytes.data() + end, std::endian::little);
    size_ = read_number<std::uint32_t>(bytes.data() + end + 4, std::endian::little);
  }

  const std::string& name() const { return file_.path(); }

  /// How messages call what is inside.
  std::string inner_name() const { return name() + " (inflated)"; }

  /// What the trailer says that the contents have: bytes, modulo 2^32.
  std::uint32_t stated_size() const { return size_; }

  /// The first `count` bytes of the contents, fewer where there are fewer. Throws file_error where the decoder finds the
  /// data damaged; the checksum is not looked at.
  std::vector<std::byte> first(std::size_t count) const {
    // The decoder stops before a piece that does not fit: a stored block has up to 64 KiB, a copy 258 bytes.
    constexpr std::size_t largest_piece = std::size_t{1} << 16;
    std::vector<std::byte> bytes(count + largest_piece);
    const int length = decode(bytes);
    const char* reason = length < 0 ? stb::stbi_failure_reason() : nullptr;
    if (reason && std::string_view(reason) != "output buffer limit") throw file_error(name(), damaged());
    bytes.resize(length < 0 ? count : std::min(count, static_cast<std::size_t>(length)));
    return bytes;
  }

  /// The contents, which must have `count` bytes. Throws file_error where the trailer, the decoder or the checksum say
  /// otherwise, the first of them before memory is taken.
  std::vector<std::byte> inflate(std::size_t count) const {
    const std::size_t trailer = file_.bytes().size() - 4;
    if (count != size_) {
      throw file_error(name(), trailer, text("the trailer says ", size_, " bytes, ", count, " are wanted"));
    }
    // A bit of deflate makes at most half of a copy of 258 bytes.
    if (count > INT_MAX || count > 1032 * deflated_.size()) {
      throw file_error(name(), trailer, text("the trailer says ", size_, " bytes, ", deflated_.size(), " cannot hold them"));
    }
    std::vector<std::byte> bytes(count);
    const int length = decode(bytes);
    if (length < 0) throw file_error(name(), damaged());
    if (static_cast<std::size_t>(length) != count) {
      throw file_error(name(), text("the compressed data holds ", length, " bytes, its trailer says ", count));
    }
    if (const std::uint32_t found = crc32(bytes); found != crc_) {
      throw file_error(name(), trailer - 4, text("the checksum (CRC-32) is ", crc_, ", the contents have ", found));
    }
    return bytes;
  }

 private:
  static std::string damaged() { return "the compressed data is damaged, cut short, or longer than it says"; }

  [[noreturn]] void fail_short() const {
    throw file_error(name(), file_.bytes().size(), "the gzip file is cut short, or its header is damaged");
  }

  /// The decoder looks two bytes ahead and takes their lack for damage (in a PNG a checksum follows): it is given the
  /// trailer too, which the span is followed by.
  int decode(std::span<std::byte> to) const {
    return stb::stbi_zlib_decode_noheader_buffer(reinterpret_cast<char*>(to.data()), static_cast<int>(to.size()),
                                                 reinterpret_cast<const char*>(deflated_.data()),
                                                 static_cast<int>(deflated_.size() + trailer_bytes));
  }

  static constexpr std::size_t trailer_bytes = 8;

  binary_file file_;
  std::span<const std::byte> deflated_;
  std::uint32_t crc_ = 0;
  std::uint32_t size_ = 0;
};

}  // namespace deconvnet::detail
