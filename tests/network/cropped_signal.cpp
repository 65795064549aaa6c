#include <deconvnet/network/cropped_signal.hpp>

#include <doctest/doctest.h>

namespace dn = deconvnet;
using dn::detail::cropped_signal;

namespace {

/// Two crops of 2 x 3, counted from 1.
cropped_signal<float> two_crops(std::ptrdiff_t y, std::ptrdiff_t x) {
  cropped_signal<float> signal{dn::uninitialized<float>({2, 1, 2, 3}), {{0, 0}, {y, x}}};
  for (std::size_t k = 0; k < 12; ++k) signal.values.data()[k] = static_cast<float>(k + 1);
  return signal;
}

}  // namespace

TEST_CASE("crops come back in whole maps where they lie; what is beyond the border is left out") {
  const auto maps = dn::detail::embedded(two_crops(-1, 3), 4, 5);
  CHECK(dn::shape_text(maps.shape()) == "2 x 1 x 4 x 5");
  CHECK(maps(0, 0, 0, 0) == 1);
  CHECK(maps(0, 0, 1, 2) == 6);
  CHECK(maps(1, 0, 0, 3) == 10);  // its second row; its third column lies beyond
  CHECK(maps(1, 0, 0, 4) == 11);
  double sum = 0;
  for (const float value : maps) sum += static_cast<double>(value);
  CHECK(sum == 21 + 10 + 11);
  const auto none = dn::detail::embedded(two_crops(9, 9), 4, 5);
  for (std::size_t k = 20; k < 40; ++k) CHECK(none.data()[k] == 0);
}

TEST_CASE("what lies beyond the map is cleared, the rest stays") {
  auto signal = two_crops(3, -2);
  dn::detail::clear_outside(signal, 4, 5);
  CHECK(signal.values(0, 0, 1, 2) == 6);
  CHECK(signal.values(1, 0, 0, 1) == 0);
  CHECK(signal.values(1, 0, 0, 2) == 9);
  CHECK(signal.values(1, 0, 1, 2) == 0);
}

TEST_CASE("crops of two ways down add up on the smallest crop that holds both") {
  std::optional<cropped_signal<float>> sum;
  dn::detail::accumulate_crops(sum, two_crops(5, 7));
  CHECK(sum->height() == 2);
  cropped_signal<float> wider{dn::tensor4<float>({2, 1, 4, 3}, 100.0f), {{-1, 1}, {4, 8}}};
  const auto expected = dn::detail::embedded(*sum, 12, 12) + dn::detail::embedded(wider, 12, 12);
  dn::detail::accumulate_crops(sum, std::move(wider));
  CHECK(sum->height() == 4);
  CHECK(sum->width() == 4);
  CHECK(sum->origins[1].y == 4);
  CHECK(sum->origins[1].x == 7);
  CHECK(dn::detail::embedded(*sum, 12, 12) == expected);
}
