#include <deconvnet/training/cross_entropy.hpp>

#include <cmath>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

namespace dn = deconvnet;

TEST_CASE("cross_entropy is the mean of -log softmax at the label") {
  const dn::tensor4<double> logits{{{{1}}, {{2}}, {{3}}}, {{{0}}, {{0}}, {{0}}}};
  const std::vector<std::size_t> labels{2, 0};
  const double sum = std::exp(1) + std::exp(2) + std::exp(3);
  const auto result = dn::cross_entropy(logits, labels);
  CHECK(result.loss == doctest::Approx((std::log(sum) - 3 + std::log(3)) / 2).epsilon(1e-14));
  CHECK(result.correct == 2);  // of equal logits the first counts
}

TEST_CASE("its gradient is that of finite differences") {
  dn::tensor4<double> logits{{{{1}}, {{-2}}, {{3}}, {{0.5}}}, {{{0.1}}, {{4}}, {{0}}, {{-1}}}};
  const std::vector<std::size_t> labels{1, 3};
  dn::tensor4<double> gradient;
  dn::cross_entropy(logits, labels, &gradient);
  for (std::size_t k = 0; k < logits.size(); ++k) {
    const double kept = logits.data()[k];
    logits.data()[k] = kept + 1e-5;
    const double above = dn::cross_entropy(logits, labels).loss;
    logits.data()[k] = kept - 1e-5;
    const double below = dn::cross_entropy(logits, labels).loss;
    logits.data()[k] = kept;
    CHECK(gradient.data()[k] == doctest::Approx((above - below) / 2e-5).epsilon(1e-8));
  }
}

TEST_CASE("logits of any size give a finite loss, and NaN shows") {
  dn::tensor4<float> logits = dn::zeros<float>({1, 2, 1, 1});
  logits.data()[0] = 3e38f;
  logits.data()[1] = -3e38f;
  const std::vector<std::size_t> right{0}, wrong{1};
  CHECK(dn::cross_entropy(logits, right).loss == 0);
  CHECK(std::isfinite(dn::cross_entropy(logits, wrong).loss));
  logits.data()[1] = std::numeric_limits<float>::quiet_NaN();
  CHECK(std::isnan(dn::cross_entropy(logits, wrong).loss));
}

TEST_CASE("labels that do not fit are named") {
  const auto logits = dn::zeros<float>({2, 3, 1, 1});
  const std::vector<std::size_t> one{0}, outside{0, 3};
  CHECK_THROWS_WITH_AS(dn::cross_entropy(logits, one), doctest::Contains("1 labels for logits of 2 x 3 x 1 x 1"), dn::shape_error);
  CHECK_THROWS_WITH_AS(dn::cross_entropy(logits, outside), doctest::Contains("label 3 of image 1"), dn::error);
  CHECK_THROWS_AS(dn::cross_entropy(dn::zeros<float>({2, 3, 2, 1}), outside), dn::shape_error);
}
