#include <deconvnet/analysis/hidden.hpp>

#include <limits>

#include <doctest/doctest.h>

namespace dn = deconvnet;

TEST_CASE("a box is filled in its image, all else stays") {
  auto images = dn::tensor4<float>({2, 2, 4, 3}, 1.f);
  dn::detail::hide<float>(images, 1, {1, 2, 3, 1}, {5, 6});
  for (std::size_t n = 0; n < 2; ++n) {
    for (std::size_t c = 0; c < 2; ++c) {
      for (std::size_t y = 0; y < 4; ++y) {
        for (std::size_t x = 0; x < 3; ++x) {
          CHECK(images(n, c, y, x) == (n == 1 && y >= 1 && x == 2 ? static_cast<float>(5 + c) : 1.f));
        }
      }
    }
  }
}

TEST_CASE("a box must have pixels and lie within the picture") {
  CHECK_NOTHROW(dn::detail::check_box_within({0, 0, 4, 3}, 4, 3, "box"));
  CHECK_NOTHROW(dn::detail::check_box_within({3, 2, 1, 1}, 4, 3, "box"));
  constexpr auto large = std::numeric_limits<std::size_t>::max();
  for (const dn::box where :
       {dn::box{-1, 0, 2, 2}, {0, 0, 3, 4}, {3, 0, 2, 1}, {0, 0, 0, 1}, {1, 1, large, 1}, {1, 1, 1, large}}) {
    CHECK_THROWS_AS(dn::detail::check_box_within(where, 4, 3, "box"), dn::error);
  }
}
