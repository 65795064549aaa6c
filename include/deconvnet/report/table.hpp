// Numbers in rows and columns, as text for a terminal, as CSV, as HTML.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <ios>
#include <locale>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <deconvnet/tensor/error.hpp>

namespace deconvnet {

/// One cell: a text, or a number, which is set to the right.
class cell {
 public:
  template <class Text>
  requires std::convertible_to<const Text&, std::string_view> cell(const Text& text)
      : text_(std::string_view(text)) {}  // NOLINT(google-explicit-constructor)

  /// text() has six significant digits, exact() as many as reading the number back takes.
  template <class Number>
  requires std::integral<Number> || std::floating_point<Number> cell(Number number)
      : is_number_(true) {  // NOLINT(google-explicit-constructor)
    text_ = print(number, 6, std::ios_base::fmtflags{});
    exact_ = print(number, sizeof(Number) <= 4 ? 9 : 17, std::ios_base::fmtflags{});
  }

  /// A number with so many places behind the point, in text; CSV gets all its digits.
  cell(double number, int places) : cell(number) {
    text_ = print(number, std::clamp(places, 0, 17), std::ios_base::fixed);
  }

  bool is_number() const { return is_number_; }
  const std::string& text() const { return text_; }
  const std::string& exact() const { return is_number_ ? exact_ : text_; }

 private:
  template <class Number>
  static std::string print(Number number, int digits, std::ios_base::fmtflags notation) {
    std::ostringstream stream;
    stream.imbue(std::locale::classic());  // a program's own locale must not put commas into CSV
    stream.setf(notation, std::ios_base::floatfield);
    stream.precision(digits);
    if constexpr (std::integral<Number> && sizeof(Number) == 1) {
      stream << static_cast<int>(number);
    } else {
      stream << number;
    }
    return std::move(stream).str();
  }

  std::string text_;
  std::string exact_;
  bool is_number_ = false;
};

/// Column names and rows of cells.
class table {
 public:
  explicit table(std::vector<std::string> columns) : columns_(std::move(columns)) {
    if (columns_.empty()) throw error("a table needs at least one column");
  }

  /// Throws error where the number of cells is not that of the columns.
  void add(std::vector<cell> row) {
    if (row.size() != columns_.size()) {
      throw error(detail::text("table: ", row.size(), " cells for ", columns_.size(), " columns"));
    }
    rows_.push_back(std::move(row));
  }

  const std::vector<std::string>& columns() const { return columns_; }
  const std::vector<std::vector<cell>>& rows() const { return rows_; }

 private:
  std::vector<std::string> columns_;
  std::vector<std::vector<cell>> rows_;
};

namespace detail {

/// Letters as a terminal shows them: the bytes of UTF-8 that begin one.
inline std::size_t letters_in(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; }));
}

inline void append_padded(std::string& line, std::string_view text, std::size_t width, bool to_the_right) {
  const std::string gap(width - letters_in(text), ' ');
  if (!line.empty()) line += "  ";
  line += to_the_right ? gap + std::string(text) : std::string(text) + gap;
}

inline void end_line(std::string& result, std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  result += line + '\n';
}

/// A CSV field by RFC 4180: in quotes where it holds a comma, a quote or a line break.
inline std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char letter : text) quoted += letter == '"' ? std::string("\"\"") : std::string(1, letter);
  return quoted + '"';
}

}  // namespace detail

/// The table in columns for a terminal: names, a rule, the rows; numbers set to the right.
inline std::string to_text(const table& values) {
  const std::size_t count = values.columns().size();
  std::vector<std::size_t> widths(count);
  std::vector<bool> numbers(count, !values.rows().empty());
  for (std::size_t k = 0; k < count; ++k) {
    widths[k] = detail::letters_in(values.columns()[k]);
    for (const auto& row : values.rows()) {
      widths[k] = std::max(widths[k], detail::letters_in(row[k].text()));
      numbers[k] = numbers[k] && row[k].is_number();
    }
  }
  std::string result;
  std::string names;
  std::string rule;
  for (std::size_t k = 0; k < count; ++k) {
    detail::append_padded(names, values.columns()[k], widths[k], numbers[k]);
    detail::append_padded(rule, std::string(widths[k], '-'), widths[k], false);
  }
  detail::end_line(result, names);
  detail::end_line(result, rule);
  for (const auto& row : values.rows()) {
    std::string line;
    for (std::size_t k = 0; k < count; ++k) detail::append_padded(line, row[k].text(), widths[k], row[k].is_number());
    detail::end_line(result, line);
  }
  return result;
}

/// The table as CSV (RFC 4180, lines ended by \n): the column names, then the rows, numbers with every digit they have.
inline std::string to_csv(const table& values) {
  std::string result;
  for (std::size_t k = 0; k < values.columns().size(); ++k) {
    result += (k ? "," : "") + detail::csv_field(values.columns()[k]);
  }
  result += '\n';
  for (const auto& row : values.rows()) {
    for (std::size_t k = 0; k < row.size(); ++k) result += (k ? "," : "") + detail::csv_field(row[k].exact());
    result += '\n';
  }
  return result;
}

}  // namespace deconvnet
