#include <deconvnet/io/snapshots.hpp>

#include <doctest/doctest.h>

#include "../training/small_trainings.hpp"
#include "temporary_folder.hpp"

namespace dn = deconvnet;
using namespace deconvnet::testing;

TEST_CASE("snapshots come back in the order of their epochs, with their bits; in half precision nearly") {
  const temporary_folder folder;
  const auto path = folder.path / "run.safetensors";
  const std::vector<dn::network_snapshot<float>> saved{dn::snapshot_of(small_classifier<float>(1), 10),
                                                       dn::snapshot_of(small_classifier<float>(2), 2, "relu1")};
  dn::save_snapshots(saved, path);
  const auto loaded = dn::load_snapshots<float>(path);
  REQUIRE(loaded.size() == 2);
  CHECK(loaded[0].epoch == 2);
  CHECK(loaded[1].epoch == 10);
  CHECK(loaded[0].weights.size() == saved[1].weights.size());
  auto net = small_classifier<float>(5);
  dn::restore(net, loaded[1]);
  CHECK(numbers_of(net) == numbers_of(small_classifier<float>(1)));

  dn::save_snapshots(saved, path, dn::storage::half);
  auto rounded = small_classifier<double>(5);
  dn::restore(rounded, dn::load_snapshots<double>(path)[1]);
  const auto exact = numbers_of(small_classifier<float>(1));
  const auto near = numbers_of(rounded);
  for (std::size_t k = 0; k < exact.size(); ++k) CHECK(near[k] == doctest::Approx(exact[k]).epsilon(1e-3));
}

TEST_CASE("two snapshots of one epoch, and files of something else, are refused") {
  const temporary_folder folder;
  const auto path = folder.path / "run.safetensors";
  const auto one = dn::snapshot_of(small_classifier<float>(1), 4);
  CHECK_THROWS_WITH_AS(dn::save_snapshots<float>({one, one}, path), doctest::Contains("two snapshots of epoch 4"), dn::error);
  dn::save_safetensors(small_classifier<float>(1), path);
  CHECK_THROWS_WITH_AS(dn::load_snapshots<float>(path), doctest::Contains("is no weight of a snapshot"), dn::file_error);
  dn::save_snapshots<float>({one}, path);
  std::string bytes = bytes_of(path);
  std::size_t length = 0;  // of the header
  for (std::size_t k = 8; k-- > 0;) length = length << 8 | static_cast<unsigned char>(bytes[k]);
  const std::string too_many = "epoch 99999999999999999999";
  for (std::size_t at = 0; (at = bytes.find("epoch 4/", at)) != std::string::npos; length += too_many.size() - 7) bytes.replace(at, 7, too_many);
  for (std::size_t k = 0; k < 8; ++k) bytes[k] = static_cast<char>(length >> 8 * k);
  CHECK_THROWS_WITH_AS(dn::load_snapshots<float>(folder.write("many", bytes)), doctest::Contains("epoch 99999999999999999999/"), dn::file_error);
  dn::save_snapshots(std::vector<dn::network_snapshot<float>>{}, path);
  CHECK_THROWS_WITH_AS(dn::load_snapshots<float>(path), doctest::Contains("there is no snapshot in it"), dn::file_error);
}

TEST_CASE("half precision keeps what it can hold, subnormals too, and rounds ties to even") {
  const temporary_folder folder;
  const auto path = folder.path / "run.safetensors";
  dn::network_snapshot<float> one{3, {{"conv1.weight", {6}, {1.5F, -0x1p-24F, 0x3p-24F, 1.F + 0x1p-11F, 1.F + 0x3p-11F, 65504.F}}}};
  dn::save_snapshots<float>({one}, path, dn::storage::half);
  const auto loaded = dn::load_snapshots<float>(path);
  REQUIRE(loaded.size() == 1);
  CHECK(loaded[0].epoch == 3);
  CHECK(loaded[0].weights[0].name == "conv1.weight");
  CHECK(loaded[0].weights[0].shape == std::vector<std::size_t>{6});
  CHECK(loaded[0].weights[0].values == std::vector<float>{1.5F, -0x1p-24F, 0x3p-24F, 1.F, 1.F + 0x1p-9F, 65504.F});
}

TEST_CASE("a damaged file of snapshots is an error or a file of snapshots, never a crash") {
  const temporary_folder folder;
  const auto path = folder.path / "run.safetensors";
  dn::save_snapshots<float>({dn::snapshot_of(small_classifier<float>(1), 1, "relu1")}, path);
  const std::string whole = bytes_of(path);
  for (std::size_t length = 0; length < whole.size(); length += 37) {
    CHECK_THROWS_AS(dn::load_snapshots<float>(folder.write("short", std::string_view(whole).substr(0, length))), dn::file_error);
  }
  std::mt19937 random(1);
  for (int k = 0; k < 300; ++k) {
    const auto file = folder.write("damaged", mutated(whole, random));
    try {
      for (const auto& one : dn::load_snapshots<float>(file)) CHECK(!one.weights.empty());
    } catch (const dn::error&) {
    }
  }
}
