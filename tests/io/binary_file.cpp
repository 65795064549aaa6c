#include <deconvnet/io/binary_file.hpp>

#include <doctest/doctest.h>

#include <iterator>
#include <string>

#include "temporary_folder.hpp"

using deconvnet::file_error;
using deconvnet::detail::atomic_file;
using deconvnet::detail::binary_file;

TEST_CASE("a binary file is read whole, or one range of it") {
  const temporary_folder folder;
  const auto path = folder.write("ten", std::string("0123456789"));
  CHECK(binary_file(path).characters() == "0123456789");
  CHECK(binary_file(path).path() == path.string());
  CHECK(binary_file(path, 3, 4).characters() == "3456");
  CHECK(binary_file(path, 10, 0).characters().empty());
}

TEST_CASE("what is not a readable file with bytes in it is refused by name") {
  const temporary_folder folder;
  const auto problem = [](const std::filesystem::path& path) -> std::string {
    try {
      binary_file{path};
    } catch (const file_error& error) {
      return error.what();
    }
    return "nothing thrown";
  };
  CHECK(problem(folder.path / "absent") == (folder.path / "absent").string() + ": there is no such file");
  CHECK(problem(folder.path) == folder.path.string() + ": this is a directory");
  CHECK(problem(folder.write("empty", "")) == (folder.path / "empty").string() + ": the file is empty");
  CHECK(problem("/dev/zero") == "/dev/zero: this is not a regular file");
  CHECK(problem(std::string(10000, 'x')).find(": ") != std::string::npos);
}

TEST_CASE("a range past the end of a file is refused") {
  const temporary_folder folder;
  const auto path = folder.write("ten", "0123456789");
  CHECK_THROWS_AS(binary_file(path, 11, 0), file_error);
  CHECK_THROWS_AS(binary_file(path, 3, 8), file_error);
  CHECK_THROWS_AS(binary_file(path, 3, ~std::uint64_t{0}), file_error);
}

TEST_CASE("an atomic file replaces the old one at commit and not before") {
  const temporary_folder folder;
  const auto path = folder.write("file", "old");
  {
    atomic_file file(path);
    file.write("new and longer");
    CHECK(bytes_of(path) == "old");
  }
  CHECK(bytes_of(path) == "old");
  {
    atomic_file file(path);
    file.write("new ");
    file.write("and longer");
    file.commit();
  }
  CHECK(bytes_of(path) == "new and longer");
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path), {}) == 1);
}

TEST_CASE("an atomic file follows a link and leaves devices in their place") {
  const temporary_folder folder;
  const auto path = folder.write("file", "old");
  std::filesystem::create_symlink("file", folder.path / "link");
  atomic_file through(folder.path / "link");
  through.write("new");
  through.commit();
  CHECK(bytes_of(path) == "new");
  CHECK(std::filesystem::is_symlink(folder.path / "link"));

  if (!std::filesystem::is_character_file("/dev/null")) return;
  atomic_file nowhere("/dev/null");
  nowhere.write("gone");
  nowhere.commit();
  CHECK(std::filesystem::is_character_file("/dev/null"));
}

TEST_CASE("what cannot be written is an error by name") {
  const temporary_folder folder;
  CHECK_THROWS_AS(atomic_file(folder.path), file_error);
  CHECK_THROWS_AS(atomic_file(folder.path / "no" / "such" / "folder"), file_error);
}
