// Parallel loops on one pool of threads. What a loop computes must not depend on how many threads run it.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <deconvnet/kernels/eigen.hpp>
#include <deconvnet/tensor/error.hpp>

namespace deconvnet {

namespace detail {

/// Looks for what `is_there` waits for, a tenth of a millisecond at most: the others are nearly done as a rule, and the next
/// layer begins soon; a sleep and its end take longer, on a virtual machine tens of microseconds.
template <class Condition>
void look_out(const Condition& is_there) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(100);
  while (!is_there() && std::chrono::steady_clock::now() < end) std::this_thread::yield();
}

class thread_pool {
 public:
  static thread_pool& instance() {
    static thread_pool pool;
    return pool;
  }

  std::size_t size() const { return size_.load(std::memory_order_relaxed); }

  void resize(std::size_t count) {
    const std::lock_guard lock(mutex_);
    size_ = count == 0 ? default_size() : count;
    workers_.reset();
  }

  /// The workers beside the calling thread, started at the first parallel loop. A loop keeps them alive by this pointer
  /// while another thread resizes the pool.
  std::shared_ptr<Eigen::ThreadPool> workers() {
    const std::lock_guard lock(mutex_);
    if (!workers_ && size() > 1) {
      // Workers look for work some microseconds before they sleep: from one layer to the next they are there.
      workers_ = std::make_shared<Eigen::ThreadPool>(static_cast<int>(size() - 1), true);
    }
    return workers_;
  }

  /// The number of the loop that begins.
  std::size_t begin_loop() { return loops_.fetch_add(1) + 1; }

  /// For a worker of that loop, between it and the next.
  void await_next(std::size_t loop) const {
    look_out([&] { return loops_.load(std::memory_order_relaxed) != loop; });
  }

  /// True on a thread that is running the body of a loop; loops inside it run on that thread alone.
  static bool& inside() {
    static thread_local bool value = false;
    return value;
  }

 private:
  static std::size_t default_size() { return std::max<std::size_t>(1, std::thread::hardware_concurrency()); }

  std::atomic<std::size_t> size_ = default_size(), loops_ = 0;
  std::mutex mutex_;
  std::shared_ptr<Eigen::ThreadPool> workers_;
};

/// What the threads of one loop share. Kept from loop to loop, so that a loop takes no memory: the last thread that lets go
/// of it gives it back. A worker that comes late finds no index left and never touches the body, so the caller waits for
/// indices, not for workers.
class parallel_loop {
 public:
  using call = void (*)(void* body, std::size_t index);

  /// A loop that no thread uses; `users` threads will each release() it.
  static parallel_loop& take(std::size_t count, std::size_t threads, void* body, call run_one) {
    parallel_loop* loop = nullptr;
    {
      const std::lock_guard lock(kept().mutex);
      if (!kept().free.empty()) {
        loop = kept().free.back();
        kept().free.pop_back();
      } else {
        kept().all.push_back(std::make_unique<parallel_loop>());
        kept().free.reserve(kept().all.size());  // so that release() cannot fail
        loop = kept().all.back().get();
      }
    }
    loop->count_ = count;
    // Indices are handed out in runs, 16 or more per thread: what is taken costs two atomic additions.
    loop->run_ = std::max<std::size_t>(1, count / (16 * threads));
    loop->body_ = body;
    loop->run_one_ = run_one;
    loop->users_ = threads;
    loop->number_ = thread_pool::instance().begin_loop();
    loop->next_ = loop->finished_ = 0;
    loop->failed_ = false;
    loop->failure_ = nullptr;
    return *loop;
  }

  std::size_t number() const { return number_; }

  void release() {
    if (users_.fetch_sub(1) != 1) return;
    const std::lock_guard lock(kept().mutex);
    kept().free.push_back(this);
  }

  void work() {
    const bool outer = std::exchange(thread_pool::inside(), true);
    for (std::size_t first = next_.fetch_add(run_); first < count_; first = next_.fetch_add(run_)) {
      const std::size_t last = std::min(count_, first + run_);
      try {
        for (std::size_t index = first; index < last && !failed_.load(std::memory_order_relaxed); ++index) run_one_(body_, index);
      } catch (...) {
        const std::lock_guard lock(mutex_);
        if (!failed_.exchange(true)) failure_ = std::current_exception();
      }
      if (finished_.fetch_add(last - first) + (last - first) == count_) finished_.notify_all();
    }
    thread_pool::inside() = outer;
  }

  /// What went wrong in the loop, if anything.
  std::exception_ptr wait() {
    look_out([&] { return finished_ == count_; });
    for (std::size_t done = finished_; done != count_; done = finished_) finished_.wait(done);
    return std::exchange(failure_, nullptr);
  }

 private:
  struct kept_loops {
    std::mutex mutex;
    std::vector<std::unique_ptr<parallel_loop>> all;
    std::vector<parallel_loop*> free;
  };

  /// Never destroyed: a worker may let go of its loop while the program ends.
  static kept_loops& kept() {
    static kept_loops& loops = *new kept_loops;
    return loops;
  }

  std::size_t count_ = 0, run_ = 1, number_ = 0;
  void* body_ = nullptr;
  call run_one_ = nullptr;
  std::atomic<std::size_t> users_ = 0, next_ = 0, finished_ = 0;
  std::atomic<bool> failed_ = false;
  std::mutex mutex_;
  std::exception_ptr failure_;
};

}  // namespace detail

/// How many threads the library computes with, the calling one included. 0 restores the default: all cores.
/// Throws error above 1024: a system that cannot start that many would end the program.
inline void set_thread_count(std::size_t count) {
  if (count > 1024) throw error(detail::text("set_thread_count: ", count, " threads are more than 1024"));
  detail::thread_pool::instance().resize(count);
}

inline std::size_t thread_count() { return detail::thread_pool::instance().size(); }

/// Calls body(0) ... body(count - 1), each once, in any order, on the pool's threads and the calling one; returns when
/// all are done. The first exception stops the loop and is thrown again here. Loops inside a loop run serially. May be
/// called from several threads at once.
template <class Body>
void parallel_for(std::size_t count, Body&& body) {
  auto& pool = detail::thread_pool::instance();
  const std::size_t threads = std::min(pool.size(), count);
  const auto workers = threads > 1 && !detail::thread_pool::inside() ? pool.workers() : nullptr;
  if (!workers) {
    for (std::size_t index = 0; index < count; ++index) body(index);
    return;
  }
  using body_type = std::remove_reference_t<Body>;
  auto* place = const_cast<std::remove_const_t<body_type>*>(std::addressof(body));
  auto& loop = detail::parallel_loop::take(count, threads, place, [](void* work, std::size_t index) { (*static_cast<body_type*>(work))(index); });
  for (std::size_t k = 1; k < threads; ++k) {
    // What is captured fits into the task without memory of its own.
    workers->Schedule([&loop] {
      const std::size_t number = loop.number();
      loop.work();
      loop.release();
      detail::thread_pool::instance().await_next(number);
    });
  }
  loop.work();
  const std::exception_ptr failure = loop.wait();
  loop.release();
  if (failure) std::rethrow_exception(failure);
}

/// parallel_for of tasks that are parallel within as well and each take memory of their own: where they are too few to keep all
/// threads at work, one after the other.
template <class Body>
void parallel_for_if_many(std::size_t count, Body&& body) {
  if (count >= 2 * thread_count()) return parallel_for(count, body);
  for (std::size_t index = 0; index < count; ++index) body(index);
}

/// Calls body(first, count) for pieces of [0, size), long enough to be worth a thread's attention, in parallel.
template <class Body>
void parallel_pieces(std::size_t size, Body&& body) {
  constexpr std::size_t piece = std::size_t{1} << 14;
  parallel_for((size + piece - 1) / piece, [&](std::size_t k) { body(k * piece, std::min(piece, size - k * piece)); });
}

}  // namespace deconvnet
