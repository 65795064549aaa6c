#include <deconvnet/training/accuracy.hpp>

#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "../analysis/thread_count.hpp"
#include "../network/sample_networks.hpp"
#include "picture_sets.hpp"

namespace dn = deconvnet;
using namespace deconvnet::testing;

namespace {

dn::network<float> two_class_network(std::size_t side, bool with_softmax = false) {
  dn::network<float> net({1, side, side});
  net.add("conv", random_conv<float>({3, 1, 3, 3}, {.padding = 1}, 1));
  net.add("relu", dn::relu{});
  net.add("fc", random_linear<float>(2, 3 * side * side, 4));
  if (with_softmax) net.add("prob", dn::softmax{});
  return net;
}

/// Mean of the softmax over views of one picture, by hand.
std::vector<double> mean_probabilities(const dn::network<float>& net, const dn::tensor<float, 3>& picture,
                                       const std::vector<dn::picture_view>& views) {
  auto x = dn::picture_views(picture, views);
  for (float& value : x) value /= 255.f;
  const auto y = net(x);
  std::vector<double> mean(2);
  for (std::size_t v = 0; v < views.size(); ++v) {
    const double a = static_cast<double>(y(v, 0, 0, 0)), b = static_cast<double>(y(v, 1, 0, 0));
    mean[0] += 1 / (1 + std::exp(b - a)) / static_cast<double>(views.size());
    mean[1] += 1 / (1 + std::exp(a - b)) / static_cast<double>(views.size());
  }
  return mean;
}

}  // namespace

TEST_CASE("accuracy and loss over one view and over ten are those counted by hand") {
  const auto images = bars(30, 8);
  const auto net = two_class_network(6);
  for (const bool ten : {false, true}) {
    double loss = 0;
    std::size_t correct = 0;
    for (std::size_t n = 0; n < 30; ++n) {
      const auto views = ten ? dn::ten_views({8, 8}, {6, 6}) : std::vector{dn::centre_view({8, 8}, {6, 6})};
      const auto p = mean_probabilities(net, images.image(n), views);
      loss -= std::log(p[images.label(n)]) / 30;
      correct += (p[1] > p[0]) == (images.label(n) == 1);
    }
    const auto result = dn::accuracy(net, images, {.crop = 6, .ten_crop = ten});
    CHECK(result.complete);
    CHECK(result.images == 30);
    CHECK(result.correct == correct);
    CHECK(result.accuracy == static_cast<double>(correct) / 30);
    CHECK(result.loss == doctest::Approx(loss).epsilon(1e-5));
    const auto with_softmax = dn::accuracy(two_class_network(6, true), images, {.crop = 6, .ten_crop = ten});
    CHECK(with_softmax.correct == correct);
    CHECK(with_softmax.loss == doctest::Approx(loss).epsilon(1e-4));
  }
}

TEST_CASE("the result does not depend on threads, and progress goes to the end") {
  const auto images = bars(50, 8);
  const auto net = two_class_network(8);
  const auto expected = dn::accuracy(net, images);
  for (const std::size_t threads : {1u, 2u, 3u}) {
    const thread_count_for_test guard(threads);
    std::size_t last = 0;
    const auto result = dn::accuracy(net, images, {.batch = 7, .threads = threads, .progress = [&](std::size_t d, std::size_t) {
                                                     CHECK(d > last);
                                                     last = d;
                                                   }});
    CHECK(last == 50);
    CHECK(result.correct == expected.correct);
    CHECK(result.loss == expected.loss);
  }
}

TEST_CASE("a stop gives the front of the set, and says so") {
  const auto images = bars(50, 8);
  std::stop_source stopper;
  const auto result = dn::accuracy(two_class_network(8), images,
                                   {.batch = 10,
                                    .progress = [&](std::size_t done, std::size_t) {
                                      if (done >= 20) stopper.request_stop();
                                    },
                                    .stop = stopper.get_token()});
  CHECK(!result.complete);
  CHECK(result.images == 20);
  const dn::image_subset front(images, 0, 20);
  CHECK(dn::accuracy(two_class_network(8), front).loss == doctest::Approx(result.loss));
  const auto nothing = dn::accuracy(two_class_network(8), images, {.stop = stopper.get_token()});
  CHECK(nothing.images == 0);
  CHECK(nothing.accuracy == 0);
}

TEST_CASE("a sure mistake is a large loss, not an infinite one") {
  dn::network<float> net({1, 1, 1});
  net.add("fc", dn::linear<float>(dn::tensor<float, 2>{{0.f}, {0.f}}, dn::tensor<float, 1>{-2000.f, 2000.f}));
  const dn::images_in_memory<float> images(dn::tensor<float, 4>({1, 1, 1, 1}, 1.f), {0});
  const auto result = dn::accuracy(net, images);
  CHECK(result.accuracy == 0);
  CHECK(result.loss == doctest::Approx(744.44).epsilon(1e-3));
}

TEST_CASE("labels that are no class, outputs that are no numbers or maps are refused, with the image") {
  const auto images = bars(3, 8);
  const dn::images_in_memory<float> labelled_seven(dn::tensor<float, 4>({2, 1, 8, 8}, 1.f), {0, 7});
  CHECK_THROWS_WITH_AS(dn::accuracy(two_class_network(8), labelled_seven), doctest::Contains("image 1: the label 7"), dn::error);
  auto broken = two_class_network(8);
  broken.edit_parameter("fc.bias")[0] = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_WITH_AS(dn::accuracy(broken, images), doctest::Contains("image 0"), dn::error);
  dn::network<float> maps({1, 8, 8});
  maps.add("relu", dn::relu{});
  CHECK_THROWS_AS(dn::accuracy(maps, images), dn::shape_error);
  CHECK_THROWS_AS(dn::accuracy(two_class_network(8), images, {.crop = 9}), dn::shape_error);
}
