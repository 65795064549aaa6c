#include <deconvnet/training/batch_statistics.hpp>

#include <cmath>
#include <vector>

#include <doctest/doctest.h>


namespace dn = deconvnet;

TEST_CASE("batch normalization in training gives every channel mean beta and deviation gamma") {
  const xt::xtensor<double, 1> gamma{2, 0.5}, beta{1, -3}, mean{9, 9}, variance{9, 9};
  const dn::batch_norm<double> op(gamma, beta, mean, variance, 0.0);
  auto x = dn::zeros<double>({3, 2, 3, 5});
  for (std::size_t k = 0; k < x.size(); ++k) x.data()[k] = std::sin(static_cast<double>(k * k));
  dn::tensor4<double> y;
  dn::detail::batch_statistics<double> statistics;
  dn::detail::batch_norm_training(op, x, y, statistics);
  for (std::size_t c = 0; c < 2; ++c) {
    double sum = 0, squares = 0;
    for (std::size_t n = 0; n < 3; ++n) {
      for (std::size_t k = 0; k < 15; ++k) {
        const double value = y.data()[(n * 2 + c) * 15 + k];
        sum += value;
        squares += (value - beta(c)) * (value - beta(c));
      }
    }
    CHECK(sum / 45 == doctest::Approx(beta(c)));
    CHECK(std::sqrt(squares / 45) == doctest::Approx(gamma(c)));
    CHECK(statistics.unbiased(c) == doctest::Approx(statistics.variance[c] * 45 / 44));
  }
}
