#include <deconvnet/analysis/progress.hpp>

#include <doctest/doctest.h>

#include <vector>

#include <deconvnet/kernels/parallel_for.hpp>

using deconvnet::detail::progress_meter;

TEST_CASE("progress rises by what was done, whichever thread did it") {
  std::vector<std::size_t> seen;
  const deconvnet::progress_callback callback = [&](std::size_t done, std::size_t total) {
    CHECK(total == 300);
    seen.push_back(done);
  };
  progress_meter meter(callback, 300);
  deconvnet::set_thread_count(4);
  deconvnet::parallel_for(100, [&](std::size_t) { meter.advance(3); });
  deconvnet::set_thread_count(0);
  REQUIRE(seen.size() == 100);
  for (std::size_t k = 0; k < seen.size(); ++k) CHECK(seen[k] == 3 * (k + 1));
}

TEST_CASE("a callback need not be there, and nothing done is not reported") {
  const deconvnet::progress_callback none;
  progress_meter(none, 5).advance(1);
  std::size_t calls = 0;
  const deconvnet::progress_callback counting = [&](std::size_t, std::size_t) { ++calls; };
  progress_meter(counting, 5).advance(0);
  CHECK(calls == 0);
}
