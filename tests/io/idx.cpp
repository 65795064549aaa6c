#include <deconvnet/io/idx.hpp>

#include <doctest/doctest.h>

#include "data_set_writer.hpp"
#include "temporary_folder.hpp"

namespace dn = deconvnet;

namespace {

/// Five pictures of 2 x 3 and their labels.
void write_idx(const temporary_folder& folder, const std::string& half = "train") {
  folder.write(half + "-images-idx3-ubyte", idx_file_bytes({5, 2, 3}));
  folder.write(half + "-labels-idx1-ubyte", idx_file_bytes({5}, 3));
}

std::string idx_problem(const temporary_folder& folder) {
  try {
    dn::load_idx(folder.path, dn::split::train);
  } catch (const dn::file_error& problem) {
    return problem.what();
  }
  return "";
}

bool holds(const std::string& text, const std::string& part) {
  CHECK_MESSAGE(text.find(part) != std::string::npos, text);
  return true;
}

}  // namespace

TEST_CASE("pictures and labels of an IDX set are those of the files, in their order") {
  const temporary_folder folder;
  write_idx(folder);
  write_idx(folder, "t10k");
  const auto set = dn::load_idx(folder.path, dn::split::train);
  CHECK(dn::shape_text(set.images.shape()) == "5 x 1 x 2 x 3");
  CHECK(set.labels == std::vector<std::size_t>{0, 1, 2, 0, 1});
  CHECK(set.images(4, 0, 1, 2) == 29);
  CHECK(set.classes.size() == 10);
  CHECK(set.classes[3] == "3");
  CHECK(dn::load_idx(folder.path, dn::split::test).size() == 5);
  CHECK(dn::load_idx(folder.path, dn::split::train, {.classes = {"a", "b", "c"}}).classes[2] == "c");
}

TEST_CASE("what is wrong with an IDX file is named, with its byte") {
  const temporary_folder folder;
  holds(idx_problem(folder), "train-images-idx3-ubyte: there is no such file, nor one with .gz");
  write_idx(folder);
  const auto images = [&](const std::string& bytes) {
    folder.write("train-images-idx3-ubyte", bytes);
    return idx_problem(folder);
  };
  const auto good = idx_file_bytes({5, 2, 3});
  holds(images(""), "the file ends in its header of 16 bytes");
  holds(images(good.substr(0, 40)), "the file ends here, 5 x 2 x 3 values are 46 bytes with the header, the file has 40");
  holds(images(good + "x"), "the values end here");
  holds(images("PK" + good.substr(2)), "this is not an IDX file");
  holds(images(idx_file_bytes({5})), "1 extents where 3 (pictures) are wanted");
  holds(images(idx_file_bytes({5, 0, 3})), "an extent of zero");
  holds(images(idx_file_bytes({4, 2, 3})), "4 pictures");
  auto huge = good;
  for (std::size_t k = 4; k < 16; ++k) huge[k] = '\xff';
  holds(images(huge), "the header promises more than");
  auto doubles = good;
  doubles[2] = 14;
  holds(images(doubles), "the values are of type 14");
  write_idx(folder);
  CHECK_THROWS_WITH_AS(dn::load_idx(folder.path, dn::split::train, {.classes = {"a", "b"}}), doctest::Contains("label 2, there are 2 classes"),
                       dn::file_error);
}

TEST_CASE("Fashion-MNIST as Debian packs it: 60,000 and 10,000 garments of ten kinds") {
  const std::filesystem::path directory = "/usr/share/datasets/fashion-mnist";
  if (!std::filesystem::exists(directory)) {
    MESSAGE("skipped: the data set is not installed");
    return;
  }
  const auto set = dn::load_idx(directory, dn::split::test);
  CHECK(dn::shape_text(set.images.shape()) == "10000 x 1 x 28 x 28");
  CHECK(set.classes[9] == "Ankle boot");
  CHECK(set.labels[0] == 9);
  CHECK(std::count(set.labels.begin(), set.labels.end(), std::size_t{4}) == 1000);
}

TEST_CASE("no change of an IDX file's bytes does anything but load or throw") {
  const temporary_folder folder;
  write_idx(folder);
  std::mt19937 random(3);
  const auto good = idx_file_bytes({5, 2, 3});
  for (int round = 0; round < 300; ++round) {
    folder.write("train-images-idx3-ubyte", mutated(good, random));
    idx_problem(folder);
  }
}
