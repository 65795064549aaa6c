#include <deconvnet/io/cifar.hpp>

#include <doctest/doctest.h>

#include "data_set_writer.hpp"
#include "temporary_folder.hpp"

namespace dn = deconvnet;

namespace {

void write_cifar10(const temporary_folder& folder) {
  folder.write("batches.meta.txt", lines_of("kind ", 10) + "\n");
  for (unsigned k = 1; k <= 5; ++k) folder.write("data_batch_" + std::to_string(k) + ".bin", cifar_file_bytes(2, 1, k));
  folder.write("test_batch.bin", cifar_file_bytes(3, 1, 7));
}

std::string cifar_problem(const temporary_folder& folder, dn::split which = dn::split::test) {
  try {
    dn::load_cifar10(folder.path, which);
  } catch (const dn::file_error& problem) {
    return problem.what();
  }
  return "";
}

void mentions(const std::string& text, const std::string& part) { CHECK_MESSAGE(text.find(part) != std::string::npos, text); }

}  // namespace

TEST_CASE("CIFAR-10's five files are one set, in their order, red, green and blue") {
  const temporary_folder folder;
  write_cifar10(folder);
  const auto set = dn::load_cifar10(folder.path, dn::split::train);
  CHECK(dn::shape_text(set.images.shape()) == "10 x 3 x 32 x 32");
  CHECK(set.labels == std::vector<std::size_t>{1, 2, 2, 3, 3, 4, 4, 5, 5, 6});
  CHECK(set.images(9, 2, 31, 31) == static_cast<std::uint8_t>(6 + 3071));
  CHECK(set.classes[9] == "kind 9");
  CHECK(dn::load_cifar10(folder.path, dn::split::test).labels == std::vector<std::size_t>{7, 8, 9});
}

TEST_CASE("of CIFAR-100's two labels the fine one counts; its published folder is found") {
  const temporary_folder folder;
  const auto inner = folder.path / "cifar-100-binary";
  std::filesystem::create_directory(inner);
  folder.write("cifar-100-binary/fine_label_names.txt", lines_of("", 100));
  auto bytes = cifar_file_bytes(2, 2, 11);
  bytes[1] = 99;
  folder.write("cifar-100-binary/test.bin", bytes);
  CHECK(dn::load_cifar100(folder.path, dn::split::test).labels == std::vector<std::size_t>{99, 12});
}

TEST_CASE("what is wrong with a CIFAR file is named, with its byte") {
  const temporary_folder folder;
  mentions(cifar_problem(folder), "batches.meta.txt");
  write_cifar10(folder);
  folder.write("test_batch.bin", cifar_file_bytes(3, 1, 8));
  mentions(cifar_problem(folder), "byte 6146: label 10, there are 10 classes");
  folder.write("test_batch.bin", cifar_file_bytes(3, 1, 0).substr(0, 7000));
  mentions(cifar_problem(folder), "records of 3073 bytes are wanted, 7000 are 2 of them and 854 bytes");
  folder.write("test_batch.bin", "");
  mentions(cifar_problem(folder), "0 are 0 of them");
  folder.write("data_batch_3.bin", cifar_file_bytes(1, 1, 0));
  mentions(cifar_problem(folder, dn::split::train), "1 pictures where data_batch_1.bin has 2");
  std::filesystem::remove(folder.path / "data_batch_3.bin");
  mentions(cifar_problem(folder, dn::split::train), "data_batch_3.bin");
  folder.write("batches.meta.txt", lines_of("kind ", 9));
  mentions(cifar_problem(folder), "the names of 10 classes are wanted, one per line, it has 9");
}
