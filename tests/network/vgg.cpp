#include <deconvnet/network/vgg.hpp>

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "../tensor/values.hpp"

namespace dn = deconvnet;
using namespace deconvnet::testing;

namespace {

std::size_t vgg_parameters_of(const dn::network<float>& net) {
  std::size_t sum = 0;
  for (const auto& info : net.layers()) sum += info.parameters;
  return sum;
}

/// What 224 x 224 and a thousand classes have over 32 x 32 and ten: fc6 reads 7 x 7 maps.
constexpr std::size_t larger_ends = 4096 * 512 * 48 + 990 * 4097;

}  // namespace

TEST_CASE("VGG-16: layers, shapes and parameters") {
  const auto net = dn::vgg16<float>({.classes = 10, .input = {3, 32, 32}});
  std::vector<std::string> list;
  for (const auto& info : net.layers()) {
    if (info.kind != "relu") list.push_back(info.name);
  }
  CHECK(list == std::vector<std::string>{"conv1_1", "conv1_2", "pool1",   "conv2_1", "conv2_2", "pool2",
                                         "conv3_1", "conv3_2", "conv3_3", "pool3",   "conv4_1", "conv4_2",
                                         "conv4_3", "pool4",   "conv5_1", "conv5_2", "conv5_3", "pool5",
                                         "fc6",     "drop6",   "fc7",     "drop7",   "fc8"});
  CHECK(net.layers()[net.find("relu3_2")].shape == dn::shape4{1, 256, 8, 8});
  CHECK(net.layers()[net.find("pool5")].shape == dn::shape4{1, 512, 1, 1});
  CHECK(vgg_parameters_of(net) == 138357544 - larger_ends);
}

TEST_CASE("VGG-19: layers and parameters") {
  const auto net = dn::vgg19<float>({.classes = 10, .input = {3, 32, 32}});
  for (const char* name : {"conv3_4", "conv4_4", "conv5_4"}) CHECK(net.contains(name));
  CHECK(!net.contains("conv2_3"));
  CHECK(vgg_parameters_of(net) == 143667240 - larger_ends);
}

TEST_CASE("VGG-16: a run at a small, not square input has the shapes the layers announce") {
  const auto net = dn::vgg16<float>({.classes = 2, .input = {3, 32, 40}});
  const auto run = net.forward(random_maps<float>({1, 3, 32, 40}, 1));
  for (const auto& info : net.layers()) CHECK(run.shape(info.name) == info.shape);
}

TEST_SUITE("slow") {
  TEST_CASE("VGG-16 and VGG-19: 138,357,544 and 143,667,240 parameters, 7 x 7 maps at the end") {
    const auto net = dn::vgg16<float>();
    CHECK(net.layers()[net.find("pool5")].shape == dn::shape4{1, 512, 7, 7});
    CHECK(vgg_parameters_of(net) == 138357544);
    CHECK(vgg_parameters_of(dn::vgg19<float>()) == 143667240);
  }
}
