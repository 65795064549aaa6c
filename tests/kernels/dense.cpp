#include <deconvnet/kernels/dense.hpp>

#include <algorithm>
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

template <class T>
struct fully_connected {
  std::size_t images, inputs, outputs;
  std::vector<T> x, weight, bias;

  fully_connected(std::size_t n, std::size_t in, std::size_t out)
      : images(n), inputs(in), outputs(out), x(random_values<T>(n * in, 1)), weight(random_values<T>(in * out, 2)),
        bias(random_values<T>(out, 3)) {}

  std::vector<T> run() const {
    std::vector<T> y(images * outputs);
    kernels::dense(x.data(), images, inputs, weight.data(), outputs, bias.data(), y.data());
    return y;
  }

  double worst() const {
    const auto y = run();
    double error = 0;
    for (std::size_t k = 0; k < y.size(); ++k) {
      double right = static_cast<double>(bias[k % outputs]);
      for (std::size_t i = 0; i < inputs; ++i) {
        right += static_cast<double>(weight[k % outputs * inputs + i]) * static_cast<double>(x[k / outputs * inputs + i]);
      }
      error = std::max(error, std::abs(static_cast<double>(y[k]) - right));
    }
    return error;
  }

  double worst_adjoint() const {
    const auto signal = random_values<T>(images * outputs, 4);
    std::vector<T> down(images * inputs);
    kernels::dense_adjoint(signal.data(), images, outputs, weight.data(), inputs, down.data());
    double error = 0;
    for (std::size_t k = 0; k < down.size(); ++k) {
      double right = 0;
      for (std::size_t o = 0; o < outputs; ++o) {
        right += static_cast<double>(weight[o * inputs + k % inputs]) * static_cast<double>(signal[k / inputs * outputs + o]);
      }
      error = std::max(error, std::abs(static_cast<double>(down[k]) - right));
    }
    return error;
  }
};

TEST_CASE_TEMPLATE("every number of images, inputs and outputs, at every kernel level, up and down", T, float, double) {
  testing::at_every_level([] {
    for (const std::size_t images : std::initializer_list<std::size_t>{1, 2, 5, 70}) {
      for (const std::size_t inputs : std::initializer_list<std::size_t>{1, 3, 160, 323}) {
        for (const std::size_t outputs : std::initializer_list<std::size_t>{1, 7, 8, 19, 48, 49}) {
          CAPTURE(images);
          CAPTURE(inputs);
          CAPTURE(outputs);
          const fully_connected<T> one(images, inputs, outputs);
          CHECK(one.worst() < 30 * testing::rounding<T>);
          CHECK(one.worst_adjoint() < 30 * testing::rounding<T>);
        }
      }
    }
  });
}

TEST_CASE("an image has the same bits alone, in a batch and for any number of threads") {
  testing::at_every_level([] {
    const fully_connected<float> all(67, 501, 43);
    const auto together = all.run();
    for (const std::size_t threads : std::initializer_list<std::size_t>{1, 2, 5}) {
      set_thread_count(threads);
      CHECK(all.run() == together);
    }
    set_thread_count(0);
    for (const std::size_t n : std::initializer_list<std::size_t>{0, 5, 66}) {
      std::vector<float> y(43);
      kernels::dense(all.x.data() + n * 501, 1, 501, all.weight.data(), 43, all.bias.data(), y.data());
      CHECK(std::equal(y.begin(), y.end(), together.begin() + static_cast<std::ptrdiff_t>(n * 43)));
    }
  });
}

}  // namespace
