// A folder for the files of one test, removed at its end; and files of any bytes in it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>

struct temporary_folder {
  temporary_folder() {
    std::random_device seed;
    path = std::filesystem::temp_directory_path() / ("deconvnet-" + std::to_string(seed()) + std::to_string(seed()));
    std::filesystem::create_directory(path);
  }
  ~temporary_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;

  std::filesystem::path write(std::string_view name, std::string_view bytes) const {
    const auto file = path / name;
    std::ofstream(file, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    return file;
  }

  std::filesystem::path path;
};

inline std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// One of: cut short, some bytes replaced, some bytes inserted or removed, a large number written over four or eight.
inline std::string mutated(std::string bytes, std::mt19937& random) {
  const auto below = [&](std::size_t bound) { return bound == 0 ? 0 : random() % bound; };
  switch (below(6)) {
    case 0: bytes.resize(below(bytes.size())); break;
    case 1: bytes.insert(below(bytes.size()), 1 + below(9), static_cast<char>(random())); break;
    case 2: bytes.erase(below(bytes.size()), 1 + below(9)); break;
    case 3: {
      const std::size_t start = below(bytes.size());
      for (std::size_t k = start; k < bytes.size() && k < start + 8; ++k)
        bytes[k] = static_cast<char>(below(2) ? 0xff : 0x7f);
      break;
    }
    default:
      for (std::size_t k = 1 + below(3); k > 0; --k) bytes[below(bytes.size())] = static_cast<char>(random());
  }
  return bytes;
}
