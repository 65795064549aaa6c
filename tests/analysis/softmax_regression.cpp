#include <deconvnet/analysis/softmax_regression.hpp>

#include <random>

#include <doctest/doctest.h>

#include "../tensor/values.hpp"
#include "thread_count.hpp"

namespace dn = deconvnet;
using namespace deconvnet::testing;

namespace {

/// Rows around one centre per class, far apart or not.
dn::tensor<double, 2> clouds(const std::vector<std::size_t>& labels, std::size_t width, double apart, unsigned seed) {
  auto features = random_matrix<double>(labels.size(), width, seed);
  for (std::size_t n = 0; n < labels.size(); ++n) features(n, labels[n] % width) += apart;
  return features;
}

std::vector<std::size_t> labels_of(std::size_t count, std::size_t classes) {
  std::vector<std::size_t> labels(count);
  for (std::size_t n = 0; n < count; ++n) labels[n] = n * 7 % classes;
  return labels;
}

}  // namespace

TEST_CASE("classes that lie apart are told apart, in rows that were not learned from too") {
  const auto labels = labels_of(60, 4);
  const auto classify = dn::softmax_regression{}(clouds(labels, 6, 5, 1), labels, 4);
  CHECK(classify(clouds(labels, 6, 5, 1)) == labels);
  CHECK(classify(clouds(labels, 6, 5, 2)) == labels);
}

TEST_CASE("it ends where the derivative of the penalized likelihood is zero") {
  const auto labels = labels_of(50, 3);
  const auto features = clouds(labels, 5, 0.5, 3);
  const auto classify = dn::softmax_regression{.l2 = 0.01, .iterations = 2000, .tolerance = 1e-10}(features, labels, 3);
  const auto sure = classify.probabilities(features);
  const auto x = classify.standardized(features);
  // The bias is not penalized: on average each class is as likely as it is frequent.
  for (std::size_t c = 0; c < 3; ++c) {
    const auto share = static_cast<double>(std::count(labels.begin(), labels.end(), c)) / 50;
    CHECK(sure.col(dn::detail::eigen_index(c)).mean() == doctest::Approx(share).epsilon(1e-6));
  }
  // Each weight is where the penalty balances the pull of the data: W = X^T (Y - P) / (N l2).
  dn::detail::row_matrix<double> pull = dn::detail::row_matrix<double>::Zero(5, 3);
  for (std::size_t n = 0; n < 50; ++n) {
    for (std::size_t c = 0; c < 3; ++c) {
      const auto row = dn::detail::eigen_index(n);
      const double residual = (labels[n] == c ? 1.0 : 0.0) - sure(row, dn::detail::eigen_index(c));
      pull.col(dn::detail::eigen_index(c)) += x.row(row).head(5).transpose() * residual / (50 * 0.01);
    }
  }
  // The logarithm of the odds of two classes at two rows differs by what these weights say.
  const auto odds = [&](Eigen::Index n) { return std::log(sure(n, 0) / sure(n, 1)); };
  for (Eigen::Index n = 1; n < 20; ++n) {
    const double expected = (x.row(n).head(5) - x.row(0).head(5)).dot(pull.col(0) - pull.col(1));
    CHECK(odds(n) - odds(0) == doctest::Approx(expected).epsilon(1e-6));
  }
}

TEST_CASE("threads change no bit, float and double agree") {
  const auto labels = labels_of(300, 5);
  const auto features = clouds(labels, 700, 0.5, 4);
  const auto expected = dn::softmax_regression{.iterations = 20}(features, labels, 5).probabilities(features);
  for (const std::size_t threads : {1u, 3u}) {
    const thread_count_for_test with(threads);
    CHECK(dn::softmax_regression{.iterations = 20}(features, labels, 5).probabilities(features) == expected);
  }
  const dn::tensor<float, 2> rough = xt::cast<float>(features);
  const auto near = dn::softmax_regression{.iterations = 20}(rough, labels, 5).probabilities(rough);
  CHECK((near.cast<double>() - expected).cwiseAbs().maxCoeff() < 1e-4);
}

TEST_CASE("features that never change, of any size, do no harm") {
  const auto labels = labels_of(40, 2);
  auto features = clouds(labels, 4, 5, 5);
  for (std::size_t n = 0; n < 40; ++n) {
    features(n, 2) = 0.1;
    features(n, 3) *= 1e9;
  }
  const auto classify = dn::softmax_regression{}(features, labels, 2);
  CHECK(classify(features) == labels);
  const dn::tensor<double, 2> flat({40, 3}, 1.);
  const auto sure = dn::softmax_regression{}(flat, labels, 3).probabilities(flat);
  CHECK(sure(0, 0) == doctest::Approx(0.5).epsilon(0.01));
  CHECK(sure(0, 2) < 0.01);
}

TEST_CASE("what does not fit is refused") {
  const auto labels = labels_of(10, 2);
  auto features = clouds(labels, 3, 1, 6);
  const dn::softmax_regression fit;
  CHECK_THROWS_AS(fit(features, std::span(labels).first(9), 2), dn::shape_error);
  CHECK_THROWS_AS(fit(features, labels, 1), dn::error);
  CHECK_THROWS_AS(fit(features, labels, 0), dn::error);
  CHECK_THROWS_AS(fit(dn::tensor<double, 2>({0, 3}, 0.), {}, 2), dn::shape_error);
  CHECK_THROWS_AS(fit(features, labels, 2)(dn::tensor<double, 2>({1, 4}, 0.)), dn::shape_error);
  CHECK_THROWS_AS(dn::softmax_regression{.l2 = -1}(features, labels, 2), dn::error);
  features(4, 1) = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_WITH_AS(fit(features, labels, 2), doctest::Contains("feature 1 of row 4"), dn::error);
}
