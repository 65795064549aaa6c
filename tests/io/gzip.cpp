#include <deconvnet/io/gzip.hpp>

#include <doctest/doctest.h>

#include <array>

#include "temporary_folder.hpp"

namespace dn = deconvnet;

namespace {

// "deconvnet deconvnet deconvnet\n" in a file "word" as gzip -9 packs it; the bytes after the name are deflate's (Python:
// zlib.compressobj(9, zlib.DEFLATED, -15)), the checksum and the size.
constexpr std::array<unsigned char, 39> packed_word = {
    0x1f, 0x8b, 0x08, 0x08, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 'w', 'o', 'r', 'd', 0x00,
    0x4b, 0x49, 0x4d, 0xce, 0xcf, 0x2b, 0xcb, 0x4b, 0x2d, 0x51, 0x48, 0xc1, 0x64, 0x71, 0x01, 0x00, 0xe2, 0x39, 0x60, 0x07, 0x1e, 0x00, 0x00, 0x00};

std::string packed() { return {packed_word.begin(), packed_word.end()}; }

std::string unpack(const std::filesystem::path& path, std::size_t count) {
  const auto bytes = dn::detail::gzip_file(path).inflate(count);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string gzip_problem(const temporary_folder& folder, const std::string& bytes, std::size_t count = 30) {
  try {
    unpack(folder.write("x.gz", bytes), count);
  } catch (const dn::file_error& problem) {
    return problem.what();
  }
  return "";
}

void gzip_names(const std::string& text, const std::string& part) { CHECK_MESSAGE(text.find(part) != std::string::npos, text); }

}  // namespace

TEST_CASE("a file that gzip made comes back; its beginning can be read alone") {
  const temporary_folder folder;
  const auto path = folder.write("word.gz", packed());
  CHECK(unpack(path, 30) == "deconvnet deconvnet deconvnet\n");
  const dn::detail::gzip_file file(path);
  CHECK(file.stated_size() == 30);
  const auto start = file.first(4);
  CHECK(std::string(reinterpret_cast<const char*>(start.data()), start.size()) == "deco");
  CHECK(file.first(1000).size() == 30);
}

TEST_CASE("a damaged gzip file is refused, by its place, before memory is taken for what it promises") {
  const temporary_folder folder;
  const auto good = packed();
  gzip_names(gzip_problem(folder, ""), "the file is empty");
  gzip_names(gzip_problem(folder, "plain text, long enough for a header"), "this is not a gzip file");
  gzip_names(gzip_problem(folder, good.substr(0, 17)), "cut short");
  gzip_names(gzip_problem(folder, good, 31), "the trailer says 30 bytes, 31 are wanted");
  auto method = good;
  method[2] = 7;
  gzip_names(gzip_problem(folder, method), "method 7");
  auto checksum = good;
  checksum[good.size() - 8] ^= 1;
  gzip_names(gzip_problem(folder, checksum), "checksum");
  auto promise = good;
  for (std::size_t k = 4; k > 0; --k) promise[good.size() - k] = '\x7f';
  gzip_names(gzip_problem(folder, promise, 0x7f7f7f7f), "cannot hold them");
}

TEST_CASE("no change of a gzip file's bytes gives other contents") {
  const temporary_folder folder;
  std::mt19937 random(9);
  for (int round = 0; round < 500; ++round) {
    const auto path = folder.write("x.gz", mutated(packed(), random));
    try {
      const std::string contents = unpack(path, 30);
      CHECK(contents == "deconvnet deconvnet deconvnet\n");
    } catch (const dn::file_error&) {
    }
  }
}
