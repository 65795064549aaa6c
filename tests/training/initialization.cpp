#include <deconvnet/training/initialization.hpp>

#include <cmath>
#include <span>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <deconvnet/ops/scale_shift.hpp>

#include "../network/own_operators.hpp"
#include "../network/sample_networks.hpp"

namespace dn = deconvnet;
using namespace deconvnet::testing;

namespace {

struct moments {
  double mean, deviation;
};

template <class T>
moments moments_of(std::span<const T> values) {
  double sum = 0, squares = 0;
  for (const T value : values) {
    sum += static_cast<double>(value);
    squares += static_cast<double>(value) * static_cast<double>(value);
  }
  const double count = static_cast<double>(values.size());
  return {sum / count, std::sqrt(squares / count - sum * sum / count / count)};
}

template <class T>
dn::network<T> wide_network() {
  dn::network<T> net({16, 8, 8});
  net.add("conv", random_conv<T>({64, 8, 5, 5}, {.groups = 2}, 1));
  net.add("bn", random_batch_norm<T>(64, 2));
  net.add("constants", dn::scale_shift<T>{dn::tensor<T, 3>({1, 1, 1}, T(3)), dn::tensor<T, 3>({1, 1, 1}, T(4))});
  net.add("own", gain<T>(5));
  net.add("fc", random_linear<T>(50, 64 * 16, 3));
  return net;
}

template <class T>
std::span<const T> values_of(const dn::network<T>& net, const std::string& name) {
  for (const auto& p : net.parameters()) {
    if (p.name == name) return p.values;
  }
  return {};
}

template <class T>
std::vector<T> copy_of(const dn::network<T>& net, const std::string& name) {
  const auto values = values_of(net, name);
  return {values.begin(), values.end()};
}

}  // namespace

TEST_CASE("weights: mean 0, standard deviation 0.01, by default") {
  auto net = wide_network<float>();
  dn::initialize(net, 1);
  for (const char* name : {"conv.weight", "fc.weight"}) {
    const auto values = values_of(net, name);
    const auto [mean, deviation] = moments_of(values);
    const double error = 0.01 / std::sqrt(static_cast<double>(values.size()));
    CHECK(std::abs(mean) < 4 * error);
    CHECK(std::abs(deviation - 0.01) < 4 * error);
  }
}

TEST_CASE("weights: normal, not only of that width: as many within one and two deviations as there should be") {
  auto net = wide_network<double>();
  dn::initialize(net, 1);
  const auto values = values_of(net, "fc.weight");
  double one = 0, two = 0, four = 0;
  for (const double value : values) {
    one += std::abs(value) < 0.01;
    two += std::abs(value) < 0.02;
    four += std::abs(value) < 0.04;
  }
  const double count = static_cast<double>(values.size());
  CHECK(one / count == doctest::Approx(0.6827).epsilon(0.01));
  CHECK(two / count == doctest::Approx(0.9545).epsilon(0.005));
  CHECK(four < count);
}

TEST_CASE("He: the standard deviation is sqrt(2 / fan-in); fan-in is what one output sums over, groups counted") {
  auto net = wide_network<double>();
  dn::initialize(net, 1, dn::initialization::he);
  const auto check = [&](const char* name, double fan_in) {
    const auto values = values_of(net, name);
    const double expected = std::sqrt(2 / fan_in);
    CHECK(moments_of(values).deviation ==
          doctest::Approx(expected).epsilon(4 / std::sqrt(static_cast<double>(values.size()))));
  };
  check("conv.weight", 8 * 5 * 5);
  check("fc.weight", 64 * 16);
}

TEST_CASE("biases are 0, batch normalization is the identity, constants and a user's own parameters stay") {
  auto net = wide_network<float>();
  dn::initialize(net, 1);
  for (const char* name : {"conv.bias", "fc.bias", "bn.bias", "bn.running_mean"}) {
    REQUIRE(!values_of(net, name).empty());
    for (const float value : values_of(net, name)) CHECK(value == 0.f);
  }
  for (const char* name : {"bn.weight", "bn.running_var"}) {
    for (const float value : values_of(net, name)) CHECK(value == 1.f);
  }
  CHECK(values_of(net, "constants.scale")[0] == 3.f);
  CHECK(values_of(net, "constants.shift")[0] == 4.f);
  CHECK(values_of(net, "own.factor")[0] == 5.f);
}

TEST_CASE("the same seed gives the same weights, another seed others") {
  auto a = wide_network<float>();
  auto b = wide_network<float>();
  auto c = wide_network<float>();
  dn::initialize(a, 7);
  dn::initialize(b, 7);
  dn::initialize(c, 8);
  for (const char* name : {"conv.weight", "fc.weight"}) {
    CHECK(copy_of(a, name) == copy_of(b, name));
    CHECK(copy_of(a, name) != copy_of(c, name));
  }
  dn::initialize(c, 7);
  CHECK(copy_of(a, "fc.weight") == copy_of(c, "fc.weight"));
}

TEST_CASE("no two layers begin alike, and float has the numbers of double, rounded") {
  auto narrow = wide_network<float>();
  auto wide = wide_network<double>();
  dn::initialize(narrow, 7);
  dn::initialize(wide, 7);
  CHECK(values_of(narrow, "conv.weight")[0] != values_of(narrow, "fc.weight")[0]);
  const auto exact = values_of(wide, "fc.weight");
  for (std::size_t k = 0; k < 100; ++k) CHECK(values_of(narrow, "fc.weight")[k] == static_cast<float>(exact[k]));
}

TEST_CASE("the numbers are the same on every machine: Box and Muller on the 64-bit Mersenne twister") {
  // The twister's first two numbers for seed 1, as the standard fixes them; 53 bits of each make a number below 1.
  const double u = (static_cast<double>(2469588189546311528u >> 11) + 0.5) / 9007199254740992.0;
  const double v = static_cast<double>(2516265689700432462u >> 11) / 9007199254740992.0;
  dn::detail::normal_numbers next(1);
  CHECK(next() ==
        doctest::Approx(std::sqrt(-2 * std::log(u)) * std::cos(2 * 3.14159265358979323846 * v)).epsilon(1e-14));
}

TEST_CASE("a copy made before keeps its weights") {
  auto net = wide_network<float>();
  const auto copy = net;
  const auto before = copy_of(copy, "fc.weight");
  dn::initialize(net, 7);
  CHECK(copy_of(copy, "fc.weight") == before);
  CHECK(copy_of(net, "fc.weight") != before);
}
