// Rankings in files: a scan that goes on another day, shards joined from several machines.
#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <deconvnet/analysis/top_ranking.hpp>

// Lines of comma-separated fields, numbers in the shortest form that reads back to the same bits, text as the last field of
// its line: a spreadsheet opens it, and it needs no library, which keeps this room free of the file formats of io/.
//
//   deconvnet top activations,1
//   layer,<count>,<maps>,<entries per map>,<name>
//   scanned,<first>,<last>
//   cut,<image>
//   skipped,<index>,<message>
//   map,image,value,y,x
//   <map>,<image>,<value>,<y>,<x>        entries per map lines for each map, strongest first
//   end                                  then the next layer, or nothing
namespace deconvnet {

namespace detail {

inline constexpr std::string_view ranking_title = "deconvnet top activations,1";
inline constexpr std::string_view ranking_columns = "map,image,value,y,x";

/// Maps that a file may announce without an entry to show for each.
inline constexpr std::size_t most_empty_maps = std::size_t{1} << 20;

/// Line breaks and backslashes as two letters.
inline std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '\\') result += "\\\\";
    else if (c == '\n') result += "\\n";
    else if (c == '\r') result += "\\r";
    else result += c;
  }
  return result;
}

template <class Number>
void append_number(std::string& line, Number value) {
  std::array<char, 40> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  line.append(digits.data(), end);
}

/// Each number behind a comma.
template <class... Numbers>
void append_fields(std::string& line, Numbers... values) {
  ((line += ',', append_number(line, values)), ...);
}

template <scalar T>
void append_ranking(std::string& file, const top_ranking<T>& ranking) {
  const std::size_t entries = ranking.size() ? ranking[0].size() : 0;
  file += "layer";
  append_fields(file, ranking.count, ranking.size(), entries);
  file += "," + escaped(ranking.layer) + "\n";
  for (const image_range& part : ranking.scanned) {
    file += "scanned";
    append_fields(file, part.first, part.last);
    file += "\n";
  }
  for (const std::size_t cut : ranking.cuts) {
    file += "cut";
    append_fields(file, cut);
    file += "\n";
  }
  for (const skipped_input& skipped : ranking.skipped) {
    file += "skipped";
    append_fields(file, skipped.index);
    file += "," + escaped(skipped.message) + "\n";
  }
  file += std::string(ranking_columns) + "\n";
  for (std::size_t map = 0; map < ranking.size(); ++map) {
    if (ranking[map].size() != entries) {
      throw error(text("save_rankings: layer '", ranking.layer, "' has maps of ", entries, " and ", ranking[map].size(), " entries"));
    }
    for (const auto& entry : ranking[map]) {
      append_number(file, map);
      append_fields(file, entry.image, entry.value, entry.y, entry.x);
      file += "\n";
    }
  }
  file += "end\n";
}

/// Reads such a file line by line; every problem is a file_error with the offset of its line.
class ranking_reader {
 public:
  ranking_reader(std::string path, std::string_view file) : path_(std::move(path)), rest_(file), size_(file.size()) {}

  std::size_t remaining() const { return rest_.size(); }

  /// The next line without its end.
  std::string_view line() {
    start_ = size_ - rest_.size();
    const auto end = rest_.find('\n');
    if (end == std::string_view::npos) fail("the file ends in the middle of a ranking");
    line_ = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return line_;
  }

  /// The first field of a new line.
  std::string_view word() {
    line();
    return field();
  }

  std::string_view field() {
    const auto comma = line_.find(',');
    const std::string_view value = line_.substr(0, comma);
    line_ = comma == std::string_view::npos ? std::string_view{} : line_.substr(comma + 1);
    return value;
  }

  template <class Number>
  Number number() {
    const std::string_view digits = field();
    Number value{};
    const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (problem != std::errc{} || end != digits.data() + digits.size()) fail(text("'", digits.substr(0, 40), "' is no number that fits here"));
    return value;
  }

  std::size_t count() { return number<std::size_t>(); }

  /// What is left of the line, as it was before it was escaped.
  std::string text_field() {
    std::string result;
    for (std::size_t k = 0; k < line_.size(); ++k) {
      if (line_[k] != '\\') {
        result += line_[k];
        continue;
      }
      const char letter = ++k < line_.size() ? line_[k] : '\0';
      if (letter != '\\' && letter != 'n' && letter != 'r') fail("a backslash that stands for nothing");
      result += letter == 'n' ? '\n' : letter == 'r' ? '\r' : '\\';
    }
    line_ = {};
    return result;
  }

  void end_of_line() {
    if (!line_.empty()) fail("more fields than expected");
  }

  [[noreturn]] void fail(const std::string& problem) const { throw file_error(path_, start_, problem); }

 private:
  std::string path_;
  std::string_view rest_;
  std::string_view line_;
  std::size_t size_;
  std::size_t start_ = 0;
};

template <scalar T>
top_activation<T> read_entry(ranking_reader& file, std::size_t map) {
  file.line();
  if (file.count() != map) file.fail("an entry of another map");
  top_activation<T> entry;
  entry.image = file.count();
  entry.value = file.template number<T>();
  entry.y = file.count();
  entry.x = file.count();
  file.end_of_line();
  if (entry.value != entry.value) file.fail("NaN is no activation");
  return entry;
}

template <scalar T>
void read_entries(ranking_reader& file, top_ranking<T>& ranking, std::size_t maps, std::size_t entries) {
  // The shortest entry is "0,0,0,0,0\n": what a file announces it must hold.
  if (entries > ranking.count || (entries == 0 ? maps > most_empty_maps : maps > file.remaining() / 10 / entries)) {
    file.fail(text(maps, " maps of ", entries, " entries announced, more than the file can hold"));
  }
  ranking.maps.resize(maps);
  for (std::size_t map = 0; map < maps; ++map) {
    auto& list = ranking.maps[map];
    for (std::size_t k = 0; k < entries; ++k) {
      const auto entry = read_entry<T>(file, map);
      if (!list.empty() && !is_stronger(list.back(), entry)) file.fail("the entries are not in order");
      list.push_back(entry);
    }
  }
}

template <scalar T>
top_ranking<T> read_ranking(ranking_reader& file) {
  top_ranking<T> ranking;
  if (file.word() != "layer") file.fail("'layer' expected");
  ranking.count = file.count();
  const std::size_t maps = file.count();
  const std::size_t entries = file.count();
  ranking.layer = file.text_field();
  for (;;) {
    const std::string_view word = file.word();
    if (word == "scanned") {
      const std::size_t first = file.count();
      const std::size_t last = file.count();
      const bool in_order = ranking.scanned.empty() || ranking.scanned.back().last <= first;
      if (first > last || !in_order) file.fail("ranges of images that are not in order");
      ranking.scanned.push_back({first, last});
    } else if (word == "cut") {
      ranking.cuts.push_back(file.count());
      if (ranking.cuts.size() > 1 && ranking.cuts[ranking.cuts.size() - 2] >= ranking.cuts.back()) file.fail("cuts that are not in order");
    } else if (word == "skipped") {
      const std::size_t index = file.count();
      ranking.skipped.push_back({index, file.text_field()});
      if (ranking.skipped.size() > 1 && ranking.skipped[ranking.skipped.size() - 2].index > index) file.fail("images that are not in order");
    } else if (word == "map") {
      file.text_field();
      break;
    } else {
      file.fail(text("'", word.substr(0, 40), "' is no part of a ranking"));
    }
    file.end_of_line();
  }
  ranking.complete = ranking.cuts.empty();
  read_entries(file, ranking, maps, entries);
  if (file.line() != "end") file.fail("'end' expected");
  return ranking;
}

}  // namespace detail

/// Writes the rankings of one scan, one per layer, to a file that load_rankings reads back to equal values. The file is
/// replaced as a whole: a machine that stops while writing leaves the one before. Throws file_error where it cannot be
/// written.
template <scalar T>
void save_rankings(const std::filesystem::path& path, std::span<const top_ranking<T>> rankings) {
  std::string content = std::string(detail::ranking_title) + "\n";
  for (const auto& ranking : rankings) detail::append_ranking(content, ranking);
  std::filesystem::path part = path;
  part += ".part";
  {
    std::ofstream file(part, std::ios::binary);
    file.write(content.data(), static_cast<std::streamsize>(content.size()));
    file.close();
    if (!file) throw file_error(part.string(), "cannot be written");
  }
  std::error_code problem;
  std::filesystem::rename(part, path, problem);
  if (problem) throw file_error(path.string(), "cannot be replaced: " + problem.message());
}

template <scalar T>
void save_rankings(const std::filesystem::path& path, const std::vector<top_ranking<T>>& rankings) {
  save_rankings(path, std::span<const top_ranking<T>>(rankings));
}

template <scalar T>
void save_rankings(const std::filesystem::path& path, const top_ranking<T>& ranking) {
  save_rankings(path, std::span<const top_ranking<T>>(&ranking, 1));
}

/// Reads what save_rankings wrote. Throws file_error, with the byte where it is wrong, for anything else.
template <scalar T>
std::vector<top_ranking<T>> load_rankings(const std::filesystem::path& path) {
  std::error_code problem;
  if (!std::filesystem::is_regular_file(path, problem)) throw file_error(path.string(), "is not there, or no file");
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw file_error(path.string(), "cannot be read");
  const std::string content{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  if (stream.bad()) throw file_error(path.string(), "cannot be read");
  detail::ranking_reader file(path.string(), content);
  if (file.line() != detail::ranking_title) file.fail("not a file of top activations");
  std::vector<top_ranking<T>> rankings;
  while (file.remaining() != 0) rankings.push_back(detail::read_ranking<T>(file));
  return rankings;
}

}  // namespace deconvnet
