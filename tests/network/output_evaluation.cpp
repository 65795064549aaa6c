// One image or many, alone or in a batch, however the batch is cut: the output has the same bits.
#include <deconvnet/network/network.hpp>

#include <cstddef>
#include <vector>

#include <doctest/doctest.h>

#include "sample_networks.hpp"

namespace dn = deconvnet;
using namespace deconvnet::testing;

namespace {

dn::network<float> joined_twice() {
  dn::network<float> net({3, 12, 14});
  net.add("conv1", random_conv<float>({8, 3, 3, 3}, {.padding = 1}, 1));
  net.add("relu1", dn::relu{});
  net.add("fc2", random_linear<float>(5, 8 * 12 * 14, 2));
  net.add("relu2", dn::relu{});
  net.add("fc3", random_linear<float>(4, 5, 3));
  net.add("sum", dn::add{}, {"fc3", "fc3"});
  return net;
}

/// The layer above the fully connected one reads from below it as well: the batch stays apart to the end.
dn::network<float> around_the_dense_layer() {
  dn::network<float> net({2, 3, 3});
  net.add("conv1", random_conv<float>({4, 2, 3, 3}, {}, 1));
  net.add("fc2", random_linear<float>(4, 4, 2));
  net.add("sum", dn::add{}, {"conv1", "fc2"});
  return net;
}

void check_batches(const dn::network<float>& net, const dn::tensor4<float>& x) {
  const auto run = net.forward(x);
  const auto& expected = run[dn::layer(net.output())];
  for (int again = 0; again < 2; ++again) CHECK(same_bits(net(x), expected));
  for (std::size_t n = 0; n < x.shape(0); ++n) CHECK(same_bits(net(image_of(x, n)), image_of(expected, n)));
}

}  // namespace

TEST_CASE("a batch gives what its images give alone and what a trace holds, with and without fully connected layers") {
  for (const std::size_t threads : {1u, 2u, 5u}) {
    dn::set_thread_count(threads);
    for (const std::size_t images : {1u, 2u, 16u, 37u}) {
      CAPTURE(threads);
      CAPTURE(images);
      check_batches(joined_twice(), random_maps<float>({images, 3, 12, 14}, 7));
      check_batches(around_the_dense_layer(), random_maps<float>({images, 2, 3, 3}, 8));
    }
  }
  dn::set_thread_count(0);
}

TEST_CASE("networks in turn, edited ones and other sizes: no memory of one serves another") {
  auto net = joined_twice();
  const auto x = random_maps<float>({3, 3, 12, 14}, 7);
  const auto before = net(x);
  check_batches(around_the_dense_layer(), random_maps<float>({2, 2, 3, 3}, 8));
  auto bias = net.edit_parameter("fc3.bias");
  for (float& value : bias) value += 1;
  check_batches(net, x);
  CHECK_FALSE(same_bits(net(x), before));
  net.add("relu4", dn::relu{});
  check_batches(net, x);
  const dn::network<float> open = [] {
    dn::network<float> made;
    made.add("conv1", random_conv<float>({4, 2, 3, 3}, {.padding = 1}, 1));
    made.add("relu1", dn::relu{});
    return made;
  }();
  check_batches(open, random_maps<float>({3, 2, 9, 7}, 1));
  check_batches(open, random_maps<float>({3, 2, 5, 11}, 2));
}

TEST_CASE("a layer that the output does not need joins no batch") {
  dn::network<float> net({2, 3, 3});
  net.add("conv1", random_conv<float>({4, 2, 3, 3}, {}, 1));
  net.add("aside", random_linear<float>(3, 4, 2));
  net.add("relu1", dn::relu{}, {"conv1"});
  check_batches(net, random_maps<float>({5, 2, 3, 3}, 8));
}
