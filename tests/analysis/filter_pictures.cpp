#include <deconvnet/analysis/filter_pictures.hpp>

#include <doctest/doctest.h>

#include <deconvnet/network/pipeline.hpp>
#include <deconvnet/ops/relu.hpp>

namespace dn = deconvnet;

namespace {

dn::conv2d<float> two_filters() {
  auto weight = dn::zeros<float>({3, 3, 2, 2});
  weight(0, 0, 0, 1) = 4;
  weight(0, 2, 1, 0) = -2;
  weight(1, 1, 0, 0) = 1;
  return dn::conv2d<float>(weight);
}

}  // namespace

TEST_CASE("a common scale compares filters, a scale of their own shows each") {
  const dn::pipeline model{two_filters(), dn::relu{}};
  const auto common = dn::filter_pictures(model, 0);
  CHECK(dn::shape_of(common) == dn::shape4{3, 3, 2, 2});
  CHECK(common(0, 0, 0, 1) == 255);
  CHECK(common(0, 2, 1, 0) == doctest::Approx(127.5 - 127.5 / 2));
  CHECK(common(1, 1, 0, 0) == doctest::Approx(127.5 + 127.5 / 4));
  const auto own = dn::filter_pictures(model, 0, {.scope = dn::display_scope::picture});
  CHECK(own(1, 1, 0, 0) == 255);
  for (const float value : dn::image_span(own, 2)) CHECK(value == 127.5f);
}

TEST_CASE("blue comes last, whatever order the network has") {
  const dn::pipeline model{two_filters(), dn::relu{}};
  const auto swapped = dn::filter_pictures(model, 0, {.channel_order = dn::channel_order::bgr, .enlarge = 3});
  CHECK(dn::shape_of(swapped) == dn::shape4{3, 3, 6, 6});
  CHECK(swapped(0, 2, 0, 3) == 255);
  CHECK(swapped(0, 2, 2, 5) == 255);
  CHECK(swapped(0, 0, 3, 0) < 127);
  CHECK(swapped(0, 1, 0, 3) == 127.5f);
}

TEST_CASE("filters that are no pictures are refused") {
  dn::network<double> net;
  net.add("grey", dn::conv2d<double>(dn::tensor4<double>({2, 1, 3, 3}, 1.)));
  net.add("conv2", dn::conv2d<double>(dn::tensor4<double>({2, 2, 3, 3}, 1.)));
  net.add("relu", dn::relu{});
  CHECK(dn::shape_of(dn::filter_pictures(net, "grey")) == dn::shape4{2, 1, 3, 3});
  CHECK_THROWS_AS(dn::filter_pictures(net, "conv2"), dn::shape_error);
  CHECK_THROWS_AS(dn::filter_pictures(net, "relu"), dn::unsupported_error);
  CHECK_THROWS_AS(dn::filter_pictures(net, "conv9"), dn::error);
  CHECK_THROWS_AS(dn::filter_pictures(net, "grey", {.enlarge = 0}), dn::error);
}
