#include <deconvnet/kernels/parallel_for.hpp>

#include <atomic>
#include <cstddef>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include <deconvnet/tensor/error.hpp>

namespace {

using deconvnet::parallel_for;
using deconvnet::set_thread_count;
using deconvnet::thread_count;

/// Restores the default at the end of a test.
struct threads {
  explicit threads(std::size_t count) { set_thread_count(count); }
  ~threads() { set_thread_count(0); }
  threads(const threads&) = delete;
  threads& operator=(const threads&) = delete;
};

/// How often each index was visited.
std::vector<int> visits(std::size_t count) {
  std::vector<std::atomic<int>> seen(count);
  parallel_for(count, [&](std::size_t k) { ++seen[k]; });
  return {seen.begin(), seen.end()};
}

bool each_once(std::size_t count) { return visits(count) == std::vector<int>(count, 1); }

TEST_CASE("every index is visited once, for every number of indices and threads") {
  for (const std::size_t count : {1u, 2u, 3u, 5u, 16u}) {
    const threads set(count);
    CHECK(thread_count() == count);
    for (const std::size_t indices : {0u, 1u, 2u, 3u, 7u, 64u, 1000u}) {
      CAPTURE(count);
      CAPTURE(indices);
      CHECK(each_once(indices));
    }
  }
}

TEST_CASE("a thread count of 0 restores the default") {
  const std::size_t normal = thread_count();
  CHECK(normal >= 1);
  set_thread_count(normal + 3);
  CHECK(thread_count() == normal + 3);
  set_thread_count(0);
  CHECK(thread_count() == normal);
}

TEST_CASE("one thread runs the loop itself, in order") {
  const threads set(1);
  std::vector<std::size_t> order;
  const auto caller = std::this_thread::get_id();
  bool elsewhere = false;
  parallel_for(10, [&](std::size_t k) {
    order.push_back(k);
    elsewhere = elsewhere || std::this_thread::get_id() != caller;
  });
  std::vector<std::size_t> expected(10);
  std::iota(expected.begin(), expected.end(), std::size_t{0});
  CHECK(order == expected);
  CHECK_FALSE(elsewhere);
}

TEST_CASE("several threads take part where there are several") {
  const threads set(3);
  // Every index waits until all three have begun: with fewer threads than three this would not end.
  std::atomic<int> begun = 0;
  parallel_for(3, [&](std::size_t) {
    ++begun;
    while (begun < 3) std::this_thread::yield();
  });
  CHECK(begun == 3);
}

TEST_CASE("an exception of the body comes out of the loop, and the next loop works") {
  for (const std::size_t count : {1u, 2u, 5u}) {
    const threads set(count);
    for (const std::size_t bad : {0u, 17u, 99u}) {
      CHECK_THROWS_WITH_AS(parallel_for(100, [&](std::size_t k) {
        if (k == bad) throw std::out_of_range("index " + std::to_string(k));
      }), ("index " + std::to_string(bad)).c_str(), std::out_of_range);
      CHECK(each_once(100));
    }
  }
}

TEST_CASE("where every index throws, one exception comes out and no index is run twice") {
  const threads set(3);
  std::vector<std::atomic<int>> seen(50);
  CHECK_THROWS_AS(parallel_for(50, [&](std::size_t k) {
    ++seen[k];
    throw std::runtime_error("no");
  }), std::runtime_error);
  for (const auto& times : seen) CHECK(times <= 1);
}

TEST_CASE("a loop inside a loop visits every pair once, and its exception comes out of both") {
  for (const std::size_t count : {1u, 2u, 5u}) {
    const threads set(count);
    std::vector<std::atomic<int>> seen(6 * 7 * 2);
    parallel_for(6, [&](std::size_t i) {
      parallel_for(7, [&](std::size_t j) { parallel_for(2, [&](std::size_t k) { ++seen[(i * 7 + j) * 2 + k]; }); });
    });
    for (const auto& times : seen) CHECK(times == 1);
    CHECK_THROWS_AS(parallel_for(6, [](std::size_t i) {
      parallel_for(7, [&](std::size_t j) {
        if (i == 3 && j == 4) throw std::runtime_error("inner");
      });
    }), std::runtime_error);
    CHECK(each_once(20));
  }
}

TEST_CASE("several threads may run loops at once, while another one changes the thread count") {
  const threads set(4);
  std::atomic<bool> done = false;
  std::atomic<int> wrong = 0;
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 3; ++caller) {
    callers.emplace_back([&] {
      for (int round = 0; round < 100; ++round) {
        if (!each_once(37)) ++wrong;
      }
    });
  }
  std::thread changer([&] {
    for (std::size_t count = 1; !done; count = count % 5 + 1) set_thread_count(count);
  });
  for (auto& caller : callers) caller.join();
  done = true;
  changer.join();
  CHECK(wrong == 0);
}

TEST_CASE("the body of a loop may change the thread count") {
  const threads set(3);
  std::atomic<int> sum = 0;
  parallel_for(20, [&](std::size_t k) {
    set_thread_count(k % 4 + 1);
    ++sum;
  });
  CHECK(sum == 20);
  CHECK(each_once(50));
}

TEST_CASE("an absurd thread count is refused or bounded, and loops go on working") {
  for (const std::size_t count : {std::size_t{100000}, std::size_t{1} << 31, std::size_t{1} << 40, SIZE_MAX}) {
    CAPTURE(count);
    try {
      const threads set(count);
      CHECK(each_once(10));
    } catch (const deconvnet::error&) {
      set_thread_count(0);
    }
    CHECK(each_once(100));
  }
}

}  // namespace
