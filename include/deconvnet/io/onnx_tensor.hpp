// The elements of ONNX tensors: from raw bytes, typed lists or a file beside the model, converted when somebody needs
// them.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <vector>

#include <deconvnet/io/binary_file.hpp>
#include <deconvnet/io/number_format.hpp>
#include <deconvnet/io/onnx_model.hpp>
#include <deconvnet/io/protobuf_message.hpp>
#include <deconvnet/io/strided_order.hpp>
#include <deconvnet/tensor/tensor.hpp>

namespace deconvnet::detail::onnx {

inline std::size_t count_of(const std::vector<std::size_t>& dims) {
  std::size_t count = 1;
  for (const std::size_t extent : dims) count *= extent;
  return count;
}

inline bool is_integral(data_type type) {
  switch (type) {
    case data_type::float32:
    case data_type::float16:
    case data_type::float64:
    case data_type::bfloat16: return false;
    default: return true;
  }
}

/// Reads elements. Every element handed out counts against a budget of eight per byte of the files read and 2^26
/// besides, so that a small file whose nodes all read one large tensor, or make one, cannot fill the memory.
class tensor_source {
 public:
  explicit tensor_source(const binary_file& file)
      : file_(file), budget_((std::uint64_t{1} << 26) + 8 * std::uint64_t{file.bytes().size()}) {}

  const std::string& path() const { return file_.path(); }

  /// To be called before elements are allocated.
  void charge(std::size_t count) {
    if (count > budget_) throw file_error(path(), "its nodes ask for far more weights than the file has");
    budget_ -= count;
  }

  /// Throws where the tensor has not the elements that its shape needs: to be called before memory is taken for them.
  void check(const tensor_record& tensor) {
    visit(tensor, [&]<class Stored>(Stored) {
      const std::size_t count = count_of(tensor.dims);
      const std::uint64_t wanted = std::uint64_t{count} * sizeof(Stored);
      if (tensor.is_external) {
        const auto target = external_path(tensor, wanted);
        const std::uint64_t there = binary_file::size_of(target);
        if (there < wanted || there - wanted < tensor.external_offset) {
          throw file_error(
              target.string(), tensor.external_offset,
              text("tensor '", tensor.name, "' needs ", wanted, " bytes here, the file has ", there, " in all"));
        }
        if (files_.insert(target).second) budget_ += 8 * there;
      } else if (tensor.has_raw) {
        if (tensor.raw.size() != wanted) short_of(tensor, wanted, tensor.raw.size());
      } else {
        check_list<Stored>(tensor, count);
      }
    });
  }

  /// Writes the tensor's elements to `destination`, which has room for all of them; check() comes first. `order`
  /// permutes the axes: axis d of the result is axis order[d] of the tensor; empty: as they are.
  template <class T>
  void read(const tensor_record& tensor, const std::vector<std::size_t>& order, T* destination) {
    if (order.empty()) return read(tensor, destination);
    if (tensor.has_raw && !tensor.is_external && is_stored_as<T>(tensor.type)) {
      // The large weights, as exporters write them: no second copy in memory.
      const auto* bytes = reinterpret_cast<const std::byte*>(tensor.raw.data());
      return permute(tensor, order, [&](std::size_t k, std::size_t source) {
        destination[k] = read_number<T>(bytes + source * sizeof(T), std::endian::little);
      });
    }
    std::vector<T> in_file_order(count_of(tensor.dims));
    read(tensor, in_file_order.data());
    permute(tensor, order, [&](std::size_t k, std::size_t source) { destination[k] = in_file_order[source]; });
  }

 private:
  template <class T>
  static bool is_stored_as(data_type type) {
    return (std::is_same_v<T, float> && type == data_type::float32) ||
           (std::is_same_v<T, double> && type == data_type::float64);
  }

  template <class T>
  void read(const tensor_record& tensor, T* destination) {
    visit(tensor, [&]<class Stored>(Stored) {
      const std::size_t count = count_of(tensor.dims);
      const std::uint64_t bytes = std::uint64_t{count} * sizeof(Stored);
      if (tensor.is_external) {
        const binary_file part(external_path(tensor, bytes), tensor.external_offset, bytes);
        convert_numbers<Stored>(part.bytes().data(), std::endian::little, count, destination);
      } else if (tensor.has_raw) {
        const auto* raw = reinterpret_cast<const std::byte*>(tensor.raw.data());
        convert_numbers<Stored>(raw, std::endian::little, count, destination);
      } else {
        each_in_list<Stored>(tensor, [&](Stored value) { *destination++ = converted<T>(value); });
      }
    });
  }

  template <class Visitor>
  void visit(const tensor_record& tensor, Visitor&& visitor) const {
    switch (tensor.type) {
      case data_type::float32: return visitor(float{});
      case data_type::float64: return visitor(double{});
      case data_type::float16: return visitor(half{});
      case data_type::bfloat16: return visitor(bfloat16{});
      case data_type::int8: return visitor(std::int8_t{});
      case data_type::int16: return visitor(std::int16_t{});
      case data_type::int32: return visitor(std::int32_t{});
      case data_type::int64: return visitor(std::int64_t{});
      case data_type::uint8:
      case data_type::boolean: return visitor(std::uint8_t{});
      case data_type::uint16: return visitor(std::uint16_t{});
      case data_type::uint32: return visitor(std::uint32_t{});
      case data_type::uint64: return visitor(std::uint64_t{});
      default:
        throw unsupported_error(text(path(), ": byte ", tensor.offset, ": tensor '", tensor.name,
                                     "' has elements of type ", static_cast<std::int64_t>(tensor.type),
                                     ", which is not read"));
    }
  }

  [[noreturn]] void short_of(const tensor_record& tensor, std::uint64_t wanted, std::uint64_t there) const {
    throw file_error(
        path(), tensor.offset,
        text("tensor '", tensor.name, "' of ", shape_text(tensor.dims), " needs ", wanted, " bytes, it has ", there));
  }

  template <class Visit>
  static void permute(const tensor_record& tensor, const std::vector<std::size_t>& order, Visit&& visit) {
    const auto strides = row_major_strides(tensor.dims);
    std::vector<std::size_t> extents;
    std::vector<std::size_t> steps;
    for (const std::size_t axis : order) {
      extents.push_back(tensor.dims[axis]);
      steps.push_back(strides[axis]);
    }
    for_each_strided(extents, steps, visit);
  }

  /// Calls take(Stored) for every element in the list that this type lives in: float_data (4), int32_data (5, also for
  /// what is smaller, halves by their bits), int64_data (7), double_data (10), uint64_data (11).
  template <class Stored, class Take>
  void each_in_list(const tensor_record& tensor, Take&& take) const {
    protobuf_message message(file_, tensor.message);
    while (message.next()) {
      if constexpr (std::is_same_v<Stored, float>) {
        if (message.tag() == 4) message.fixed_numbers<float>(take);
      } else if constexpr (std::is_same_v<Stored, double>) {
        if (message.tag() == 10) message.fixed_numbers<double>(take);
      } else if constexpr (std::is_same_v<Stored, half> || std::is_same_v<Stored, bfloat16>) {
        if (message.tag() == 5) {
          message.integers([&](std::int64_t bits) { take(Stored{static_cast<std::uint16_t>(bits)}); });
        }
      } else {
        constexpr std::uint32_t tag = std::is_same_v<Stored, std::int64_t>                ? 7
                                      : std::is_unsigned_v<Stored> && sizeof(Stored) >= 4 ? 11
                                                                                          : 5;
        if (message.tag() == tag) message.integers([&](std::int64_t value) { take(static_cast<Stored>(value)); });
      }
    }
  }

  template <class Stored>
  void check_list(const tensor_record& tensor, std::size_t count) const {
    std::size_t there = 0;
    each_in_list<Stored>(tensor, [&](Stored) { ++there; });
    if (there != count) short_of(tensor, std::uint64_t{count} * sizeof(Stored), std::uint64_t{there} * sizeof(Stored));
  }

  /// The file that a tensor's bytes are in. A model may name files in its own folder and below only: links and ".."
  /// that lead elsewhere are refused.
  std::filesystem::path external_path(const tensor_record& tensor, std::uint64_t wanted) const {
    const auto refuse = [&](const std::string& problem) {
      throw file_error(path(), tensor.offset,
                       text("tensor '", tensor.name, "' lies in '", tensor.location.substr(0, 200), "', ", problem));
    };
    if (tensor.external_length >= 0 && static_cast<std::uint64_t>(tensor.external_length) != wanted) {
      refuse(text("which is said to hold ", tensor.external_length, " bytes of it; it needs ", wanted));
    }
    const std::filesystem::path location(tensor.location);
    if (location.empty() || location.is_absolute() || tensor.location.find('\0') != std::string_view::npos) {
      refuse("which is no relative path");
    }
    std::error_code failed;
    const std::filesystem::path base = std::filesystem::absolute(path()).parent_path();
    const auto folder = std::filesystem::canonical(base, failed);
    if (failed) refuse("and the model's folder is not found: " + failed.message());
    const auto target = std::filesystem::weakly_canonical(base / location, failed);
    if (failed) refuse("which is not found: " + failed.message());
    if (std::mismatch(folder.begin(), folder.end(), target.begin(), target.end()).first != folder.end()) {
      refuse("which is not in the model's folder");
    }
    return target;
  }

  const binary_file& file_;
  std::uint64_t budget_;
  std::set<std::filesystem::path> files_;  // beside the model, that count for the budget
};

}  // namespace deconvnet::detail::onnx
