#include <deconvnet/analysis/incremental.hpp>

#include <doctest/doctest.h>

#include <vector>

#include "random_networks.hpp"

using namespace deconvnet;
using namespace deconvnet::testing;
using namespace deconvnet::detail;

namespace {

/// Refuses maps of an even number of rows.
struct odd_rows_only {
  template <scalar T>
  void forward(const tensor4<T>& x, tensor4<T>& y) const {
    if (x.shape(2) % 2 == 0) throw error("an even number of rows");
    y = x;
  }
  shape4 output_shape(const shape4& in) const { return in; }
  deconvnet::reach reach() const { return {}; }
};

/// Takes everything, but one map of four rows only as a whole.
struct four_rows_never {
  template <scalar T>
  void forward(const tensor4<T>& x, tensor4<T>& y) const {
    if (x.shape(2) == 4) throw error("four rows");
    y = x;
  }
  shape4 output_shape(const shape4& in) const { return in; }
  deconvnet::reach reach() const { return {}; }
};

/// Variants of x, each with `where` set to one value; the last one unchanged.
template <scalar T>
patched_value<T> variants_of(const tensor4<T>& x, const std::vector<region>& regions) {
  patched_value<T> value;
  value.patches.resize(regions.size() + 1);
  for (std::size_t k = 0; k < regions.size(); ++k) {
    value.batches.push_back(zeros<T>({1, x.shape(1), regions[k].rows.size(), regions[k].columns.size()}));
    value.batches.back().fill(T(0.75));
    value.patches[k] = {regions[k], k, 0};
  }
  return value;
}

template <scalar T>
tensor4<T> painted(const tensor4<T>& x, const region& where) {
  auto result = x;
  for (std::size_t c = 0; c < x.shape(1); ++c)
    for (std::size_t i = where.rows.first; i < where.rows.last; ++i)
      for (std::size_t j = where.columns.first; j < where.columns.last; ++j) result(0, c, i, j) = T(0.75);
  return result;
}

/// Every target of every variant against the network run on that variant.
template <scalar T>
void check_variants(const network<T>& net, const tensor4<T>& x, const std::vector<region>& regions, const std::vector<std::size_t>& targets) {
  const incremental_evaluation<T> evaluation(net, x, targets);
  std::vector<trace<T>> runs;
  for (const region& where : regions) runs.push_back(net.forward(painted(x, where)));
  runs.push_back(net.forward(x));
  std::size_t visits = 0;
  evaluation.evaluate(variants_of(x, regions), [&](std::size_t layer, const patched_value<T>& value) {
    ++visits;
    const auto& clean = evaluation.clean(layer);
    const detail::crop all{{0, clean.shape(2), 0, 0}, {0, clean.shape(3), 0, 0}};
    for (std::size_t k = 0; k <= regions.size(); ++k) {
      auto seen = uninitialized<T>(shape_of(clean));
      copy_variant(clean, &value, k, all, T(0), 0, clean.shape(1), seen.data());
      CHECK(distance(seen, runs[k][layer]) < 1e-11);
    }
    CHECK(!value.changed(regions.size()));
  });
  CHECK(visits == targets.size());
}

const std::vector<region> some_regions{{{0, 3}, {0, 2}}, {{4, 6}, {5, 9}}, {{8, 11}, {9, 10}}, {{0, 11}, {0, 10}}, {{5, 6}, {5, 6}}, {{4, 8}, {1, 2}}};

}  // namespace

TEST_CASE("every layer of every variant is that of a full run") {
  for (unsigned seed = 0; seed < 60; ++seed) {
    CAPTURE(seed);
    const random_network<double> random(seed + 500, {2, 11, 10});
    std::vector<std::size_t> targets;
    for (std::size_t i = 0; i < random.net().size(); ++i) targets.push_back(i);
    check_variants(random.net(), random_maps<double>({1, 2, 11, 10}, seed), some_regions, targets);
    check_variants(random.net(), random_maps<double>({1, 2, 11, 10}, seed), some_regions, {random.net().size() - 1});
  }
}

TEST_CASE("an operator that refuses pieces runs on whole maps") {
  network<double> odd({2, 11, 10});
  odd.add("odd", odd_rows_only{});
  check_variants(odd, random_maps<double>({1, 2, 11, 10}, 1), some_regions, {0});
  network<double> four({2, 11, 10});
  four.add("four", four_rows_never{});
  four.add("conv", random_conv<double>(2, 2, 3, 1));
  const auto x = random_maps<double>({1, 2, 11, 10}, 1);
  check_variants(four, x, some_regions, {0, 1});
}

TEST_CASE("a change that a strided layer never looks at changes nothing") {
  network<double> net({2, 11, 10});
  net.add("conv", random_conv<double>(3, 2, 1, 1, {.stride = 3}));
  net.add("relu", relu{});
  const auto x = random_maps<double>({1, 2, 11, 10}, 1);
  check_variants(net, x, {{{1, 3}, {1, 3}}, {{2, 4}, {2, 4}}}, {0, 1});
  const incremental_evaluation<double> evaluation(net, x, {1});
  evaluation.evaluate(variants_of(x, {{{1, 3}, {1, 3}}}), [](std::size_t, const auto& value) { CHECK(!value.changed(0)); });
}

TEST_CASE("layers above the targets are not evaluated, and the footprint counts what is held at once") {
  network<float> net({1, 20, 20});
  net.add("conv", random_conv<float>(4, 1, 3, 1));
  net.add("relu", relu{});
  net.add("conv2", random_conv<float>(2, 4, 3, 1));
  const auto x = random_maps<float>({1, 1, 20, 20}, 1);
  const incremental_evaluation<float> evaluation(net, x, {1});
  CHECK(evaluation.steps().size() == 2);
  // a 2 x 2 change reaches 4 x 4: 4 pixels, 36 pixels of a piece, 4 maps of 16, their relu
  CHECK(evaluation.footprint({{8, 10}, {8, 10}}) == 64 + 64 + 64);
}
