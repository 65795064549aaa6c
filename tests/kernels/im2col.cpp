#include <deconvnet/kernels/im2col.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include "../tensor/values.hpp"

namespace {

using namespace deconvnet;
using kernels::convolution_geometry;
using testing::random_values;

/// {channels, height, width, kernel, stride, padding top left, dilation, outputs}; what padding there is at the bottom and
/// on the right follows from the outputs.
const convolution_geometry geometries[] = {
    {1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1},  // one pixel
    {2, 5, 7, 3, 3, 1, 1, 1, 1, 1, 1, 5, 7},   // the usual one
    {3, 6, 5, 2, 4, 2, 1, 0, 3, 1, 1, 3, 6},   // strides and paddings that differ
    {2, 9, 8, 3, 2, 2, 3, 2, 1, 2, 3, 4, 3},   // dilation
    {1, 1, 1, 5, 3, 1, 1, 2, 1, 1, 1, 1, 1},   // a kernel larger than the map
    {2, 3, 3, 2, 2, 3, 3, 5, 5, 1, 1, 4, 4},   // windows that see nothing but padding
    {2, 4, 3, 1, 1, 2, 2, 0, 0, 1, 1, 2, 2},   // a point, strided
    {1, 2, 3, 2, 2, 1, 1, 4, 4, 7, 7, 4, 2},   // dilation past the map
};

/// The place in the image under tap (ky, kx) of output pixel p, or -1 in padding.
std::ptrdiff_t place_under(const convolution_geometry& g, std::size_t c, std::size_t ky, std::size_t kx, std::size_t p) {
  const auto y = static_cast<std::ptrdiff_t>(p / g.out_width * g.stride_height + ky * g.dilation_height) -
                 static_cast<std::ptrdiff_t>(g.padding_top);
  const auto x = static_cast<std::ptrdiff_t>(p % g.out_width * g.stride_width + kx * g.dilation_width) -
                 static_cast<std::ptrdiff_t>(g.padding_left);
  const auto height = static_cast<std::ptrdiff_t>(g.height);
  const auto width = static_cast<std::ptrdiff_t>(g.width);
  if (y < 0 || y >= height || x < 0 || x >= width) return -1;
  return (static_cast<std::ptrdiff_t>(c) * height + y) * width + x;
}

/// Calls body(first_channel, last_channel, first_pixel, last_pixel) for all channels and pixels, and for parts of them.
template <class Body>
void for_each_part(const convolution_geometry& g, Body&& body) {
  body(std::size_t{0}, g.channels, std::size_t{0}, g.pixels());
  body(g.channels - 1, g.channels, std::size_t{0}, g.pixels());
  for (std::size_t first = 0; first < g.pixels(); first += 3) {
    body(std::size_t{0}, g.channels, first, std::min(g.pixels(), first + 5));
  }
}

TEST_CASE_TEMPLATE("im2col copies the pixel under every tap, and 0 in padding", T, float, double) {
  for (const auto& g : geometries) {
    const auto image = random_values<T>(g.channels * g.height * g.width, 1);
    for_each_part(g, [&](std::size_t first_channel, std::size_t last_channel, std::size_t first, std::size_t last) {
      const std::size_t rows = (last_channel - first_channel) * g.taps();
      const std::size_t width = last - first;
      std::vector<T> columns(rows * width + 8, T(77));  // the last eight must stay
      kernels::im2col(g, image.data(), first_channel, last_channel, first, last, columns.data());
      bool right = std::all_of(columns.end() - 8, columns.end(), [](T value) { return value == T(77); });
      for (std::size_t row = 0; row < rows; ++row) {
        const std::size_t tap = row % g.taps();
        for (std::size_t p = 0; p < width; ++p) {
          const auto place = place_under(g, first_channel + row / g.taps(), tap / g.kernel_width, tap % g.kernel_width, first + p);
          right = right && columns[row * width + p] == (place < 0 ? T(0) : image[static_cast<std::size_t>(place)]);
        }
      }
      CAPTURE(&g - geometries);
      CAPTURE(first);
      CHECK(right);
    });
  }
}

TEST_CASE_TEMPLATE("col2im_add adds every column element to the pixel it came from", T, float, double) {
  for (const auto& g : geometries) {
    const std::size_t size = g.channels * g.height * g.width;
    for_each_part(g, [&](std::size_t first_channel, std::size_t last_channel, std::size_t first, std::size_t last) {
      const std::size_t rows = (last_channel - first_channel) * g.taps();
      const std::size_t width = last - first;
      const auto columns = random_values<T>(rows * width, 2);
      auto image = random_values<T>(size, 3);
      std::vector<double> expected(image.begin(), image.end());
      for (std::size_t row = 0; row < rows; ++row) {
        const std::size_t tap = row % g.taps();
        for (std::size_t p = 0; p < width; ++p) {
          const auto place = place_under(g, first_channel + row / g.taps(), tap / g.kernel_width, tap % g.kernel_width, first + p);
          if (place >= 0) expected[static_cast<std::size_t>(place)] += static_cast<double>(columns[row * width + p]);
        }
      }
      kernels::col2im_add(g, columns.data(), first_channel, last_channel, first, last, image.data());
      double worst = 0;
      for (std::size_t k = 0; k < size; ++k) worst = std::max(worst, std::abs(static_cast<double>(image[k]) - expected[k]));
      CAPTURE(&g - geometries);
      CHECK(worst < testing::rounding<T>);
    });
  }
}

TEST_CASE("padding is 0 even where the buffer held NaN before") {
  const convolution_geometry g{1, 1, 1, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1};
  std::vector<float> columns(9, std::numeric_limits<float>::quiet_NaN());
  const float pixel = 2;
  kernels::im2col(g, &pixel, 0, 1, 0, 1, columns.data());
  CHECK(columns == std::vector<float>{0, 0, 0, 0, 2, 0, 0, 0, 0});
}

TEST_CASE("only a 1x1 kernel without stride and padding reads the image as it is") {
  const convolution_geometry point{2, 4, 5, 1, 1, 1, 1, 0, 0, 1, 1, 4, 5};
  CHECK(point.is_pointwise());
  auto other = point;
  other.kernel_width = 2;
  CHECK_FALSE(other.is_pointwise());
  other = point;
  other.stride_height = 2;
  CHECK_FALSE(other.is_pointwise());
  other = point;
  other.padding_left = 1;
  CHECK_FALSE(other.is_pointwise());
  other = point;
  other.out_width = 7;  // padded on the right only
  CHECK_FALSE(other.is_pointwise());
  other = point;
  other.dilation_height = 9;  // of one tap: nothing
  CHECK(other.is_pointwise());
}

}  // namespace
