#include <deconvnet/kernels/padded_maps.hpp>

#include <cstddef>
#include <initializer_list>
#include <vector>

#include <doctest/doctest.h>

#include "../tensor/values.hpp"

namespace {

using namespace deconvnet;
using testing::random_values;

/// Every tap at every place of the grid reads what the maps hold there, or zero beside them.
template <class T>
void check_padded(std::size_t height, std::size_t width, std::size_t stride, const std::vector<std::ptrdiff_t>& shifts) {
  constexpr std::size_t images = 2, planes = 3, unused = 5, slack = 4, grid_height = 3, grid_width = 4;
  const std::size_t image_pitch = planes * height * width + unused;
  const auto maps = random_values<T>(images * image_pitch, 1);
  std::vector<kernels::patch_tap> taps;
  for (const std::ptrdiff_t dy : shifts) {
    for (const std::ptrdiff_t dx : shifts) taps.push_back({dy, dx, 0, 0});
  }
  const auto asked = taps;
  const auto source = kernels::detail::padded_maps(
      kernels::detail::strided_maps<T>{maps.data(), images, image_pitch, planes, height, width, stride, stride}, grid_height, grid_width, taps,
      slack);
  std::size_t wrong = 0;
  for (std::size_t n = 0; n < images; ++n) {
    for (std::size_t c = 0; c < planes; ++c) {
      for (std::size_t place = 0; place < grid_height * grid_width; ++place) {
        for (std::size_t t = 0; t < taps.size(); ++t) {
          const std::size_t i = place / grid_width, j = place % grid_width;
          const auto y = static_cast<std::ptrdiff_t>(i * stride) + asked[t].dy, x = static_cast<std::ptrdiff_t>(j * stride) + asked[t].dx;
          const bool inside = y >= 0 && x >= 0 && y < static_cast<std::ptrdiff_t>(height) && x < static_cast<std::ptrdiff_t>(width);
          const T right = inside ? maps[n * image_pitch + (c * height + static_cast<std::size_t>(y)) * width + static_cast<std::size_t>(x)] : T(0);
          const T* seen = source.data + n * source.image_pitch + c * source.plane_pitch +
                          (i * source.vertical_step + static_cast<std::size_t>(taps[t].dy)) * source.row_pitch + taps[t].phase_offset + j +
                          static_cast<std::size_t>(taps[t].dx);
          wrong += *seen != right;
        }
      }
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE_TEMPLATE("a padded copy holds what every tap reads, zero beside the maps", T, float, double) {
  for (const std::size_t stride : std::initializer_list<std::size_t>{1, 2, 3}) {
    for (const std::size_t width : std::initializer_list<std::size_t>{1, 2, 5, 12, 20}) {
      CAPTURE(stride);
      CAPTURE(width);
      check_padded<T>(7, width, stride, {-2, 0, 3});
      check_padded<T>(2, width, stride, {1, 2});
      check_padded<T>(9, width, stride, {-3, -1});
      check_padded<T>(4, width, stride, {-40, 0, 40});
    }
  }
}

}  // namespace
