// How an analysis reports where it is, and how it is told to stop.
#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <stop_token>  // options name std::stop_token

namespace deconvnet {

/// Called with how much is done and how much there is, `total` 0 where nobody knows. `done` never falls. Called by one
/// thread at a time, not always the same one. What it throws ends the analysis and reaches the caller.
using progress_callback = std::function<void(std::size_t done, std::size_t total)>;

namespace detail {

/// Counts what threads have done and tells the callback, in order.
class progress_meter {
 public:
  progress_meter(const progress_callback& callback, std::size_t total) : callback_(callback), total_(total) {}

  void advance(std::size_t count) {
    if (!callback_ || count == 0) return;
    const std::lock_guard lock(mutex_);
    done_ += count;
    callback_(done_, total_);
  }

 private:
  const progress_callback& callback_;
  std::size_t total_;
  std::size_t done_ = 0;
  std::mutex mutex_;
};

}  // namespace detail

}  // namespace deconvnet
