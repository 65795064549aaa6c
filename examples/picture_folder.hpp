// The pictures of a folder as a range of network inputs: files are decoded when they are looked at, none is kept.
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

/// Pictures by number: files, decoded when they are asked for, or a data set, in memory.
class picture_list {
 public:
  picture_list(std::vector<std::filesystem::path> files) : files_(std::move(files)) {}  // NOLINT(google-explicit-constructor)

  /// `folder`: where it was read from, for names.
  picture_list(dn::image_set set, std::filesystem::path folder) : folder_(std::move(folder)), set_(std::move(set)) {}

  std::size_t size() const { return set_.size() != 0 ? set_.size() : files_.size(); }

  /// What messages and tables call a picture: its path, or its number and class.
  std::string name(std::size_t k) const {
    if (set_.size() == 0) return files_[k].string();
    return folder_.string() + ", picture " + std::to_string(k) + " (" + set_.classes[set_.label(k)] + ")";
  }

  xt::xtensor<float, 3> load(std::size_t k, std::size_t channels) const {
    return set_.size() != 0 ? in_channels(set_.image(k), channels) : load_photograph(files_[k].string(), channels);
  }

 private:
  std::vector<std::filesystem::path> files_;
  std::filesystem::path folder_;
  dn::image_set set_;
};

/// The PNG, JPEG and BMP files of a folder and of the folders in it, by their names' endings, sorted by path. Links to
/// folders are not followed. Throws file_error where there is no such folder.
inline std::vector<std::filesystem::path> picture_files_in(const std::string& folder) {
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
  std::sort(paths.begin(), paths.end());
  return paths;
}

/// The pictures of a folder: its picture files, or else that half of the data set in it (IDX, CIFAR). Throws file_error
/// where there is neither.
inline picture_list pictures_in(const std::string& folder, dn::split half = dn::split::test) {
  auto files = picture_files_in(folder);
  if (!files.empty()) return files;
  return {dn::load_data_set(folder, half), folder};
}

/// What every program says of a folder of pictures.
inline constexpr const char* pictures_help =
    "a folder of PNG, JPEG or BMP files, in folders of it too, or of a data set's files (IDX, CIFAR)";

/// Pictures first ... last - 1 of a list, as inputs of a network. A picture that cannot be read, or cannot be made into
/// an input, throws file_error when it is looked at: an analysis skips and counts it. The list must outlive the range.
/// (The views of the standard library would do, but clang 14 does not compile those of libstdc++ 12.)
class picture_inputs {
 public:
  picture_inputs(const picture_list& pictures, std::size_t first, std::size_t last, dn::preprocessing how, std::size_t channels)
      : pictures_(&pictures), first_(first), last_(last), how_(std::move(how)), channels_(channels) {}

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

  /// Input k of the range.
  xt::xtensor<float, 4> operator[](std::size_t k) const { return input(first_ + k); }

  /// The input made of picture k of the list.
  xt::xtensor<float, 4> input(std::size_t k) const {
    try {
      return dn::preprocess(pictures_->load(k, channels_), how_);
    } catch (const dn::file_error&) {
      throw;
    } catch (const dn::error& problem) {  // one picture of an absurd shape must not end a scan
      throw dn::file_error(pictures_->name(k), problem.what());
    }
  }

 private:
  const picture_list* pictures_;
  std::size_t first_, last_;
  dn::preprocessing how_;
  std::size_t channels_;
};

}  // namespace examples
