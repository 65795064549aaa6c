#include <deconvnet/network/stack.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <deconvnet/network/alexnet.hpp>
#include <deconvnet/network/squeezenet.hpp>
#include <deconvnet/network/vgg.hpp>
#include <deconvnet/network/zfnet.hpp>

#include "../tensor/values.hpp"

namespace dn = deconvnet;
using namespace deconvnet::testing;

TEST_CASE("a stack names convolutions, their ReLUs, pools and fully connected layers, and carries channels along") {
  dn::detail::layer_stack<float> stack({2, 8, 8});
  stack.conv("1", 6, 3, {.padding = 1});
  stack.conv("2", 4, 3, {.groups = 2});
  stack.pool("2", {.kernel = 2});
  stack.fully_connected("3", 5);
  CHECK(stack.shape() == dn::shape4{1, 5, 1, 1});
  const auto net = stack.take();
  std::vector<std::string> list;
  std::vector<std::size_t> parameters;
  for (const auto& info : net.layers()) {
    list.push_back(info.name);
    parameters.push_back(info.parameters);
  }
  CHECK(list == std::vector<std::string>{"conv1", "relu1", "conv2", "relu2", "pool2", "fc3"});
  CHECK(parameters == std::vector<std::size_t>{6 * 2 * 9 + 6, 0, 4 * 3 * 9 + 4, 0, 0, 5 * 36 + 5});
}

TEST_CASE("every weight of a bundled model is zero") {
  const auto net = dn::zfnet<float>({.classes = 2, .input = {1, 80, 80}});
  for (const auto& p : net.parameters()) {
    CHECK(std::all_of(p.values.begin(), p.values.end(), [](float value) { return value == 0.f; }));
  }
}

TEST_CASE("a bundled model needs a fixed input") {
  CHECK_THROWS_AS(dn::zfnet<float>({.input = {3, 0, 224}}), dn::shape_error);
  CHECK_THROWS_AS(dn::alexnet<float>({.input = {0, 224, 224}}), dn::shape_error);
  CHECK_THROWS_AS(dn::vgg16<float>({.input = {3, 224, 0}}), dn::shape_error);
  CHECK_THROWS_AS(dn::squeezenet1_1<float>({.input = {3, 0, 0}}), dn::shape_error);
}

TEST_CASE("an input too small is refused with the layer it does not fit into") {
  CHECK(names(message_of([] { dn::zfnet<float>({.input = {3, 4, 224}}); }), "'conv1'"));
  CHECK(names(message_of([] { dn::zfnet<float>({.input = {3, 60, 224}}); }), "'pool5'"));
  CHECK(names(message_of([] { dn::alexnet<float>({.input = {3, 224, 30}}); }), "'pool2'"));
  CHECK(names(message_of([] { dn::vgg16<float>({.input = {3, 31, 64}}); }), "'pool5'"));
  CHECK(names(message_of([] { dn::vgg19<float>({.input = {3, 1, 1}}); }), "'pool1'"));
  CHECK(names(message_of([] { dn::squeezenet1_1<float>({.input = {3, 2, 2}}); }), "'conv1'"));
}

TEST_CASE("absurd numbers of classes and extents are refused before anything is allocated") {
  CHECK_THROWS_AS(dn::squeezenet1_1<float>({.classes = std::size_t{1} << 40}), dn::shape_error);
  CHECK_THROWS_AS(dn::zfnet<float>({.classes = std::size_t{1} << 40, .input = {1, 80, 80}}), dn::shape_error);
  CHECK_THROWS_AS(dn::zfnet<float>({.classes = 1, .input = {3, 100000, 100000}}), dn::shape_error);
  CHECK_THROWS_AS(dn::squeezenet1_1<float>({.classes = 0}), dn::shape_error);
}

TEST_CASE("SqueezeNet 1.1: 1,235,496 parameters, maps of 111, 55, 27, 13 by pools in ceil mode, logits per class") {
  const auto net = dn::squeezenet1_1<float>();
  const auto layers = net.layers();
  std::size_t parameters = 0;
  for (const auto& info : layers) parameters += info.parameters;
  CHECK(parameters == 1235496);
  const auto shape = [&](const char* name) { return layers[net.find(name)].shape; };
  CHECK(shape("conv1") == dn::shape4{1, 64, 111, 111});
  CHECK(shape("pool1") == dn::shape4{1, 64, 55, 55});
  CHECK(shape("fire2/squeeze1x1") == dn::shape4{1, 16, 55, 55});
  CHECK(shape("fire3/concat") == dn::shape4{1, 128, 55, 55});
  CHECK(shape("pool3") == dn::shape4{1, 128, 27, 27});
  CHECK(shape("pool5") == dn::shape4{1, 256, 13, 13});
  CHECK(shape("fire9/concat") == dn::shape4{1, 512, 13, 13});
  CHECK(shape("pool10") == dn::shape4{1, 1000, 1, 1});
}

TEST_CASE("SqueezeNet 1.1: a run at a small, not square input has the shapes the layers announce") {
  const auto net = dn::squeezenet1_1<float>({.classes = 3, .input = {1, 40, 35}});
  const auto run = net.forward(random_maps<float>({2, 1, 40, 35}, 1));
  for (const auto& info : net.layers()) {
    dn::shape4 shape = info.shape;
    shape[0] = 2;
    CHECK(run.shape(info.name) == shape);
  }
}
