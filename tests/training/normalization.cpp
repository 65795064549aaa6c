#include <deconvnet/training/normalization.hpp>

#include <limits>

#include <doctest/doctest.h>

#include <deconvnet/image/preprocess.hpp>

namespace dn = deconvnet;

TEST_CASE("the bits are those of preprocess, for whole pixels and others") {
  const dn::normalization options{.scale = 1.0 / 255, .mean = {0.485, 0.456, 0.406}, .stddev = {0.229, 0.224, 0.225}};
  const dn::detail::pixel_scale scaled(options, 3);
  auto picture = dn::tensor<float, 3>::from_shape({3, 16, 18});
  for (std::size_t k = 0; k < picture.size(); ++k) {
    picture.data()[k] = k % 288 < 256 ? static_cast<float>(k % 288) : 0.37f * static_cast<float>(k) - 20.f;
  }
  const auto expected = dn::preprocess(picture, {.mean = options.mean, .stddev = options.stddev});
  std::size_t wrong = 0;
  for (std::size_t k = 0; k < picture.size(); ++k) {
    wrong += static_cast<float>(scaled(k / 288, picture.data()[k])) != expected.data()[k];
  }
  CHECK(wrong == 0);
}

TEST_CASE("one value stands for all channels; the default brings 0..255 to 0..1") {
  const dn::detail::pixel_scale scaled({}, 2);
  CHECK(scaled(0, 255.f) == 1);
  CHECK(scaled(1, 0.0) == 0);
  const dn::detail::pixel_scale signed_ones({.scale = 1, .mean = {127.5}, .stddev = {127.5, 255}}, 2);
  CHECK(signed_ones(0, 255.f) == 1);
  CHECK(signed_ones(1, 255.f) == 0.5);
  CHECK(signed_ones(1, -127.5f) == -1);
  CHECK(signed_ones(0, 300.f) == doctest::Approx(172.5 / 127.5));
}

TEST_CASE("options that make no sense or do not fit are refused") {
  using dn::detail::pixel_scale;
  CHECK_THROWS_AS(pixel_scale({.scale = 0}, 1), dn::error);
  CHECK_THROWS_AS(pixel_scale({.stddev = {0.0}}, 1), dn::error);
  CHECK_THROWS_AS(pixel_scale({.mean = {std::numeric_limits<double>::infinity()}}, 1), dn::error);
  CHECK_THROWS_AS(pixel_scale({.mean = {1, 2, 3}}, 1), dn::shape_error);
  CHECK_THROWS_AS(pixel_scale({.mean = {}}, 1), dn::shape_error);
}
