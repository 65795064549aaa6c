// A data set by its directory alone: which of the known forms lies in it.
#pragma once

#include <filesystem>
#include <string>

#include <deconvnet/io/cifar.hpp>
#include <deconvnet/io/idx.hpp>
#include <deconvnet/io/image_folder.hpp>
#include <deconvnet/io/image_set.hpp>

namespace deconvnet {

/// One half of the data set in a directory, read by load_idx, load_cifar10, load_cifar100 or load_image_folder, the first
/// whose files are there. Throws file_error, listing what was looked for, where there are none of either half, and as
/// the reader does.
inline image_set load_data_set(const std::filesystem::path& directory, split which) {
  if (!detail::is_folder(directory)) throw file_error(directory.string(), "there is no such directory");
  for (const bool labels : {false, true}) {
    for (const split half : {split::train, split::test}) {
      if (detail::find_idx(directory, detail::idx_name(half, labels))) return load_idx(directory, which);
    }
  }
  if (detail::find_cifar(directory, detail::cifar10_form())) return load_cifar10(directory, which);
  if (detail::find_cifar(directory, detail::cifar100_form())) return load_cifar100(directory, which);
  for (const char* folder : {"train", "test", "val"}) {
    if (detail::is_folder(directory / folder)) return load_image_folder(directory, {.split = which});
  }
  throw file_error(directory.string(),
                   detail::text("no data set that is known: ", detail::idx_name(which, false), ", plain or .gz (IDX), ",
                                detail::cifar10_form().files(which)[0], " (CIFAR-10), ",
                                detail::cifar100_form().files(which)[0], " (CIFAR-100) and ", split_name(which),
                                "/<class>/*.jpg, .png or .bmp were looked for"));
}

}  // namespace deconvnet
