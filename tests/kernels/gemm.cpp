#include <deconvnet/kernels/gemm.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <initializer_list>
#include <vector>

#include <doctest/doctest.h>

#include "../tensor/values.hpp"
#include "levels.hpp"

// A matrix matrix_product whose columns are single pixels, so that only the cutting into panels, blocks and rows is at work; the
// patches are tested in patches.cpp and at the operators.
namespace {

using namespace deconvnet;
using testing::random_values;

template <class T>
struct matrix_product {
  std::size_t rows, images, height, width, depth;
  bool direct;
  std::size_t slack;
  std::vector<T> a, b, bias;

  matrix_product(std::size_t r, std::size_t n, std::size_t h, std::size_t w, std::size_t k, bool maps_as_columns, std::size_t beyond = 0)
      : rows(r), images(n), height(h), width(w), depth(k), direct(maps_as_columns), slack(beyond), a(random_values<T>(r * k, 1)),
        b(random_values<T>(n * k * h * w + beyond, 2)), bias(random_values<T>(r, 3)) {}

  std::size_t places() const { return height * width; }

  /// A is stored backwards, to see that the offsets are followed. Places lie `pitch` apart in the result.
  std::vector<T> run(bool rectify, std::size_t pitch, bool packed_before = true) const {
    std::vector<std::size_t> backwards;
    for (std::size_t k = 0; k < depth; ++k) backwards.push_back(depth - 1 - k);
    std::vector<T> packed(rows * depth);
    const kernels::gemm_rows<T> as_it_lies{a.data(), rows, depth, depth, 0, backwards};
    kernels::pack_rows(as_it_lies, kernels::current_gemm_tiles<T>().rows, packed.data());
    const auto weights = packed_before ? kernels::gemm_weights<T>{packed.data(), rows, depth} : kernels::unpacked_weights(as_it_lies);
    const kernels::patch_tap tap[] = {kernels::every_place(width)};
    kernels::gemm_columns<T> columns{{b.data(), depth * places(), places(), width, static_cast<std::ptrdiff_t>(height), 1,
                                      height, width, tap}, images, nullptr, slack};
    if (direct) columns.rows = kernels::readable_rows(columns.source, depth);
    std::vector<T> c(images * rows * places() * pitch, T(-7));
    kernels::gemm(weights, columns, kernels::gemm_result<T>{c.data(), rows * places() * pitch, places() * pitch, width * pitch, pitch,
                                                            bias.data(), rectify});
    return c;
  }

  double expected(std::size_t n, std::size_t r, std::size_t place) const {
    double sum = static_cast<double>(bias[r]);
    for (std::size_t k = 0; k < depth; ++k) {
      sum += static_cast<double>(a[r * depth + depth - 1 - k]) * static_cast<double>(b[(n * depth + k) * places() + place]);
    }
    return sum;
  }

  double worst(const std::vector<T>& c, bool rectify, std::size_t pitch) const {
    double error = 0;
    for (std::size_t i = 0; i < images * rows * places(); ++i) {
      const double right = expected(i / places() / rows, i / places() % rows, i % places());
      error = std::max(error, std::abs(static_cast<double>(c[i * pitch]) - (rectify ? std::max(right, 0.0) : right)));
    }
    return error;
  }
};

TEST_CASE_TEMPLATE("every number of rows, columns and summands, at every kernel level", T, float, double) {
  testing::at_every_level([] {
    for (const std::size_t rows : std::initializer_list<std::size_t>{1, 2, 3, 5, 7, 8, 9, 17}) {
      for (const std::size_t width : std::initializer_list<std::size_t>{1, 3, 8, 15, 16, 17, 47, 48, 49, 100}) {
        for (const std::size_t depth : std::initializer_list<std::size_t>{1, 2, 5, 7, 256, 300}) {
          for (const std::size_t slack : std::initializer_list<std::size_t>{0, 16}) {
            const matrix_product<T> one(rows, 1, 1, width, depth, true, slack);
            const auto c = one.run(false, 1);
            CHECK(one.worst(c, false, 1) < 30 * testing::rounding<T>);
            CHECK(one.run(false, 1, false) == c);
          }
        }
      }
    }
  });
}

TEST_CASE_TEMPLATE("panels that pass from one image to the next, packed or not, dense or apart", T, float, double) {
  testing::at_every_level([] {
    for (const bool direct : {false, true}) {
      for (const std::size_t pitch : std::initializer_list<std::size_t>{1, 3}) {
        const matrix_product<T> one(11, 5, 3, 7, 40, direct);
        const auto c = one.run(true, pitch);
        CHECK(one.run(true, pitch, false) == c);
        CHECK(one.worst(c, true, pitch) < 30 * testing::rounding<T>);
        for (std::size_t k = 0; k < c.size(); ++k) {
          if (k % pitch != 0) CHECK(c[k] == T(-7));
        }
      }
    }
  });
}

TEST_CASE("maps are read where they lie, or packed, with the same bits; packed where they share sets of the cache") {
  const kernels::patch_tap tap[] = {kernels::every_place(64 * 64)};
  const auto readable = [&](std::size_t pitch, std::size_t depth) {
    return kernels::readable_rows(kernels::patch_source<float>{nullptr, 0, pitch, 64 * 64, 1, 1, 1, 64 * 64, tap}, depth) != nullptr;
  };
  CHECK(readable(55 * 55, 512));
  CHECK(!readable(224 * 224, 64));
  CHECK(readable(224 * 224, 8));
  CHECK(!readable(112 * 112, 33));
  CHECK(readable(112 * 112, 32));
  const matrix_product<float> one(19, 2, 2, 75, 200, true, 16), packed(19, 2, 2, 75, 200, false);
  CHECK(std::equal(packed.b.begin(), packed.b.end(), one.b.begin()));
  CHECK(one.run(false, 1) == packed.run(false, 1));
}

TEST_CASE_TEMPLATE("what follows a row of the result is written only where it may be", T, float, double) {
  testing::at_every_level([] {
    for (const std::size_t width : std::initializer_list<std::size_t>{1, 15, 24, 33, 70}) {
      for (const std::size_t slack : std::initializer_list<std::size_t>{0, 3, 16}) {
        const matrix_product<T> one(6, 2, 1, width, 20, true);
        const std::size_t pitch = width + slack + 1;
        std::vector<T> packed(6 * 20), c(2 * 6 * pitch, T(-7));
        kernels::pack_rows(kernels::contiguous_rows(one.a.data(), 6, 20), kernels::current_gemm_tiles<T>().rows, packed.data());
        const kernels::patch_tap tap[] = {kernels::every_place(width)};
        kernels::gemm(kernels::gemm_weights<T>{packed.data(), 6, 20},
                      kernels::maps_as_columns<T>(one.b.data(), 2, 20 * width, tap, 20),
                      kernels::gemm_result<T>{c.data(), 6 * pitch, pitch, width, 1, nullptr, false, slack});
        for (std::size_t row = 0; row < 12; ++row) {
          for (std::size_t j = 0; j < width; ++j) {
            double sum = 0;
            for (std::size_t k = 0; k < 20; ++k) {
              sum += static_cast<double>(one.a[row % 6 * 20 + k]) * static_cast<double>(one.b[(row / 6 * 20 + k) * width + j]);
            }
            CHECK(std::abs(static_cast<double>(c[row * pitch + j]) - sum) < 30 * testing::rounding<T>);
          }
          CHECK(c[row * pitch + width + slack] == T(-7));
        }
      }
    }
  });
}

TEST_CASE("more rows than a block of them holds in the cache, cut into bands") {
  const matrix_product<float> one(700, 1, 1, 60, 200, true);
  const auto c = one.run(false, 1);
  CHECK(one.worst(c, false, 1) < 30 * testing::rounding<float>);
  CHECK(one.run(false, 1, false) == c);
}

TEST_CASE("no summand leaves the bias, and no thread count changes a bit") {
  matrix_product<float> nothing(9, 2, 2, 3, 0, false);
  for (const bool packed_before : {false, true}) {
    for (const float value : nothing.run(false, 1, packed_before)) CHECK(std::find(nothing.bias.begin(), nothing.bias.end(), value) != nothing.bias.end());
  }
  const matrix_product<float> one(70, 3, 9, 11, 600, false);
  const auto first = one.run(false, 1);
  for (const std::size_t threads : std::initializer_list<std::size_t>{1, 2, 3, 5}) {
    set_thread_count(threads);
    CHECK(one.run(false, 1) == first);
    CHECK(one.run(false, 1, false) == first);
  }
  set_thread_count(0);
}

}  // namespace
