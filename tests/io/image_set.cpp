#include <deconvnet/io/image_set.hpp>

#include <doctest/doctest.h>

#include <deconvnet/training/labelled_images.hpp>

namespace dn = deconvnet;

static_assert(dn::labelled_images<dn::image_set>);

TEST_CASE("a picture of a set is the part of its memory that belongs to it; there is none behind the last") {
  dn::image_set set;
  set.images.resize({2, 1, 2, 3});
  for (std::size_t k = 0; k < 12; ++k) set.images.data()[k] = static_cast<std::uint8_t>(250 - k);
  set.labels = {4, 7};
  CHECK(set.size() == 2);
  CHECK(set.label(1) == 7);
  const auto second = set.image(1);
  CHECK(dn::shape_text(second.shape()) == "1 x 2 x 3");
  CHECK(second(0, 1, 2) == 239);
  CHECK_THROWS_WITH_AS(set.image(2), doctest::Contains("picture 2 is asked for, there are 2"), dn::error);
  CHECK_THROWS_AS(set.label(2), dn::error);
  set.labels.pop_back();
  CHECK_THROWS_WITH_AS(set.image(0), doctest::Contains("2 pictures, but 1 labels"), dn::shape_error);
}
