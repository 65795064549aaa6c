// The header of a NumPy file: what numpy.lib.format describes, read without trust and written for any NumPy.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <deconvnet/io/binary_file.hpp>
#include <deconvnet/io/number_format.hpp>
#include <deconvnet/tensor/error.hpp>
#include <deconvnet/tensor/shape.hpp>

namespace deconvnet::detail {

struct npy_header {
  char kind = 'f';            // 'f' float, 'i' signed, 'u' unsigned, 'b' bool
  std::size_t item_size = 4;  // bytes
  std::endian order = std::endian::native;
  bool fortran_order = false;
  std::vector<std::size_t> shape;
  std::size_t count = 1;        // product of the shape
  std::size_t data_offset = 0;  // bytes
};

/// Parses the one form of Python literal a header may be: {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }.
/// Nothing nests deeper than that, so there is no recursion for a hostile file to exhaust.
class npy_header_parser {
 public:
  npy_header_parser(const binary_file& file, std::size_t begin, std::size_t end)
      : file_(file), at_(begin), text_(file.characters().substr(0, end)) {}

  void parse(npy_header& header) {
    bool seen[3] = {false, false, false};
    expect('{');
    while (!accept('}')) {
      const std::size_t start = at_;
      const std::string_view key = quoted();
      expect(':');
      const int which = key == "descr" ? 0 : key == "fortran_order" ? 1 : key == "shape" ? 2 : 3;
      if (which == 3) fail(start, text("unknown key '", key.substr(0, 40), "' in the header"));
      if (seen[which]) fail(start, text("key '", key, "' stands twice in the header"));
      seen[which] = true;
      if (which == 0) descr(header);
      if (which == 1) header.fortran_order = boolean();
      if (which == 2) header.shape = extents();
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_space();
    if (at_ != text_.size()) fail(at_, "something stands after the header's closing brace");
    if (!seen[0]) fail(at_, "the header has no key 'descr'");
    if (!seen[1]) fail(at_, "the header has no key 'fortran_order'");
    if (!seen[2]) fail(at_, "the header has no key 'shape'");
  }

 private:
  static constexpr std::size_t max_rank = 32;  // NumPy's own limit for decades

  [[noreturn]] void fail(std::size_t offset, const std::string& problem) const {
    throw file_error(file_.path(), offset, problem);
  }

  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || (text_[at_] >= '\t' && text_[at_] <= '\r'))) ++at_;
  }

  bool accept(char wanted) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }

  void expect(char wanted) {
    if (!accept(wanted)) fail(at_, text("the header should have a '", wanted, "' here"));
  }

  std::string_view quoted() {
    skip_space();
    const char quote = at_ < text_.size() ? text_[at_] : '\0';
    if (quote != '\'' && quote != '"') fail(at_, "the header should have a quoted string here");
    const std::size_t end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) fail(at_, "a string in the header does not end");
    const auto inside = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return inside;
  }

  bool boolean() {
    skip_space();
    for (const bool value : {false, true}) {
      const std::string_view word = value ? "True" : "False";
      if (text_.substr(at_, word.size()) != word) continue;
      at_ += word.size();
      return value;
    }
    fail(at_, "the header should have True or False here");
  }

  void descr(npy_header& header) {
    skip_space();
    const std::size_t start = at_;
    const bool simple = at_ < text_.size() && (text_[at_] == '\'' || text_[at_] == '"');
    if (!simple && at_ < text_.size() && text_[at_] == '[') {
      throw unsupported_error(text(file_.path(), ": byte ", start, ": structured arrays are not read"));
    }
    const std::string_view descr = quoted();
    if (descr.size() < 2) fail(start, text("'", descr, "' is no data type"));
    const char order = descr.front();
    const std::string_view type =
        (order == '<' || order == '>' || order == '|' || order == '=') ? descr.substr(1) : descr;
    for (const std::string_view known : {"f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"}) {
      if (type != known) continue;
      header.kind = type[0];
      header.item_size = static_cast<std::size_t>(type[1] - '0');
      if (order == '<') header.order = std::endian::little;
      if (order == '>') header.order = std::endian::big;
      return;
    }
    throw unsupported_error(text(file_.path(), ": byte ", start, ": data type '", descr.substr(0, 40),
                                 "' is not read; f2, f4, f8, i1 to i8, u1 to u8 and b1 are"));
  }

  std::vector<std::size_t> extents() {
    std::vector<std::size_t> shape;
    expect('(');
    while (!accept(')')) {
      if (shape.size() == max_rank) fail(at_, text("the shape has more than ", max_rank, " extents"));
      shape.push_back(extent());
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return shape;
  }

  std::size_t extent() {
    skip_space();
    const std::size_t start = at_;
    std::size_t value = 0;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') {
      value = value * 10 + static_cast<std::size_t>(text_[at_++] - '0');
      if (value > max_elements) fail(start, text("an extent passes ", max_elements));
    }
    if (at_ == start) fail(start, "the shape should have an extent here: a whole number, not negative");
    if (at_ < text_.size() && text_[at_] == 'L') ++at_;  // Python 2 wrote long integers so
    return value;
  }

  const binary_file& file_;
  std::size_t at_;
  std::string_view text_;
};

/// The header of `file`, with the array's bytes checked to be there and to be the last in the file.
inline npy_header read_npy_header(const binary_file& file) {
  const std::string_view all = file.characters();
  const auto need = [&](std::size_t end) {
    if (all.size() < end) throw file_error(file.path(), all.size(), "the file ends inside the NumPy header");
  };
  const std::string_view magic = "\x93NUMPY";
  if (all.substr(0, magic.size()) != magic) throw file_error(file.path(), 0, "this is not a NumPy file (.npy)");
  need(10);
  const int version = static_cast<unsigned char>(all[6]);
  if (version < 1 || version > 3 || all[7] != 0) {
    throw file_error(file.path(), 6, text("unknown version ", version, ".", int{static_cast<unsigned char>(all[7])}));
  }
  std::size_t begin = 10;
  if (version > 1) need(begin = 12);
  const std::byte* bytes = file.bytes().data();
  const std::size_t length = version == 1 ? read_number<std::uint16_t>(bytes + 8, std::endian::little)
                                          : read_number<std::uint32_t>(bytes + 8, std::endian::little);
  if (length > all.size() - begin) {
    throw file_error(file.path(), 8, text("a header of ", length, " bytes does not fit into the file"));
  }

  npy_header header;
  header.data_offset = begin + length;
  npy_header_parser(file, begin, header.data_offset).parse(header);
  bool zero = false;
  for (const std::size_t extent : header.shape) {
    zero = zero || extent == 0;
    if (extent == 0) continue;
    // Also beside a zero: strides are products of the other extents.
    if (header.count > max_elements / extent) {
      throw file_error(file.path(), begin, text("an array of ", shape_text(header.shape), " is too large"));
    }
    header.count *= extent;
  }
  if (zero) header.count = 0;
  const std::size_t there = all.size() - header.data_offset;
  const std::size_t wanted = header.count * header.item_size;
  if (there != wanted) {
    throw file_error(file.path(), header.data_offset,
                     text("an array of ", shape_text(header.shape), " needs ", wanted, " bytes, there are ", there));
  }
  return header;
}

/// A version 1 header, padded so that the array begins at a multiple of 64 bytes.
inline std::string npy_header_text(char kind, std::size_t item_size, const std::vector<std::size_t>& shape) {
  const char order = item_size == 1 ? '|' : std::endian::native == std::endian::little ? '<' : '>';
  std::string dictionary = text("{'descr': '", order, kind, item_size, "', 'fortran_order': False, 'shape': (");
  for (const std::size_t extent : shape) dictionary += text(extent, ", ");
  if (shape.size() > 1) dictionary.resize(dictionary.size() - 2);  // (3, ) is a tuple, (3) a number
  dictionary += "), }";
  const std::size_t prefix = 10;
  dictionary.append(63 - (prefix + dictionary.size()) % 64, ' ');
  dictionary += '\n';
  const auto length = static_cast<std::uint16_t>(dictionary.size());
  std::string header("\x93NUMPY\x01\x00", 8);
  header += static_cast<char>(length & 0xff);
  header += static_cast<char>(length >> 8);
  return header + dictionary;
}

}  // namespace deconvnet::detail
