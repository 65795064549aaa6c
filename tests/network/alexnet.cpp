#include <deconvnet/network/alexnet.hpp>

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "../tensor/values.hpp"

namespace dn = deconvnet;
using namespace deconvnet::testing;

namespace {

std::size_t parameters_of(const dn::network<float>& net) {
  std::size_t sum = 0;
  for (const auto& info : net.layers()) sum += info.parameters;
  return sum;
}

std::vector<std::string> names_of(const dn::network<float>& net) {
  std::vector<std::string> list;
  for (const auto& info : net.layers()) list.push_back(info.name);
  return list;
}

}  // namespace

TEST_CASE("AlexNet: torchvision's variant has its 61,100,840 parameters, the paper's 60,965,224") {
  CHECK(parameters_of(dn::alexnet<float>({.variant = dn::alexnet_variant::torchvision})) == 61100840);
  CHECK(parameters_of(dn::alexnet<float>()) == 60965224);
}

TEST_CASE("AlexNet: the paper's variant, norms before pools") {
  const auto net = dn::alexnet<float>({.classes = 4, .input = {3, 96, 64}});
  CHECK(names_of(net) == std::vector<std::string>{"conv1", "relu1", "norm1", "pool1", "conv2", "relu2",
                                                  "norm2", "pool2", "conv3", "relu3", "conv4", "relu4",
                                                  "conv5", "relu5", "pool5", "fc6",   "relu6", "drop6",
                                                  "fc7",   "relu7", "drop7", "fc8"});
}

TEST_CASE("AlexNet: torchvision's variant has no norms") {
  const auto net =
      dn::alexnet<float>({.classes = 4, .input = {3, 96, 64}, .variant = dn::alexnet_variant::torchvision});
  CHECK(names_of(net) == std::vector<std::string>{"conv1", "relu1", "pool1", "conv2", "relu2", "pool2", "conv3",
                                                  "relu3", "conv4", "relu4", "conv5", "relu5", "pool5", "fc6",
                                                  "relu6", "drop6", "fc7",   "relu7", "drop7", "fc8"});
  CHECK(net.layers().back().shape == dn::shape4{1, 4, 1, 1});
}

TEST_CASE("AlexNet: maps of 55, 27, 13, 6 from 224 x 224") {
  for (const auto variant : {dn::alexnet_variant::paper, dn::alexnet_variant::torchvision}) {
    const auto net = dn::alexnet<float>({.classes = 4, .variant = variant});
    const auto layers = net.layers();
    const auto side = [&](const char* name) { return layers[net.find(name)].shape[2]; };
    CHECK(side("conv1") == 55);
    CHECK(side("pool1") == 27);
    CHECK(side("pool2") == 13);
    CHECK(side("conv5") == 13);
    CHECK(side("pool5") == 6);
  }
}

TEST_CASE("AlexNet: a run has the shapes the layers announce") {
  const auto net = dn::alexnet<float>({.classes = 4, .input = {3, 70, 96}});
  const auto run = net.forward(random_maps<float>({1, 3, 70, 96}, 1));
  for (const auto& info : net.layers()) CHECK(run.shape(info.name) == info.shape);
}
