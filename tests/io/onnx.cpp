#include <deconvnet/io/onnx.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <deconvnet/io/npy.hpp>

#include "onnx_writer.hpp"
#include "temporary_folder.hpp"

namespace fs = std::filesystem;
namespace ow = onnx_writer;
using deconvnet::load_npy;
using deconvnet::load_onnx;
using deconvnet::tensor4;

namespace {

const fs::path fixtures = fs::path(DECONVNET_FIXTURES_DIR) / "onnx";

template <class T>
tensor4<T> batch_of(const fs::path& path) {
  try {
    return load_npy<T, 4>(path);
  } catch (const deconvnet::shape_error&) {
    const auto matrix = load_npy<T, 2>(path);
    auto x = deconvnet::uninitialized<T>({matrix.shape(0), matrix.shape(1), 1, 1});
    std::copy(matrix.begin(), matrix.end(), x.begin());
    return x;
  }
}

template <class T>
double relative_error(const tensor4<T>& y, const tensor4<T>& wanted) {
  if (deconvnet::shape_of(y) != deconvnet::shape_of(wanted)) return std::numeric_limits<double>::infinity();
  double difference = 0;
  double largest = 0;
  for (std::size_t k = 0; k < y.size(); ++k) {
    difference = std::max(difference, static_cast<double>(std::abs(y.data()[k] - wanted.data()[k])));
    largest = std::max(largest, static_cast<double>(std::abs(wanted.data()[k])));
  }
  return difference / largest;
}

std::vector<fs::path> networks() {
  std::vector<fs::path> list;
  for (const auto& entry : fs::directory_iterator(fixtures)) {
    if (entry.path().extension() == ".onnx") list.push_back(entry.path());
  }
  std::sort(list.begin(), list.end());
  return list;
}

fs::path sibling(const fs::path& network, const char* ending) {
  return network.parent_path() / (network.stem().string() + ending);
}

}  // namespace

TEST_CASE("every form of a network computes what onnxruntime does") {
  CHECK(networks().size() >= 16);
  for (const auto& path : networks()) {
    CAPTURE(path.filename().string());
    const auto wanted = batch_of<double>(sibling(path, ".y.npy"));
    CHECK(relative_error(load_onnx<double>(path)(batch_of<double>(sibling(path, ".x.npy"))), wanted) < 2e-6);
    CHECK(relative_error(load_onnx<float>(path)(batch_of<float>(sibling(path, ".x.npy"))),
                         batch_of<float>(sibling(path, ".y.npy"))) < 1e-5);
  }
}

TEST_CASE("a trained SqueezeNet gives PyTorch's logits") {
  const fs::path shared = DECONVNET_SHARED_DIR;
  if (!fs::exists(shared / "models/squeezenet1_1.onnx")) {
    MESSAGE("skipped: there is no ", (shared / "models/squeezenet1_1.onnx").string());
    return;
  }
  const auto net = load_onnx<float>(shared / "models/squeezenet1_1.onnx");
  CHECK(net.input_name() == "x");
  CHECK(net.layers().size() == 65);
  CHECK(net.layers().front().name == "/features/features.0/Conv_output_0");
  CHECK(net.find("/features/features.3/Concat") == net.find("/features/features.3/Concat_output_0"));
  CHECK(net.layers().back().shape == deconvnet::shape4{1, 1000, 1, 1});
  for (const char* k : {"0", "1"}) {
    const auto folder = shared / "reference/squeezenet1_1";
    const auto x = load_npy<float, 4>(folder / (std::string("input_") + k + ".npy"));
    const auto y = net(x);
    const auto wanted = batch_of<float>(folder / (std::string("logits_") + k + ".npy"));
    REQUIRE(y.size() == wanted.size());
    double difference = 0;
    for (std::size_t i = 0; i < y.size(); ++i) {
      difference = std::max(difference, static_cast<double>(std::abs(y.data()[i] - wanted.data()[i])));
    }
    CHECK(difference < 1e-4);
  }
}

TEST_CASE("layers bear the names of values, nodes' names are aliases") {
  const auto net = load_onnx<float>(fixtures / "several_outputs.onnx");
  CHECK(net.name(net.output()) == "y");
  CHECK(net.find("first") == net.find("trunk"));  // the node 'trunk' makes 'pooled': the value wins
  CHECK(net.find("relu") == net.find("left"));
  CHECK(net.layers()[net.find("pooled")].shape == deconvnet::shape4{1, 12, 1, 1});
  CHECK_FALSE(net.contains("x"));  // a node's name, but the input's first
  const auto x = load_npy<float, 4>(fixtures / "several_outputs.x.npy");
  CHECK(net.forward(x)["pooled"].shape(1) == 12);
}

TEST_CASE("a name that two nodes share names neither") {
  const temporary_folder folder;
  const auto path = folder.write(
      "m.onnx",
      ow::model({.nodes = {ow::node("Relu", {"x"}, {"a"}, {}, "same"), ow::node("Relu", {"a"}, {"y"}, {}, "same")}}));
  const auto net = load_onnx<float>(path);
  CHECK_FALSE(net.contains("same"));
  CHECK(net.contains("a"));
}

TEST_CASE("the batch is free whatever the file says") {
  const auto net = load_onnx<float>(fixtures / "exported_for_one_image.onnx");
  const auto x = load_npy<float, 4>(fixtures / "exported_for_one_image.x.npy");
  CHECK(x.shape(0) == 2);
  CHECK(net(x).shape(0) == 2);
}

TEST_CASE("open extents stay open, and .input_shape closes them") {
  const auto path = fixtures / "auto_pad_open_extents.onnx";
  const auto open = load_onnx<float>(path);
  CHECK(open.input_shape() == deconvnet::shape3{2, 0, 0});
  CHECK(open.layers().front().shape == deconvnet::shape4{0, 0, 0, 0});
  const auto closed = load_onnx<float>(path, {.input_shape = {2, 9, 5}});
  CHECK(closed.layers().front().shape == deconvnet::shape4{1, 3, 9, 5});
  const auto x = deconvnet::zeros<float>({1, 2, 9, 5});
  CHECK(open(x) == closed(x));
  CHECK_THROWS_AS(load_onnx<float>(path, {.input_shape = {3, 9, 5}}), deconvnet::shape_error);
}

TEST_CASE("padding that was worked out for one size refuses another") {
  const temporary_folder folder;
  const auto text = [](std::int64_t size) {
    return ow::model({.nodes = {ow::node("MaxPool", {"x"}, {"y"},
                                         {ow::integers("kernel_shape", {3, 3}), ow::integers("strides", {2, 2}),
                                          ow::string("auto_pad", "SAME_UPPER")})},
                      .inputs = {ow::value("x", {0, 2, size, size})}});
  };
  const auto open = folder.write("open.onnx", text(0));
  CHECK_THROWS_WITH_AS(load_onnx<float>(open), doctest::Contains("pass .input_shape"), deconvnet::unsupported_error);
  const auto net = load_onnx<float>(open, {.input_shape = {2, 7, 7}});
  CHECK(net(deconvnet::zeros<float>({1, 2, 7, 7})).shape(2) == 4);
  CHECK_THROWS_WITH_AS(net(deconvnet::zeros<float>({1, 2, 8, 7})), doctest::Contains("worked out for"),
                       deconvnet::shape_error);
  CHECK(load_onnx<float>(folder.write("fixed.onnx", text(8)))(deconvnet::zeros<float>({1, 2, 8, 8})).shape(2) == 4);
}

TEST_CASE("what is no ONNX file is a file error") {
  const temporary_folder folder;
  CHECK_THROWS_AS(load_onnx<float>(folder.path / "absent.onnx"), deconvnet::file_error);
  CHECK_THROWS_AS(load_onnx<float>(folder.path), deconvnet::file_error);
  CHECK_THROWS_AS(load_onnx<float>(folder.write("e", "")), deconvnet::file_error);
  CHECK_THROWS_AS(load_onnx<float>(folder.write("t", "this is a text")), deconvnet::file_error);
  CHECK_THROWS_AS(load_onnx<float>(folder.write("z", std::string(1000, '\0'))), deconvnet::file_error);
  CHECK_THROWS_AS(load_onnx<float>(fixtures / "rows.x.npy"), deconvnet::file_error);
}

TEST_CASE("an ONNX file cut short anywhere is an error") {
  const temporary_folder folder;
  const std::string good = bytes_of(fixtures / "opset_13_inputs.onnx");
  // Its last fields may be dropped without harm: what remains is a model without them. Shorter ones never load.
  for (std::size_t length = 0; length + 16 < good.size(); length += 3) {
    const auto path = folder.write("cut.onnx", good.substr(0, length));
    CHECK_THROWS_AS(load_onnx<float>(path), deconvnet::error);
  }
}

TEST_CASE("damaged ONNX files never do anything but throw") {
  const temporary_folder folder;
  std::mt19937 random(1);
  for (const auto& path : networks()) {
    const std::string good = bytes_of(path);
    for (int k = 0; k < 40; ++k) {
      const auto bad = folder.write("bad.onnx", mutated(good, random));
      try {
        const auto net = load_onnx<float>(bad);  // not inside CHECK, which catches
        CHECK(net.size() < 1000);
      } catch (const deconvnet::error&) {
      }
    }
  }
}
