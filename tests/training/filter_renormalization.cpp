#include <deconvnet/training/filter_renormalization.hpp>

#include <cmath>
#include <span>
#include <vector>

#include <doctest/doctest.h>

#include "../analysis/thread_count.hpp"
#include "../network/sample_networks.hpp"

namespace dn = deconvnet;
using namespace deconvnet::testing;

namespace {

double rms_of(std::span<const float> values) {
  double squares = 0;
  for (const float value : values) squares += static_cast<double>(value) * static_cast<double>(value);
  return std::sqrt(squares / static_cast<double>(values.size()));
}

/// conv1: filters of RMS 0.05, 0.2, 0.1, 1; conv2 of 0.5; fc of 2.
dn::network<float> filters_of_known_rms() {
  dn::network<float> net({2, 4, 4});
  auto first = dn::zeros<float>({4, 2, 3, 3});
  const float rms[] = {0.05f, 0.2f, 0.1f, 1.f};
  for (std::size_t f = 0; f < 4; ++f) {
    for (std::size_t k = 0; k < 18; ++k) first.data()[f * 18 + k] = k % 2 ? rms[f] : -rms[f];
  }
  net.add("conv1", dn::conv2d<float>(first, dn::tensor<float, 1>{3, 3, 3, 3}, {.padding = 1}));
  auto second = dn::uninitialized<float>({2, 4, 1, 1});
  second.fill(0.5f);
  net.add("conv2", dn::conv2d<float>(second));
  auto weight = dn::tensor<float, 2>::from_shape({3, 32});
  weight.fill(2.f);
  net.add("fc", dn::linear<float>(weight));
  return net;
}

}  // namespace

TEST_CASE("filters over RMS 0.1 are scaled back to it, the others and all else stay to the bit") {
  auto net = filters_of_known_rms();
  const auto before = net;
  CHECK(dn::renormalize_filters(net) == 4);  // two of conv1, both of conv2
  const auto now = net.parameters();
  const auto was = before.parameters();
  const auto filter = [](const auto& p, std::size_t f) { return p.values.subspan(f * 18, 18); };
  for (const std::size_t f : {0u, 2u}) {
    const auto kept = filter(now[0], f);
    CHECK(std::equal(kept.begin(), kept.end(), filter(was[0], f).begin()));
  }
  for (const std::size_t f : {1u, 3u}) {
    CHECK(rms_of(filter(now[0], f)) == doctest::Approx(0.1).epsilon(1e-6));
    CHECK(filter(now[0], f)[1] == doctest::Approx(0.1));
    CHECK(filter(now[0], f)[2] == doctest::Approx(-0.1));
  }
  CHECK(now[1].values[0] == 3);
  CHECK(rms_of(now[2].values) == doctest::Approx(0.1));
  CHECK(rms_of(now[3].values) == 2);
  CHECK(dn::renormalize_filters(net) == 0);  // once is enough
  CHECK(was[0].values[18] == -0.2f);         // the copy made before
}

TEST_CASE("another radius, and chosen layers only") {
  auto net = filters_of_known_rms();
  CHECK(dn::renormalize_filters(net, {.radius = 0.4, .layers = {"conv1"}}) == 1);
  CHECK(rms_of(net.parameters()[0].values.subspan(54)) == doctest::Approx(0.4));
  CHECK(rms_of(net.parameters()[2].values) == 0.5);
}

TEST_CASE("the bits do not depend on the number of threads") {
  std::vector<float> first;
  for (const std::size_t threads : {1u, 2u, 3u}) {
    const thread_count_for_test guard(threads);
    auto net = branched_network<float>();
    CHECK(dn::renormalize_filters(net, {.radius = 0.3}) > 5);
    std::vector<float> all;
    for (const auto& p : net.parameters()) all.insert(all.end(), p.values.begin(), p.values.end());
    if (first.empty()) first = all;
    CHECK(all == first);
  }
}

TEST_CASE("layers that are no convolutions and radii that are none are refused") {
  auto net = filters_of_known_rms();
  CHECK_THROWS_WITH_AS(dn::renormalize_filters(net, {.layers = {"fc"}}), doctest::Contains("'fc' is no convolution but linear"),
                       dn::error);
  CHECK_THROWS_AS(dn::renormalize_filters(net, {.layers = {"conv9"}}), dn::error);
  CHECK_THROWS_AS(dn::renormalize_filters(net, {.radius = 0}), dn::error);
}
