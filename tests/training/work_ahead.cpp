#include <deconvnet/training/work_ahead.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <system_error>
#include <thread>

#include <doctest/doctest.h>

#include <deconvnet/tensor/error.hpp>

using deconvnet::detail::work_ahead;

namespace {

void wait_a_little(std::size_t number) { std::this_thread::sleep_for(std::chrono::microseconds(50 * (number * 7 % 5))); }

}  // namespace

TEST_CASE("things come in order, whoever makes them") {
  for (const std::size_t threads : {0u, 1u, 2u, 5u}) {
    for (const std::size_t ahead : {0u, 1u, 3u, 100u}) {
      work_ahead<std::size_t> queue(3, 40, threads, ahead, [](std::size_t number, std::size_t& item) {
        wait_a_little(number);
        item = number * number;
      });
      std::size_t item = 0;
      for (std::size_t number = 3; number < 40; ++number) {
        REQUIRE(queue.take(item));
        CHECK(item == number * number);
      }
      CHECK(!queue.take(item));
      CHECK(!queue.take(item));
    }
  }
}

TEST_CASE("no more are made than may wait, and memory goes round") {
  std::atomic<std::size_t> made = 0;
  std::atomic<std::size_t> blank = 0;
  work_ahead<std::string> queue(0, 100, 3, 4, [&](std::size_t, std::string& item) {
    blank += item.empty();
    item = "something";
    ++made;
  });
  std::string item;
  for (std::size_t taken = 1; taken <= 20; ++taken) {
    REQUIRE(queue.take(item));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    CHECK(made <= taken + 4);
  }
  CHECK(blank <= 10);
}

TEST_CASE("what goes wrong arrives in its place, and the rest goes on") {
  work_ahead<int> queue(0, 6, 2, 3, [](std::size_t number, int& item) {
    if (number == 2) throw deconvnet::error("number two");
    item = static_cast<int>(number);
  });
  int item = -1;
  CHECK(queue.take(item));
  CHECK(queue.take(item));
  CHECK_THROWS_WITH_AS(queue.take(item), "number two", deconvnet::error);
  CHECK(queue.take(item));
  CHECK(item == 3);
}

TEST_CASE("where a thread cannot be started, those that run end, and it is told") {
  std::atomic<int> started = 0, ended = 0;
  const auto third_fails = [&](std::function<void()> work) {
    if (started == 2) throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
    ++started;
    return std::thread([&ended, work = std::move(work)] {
      work();
      ++ended;
    });
  };
  CHECK_THROWS_AS(work_ahead<int>(0, 1000, 4, 5, [](std::size_t number, int&) { wait_a_little(number); }, third_fails), std::system_error);
  CHECK(started == 2);
  CHECK(ended == 2);
}

TEST_CASE("it can be let go at any time, and nothing at all can be asked for") {
  for (int k = 0; k < 20; ++k) {
    work_ahead<int> queue(0, 1000, 2, 5, [](std::size_t number, int&) { wait_a_little(number); });
    int item = 0;
    if (k % 2) CHECK(queue.take(item));
  }
  work_ahead<int> none(5, 5, 2, 5, [](std::size_t, int&) {});
  int item = 0;
  CHECK(!none.take(item));
}
