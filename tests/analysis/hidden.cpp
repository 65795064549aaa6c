#include <deconvnet/analysis/hidden.hpp>

#include <limits>

#include <doctest/doctest.h>

namespace dn = deconvnet;

namespace {

struct options {
  dn::fill_values fill = 0.f;
};

}  // namespace

TEST_CASE("a fill is a number, or one per channel") {
  CHECK(options{.fill = 0.5f}.fill[2] == 0.5);
  CHECK(options{.fill = 2}.fill[2] == 2);
  CHECK(options{.fill = {1, 2, 3}}.fill[2] == 3);
  CHECK(options{.fill = std::vector<double>{1, 2}}.fill[1] == 2);
  CHECK_NOTHROW(options{.fill = 1}.fill.check("x", 3));
  CHECK_NOTHROW(options{.fill = {1, 2, 3}}.fill.check("x", 3));
  CHECK_THROWS_AS((options{.fill = {1, 2}}.fill.check("x", 3)), dn::shape_error);
  CHECK_THROWS_AS(options{.fill = std::vector<double>{}}.fill.check("x", 3), dn::shape_error);
  CHECK_THROWS_AS(options{.fill = std::numeric_limits<double>::infinity()}.fill.check("x", 3), dn::error);
}

TEST_CASE("a box is filled in its image, all else stays") {
  auto images = dn::tensor4<float>({2, 2, 4, 3}, 1.f);
  dn::detail::hide(images, 1, {1, 2, 3, 1}, {5, 6});
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
