// Ranges of network inputs: walked once, one element in memory at a time, elements that cannot be read counted.
#pragma once

#include <concepts>
#include <cstddef>
#include <optional>
#include <ranges>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <deconvnet/network/model.hpp>

namespace deconvnet {

/// Any range whose elements are inputs, 1 x C x H x W: a vector of tensors, a view that loads pictures when they are
/// asked for, a generator. It is walked once, from front to back.
template <class R>
concept range_of_inputs =
    std::ranges::input_range<R> && expression_of_rank<std::remove_cvref_t<std::ranges::range_reference_t<R>>, 4>;

/// An input that could not be read: its index in the range, counted from the analysis's first image, and why.
struct skipped_input {
  std::size_t index = 0;
  std::string message;
  friend bool operator==(const skipped_input&, const skipped_input&) = default;
};

namespace detail {

template <class Trace>
struct trace_scalar;
template <scalar T>
struct trace_scalar<trace<T>> {
  using type = T;
};

/// The scalar that a model computes with when it is handed an X: that of its weights, else that of X.
template <class Model, class X>
using scalar_of_run = typename trace_scalar<std::remove_cvref_t<
    decltype(std::declval<const Model&>().forward(std::declval<const tensor4<scalar_of<X>>&>()))>>::type;

template <class Inputs>
using input_of = std::remove_cvref_t<std::ranges::range_reference_t<Inputs>>;

/// Throws where x is no single input, shape_error, or holds NaN or infinity, error; `what` names it in the message.
template <scalar T>
void check_input(const tensor4<T>& x, const std::string& what) {
  if (x.shape(0) != 1 || x.size() == 0) {
    throw shape_error(text(what, " is ", shape_text(x.shape()), ": 1 x C x H x W is needed"));
  }
  const std::size_t trouble = first_nonfinite(std::span<const T>(x.data(), x.size()));
  if (trouble < x.size()) {
    throw error(text(what, ", ", shape_text(x.shape()), ": element ", trouble, " is NaN or infinite"));
  }
}

/// One element of a range and its index.
template <scalar T>
struct numbered_input {
  std::size_t index;
  tensor4<T> image;
};

/// Walks a range of inputs. An element whose reading throws file_error, when it is looked at or stepped to, keeps its
/// index and is counted; everything else that is thrown goes on to the caller. Iterators must have moved on when their
/// increment throws.
template <scalar T, range_of_inputs Inputs>
class input_walker {
 public:
  /// `who` begins every message. The range must outlive the walker.
  input_walker(std::string who, Inputs& inputs, std::size_t first_image)
      : who_(std::move(who)), index_(first_image), first_(first_image), it_(std::ranges::begin(inputs)), end_(std::ranges::end(inputs)) {
    if constexpr (std::ranges::sized_range<Inputs>) total_ = static_cast<std::size_t>(std::ranges::size(inputs));
  }

  /// How many elements there are; 0 where the range does not know.
  std::size_t total() const { return total_; }

  /// The index of the first element not looked at yet.
  std::size_t index() const { return index_; }

  /// Whether every element was looked at. A range that does not know its size has to be asked for one more first.
  bool finished() const { return at_end_ || (total_ != 0 && index_ - first_ == total_); }

  const std::vector<skipped_input>& skipped() const { return skipped_; }

  /// The next element that can be read; nothing after the last one. Throws shape_error or error, with the index, for an
  /// element that is no input or holds NaN or infinity.
  std::optional<numbered_input<T>> next() {
    while (move_on()) {
      const std::size_t index = index_++;
      std::optional<tensor4<T>> image;
      try {
        image.emplace(owned<T, 4>(*it_));
      } catch (const file_error& problem) {
        skipped_.push_back({index, problem.what()});
        continue;
      }
      check_input(*image, text(who_, ": image ", index));
      return numbered_input<T>{index, std::move(*image)};
    }
    return std::nullopt;
  }

 private:
  /// More steps than this that all throw are an iterator that does not move.
  static constexpr std::size_t most_failed_steps = 100'000;

  /// Steps to the element with index index_; false at the end.
  bool move_on() {
    for (std::size_t failures = 0; !at_end_; ++index_) {
      if (!started_) {
        started_ = true;
      } else if (auto problem = step()) {
        // Some iterators end when reading fails. The element counts as looked at either way.
        skipped_.push_back({index_, std::move(*problem)});
        if (++failures == most_failed_steps) throw error(text(who_, ": the range of inputs does not move past image ", index_));
        continue;
      }
      at_end_ = it_ == end_;
      if (!at_end_) return true;
      break;
    }
    return false;
  }

  /// The message of the file_error that the increment threw, if it did.
  std::optional<std::string> step() {
    if (it_ == end_) {
      at_end_ = true;
      return std::nullopt;
    }
    try {
      ++it_;
      return std::nullopt;
    } catch (const file_error& problem) {
      return problem.what();
    }
  }

  std::string who_;
  std::size_t index_, first_;
  std::size_t total_ = 0;
  std::ranges::iterator_t<Inputs> it_;
  std::ranges::sentinel_t<Inputs> end_;
  bool started_ = false;
  bool at_end_ = false;
  std::vector<skipped_input> skipped_;
};

}  // namespace detail

}  // namespace deconvnet
