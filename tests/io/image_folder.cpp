#include <deconvnet/io/image_folder.hpp>

#include <doctest/doctest.h>

#include <deconvnet/training/labelled_images.hpp>

#include "temporary_folder.hpp"

namespace dn = deconvnet;

static_assert(dn::labelled_images<dn::image_folder>);

namespace {

void write_picture(const temporary_folder& folder, const std::string& name, float level, std::size_t side = 4) {
  const auto path = folder.path / name;
  std::filesystem::create_directories(path.parent_path());
  dn::save_image(path, dn::tensor<float, 3>({3, side, side + 1}, level));
}

std::string folder_problem(const temporary_folder& folder, const dn::image_folder_options& options = {.split = dn::split::test}) {
  try {
    dn::load_image_folder(folder.path, options);
  } catch (const dn::file_error& problem) {
    return problem.what();
  }
  return "";
}

void tells(const std::string& text, const std::string& part) { CHECK_MESSAGE(text.find(part) != std::string::npos, text); }

}  // namespace

TEST_CASE("classes and pictures come in the order of their names; what is no picture is passed over") {
  const temporary_folder folder;
  write_picture(folder, "train/dog/b.PNG.png", 30);
  write_picture(folder, "train/cat/2.png", 20);
  write_picture(folder, "train/cat/1.bmp", 10);
  write_picture(folder, "train/dog/a.png", 25);
  write_picture(folder, "test/dog/z.png", 40);
  folder.write("train/cat/notes.txt", "");
  folder.write("train/cat/._1.png", "");
  const auto train = dn::load_image_folder(folder.path, {.split = dn::split::train});
  CHECK(train.classes == std::vector<std::string>{"cat", "dog"});
  CHECK(train.labels == std::vector<std::size_t>{0, 0, 1, 1});
  CHECK(dn::shape_text(train.images.shape()) == "4 x 3 x 4 x 5");
  CHECK(train.images(1, 2, 3, 4) == 20);
  // Labels of both halves mean the same, though test has one class only.
  CHECK(dn::load_image_folder(folder.path, {.split = dn::split::test}).labels == std::vector<std::size_t>{1});
  const dn::image_folder lazy(folder.path / "train");
  CHECK(lazy.size() == 4);
  CHECK(lazy.path(3).filename() == "b.PNG.png");
  CHECK(lazy.image(3)(0, 0, 0) == 30);
  CHECK_THROWS_AS(lazy.image(4), dn::error);
}

TEST_CASE("val stands for test where there is none; pictures of several sizes are brought to one short side") {
  const temporary_folder folder;
  write_picture(folder, "train/a/1.png", 1);
  write_picture(folder, "val/a/1.png", 7, 8);
  CHECK(dn::load_image_folder(folder.path, {.split = dn::split::test}).images.shape(2) == 8);
  CHECK(dn::image_folder(folder.path, {.split = dn::split::test, .short_side = 6}).image(0).shape(1) == 6);
}

TEST_CASE("the centre square is cut out after resizing; without it pictures stay as they are") {
  const temporary_folder folder;
  const auto path = folder.path / "train" / "a" / "1.png";
  std::filesystem::create_directories(path.parent_path());
  dn::tensor<float, 3> wide({3, 4, 7}, 0.F);
  for (std::size_t k = 0; k < wide.size(); ++k) wide.data()[k] = static_cast<float>(k % 7);
  dn::save_image(path, wide);
  const auto cut = dn::image_folder(folder.path / "train", {.centre_square = true}).image(0);
  CHECK(dn::shape_text(cut.shape()) == "3 x 4 x 4");
  CHECK(cut(0, 0, 0) == 2);  // (7 - 4) / 2 = 1.5, rounded to even
  CHECK(cut(2, 3, 3) == 5);
  CHECK(dn::image_folder(folder.path / "train").image(0) == wide);
  const auto large = dn::image_folder(folder.path / "train", {.short_side = 8, .centre_square = true}).image(0);
  CHECK(dn::shape_text(large.shape()) == "3 x 8 x 8");
  const auto whole = dn::image_folder(folder.path / "train", {.short_side = 8}).image(0);
  CHECK(dn::shape_text(whole.shape()) == "3 x 8 x 14");
  CHECK(large(1, 2, 0) == whole(1, 2, 3));
  CHECK(dn::load_image_folder(folder.path, {.split = dn::split::train, .centre_square = true}).images(0, 0, 0, 0) == 2);
}

TEST_CASE("what is wrong with a folder of pictures is named, with the file") {
  const temporary_folder folder;
  tells(folder_problem(folder), "there is no such directory");
  write_picture(folder, "test/a/1.png", 1);
  std::filesystem::create_directories(folder.path / "train" / "b");
  tells(folder_problem(folder), "a class that");
  std::filesystem::remove_all(folder.path / "train");
  write_picture(folder, "test/a/2.png", 1, 5);
  tells(folder_problem(folder), "2.png: a picture of 3 x 5 x 6, 1.png of a is 3 x 4 x 5: one size is needed");
  folder.write("test/a/2.png", "no picture");
  tells(folder_problem(folder), "2.png");
  std::filesystem::remove_all(folder.path / "test" / "a");
  tells(folder_problem(folder), "no pictures");
}
