// The networks that ship with the project are what their files and README say.
#include <deconvnet/image/image_file.hpp>
#include <deconvnet/io/data_set.hpp>
#include <deconvnet/io/network_file.hpp>
#include <deconvnet/io/snapshots.hpp>
#include <deconvnet/training/accuracy.hpp>

#include <algorithm>
#include <filesystem>
#include <string>

#include <doctest/doctest.h>

namespace dn = deconvnet;

namespace {

const std::filesystem::path examples_folder = std::filesystem::path(DECONVNET_FIXTURES_DIR).parent_path().parent_path() / "examples";

std::string recognized(const dn::stored_network<float>& stored, const char* photograph) {
  const auto picture = dn::load_image<float>(examples_folder / "photographs" / photograph);
  const auto scores = stored.net(dn::preprocess(picture, stored.preparation));
  return stored.classes[static_cast<std::size_t>(std::max_element(scores.begin(), scores.end()) - scores.begin())];
}

double tested(const dn::stored_network<float>& stored, const std::filesystem::path& data) {
  const auto images = dn::load_data_set(data, dn::split::test);
  const auto& how = stored.preparation;
  return dn::accuracy(stored.net, images, {.normalization = {.scale = how.scale, .mean = how.mean, .stddev = how.stddev}}).accuracy;
}

}  // namespace

TEST_CASE("the shipped networks open with no other argument, know their classes and tell how they were trained") {
  const auto fashion = dn::load_network<float>(examples_folder / "networks" / "fashion.safetensors");
  CHECK(fashion.net.input_shape() == dn::shape3{1, 28, 28});
  REQUIRE(fashion.classes.size() == 10);
  CHECK(fashion.classes[9] == "Ankle boot");
  CHECK(fashion.metadata.at("command").starts_with("train --dropout 0.3 --normalization batch"));
  const auto colour = dn::load_network<float>(examples_folder / "networks" / "cifar10.safetensors");
  CHECK(colour.net.input_shape() == dn::shape3{3, 32, 32});
  CHECK(colour.classes[3] == "cat");
  CHECK(recognized(colour, "cat.jpg") == "cat");
  for (const char* name : {"fashion.safetensors", "cifar10.safetensors"}) {
    CHECK(std::filesystem::file_size(examples_folder / "networks" / name) < 2'000'000);
  }
}

TEST_CASE("the snapshots are of the network they ship with, and both take less than 2 MB") {
  const auto folder = examples_folder / "networks";
  auto fashion = dn::load_network<float>(folder / "fashion.safetensors");
  const auto snapshots = dn::load_snapshots<float>(folder / "fashion-snapshots.safetensors");
  CHECK(snapshots.size() == 5);
  for (const auto& one : snapshots) dn::restore(fashion.net, one);
  CHECK(std::filesystem::file_size(folder / "fashion-snapshots.safetensors") + std::filesystem::file_size(folder / "fashion.safetensors") <
        2'000'000);
}

TEST_SUITE("slow") {
  TEST_CASE("accuracies on the test sets are those of the logs") {
    const std::filesystem::path garments = "/usr/share/datasets/fashion-mnist";
    const std::filesystem::path animals = std::getenv("DECONVNET_CIFAR10") ? std::getenv("DECONVNET_CIFAR10") : "";
    for (const auto& [name, data, least] : {std::tuple("fashion.safetensors", garments, 0.925), std::tuple("cifar10.safetensors", animals, 0.80)}) {
      if (data.empty() || !std::filesystem::exists(data)) {
        MESSAGE("skipped: no data set for ", std::string(name), " (CIFAR-10's folder is told by DECONVNET_CIFAR10)");
        continue;
      }
      CHECK(tested(dn::load_network<float>(examples_folder / "networks" / name), data) >= least);
    }
  }
}
