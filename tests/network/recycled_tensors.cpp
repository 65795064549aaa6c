#include <deconvnet/network/recycled_tensors.hpp>

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
