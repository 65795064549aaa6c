// The exceptions of the library. Every public door checks what it is handed and throws one of these.
#pragma once

#include <cstdint>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

namespace deconvnet {

namespace detail {

/// Joins its arguments, as a stream prints them, into one string.
template <class... Parts>
std::string text(const Parts&... parts) {
  std::ostringstream stream;
  (stream << ... << parts);
  return std::move(stream).str();
}

}  // namespace detail

/// Base of everything the library throws: an argument that makes no sense, an unknown layer, a unit out of range.
class error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Shapes that do not fit each other. The message names the layer, where there is one, and both shapes.
class shape_error : public error {
 public:
  using error::error;
};

/// A file that is missing, unreadable, truncated or not what it says it is.
/// The message begins with the path and, where one is known, the byte offset of what is wrong.
class file_error : public error {
 public:
  explicit file_error(const std::string& path, const std::string& problem) : error(path + ": " + problem) {}
  file_error(const std::string& path, std::uint64_t offset, const std::string& problem)
      : error(detail::text(path, ": byte ", offset, ": ", problem)) {}
};

/// Something that exists but that this library does not do: an ONNX operator, a data type, a projection through an
/// operator without a reverse. The message names it.
class unsupported_error : public error {
 public:
  using error::error;
};

}  // namespace deconvnet
