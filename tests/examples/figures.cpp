// The programs that draw figures, on the networks and photographs that ship with the project.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

#include <doctest/doctest.h>

#include <deconvnet/image/image_file.hpp>

#include "programs.hpp"
#include "tiny_data.hpp"

namespace dn = deconvnet;
using namespace deconvnet::testing;

namespace {

std::string garments() { return quoted(shipped("networks/fashion.safetensors")); }
std::string animals() { return quoted(shipped("networks/cifar10.safetensors")); }
std::string photograph(const char* name) { return quoted(shipped("photographs") / name); }

/// A picture, and not of one colour.
void check_drawn(const std::filesystem::path& path) {
  INFO(path.string());
  REQUIRE(std::filesystem::exists(path));
  const auto picture = dn::load_image<float>(path);
  CHECK(picture.shape(1) > 30);
  CHECK(std::any_of(picture.begin(), picture.end(), [&](float value) { return value != picture.data()[0]; }));
}

}  // namespace

TEST_CASE("visualize draws layers of a photograph and knows the cat") {
  const auto out = fresh_folder("visualize");
  const auto output = output_of("visualize " + animals() + " " + photograph("cat.jpg") + " --layer all --maps 4 --arrays --out " + quoted(out));
  CHECK(output.find("cat") != std::string::npos);
  for (const char* name : {"relu1.png", "relu5.png"}) check_drawn(out / name);
  CHECK(std::filesystem::exists(out / "relu5.npy"));
  refused("visualize " + animals() + " " + photograph("cat.jpg") + " --layer relu9 --out " + quoted(out), "relu9");
}

TEST_CASE("top_activations draws the strongest of a folder, and of a data set; what cannot be read is skipped") {
  const auto out = fresh_folder("top_activations");
  const auto folder = out / "pictures";
  std::filesystem::copy(shipped("photographs"), folder);
  std::ofstream(folder / "a.png") << "no picture";
  const auto output = output_of("top_activations " + animals() + " " + quoted(folder) + " --maps 2 --count 4 --layer relu2 relu5 --tile 32 --out " + quoted(out));
  CHECK(output.find("1 of 6 pictures could not be read") != std::string::npos);
  for (const char* name : {"top_relu2.png", "top_relu5.png"}) check_drawn(out / name);
  CHECK(std::filesystem::exists(out / "top_relu5.csv"));
  output_of("top_activations " + garments() + " " + quoted(tiny_idx(out / "idx")) + " --maps 2 --count 4 --layer relu3 --tile 32 --out " + quoted(out));
  check_drawn(out / "top_relu3.png");
}

TEST_CASE("top_activations takes a network whose input is not square") {
  const auto out = fresh_folder("not_square");
  const auto pictures = tiny_folders(out / "pictures", 12, 18);
  output_of("train --data " + quoted(pictures) + " --network " + quoted(out / "net.safetensors") +
            " --filters 4,4,6,6,4 --units 8 --batch 8 --validation 6 --epochs 1");
  output_of("top_activations " + quoted(out / "net.safetensors") + " " + quoted(pictures / "test") + " --maps 2 --count 2 --tile 32 --out " + quoted(out));
  check_drawn(out / "top_relu5.png");
}

TEST_CASE("evolution draws the snapshots; a first picture that cannot be read is skipped") {
  const auto out = fresh_folder("evolution");
  const std::string start = "evolution " + garments() + " " + quoted(shipped("networks/fashion-snapshots.safetensors")) + " ";
  output_of(start + quoted(tiny_idx(out / "idx")) + " --maps 2 --layer relu1 --out " + quoted(out));
  check_drawn(out / "evolution_relu1.png");
  const auto folder = out / "pictures";
  std::filesystem::copy(shipped("photographs"), folder);
  std::ofstream(folder / "a.png") << "no picture";
  const auto output = output_of(start + quoted(folder) + " --maps 2 --layer relu3 --out " + quoted(out));
  CHECK(output.find("1 pictures could not be read") != std::string::npos);
  check_drawn(out / "evolution_relu3.png");
  for (const auto& entry : std::filesystem::directory_iterator(folder)) std::ofstream(entry.path()) << "no picture";
  refused(start + quoted(folder) + " --out " + quoted(out), "none of the pictures could be read");
}

TEST_CASE("occlusion, invariance and filters draw the paper's figures 5 to 7") {
  const auto out = fresh_folder("figures");
  output_of("occlusion " + animals() + " " + photograph("cat.jpg") + " --stride 8 --panel 64 --out " + quoted(out));
  check_drawn(out / "occlusion_cat.png");
  output_of("invariance " + animals() + " " + photograph("cat.jpg") + " " + photograph("china.jpg") + " --out " + quoted(out / "invariance.png"));
  check_drawn(out / "invariance.png");
  CHECK(std::filesystem::exists(out / "invariance.csv"));
  output_of("filters " + garments() + " " + animals() + " --out " + quoted(out / "filters.png"));
  check_drawn(out / "filters.png");
}
