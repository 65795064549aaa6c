#include <deconvnet/analysis/changed_region.hpp>

#include <doctest/doctest.h>

#include <vector>

using namespace deconvnet::detail;

namespace {

/// Every window of a few sizes, strides, paddings and dilations, over maps of a few extents.
template <class Body>
void for_each_axis(Body&& body) {
  for (const std::size_t kernel : {1U, 2U, 3U, 5U})
    for (const std::size_t stride : {1U, 2U, 3U})
      for (const std::size_t before : {0U, 1U, 2U})
        for (const std::size_t after : {0U, 2U})
          for (const std::size_t dilation : {1U, 2U})
            for (const bool ceil : {false, true})
              for (const std::size_t extent : {4U, 7U, 12U}) {
                const window_axis axis{kernel, stride, before, after, dilation, ceil};
                const std::size_t outputs = axis.outputs(extent);
                if (outputs != 0) body(axis, extent, outputs);
              }
}

/// Places of the map, or -1 for padding, that window `index` of an axis covers.
std::vector<int> covered(const window_axis& axis, std::size_t index, std::size_t extent) {
  std::vector<int> places;
  for (std::size_t k = 0; k < axis.kernel; ++k) {
    const std::size_t place = index * axis.stride + k * axis.dilation;
    const bool inside = place >= axis.padding_before && place < axis.padding_before + extent;
    places.push_back(inside ? static_cast<int>(place - axis.padding_before) : -1);
  }
  return places;
}

}  // namespace

TEST_CASE("every window that covers a changed place is found, and none beyond the first and last of them") {
  for_each_axis([](const window_axis& axis, std::size_t extent, std::size_t outputs) {
    if (axis.dilation != 1) return;  // holes may add windows
    for (std::size_t first = 0; first < extent; ++first) {
      for (std::size_t last = first + 1; last <= extent; ++last) {
        place_range expected;
        for (std::size_t k = 0; k < outputs; ++k) {
          bool touches = false;
          for (const int place : covered(axis, k, extent)) {
            touches = touches || (place >= static_cast<int>(first) && place < static_cast<int>(last));
          }
          if (!touches) continue;
          expected = expected.empty() ? place_range{k, k + 1} : place_range{expected.first, k + 1};
        }
        REQUIRE(touched(axis, {first, last}, outputs) == expected);
      }
    }
  });
  CHECK(touched({3, 1, 1, 1, 1}, {4, 4}, 9).empty());
}

TEST_CASE("a crop with its padding holds what the wanted windows cover, place by place") {
  for_each_axis([](const window_axis& axis, std::size_t extent, std::size_t outputs) {
    for (std::size_t first = 0; first < outputs; ++first) {
      for (std::size_t last = first + 1; last <= outputs; ++last) {
        const axis_crop crop = window_crop(axis, {first, last});
        const window_axis bare{axis.kernel, axis.stride, 0, 0, axis.dilation, false};
        REQUIRE(bare.outputs(crop.size) == last - first);
        for (std::size_t k = 0; k < last - first; ++k) {
          std::vector<int> seen = covered(bare, k, crop.size);
          for (int& place : seen) {
            place += static_cast<int>(crop.start);
            if (place < 0 || place >= static_cast<int>(extent)) place = -1;
          }
          REQUIRE(seen == covered(axis, first + k, extent));
        }
      }
    }
  });
}

TEST_CASE("a crop without its padding gives the wanted windows where it says, padded at true borders alone") {
  for_each_axis([](const window_axis& axis, std::size_t extent, std::size_t outputs) {
    for (std::size_t first = 0; first < outputs; ++first) {
      for (std::size_t last = first + 1; last <= outputs; ++last) {
        const axis_crop crop = padded_crop(axis, {first, last}, extent);
        REQUIRE(crop.start >= 0);
        REQUIRE(static_cast<std::size_t>(crop.start) + crop.size <= extent);
        REQUIRE(axis.outputs(crop.size) >= crop.skip + crop.wanted);
        for (std::size_t k = 0; k < last - first; ++k) {
          std::vector<int> seen = covered(axis, crop.skip + k, crop.size);
          for (int& place : seen) place = place < 0 ? -1 : place + static_cast<int>(crop.start);
          REQUIRE(seen == covered(axis, first + k, extent));
        }
      }
    }
  });
}

TEST_CASE("the hull of two regions holds both, and an empty one adds nothing") {
  const region a{{2, 5}, {1, 3}}, b{{0, 3}, {6, 7}};
  CHECK(hull(a, b) == region{{0, 5}, {1, 7}});
  CHECK(hull(a, region{}) == a);
  CHECK(hull(region{}, b) == b);
  CHECK(a.area() == 6);
  CHECK(region{}.area() == 0);
}
