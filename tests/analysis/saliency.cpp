#include <deconvnet/analysis/saliency.hpp>

#include <doctest/doctest.h>

#include <deconvnet/ops/avg_pool2d.hpp>
#include <deconvnet/ops/softmax.hpp>

#include "small_models.hpp"
#include "thread_count.hpp"

namespace dn = deconvnet;
using namespace deconvnet::testing;

namespace {

/// small_network with a class for each map of conv2.
template <class User>
dn::network<double> scorer(User user) {
  auto net = small_network<double>(std::move(user));
  net.add("scores", dn::global_avg_pool2d{});
  return net;
}

template <class User>
auto classifier_pipeline(User user) {
  return dn::pipeline(random_conv<double>(6, 3, {3, 5}, 1, {.stride = {2, 1}, .padding = {1, 2}}), dn::relu{},
                      dn::max_pool2d({.kernel = 3, .stride = 2, .padding = {0, 1}, .dilation = 1, .ceil_mode = true}),
                      std::move(user), random_conv<double>(4, 6, 3, 3, {.padding = 1}), dn::global_avg_pool2d{});
}

const auto picture = [] { return random_maps<double>({1, 3, 9, 8}, 5); };

}  // namespace

TEST_CASE("gradient saliency is the largest derivative over channels, by finite differences") {
  const auto net = scorer(falling_edge{});
  auto input = picture();
  const auto map = dn::gradient_saliency(net, input, {.label = 2});
  CHECK(map.shape(0) == 9);
  CHECK(map.shape(1) == 8);
  constexpr double step = 1e-7;
  for (std::size_t y = 0; y < 9; ++y) {
    for (std::size_t x = 0; x < 8; ++x) {
      double largest = 0;
      for (std::size_t c = 0; c < 3; ++c) {
        const double value = input(0, c, y, x);
        input(0, c, y, x) = value + step;
        const double more = net(input)(0, 2, 0, 0);
        input(0, c, y, x) = value - step;
        const double less = net(input)(0, 2, 0, 0);
        input(0, c, y, x) = value;
        largest = std::max(largest, std::abs(more - less) / (2 * step));
      }
      CHECK(map(y, x) == doctest::Approx(largest).epsilon(1e-5));
    }
  }
}

TEST_CASE("guided backpropagation is the guided projection of the class's score") {
  const auto net = scorer(falling_edge{});
  const auto run = net.forward(picture());
  const auto expected = dn::project(net, run, "scores", dn::unit{0, 3, 0, 0}, dn::rule::guided, dn::seed::one);
  CHECK(dn::guided_backpropagation(net, picture(), {.label = 3}) == expected);
}

TEST_CASE("Grad-CAM is the rectified sum of maps, weighted by the mean gradient") {
  // Scores are means of conv2's maps: the gradient at conv2 is 1 / places in the class's own map and 0 in others.
  const auto net = scorer(falling_edge{});
  const auto run = net.forward(picture());
  const auto& maps = run["conv2"];
  const auto map = dn::grad_cam(net, picture(), {.layer = "conv2", .label = 1});
  const auto places = static_cast<double>(maps.shape(2) * maps.shape(3));
  REQUIRE(map.shape(0) == maps.shape(2));
  REQUIRE(map.shape(1) == maps.shape(3));
  for (std::size_t y = 0; y < map.shape(0); ++y) {
    for (std::size_t x = 0; x < map.shape(1); ++x) {
      CHECK(map(y, x) == doctest::Approx(std::max(0.0, maps(0, 1, y, x) / places)));
    }
  }
}

TEST_CASE("Grad-CAM at an inner layer uses the derivative there") {
  const auto net = scorer(falling_edge{});
  const auto run = net.forward(picture());
  auto maps = run["pool1"];
  const std::size_t plane = maps.shape(2) * maps.shape(3);
  dn::network<double> rest;
  rest.add("user", falling_edge{});
  rest.add("conv2", random_conv<double>(4, 6, 3, 3, {.padding = 1}));
  rest.add("scores", dn::global_avg_pool2d{});
  std::vector<double> expected(plane);
  constexpr double step = 1e-6;
  for (std::size_t c = 0; c < maps.shape(1); ++c) {
    auto moved = maps;
    for (std::size_t k = 0; k < plane; ++k) moved.data()[c * plane + k] += step;
    const double weight = (rest(moved)(0, 0, 0, 0) - rest(maps)(0, 0, 0, 0)) / step / static_cast<double>(plane);
    for (std::size_t k = 0; k < plane; ++k) expected[k] += weight * maps.data()[c * plane + k];
  }
  const auto map = dn::grad_cam(net, picture(), {.layer = "pool1", .label = 0});
  for (std::size_t k = 0; k < plane; ++k)
    CHECK(map.data()[k] == doctest::Approx(std::max(0.0, expected[k])).epsilon(1e-6));
}

TEST_CASE("pipelines, networks and any number of threads give the same numbers; a final softmax changes nothing") {
  const auto line = classifier_pipeline(falling_edge{});
  auto net = scorer(falling_edge{});
  net.add("probabilities", dn::softmax{});
  const auto gradient = dn::gradient_saliency(line, picture());
  const auto guided = dn::guided_backpropagation(line, picture());
  const auto cam = dn::grad_cam(line, picture(), {.layer = 1});
  for (const std::size_t threads : {1u, 3u}) {
    const thread_count_for_test with(threads);
    CHECK(dn::gradient_saliency(net, picture()) == gradient);
    CHECK(dn::guided_backpropagation(net, picture()) == guided);
    CHECK(dn::grad_cam(net, picture(), {.layer = "relu1"}) == cam);
  }
}

TEST_CASE("a layer without a reverse stops the maps that pass it, and no others") {
  const auto net = scorer(centred{});
  CHECK_THROWS_AS(dn::gradient_saliency(net, picture()), dn::unsupported_error);
  CHECK_THROWS_AS(dn::grad_cam(net, picture(), {.layer = "pool1"}), dn::unsupported_error);
  CHECK_NOTHROW(dn::grad_cam(net, picture(), {.layer = "user"}));
}

TEST_CASE("constant pictures give finite maps") {
  const auto net = scorer(falling_edge{});
  const auto flat = dn::zeros<double>({1, 3, 9, 8});
  for (const double value : dn::gradient_saliency(net, flat)) CHECK(std::isfinite(value));
  for (const double value : dn::guided_backpropagation(net, flat)) CHECK(std::isfinite(value));
  for (const double value : dn::grad_cam(net, flat, {.layer = "relu1"})) CHECK(value >= 0);
}

TEST_CASE("what makes no sense is refused") {
  auto net = scorer(falling_edge{});
  CHECK_THROWS_AS(dn::gradient_saliency(net, picture(), {.label = 4}), dn::error);
  CHECK_THROWS_AS(dn::guided_backpropagation(net, random_maps<double>({2, 3, 9, 8}, 1)), dn::shape_error);
  CHECK_THROWS_AS(dn::gradient_saliency(small_network<double>(falling_edge{}), picture()), dn::shape_error);
  CHECK_THROWS_AS(dn::grad_cam(net, picture(), {}), dn::error);
  CHECK_THROWS_AS(dn::grad_cam(net, picture(), {.layer = "conv9"}), dn::error);
  net.add("probabilities", dn::softmax{});
  CHECK_THROWS_WITH_AS(dn::grad_cam(net, picture(), {.layer = "probabilities"}), doctest::Contains("depend"),
                       dn::error);
  auto broken = picture();
  broken(0, 0, 0, 4) = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_WITH_AS(dn::gradient_saliency(net, broken), doctest::Contains("element 4"), dn::error);
}
