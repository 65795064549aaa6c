#include <deconvnet/analysis/feature_evolution.hpp>

#include <doctest/doctest.h>

#include <stdexcept>
#include <utility>
#include <vector>

#include <deconvnet/ops/conv2d.hpp>
#include <deconvnet/ops/relu.hpp>

#include "failing_inputs.hpp"
#include "small_models.hpp"
#include "thread_count.hpp"

using namespace deconvnet;
using namespace deconvnet::testing;

namespace {

/// Two maps: each pixel times a number.
network<float> evolving_network(float first, float second) {
  tensor4<float> weight({2, 1, 3, 3}, 0.F);
  weight(0, 0, 1, 1) = first;
  weight(1, 0, 1, 1) = second;
  network<float> net({1, 4, 5});
  net.add("conv1", conv2d<float>{weight, {.padding = {1, 1}}});
  net.add("relu1", relu{});
  net.add("conv2", conv2d<float>{tensor4<float>({1, 2, 1, 1}, 1.F), {}});
  return net;
}

std::vector<network_snapshot<float>> evolving_snapshots() {
  return {snapshot_of(evolving_network(1, -1), 1, "relu1"), snapshot_of(evolving_network(2, 1), 2, "relu1"),
          snapshot_of(evolving_network(-1, 0.5F), 5, "relu1")};
}

/// Image 0 is darkest, images 1 and 2 are brightest.
std::vector<tensor4<float>> evolving_images() {
  std::vector<tensor4<float>> images(3, tensor4<float>({1, 1, 4, 5}, 0.F));
  images[0](0, 0, 1, 1) = 5;
  images[0](0, 0, 3, 4) = -11;
  images[1](0, 0, 2, 2) = 7;
  images[1](0, 0, 2, 3) = 7;
  images[2](0, 0, 0, 0) = 7;
  return images;
}

}  // namespace

TEST_CASE("the strongest activation of each epoch, its projection in the receptive field, and where the image changed") {
  const auto seen = feature_evolution(evolving_network(9, 9), evolving_snapshots(), "relu1", evolving_images());
  CHECK(seen.layer == "relu1");
  CHECK(seen.epochs == std::vector<std::size_t>{1, 2, 5});
  CHECK(seen.maps == std::vector<std::size_t>{0, 1});
  CHECK(seen.complete);
  REQUIRE(seen.features.size() == 2);
  const std::vector<std::vector<top_activation<float>>> strongest{{{7, 1, 2, 2}, {14, 1, 2, 2}, {11, 0, 3, 4}},
                                                                  {{11, 0, 3, 4}, {7, 1, 2, 2}, {3.5F, 1, 2, 2}}};
  const std::vector<std::vector<bool>> changed{{false, false, true}, {false, true, false}};
  const std::vector<std::vector<float>> centre{{7, 28, -11}, {-11, 7, 1.75F}};
  for (std::size_t m = 0; m < 2; ++m) {
    REQUIRE(seen.features[m].size() == 3);
    for (std::size_t e = 0; e < 3; ++e) {
      const auto& one = seen.features[m][e];
      CHECK(one.strongest == strongest[m][e]);
      CHECK(one.changed == changed[m][e]);
      CHECK(one.field == box{static_cast<std::ptrdiff_t>(one.strongest.y) - 1, static_cast<std::ptrdiff_t>(one.strongest.x) - 1, 3, 3});
      tensor<float, 3> expected({1, 3, 3}, 0.F);
      expected(0, 1, 1) = centre[m][e];
      CHECK(one.projection == expected);
      CHECK(one.input(0, 1, 1) == (one.strongest.image == 0 ? -11 : 7));
    }
  }
  CHECK(seen.features[0][0].input(0, 1, 2) == 7);  // the neighbour, which the projection leaves out
}

TEST_CASE("chosen maps stand in the order asked for; images may be made when they are asked for") {
  const auto images = evolving_images();
  std::size_t last = 0;
  std::size_t whole = 0;
  const made_on_demand made(0, images.size(), [&](std::size_t k) { return images[k]; });
  const auto seen = feature_evolution(evolving_network(9, 9), evolving_snapshots(), "relu1", made,
                                      {.maps = {1, 0, 1}, .progress = [&](std::size_t done, std::size_t total) {
                                         last = done;
                                         whole = total;
                                       }});
  CHECK(seen.maps == std::vector<std::size_t>{1, 0, 1});
  CHECK(seen.features[0][0].strongest.image == 0);
  CHECK(seen.features[1][0].strongest.image == 1);
  CHECK(last == 9);
  CHECK(whole == 9);
}

TEST_CASE("an evolution does not depend on the number of threads") {
  const auto net = small_network<float>(falling_edge{});
  std::vector<network_snapshot<float>> snapshots;
  for (std::size_t epoch = 0; epoch < 3; ++epoch) {
    snapshots.push_back(snapshot_of(net, epoch, "conv2"));
    for (auto& weight : snapshots.back().weights) {
      for (std::size_t k = 0; k < weight.values.size(); k += epoch + 1) weight.values[k] = -weight.values[k];
    }
  }
  std::vector<tensor4<float>> images;
  for (std::size_t k = 0; k < 40; ++k) images.push_back(numbered_picture(k));
  std::vector<evolution<float>> all;
  for (const std::size_t threads : {1U, 2U, 5U}) {
    const thread_count_for_test scope(threads);
    all.push_back(feature_evolution(net, snapshots, "conv2", images));
  }
  for (std::size_t m = 0; m < all[0].maps.size(); ++m) {
    for (std::size_t e = 0; e < 3; ++e) {
      for (std::size_t k = 1; k < 3; ++k) {
        CHECK(all[k].features[m][e].strongest == all[0].features[m][e].strongest);
        CHECK(all[k].features[m][e].projection == all[0].features[m][e].projection);
        CHECK(all[k].features[m][e].changed == all[0].features[m][e].changed);
      }
    }
  }
}

TEST_CASE("snapshots that do not fit the network are refused before an image is read") {
  const auto net = evolving_network(9, 9);
  const made_on_demand images(0, 3, [](std::size_t) -> tensor4<float> { throw std::logic_error("read"); });
  auto snapshots = evolving_snapshots();
  snapshots[1].weights[0].shape = {2, 1, 9};
  CHECK_THROWS_WITH_AS(feature_evolution(net, snapshots, "relu1", images), doctest::Contains("epoch 2: 'conv1.weight' is"), shape_error);
  snapshots[1].weights[0].name = "conv7.weight";
  CHECK_THROWS_WITH_AS(feature_evolution(net, snapshots, "relu1", images),
                       doctest::Contains("epoch 2 lacks 'conv1.weight', which layer 'relu1' depends on"), error);
  CHECK_THROWS_WITH_AS(feature_evolution(net, evolving_snapshots(), "conv2", images), doctest::Contains("epoch 1 lacks 'conv2.weight'"), error);
  snapshots = evolving_snapshots();
  std::swap(snapshots[0], snapshots[1]);
  CHECK_THROWS_WITH_AS(feature_evolution(net, snapshots, "relu1", images), doctest::Contains("epoch 1 stands behind epoch 2"), error);
  CHECK_THROWS_AS(feature_evolution(net, evolving_snapshots(), "relu9", images), error);
}

TEST_CASE("images that cannot be read keep their numbers and are counted once") {
  const auto images = evolving_images();
  const made_on_demand made(0, 3, [&](std::size_t k) {
    if (k == 0) throw file_error("0.png", "not a picture");
    return images[k];
  });
  const auto seen = feature_evolution(evolving_network(9, 9), evolving_snapshots(), "relu1", made);
  REQUIRE(seen.skipped.size() == 1);
  CHECK(seen.skipped[0].index == 0);
  CHECK(seen.features[0][0].strongest == top_activation<float>{7, 1, 2, 2});
  CHECK(seen.features[0][2].strongest == top_activation<float>{0, 1, 0, 0});  // silent: the first of equals
  CHECK(seen.features[0][2].projection == tensor<float, 3>({1, 3, 3}, 0.F));
}

TEST_CASE("a map that is not there and a set without images are errors") {
  const auto net = evolving_network(9, 9);
  CHECK_THROWS_WITH_AS(feature_evolution(net, evolving_snapshots(), "relu1", evolving_images(), {.maps = {2}}),
                       doctest::Contains("map 2: layer 'relu1' has 2 maps"), error);
  CHECK_THROWS_WITH_AS(feature_evolution(net, evolving_snapshots(), "relu1", std::vector<tensor4<float>>{}),
                       doctest::Contains("no image could be read"), error);
}

TEST_CASE("a stop leaves the epochs that were done") {
  std::stop_source stop;
  const auto seen = feature_evolution(evolving_network(9, 9), evolving_snapshots(), "relu1", evolving_images(),
                                      {.progress = [&](std::size_t done, std::size_t) {
                                         if (done == 3) stop.request_stop();
                                       },
                                       .stop = stop.get_token()});
  CHECK_FALSE(seen.complete);
  CHECK(seen.epochs == std::vector<std::size_t>{1});
}
