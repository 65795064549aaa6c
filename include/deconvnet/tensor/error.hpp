// The exceptions of the library. Every public door checks what it is handed and throws one of these.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>

namespace deconvnet {

namespace detail {

/// One piece of a message: words or a number. Every message is joined by one function that is no template: error paths
/// are everywhere, and a stream of its own in each made programs take twice as long to compile.
class text_part {
 public:
  text_part(std::string_view words) : words_(words) {}        // NOLINT(google-explicit-constructor)
  text_part(const std::string& words) : words_(words) {}      // NOLINT(google-explicit-constructor)
  text_part(const char* words) : words_(words) {}             // NOLINT(google-explicit-constructor)
  text_part(char letter) : number_(1, letter), words_(number_) {}  // NOLINT(google-explicit-constructor)
  template <std::integral Number>
  text_part(Number number) : number_(std::to_string(number)), words_(number_) {}  // NOLINT(google-explicit-constructor)
  template <std::floating_point Number>
  text_part(Number number) : number_(shortest(static_cast<double>(number))), words_(number_) {}  // NOLINT
  text_part(const text_part&) = delete;
  text_part& operator=(const text_part&) = delete;

  std::string_view words() const { return words_; }

 private:
  static std::string shortest(double number) {
    char digits[32];
    const int length = std::snprintf(digits, sizeof(digits), "%g", number);
    return {digits, static_cast<std::size_t>(length)};
  }

  std::string number_;
  std::string_view words_;
};

inline std::string join_text(std::initializer_list<text_part> parts) {
  std::string joined;
  for (const text_part& part : parts) joined += part.words();
  return joined;
}

/// Joins words and numbers into one string.
template <class... Parts>
std::string text(const Parts&... parts) {
  return join_text({text_part(parts)...});
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
