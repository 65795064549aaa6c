// Data sets of a few pictures, which a network learns in seconds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <deconvnet/image/image_file.hpp>

namespace deconvnet::testing {

/// Ten classes: a bright bar in one of ten rows, some noise; picture n is of class 7 n mod 10.
inline std::uint8_t tiny_pixel(std::size_t n, std::size_t y, std::size_t x) {
  const std::size_t noise = (n * 31 + y * 17 + x * 13) % 40;
  return static_cast<std::uint8_t>(noise + (y == n * 7 % 10 + 1 ? 200 : 0));
}

inline void write_idx(const std::filesystem::path& path, const std::vector<std::uint32_t>& extents, const std::string& values) {
  std::string bytes = {0, 0, 8, static_cast<char>(extents.size())};
  for (const std::uint32_t extent : extents) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(extent >> shift);
  }
  std::ofstream(path, std::ios::binary) << bytes << values;
}

/// The four IDX files of pictures 12 x 12, so many to train on and 20 to test; `first`: the number of the first picture.
inline std::filesystem::path tiny_idx(const std::filesystem::path& folder, std::uint32_t training = 60, std::size_t first = 0) {
  std::filesystem::create_directories(folder);
  for (const bool train : {true, false}) {
    const std::uint32_t count = train ? training : 20;
    std::string pixels, labels;
    for (std::size_t n = first; n < first + count; ++n) {
      labels += static_cast<char>(n * 7 % 10);
      for (std::size_t k = 0; k < 144; ++k) pixels += static_cast<char>(tiny_pixel(n, k / 12, k % 12));
    }
    const std::string half = train ? "train" : "t10k";
    write_idx(folder / (half + "-images-idx3-ubyte"), {count, 12, 12}, pixels);
    write_idx(folder / (half + "-labels-idx1-ubyte"), {count}, labels);
  }
  return folder;
}

/// Folders train/<class>/ and test/<class>/ of two classes, pictures of height x width in colour.
inline std::filesystem::path tiny_folders(const std::filesystem::path& folder, std::size_t height, std::size_t width) {
  for (const bool train : {true, false}) {
    for (std::size_t n = 0; n < (train ? 24U : 6U); ++n) {
      const auto path = folder / (train ? "train" : "test") / (n % 2 == 0 ? "bright" : "dark") / (std::to_string(n) + ".png");
      std::filesystem::create_directories(path.parent_path());
      tensor<float, 3> picture({3, height, width}, n % 2 == 0 ? 180.F : 60.F);
      for (std::size_t k = 0; k < picture.size(); ++k) picture.data()[k] += static_cast<float>((n * 31 + k * 7) % 40);
      save_image(path, picture);
    }
  }
  return folder;
}

}  // namespace deconvnet::testing
