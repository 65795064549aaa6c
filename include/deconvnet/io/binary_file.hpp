// Files as bytes: one read whole into memory, one range of it, and one written so that a reader never sees half of it.
#pragma once

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <new>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <deconvnet/tensor/error.hpp>
#include <deconvnet/tensor/shape.hpp>

namespace deconvnet::detail {

/// The largest file that is read: as many bytes as the largest tensor of double has.
inline constexpr std::uint64_t max_file_bytes = std::uint64_t{max_elements} * sizeof(double);

struct close_stream {
  void operator()(std::FILE* stream) const noexcept { std::fclose(stream); }
};
using file_stream = std::unique_ptr<std::FILE, close_stream>;

inline std::string errno_text(int number) { return std::generic_category().message(number); }

/// Bytes read from a file, and the name that errors about them begin with.
class binary_file {
 public:
  /// Reads the whole file. Throws file_error where it is missing, a directory, a device or a pipe, unreadable, empty,
  /// larger than max_file_bytes, or shrinks while it is read.
  explicit binary_file(const std::filesystem::path& path) : binary_file(path, 0, size_of(path)) {
    if (size_ == 0) throw file_error(path_, "the file is empty");
  }

  /// Reads `length` bytes at `offset`. Throws file_error as above and where the range passes the end of the file.
  binary_file(const std::filesystem::path& path, std::uint64_t offset, std::uint64_t length) : path_(path.string()) {
    const std::uint64_t size = size_of(path);
    if (offset > size || length > size - offset) {
      throw file_error(path_, offset, text(length, " bytes are wanted here, the file has only ", size, " in all"));
    }
    if (length > max_file_bytes) {
      throw file_error(path_,
                       text("it has ", length, " bytes, more than the ", max_file_bytes, " that are read at most"));
    }
    size_ = static_cast<std::size_t>(length);
    try {
      data_ = std::make_unique_for_overwrite<std::byte[]>(size_);
    } catch (const std::bad_alloc&) {
      throw file_error(path_, text("there is no memory for its ", length, " bytes"));
    }
    const file_stream stream(std::fopen(path_.c_str(), "rb"));
    if (!stream) throw file_error(path_, "it cannot be opened: " + errno_text(errno));
    std::setvbuf(stream.get(), nullptr, _IONBF, 0);  // one large read needs no second buffer
    if (std::fseek(stream.get(), static_cast<long>(offset), SEEK_SET) != 0 ||
        std::fread(data_.get(), 1, size_, stream.get()) != size_) {
      throw file_error(path_, offset, text("reading ", length, " bytes failed: ", errno_text(errno)));
    }
  }

  /// The size of a file, in bytes. Throws as the constructors do; only regular files have one: opening a pipe waits for
  /// ever, a device does not end.
  static std::uint64_t size_of(const std::filesystem::path& path) {
    std::error_code failed;
    const auto status = std::filesystem::status(path, failed);
    if (status.type() == std::filesystem::file_type::not_found)
      throw file_error(path.string(), "there is no such file");
    if (failed) throw file_error(path.string(), failed.message());
    if (std::filesystem::is_directory(status)) throw file_error(path.string(), "this is a directory");
    if (!std::filesystem::is_regular_file(status)) throw file_error(path.string(), "this is not a regular file");
    const auto size = std::filesystem::file_size(path, failed);
    if (failed) throw file_error(path.string(), failed.message());
    return size;
  }

  const std::string& path() const { return path_; }
  std::span<const std::byte> bytes() const { return {data_.get(), size_}; }
  std::string_view characters() const { return {reinterpret_cast<const char*>(data_.get()), size_}; }

 private:
  std::string path_;
  std::unique_ptr<std::byte[]> data_;
  std::size_t size_ = 0;
};

/// Writes to a temporary file next to `path`; commit() renames it to `path`, which replaces what was there in one step.
/// Without commit() nothing changes. A symbolic link is followed; a device or a pipe is written to directly. Throws
/// file_error, naming `path`, where it cannot be written.
class atomic_file {
 public:
  explicit atomic_file(const std::filesystem::path& path) : name_(path.string()), target_(path) {
    std::error_code ignored;
    if (std::filesystem::is_symlink(target_, ignored)) {
      if (auto resolved = std::filesystem::weakly_canonical(target_, ignored); !ignored) target_ = std::move(resolved);
    }
    const auto status = std::filesystem::status(target_, ignored);
    if (std::filesystem::is_directory(status)) throw file_error(name_, "this is a directory");
    exists_ = std::filesystem::exists(status);
    direct_ = exists_ && !std::filesystem::is_regular_file(status);
    if (direct_) {
      written_ = target_;
      stream_.reset(std::fopen(written_.string().c_str(), "wb"));
    } else {
      open_temporary();
    }
    if (!stream_) throw file_error(name_, "it cannot be written: " + errno_text(errno));
  }

  atomic_file(const atomic_file&) = delete;
  atomic_file& operator=(const atomic_file&) = delete;

  ~atomic_file() {
    stream_.reset();
    std::error_code ignored;
    if (!committed_ && !direct_ && !written_.empty()) std::filesystem::remove(written_, ignored);
  }

  void write(std::span<const std::byte> bytes) {
    if (!bytes.empty() && std::fwrite(bytes.data(), 1, bytes.size(), stream_.get()) != bytes.size()) {
      throw file_error(name_, "writing failed: " + errno_text(errno));
    }
  }
  void write(std::string_view characters) { write(std::as_bytes(std::span(characters))); }

  /// To be called once, after the last write.
  void commit() {
    if (std::fclose(stream_.release()) != 0) throw file_error(name_, "writing failed: " + errno_text(errno));
    if (!direct_) {
      std::error_code failed;
      if (exists_) {
        std::filesystem::permissions(written_, std::filesystem::status(target_, failed).permissions(), failed);
      }
      std::filesystem::rename(written_, target_, failed);
      if (failed) throw file_error(name_, "it cannot be replaced: " + failed.message());
    }
    committed_ = true;
  }

 private:
  // "x" refuses a file that exists: two writers, or a link somebody left there, never share a temporary.
  void open_temporary() {
    static std::atomic<unsigned> counter{std::random_device{}()};
    for (int attempt = 0; attempt < 16 && !stream_; ++attempt) {
      auto candidate = target_;
      candidate += text(".", counter++, ".partial");
      stream_.reset(std::fopen(candidate.string().c_str(), "wbx"));
      if (stream_)
        written_ = std::move(candidate);
      else if (errno != EEXIST)
        return;
    }
  }

  std::string name_;
  std::filesystem::path target_;
  std::filesystem::path written_;
  file_stream stream_;
  bool exists_ = false;
  bool direct_ = false;
  bool committed_ = false;
};

}  // namespace deconvnet::detail
