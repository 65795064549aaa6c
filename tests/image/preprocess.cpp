#include <deconvnet/image/preprocess.hpp>

#include <cmath>
#include <filesystem>
#include <limits>
#include <string>

#include <deconvnet/image/image_file.hpp>
#include <deconvnet/io/npy.hpp>

#include <doctest/doctest.h>

#include "expressions.hpp"

namespace dn = deconvnet;

namespace {

dn::tensor<float, 3> ramp(std::size_t channels, std::size_t height, std::size_t width) {
  auto picture = dn::tensor<float, 3>::from_shape({channels, height, width});
  for (std::size_t k = 0; k < picture.size(); ++k) picture.data()[k] = static_cast<float>(k % 256);
  return picture;
}

}  // namespace

TEST_CASE("float and double literals both name means, and defaults scale to 0..1") {
  const dn::preprocessing singles{
      .resize = 256, .crop = 224, .mean = {0.485f, 0.456f, 0.406f}, .stddev = {0.229f, 0.224f, 0.225f}};
  const dn::preprocessing doubles{.mean = {0.485, 0.456, 0.406}, .stddev = {0.229, 0.224, 0.225}};
  const dn::preprocessing integers{.mean = {104, 117, 123}, .scale = 1};
  CHECK(singles.mean.size() == 3);
  CHECK(singles.mean[0] == doctest::Approx(doubles.mean[0]));
  CHECK(integers.mean[2] == 123.0);
  const auto input = dn::preprocess(ramp(3, 4, 5), {});
  CHECK(input.shape() == dn::tensor4<float>::shape_type{1, 3, 4, 5});
  CHECK(input(0, 1, 2, 3) == doctest::Approx((20 + 13) / 255.0));
}

TEST_CASE("each channel is scaled, then its mean subtracted, then divided") {
  const auto input = dn::preprocess(ramp(3, 2, 2), {.mean = {1, 2, 3}, .stddev = {2, 4, 8}, .scale = 0.5});
  CHECK(input(0, 0, 1, 1) == doctest::Approx((3 * 0.5 - 1) / 2));
  CHECK(input(0, 1, 0, 0) == doctest::Approx((4 * 0.5 - 2) / 4));
  CHECK(input(0, 2, 1, 0) == doctest::Approx((10 * 0.5 - 3) / 8));
}

TEST_CASE("Caffe's order is blue first, pixels unscaled, and its mean in that order") {
  auto options = dn::preprocessing::caffe({104, 117, 123});
  options.resize = options.crop = 0;
  const auto input = dn::preprocess(ramp(3, 2, 2), options);
  CHECK(input(0, 0, 0, 1) == 9.f - 104.f);  // blue is the picture's third channel
  CHECK(input(0, 1, 0, 1) == 5.f - 117.f);
  CHECK(input(0, 2, 0, 1) == 1.f - 123.f);
}

TEST_CASE("the centre crop begins where torchvision's does, halves going to the even pixel") {
  // int(round((extent - 2) / 2)) of Python: 0 0 1 2 2 2 3
  const std::size_t starts[] = {0, 0, 1, 2, 2, 2, 3};
  for (std::size_t extent = 2; extent < 9; ++extent) {
    CAPTURE(extent);
    auto picture = dn::tensor<float, 3>({1, extent, 2}, 0.f);
    for (std::size_t y = 0; y < extent; ++y) picture(0, y, 0) = static_cast<float>(y);
    CHECK(dn::preprocess(picture, {.crop = 2, .scale = 1})(0, 0, 0, 0) == static_cast<float>(starts[extent - 2]));
  }
}

TEST_CASE("resize comes before crop, and only pictures of whole numbers are rounded") {
  const auto picture = ramp(3, 12, 16);
  const auto input = dn::preprocess(picture, {.resize = 6, .crop = 4, .scale = 1});
  const auto resized = dn::resize(picture, 6, 8, {.whole_levels = true});
  for (std::size_t c = 0; c < 3; ++c) {
    for (std::size_t y = 0; y < 4; ++y) {
      for (std::size_t x = 0; x < 4; ++x) CHECK(input(0, c, y, x) == resized(c, y + 1, x + 2));
    }
  }
  const auto fractional = dn::tensor<float, 3>(picture / 255.f);
  const auto smooth = dn::resize(fractional, 6, 8);
  CHECK(dn::preprocess(fractional, {.resize = 6, .crop = 4, .scale = 1})(0, 2, 1, 1) == smooth(2, 2, 3));
}

TEST_CASE("pictures of any number of channels pass where mean and stddev fit") {
  CHECK(dn::preprocess(ramp(1, 3, 3), {.mean = {0.5}, .stddev = {0.25}})(0, 0, 0, 0) == doctest::Approx(-2));
  CHECK(dn::preprocess(ramp(5, 3, 3), {.mean = {0.5}}).shape(1) == 5);
  CHECK(dn::preprocess(xt::view(ramp(1, 3, 3), 0), {}).shape() == dn::tensor4<float>::shape_type{1, 1, 3, 3});
  CHECK_THROWS_AS(dn::preprocess(ramp(1, 3, 3), {.mean = {1, 2, 3}}), dn::shape_error);
  CHECK_THROWS_AS(dn::preprocess(ramp(3, 3, 3), {.stddev = {1, 2}}), dn::shape_error);
  CHECK_THROWS_AS(dn::preprocess(ramp(1, 3, 3), {.channel_order = dn::channel_order::bgr}), dn::shape_error);
}

TEST_CASE("options that make no sense are refused") {
  const auto picture = ramp(3, 8, 8);
  CHECK_THROWS_AS(dn::preprocess(picture, {.stddev = {1, 0, 1}}), dn::error);
  CHECK_THROWS_AS(dn::preprocess(picture, {.stddev = {-1}}), dn::error);
  CHECK_THROWS_AS(dn::preprocess(picture, {.mean = {std::numeric_limits<double>::quiet_NaN()}}), dn::error);
  CHECK_THROWS_AS(dn::preprocess(picture, {.mean = {}}), dn::error);
  CHECK_THROWS_AS(dn::preprocess(picture, {.scale = 0}), dn::error);
  CHECK_THROWS_AS(dn::preprocess(picture, {.resize = 4, .crop = 5}), dn::error);
  CHECK_THROWS_AS(dn::preprocess(picture, {.crop = 9}), dn::shape_error);
  CHECK_THROWS_AS(dn::preprocess(dn::tensor<float, 4>({2, 3, 8, 8}, 0.f), {}), dn::shape_error);
}

TEST_CASE("unprocess gives back the picture, of one image and of a batch") {
  const auto picture = ramp(3, 6, 5);
  for (auto options : {dn::preprocessing::torchvision(), dn::preprocessing::caffe({104, 117, 123})}) {
    options.resize = options.crop = 0;
    const auto input = dn::preprocess(picture, options);
    const auto back = dn::unprocess(input, options);
    const auto single = dn::unprocess(xt::view(input, 0), options);
    static_assert(std::same_as<decltype(single), const dn::tensor<float, 3>>);
    REQUIRE(back.shape() == input.shape());
    for (std::size_t k = 0; k < picture.size(); ++k) {
      CHECK(back.data()[k] == doctest::Approx(picture.data()[k]).epsilon(1e-5));
      CHECK(single.data()[k] == back.data()[k]);
    }
    auto batch = dn::tensor<float, 4>({2, 3, 6, 5}, 0.f);
    std::copy(input.begin(), input.end(), batch.begin() + 90);
    const auto pictures = dn::unprocess(batch, options);
    CHECK(pictures(1, 2, 5, 4) == back(0, 2, 5, 4));
    CHECK(pictures(0, 0, 0, 0) == pictures(0, 0, 5, 4));
  }
  CHECK_THROWS_AS(dn::unprocess(picture, dn::preprocessing{.mean = {1, 2}}), dn::shape_error);
}

TEST_CASE("a grey pixel in input units is what preprocess makes of a grey picture") {
  const auto grey = dn::tensor<float, 3>({3, 2, 2}, 120.f);
  for (auto options : {dn::preprocessing::torchvision(), dn::preprocessing::caffe({104, 117, 123})}) {
    options.resize = options.crop = 0;
    const auto fill = dn::fill_for(120, options);
    const auto input = dn::preprocess(grey, options);
    REQUIRE(fill.size() == 3);
    for (std::size_t c = 0; c < 3; ++c) CHECK(fill[c] == doctest::Approx(input(0, c, 1, 1)));
  }
  CHECK(dn::fill_for(51, {}).size() == 1);
  CHECK(dn::fill_for(51, {})[0] == doctest::Approx(0.2));
  CHECK_THROWS_AS(dn::fill_for(51, {.mean = {1, 2}, .stddev = {1, 2, 3}}), dn::error);
}

TEST_CASE("photographs become what torchvision makes of them, but for the JPEG decoder") {
  const std::filesystem::path shared = DECONVNET_SHARED_DIR;
  const auto reference = shared / "reference" / "squeezenet1_1";
  if (!std::filesystem::exists(reference / "input_0.npy")) {
    MESSAGE("skipped: no reference inputs in " << shared.string());
    return;
  }
  const char* const photographs[] = {"n02123045_tabby.jpg", "n02391049_zebra.jpg"};
  for (std::size_t k = 0; k < 2; ++k) {
    const auto input =
        dn::preprocess(dn::load_image<float>(shared / "images" / photographs[k]), dn::preprocessing::torchvision());
    const auto expected = dn::load_npy<float, 4>((reference / ("input_" + std::to_string(k) + ".npy")).string());
    REQUIRE(input.shape() == expected.shape());
    double sum = 0;
    double largest = 0;
    for (std::size_t p = 0; p < input.size(); ++p) {
      const double difference =
          std::abs(static_cast<double>(input.data()[p]) - static_cast<double>(expected.data()[p]));
      sum += difference;
      largest = std::max(largest, difference);
    }
    // One level of 0..255 is 0.0175. The decoders differ by at most 3 levels, by 0.06 on average.
    CHECK(sum / static_cast<double>(input.size()) < 0.003);
    CHECK(largest < 0.06);
  }
}
