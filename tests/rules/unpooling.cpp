// The exact rules of the paper, section 2.1: what unpooling does with overlaps, ties, padding and odd sizes.
#include <deconvnet/network/projection.hpp>

#include <doctest/doctest.h>

#include "../network/sample_networks.hpp"

namespace dn = deconvnet;
using namespace deconvnet::testing;

namespace {

dn::network<double> pool_of(const dn::max_pool2d_options& options) {
  return network_of<double>(dn::max_pool2d{options});
}

dn::tensor<std::uint32_t, 4> places(const dn::network<double>& net, const dn::tensor4<double>& x) {
  return net.forward(x).switches(0).places;
}

}  // namespace

TEST_CASE("unpooling: each value goes back to the place of its window's maximum") {
  const auto net = pool_of({.kernel = 2});
  const auto run = net.forward(dn::tensor4<double>{{{{1, 2, 5, 3},  //
                                                     {4, 3, 1, 1},
                                                     {0, 0, 7, 8},
                                                     {6, 1, 9, 2}}}});
  CHECK(dn::deconv(net, run, 0, dn::tensor4<double>{{{{10, 20}, {30, 40}}}}) ==
        dn::tensor4<double>{{{{0, 0, 20, 0},  //
                              {10, 0, 0, 0},
                              {0, 0, 0, 0},
                              {30, 0, 40, 0}}}});
}

TEST_CASE("overlapping windows: contributions to one place add up") {
  const auto net = pool_of({.kernel = 3, .stride = 2});
  auto x = dn::zeros<double>({1, 1, 5, 5});
  x(0, 0, 2, 2) = 1;  // in all four windows
  const auto run = net.forward(x);
  auto expected = dn::zeros<double>({1, 1, 5, 5});
  expected(0, 0, 2, 2) = 1 + 10 + 100 + 1000;
  const dn::tensor4<double> signal{{{{1, 10}, {100, 1000}}}};
  CHECK(dn::deconv(net, run, 0, signal) == expected);
  CHECK(dn::project(net, run, 0, dn::feature_map{0, 0})(0, 0, 2, 2) == 4);
}

TEST_CASE("overlapping windows: unpooling is the adjoint of picking by the switches") {
  const auto net = pool_of({.kernel = 3, .stride = 2, .padding = 1});
  const auto x = random_maps<double>({2, 3, 8, 9}, 1);
  const auto run = net.forward(x);
  const auto signal = random_maps<double>(run.shape(0), 2);
  CHECK(inner_product(run[0], signal) == doctest::Approx(inner_product(x, dn::deconv(net, run, 0, signal))));
}

TEST_CASE("ties: the first maximum in row-major order") {
  CHECK(places(pool_of({.kernel = 2}), dn::tensor4<double>{{{{1, 5, 2, 2},  //
                                                             {5, 5, 1, 2}}}}) ==
        dn::tensor<std::uint32_t, 4>{{{{1, 2}}}});
  CHECK(places(pool_of({.kernel = {2, 4}}), dn::tensor4<double>{{{{1, 2, 3, 4},  //
                                                                  {4, 4, 4, 4}}}}) ==
        dn::tensor<std::uint32_t, 4>{{{{3}}}});
}

TEST_CASE("ties: the first place, also in windows that are all zero") {
  CHECK(places(pool_of({.kernel = 2}), dn::zeros<double>({1, 1, 4, 4})) ==
        dn::tensor<std::uint32_t, 4>{{{{0, 2}, {8, 10}}}});
  CHECK(places(pool_of({.kernel = 3, .stride = 2}), dn::zeros<double>({1, 1, 5, 5})) ==
        dn::tensor<std::uint32_t, 4>{{{{0, 2}, {10, 12}}}});
  // -0 and 0 are equal
  CHECK(places(pool_of({.kernel = 2}), dn::tensor4<double>{{{{-0.0, 0.0}, {0.0, -0.0}}}}) ==
        dn::tensor<std::uint32_t, 4>{{{{0}}}});
}

TEST_CASE("ties: a dead map after a ReLU sends its signal to the first place of each window") {
  dn::network<double> net({1, 4, 4});
  net.add("relu", dn::relu{});
  net.add("pool", dn::max_pool2d{{.kernel = 2}});
  const auto run = net.forward(random_maps<double>({1, 1, 4, 4}, 1) - 2);
  const auto picture = dn::project(net, run, "pool", dn::unit{0, 0, 1, 0}, dn::rule::deconvnet, dn::seed::one);
  CHECK(picture(0, 0, 2, 0) == 1);
  CHECK(inner_product(picture, picture) == 1);
}

TEST_CASE("padding: a switch never points into it, not even where every activation is negative") {
  const auto x = dn::tensor4<double>(random_maps<double>({1, 2, 4, 5}, 3) - 5);
  for (const auto& padding : {dn::padding2d{1, 1}, dn::padding2d{1, 0, 0, 1}, dn::padding2d{0, 1, 1, 0}}) {
    for (const bool ceil_mode : {false, true}) {
      const auto net = pool_of({.kernel = 3, .stride = 2, .padding = padding, .dilation = 1, .ceil_mode = ceil_mode});
      const auto run = net.forward(x);
      const auto& record = run.switches(0);
      for (const auto place : record.places) CHECK(place < 20);
      for (std::size_t k = 0; k < run[0].size(); ++k) {
        const std::size_t map = k / (run[0].shape(2) * run[0].shape(3));
        CHECK(run[0].data()[k] == x.data()[map * 20 + record.places.data()[k]]);
      }
    }
  }
}

TEST_CASE("odd sizes, ceil mode: every reverse step restores the forward size exactly") {
  for (const std::size_t height : {5u, 6u, 7u, 8u}) {
    for (const std::size_t width : {7u, 10u}) {
      for (const bool ceil_mode : {false, true}) {
        dn::network<double> net({2, height, width});
        net.add("conv1", random_conv<double>({3, 2, 3, 3}, {.stride = 2, .padding = 1}, 1));
        net.add("relu1", dn::relu{});
        net.add("pool1",
                dn::max_pool2d{{.kernel = 3, .stride = 2, .padding = 1, .dilation = 1, .ceil_mode = ceil_mode}});
        net.add("conv2", random_conv<double>({2, 3, 2, 2}, {.stride = {1, 2}, .padding = {0, 0, 1, 1}}, 2));
        net.add("avg2",
                dn::avg_pool2d{{.kernel = 2, .stride = 2, .padding = 1, .dilation = 1, .ceil_mode = ceil_mode}});
        const auto run = net.forward(random_maps<double>({1, 2, height, width}, 3));
        for (const auto& info : net.layers()) {
          CAPTURE(info.name);
          CHECK(run.shape(info.name) == info.shape);
          for (const auto how : {dn::rule::deconvnet, dn::rule::gradient, dn::rule::guided}) {
            const auto picture = dn::project(net, run, info.name, dn::strongest(run[info.name]), how);
            CHECK(dn::shape_of(picture) == dn::shape4{1, 2, height, width});
          }
        }
      }
    }
  }
}

TEST_CASE("odd sizes: pixels that no window covers get nothing") {
  const auto net = pool_of({.kernel = 2});
  const auto run = net.forward(dn::tensor4<double>{{{{1, 2, 9}, {3, 4, 9}, {9, 9, 9}}}});
  CHECK(dn::project(net, run, 0, dn::unit{}) == dn::tensor4<double>{{{{0, 0, 0}, {0, 4, 0}, {0, 0, 0}}}});
}
