#include <deconvnet/training/labelled_images.hpp>

#include <cstdint>

#include <doctest/doctest.h>

namespace dn = deconvnet;

namespace {

struct images_without_labels {
  std::size_t size() const { return 1; }
  dn::tensor<float, 3> image(std::size_t) const { return {}; }
};

struct images_of_expressions {
  std::size_t size() const { return 3; }
  int label(std::size_t i) const { return static_cast<int>(i); }
  auto image(std::size_t i) const { return dn::tensor<double, 3>({1, 2, 2}, static_cast<double>(i)) + 1.0; }
};

dn::images_in_memory<std::uint8_t> four_images() {
  dn::tensor<std::uint8_t, 4> pixels({4, 1, 2, 3});
  for (std::size_t k = 0; k < pixels.size(); ++k) pixels.data()[k] = static_cast<std::uint8_t>(k);
  return {pixels, {3, 2, 1, 0}};
}

}  // namespace

TEST_CASE("what is a set of labelled images is said by the concept") {
  static_assert(dn::labelled_images<dn::images_in_memory<std::uint8_t>>);
  static_assert(dn::labelled_images<dn::image_subset<images_of_expressions>>);
  static_assert(dn::labelled_images<images_of_expressions>);
  static_assert(!dn::labelled_images<images_without_labels>);
  static_assert(!dn::labelled_images<std::vector<float>>);
  CHECK(images_of_expressions{}.image(2)(0, 1, 1) == 3);
}

TEST_CASE("pictures in memory come out one by one") {
  const auto images = four_images();
  CHECK(images.size() == 4);
  CHECK(images.label(1) == 2);
  const auto picture = images.image(2);
  CHECK(picture.shape(0) == 1);
  CHECK(picture.shape(1) == 2);
  CHECK(picture(0, 1, 2) == 17);
  CHECK_THROWS_AS((dn::images_in_memory<float>(dn::tensor<float, 4>({2, 1, 2, 3}), {1})), dn::shape_error);
}

TEST_CASE("a subset is renumbered from 0") {
  const auto images = four_images();
  const dn::image_subset last(images, 1, 3);
  CHECK(last.size() == 3);
  CHECK(last.label(0) == 2);
  CHECK(last.image(2)(0, 0, 0) == 18);
  const dn::image_subset nested(last, 2, 1);
  CHECK(nested.label(0) == 0);
  CHECK_THROWS_AS(dn::image_subset(images, 2, 3), dn::error);
  CHECK_THROWS_AS(dn::image_subset(images, 5, 0), dn::error);
  CHECK(dn::image_subset(images, 4, 0).size() == 0);
}
