#include <deconvnet/io/data_set.hpp>

#include <doctest/doctest.h>

#include "data_set_writer.hpp"
#include "temporary_folder.hpp"

namespace dn = deconvnet;

TEST_CASE("the form of a data set is told by its files") {
  const temporary_folder folder;
  folder.write("t10k-images-idx3-ubyte", idx_file_bytes({2, 2, 3}));
  folder.write("t10k-labels-idx1-ubyte", idx_file_bytes({2}));
  CHECK(dn::find_data_set(folder.path) == dn::data_set_form::idx);
  CHECK(dn::load_data_set(folder.path, dn::split::test).size() == 2);
  CHECK_THROWS_WITH_AS(dn::load_data_set(folder.path, dn::split::train), doctest::Contains("train-images-idx3-ubyte"), dn::file_error);

  const temporary_folder cifar;
  cifar.write("batches.meta.txt", lines_of("", 10));
  cifar.write("test_batch.bin", cifar_file_bytes(2, 1, 0));
  CHECK(dn::find_data_set(cifar.path) == dn::data_set_form::cifar10);
  CHECK(dn::load_data_set(cifar.path, dn::split::test).images.shape(1) == 3);

  const temporary_folder hundred;
  hundred.write("fine_label_names.txt", lines_of("", 100));
  hundred.write("test.bin", cifar_file_bytes(2, 2, 10));
  CHECK(dn::find_data_set(hundred.path) == dn::data_set_form::cifar100);
  CHECK(dn::load_data_set(hundred.path, dn::split::test).labels[1] == 11);

  const temporary_folder pictures;
  std::filesystem::create_directories(pictures.path / "val" / "cat");
  dn::save_image(pictures.path / "val" / "cat" / "x.png", dn::tensor<float, 3>({3, 2, 2}, 9.0f));
  CHECK(dn::find_data_set(pictures.path) == dn::data_set_form::folders);
  CHECK(dn::load_data_set(pictures.path, dn::split::test).classes == std::vector<std::string>{"cat"});
}

TEST_CASE("a directory without a data set is refused with what was looked for") {
  const temporary_folder folder;
  CHECK(!dn::find_data_set(folder.path));
  CHECK_THROWS_AS(dn::find_data_set(folder.path / "x"), dn::file_error);
  CHECK_THROWS_WITH_AS(dn::load_data_set(folder.path, dn::split::train), doctest::Contains("data_batch_1.bin (CIFAR-10)"), dn::file_error);
  CHECK_THROWS_WITH_AS(dn::load_data_set(folder.path / "x", dn::split::train), doctest::Contains("no such directory"), dn::file_error);
}
