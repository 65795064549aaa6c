#include <deconvnet/analysis/class_output.hpp>

#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include <deconvnet/ops/conv2d.hpp>
#include <deconvnet/ops/reshape.hpp>
#include <deconvnet/ops/softmax.hpp>

namespace dn = deconvnet;

TEST_CASE("a softmax at the end is found through layers that change no value, and the scores before it") {
  dn::network<float> net({3, 1, 1});
  net.add("scores", dn::conv2d<float>(dn::tensor4<float>({4, 3, 1, 1}, 1.f)));
  CHECK_FALSE(dn::detail::final_softmax(net));
  CHECK(dn::detail::score_layer(net) == 0);
  net.add("probabilities", dn::softmax{});
  net.add("flat", dn::flatten{});
  CHECK(dn::detail::final_softmax(net) == 1);
  CHECK(dn::detail::score_layer(net) == 0);
  net.add("more", dn::conv2d<float>(dn::tensor4<float>({4, 4, 1, 1}, 1.f)));
  CHECK_FALSE(dn::detail::final_softmax(net));
  CHECK(dn::detail::score_layer(net) == 3);
  dn::network<float> bare;
  bare.add("probabilities", dn::softmax{});
  CHECK_THROWS_AS(dn::detail::score_layer(bare), dn::error);
}

TEST_CASE("an output has classes, a map has not") {
  CHECK(dn::detail::class_count({2, 10, 1, 1}) == 10);
  CHECK(dn::detail::class_count({2, 1, 1, 10}) == 10);
  CHECK(dn::detail::class_count({2, 1, 1, 1}) == 1);
  CHECK_THROWS_AS(dn::detail::class_count({2, 10, 2, 1}), dn::shape_error);
  CHECK_THROWS_AS(dn::detail::check_label("x", 10, 10), dn::error);
}

TEST_CASE("the first of the largest scores is predicted, its probability is the softmax") {
  const std::vector<float> scores = {1, 3, 3, -1000};
  CHECK(dn::detail::predicted_class<float>(scores) == 1);
  const double expected = 1 / (2 + std::exp(-2.0));
  CHECK(dn::detail::probability_of<float>(scores, 2, false) == doctest::Approx(expected));
  CHECK(dn::detail::probability_of<float>(scores, 3, false) == 0);
  CHECK(dn::detail::probability_of<float>(scores, 2, true) == 3);
  const std::vector<double> broken = {1, std::numeric_limits<double>::quiet_NaN()};
  CHECK_THROWS_AS(dn::detail::predicted_class<double>(broken), dn::error);
}
