#include <deconvnet/analysis/correspondence.hpp>

#include <list>

#include <doctest/doctest.h>

#include "failing_inputs.hpp"
#include "small_models.hpp"
#include "thread_count.hpp"

namespace dn = deconvnet;
using namespace deconvnet::testing;

namespace {

/// Features are the pixels themselves: a convolution of 1 x 1 with weight 1.
dn::network<float> pixels() {
  dn::network<float> net;
  net.add("conv5", dn::conv2d<float>(dn::tensor4<float>({1, 1, 1, 1}, 1.f)));
  return net;
}

std::vector<dn::tensor4<float>> three_rows() {
  return {dn::tensor4<float>{{{{5, -2, 0, 7}}}}, dn::tensor4<float>{{{{1, 3, -4, 7}}}},
          dn::tensor4<float>{{{{-6, -1, 0, 7}}}}};
}

}  // namespace

TEST_CASE("a case by hand: signs of what changed, pairs, mean and deviation") {
  // Hidden by 0, eps is the pixel itself within the box and 0 elsewhere. Signs with boxes of the first three places:
  //   + - 0 0      + + - 0      - - 0 0
  // They differ in 2, 1 and 3 of 4 places: pairs (0,1), (0,2), (1,2).
  const std::vector<dn::box> boxes(3, {0, 0, 1, 3});
  const auto delta = dn::correspondence(pixels(), three_rows(), boxes, {.layer = "conv5", .fill = 0.f});
  CHECK(delta.pairs == 3);
  CHECK(delta.distance == std::vector<double>{0.5, 0.25, 0.75});
  CHECK(delta.mean == doctest::Approx(0.5));
  CHECK(delta.stddev == doctest::Approx(std::sqrt(2 * 0.0625 / 3)));
  CHECK(delta.complete);
  CHECK(delta.skipped.empty());
}

TEST_CASE("every input has its own box, and the fill counts") {
  // Signs by a fill of 4:   + 0 0 0     0 - 0 0     0 0 - 0
  const std::vector<dn::box> boxes = {{0, 0, 1, 1}, {0, 1, 1, 1}, {0, 2, 1, 1}};
  const auto delta = dn::correspondence(pixels(), three_rows(), boxes, {.layer = "conv5", .fill = 4});
  CHECK(delta.distance == std::vector<double>{0.5, 0.5, 0.5});
  CHECK(delta.stddev == 0);
  const auto by_channel = dn::correspondence(pixels(), three_rows(), boxes, {.layer = 0, .fill = {4.0}});
  CHECK(by_channel.distance == delta.distance);
}

TEST_CASE("pipelines, networks and any number of threads give the same numbers") {
  const auto net = small_network<float>(falling_edge{});
  const auto line = small_pipeline<float>(falling_edge{});
  const auto boxes = dn::random_boxes(9, 4, {9, 8}, 3);
  const auto expected = dn::correspondence(net, lazy_pictures(0, 9), boxes, {.layer = "user", .fill = {0.1, 0.2, 0.3}});
  CHECK(expected.pairs == 36);
  CHECK(expected.mean > 0.05);
  for (const std::size_t threads : {1u, 3u}) {
    const thread_count_for_test with(threads);
    const auto seen = dn::correspondence(line, lazy_pictures(0, 9), std::list<dn::box>(boxes.begin(), boxes.end()),
                                         {.layer = 3, .fill = {0.1, 0.2, 0.3}});
    CHECK(seen.distance == expected.distance);
    CHECK(seen.mean == expected.mean);
    CHECK(seen.stddev == expected.stddev);
  }
}

TEST_CASE("an input that cannot be read is skipped together with its box") {
  const auto net = small_network<float>(centred{});
  const auto boxes = dn::random_boxes(5, 4, {9, 8}, 3);
  const auto seen = dn::correspondence(net, lazy_pictures(0, 5, {2}), boxes, {.layer = "conv2"});
  CHECK(seen.pairs == 6);
  REQUIRE(seen.skipped.size() == 1);
  CHECK(seen.skipped[0].index == 2);
  std::vector<dn::tensor4<float>> rest;
  std::vector<dn::box> rest_boxes;
  for (const std::size_t k : {0u, 1u, 3u, 4u}) {
    rest.push_back(numbered_picture(k));
    rest_boxes.push_back(boxes[k]);
  }
  CHECK(dn::correspondence(net, rest, rest_boxes, {.layer = "conv2"}).distance == seen.distance);
  CHECK(dn::correspondence(net, eager_pictures(5, {2}), boxes, {.layer = "conv2"}).distance == seen.distance);
}

TEST_CASE("no inputs, one input, constant pictures") {
  const std::vector<dn::tensor4<float>> none;
  const auto empty = dn::correspondence(pixels(), none, std::vector<dn::box>{}, {.layer = 0});
  CHECK(empty.pairs == 0);
  CHECK(empty.mean == 0);
  CHECK(empty.complete);
  const std::vector<dn::tensor4<float>> flat(2, dn::zeros<float>({1, 1, 3, 3}));
  const std::vector<dn::box> boxes(2, {1, 1, 2, 2});
  CHECK(dn::correspondence(pixels(), flat, boxes, {.layer = 0}).mean == 0);
  CHECK(dn::correspondence(pixels(), std::vector(1, flat[0]), std::vector(1, boxes[0]), {.layer = 0}).pairs == 0);
}

TEST_CASE("what makes no sense is refused") {
  auto inputs = three_rows();
  const std::vector<dn::box> boxes(3, {0, 0, 1, 3});
  const std::vector<dn::box> outside = {boxes[0], boxes[0], {0, 2, 1, 3}};
  CHECK_THROWS_AS(dn::correspondence(pixels(), inputs, boxes), dn::error);
  CHECK_THROWS_AS(dn::correspondence(pixels(), inputs, boxes, {.layer = "fc7"}), dn::error);
  CHECK_THROWS_WITH_AS(dn::correspondence(pixels(), inputs, outside, {.layer = 0}), doctest::Contains("image 2"),
                       dn::error);
  CHECK_THROWS_AS(dn::correspondence(pixels(), inputs, std::vector(2, boxes[0]), {.layer = 0}), dn::error);
  CHECK_THROWS_AS(dn::correspondence(pixels(), inputs, std::vector(4, boxes[0]), {.layer = 0}), dn::error);
  CHECK_THROWS_AS((dn::correspondence(pixels(), inputs, boxes, {.layer = 0, .fill = {1, 2}})), dn::shape_error);
  inputs[1] = dn::zeros<float>({1, 1, 1, 5});
  CHECK_THROWS_WITH_AS(dn::correspondence(pixels(), inputs, boxes, {.layer = 0}), doctest::Contains("image 1"),
                       dn::shape_error);
  inputs[1] = three_rows()[1];
  inputs[1](0, 0, 0, 3) = std::numeric_limits<float>::infinity();
  CHECK_THROWS_WITH_AS(dn::correspondence(pixels(), inputs, boxes, {.layer = 0}), doctest::Contains("image 1"),
                       dn::error);
}

TEST_CASE("progress counts inputs, a stop keeps the pairs of those looked at") {
  const auto inputs = three_rows();
  const std::vector<dn::box> boxes(3, {0, 0, 1, 3});
  std::stop_source source;
  std::size_t last = 0;
  const auto part = dn::correspondence(pixels(), inputs, boxes,
                                       {.layer = 0,
                                        .progress =
                                            [&](std::size_t done, std::size_t total) {
                                              CHECK(done == ++last);
                                              CHECK(total == 3);
                                              if (done == 2) source.request_stop();
                                            },
                                        .stop = source.get_token()});
  CHECK_FALSE(part.complete);
  CHECK(part.distance == std::vector<double>{0.5});
  CHECK(last == 2);
}
