#include <deconvnet/kernels/element.hpp>

#include <doctest/doctest.h>

#include <limits>
#include <vector>

namespace kernels = deconvnet::kernels;

namespace {

/// Numbers of both signs, of which some repeat, between -2 and 2.
template <class T>
std::vector<T> some_elements(std::size_t n, std::size_t step) {
  std::vector<T> values(n);
  for (std::size_t k = 0; k < n; ++k) values[k] = static_cast<T>((k * step + 3) % 41) / T(10) - T(2);
  return values;
}

/// Lengths around those of the registers, and longer ones with every kind of rest.
constexpr std::size_t element_counts[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 47, 64, 100, 257};

template <class T>
double element_rounding() {
  return 8 * static_cast<double>(std::numeric_limits<T>::epsilon());
}

}  // namespace

TEST_CASE_TEMPLATE("loops over elements do what their formulas say, for every length, and nothing beyond it", T, float, double) {
  const auto& loops = kernels::current_element_kernels<T>();
  const auto near = [](T value) { return doctest::Approx(static_cast<double>(value)).epsilon(element_rounding<T>()); };
  for (const std::size_t n : element_counts) {
    const auto x = some_elements<T>(n, 7);
    const auto y = some_elements<T>(n, 13);
    const auto z = some_elements<T>(n, 5);
    std::vector<T> to(n + 1, T(99));
    std::vector<T> product(n + 1, T(99));
    const auto check = [&](auto&& expected) {
      for (std::size_t k = 0; k < n; ++k) CHECK(static_cast<double>(to[k]) == near(expected(k)));
      CHECK(to[n] == T(99));
    };
    loops.rectify(x.data(), to.data(), n);
    check([&](std::size_t k) { return std::max(x[k], T(0)); });
    loops.mask(x.data(), y.data(), false, to.data(), n);
    check([&](std::size_t k) { return y[k] > 0 ? x[k] : T(0); });
    loops.mask(x.data(), y.data(), true, to.data(), n);
    check([&](std::size_t k) { return y[k] > 0 && x[k] > 0 ? x[k] : T(0); });
    loops.scale(x.data(), T(3), T(-1), to.data(), n);
    check([&](std::size_t k) { return T(3) * x[k] - T(1); });
    loops.combine(x.data(), y.data(), 2.0, -3.0, 0.5, to.data(), n);
    check([&](std::size_t k) { return T(2) * x[k] - T(3) * y[k] + T(0.5); });
    std::copy(z.begin(), z.end(), to.begin());
    loops.add(x.data(), T(2), to.data(), n);
    check([&](std::size_t k) { return z[k] + T(2) * x[k]; });
    std::copy(z.begin(), z.end(), to.begin());
    const T* const rows[] = {x.data(), y.data(), x.data()};
    loops.add_rows(rows, 3, to.data(), n);
    check([&](std::size_t k) { return z[k] + x[k] + y[k] + x[k]; });
    std::copy(z.begin(), z.end(), to.begin());
    loops.add_squares(x.data(), to.data(), n);
    check([&](std::size_t k) { return z[k] + x[k] * x[k]; });
    std::copy(z.begin(), z.end(), to.begin());
    loops.subtract_product(x.data(), y.data(), T(2), to.data(), n);
    check([&](std::size_t k) { return z[k] - T(2) * x[k] * y[k]; });

    std::vector<T> sums(n);
    for (std::size_t k = 0; k < n; ++k) sums[k] = y[k] * y[k];
    const auto s = [&](std::size_t k) { return T(2) + T(0.5) * sums[k]; };
    loops.normalize(x.data(), sums.data(), T(2), T(0.5), to.data(), n);
    check([&](std::size_t k) { return x[k] * std::pow(s(k), T(-0.75)); });
    loops.normalize_signal(z.data(), x.data(), sums.data(), T(2), T(0.5), product.data(), to.data(), n);
    check([&](std::size_t k) { return z[k] * std::pow(s(k), T(-0.75)); });
    for (std::size_t k = 0; k < n; ++k) {
      CHECK(static_cast<double>(product[k]) == near(z[k] * x[k] * std::pow(s(k), T(-1.75))));
    }
    CHECK(product[n] == T(99));
  }
}

TEST_CASE_TEMPLATE("sums over a channel are those of a plain loop, rests of registers included", T, float, double) {
  const auto& loops = kernels::current_element_kernels<T>();
  for (const std::size_t n : element_counts) {
    const auto x = some_elements<T>(n, 7);
    const auto g = some_elements<T>(n, 11);
    double first = 0, second = 0, total = 0, product = 0;
    for (std::size_t k = 0; k < n; ++k) {
      const double away = static_cast<double>(x[k]) - 1.5;
      first += away;
      second += away * away;
      total += static_cast<double>(g[k]);
      product += static_cast<double>(g[k]) * away;
    }
    const auto moments = loops.moments(x.data(), 1.5, n);
    CHECK(moments.first == doctest::Approx(first).epsilon(1e-12));
    CHECK(moments.second == doctest::Approx(second).epsilon(1e-12));
    const auto products = loops.products(g.data(), x.data(), 1.5, n);
    CHECK(products.first == doctest::Approx(total).epsilon(1e-12));
    CHECK(products.second == doctest::Approx(product).epsilon(1e-12));
  }
}

TEST_CASE("NaN stays NaN through a ReLU, and what was NaN on the way up lets nothing down") {
  const auto& loops = kernels::current_element_kernels<float>();
  const std::vector<float> x{std::nanf(""), -1, 2};
  std::vector<float> to(3);
  loops.rectify(x.data(), to.data(), 3);
  CHECK(std::isnan(to[0]));
  CHECK(to[2] == 2);
  const std::vector<float> signal{1, 1, 1};
  loops.mask(signal.data(), x.data(), false, to.data(), 3);
  CHECK(to == std::vector<float>{0, 0, 1});
}
