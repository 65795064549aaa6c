// Pictures in a folder for each class: the layout of ILSVRC.
#pragma once

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <deconvnet/image/crop.hpp>
#include <deconvnet/image/image_file.hpp>
#include <deconvnet/image/resize.hpp>
#include <deconvnet/io/image_set.hpp>
#include <deconvnet/kernels/parallel_for.hpp>

namespace deconvnet {

/// `.split`: the classes lie in train/, or in test/ (without one in val/); without it in the directory itself.
/// `.short_side`: what every picture is resized to, 0: as it is. `.centre_square`: afterwards the square in its middle is cut out,
/// with torchvision's rounding, which is how the paper's section 3 takes ImageNet.
struct image_folder_options {
  std::optional<deconvnet::split> split{};
  std::size_t short_side = 0;
  bool centre_square = false;
};

namespace detail {

/// What lies in a directory and passes, sorted by name. Throws file_error where it cannot be read.
template <class Predicate>
std::vector<std::filesystem::path> sorted_entries(const std::filesystem::path& directory, Predicate passes) {
  std::error_code failed;
  std::vector<std::filesystem::path> paths;
  for (std::filesystem::directory_iterator it(directory, failed); !failed && it != std::filesystem::directory_iterator();
       it.increment(failed)) {
    if (passes(it->path())) paths.push_back(it->path());
  }
  if (failed) throw file_error(directory.string(), "it cannot be listed: " + failed.message());
  std::sort(paths.begin(), paths.end(),
            [](const auto& a, const auto& b) { return a.filename().string() < b.filename().string(); });
  return paths;
}

inline bool is_folder(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored);
}

inline bool is_picture_name(const std::filesystem::path& path) {
  std::string ending = path.extension().string();
  for (char& letter : ending) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  // What begins with a dot is something else under a picture's name, such as a Mac's ._photo.jpg.
  const bool hidden = path.filename().string().starts_with('.');
  return !hidden && (ending == ".jpg" || ending == ".jpeg" || ending == ".png" || ending == ".bmp");
}

inline std::vector<std::filesystem::path> class_folders(const std::filesystem::path& directory) {
  return sorted_entries(directory, [](const auto& path) {
    return is_folder(path) && !path.filename().string().starts_with('.');
  });
}

inline tensor<float, 3> centre_square(const tensor<float, 3>& picture) {
  const std::size_t side = std::min(picture.shape(1), picture.shape(2));
  const auto start = [&](std::size_t extent) { return static_cast<std::ptrdiff_t>(centre_crop_start(extent, side)); };
  return deconvnet::crop(picture, {start(picture.shape(1)), start(picture.shape(2)), side, side});
}

}  // namespace detail

/// The pictures in <directory>/<class>/, files that end in .jpg, .jpeg, .png or .bmp in any case. Classes and, in each,
/// files are in the order of their names' bytes: the same number means the same picture everywhere. Nothing is decoded
/// before it is looked at and nothing is kept, so a set may be larger than the memory. With `.split` the classes are
/// those of train/ where it is there: labels of both halves mean the same. Const members may be called from several
/// threads at once.
class image_folder {
 public:
  /// Throws file_error where there is no such directory, no picture in it, or a class in test/ that train/ has not.
  explicit image_folder(const std::filesystem::path& directory, const image_folder_options& options = {})
      : short_side_(options.short_side), centre_square_(options.centre_square) {
    if (!detail::is_folder(directory)) throw file_error(directory.string(), "there is no such directory");
    const auto root = options.split ? folder_of(directory, *options.split) : directory;
    const auto train = directory / "train";
    const bool take_names = options.split == split::test && detail::is_folder(train);
    for (const auto& folder : detail::class_folders(take_names ? train : root)) classes_.push_back(folder.filename().string());
    for (const auto& folder : detail::class_folders(root)) {
      const auto found = std::lower_bound(classes_.begin(), classes_.end(), folder.filename().string());
      if (found == classes_.end() || *found != folder.filename().string()) {
        throw file_error(folder.string(), "a class that " + train.string() + " has not");
      }
      for (auto& path : detail::sorted_entries(folder, detail::is_picture_name)) {
        paths_.push_back(std::move(path));
        labels_.push_back(static_cast<std::size_t>(found - classes_.begin()));
      }
    }
    if (paths_.empty()) {
      throw file_error(root.string(), "no pictures: <class>/*.jpg, .jpeg, .png and .bmp are looked for");
    }
  }

  std::size_t size() const { return paths_.size(); }
  const std::vector<std::string>& classes() const { return classes_; }

  /// Throw error for an i that is not below size().
  std::size_t label(std::size_t i) const { return labels_[checked(i)]; }
  const std::filesystem::path& path(std::size_t i) const { return paths_[checked(i)]; }

  /// Picture i, 3 x H x W, 0..255. Throws file_error, naming the file, where it is no picture; error for an i that is
  /// not below size().
  tensor<float, 3> image(std::size_t i) const {
    auto picture = load_image<float>(path(i));
    if (short_side_ == 0 && !centre_square_) return picture;
    try {
      if (short_side_ != 0) picture = resize_short_side(picture, short_side_, {.whole_levels = true});
      return centre_square_ ? detail::centre_square(picture) : picture;
    } catch (const error& problem) {  // a picture of an absurd shape
      throw file_error(path(i).string(), problem.what());
    }
  }

 private:
  static std::filesystem::path folder_of(const std::filesystem::path& directory, split which) {
    const auto named = directory / split_name(which);
    if (detail::is_folder(named)) return named;
    if (which == split::train) throw file_error(named.string(), "there is no such directory");
    if (detail::is_folder(directory / "val")) return directory / "val";
    throw file_error(named.string(), "there is no such directory, nor val beside it");
  }

  std::size_t checked(std::size_t i) const {
    if (i >= size()) throw error(detail::text("image_folder: picture ", i, " is asked for, there are ", size()));
    return i;
  }

  std::size_t short_side_;
  bool centre_square_;
  std::vector<std::string> classes_;
  std::vector<std::filesystem::path> paths_;
  std::vector<std::size_t> labels_;
};

/// All of a folder in memory, decoded by all threads: N x 3 x H x W, rounded to whole levels. Throws file_error as
/// image_folder does, and where a picture has not the size of the first or they are too many for max_elements.
inline image_set load_image_folder(const std::filesystem::path& directory, const image_folder_options& options = {}) {
  const image_folder folder(directory, options);
  const auto first = folder.image(0);
  const std::size_t each = first.size();
  if (folder.size() > max_elements / each) {
    throw file_error(directory.string(), detail::text(folder.size(), " pictures of ", shape_text(first.shape()),
                                                      " are too many for the memory: read them through image_folder"));
  }
  image_set set;
  set.classes = folder.classes();
  for (std::size_t i = 0; i < folder.size(); ++i) set.labels.push_back(folder.label(i));
  set.images.resize({folder.size(), first.shape(0), first.shape(1), first.shape(2)});
  parallel_for(folder.size(), [&](std::size_t i) {
    const auto picture = folder.image(i);
    if (picture.shape() != first.shape()) {
      throw file_error(folder.path(i).string(),
                       detail::text("a picture of ", shape_text(picture.shape()), ", ", folder.path(0).filename().string(),
                                    " of ", folder.classes()[folder.label(0)], " is ", shape_text(first.shape()),
                                    ": one size is needed, or a reader that goes through image_folder"));
    }
    std::transform(picture.data(), picture.data() + each, set.images.data() + i * each, [](float value) {
      return static_cast<std::uint8_t>(std::clamp(std::lround(value), 0L, 255L));
    });
  });
  return set;
}

}  // namespace deconvnet
