#include <deconvnet/network/scaled_zfnet.hpp>

#include <doctest/doctest.h>

namespace dn = deconvnet;

TEST_CASE("maps keep their size through convolutions and are halved by the three pools") {
  const auto net = dn::scaled_zfnet<float>({.classes = 7, .input = {1, 28, 28}, .units = 50});
  const auto side = [&](const char* name) { return net.value_shape(net.find(name) + 1)[2]; };
  CHECK(side("conv1") == 28);
  CHECK(side("norm1") == 14);
  CHECK(side("norm2") == 7);
  CHECK(side("conv5") == 7);
  CHECK(side("pool5") == 3);
  CHECK(net.value_shape(net.find("fc6") + 1)[1] == 50);
  CHECK(net.value_shape(net.output() + 1)[1] == 7);
  CHECK_FALSE(net.contains("bn1"));
}

TEST_CASE("batch normalization stands between a convolution without bias and its ReLU, and begins as the identity") {
  const auto net = dn::scaled_zfnet<float>({.norm = dn::activation_norm::batch});
  CHECK_FALSE(net.contains("norm1"));
  CHECK(net.layers()[1].name == "bn1");
  for (const auto& p : net.parameters()) {
    CHECK(p.name != "conv1.bias");
    if (p.name == "bn5.weight" || p.name == "bn5.running_var") CHECK(p.values[63] == 1);
    if (p.name == "bn5.bias" || p.name == "bn5.running_mean") CHECK(p.values[63] == 0);
  }
  CHECK_FALSE(dn::scaled_zfnet<float>({.norm = dn::activation_norm::none}).contains("norm2"));
}

TEST_CASE("a mean is subtracted by the first layer") {
  const auto net = dn::scaled_zfnet<float>({.input = {1, 28, 28}, .mean = dn::tensor<double, 3>({1, 28, 28}, 0.25)});
  const auto run = net.forward(dn::tensor4<float>({1, 1, 28, 28}, 1.0f));
  CHECK(run["mean"](0, 0, 3, 4) == 0.75f);
  CHECK_THROWS_AS(dn::scaled_zfnet<float>({.input = {1, 28, 28}, .mean = dn::tensor<double, 3>({1, 5, 28}, 0.25)}), dn::shape_error);
}

TEST_CASE("an even kernel and an input without room are refused") {
  CHECK_THROWS_WITH_AS(dn::scaled_zfnet<float>({.kernel = 4}), doctest::Contains("a kernel of 4 has no middle"), dn::error);
  CHECK_THROWS_AS(dn::scaled_zfnet<float>({.input = {3, 4, 4}}), dn::shape_error);
}
