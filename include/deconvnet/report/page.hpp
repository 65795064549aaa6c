// An HTML page of pictures and tables: what a run has found, to look at in a browser.
#pragma once

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <deconvnet/image/image_file.hpp>
#include <deconvnet/report/table.hpp>

namespace deconvnet {

namespace detail {

/// The text with the letters that mean something to HTML written out, in elements and in quoted attributes; control
/// characters, which HTML has no way to write, become spaces.
inline std::string html_text(std::string_view text) {
  std::string result;
  for (const char letter : text) {
    switch (letter) {
      case '&': result += "&amp;"; break;
      case '<': result += "&lt;"; break;
      case '>': result += "&gt;"; break;
      case '"': result += "&quot;"; break;
      case '\'': result += "&#39;"; break;
      default: {
        const auto code = static_cast<unsigned char>(letter);
        result += (code < 0x20 && letter != '\n' && letter != '\t') || code == 0x7f ? ' ' : letter;
      }
    }
  }
  return result;
}

inline constexpr const char* page_style = R"(
body { font-family: sans-serif; margin: 2em; }
figure { display: inline-block; margin: 0.5em; vertical-align: top; }
figcaption { max-width: 60em; }
img { max-width: 100%; }
table { border-collapse: collapse; }
th, td { padding: 0.2em 0.8em; border-bottom: 1px solid #ccc; text-align: left; }
td.number { text-align: right; }
)";

inline std::string html_table(const table& values) {
  std::string rows = "<tr>";
  for (const auto& name : values.columns()) rows += "<th>" + html_text(name) + "</th>";
  rows += "</tr>\n";
  for (const auto& row : values.rows()) {
    rows += "<tr>";
    for (const auto& one : row) {
      rows += (one.is_number() ? "<td class=\"number\">" : "<td>") + html_text(one.text()) + "</td>";
    }
    rows += "</tr>\n";
  }
  return "<table>\n" + rows + "</table>\n";
}

}  // namespace detail

/// A page in the making: a folder with index.html and its pictures as PNG beside it. Texts are taken as they are, any
/// UTF-8; what HTML would read as markup is escaped. Nothing is loaded from elsewhere.
class page {
 public:
  /// Makes the folder where there is none. Throws file_error where it cannot.
  page(std::filesystem::path folder, std::string_view title)
      : folder_(std::move(folder)), title_(detail::html_text(title)) {
    std::error_code problem;
    std::filesystem::create_directories(folder_, problem);
    if (problem) throw file_error(folder_.string(), "no folder can be made: " + problem.message());
  }

  void add_heading(std::string_view text) { body_ += "<h2>" + detail::html_text(text) + "</h2>\n"; }
  void add_text(std::string_view text) { body_ += "<p>" + detail::html_text(text) + "</p>\n"; }

  /// Writes <name>.png and shows it with a caption. `name`: letters, digits, '-', '_' and '.', not used before;
  /// `picture` as in save_image. Throws error for another name, else as save_image.
  template <tensor_expression E>
  void add_picture(const std::string& name, const E& picture, std::string_view caption = {}) {
    const bool plain = std::all_of(name.begin(), name.end(), [](char letter) {
      return (static_cast<unsigned char>(letter) < 0x80 && std::isalnum(static_cast<unsigned char>(letter))) ||
             letter == '-' || letter == '_' || letter == '.';
    });
    if (!plain || name.empty() || name[0] == '.') throw error("page: a picture cannot be named '" + name + "'");
    if (names_.contains(name)) throw error("page: a picture named '" + name + "' is there already");
    save_image(folder_ / (name + ".png"), picture);
    names_.insert(name);
    const std::string words = detail::html_text(caption);
    body_ += "<figure><img src=\"" + name + ".png\" alt=\"" + words + "\">";
    if (!words.empty()) body_ += "<figcaption>" + words + "</figcaption>";
    body_ += "</figure>\n";
  }

  void add_table(const table& values, std::string_view caption = {}) {
    if (!caption.empty()) add_text(caption);
    body_ += detail::html_table(values);
  }

  /// The page as it is now.
  std::string html() const {
    return "<!DOCTYPE html>\n<html>\n<head>\n<meta charset=\"utf-8\">\n<title>" + title_ + "</title>\n<style>" +
           detail::page_style + "</style>\n</head>\n<body>\n<h1>" + title_ + "</h1>\n" + body_ + "</body>\n</html>\n";
  }

  /// Writes index.html, complete or not at all; may be called again when more was added. Returns its path. Throws
  /// file_error where it cannot be written.
  std::filesystem::path save() const {
    const auto path = folder_ / "index.html";
    const std::string text = html();
    detail::write_picture_file(path, {text.data(), text.size()});
    return path;
  }

 private:
  std::filesystem::path folder_;
  std::string title_;
  std::string body_;
  std::set<std::string> names_;
};

}  // namespace deconvnet
