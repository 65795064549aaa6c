#include <deconvnet/training/random_numbers.hpp>

#include <array>
#include <cmath>
#include <set>

#include <doctest/doctest.h>

using deconvnet::detail::keyed_numbers;

TEST_CASE("a key gives the same numbers every time, on every machine") {
  keyed_numbers a{1, 2, 3};
  keyed_numbers b{1, 2, 3};
  for (int k = 0; k < 10; ++k) CHECK(a() == b());
  // SplitMix64 from state 0: the published first number of that generator.
  keyed_numbers empty{};
  CHECK(empty() == 0xe220a8397b1dcdafu);
}

TEST_CASE("keys that differ anywhere, in order or in length, give other numbers") {
  std::set<std::uint64_t> first;
  for (const auto& key : {keyed_numbers{}, keyed_numbers{0}, keyed_numbers{0, 0}, keyed_numbers{1}, keyed_numbers{1, 0},
                          keyed_numbers{0, 1}, keyed_numbers{1, 1}, keyed_numbers{2}, keyed_numbers{1, 2}, keyed_numbers{2, 1}}) {
    keyed_numbers copy = key;
    first.insert(copy());
  }
  CHECK(first.size() == 10);
  for (std::uint64_t epoch = 0; epoch < 40; ++epoch) {
    for (std::uint64_t image = 0; image < 40; ++image) first.insert(keyed_numbers{7, epoch, image}());
  }
  CHECK(first.size() == 1610);
}

TEST_CASE("every number below a bound comes equally often, over keys and within one") {
  std::array<int, 7> over_keys{}, within{};
  keyed_numbers one{5};
  for (std::uint64_t k = 0; k < 7000; ++k) {
    ++over_keys[keyed_numbers{5, k}.below(7)];
    ++within[one.below(7)];
  }
  for (std::size_t k = 0; k < 7; ++k) {
    CHECK(std::abs(over_keys[k] - 1000) < 150);  // five deviations of 29
    CHECK(std::abs(within[k] - 1000) < 150);
  }
  CHECK(one.below(1) == 0);
}

TEST_CASE("a bound past half of all numbers is kept") {
  const std::uint64_t bound = (std::uint64_t{1} << 63) + 1;
  keyed_numbers one{3};
  for (int k = 0; k < 100; ++k) CHECK(one.below(bound) < bound);
}
