#include <deconvnet/kernels/gemm_tile.hpp>

#include <cmath>
#include <cstddef>
#include <initializer_list>
#include <vector>

#include <doctest/doctest.h>

#include "../tensor/values.hpp"
#include "levels.hpp"

namespace {

using namespace deconvnet;
using testing::random_values;

/// One call of a tile kernel, and the same sums one product after the other.
template <class T>
struct tile_call {
  std::size_t step, vectors, tiles, depth;
  bool packed, begins, rectify;
  std::size_t ahead;
  bool copies = false, packs = false;

  std::size_t rows() const { return std::size_t{1} << step; }

  std::size_t wrong_elements() const {
    const auto set = kernels::current_gemm_tiles<T>();
    const std::size_t width = vectors * set.lanes, pitch = width + 3, b_pitch = packed ? width : width + 5;
    const auto a = random_values<T>(tiles * rows() * depth + 1, 1), b = random_values<T>((depth + 1) * b_pitch + ahead + 3 * set.lanes, 2);
    const auto before = random_values<T>(tiles * rows() * pitch, 3), start = random_values<T>(tiles * rows(), 4);
    // What is not packed lies in any order.
    std::vector<std::size_t> places(depth + 1);
    for (std::size_t k = 0; k < depth; ++k) places[k] = (packed ? k : depth - 1 - k) * b_pitch;
    auto c = before;
    std::vector<T> copy(depth * width + 1, T(-77));
    // A as it lies before it is packed: each row backwards, with a gap to the next.
    const std::size_t a_pitch = depth + 2;
    std::vector<T> lying(tiles * rows() * a_pitch), packed_now(a.size(), T(-77));
    std::vector<std::size_t> columns(depth);
    for (std::size_t k = 0; k < depth; ++k) columns[k] = depth - 1 - k;
    for (std::size_t k = 0; k + 1 < a.size(); ++k) {
      lying[(k / (rows() * depth) * rows() + k % rows()) * a_pitch + columns[k % (rows() * depth) / rows()]] = a[k];
    }
    const kernels::unpacked_rows<T> unpacked{lying.data(), a_pitch, columns.data(), packed_now.data()};
    set.run[step][vectors - 1]({depth, tiles, packs ? nullptr : a.data(), rows() * depth, b.data(), packed ? set.packed_rows[vectors - 1] : places.data(), ahead,
                                copies ? copy.data() : nullptr, c.data(), pitch, 0, begins, start.data(), rectify,
                                packs ? &unpacked : nullptr});
    std::size_t wrong = 0;
    for (std::size_t row = 0; row < tiles * rows(); ++row) {
      for (std::size_t column = 0; column < pitch; ++column) {
        T sum = begins ? start[row] : T(0);
        for (std::size_t k = 0; k < depth && column < width; ++k) {
          const T left = a[row / rows() * rows() * depth + k * rows() + row % rows()], right = b[places[k] + column];
          sum = std::fma(left, right, sum);
        }
        if (!begins) sum += before[row * pitch + column];
        if (rectify && sum < 0) sum = 0;
        const T is = c[row * pitch + column];
        // What the portable kernels fuse is the compiler's choice.
        const double allowed = current_level() == kernel_level::portable ? 5 * testing::rounding<T> : 0;
        wrong += !(column < width ? std::abs(static_cast<double>(is) - static_cast<double>(sum)) <= allowed : is == before[row * pitch + column]);
      }
    }
    for (std::size_t k = 0; copies && k < depth * width; ++k) wrong += copy[k] != b[places[k / width] + k % width];
    for (std::size_t k = 0; packs && k + 1 < a.size(); ++k) wrong += packed_now[k] != a[k];
    return wrong + (copy.back() != T(-77)) + (packed_now.back() != T(-77));
  }
};

}  // namespace

TEST_CASE_TEMPLATE("every tile of every level sums in the order of k, to the last bit, and writes nothing else", T, float, double) {
  testing::at_every_level([] {
    const auto set = kernels::current_gemm_tiles<T>();
    for (std::size_t step = 0; step <= set.largest_step(); ++step) {
      for (std::size_t vectors = 1; vectors <= 3; ++vectors) {
        for (const std::size_t tiles : std::initializer_list<std::size_t>{1, 2, 3}) {
          for (const std::size_t depth : std::initializer_list<std::size_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 33, kernels::depth_block}) {
            for (const bool packed : {false, true}) {
              CAPTURE(step);
              CAPTURE(vectors);
              CAPTURE(tiles);
              CAPTURE(depth);
              CAPTURE(packed);
              CHECK(tile_call<T>{step, vectors, tiles, depth, packed, true, false, 0}.wrong_elements() == 0);
              CHECK(tile_call<T>{step, vectors, tiles, depth, packed, false, true, 0}.wrong_elements() == 0);
              CHECK(tile_call<T>{step, vectors, tiles, depth, packed, true, true, 7}.wrong_elements() == 0);
              if (step == set.largest_step()) {
                CHECK(tile_call<T>{step, vectors, tiles, depth, packed, false, true, 0, false, true}.wrong_elements() == 0);
              }
              if (step == set.largest_step() && vectors == 3 && tiles > 1 && !packed) {
                CHECK(tile_call<T>{step, vectors, tiles, depth, packed, false, true, 7, true}.wrong_elements() == 0);
              }
            }
          }
        }
      }
    }
  });
}
