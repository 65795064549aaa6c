// Parts of photographs marked as boxes in a CSV file: image,part,y,x,height,width.
#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <deconvnet/deconvnet.hpp>

namespace examples {

namespace dn = deconvnet;

/// One line: the box in pixels of the photograph.
struct marked_part {
  std::string image;
  std::string part;
  dn::box where;
  std::size_t line = 0;

  std::string line_text() const { return "line " + std::to_string(line); }
};

/// The fields of a line; a field in quotes may hold commas, and a quote as two.
inline std::vector<std::string> csv_fields(const std::string& line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (std::size_t k = 0; k < line.size(); ++k) {
    const char letter = line[k];
    if (letter == '"' && quoted && k + 1 < line.size() && line[k + 1] == '"') {
      fields.back() += line[++k];
    } else if (letter == '"') {
      quoted = !quoted;
    } else if (letter == ',' && !quoted) {
      fields.emplace_back();
    } else if (letter != '\r') {
      fields.back() += letter;
    }
  }
  return fields;
}

/// The marks of a file, paths of images relative to its folder. Empty lines, and a first line of column names, are
/// passed over. Throws file_error, with the line, for anything else.
inline std::vector<marked_part> load_marked_parts(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file || std::filesystem::is_directory(path)) throw dn::file_error(path.string(), "cannot be opened");
  std::vector<marked_part> marks;
  std::size_t number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const auto fields = csv_fields(line);
    if (number == 1 && fields[0] == "image") continue;
    const auto fail = [&](const std::string& problem) {
      throw dn::file_error(path.string(), "line " + std::to_string(number) + ": " + problem);
    };
    if (fields.size() != 6)
      fail("image,part,y,x,height,width are needed, not " + std::to_string(fields.size()) + " fields");
    std::size_t values[4];
    for (std::size_t k = 0; k < 4; ++k) {
      const auto& field = fields[k + 2];
      const auto [end, problem] = std::from_chars(field.data(), field.data() + field.size(), values[k]);
      const bool whole = problem == std::errc{} && end == field.data() + field.size();
      if (!whole || values[k] > dn::max_picture_pixels) fail("'" + field + "' is no number of pixels");
    }
    if (values[2] == 0 || values[3] == 0) fail("the box is empty");
    const auto image = (path.parent_path() / fields[0]).lexically_normal().string();
    marks.push_back(
        {image,
         fields[1],
         {static_cast<std::ptrdiff_t>(values[0]), static_cast<std::ptrdiff_t>(values[1]), values[2], values[3]},
         number});
  }
  if (marks.empty()) throw dn::file_error(path.string(), "no parts are marked in it");
  return marks;
}

/// Where a box of the photograph lies in the network's input, after the short side was resized and the centre cut out:
/// what is left of it there; empty where nothing is.
inline dn::box box_in_input(const dn::box& where, const dn::extent2d& photograph, const dn::preprocessing& options) {
  const std::size_t shorter = std::min(photograph.height, photograph.width);
  const std::size_t resized = options.resize == 0 ? shorter : options.resize;
  const auto along = [&](std::ptrdiff_t start, std::size_t size, std::size_t extent) {
    const std::size_t long_side = resized * extent / shorter;
    const std::size_t seen = options.crop == 0 ? long_side : options.crop;
    const double scale = static_cast<double>(long_side) / static_cast<double>(extent);
    const double offset = static_cast<double>(long_side - seen) / 2;
    const double limit = static_cast<double>(seen);
    const double first = std::clamp(std::round(static_cast<double>(start) * scale - offset), 0.0, limit);
    const double last =
        std::clamp(std::round((static_cast<double>(start) + static_cast<double>(size)) * scale - offset), 0.0, limit);
    return std::pair{static_cast<std::ptrdiff_t>(first), static_cast<std::size_t>(last - first)};
  };
  const auto [y, height] = along(where.y, where.height, photograph.height);
  const auto [x, width] = along(where.x, where.width, photograph.width);
  return {y, x, height, width};
}

}  // namespace examples
