// Pictures from and to files: PNG, JPEG, BMP.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cctype>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <deconvnet/image/jpeg_tables.hpp>
#include <deconvnet/image/picture.hpp>
#include <deconvnet/image/stb.hpp>
#include <deconvnet/tensor/tensor.hpp>

namespace deconvnet {

/// The largest picture read or written, in pixels: 2^28, e.g. 16384 x 16384. Checked before anything is allocated.
inline constexpr std::size_t max_picture_pixels = std::size_t{1} << 28;

namespace detail {

/// Samples as they are in the file: height x width x channels, 1 to 4 channels of 8 bits.
struct decoded_picture {
  std::unique_ptr<unsigned char, void (*)(void*)> samples;
  std::size_t height;
  std::size_t width;
  std::size_t channels;
};

/// Feeds the decoder and remembers whether it asked for more than there is: stb itself continues with zeros there and
/// reports a JPEG or BMP cut in the middle as a good picture.
struct byte_source {
  std::span<const std::byte> bytes;
  std::size_t position = 0;
  bool starved = false;

  static int read(void* user, char* data, int size) {
    auto& self = *static_cast<byte_source*>(user);
    const auto wanted = static_cast<std::size_t>(size);
    const std::size_t count = std::min(wanted, self.bytes.size() - self.position);
    if (count == 0 && wanted != 0) self.starved = true;
    std::memcpy(data, self.bytes.data() + self.position, count);
    self.position += count;
    return static_cast<int>(count);
  }

  static void skip(void* user, int count) {
    auto& self = *static_cast<byte_source*>(user);
    if (count < 0) {  // a step back into what was read
      self.position -= std::min(self.position, static_cast<std::size_t>(-static_cast<long long>(count)));
    } else {
      self.position += std::min(self.bytes.size() - self.position, static_cast<std::size_t>(count));
    }
  }

  static int at_end(void* user) {
    const auto& self = *static_cast<byte_source*>(user);
    return self.position == self.bytes.size() ? 1 : 0;
  }
};

/// The most pixels one byte of the format can stand for, or 0 where the bytes begin like none of the three. A JPEG
/// spends at least one bit on each block of 64; deflate shrinks at most 1032 times and PNG has 8 pixels to a byte at
/// most. A small file that claims a huge picture is refused by this before memory is taken for it.
inline std::size_t pixels_per_byte(std::span<const std::byte> bytes) {
  const auto begins_with = [&](std::initializer_list<unsigned char> magic) {
    return bytes.size() >= magic.size() &&
           std::equal(magic.begin(), magic.end(), bytes.begin(), [](auto a, auto b) { return std::byte{a} == b; });
  };
  if (begins_with({0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'})) return 1032 * 8;
  if (begins_with({0xFF, 0xD8, 0xFF})) return 512;
  if (begins_with({'B', 'M'})) return 8;
  return 0;
}

inline decoded_picture decode_samples(std::span<const std::byte> bytes, const std::string& name) {
  if (bytes.empty()) throw file_error(name, "empty");
  if (bytes.size() > (std::size_t{1} << 30)) throw file_error(name, "larger than 1 GiB");
  const std::size_t density = pixels_per_byte(bytes);
  if (density == 0) throw file_error(name, "not a PNG, JPEG or BMP picture");

  if (bytes[0] == std::byte{0xFF}) {
    if (const auto offset = oversized_huffman_table(bytes)) {
      throw file_error(name, *offset, "damaged: a Huffman table of more than 256 codes");
    }
  }

  const auto failure = [&](const byte_source& source) {
    const char* reason = stb::stbi_failure_reason();
    if (source.starved || (reason && std::string_view(reason) == "outofdata")) {
      return file_error(name, bytes.size(), "truncated: the picture goes on past the end of the file");
    }
    return file_error(name, text("damaged, or of a kind that is not supported: ", reason ? reason : "unknown"));
  };
  const stb::stbi_io_callbacks callbacks{byte_source::read, byte_source::skip, byte_source::at_end};
  int width = 0;
  int height = 0;
  int channels = 0;
  byte_source header{bytes};
  if (!stb::stbi_info_from_callbacks(&callbacks, &header, &width, &height, &channels)) throw failure(header);
  const auto rows = static_cast<std::size_t>(height);
  const auto columns = static_cast<std::size_t>(width);
  if (height <= 0 || width <= 0) throw file_error(name, "a picture without pixels");
  if (rows > max_picture_pixels / columns) {
    throw file_error(name, text("too large: ", columns, " x ", rows, " pixels, the limit is ", max_picture_pixels));
  }
  // 64 x 64: blocks at the border of a small picture reach past it.
  if (rows * columns > bytes.size() * density + 4096) {
    throw file_error(name, bytes.size(), text("truncated: too short for ", columns, " x ", rows, " pixels"));
  }

  byte_source source{bytes};
  std::unique_ptr<unsigned char, void (*)(void*)> samples(
      stb::stbi_load_from_callbacks(&callbacks, &source, &width, &height, &channels, 0), stb::stbi_image_free);
  if (!samples || source.starved) throw failure(source);
  return {std::move(samples), rows, columns, static_cast<std::size_t>(channels)};
}

inline std::vector<std::byte> read_picture_file(const std::filesystem::path& path) {
  std::error_code code;
  const auto status = std::filesystem::status(path, code);
  if (status.type() == std::filesystem::file_type::not_found) throw file_error(path.string(), "there is no such file");
  if (code) throw file_error(path.string(), code.message());
  if (std::filesystem::is_directory(status)) throw file_error(path.string(), "a directory, not a picture");
  if (!std::filesystem::is_regular_file(status)) throw file_error(path.string(), "not a regular file");
  const auto size = std::filesystem::file_size(path, code);
  if (code) throw file_error(path.string(), code.message());
  if (size > (std::uintmax_t{1} << 30)) throw file_error(path.string(), "larger than 1 GiB");
  std::vector<std::byte> bytes(static_cast<std::size_t>(size));
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw file_error(path.string(), "cannot be opened");
  if (!bytes.empty()) stream.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!stream) throw file_error(path.string(), "cannot be read to its end");
  return bytes;
}

/// Written beside its place and moved there when complete: a reader never sees half a picture, and a failure leaves
/// what was there before.
inline void write_picture_file(const std::filesystem::path& path, std::span<const char> bytes) {
  static std::atomic<unsigned> counter{0};
  std::error_code code;
  if (std::filesystem::is_directory(path, code)) throw file_error(path.string(), "cannot be written: a directory");
  const auto moment = std::chrono::steady_clock::now().time_since_epoch().count();
  auto temporary = path;
  temporary += text(".part-", moment, "-", counter++);
  errno = 0;
  std::ofstream stream(temporary, std::ios::binary);
  stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  stream.close();
  if (!stream) {
    const std::error_code reason(errno, std::generic_category());
    std::filesystem::remove(temporary, code);
    throw file_error(path.string(), text("cannot be written", reason ? ": " + reason.message() : ""));
  }
  std::filesystem::rename(temporary, path, code);
  if (code) {
    const std::string reason = code.message();
    std::filesystem::remove(temporary, code);
    throw file_error(path.string(), "cannot be written: " + reason);
  }
}

/// `samples`: height x width x channels, 1 or 3 channels. `extension`: lower case, one of the four.
inline std::vector<char> encode_samples(const std::vector<unsigned char>& samples, std::size_t height,
                                        std::size_t width, std::size_t channels, const std::string& extension,
                                        const std::string& name) {
  std::vector<char> bytes;
  const auto append = [](void* context, void* data, int size) {
    // One by one: g++ 12 at -O3 takes insert's copy for an overflow and says so in users' builds.
    for (int k = 0; k < size; ++k) static_cast<std::vector<char>*>(context)->push_back(static_cast<const char*>(data)[k]);
  };
  const auto w = static_cast<int>(width);
  const auto h = static_cast<int>(height);
  const auto c = static_cast<int>(channels);
  int done = 0;
  if (extension == ".png") {
    done = stb::stbi_write_png_to_func(append, &bytes, w, h, c, samples.data(), w * c);
  } else if (extension == ".bmp") {
    done = stb::stbi_write_bmp_to_func(append, &bytes, w, h, c, samples.data());
  } else {
    constexpr int quality = 95;
    done = stb::stbi_write_jpg_to_func(append, &bytes, w, h, c, samples.data(), quality);
  }
  if (!done) throw file_error(name, "the picture cannot be encoded");
  return bytes;
}

/// The extension in lower case. Throws file_error where it names none of the formats.
inline std::string picture_extension(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  for (char& letter : extension) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  constexpr std::array known = {".png", ".jpg", ".jpeg", ".bmp"};
  if (std::find(known.begin(), known.end(), extension) == known.end()) {
    throw file_error(path.string(), "the name of a picture to write ends in .png, .jpg, .jpeg or .bmp");
  }
  return extension;
}

}  // namespace detail

/// The picture in `bytes`, the contents of a PNG, JPEG or BMP file: 3 x H x W, RGB, 0..255. `name` stands in messages.
///
/// Grey is repeated three times. Transparent pixels are laid over white, as a viewer shows them: a c + (1 - a) 255.
/// Of 16-bit samples the upper 8 bits count. Colour profiles and the orientation noted by cameras (EXIF) are not
/// applied. Throws file_error for bytes that are empty, truncated, damaged, none of the three formats, or a picture of
/// more than max_picture_pixels.
template <scalar T = float>
tensor<T, 3> decode_image(std::span<const std::byte> bytes, const std::string& name = "picture") {
  const auto decoded = detail::decode_samples(bytes, name);
  auto picture = tensor<T, 3>::from_shape({3, decoded.height, decoded.width});
  const std::size_t pixels = decoded.height * decoded.width;
  const bool colour = decoded.channels >= 3;
  const bool transparent = decoded.channels == 2 || decoded.channels == 4;
  for (std::size_t k = 0; k < pixels; ++k) {
    const unsigned char* sample = decoded.samples.get() + k * decoded.channels;
    const T alpha = transparent ? T(sample[decoded.channels - 1]) / T(255) : T(1);
    for (std::size_t channel = 0; channel < 3; ++channel) {
      const auto value = T(sample[colour ? channel : 0]);
      picture.data()[channel * pixels + k] = transparent ? alpha * value + (T(1) - alpha) * T(255) : value;
    }
  }
  return picture;
}

/// The picture in a PNG, JPEG or BMP file, by its contents, whatever its name: see decode_image.
/// Throws file_error also where there is no such file, or it is a directory or cannot be read.
template <scalar T = float>
tensor<T, 3> load_image(const std::filesystem::path& path) {
  return decode_image<T>(detail::read_picture_file(path), path.string());
}

/// Writes a picture, rounded and clamped to 0..255, in the format the name ends in: .png, .bmp (lossless), .jpg, .jpeg
/// (quality 95, colours not subsampled); upper case does as well.
///
/// `picture`: 3 x H x W (RGB), 1 x H x W or H x W (grey), or one of the first two with a leading 1 (N = 1); any
/// expression. The file appears complete or not at all. Throws shape_error for other shapes, error for a NaN (with its
/// index), file_error where the file cannot be written or the name ends in something else.
template <tensor_expression E>
void save_image(const std::filesystem::path& path, const E& picture) {
  const std::string extension = detail::picture_extension(path);
  const auto values = detail::evaluate_picture<scalar_of<E>>(picture);
  const std::size_t channels = values.shape(0);
  const std::size_t height = values.shape(1);
  const std::size_t width = values.shape(2);
  if (channels != 1 && channels != 3) {
    throw shape_error(detail::text(path.string(), ": a picture of ", shape_text(values.shape()),
                                   " cannot be written, 3 channels (RGB) or 1 (grey) can"));
  }
  const std::size_t side = extension == ".jpg" || extension == ".jpeg" ? 65535 : max_picture_pixels;
  if (height > side || width > side || height > max_picture_pixels / width) {
    throw file_error(path.string(), detail::text("a picture of ", width, " x ", height, " pixels is too large"));
  }
  std::vector<unsigned char> samples(values.size());
  for (std::size_t k = 0; k < values.size(); ++k) {
    const auto value = values.data()[k];
    if (std::isnan(value)) throw error(detail::text(path.string(), ": the picture has a NaN at index ", k));
    const std::size_t pixel = k % (height * width);
    const auto level = std::floor(std::clamp(value, decltype(value)(0), decltype(value)(255)) + decltype(value)(0.5));
    samples[pixel * channels + k / (height * width)] = static_cast<unsigned char>(level);
  }
  detail::write_picture_file(path, detail::encode_samples(samples, height, width, channels, extension, path.string()));
}

}  // namespace deconvnet
