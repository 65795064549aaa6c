// The header of a safetensors file: a length, JSON that says where each tensor lies, read without trust.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <deconvnet/io/binary_file.hpp>
#include <deconvnet/io/json.hpp>
#include <deconvnet/io/number_format.hpp>
#include <deconvnet/tensor/error.hpp>
#include <deconvnet/tensor/shape.hpp>

namespace deconvnet::detail {

/// One tensor as the header describes it. Offsets are bytes after the header.
struct safetensors_entry {
  std::string dtype;
  std::vector<std::size_t> shape;
  std::vector<std::uint64_t> offsets;
  bool has_shape = false;
};

struct safetensors_header {
  std::map<std::string, safetensors_entry> tensors;
  std::map<std::string, std::string> metadata;
  std::size_t data_offset = 0;
};

/// Bytes per element, 0 for a type that this library does not know.
inline std::size_t safetensors_item_size(std::string_view dtype) {
  if (dtype == "F64" || dtype == "I64" || dtype == "U64") return 8;
  if (dtype == "F32" || dtype == "I32" || dtype == "U32") return 4;
  if (dtype == "F16" || dtype == "BF16" || dtype == "I16" || dtype == "U16") return 2;
  if (dtype == "I8" || dtype == "U8" || dtype == "BOOL") return 1;
  return 0;
}

/// Receives the JSON as events and keeps only what the format allows. What nests deeper than a list inside a tensor's
/// description is refused at its bracket, and a key that stands twice is seen, which a JSON tree would hide.
class safetensors_events : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit safetensors_events(safetensors_header& header) : header_(header) {}

  const std::string& problem() const { return problem_; }
  std::size_t position() const { return position_; }  // in the JSON; 0 where it is not known

  bool null() override { return refuse("null"); }
  bool boolean(bool) override { return refuse("true or false"); }
  bool number_integer(number_integer_t value) override { return refuse(text("the number ", value)); }
  bool number_float(number_float_t, const string_t& digits) override {
    return refuse("the number " + digits.substr(0, 40));
  }
  bool binary(binary_t&) override { return refuse("binary data"); }

  bool number_unsigned(number_unsigned_t value) override {
    if (depth_ != 3) return refuse(text("the number ", value));
    if (field_ == "data_offsets") {
      if (entry_->offsets.size() == 2) return fail("has more than two data_offsets");
      entry_->offsets.push_back(value);
      return true;
    }
    if (value > max_elements) return fail(text("has an extent of ", value, ", which passes ", max_elements));
    if (entry_->shape.size() == 32) return fail("has more than 32 extents");
    entry_->shape.push_back(static_cast<std::size_t>(value));
    return true;
  }

  bool string(string_t& value) override {
    if (depth_ == 2 && in_metadata_) {
      if (!header_.metadata.emplace(field_, value).second) return fail("has the key '" + field_ + "' twice");
      return true;
    }
    if (depth_ != 2 || field_ != "dtype") return refuse("the string '" + value.substr(0, 40) + "'");
    if (!entry_->dtype.empty()) return fail("has dtype twice");
    if (value.empty()) return fail("has an empty dtype");
    entry_->dtype = std::move(value);
    return true;
  }

  bool start_object(std::size_t) override {
    if (depth_ >= 2) return refuse("an object");
    ++depth_;
    return true;
  }

  bool key(string_t& name) override {
    if (depth_ == 2) {
      field_ = std::move(name);
      if (in_metadata_ || field_ == "dtype" || field_ == "shape" || field_ == "data_offsets") return true;
      return fail("has an unknown key '" + field_.substr(0, 40) + "'");
    }
    name_ = std::move(name);
    in_metadata_ = name_ == "__metadata__";
    if (in_metadata_) {
      if (std::exchange(metadata_seen_, true)) return fail("stands twice in the header");
      return true;
    }
    const auto [place, is_new] = header_.tensors.try_emplace(name_);
    entry_ = &place->second;
    return is_new || fail("stands twice in the header");
  }

  bool end_object() override {
    --depth_;
    if (depth_ != 1 || in_metadata_) return true;
    if (entry_->dtype.empty()) return fail("has no dtype");
    if (!entry_->has_shape) return fail("has no shape");
    return entry_->offsets.size() == 2 || fail("has no two data_offsets");
  }

  bool start_array(std::size_t) override {
    if (depth_ != 2 || in_metadata_ || field_ == "dtype") return refuse("a list");
    if (field_ == "shape" && std::exchange(entry_->has_shape, true)) return fail("has shape twice");
    if (field_ == "data_offsets" && !entry_->offsets.empty()) return fail("has data_offsets twice");
    ++depth_;
    return true;
  }

  bool end_array() override {
    --depth_;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& error) override {
    position_ = position;
    const std::string_view message = error.what();
    const auto start = message.find("syntax error");
    problem_ = "the header is no valid JSON: " + std::string(message.substr(start == message.npos ? 0 : start, 200));
    return false;
  }

 private:
  bool fail(const std::string& what) {
    problem_ = "'" + name_.substr(0, 200) + "' " + what;
    return false;
  }

  bool refuse(const std::string& what) {
    if (depth_ == 0) {
      problem_ = "the header should be a JSON object, it is " + what;
      return false;
    }
    return fail(depth_ == 1 ? "is " + what + " where an object is wanted"
                            : "has " + what + " where its '" + field_.substr(0, 40) + "' cannot have one");
  }

  safetensors_header& header_;
  safetensors_entry* entry_ = nullptr;
  std::string name_;
  std::string field_;
  std::string problem_;
  std::size_t position_ = 0;
  std::size_t depth_ = 0;
  bool in_metadata_ = false;
  bool metadata_seen_ = false;
};

/// Throws file_error where the tensors do not lie one after the other, from the header to the end of the file, or one
/// has not the bytes that its shape and type need.
inline void check_safetensors_layout(const std::string& path, const safetensors_header& header,
                                     std::uint64_t data_bytes) {
  std::vector<const std::pair<const std::string, safetensors_entry>*> in_order;
  for (const auto& named : header.tensors) in_order.push_back(&named);
  std::sort(in_order.begin(), in_order.end(), [](auto* a, auto* b) { return a->second.offsets < b->second.offsets; });

  std::uint64_t end = 0;
  for (const auto* named : in_order) {
    const safetensors_entry& entry = named->second;
    const auto fail = [&](const std::string& problem) {
      throw file_error(path, header.data_offset + std::min(end, data_bytes),
                       "tensor '" + named->first + "' " + problem);
    };
    const std::uint64_t from = entry.offsets[0];
    const std::uint64_t to = entry.offsets[1];
    if (to < from || to > data_bytes) {
      fail(text("says it lies at ", from, " ... ", to, " of ", data_bytes, " bytes"));
    }
    if (from != end) fail(text("begins at ", from, ", the one before it ends at ", end));
    std::uint64_t count = 1;
    bool zero = false;
    for (const std::size_t extent : entry.shape) {
      zero = zero || extent == 0;
      if (extent == 0) continue;
      if (count > max_elements / extent) fail("of " + shape_text(entry.shape) + " is too large");
      count *= extent;
    }
    const std::size_t item = safetensors_item_size(entry.dtype);
    const std::uint64_t wanted = zero ? 0 : count * item;
    if (item != 0 && to - from != wanted) {
      fail(text("of ", shape_text(entry.shape), " ", entry.dtype, " needs ", wanted, " bytes, it has ", to - from));
    }
    end = to;
  }
  if (end != data_bytes) {
    throw file_error(path, header.data_offset + end, text(data_bytes - end, " bytes at the end belong to no tensor"));
  }
}

/// The header's length, checked against the file's and against the 100 MB that the format allows.
inline std::size_t safetensors_header_bytes(const binary_file& file, std::uint64_t file_bytes) {
  if (file_bytes < 8) throw file_error(file.path(), file_bytes, "the file ends inside the length of its header");
  const auto length = read_number<std::uint64_t>(file.bytes().data(), std::endian::little);
  constexpr std::uint64_t limit = 100'000'000;
  if (length > file_bytes - 8 || length > limit) {
    throw file_error(file.path(), 0,
                     text("a header of ", length, " bytes in a file of ", file_bytes, ": this is not a ",
                          "safetensors file, or it is cut short"));
  }
  return static_cast<std::size_t>(length);
}

/// Parses the header at the start of `file`, which holds at least that, of a file of `file_bytes`.
inline safetensors_header read_safetensors_header(const binary_file& file, std::uint64_t file_bytes) {
  const std::size_t length = safetensors_header_bytes(file, file_bytes);
  const std::string_view json = file.characters().substr(8, length);
  safetensors_header header;
  header.data_offset = 8 + length;
  safetensors_events events(header);
  if (!nlohmann::json::sax_parse(json.begin(), json.end(), &events)) {
    throw file_error(file.path(), events.position() == 0 ? 8 : 7 + events.position(), events.problem());
  }
  check_safetensors_layout(file.path(), header, file_bytes - header.data_offset);
  return header;
}

}  // namespace deconvnet::detail
