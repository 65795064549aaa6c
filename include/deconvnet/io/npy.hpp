// NumPy arrays in and out. xtensor's own reader (xnpy.hpp) allocates what the header asks for and reads without looking
// whether the file has it, refuses other types than the caller's, and version 3: hence this one.
#pragma once

#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <deconvnet/io/binary_file.hpp>
#include <deconvnet/io/npy_header.hpp>
#include <deconvnet/io/number_format.hpp>
#include <deconvnet/io/strided_order.hpp>
#include <deconvnet/tensor/tensor.hpp>

namespace deconvnet {

/// What a NumPy file can be read into.
template <class T>
concept npy_number = scalar<T> || std::integral<T>;

namespace detail {

template <class Visitor>
decltype(auto) visit_npy_type(const npy_header& header, Visitor&& visitor) {
  switch (header.kind) {
    case 'f':
      if (header.item_size == 2) return visitor(half{});
      return header.item_size == 4 ? visitor(float{}) : visitor(double{});
    case 'i':
      if (header.item_size == 1) return visitor(std::int8_t{});
      if (header.item_size == 2) return visitor(std::int16_t{});
      return header.item_size == 4 ? visitor(std::int32_t{}) : visitor(std::int64_t{});
    case 'u':
      if (header.item_size == 1) return visitor(std::uint8_t{});
      if (header.item_size == 2) return visitor(std::uint16_t{});
      return header.item_size == 4 ? visitor(std::uint32_t{}) : visitor(std::uint64_t{});
    default: return visitor(std::uint8_t{});
  }
}

template <class T, class Stored>
T checked_number(Stored value, const binary_file& file, std::size_t offset) {
  if constexpr (std::same_as<T, bool>) {
    return value != Stored{};
  } else if constexpr (std::integral<T>) {
    constexpr bool wider = std::is_signed_v<Stored>
                               ? std::is_signed_v<T> && sizeof(T) >= sizeof(Stored)
                               : sizeof(T) > sizeof(Stored) || (std::is_unsigned_v<T> && sizeof(T) >= sizeof(Stored));
    if constexpr (!wider) {
      const bool low = value < Stored{} &&
                       (std::is_unsigned_v<T> ||
                        static_cast<std::intmax_t>(value) < static_cast<std::intmax_t>(std::numeric_limits<T>::min()));
      const bool high = value > Stored{} &&
                        static_cast<std::uintmax_t>(value) > static_cast<std::uintmax_t>(std::numeric_limits<T>::max());
      if (low || high) throw file_error(file.path(), offset, text(+value, " does not fit the type it is read into"));
    }
    return static_cast<T>(value);
  } else {
    return converted<T>(value);
  }
}

// Row-major destination from a column-major file.
template <class Stored, class T>
void read_column_major(const binary_file& file, const npy_header& header, T* destination) {
  std::vector<std::size_t> strides;
  std::size_t step = 1;
  for (const std::size_t extent : header.shape) {
    strides.push_back(step);
    step *= extent;
  }
  for_each_strided(header.shape, strides, [&](std::size_t k, std::size_t source) {
    const std::size_t offset = header.data_offset + source * sizeof(Stored);
    destination[k] = checked_number<T>(read_number<Stored>(file.bytes().data() + offset, header.order), file, offset);
  });
}

}  // namespace detail

/// The array in a NumPy file (.npy, format versions 1 to 3) of N dimensions, its elements converted to T.
///
/// Reads f2, f4, f8, i1 to i8, u1 to u8 and bool in either byte order, row-major or column-major (fortran_order); the
/// result is row-major with the shape in the file. A floating-point T takes the nearest value; an integer T takes
/// integers and bool. Throws shape_error where the file's rank is not N; file_error with the byte offset where the
/// header or the number of bytes is wrong, or an integer does not fit into T; unsupported_error for other types of
/// elements.
template <npy_number T, std::size_t N>
tensor<T, N> load_npy(const std::filesystem::path& path) {
  const detail::binary_file file(path);
  const detail::npy_header header = detail::read_npy_header(file);
  if (header.shape.size() != N) {
    throw shape_error(detail::text(file.path(), ": the array has ", header.shape.size(), " dimensions (",
                                   shape_text(header.shape), "), ", N, " are wanted"));
  }
  std::array<std::size_t, N> shape{};
  for (std::size_t d = 0; d < N; ++d) shape[d] = header.shape[d];
  auto result = tensor<T, N>::from_shape(shape);
  if (header.count == 0) return result;
  detail::visit_npy_type(header, [&](auto stored) {
    using stored_type = decltype(stored);
    if constexpr (std::integral<T> && !std::integral<stored_type>) {
      throw unsupported_error(file.path() + ": the array has floating-point elements, integers are wanted");
    } else if (header.fortran_order && N > 1) {
      detail::read_column_major<stored_type>(file, header, result.data());
    } else {
      const std::byte* source = file.bytes().data() + header.data_offset;
      if constexpr (std::floating_point<T>) {
        detail::convert_numbers<stored_type>(source, header.order, header.count, result.data());
      } else {
        for (std::size_t k = 0; k < header.count; ++k) {
          const std::size_t offset = header.data_offset + k * sizeof(stored_type);
          const auto value = detail::read_number<stored_type>(file.bytes().data() + offset, header.order);
          result.data()[k] = detail::checked_number<T>(value, file, offset);
        }
      }
    }
  });
  if (header.kind == 'b') {
    for (T& value : std::span(result.data(), header.count)) value = static_cast<T>(value != T{});
  }
  return result;
}

/// Writes any tensor expression as a NumPy file (format version 1, row-major, the expression's own element type: float,
/// double, an integer or bool). The file appears in one step: a reader never sees half of it. Throws file_error where
/// it cannot be written.
template <tensor_expression E>
requires std::is_arithmetic_v<typename E::value_type>
void save_npy(const std::filesystem::path& path, const E& expression) {
  using value_type = std::remove_cv_t<typename E::value_type>;
  constexpr char kind = std::same_as<value_type, bool>    ? 'b'
                        : std::floating_point<value_type> ? 'f'
                        : std::is_signed_v<value_type>    ? 'i'
                                                          : 'u';
  static_assert(!std::same_as<value_type, long double>, "NumPy files hold float and double");
  std::vector<std::size_t> shape;
  for (const auto extent : expression.shape()) shape.push_back(static_cast<std::size_t>(extent));

  detail::atomic_file file(path);
  file.write(detail::npy_header_text(kind, sizeof(value_type), shape));
  if constexpr (std::same_as<E, tensor<value_type, detail::static_rank<E>>>) {
    file.write(std::as_bytes(std::span(expression.data(), expression.size())));
  } else {
    // Lazy expressions are written in pieces: no second array of their size.
    std::vector<std::byte> piece;
    constexpr std::size_t piece_bytes = std::size_t{1} << 16;
    piece.reserve(piece_bytes);
    const auto end = expression.template end<xt::layout_type::row_major>();
    for (auto it = expression.template begin<xt::layout_type::row_major>(); it != end; ++it) {
      const value_type value = *it;
      const auto bytes = std::as_bytes(std::span(&value, 1));
      piece.insert(piece.end(), bytes.begin(), bytes.end());
      if (piece.size() < piece_bytes) continue;
      file.write(piece);
      piece.clear();
    }
    file.write(piece);
  }
  file.commit();
}

}  // namespace deconvnet
