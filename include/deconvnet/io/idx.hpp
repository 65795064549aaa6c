// MNIST and the sets that use its files, Fashion-MNIST above all: IDX, plain or compressed by gzip.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <deconvnet/io/binary_file.hpp>
#include <deconvnet/io/gzip.hpp>
#include <deconvnet/io/image_set.hpp>
#include <deconvnet/io/number_format.hpp>

namespace deconvnet {

/// `.classes`: the names of the classes in the order of the labels; empty: Fashion-MNIST's where the folder of the files,
/// or the one it lies in, has "fashion" in its name, else the labels as numbers.
struct idx_options {
  std::vector<std::string> classes{};
};

namespace detail {

/// The contents of an IDX file of unsigned bytes: `extents` from its header, then as many values.
struct idx_file {
  std::string name;  // for messages; an offset is into the inflated contents
  std::vector<std::size_t> extents;
  std::vector<std::byte> bytes;  // with the header

  std::size_t header_bytes() const { return 4 + 4 * extents.size(); }
  std::span<const std::byte> values() const { return std::span(bytes).subspan(header_bytes()); }
};

/// Reads the header at the start of an IDX file: 0 0 8 <rank>, then an extent of four bytes, high one first, for each.
/// Throws file_error where it is not of `rank` extents of unsigned bytes, or promises more than max_elements.
inline std::vector<std::size_t> read_idx_header(const std::string& name, std::span<const std::byte> bytes, std::size_t rank) {
  const std::array<unsigned, 4> magic{0, 0, 8, static_cast<unsigned>(rank)};
  for (std::size_t k = 0; k < 4 + 4 * rank; ++k) {
    if (k == bytes.size()) throw file_error(name, k, text("the file ends in its header of ", 4 + 4 * rank, " bytes"));
    const auto found = std::to_integer<unsigned>(bytes[k]);
    if (k < 2 && found != magic[k]) throw file_error(name, k, "this is not an IDX file: it begins with two zeros");
    if (k == 2 && found != magic[k]) {
      throw file_error(name, k, text("the values are of type ", found, ", only 8 (unsigned bytes) is read"));
    }
    if (k == 3 && found != magic[k]) {
      throw file_error(name, k, text(found, " extents where ", rank, rank == 1 ? " (labels)" : " (pictures)", " are wanted"));
    }
  }
  std::vector<std::size_t> extents;
  std::size_t count = 1;
  for (std::size_t k = 0; k < rank; ++k) {
    const auto extent = read_number<std::uint32_t>(bytes.data() + 4 + 4 * k, std::endian::big);
    if (extent == 0) throw file_error(name, 4 + 4 * k, "an extent of zero: there is nothing in it");
    if (extent > max_elements / count) {
      throw file_error(name, 4 + 4 * k, text("the header promises more than ", max_elements, " values"));
    }
    count *= extent;
    extents.push_back(extent);
  }
  return extents;
}

inline std::size_t idx_bytes(const std::vector<std::size_t>& extents) {
  return 4 + 4 * extents.size() + element_count(extents);
}

/// Reads an IDX file of `rank` extents; one whose name ends in .gz is inflated. Memory is taken for no more than the
/// header promises and the file can hold.
inline idx_file read_idx(const std::filesystem::path& path, std::size_t rank) {
  const std::size_t header_bytes = 4 + 4 * rank;
  if (path.extension() == ".gz") {
    const gzip_file packed(path);
    auto extents = read_idx_header(packed.inner_name(), packed.first(header_bytes), rank);
    const std::size_t wanted = idx_bytes(extents);
    if (wanted != packed.stated_size()) {
      throw file_error(packed.name(), text("its header promises ", shape_text(extents), " values, ", wanted,
                                           " bytes in all, the compressed file says it has ", packed.stated_size()));
    }
    return {packed.inner_name(), std::move(extents), packed.inflate(wanted)};
  }
  const std::uint64_t size = binary_file::size_of(path);
  const binary_file start(path, 0, std::min<std::uint64_t>(header_bytes, size));
  auto extents = read_idx_header(start.path(), start.bytes(), rank);
  const std::size_t wanted = idx_bytes(extents);
  if (size != wanted) {
    throw file_error(start.path(), std::min<std::uint64_t>(size, wanted),
                     text(size < wanted ? "the file ends here, " : "the values end here, ", shape_text(extents), " values are ",
                          wanted, " bytes with the header, the file has ", size));
  }
  const binary_file file(path);
  return {file.path(), std::move(extents), {file.bytes().begin(), file.bytes().end()}};
}

/// Whether a folder, or the one it lies in, is named after Fashion-MNIST.
inline bool is_fashion(const std::filesystem::path& directory) {
  std::error_code ignored;
  for (const auto& place : {directory, std::filesystem::weakly_canonical(directory, ignored)}) {
    for (const auto& folder : {place.filename(), place.parent_path().filename()}) {
      std::string name = folder.string();
      for (char& letter : name) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
      if (name.find("fashion") != std::string::npos) return true;
    }
  }
  return false;
}

inline std::vector<std::string> idx_classes(const std::filesystem::path& labels_path, const idx_options& options,
                                            std::size_t largest_label) {
  if (!options.classes.empty()) return options.classes;
  if (largest_label < 10 && is_fashion(labels_path.parent_path())) {
    return {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"};
  }
  std::vector<std::string> numbers;
  for (std::size_t k = 0; k < std::max<std::size_t>(10, largest_label + 1); ++k) numbers.push_back(std::to_string(k));
  return numbers;
}

/// `name` in a directory as it is, or with .gz; nothing where there is neither.
inline std::optional<std::filesystem::path> find_idx(const std::filesystem::path& directory, const std::string& name) {
  for (const char* ending : {"", ".gz"}) {
    std::error_code ignored;
    const auto path = directory / (name + ending);
    if (std::filesystem::is_regular_file(path, ignored)) return path;
  }
  return std::nullopt;
}

inline std::string idx_name(split which, bool labels) {
  return text(which == split::train ? "train" : "t10k", labels ? "-labels-idx1-ubyte" : "-images-idx3-ubyte");
}

}  // namespace detail

/// Pictures and labels from two IDX files of unsigned bytes, N x H x W and N; each is inflated where its name ends in
/// .gz. The result has one channel. Throws file_error, with the byte where one is known, for files that are missing, cut
/// short, too long, damaged, not IDX, of different N, or with a label that is no class.
inline image_set load_idx(const std::filesystem::path& images_path, const std::filesystem::path& labels_path,
                          const idx_options& options = {}) {
  const detail::idx_file labels = detail::read_idx(labels_path, 1);
  const detail::idx_file images = detail::read_idx(images_path, 3);
  const auto& extents = images.extents;
  if (extents[0] != labels.extents[0]) {
    throw file_error(labels.name, 4,
                     detail::text(labels.extents[0], " labels, but ", extents[0], " pictures in ", images.name));
  }
  image_set set;
  for (const std::byte label : labels.values()) set.labels.push_back(std::to_integer<std::size_t>(label));
  const auto largest = std::max_element(set.labels.begin(), set.labels.end());
  set.classes = detail::idx_classes(labels_path, options, *largest);
  if (*largest >= set.classes.size()) {
    const auto place = static_cast<std::size_t>(largest - set.labels.begin());
    throw file_error(labels.name, labels.header_bytes() + place,
                     detail::text("label ", *largest, ", there are ", set.classes.size(), " classes"));
  }
  set.images.resize({extents[0], std::size_t{1}, extents[1], extents[2]});
  std::memcpy(set.images.data(), images.values().data(), set.images.size());
  return set;
}

/// The half of MNIST or of a set in its form that lies in a directory: train-images-idx3-ubyte, train-labels-idx1-ubyte,
/// t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte, each plain or with .gz. Throws as above.
inline image_set load_idx(const std::filesystem::path& directory, split which, const idx_options& options = {}) {
  const auto path_of = [&](bool labels) {
    const std::string name = detail::idx_name(which, labels);
    const auto found = detail::find_idx(directory, name);
    if (!found) throw file_error((directory / name).string(), "there is no such file, nor one with .gz");
    return *found;
  };
  const auto images = path_of(false);
  return load_idx(images, path_of(true), options);
}

}  // namespace deconvnet
