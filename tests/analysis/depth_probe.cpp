#include <deconvnet/analysis/depth_probe.hpp>

#include <doctest/doctest.h>

#include "failing_inputs.hpp"
#include "small_models.hpp"
#include "thread_count.hpp"

namespace dn = deconvnet;
using namespace deconvnet::testing;

namespace {

/// Labels that alternate, and inputs of noise; those of label 1 have vertical stripes, too weak to stand out of it.
struct stripes {
  std::vector<dn::tensor4<double>> inputs;
  std::vector<int> labels;

  stripes(std::size_t count, unsigned seed) {
    for (std::size_t k = 0; k < count; ++k) {
      inputs.push_back(random_maps<double>({1, 1, 8, 8}, seed + static_cast<unsigned>(k)));
      labels.push_back(static_cast<int>(k % 2));
      const double phase = k % 4 < 2 ? 1 : -1;
      for (std::size_t y = 0; k % 2 == 1 && y < 8; ++y) {
        for (std::size_t x = 0; x < 8; ++x) inputs.back()(0, 0, y, x) += phase * (x % 2 ? -0.8 : 0.8);
      }
    }
  }
};

/// The difference of neighbours, then its size: stripes of either phase light up.
auto edges() {
  auto weight = dn::zeros<double>({2, 1, 1, 2});
  weight(0, 0, 0, 0) = weight(1, 0, 0, 1) = 1;
  weight(0, 0, 0, 1) = weight(1, 0, 0, 0) = -1;
  auto mean = dn::tensor4<double>({1, 2, 8, 7}, 1. / 56);
  return dn::pipeline(dn::identity{}, dn::conv2d<double>(weight), dn::relu{}, dn::conv2d<double>(mean));
}

}  // namespace

TEST_CASE("a layer that brings out what tells classes apart is told from one that does not") {
  const stripes train(80, 1);
  const stripes test(60, 1000);
  const auto result =
      dn::depth_probe(edges(), train.inputs, train.labels, test.inputs, test.labels, {.layers = {0, 3}});
  REQUIRE(result.layers.size() == 2);
  CHECK(result.complete);
  CHECK(result.images == 80);
  CHECK(result.held_out_images == 60);
  CHECK(result.layers[0].layer == "0");
  CHECK(result.layers[0].features == 64);
  CHECK(result.layers[1].features == 1);
  // Stripes of both phases cannot be told from noise by any sum of pixels.
  CHECK(result.layers[0].accuracy < 0.7);
  CHECK(result.layers[1].accuracy > 0.9);
}

TEST_CASE("pipelines, networks and any number of threads give the same numbers") {
  const auto line = small_pipeline<float>(falling_edge{});
  const auto net = small_network<float>(falling_edge{});
  const auto labels = std::vector<std::size_t>{0, 1, 2, 0, 1, 2, 0, 1, 2, 0};
  const auto run = [&](const auto& model) {
    return dn::depth_probe(model, lazy_pictures(0, 10), labels, lazy_pictures(10, 20), labels, {.layers = {1, 4}});
  };
  const auto expected = run(net);
  for (const std::size_t threads : {1u, 3u}) {
    const thread_count_for_test with(threads);
    const auto seen = run(line);
    for (std::size_t k = 0; k < 2; ++k) {
      CHECK(seen.layers[k].accuracy == expected.layers[k].accuracy);
      CHECK(seen.layers[k].trained == expected.layers[k].trained);
    }
  }
}

TEST_CASE("a solver of the user's own gets features, labels and the number of classes") {
  const auto net = small_network<float>(centred{});
  const std::vector<int> labels = {2, 0, 3};
  std::size_t calls = 0;
  const auto solver = [&](const dn::tensor<float, 2>& features, std::span<const std::size_t> known,
                          std::size_t classes) {
    ++calls;
    CHECK(features.shape(0) == 3);
    CHECK(known[0] == 2);
    CHECK(classes == 4);
    const auto run = net.forward(numbered_picture(1));
    for (std::size_t k = 0; k < features.shape(1); ++k) CHECK(features(1, k) == run["conv2"].data()[k]);
    return [](const dn::tensor<float, 2>& rows) { return std::vector<std::size_t>(rows.shape(0), 3); };
  };
  const auto result = dn::depth_probe(net, lazy_pictures(0, 3), labels, lazy_pictures(3, 5), std::vector<int>{3, 1},
                                      {.layers = {"conv2"}}, solver);
  CHECK(calls == 1);
  CHECK(result.layers[0].accuracy == 0.5);
  CHECK(result.layers[0].trained == doctest::Approx(1. / 3));
}

TEST_CASE("inputs that cannot be read are skipped with their labels") {
  const auto net = small_network<float>(centred{});
  const std::vector<int> labels = {0, 1, 0, 1, 0, 1};
  const auto result =
      dn::depth_probe(net, lazy_pictures(0, 6, {1, 4}), labels, eager_pictures(6, {2}), labels, {.layers = {0}});
  CHECK(result.images == 4);
  CHECK(result.held_out_images == 5);
  CHECK(result.skipped.size() == 2);
  CHECK(result.held_out_skipped.size() == 1);
  CHECK(result.layers.size() == 1);
}

TEST_CASE("what makes no sense is refused") {
  const auto net = small_network<float>(centred{});
  const std::vector<int> two = {0, 1};
  const auto probe = [&](const std::vector<int>& a, const std::vector<int>& b, const dn::depth_probe_options& options) {
    return dn::depth_probe(net, lazy_pictures(0, 2), a, lazy_pictures(0, 2), b, options);
  };
  CHECK_THROWS_AS(probe(two, two, {}), dn::error);
  CHECK_THROWS_AS(probe(two, two, {.layers = {"conv9"}}), dn::error);
  CHECK_THROWS_AS(probe({0}, two, {.layers = {0}}), dn::error);
  CHECK_THROWS_AS(probe({0, 1, 1}, two, {.layers = {0}}), dn::error);
  CHECK_THROWS_AS(probe(two, {0}, {.layers = {0}}), dn::error);
  CHECK_THROWS_AS(probe({0, -1}, two, {.layers = {0}}), dn::error);
  CHECK_THROWS_AS(probe({0, 2}, two, {.layers = {0}, .classes = 2}), dn::error);
  CHECK_THROWS_AS(
      dn::depth_probe(net, lazy_pictures(0, 0), std::vector<int>{}, lazy_pictures(0, 2), two, {.layers = {0}}),
      dn::error);
  std::vector<dn::tensor4<float>> inputs = {numbered_picture(0), random_maps<float>({1, 3, 9, 12}, 2)};
  CHECK_THROWS_AS(dn::depth_probe(net, inputs, two, lazy_pictures(0, 2), two, {.layers = {0}}), dn::shape_error);
  inputs[1] = numbered_picture(1);
  inputs[1](0, 0, 0, 0) = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_WITH_AS(dn::depth_probe(net, inputs, two, lazy_pictures(0, 2), two, {.layers = {0}}),
                       doctest::Contains("image 1"), dn::error);
}

TEST_CASE("progress counts inputs and layers, a stop keeps the layers done") {
  const auto net = small_network<float>(centred{});
  const std::vector<int> labels = {0, 1, 0, 1};
  std::stop_source source;
  std::size_t last = 0;
  const auto result = dn::depth_probe(net, lazy_pictures(0, 4), labels, lazy_pictures(4, 8), labels,
                                      {.layers = {0, 1, 4},
                                       .progress =
                                           [&](std::size_t done, std::size_t total) {
                                             CHECK(done > last);
                                             CHECK(total == 11);
                                             last = done;
                                             if (done == 9) source.request_stop();
                                           },
                                       .stop = source.get_token()});
  CHECK(last == 9);
  CHECK_FALSE(result.complete);
  CHECK(result.layers.size() == 1);
}
