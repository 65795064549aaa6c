// A real network: SqueezeNet 1.1 on two photographs against float64 references. The network and the references are not
// part of the project; the tests are skipped where they are absent.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <deconvnet/image/image_file.hpp>
#include <deconvnet/image/preprocess.hpp>
#include <deconvnet/io/npy.hpp>
#include <deconvnet/io/onnx.hpp>
#include <deconvnet/network/projection.hpp>

namespace {

namespace dn = deconvnet;
using json = nlohmann::json;

const std::filesystem::path shared = DECONVNET_SHARED_DIR;
const std::filesystem::path model = shared / "models" / "squeezenet1_1.onnx";
const std::filesystem::path references = shared / "reference" / "squeezenet1_1";

bool absent() {
  if (std::filesystem::exists(model) && std::filesystem::exists(references / "units.json")) return false;
  MESSAGE("skipped: no trained network in " << shared.string());
  return true;
}

/// max|a - b| / max|b|; infinite where the sizes differ.
template <class A, class B>
double relative_error(const A& a, const B& b) {
  if (a.size() != b.size()) return std::numeric_limits<double>::infinity();
  double difference = 0;
  double scale = 0;
  for (std::size_t k = 0; k < b.size(); ++k) {
    const double gap = std::abs(static_cast<double>(a.data()[k]) - static_cast<double>(b.data()[k]));
    difference = gap <= difference ? difference : gap;  // a NaN is kept
    scale = std::max(scale, static_cast<double>(std::abs(b.data()[k])));
  }
  return difference / scale;
}

dn::tensor4<float> array(const std::string& file) { return dn::load_npy<float, 4>(references / file); }

}  // namespace

TEST_CASE("SqueezeNet's logits are those of the reference to 1e-4") {
  if (absent()) return;
  const auto net = dn::load_onnx<float>(model.string());
  for (const std::string which : {"0", "1"}) {
    CAPTURE(which);
    const auto logits = dn::load_npy<float, 2>(references / ("logits_" + which + ".npy"));
    CHECK(relative_error(net(array("input_" + which + ".npy")), logits) < 1e-4);
  }
}

TEST_CASE("SqueezeNet's projections are those of the reference to 1e-4 under all three rules") {
  if (absent()) return;
  const auto net = dn::load_onnx<float>(model.string());
  const std::map<std::string, dn::rule> rules{
      {"deconvnet", dn::rule::deconvnet}, {"gradient", dn::rule::gradient}, {"guided", dn::rule::guided}};
  std::map<std::string, dn::trace<float>> runs;
  for (const json& unit : json::parse(std::ifstream(references / "units.json"))) {
    const auto input = unit.at("input").get<std::string>();
    const auto layer = unit.at("value").get<std::string>();
    const auto at = unit.at("unit").get<std::array<std::size_t, 4>>();
    CAPTURE(unit.dump());
    if (!runs.contains(input)) runs.emplace(input, net.forward(array(input)));
    const auto& run = runs.at(input);
    CHECK(run[layer](at[0], at[1], at[2], at[3]) == doctest::Approx(unit.at("activation").get<double>()).epsilon(1e-4));
    for (const auto& entry : unit.at("files").items()) {
      const std::string name = entry.key();
      CAPTURE(name);
      const auto picture = dn::project(net, run, layer, dn::unit{at[0], at[1], at[2], at[3]}, rules.at(name));
      CHECK(relative_error(picture, array(entry.value().get<std::string>())) < 1e-4);
    }
  }
}

TEST_SUITE("slow") {
  // PyTorch, torchvision's preprocessing, the same 101 files: 57 and 82.
  TEST_CASE("SqueezeNet recognizes the photographs as PyTorch does, within one") {
    const auto photographs = shared / "images";
    if (absent() || !std::filesystem::exists(photographs)) return;
    std::vector<std::string> synsets;
    std::ifstream labels(shared / "models" / "imagenet_synsets.txt");
    for (std::string line; std::getline(labels, line);) synsets.push_back(line.substr(0, line.find(' ')));
    const auto net = dn::load_onnx<float>(model.string());
    int first = 0;
    int among_five = 0;
    for (const auto& file : std::filesystem::directory_iterator(photographs)) {
      const auto name = file.path().filename().string();
      const auto logits = net(dn::preprocess(dn::load_image<float>(file.path()), dn::preprocessing::torchvision()));
      REQUIRE(logits.size() == synsets.size());
      const auto right = std::find(synsets.begin(), synsets.end(), name.substr(0, name.find('_'))) - synsets.begin();
      const auto better = std::count_if(logits.begin(), logits.end(), [&](float value) { return value > logits.data()[right]; });
      first += better == 0;
      among_five += better < 5;
    }
    CHECK(std::abs(first - 57) <= 1);
    CHECK(std::abs(among_five - 82) <= 1);
  }
}
