// Weights in and out, in the safetensors format.
#pragma once

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <deconvnet/io/binary_file.hpp>
#include <deconvnet/io/json.hpp>
#include <deconvnet/io/number_format.hpp>
#include <deconvnet/io/safetensors_header.hpp>
#include <deconvnet/tensor/tensor.hpp>

namespace deconvnet {

/// A tensor of a safetensors file, its elements converted to T.
template <scalar T>
struct stored_tensor {
  std::string dtype;  // as in the file: "F32", "BF16" ...
  std::vector<std::size_t> shape;
  std::vector<T> values;  // row-major
};

/// How a number of the network is stored: as it is, or rounded to half precision (F16: three digits, half the size).
enum class storage { native, half };

struct save_safetensors_options {
  std::map<std::string, std::string> metadata{};  // any strings; valid UTF-8
  storage precision = storage::native;
};

struct load_safetensors_options {
  bool ignore_extra = false;  // true: tensors that the network has no place for are passed over
};

namespace detail {

/// Whatever has parameters with names: a network, a pipeline.
template <class Net>
concept has_parameters = requires(const Net& net) {
  { net.parameters()[0].name } -> std::convertible_to<std::string>;
  net.parameters()[0].shape;
  net.parameters()[0].values;
};

template <class Net>
using parameter_scalar = std::remove_cvref_t<decltype(*std::declval<const Net&>().parameters()[0].values.data())>;

template <scalar T>
std::vector<T> safetensors_values(const binary_file& file, const safetensors_header& header, const std::string& name,
                                  const safetensors_entry& entry) {
  const std::size_t size = safetensors_item_size(entry.dtype);
  if (size == 0) {
    throw unsupported_error(
        text(file.path(), ": tensor '", name, "' has the type ", entry.dtype, ", which is not read"));
  }
  const std::size_t offset = header.data_offset + static_cast<std::size_t>(entry.offsets[0]);
  std::vector<T> values(static_cast<std::size_t>(entry.offsets[1] - entry.offsets[0]) / size);
  const auto convert = [&]<class Stored>(Stored) {
    convert_numbers<Stored>(file.bytes().data() + offset, std::endian::little, values.size(), values.data());
  };
  const std::string_view dtype = entry.dtype;
  if (dtype == "F32") convert(float{});
  if (dtype == "F64") convert(double{});
  if (dtype == "F16") convert(half{});
  if (dtype == "BF16") convert(bfloat16{});
  if (dtype == "I64") convert(std::int64_t{});
  if (dtype == "I32") convert(std::int32_t{});
  if (dtype == "I16") convert(std::int16_t{});
  if (dtype == "I8") convert(std::int8_t{});
  if (dtype == "U64") convert(std::uint64_t{});
  if (dtype == "U32") convert(std::uint32_t{});
  if (dtype == "U16") convert(std::uint16_t{});
  if (dtype == "U8" || dtype == "BOOL") convert(std::uint8_t{});
  return values;
}

inline void append_name(std::string& list, std::size_t& count, const std::string& name) {
  constexpr std::size_t shown = 10;
  if (count < shown) list += (count == 0 ? "'" : ", '") + name + "'";
  if (count++ == shown) list += " ...";
}

template <scalar T>
void write_numbers(atomic_file& file, std::span<const T> values, storage precision) {
  if (precision == storage::native && std::endian::native == std::endian::little) {
    file.write(std::as_bytes(values));
    return;
  }
  std::vector<std::byte> piece;
  constexpr std::size_t piece_values = std::size_t{1} << 14;
  for (std::size_t start = 0; start < values.size(); start += piece_values) {
    piece.clear();
    for (const T value : values.subspan(start, std::min(piece_values, values.size() - start))) {
      if (precision == storage::half) {
        append_number(piece, half::from(static_cast<double>(value)).bits, std::endian::little);
      } else {
        append_number(piece, value, std::endian::little);
      }
    }
    file.write(piece);
  }
}

}  // namespace detail

/// Every tensor of a safetensors file, by name. Reads F64, F32, F16, BF16, integers and BOOL. Throws file_error, with
/// the byte offset where one is known, where the file is missing, cut short, or not what its header says;
/// unsupported_error for other types of elements.
template <scalar T>
std::map<std::string, stored_tensor<T>> read_safetensors(const std::filesystem::path& path) {
  const detail::binary_file file(path);
  const auto header = detail::read_safetensors_header(file, file.bytes().size());
  std::map<std::string, stored_tensor<T>> tensors;
  for (const auto& [name, entry] : header.tensors) {
    tensors[name] = {entry.dtype, entry.shape, detail::safetensors_values<T>(file, header, name, entry)};
  }
  return tensors;
}

/// The strings that were saved with the tensors (`__metadata__`). Reads the header only. Throws file_error as
/// read_safetensors does.
inline std::map<std::string, std::string> read_safetensors_metadata(const std::filesystem::path& path) {
  const std::uint64_t file_bytes = detail::binary_file::size_of(path);
  const detail::binary_file start(path, 0, std::min<std::uint64_t>(8, file_bytes));
  const std::size_t length = detail::safetensors_header_bytes(start, file_bytes);
  return detail::read_safetensors_header(detail::binary_file(path, 0, 8 + length), file_bytes).metadata;
}

/// Sets the parameters of a network to the tensors of those names (`<layer>.weight`, `<layer>.bias`, and what else
/// net.parameters() lists), converted to the network's scalar. Everything is checked before anything is set: an error
/// leaves the network as it was. Throws file_error where the file is damaged, lacks a parameter (it lists them), or has
/// tensors that are no parameter of the network (unless `.ignore_extra`); shape_error where a shape differs.
template <detail::has_parameters Net>
void load_safetensors(Net& net, const std::filesystem::path& path, const load_safetensors_options& options = {}) {
  using T = detail::parameter_scalar<Net>;
  const detail::binary_file file(path);
  const auto header = detail::read_safetensors_header(file, file.bytes().size());

  std::string missing;
  std::size_t missing_count = 0;
  std::set<std::string> known;
  for (const auto& parameter : net.parameters()) {
    known.insert(parameter.name);
    const auto found = header.tensors.find(parameter.name);
    if (found == header.tensors.end()) {
      detail::append_name(missing, missing_count, parameter.name);
      continue;
    }
    const std::vector<std::size_t> wanted(parameter.shape.begin(), parameter.shape.end());
    if (found->second.shape != wanted) {
      throw shape_error(detail::text(file.path(), ": tensor '", parameter.name, "' is ",
                                     shape_text(found->second.shape), ", the network's is ", shape_text(wanted)));
    }
    if (detail::safetensors_item_size(found->second.dtype) == 0) {
      throw unsupported_error(detail::text(file.path(), ": tensor '", parameter.name, "' has the type ",
                                           found->second.dtype, ", which is not read"));
    }
  }
  std::string extra;
  std::size_t extra_count = 0;
  for (const auto& [name, entry] : header.tensors) {
    if (!known.contains(name)) detail::append_name(extra, extra_count, name);
  }
  if (options.ignore_extra) extra_count = 0;
  if (missing_count + extra_count != 0) {
    throw file_error(file.path(), (missing_count == 0 ? ""
                                                      : detail::text("there is no tensor for ", missing_count,
                                                                     " parameters of the network: ", missing)) +
                                      (missing_count != 0 && extra_count != 0 ? "; " : "") +
                                      (extra_count == 0 ? ""
                                                        : detail::text("the network has no parameter for ", extra_count,
                                                                       " tensors of the file: ", extra)));
  }
  for (const auto& name : known) {
    const std::vector<T> values = detail::safetensors_values<T>(file, header, name, header.tensors.at(name));
    net.set_parameter(name, std::span<const T>(values));
  }
}

/// Writes the parameters of a network by name, as F32 or F64 by its scalar, or as F16 (`.precision = storage::half`),
/// and the strings of `.metadata`. The file appears in one step. Throws file_error where it cannot be written; error
/// where a name or a metadata string is not valid UTF-8.
template <detail::has_parameters Net>
void save_safetensors(const Net& net, const std::filesystem::path& path, const save_safetensors_options& options = {}) {
  using T = detail::parameter_scalar<Net>;
  const bool half = options.precision == storage::half;
  const std::size_t item = half ? 2 : sizeof(T);
  const char* dtype = half ? "F16" : std::same_as<T, double> ? "F64" : "F32";
  const auto parameters = net.parameters();

  nlohmann::json header = nlohmann::json::object();
  if (!options.metadata.empty()) header["__metadata__"] = options.metadata;
  std::uint64_t end = 0;
  for (const auto& parameter : parameters) {
    const std::uint64_t begin = end;
    end += parameter.values.size() * item;
    header[parameter.name] = {{"dtype", dtype},
                              {"shape", std::vector<std::size_t>(parameter.shape.begin(), parameter.shape.end())},
                              {"data_offsets", {begin, end}}};
  }
  std::string json;
  try {
    json = header.dump();
  } catch (const nlohmann::json::exception& problem) {
    throw error(path.string() + ": a name or metadata string cannot be written: " + problem.what());
  }
  json.append((8 - json.size() % 8) % 8, ' ');  // so that the tensors begin aligned

  detail::atomic_file file(path);
  std::vector<std::byte> length;
  detail::append_number(length, std::uint64_t{json.size()}, std::endian::little);
  file.write(length);
  file.write(json);
  for (const auto& parameter : parameters) {
    detail::write_numbers<T>(file, std::span<const T>(parameter.values), options.precision);
  }
  file.commit();
}

}  // namespace deconvnet
