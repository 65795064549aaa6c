#include <deconvnet/network/summary.hpp>

#include <algorithm>
#include <string>

#include <doctest/doctest.h>

#include "sample_networks.hpp"

namespace dn = deconvnet;
using namespace deconvnet::testing;

TEST_CASE("a table of layers, kinds, shapes, parameters and multiply-adds, with their sums") {
  dn::network<float> net({3, 8, 9});
  net.add("conv1", random_conv<float>({10, 3, 3, 3}, {.padding = 1}, 1));
  net.add("relu1", dn::relu{});
  net.add("pool1", dn::max_pool2d{});
  net.add("fc2", random_linear<float>(5, 160, 2));
  CHECK(dn::summary(net) ==
        "layer  kind        shape                   parameters   multiply-adds\n"
        "conv1  conv2d      1 x 10 x 8 x 9                 280           19440\n"
        "relu1  relu        1 x 10 x 8 x 9                   0               0\n"
        "pool1  max_pool2d  1 x 10 x 4 x 4                   0               0\n"
        "fc2    linear      1 x 5 x 1 x 1                  805             800\n"
        "total                                            1085           20240\n");
}

TEST_CASE("long names and kinds widen their columns") {
  dn::network<float> net({2, 4, 4});
  net.add("a_name_longer_than_the_heading", dn::local_response_norm{});
  const auto table = dn::summary(net);
  CHECK(table.find("a_name_longer_than_the_heading  local_response_norm  1 x 2 x 4 x 4 ") != std::string::npos);
  CHECK(table.find("layer                           kind                 shape") == 0);
}

TEST_CASE("where the input's extents are not fixed, a question mark") {
  dn::network<float> net;
  net.add("conv1", random_conv<float>({10, 3, 3, 3}, {}, 1));
  const auto table = dn::summary(net);
  CHECK(std::count(table.begin(), table.end(), '?') == 3);
  CHECK(table.find("280") != std::string::npos);
}

TEST_CASE("a network without layers is a heading and sums of nothing") {
  const auto table = dn::summary(dn::network<float>({1, 2, 2}));
  CHECK(std::count(table.begin(), table.end(), '\n') == 2);
  CHECK(table.find("total") != std::string::npos);
}
