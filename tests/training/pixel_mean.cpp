#include <deconvnet/training/pixel_mean.hpp>

#include <doctest/doctest.h>

#include <deconvnet/ops/scale_shift.hpp>

#include <deconvnet/network/network.hpp>

#include "../analysis/thread_count.hpp"
#include "picture_sets.hpp"

namespace dn = deconvnet;
using namespace deconvnet::testing;

TEST_CASE("the mean of every pixel, normalized, over more images than one group") {
  const auto images = bars(150, 5);
  const auto mean = dn::pixel_mean(images, {.normalization = {.mean = {0.5}, .stddev = {0.25}}});
  CHECK(mean.shape(0) == 1);
  CHECK(mean.shape(1) == 5);
  for (std::size_t y = 0; y < 5; ++y) {
    for (std::size_t x = 0; x < 5; ++x) {
      double sum = 0;
      for (std::size_t n = 0; n < 150; ++n) sum += (images.image(n)(0, y, x) / 255.0 - 0.5) / 0.25;
      CHECK(mean(0, y, x) == doctest::Approx(sum / 150));
    }
  }
}

TEST_CASE("of the centre crop, with the same bits for any number of threads; progress ends at all") {
  const auto images = bars(70, 9);
  const auto whole = dn::pixel_mean(images);
  std::size_t done = 0;
  for (const std::size_t threads : {1u, 2u, 3u}) {
    const thread_count_for_test guard(threads);
    const auto mean = dn::pixel_mean(images, {.crop = {4, 5}, .progress = [&](std::size_t d, std::size_t total) {
                                                CHECK(d > done);
                                                CHECK(total == 70);
                                                done = d;
                                              }});
    CHECK(done == 70);
    done = 0;
    for (std::size_t y = 0; y < 4; ++y) {
      for (std::size_t x = 0; x < 5; ++x) CHECK(mean(0, y, x) == whole(0, y + 2, x + 2));
    }
  }
}

TEST_CASE("as the first layer of a network it is subtracted") {
  const auto images = bars(20, 4);
  dn::network<float> net({1, 4, 4});
  net.add("mean", dn::subtract_mean<float>(dn::pixel_mean(images)));
  dn::tensor4<float> x({20, 1, 4, 4});
  for (std::size_t n = 0; n < 20; ++n) {
    const auto picture = images.image(n);
    for (std::size_t k = 0; k < 16; ++k) x.data()[n * 16 + k] = static_cast<float>(picture.data()[k]) / 255.f;
  }
  const auto y = net(x);
  for (std::size_t k = 0; k < 16; ++k) {
    double sum = 0;
    for (std::size_t n = 0; n < 20; ++n) sum += static_cast<double>(y.data()[n * 16 + k]);
    CHECK(sum == doctest::Approx(0).epsilon(1e-5));
  }
}

TEST_CASE("no images, a stop, and pictures of several sizes without a crop are refused") {
  const dn::images_in_memory<float> none(dn::tensor<float, 4>::from_shape({0, 1, 2, 2}), {});
  CHECK_THROWS_AS(dn::pixel_mean(none), dn::error);
  std::stop_source stopper;
  stopper.request_stop();
  CHECK_THROWS_AS(dn::pixel_mean(bars(3), {.stop = stopper.get_token()}), dn::error);
  struct {
    std::size_t size() const { return 3; }
    std::size_t label(std::size_t) const { return 0; }
    dn::tensor<float, 3> image(std::size_t i) const { return dn::tensor<float, 3>({1, 4, 4 + i}, 1.f); }
  } several;
  CHECK_THROWS_WITH_AS(dn::pixel_mean(several), doctest::Contains("image 1"), dn::shape_error);
  CHECK(dn::pixel_mean(several, {.crop = 4}).size() == 16);
}
