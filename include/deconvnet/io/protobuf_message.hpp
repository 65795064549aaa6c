// One protobuf message, field by field, for files that nobody vouches for.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <deconvnet/io/binary_file.hpp>
#include <deconvnet/io/number_format.hpp>
#include <deconvnet/io/protozero.hpp>
#include <deconvnet/tensor/error.hpp>

namespace deconvnet::detail {

/// Walks over the fields of a message that lies inside `file`. protozero checks bounds and numbers; what it asserts,
/// that a field has the wire type its reader expects, is checked here, and every error becomes a file_error with the
/// offset of the field.
class protobuf_message {
 public:
  protobuf_message(const binary_file& file, std::string_view bytes)
      : file_(&file), reader_(bytes.data(), bytes.size()), at_(offset_of(bytes.data())) {}

  /// Moves to the next field, whatever is left of the current one.
  bool next() {
    if (pending_) guarded([&] { reader_.skip(); });
    at_ = offset_of(reader_.data().data());
    pending_ = guarded([&] { return reader_.next(); });
    return pending_;
  }

  std::uint32_t tag() const { return reader_.tag(); }

  /// The offset in the file of the current field.
  std::uint64_t offset() const { return at_; }
  [[noreturn]] void fail(const std::string& problem) const { throw file_error(file_->path(), at_, problem); }

  /// A string, bytes or the bytes of a message inside this one.
  std::string_view bytes() {
    expect(protozero::pbf_wire_type::length_delimited, "bytes");
    pending_ = false;
    const auto view = guarded([&] { return reader_.get_view(); });
    return {view.data(), view.size()};
  }

  std::int64_t integer() {
    expect(protozero::pbf_wire_type::varint, "an integer");
    pending_ = false;
    return guarded([&] { return reader_.get_int64(); });
  }

  float number() {
    expect(protozero::pbf_wire_type::fixed32, "a float");
    pending_ = false;
    return guarded([&] { return reader_.get_float(); });
  }

  /// Calls take(std::int64_t) for one integer, or for each of a packed list.
  template <class Take>
  void integers(Take&& take) {
    if (reader_.wire_type() != protozero::pbf_wire_type::length_delimited) return take(integer());
    const auto view = bytes();
    const char* at = view.data();
    const char* const end = at + view.size();
    while (at != end) take(guarded([&] { return static_cast<std::int64_t>(protozero::decode_varint(&at, end)); }));
  }

  /// Calls take(Number) for one float or double, or for each of a packed list.
  template <class Number, class Take>
  void fixed_numbers(Take&& take) {
    constexpr auto single = sizeof(Number) == 4 ? protozero::pbf_wire_type::fixed32 : protozero::pbf_wire_type::fixed64;
    if (reader_.wire_type() != protozero::pbf_wire_type::length_delimited) {
      expect(single, "a number");
      pending_ = false;
      if constexpr (sizeof(Number) == 4) {
        return take(guarded([&] { return reader_.get_float(); }));
      } else {
        return take(guarded([&] { return reader_.get_double(); }));
      }
    }
    const auto view = bytes();
    if (view.size() % sizeof(Number) != 0) fail("a list of numbers ends inside a number");
    const auto* start = reinterpret_cast<const std::byte*>(view.data());
    for (std::size_t k = 0; k < view.size(); k += sizeof(Number)) {
      take(read_number<Number>(start + k, std::endian::little));
    }
  }

 private:
  std::uint64_t offset_of(const char* address) const {
    return static_cast<std::uint64_t>(address - file_->characters().data());
  }

  void expect(protozero::pbf_wire_type wanted, const char* what) const {
    if (reader_.wire_type() != wanted) fail(text("field ", tag(), " should be ", what));
  }

  template <class Read>
  auto guarded(Read&& read) const -> decltype(read()) {
    try {
      return read();
    } catch (const protozero::exception& problem) {
      fail(text("this is not valid protobuf (", problem.what(), "): the file is cut short or damaged"));
    }
  }

  const binary_file* file_;
  protozero::pbf_reader reader_;
  std::uint64_t at_;
  bool pending_ = false;
};

}  // namespace deconvnet::detail
