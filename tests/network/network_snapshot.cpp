#include <deconvnet/network/network_snapshot.hpp>

#include <doctest/doctest.h>

#include "../training/small_trainings.hpp"

namespace dn = deconvnet;
using namespace deconvnet::testing;

TEST_CASE("a snapshot of a layer holds the weights it depends on, and gives them back") {
  auto net = small_classifier<float>(1);
  const auto first = dn::snapshot_of(net, 3, "relu1");
  REQUIRE(first.weights.size() == 8);  // the mean's two, conv1's two, four of batch norm
  CHECK(first.epoch == 3);
  CHECK(first.weights[2].name == "conv1.weight");
  CHECK(first.weights[2].shape == std::vector<std::size_t>{4, 1, 3, 3});
  CHECK(dn::snapshot_of(net, 3).weights.size() == net.parameters().size());

  auto other = small_classifier<float>(2);
  const std::vector<float> kept(other.parameters().back().values.begin(), other.parameters().back().values.end());
  dn::restore(other, first);
  const dn::tensor4<float> x({1, 1, 8, 8}, 0.5f);
  CHECK(other.forward(x)["relu1"] == net.forward(x)["relu1"]);
  CHECK(std::equal(kept.begin(), kept.end(), other.parameters().back().values.begin()));
}

TEST_CASE("a snapshot of another network is refused before anything is changed") {
  auto net = small_classifier<float>(1);
  auto snapshot = dn::snapshot_of(net, 7);
  snapshot.weights.back().shape = {3};
  snapshot.weights.back().values.resize(3);
  for (float& value : snapshot.weights[2].values) value = 9;
  CHECK_THROWS_WITH_AS(dn::restore(net, snapshot), doctest::Contains("epoch 7: 'fc2.bias' is 3, the network's is 2"), dn::shape_error);
  CHECK(net.parameters()[2].values[0] != 9);
  snapshot.weights.back().name = "fc9.bias";
  CHECK_THROWS_WITH_AS(dn::restore(net, snapshot), doctest::Contains("'fc9.bias', the network has not"), dn::error);
  CHECK_THROWS_AS(dn::snapshot_of(net, 1, "fc9"), dn::error);
}
