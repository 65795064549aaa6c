#include <deconvnet/tensor/recycled_tensors.hpp>

#include <utility>

#include <doctest/doctest.h>

namespace dn = deconvnet;

TEST_CASE("a tensor comes back for its size alone, once; moved from and huge ones do not") {
  auto& kept = dn::detail::recycled_tensors<float>::of_this_thread();
  kept.give(dn::zeros<float>({1, 1, 1, 1009}));
  kept.give(dn::zeros<float>({1, 1, 1, 1013}));
  CHECK(kept.take(1019).size() == 0);
  CHECK(kept.take(1013).size() == 1013);
  CHECK(kept.take(1013).size() == 0);
  CHECK(kept.take(1009).size() == 1009);
  auto gone = dn::zeros<float>({1, 1, 1, 1021});
  const auto there = std::move(gone);
  kept.give(std::move(gone));
  CHECK(kept.take(1021).size() == 0);
  kept.give(dn::zeros<float>({1, 1, 1, (std::size_t{1} << 22) + 1}));
  CHECK(kept.take((std::size_t{1} << 22) + 1).size() == 0);
}

TEST_CASE("of too much the smallest go") {
  dn::detail::recycled_tensors<float> kept(4000);
  kept.give(dn::zeros<float>({1, 1, 1, 600}));
  kept.give(dn::zeros<float>({1, 1, 1, 300}));
  kept.give(dn::zeros<float>({1, 1, 1, 400}));
  CHECK(kept.take(300).size() == 0);
  kept.give(dn::zeros<float>({1, 1, 1, 1001}));  // more than all it may keep
  CHECK(kept.take(1001).size() == 0);
  CHECK(kept.take(400).size() == 400);
  CHECK(kept.take(600).size() == 600);
}

TEST_CASE("a signal has the shape that was asked for, in memory of its size") {
  auto signal = dn::detail::recycled_signal<double>({1, 2, 3, 4});
  CHECK(dn::shape_of(signal) == dn::shape4{1, 2, 3, 4});
  const double* memory = signal.data();
  dn::detail::recycle_signal(std::move(signal));
  const auto next = dn::detail::recycled_signal<double>({2, 1, 4, 3});
  CHECK(next.data() == memory);
  CHECK(dn::shape_of(next) == dn::shape4{2, 1, 4, 3});
  CHECK_THROWS_AS(dn::detail::recycled_signal<double>({1ul << 31, 1ul << 31, 1ul << 31, 2}), dn::shape_error);
}
