// A data set by its directory alone: which of the known forms lies in it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include <deconvnet/io/cifar.hpp>
#include <deconvnet/io/idx.hpp>
#include <deconvnet/io/image_folder.hpp>
#include <deconvnet/io/image_set.hpp>

namespace deconvnet {

/// How a data set lies in its directory.
enum class data_set_form { idx, cifar10, cifar100, folders };

/// The first form whose files, of either half, are there; nothing where there are none. Throws file_error where there is no
/// such directory.
inline std::optional<data_set_form> find_data_set(const std::filesystem::path& directory) {
  if (!detail::is_folder(directory)) throw file_error(directory.string(), "there is no such directory");
  for (const bool labels : {false, true}) {
    for (const split half : {split::train, split::test}) {
      if (detail::find_idx(directory, detail::idx_name(half, labels))) return data_set_form::idx;
    }
  }
  if (detail::find_cifar(directory, detail::cifar10_form())) return data_set_form::cifar10;
  if (detail::find_cifar(directory, detail::cifar100_form())) return data_set_form::cifar100;
  for (const char* folder : {"train", "test", "val"}) {
    if (detail::is_folder(directory / folder)) return data_set_form::folders;
  }
  return std::nullopt;
}

/// One half of the data set in a directory, read by load_idx, load_cifar10, load_cifar100 or load_image_folder, the first
/// whose files are there. Throws file_error, listing what was looked for, where there are none of either half, and as
/// the reader does.
inline image_set load_data_set(const std::filesystem::path& directory, split which) {
  if (const auto form = find_data_set(directory)) {
    switch (*form) {
      case data_set_form::idx: return load_idx(directory, which);
      case data_set_form::cifar10: return load_cifar10(directory, which);
      case data_set_form::cifar100: return load_cifar100(directory, which);
      case data_set_form::folders: return load_image_folder(directory, {.split = which});
    }
  }
  throw file_error(directory.string(),
                   detail::text("no data set that is known: ", detail::idx_name(which, false), ", plain or .gz (IDX), ",
                                detail::cifar10_form().files(which)[0], " (CIFAR-10), ",
                                detail::cifar100_form().files(which)[0], " (CIFAR-100) and ", split_name(which),
                                "/<class>/*.jpg, .png or .bmp were looked for"));
}

}  // namespace deconvnet
