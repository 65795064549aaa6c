#include <deconvnet/network/zfnet.hpp>

#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <deconvnet/network/projection.hpp>
#include <deconvnet/network/receptive_field.hpp>
#include <deconvnet/training/initialization.hpp>

#include "../tensor/values.hpp"

namespace dn = deconvnet;
using namespace deconvnet::testing;

TEST_CASE("ZFNet: the paper's map sizes 110, 55, 26, 13, 13, 13, 6, in a run") {
  const auto net = dn::zfnet<float>({.classes = 10});
  const auto run = net.forward(random_maps<float>({1, 3, 224, 224}, 1), {.keep = {"pool5"}});
  const std::vector<std::pair<std::string, dn::shape4>> expected{
      {"conv1", {1, 96, 110, 110}}, {"pool1", {1, 96, 55, 55}},  {"norm1", {1, 96, 55, 55}},
      {"conv2", {1, 256, 26, 26}},  {"pool2", {1, 256, 13, 13}}, {"norm2", {1, 256, 13, 13}},
      {"conv3", {1, 384, 13, 13}},  {"conv4", {1, 384, 13, 13}}, {"conv5", {1, 256, 13, 13}},
      {"pool5", {1, 256, 6, 6}}};
  const auto layers = net.layers();
  for (const auto& entry : expected) {
    const std::string& name = entry.first;
    CAPTURE(name);
    CHECK(run.shape(name) == entry.second);
    CHECK(layers[net.find(name)].shape == entry.second);
  }
}

TEST_CASE("ZFNet: layers in the paper's order, pools before norms, ending in logits") {
  const auto net = dn::zfnet<float>({.classes = 7, .input = {3, 80, 90}});
  std::vector<std::string> list;
  for (const auto& info : net.layers()) list.push_back(info.name);
  CHECK(list == std::vector<std::string>{"conv1", "relu1", "pool1", "norm1", "conv2", "relu2", "pool2", "norm2",
                                         "conv3", "relu3", "conv4", "relu4", "conv5", "relu5", "pool5", "fc6",
                                         "relu6", "drop6", "fc7",   "relu7", "drop7", "fc8"});
  CHECK(net.layers().back().shape == dn::shape4{1, 7, 1, 1});
}

TEST_CASE("ZFNet: a thousand classes take 62,357,608 parameters") {
  std::size_t sum = 0;
  for (const auto& info : dn::zfnet<float>().layers()) sum += info.parameters;
  CHECK(sum == 62357608);
}

TEST_CASE("ZFNet: receptive fields") {
  const auto net = dn::zfnet<float>({.classes = 2, .input = {3, 224, 224}});
  CHECK(dn::receptive_field(net, "relu1", {0, 0, 0, 0}) == dn::box{-1, -1, 7, 7});
  CHECK(dn::receptive_field(net, "conv2", {0, 0, 1, 2}) == dn::box{7, 15, 27, 27});
  CHECK(dn::receptive_field(net, "conv5", {0, 0, 6, 6}).height == 139);
}

TEST_CASE("ZFNet: a small one, initialized, classifies and projects") {
  auto net = dn::zfnet<float>({.classes = 3, .input = {1, 80, 90}});
  dn::initialize(net, 5, dn::initialization::he);
  const auto x = random_maps<float>({2, 1, 80, 90}, 1);
  const auto run = net.forward(x);
  CHECK(same_bits(net(x), run["fc8"]));
  const auto picture = dn::project(net, run, "relu5", dn::strongest(run["relu5"], {.image = 1}));
  CHECK(dn::shape_of(picture) == dn::shape_of(x));
  CHECK(inner_product(picture, picture) > 0);
}
