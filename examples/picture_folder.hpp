// The pictures of a folder as a range of network inputs: each is decoded when it is looked at, none is kept.
#pragma once

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <filesystem>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "network_input.hpp"

namespace examples {

/// The PNG, JPEG and BMP files of a folder and of the folders in it, by their names' endings, sorted by path. Links to
/// folders are not followed. Throws file_error where there is no such folder, or no picture in it.
inline std::vector<std::filesystem::path> pictures_in(const std::string& folder) {
  namespace fs = std::filesystem;
  std::error_code problem;
  if (!fs::exists(folder, problem)) throw dn::file_error(folder, "there is no such folder");
  if (!fs::is_directory(folder, problem)) throw dn::file_error(folder, "not a folder");
  std::vector<fs::path> paths;
  const auto options = fs::directory_options::skip_permission_denied;
  for (auto it = fs::recursive_directory_iterator(folder, options, problem); !problem && it != fs::end(it); it.increment(problem)) {
    std::string ending = it->path().extension().string();
    for (char& letter : ending) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    std::error_code unreadable;
    const bool picture = ending == ".png" || ending == ".jpg" || ending == ".jpeg" || ending == ".bmp";
    if (picture && !it->is_directory(unreadable)) paths.push_back(it->path());
  }
  if (problem) throw dn::file_error(folder, problem.message());
  if (paths.empty()) throw dn::file_error(folder, "no picture in it: .png, .jpg, .jpeg and .bmp are looked for");
  std::sort(paths.begin(), paths.end());
  return paths;
}

/// Pictures first ... last - 1 of a list, as inputs of a network. A picture that cannot be read, or cannot be made into
/// an input, throws file_error when it is looked at: an analysis skips and counts it. The list must outlive the range.
/// (The views of the standard library would do, but clang 14 does not compile those of libstdc++ 12.)
class picture_inputs {
 public:
  picture_inputs(const std::vector<std::filesystem::path>& paths, std::size_t first, std::size_t last, dn::preprocessing how,
                 std::size_t channels)
      : paths_(&paths), first_(first), last_(last), how_(std::move(how)), channels_(channels) {}

  class iterator {
   public:
    using value_type = xt::xtensor<float, 4>;
    using difference_type = std::ptrdiff_t;

    iterator() = default;
    iterator(const picture_inputs& owner, std::size_t place) : owner_(&owner), place_(place) {}
    value_type operator*() const { return owner_->input(place_); }
    iterator& operator++() {
      ++place_;
      return *this;
    }
    iterator operator++(int) {
      const iterator before = *this;
      ++place_;
      return before;
    }
    bool operator==(const iterator& other) const { return place_ == other.place_; }

   private:
    const picture_inputs* owner_ = nullptr;
    std::size_t place_ = 0;
  };

  iterator begin() const { return {*this, first_}; }
  iterator end() const { return {*this, last_}; }
  std::size_t size() const { return last_ - first_; }

  /// The input made of picture k of the list.
  xt::xtensor<float, 4> input(std::size_t k) const {
    const std::string path = (*paths_)[k].string();
    try {
      return dn::preprocess(load_photograph(path, channels_), how_);
    } catch (const dn::file_error&) {
      throw;
    } catch (const dn::error& problem) {  // one picture of an absurd shape must not end a scan
      throw dn::file_error(path, problem.what());
    }
  }

 private:
  const std::vector<std::filesystem::path>* paths_;
  std::size_t first_, last_;
  dn::preprocessing how_;
  std::size_t channels_;
};

}  // namespace examples
