#include <deconvnet/training/dropout_mask.hpp>

#include <cmath>

#include <doctest/doctest.h>

namespace dn = deconvnet;

TEST_CASE("a dropout mask keeps its share, and the factor makes up for the rest") {
  for (const double probability : {0.0, 0.2, 0.5, 0.9}) {
    const dn::dropout_mask mask(probability, 1, 2, 3);
    constexpr std::size_t count = 100000;
    std::size_t kept = 0;
    for (std::size_t k = 0; k < count; ++k) kept += mask.keeps(k) ? 1u : 0u;
    const double expected = (1 - probability) * count;
    CHECK(std::abs(static_cast<double>(kept) - expected) <= 5 * std::sqrt(count * probability * (1 - probability)));
    CHECK(mask.factor() * (1 - probability) == doctest::Approx(1));
  }
}

TEST_CASE("masks of other seeds, steps and layers are other masks; the same numbers give the same") {
  const dn::dropout_mask mask(0.5, 1, 2, 3);
  const auto agreement = [&](const dn::dropout_mask& other) {
    std::size_t same = 0;
    for (std::size_t k = 0; k < 10000; ++k) same += mask.keeps(k) == other.keeps(k) ? 1u : 0u;
    return same;
  };
  CHECK(agreement({0.5, 1, 2, 3}) == 10000);
  for (const auto& other : {dn::dropout_mask(0.5, 2, 2, 3), dn::dropout_mask(0.5, 1, 3, 3), dn::dropout_mask(0.5, 1, 2, 4)}) {
    CHECK(agreement(other) > 4700);
    CHECK(agreement(other) < 5300);
  }
}

TEST_CASE("a probability that is none is refused") {
  CHECK_THROWS_AS(dn::dropout_mask(1.0, 0, 0, 0), dn::error);
  CHECK_THROWS_AS(dn::dropout_mask(-0.1, 0, 0, 0), dn::error);
}
