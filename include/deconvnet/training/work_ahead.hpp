// Threads that make numbered things before they are asked for.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <deconvnet/kernels/parallel_for.hpp>

namespace deconvnet::detail {

/// Makes things number `first`, first + 1 ... last - 1 on threads of its own, at most `ahead` of them before they are
/// taken, and hands them out in order: what they are does not depend on the threads. What has been used is made anew in
/// the memory it has.
template <class Item>
class work_ahead {
 public:
  using maker = std::function<void(std::size_t number, Item& item)>;
  using starter = std::function<std::thread(std::function<void()> work)>;

  /// make(number, item): called by several threads at once, for different numbers. start(work): a thread that does it. Throws
  /// what start throws where the system gives no more threads; then those that ran have ended.
  work_ahead(std::size_t first, std::size_t last, std::size_t threads, std::size_t ahead, maker make,
             const starter& start = [](std::function<void()> work) { return std::thread(std::move(work)); })
      : next_made_(first), next_taken_(first), last_(last), ahead_(ahead == 0 ? 1 : ahead), make_(std::move(make)) {
    const std::size_t count = threads == 0 ? 1 : threads;
    threads_.reserve(count);
    try {
      for (std::size_t k = 0; k < count; ++k) threads_.push_back(start([this] { work(); }));
    } catch (...) {
      end();  // a thread that is not joined would end the program
      throw;
    }
  }

  work_ahead(const work_ahead&) = delete;
  work_ahead& operator=(const work_ahead&) = delete;

  ~work_ahead() { end(); }

  /// Exchanges `item` for the next thing; false after the last. Throws what making it threw; then the next call gives the
  /// one after it.
  bool take(Item& item) {
    std::unique_lock lock(mutex_);
    if (next_taken_ == last_) return false;
    made_.wait(lock, [&] { return ready_.contains(next_taken_); });
    auto node = ready_.extract(next_taken_++);
    auto& [thing, failure] = node.mapped();
    std::swap(item, thing);
    spare_.push_back(std::move(thing));
    room_.notify_one();
    if (failure) std::rethrow_exception(failure);
    return true;
  }

 private:
  struct outcome {
    Item item;
    std::exception_ptr failure;
  };

  void end() {
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    room_.notify_all();
    for (auto& thread : threads_) thread.join();
  }

  void work() {
    thread_pool::inside() = true;  // loops in `make` stay on this thread: the pool belongs to the one who computes
    std::unique_lock lock(mutex_);
    while (true) {
      room_.wait(lock, [&] { return stopped_ || next_made_ == last_ || next_made_ < next_taken_ + ahead_; });
      if (stopped_ || next_made_ == last_) return;
      const std::size_t number = next_made_++;
      outcome result;
      if (!spare_.empty()) {
        result.item = std::move(spare_.back());
        spare_.pop_back();
      }
      lock.unlock();
      try {
        make_(number, result.item);
      } catch (...) {
        result.failure = std::current_exception();
      }
      lock.lock();
      ready_.emplace(number, std::move(result));
      made_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable room_;
  std::condition_variable made_;
  std::map<std::size_t, outcome> ready_;
  std::vector<Item> spare_;
  std::size_t next_made_;
  std::size_t next_taken_;
  const std::size_t last_;
  const std::size_t ahead_;
  bool stopped_ = false;
  maker make_;
  std::vector<std::thread> threads_;
};

}  // namespace deconvnet::detail
