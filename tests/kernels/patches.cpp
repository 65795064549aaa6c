#include <deconvnet/kernels/patches.hpp>

#include <cstddef>
#include <initializer_list>
#include <vector>

#include <doctest/doctest.h>

#include <deconvnet/kernels/gemm_tile.hpp>

#include "../tensor/values.hpp"
#include "levels.hpp"

namespace {

using namespace deconvnet;
using testing::random_values;

TEST_CASE_TEMPLATE("a packed panel holds the pixel under every tap, and zero outside the map", T, float, double) {
  constexpr std::size_t images = 2;
  constexpr std::size_t channels = 3;
  // By each row of the map, whose columns then lie side by side, and by every other.
  for (const std::size_t step : std::initializer_list<std::size_t>{1, 2}) {
    for (const std::size_t map_width : std::initializer_list<std::size_t>{1, 5, 13, 40, 70}) {
      const std::size_t height = 6;
      const auto maps = random_values<T>(images * channels * height * map_width, 1);
      const auto width = static_cast<std::ptrdiff_t>(map_width);
      kernels::patch_source<T> source{maps.data(), channels * height * map_width, height * map_width, map_width, 6, step, height / step, map_width, {}};
      std::vector<kernels::patch_tap> taps;
      for (std::ptrdiff_t dy = -1; dy <= 2; ++dy) {
        for (std::ptrdiff_t dx = -2; dx <= 2; dx += 2) taps.push_back({dy, dx, 0, width});
      }
      source.taps = taps;
      const std::size_t total = images * source.places();
      testing::at_every_level([&] {
        const auto tiles = kernels::current_gemm_tiles<T>();
        const std::size_t panel_width = 3 * tiles.lanes;
        for (std::size_t first = 0; first < total; first += panel_width) {
          const std::size_t count = std::min(panel_width, total - first);
          kernels::patch_panel<T> panel;
          panel.prepare(source, first, count, panel_width, tiles.knows_masked_rows);
          const std::size_t rows = channels * source.taps.size();
          std::vector<T> packed(rows * panel_width + 1, T(99));
          tiles.pack(panel.rows(0, rows, packed.data(), 0));
          CHECK(packed.back() == T(99));
          bool right = true;
          for (std::size_t k = 0; k < rows * panel_width; ++k) {
            const std::size_t column = first + k % panel_width;
            const auto& tap = source.taps[k / panel_width % source.taps.size()];
            T expected = 0;
            if (column < total) {
              const auto y = static_cast<std::ptrdiff_t>(column % source.places() / map_width * step) + tap.dy;
              const auto x = static_cast<std::ptrdiff_t>(column % map_width) + tap.dx;
              const std::size_t plane = column / source.places() * channels + k / panel_width / source.taps.size();
              if (y >= 0 && y < 6 && x >= 0 && x < width) {
                expected = maps[plane * height * map_width + static_cast<std::size_t>(y * width + x)];
              }
            }
            right = right && packed[k] == expected;
          }
          CHECK(right);
        }
      });
    }
  }
}

}  // namespace
