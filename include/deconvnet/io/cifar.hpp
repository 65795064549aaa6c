// CIFAR-10 and CIFAR-100 in the binary form that their authors publish.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <deconvnet/io/binary_file.hpp>
#include <deconvnet/io/image_set.hpp>

namespace deconvnet {

namespace detail {

/// What the two sets differ in. A record is its labels, a byte each, the last one counting, then 32 x 32 bytes of red,
/// of green and of blue.
struct cifar_form {
  std::vector<std::string> train;
  std::vector<std::string> test;
  std::string names;
  std::string folder;                   // inside the published archive
  std::vector<std::size_t> label_ends;  // each label is below

  const std::vector<std::string>& files(split which) const { return which == split::train ? train : test; }
};

inline const cifar_form& cifar10_form() {
  static const cifar_form form{
      {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"},
      {"test_batch.bin"},
      "batches.meta.txt",
      "cifar-10-batches-bin",
      {10}};
  return form;
}

inline const cifar_form& cifar100_form() {
  static const cifar_form form{{"train.bin"}, {"test.bin"}, "fine_label_names.txt", "cifar-100-binary", {20, 100}};
  return form;
}

/// The directory or, in it, the folder of the published archive, whichever has a file of the form; nothing without one.
inline std::optional<std::filesystem::path> find_cifar(const std::filesystem::path& directory, const cifar_form& form) {
  for (const auto& place : {directory, directory / form.folder}) {
    for (const auto* files : {&form.train, &form.test}) {
      for (const auto& name : *files) {
        std::error_code ignored;
        if (std::filesystem::is_regular_file(place / name, ignored)) return place;
      }
    }
  }
  return std::nullopt;
}

/// One name per line, as many as there are classes; blank lines at the end do not count.
inline std::vector<std::string> read_class_names(const std::filesystem::path& path, std::size_t count) {
  constexpr std::uint64_t largest_file = std::uint64_t{1} << 16;
  if (const auto size = binary_file::size_of(path); size > largest_file) {
    throw file_error(path.string(), text("a list of ", count, " names does not need ", size, " bytes"));
  }
  const binary_file file(path);
  std::vector<std::string> names;
  std::string_view rest = file.characters();
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    names.emplace_back(line);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  while (!names.empty() && names.back().empty()) names.pop_back();
  if (names.size() != count || std::find(names.begin(), names.end(), std::string()) != names.end()) {
    throw file_error(file.path(), text("the names of ", count, " classes are wanted, one per line, it has ", names.size()));
  }
  return names;
}

inline image_set load_cifar(const std::filesystem::path& directory, split which, const cifar_form& form) {
  constexpr std::size_t pixels = 3 * 32 * 32;
  const std::size_t label_bytes = form.label_ends.size();
  const std::size_t record = label_bytes + pixels;
  const auto place = find_cifar(directory, form).value_or(directory);

  image_set set;
  set.classes = read_class_names(place / form.names, form.label_ends.back());

  // All sizes before any memory.
  std::size_t each = 0;
  for (const auto& name : form.files(which)) {
    const std::string path = (place / name).string();
    const std::uint64_t size = binary_file::size_of(path);
    const std::uint64_t records = size / record;
    if (records * record != size || records == 0) {
      throw file_error(path, records * record, text("records of ", record, " bytes are wanted, ", size, " are ", records,
                                                    " of them and ", size % record, " bytes"));
    }
    if (each != 0 && records != each) {
      throw file_error(path, std::min<std::uint64_t>(size, each * record),
                       text(records, " pictures where ", form.files(which)[0], " has ", each));
    }
    if (records > max_elements / pixels / form.files(which).size()) {
      throw file_error(path, text(records, " pictures are too many"));
    }
    each = static_cast<std::size_t>(records);
  }

  set.images.resize({each * form.files(which).size(), std::size_t{3}, std::size_t{32}, std::size_t{32}});
  std::uint8_t* to = set.images.data();
  for (const auto& name : form.files(which)) {
    const binary_file file(place / name, 0, each * record);
    for (std::size_t k = 0; k < each; ++k, to += pixels) {
      const std::byte* from = file.bytes().data() + k * record;
      for (std::size_t l = 0; l < label_bytes; ++l) {
        const auto label = std::to_integer<std::size_t>(from[l]);
        if (label >= form.label_ends[l]) {
          throw file_error(file.path(), k * record + l, text("label ", label, ", there are ", form.label_ends[l], " classes"));
        }
      }
      set.labels.push_back(std::to_integer<std::size_t>(from[label_bytes - 1]));
      std::memcpy(to, from + label_bytes, pixels);
    }
  }
  return set;
}

}  // namespace detail

/// A half of CIFAR-10 in its binary version: data_batch_1.bin ... data_batch_5.bin or test_batch.bin, and
/// batches.meta.txt, in the directory or in its folder cifar-10-batches-bin. N x 3 x 32 x 32. A file may have any number of
/// records, the five of train the same one. Throws file_error, with the byte where one is known, for files that are
/// missing, not made of whole records, or with a label that is no class.
inline image_set load_cifar10(const std::filesystem::path& directory, split which) {
  return detail::load_cifar(directory, which, detail::cifar10_form());
}

/// A half of CIFAR-100 in its binary version, with the 100 fine labels: train.bin or test.bin, and
/// fine_label_names.txt, in the directory or in its folder cifar-100-binary. Otherwise as load_cifar10.
inline image_set load_cifar100(const std::filesystem::path& directory, split which) {
  return detail::load_cifar(directory, which, detail::cifar100_form());
}

}  // namespace deconvnet
