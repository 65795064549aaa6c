// A scan: every image of a range through a network, several threads at work, one of them reading at a time.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include <deconvnet/analysis/inputs.hpp>
#include <deconvnet/analysis/progress.hpp>
#include <deconvnet/kernels/parallel_for.hpp>

namespace deconvnet::detail {

/// Images of one shape that go through the network together: N x C x H x W, and the index of each.
template <scalar T>
struct input_batch {
  std::vector<std::size_t> indices;
  tensor4<T> images;
};

/// Cuts what a walker reads into batches. Where the cuts fall depends on the images alone, never on threads. Fully
/// connected layers read all their weights once per batch, so a few images at once cost much less than one by one;
/// larger maps gain nothing and fill memory, so a batch holds about a million values of the input.
template <scalar T, range_of_inputs Inputs>
class batch_reader {
 public:
  explicit batch_reader(input_walker<T, Inputs>& walker) : walker_(walker) {}

  /// The next images of one shape; none after the last.
  input_batch<T> next() {
    std::vector<numbered_input<T>> list;
    while (list.empty() || list.size() < limit(list[0].image.size())) {
      auto image = waiting_ ? std::exchange(waiting_, std::nullopt) : walker_.next();
      if (!image) break;
      if (!list.empty() && shape_of(image->image) != shape_of(list[0].image)) {
        waiting_ = std::move(image);
        break;
      }
      list.push_back(std::move(*image));
    }
    return joined(list);
  }

  /// The index of the first image in no batch yet.
  std::size_t index() const { return waiting_ ? waiting_->index : walker_.index(); }
  bool finished() const { return !waiting_ && walker_.finished(); }

 private:
  static std::size_t limit(std::size_t elements) { return std::clamp<std::size_t>((std::size_t{1} << 20) / elements, 1, 16); }

  static input_batch<T> joined(std::vector<numbered_input<T>>& list) {
    input_batch<T> batch;
    if (list.empty()) return batch;
    for (const auto& one : list) batch.indices.push_back(one.index);
    if (list.size() == 1) {
      batch.images = std::move(list[0].image);
      return batch;
    }
    shape4 shape = shape_of(list[0].image);
    shape[0] = list.size();
    batch.images = uninitialized<T>(shape);
    for (std::size_t n = 0; n < list.size(); ++n) {
      std::copy(list[n].image.data(), list[n].image.data() + list[n].image.size(), image_span(batch.images, n).begin());
    }
    return batch;
  }

  input_walker<T, Inputs>& walker_;
  std::optional<numbered_input<T>> waiting_;  // read, but of another shape than the batch before it
};

/// How far a scan came.
struct scan_end {
  std::size_t next_image = 0;  // the first image not looked at
  bool complete = false;
  std::vector<skipped_input> skipped;
};

/// What the threads of one scan share.
template <scalar T, range_of_inputs Inputs>
class input_scan {
 public:
  input_scan(input_walker<T, Inputs>& walker, const progress_callback& progress, const std::stop_token& stop)
      : walker_(walker), reader_(walker), reported_(walker.index()), meter_(progress, walker.total()), stop_(stop) {}

  /// Reads and evaluates batches until there are none, somebody stops, or something fails.
  template <class Body>
  void work(Body& body, std::size_t worker) {
    while (!failed_) {
      std::size_t ticket = 0;
      try {
        input_batch<T> batch;
        std::size_t looked_at = 0;
        {
          const std::lock_guard lock(mutex_);
          ticket = ++tickets_;
          if (failed_ || stop_.stop_requested()) return;
          batch = reader_.next();
          looked_at = reader_.index() - std::exchange(reported_, reader_.index());
        }
        if (!batch.indices.empty()) body(worker, std::as_const(batch));
        meter_.advance(looked_at);
        if (batch.indices.empty()) return;
      } catch (...) {
        fail(ticket);
      }
    }
  }

  scan_end finish() {
    if (failure_) std::rethrow_exception(failure_);
    return {reader_.index(), reader_.finished(), walker_.skipped()};
  }

 private:
  /// Of several failures the one of the earliest images counts: which it is does not depend on threads.
  void fail(std::size_t ticket) {
    const std::lock_guard lock(mutex_);
    if (!failure_ || ticket < failed_ticket_) {
      failure_ = std::current_exception();
      failed_ticket_ = ticket;
    }
    failed_ = true;
  }

  input_walker<T, Inputs>& walker_;
  batch_reader<T, Inputs> reader_;
  std::size_t reported_;
  progress_meter meter_;
  const std::stop_token& stop_;
  std::mutex mutex_;
  std::size_t tickets_ = 0;
  std::atomic<bool> failed_ = false;
  std::exception_ptr failure_;
  std::size_t failed_ticket_ = 0;
};

/// Calls body(worker, batch) for every batch of a range of inputs, from several threads at once; worker < workers tells
/// which of them it is. A thread reads while others compute: reading alone is done by one at a time. Memory: one batch
/// per worker. A stop lets the batches that were read be finished, so what was looked at is always the front of the range.
template <scalar T, range_of_inputs Inputs, class Body>
scan_end scan_inputs(input_walker<T, Inputs>& walker, std::size_t workers, const progress_callback& progress,
                     const std::stop_token& stop, Body&& body) {
  input_scan<T, Inputs> scan(walker, progress, stop);
  parallel_for(workers, [&](std::size_t worker) { scan.work(body, worker); });
  return scan.finish();
}

}  // namespace deconvnet::detail
