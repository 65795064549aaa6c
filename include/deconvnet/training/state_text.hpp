// Numbers as text and back, bit for bit: what a checkpoint holds beside its tensors.
#pragma once

#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <deconvnet/tensor/error.hpp>

namespace deconvnet::detail {

/// The shortest digits that give the same double again, in every locale. A NaN loses its payload.
inline std::string exact_text(double number) {
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof(digits), number).ptr;
  return {digits, end};
}

/// Reads words that are separated by single spaces. Throws error, naming `what`, where they are not what they should be.
class text_reader {
 public:
  text_reader(std::string what, std::string_view words) : what_(std::move(what)), rest_(words) {}

  double number() { return parsed<double>("a number"); }
  std::size_t count() { return parsed<std::size_t>("a count"); }
  bool at_end() const { return rest_.empty(); }

  void end() const {
    if (!at_end()) throw error(text(what_, ": there is more: '", rest_.substr(0, 40), "'"));
  }

 private:
  template <class Number>
  Number parsed(const char* kind) {
    const std::string_view word = rest_.substr(0, rest_.find(' '));
    Number value{};
    const auto [end, failed] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (failed != std::errc{} || end != word.data() + word.size()) {
      throw error(text(what_, ": '", word.substr(0, 40), "' is not ", kind));
    }
    rest_.remove_prefix(word.size() == rest_.size() ? word.size() : word.size() + 1);
    return value;
  }

  std::string what_;
  std::string_view rest_;
};

}  // namespace deconvnet::detail
