#include <deconvnet/analysis/scan_inputs.hpp>

#include <doctest/doctest.h>

#include <mutex>
#include <set>
#include <vector>

#include "failing_inputs.hpp"
#include "thread_count.hpp"

using namespace deconvnet;
using namespace deconvnet::testing;
using deconvnet::detail::input_batch;
using deconvnet::detail::input_walker;
using deconvnet::detail::scan_inputs;

TEST_CASE("a scan sees every image that can be read, whatever the number of threads") {
  for (const std::size_t threads : {1U, 2U, 5U}) {
    const thread_count_for_test guard(threads);
    auto pictures = lazy_pictures(0, 50, {7, 8, 49});
    input_walker<float, decltype(pictures)> walker("test", pictures, 0);
    std::mutex mutex;
    std::set<std::size_t> seen;
    std::size_t last = 0;
    const progress_callback progress = [&](std::size_t done, std::size_t total) {
      CHECK(done > last);
      CHECK(total == 50);
      last = done;
    };
    const auto end = scan_inputs(walker, threads, progress, {}, [&](std::size_t worker, const input_batch<float>& batch) {
      const std::lock_guard lock(mutex);
      CHECK(worker < threads);
      REQUIRE(batch.images.shape(0) == batch.indices.size());
      for (std::size_t n = 0; n < batch.indices.size(); ++n) {
        CHECK(seen.insert(batch.indices[n]).second);
        CHECK(same_bits(image_of(batch.images, n), numbered_picture(batch.indices[n])));
      }
    });
    CHECK(seen.size() == 47);
    CHECK(last == 50);
    CHECK(end.complete);
    CHECK(end.next_image == 50);
    CHECK(end.skipped.size() == 3);
  }
}

TEST_CASE("images of other shapes go in batches of their own, in order") {
  std::vector<tensor4<float>> pictures;
  for (const std::size_t width : {4U, 4U, 5U, 5U, 5U, 4U}) pictures.push_back(zeros<float>({1, 1, 3, width}));
  input_walker<float, std::vector<tensor4<float>>> walker("test", pictures, 0);
  std::vector<std::vector<std::size_t>> batches;
  const auto end = scan_inputs(walker, 1, {}, {}, [&](std::size_t, const auto& batch) { batches.push_back(batch.indices); });
  CHECK(batches == std::vector<std::vector<std::size_t>>{{0, 1}, {2, 3, 4}, {5}});
  CHECK(end.complete);
}

TEST_CASE("a stop leaves the front of the range looked at") {
  for (const std::size_t threads : {1U, 3U}) {
    const thread_count_for_test guard(threads);
    auto pictures = lazy_pictures(0, 200);
    input_walker<float, decltype(pictures)> walker("test", pictures, 1000);
    std::stop_source source;
    std::mutex mutex;
    std::set<std::size_t> seen;
    const progress_callback progress = [&](std::size_t done, std::size_t) {
      if (done >= 20) source.request_stop();
    };
    const auto end = scan_inputs(walker, threads, progress, source.get_token(), [&](std::size_t, const auto& batch) {
      const std::lock_guard lock(mutex);
      seen.insert(batch.indices.begin(), batch.indices.end());
    });
    CHECK(!end.complete);
    CHECK(end.next_image < 1200);
    CHECK(seen.size() == end.next_image - 1000);
    CHECK(*seen.begin() == 1000);
    CHECK(*seen.rbegin() + 1 == end.next_image);
  }
}

TEST_CASE("of several failures the one of the earliest image is reported") {
  const thread_count_for_test guard(4);
  for (int repeat = 0; repeat < 20; ++repeat) {
    auto pictures = lazy_pictures(0, 400);
    input_walker<float, decltype(pictures)> walker("test", pictures, 0);
    const auto failing = [&](std::size_t, const input_batch<float>& batch) {
      for (const std::size_t index : batch.indices) {
        if (index >= 90) throw error("image " + std::to_string(index));
      }
    };
    CHECK_THROWS_WITH_AS(scan_inputs(walker, 4, {}, {}, failing), "image 90", error);
  }
}

TEST_CASE("a callback's exception ends the scan and reaches the caller") {
  auto pictures = lazy_pictures(0, 40);
  input_walker<float, decltype(pictures)> walker("test", pictures, 0);
  const progress_callback progress = [](std::size_t, std::size_t) { throw std::runtime_error("enough"); };
  CHECK_THROWS_WITH_AS(scan_inputs(walker, 2, progress, {}, [](std::size_t, const auto&) {}), "enough", std::runtime_error);
}
