#include <deconvnet/kernels/window_maximum.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace kernels = deconvnet::kernels;

namespace {

/// A map with its borders, and the maxima of a row of windows by plain loops.
template <class T>
struct bordered_map {
  std::size_t height, width, border, pitch;
  std::vector<T> values;

  bordered_map(std::size_t h, std::size_t w, std::size_t b)
      : height(h), width(w), border(b), pitch(2 * b + w + 64), values(h * pitch, -std::numeric_limits<T>::infinity()) {
    for (std::size_t y = 0; y < h; ++y) {
      for (std::size_t x = 0; x < w; ++x) values[y * pitch + b + x] = static_cast<T>((y * 31 + x * 17) % 13);
    }
  }
};

}  // namespace

TEST_CASE_TEMPLATE("maxima and their places are those of plain loops; of equal ones the first in row-major order", T, float, double) {
  const auto kernel = kernels::current_window_maximum<T>();
  for (const std::size_t stride : {1u, 2u}) {
    for (const std::size_t windows : {1u, 3u, 7u, 16u, 23u}) {
      for (const std::size_t taps : {1u, 2u, 3u, 5u}) {
        const bordered_map<T> map(9, stride * (windows - 1) + 2 * (taps - 1) + 1, 1);
        std::vector<T> to(windows + 1, T(99));
        std::vector<std::uint32_t> places(windows + 1, 99);
        kernels::window_row<T> row{map.values.data(), map.pitch, 1, map.width, 2, taps, 1, taps, 2, stride,
                                   windows, to.data(), windows, places.data()};
        kernel.row(row);
        std::vector<T> alone(windows + 1, T(99));
        row.to = alone.data();
        row.places = nullptr;
        kernel.row(row);
        for (std::size_t k = 0; k < windows; ++k) {
          T best = -std::numeric_limits<T>::infinity();
          std::uint32_t place = kernels::no_place;
          for (std::size_t i = 0; i < taps; ++i) {
            for (std::size_t j = 0; j < taps; ++j) {
              const std::size_t column = k * stride + 2 * j;
              const T value = map.values[(2 + i) * map.pitch + column];
              if (!(value > best)) continue;
              best = value;
              place = static_cast<std::uint32_t>((2 + i) * map.width + column - 1);
            }
          }
          CHECK(to[k] == best);
          CHECK(alone[k] == best);
          CHECK(places[k] == place);
        }
        CHECK(to[windows] == T(99));
        CHECK(places[windows] == 99);
      }
    }
  }
}

TEST_CASE("NaN wins, the first one; a window of nothing but minus infinity has no place") {
  const auto kernel = kernels::current_window_maximum<float>();
  std::vector<float> map(128, -std::numeric_limits<float>::infinity());
  map[4] = 5;
  map[5] = std::nanf("");
  map[6] = 7;
  std::vector<float> to(3);
  std::vector<std::uint32_t> places(3);
  kernel.row({map.data(), 128, 0, 128, 0, 1, 1, 4, 1, 2, 3, to.data(), 3, places.data()});
  CHECK(places[0] == kernels::no_place);
  CHECK(std::isnan(to[1]));
  CHECK(places[1] == 5);
  CHECK(places[2] == 5);
}

TEST_CASE_TEMPLATE("maxima of columns are those of plain loops, NaN wins, nothing past the row is read or written", T, float, double) {
  const auto kernel = kernels::current_window_maximum<T>();
  for (const std::size_t width : {1u, 3u, 8u, 17u, 40u}) {
    for (const std::size_t taps : {1u, 2u, 3u}) {
      std::vector<T> map(taps * width), to(width + 1, T(99));
      for (std::size_t k = 0; k < map.size(); ++k) map[k] = static_cast<T>(k * 29 % 31);
      const std::size_t unknown = width / 2;
      map[unknown] = std::numeric_limits<T>::quiet_NaN();
      kernel.columns({map.data(), width, taps, width, to.data()});
      for (std::size_t x = 0; x < width; ++x) {
        T best = map[x];
        for (std::size_t i = 1; i < taps; ++i) best = std::max(best, map[i * width + x]);
        if (x == unknown) {
          CHECK(std::isnan(to[x]));
        } else {
          CHECK(to[x] == best);
        }
      }
      CHECK(to[width] == T(99));
    }
  }
}
