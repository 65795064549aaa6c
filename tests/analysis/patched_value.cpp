#include <deconvnet/analysis/patched_value.hpp>

#include <doctest/doctest.h>

#include <vector>

#include "../tensor/values.hpp"

using namespace deconvnet;
using namespace deconvnet::testing;
using namespace deconvnet::detail;

namespace {

/// What a window shows of a map with a patch over it, place by place.
std::vector<float> by_definition(const tensor4<float>& clean, const tensor4<float>& patch, const region& where, const detail::crop& window,
                                 std::size_t first_channel, std::size_t last_channel) {
  std::vector<float> result;
  for (std::size_t c = first_channel; c < last_channel; ++c) {
    for (std::size_t i = 0; i < window.rows.size; ++i) {
      for (std::size_t j = 0; j < window.columns.size; ++j) {
        const auto y = static_cast<std::size_t>(window.rows.start + static_cast<std::ptrdiff_t>(i));
        const auto x = static_cast<std::size_t>(window.columns.start + static_cast<std::ptrdiff_t>(j));
        const bool outside = y >= clean.shape(2) || x >= clean.shape(3);
        const bool inside_patch = y >= where.rows.first && y < where.rows.last && x >= where.columns.first && x < where.columns.last;
        result.push_back(outside        ? 9.F
                         : inside_patch ? patch(0, c, y - where.rows.first, x - where.columns.first)
                                        : clean(0, c, y, x));
      }
    }
  }
  return result;
}

}  // namespace

TEST_CASE("a window shows the patch where it is, the clean map elsewhere, padding outside") {
  const auto clean = random_maps<float>({1, 3, 6, 7}, 1);
  for (const region& where : {region{{1, 4}, {2, 6}}, region{{0, 6}, {0, 7}}, region{{5, 6}, {0, 1}}}) {
    patched_value<float> value;
    value.patches.resize(2);
    value.batches.push_back(random_maps<float>({1, 3, where.rows.size(), where.columns.size()}, 2));
    value.patches[1] = {where, 0, 0};
    CHECK(value.changed(1));
    CHECK(!value.changed(0));
    for (std::ptrdiff_t y = -3; y < 9; ++y) {
      for (std::ptrdiff_t x = -3; x < 10; ++x) {
        for (const std::size_t size : {1U, 4U, 13U}) {
          const detail::crop window{{y, size, 0, size}, {x, size, 0, size}};
          std::vector<float> seen(2 * size * size);
          copy_variant(clean, &value, 1, window, 9.F, 1, 3, seen.data());
          REQUIRE(seen == by_definition(clean, value.batches[0], where, window, 1, 3));
          copy_variant(clean, &value, 0, window, 9.F, 1, 3, seen.data());
          REQUIRE(seen == by_definition(clean, clean, {}, window, 1, 3));
        }
      }
    }
  }
}
