#include <deconvnet/report/axis.hpp>

#include <limits>

#include <doctest/doctest.h>

namespace dn = deconvnet;

namespace {

std::string labels(const dn::axis_range& range, std::size_t most = 5) {
  std::string joined;
  for (const auto& one : dn::ticks_of(range, most)) joined += (joined.empty() ? "" : " ") + one.label;
  return joined;
}

}  // namespace

TEST_CASE("ticks are round numbers with as many decimals as they need") {
  CHECK(labels({0, 1}) == "0 0.2 0.4 0.6 0.8 1.0");
  CHECK(labels({0, 350}, 8) == "0 50 100 150 200 250 300 350");
  CHECK(labels({-60, 60}, 6) == "-60 -40 -20 0 20 40 60");
  CHECK(labels({1, 1.8}, 4) == "1.0 1.2 1.4 1.6 1.8");
  CHECK(labels({0.013, 0.048}) == "0.02 0.03 0.04");
  CHECK(labels({-0.3, 0.3}, 6) == "-0.3 -0.2 -0.1 0 0.1 0.2 0.3");
  CHECK(labels({0, 2e7}, 4) == "0 5.0e+06 1.0e+07 1.5e+07 2.0e+07");
}

TEST_CASE("there are never more ticks than asked for, and always within the range") {
  for (const double low : {-1e300, -7.3, -1e-9, 0.0, 3.0, 1e12}) {
    for (const double size : {1e-9, 0.37, 1.0, 99.0, 1e15, 1e300}) {
      if (low + size <= low * (1 + 1e-12)) continue;
      const dn::axis_range range{low, low + size};
      for (const std::size_t most : {1u, 3u, 10u}) {
        const auto found = dn::ticks_of(range, most);
        CHECK(found.size() <= most + 1);
        for (const auto& one : found) {
          CHECK(one.value >= range.low - 1e-6 * size);
          CHECK(one.value <= range.high + 1e-6 * size);
        }
      }
    }
  }
}

TEST_CASE("a range is that of the numbers, widened where they are all the same") {
  const std::vector<double> some = {3, -1, 2};
  CHECK(dn::range_of(some) == dn::axis_range{-1, 3});
  CHECK(dn::range_of({}) == dn::axis_range{0, 1});
  const std::vector<double> zero(3, 0.0);
  CHECK(dn::range_of(zero) == dn::axis_range{-1, 1});
  const std::vector<double> same(3, 50.0);
  CHECK(dn::range_of(same) == dn::axis_range{45, 55});
  const std::vector<double> tiny = {5e-324, 1e-323};
  CHECK(dn::range_of(tiny).high > 0.5);
  CHECK(dn::rounded({0.07, 0.93}) == dn::axis_range{0, 1});
  CHECK(dn::rounded({0, 1}) == dn::axis_range{0, 1});
  CHECK(dn::rounded({-57, 31}).low == -60);
}

TEST_CASE("numbers that are none are refused with their index") {
  const std::vector<double> broken = {1, std::numeric_limits<double>::quiet_NaN()};
  CHECK_THROWS_WITH_AS(dn::range_of(broken), doctest::Contains("value 1"), dn::error);
  const std::vector<double> wide = {-1.7e308, 1.7e308};
  CHECK_THROWS_AS(dn::range_of(wide), dn::error);
}
