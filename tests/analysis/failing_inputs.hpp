// Ranges of inputs of which some cannot be read, failing in the two places where reading can fail.
#pragma once

#include <cstddef>
#include <iterator>
#include <set>
#include <string>
#include <type_traits>
#include <utility>

#include "../tensor/values.hpp"

namespace deconvnet::testing {

/// Picture k of a data set: random, and its own.
inline tensor4<float> numbered_picture(std::size_t k) { return random_maps<float>({1, 3, 9, 8}, static_cast<unsigned>(k + 1)); }

inline tensor4<float> read_picture(std::size_t k, const std::set<std::size_t>& corrupt) {
  if (corrupt.contains(k)) throw file_error("picture" + std::to_string(k) + ".jpg", "not a picture");
  return numbered_picture(k);
}

/// A range that makes element k by a call when it is looked at. The views of the standard library would do, but clang 14
/// does not compile those of libstdc++ 12.
template <class Make>
class made_on_demand {
 public:
  made_on_demand(std::size_t first, std::size_t last, Make make) : first_(first), last_(last), make_(std::move(make)) {}

  class iterator {
   public:
    using value_type = std::invoke_result_t<const Make&, std::size_t>;
    using difference_type = std::ptrdiff_t;

    iterator() = default;
    iterator(const made_on_demand& owner, std::size_t place) : owner_(&owner), place_(place) {}
    value_type operator*() const { return owner_->make_(place_); }
    iterator& operator++() {
      ++place_;
      return *this;
    }
    iterator operator++(int) {
      const iterator before = *this;
      ++place_;
      return before;
    }
    bool operator==(const iterator& other) const { return place_ == other.place_; }

   private:
    const made_on_demand* owner_ = nullptr;
    std::size_t place_ = 0;
  };

  iterator begin() const { return {*this, first_}; }
  iterator end() const { return {*this, last_}; }
  std::size_t size() const { return last_ - first_; }

 private:
  std::size_t first_, last_;
  Make make_;
};

inline auto lazy_pictures(std::size_t first, std::size_t last, std::set<std::size_t> corrupt = {}) {
  return made_on_demand(first, last, [corrupt = std::move(corrupt)](std::size_t k) { return read_picture(k, corrupt); });
}

/// A range that reads when it is stepped to, can be walked once, and does not know its size.
class eager_pictures {
 public:
  eager_pictures(std::size_t count, std::set<std::size_t> corrupt) : count_(count), corrupt_(std::move(corrupt)) {}

  class iterator {
   public:
    using value_type = tensor4<float>;
    using difference_type = std::ptrdiff_t;

    explicit iterator(eager_pictures& owner) : owner_(&owner) {}
    const tensor4<float>& operator*() const { return owner_->current_; }
    iterator& operator++() {
      ++owner_->place_;
      if (owner_->place_ < owner_->count_) owner_->current_ = read_picture(owner_->place_, owner_->corrupt_);
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return owner_->place_ >= owner_->count_; }

   private:
    eager_pictures* owner_;
  };

  iterator begin() {
    if (count_ != 0) current_ = read_picture(0, corrupt_);
    return iterator(*this);
  }
  std::default_sentinel_t end() const { return {}; }

 private:
  std::size_t count_;
  std::set<std::size_t> corrupt_;
  std::size_t place_ = 0;
  tensor4<float> current_;
};

/// A broken range: its iterator throws and never moves.
struct stuck_pictures {
  struct iterator {
    using value_type = tensor4<float>;
    using difference_type = std::ptrdiff_t;
    tensor4<float> operator*() const { return numbered_picture(0); }
    iterator& operator++() { throw file_error("picture.jpg", "gone"); }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return false; }
  };
  iterator begin() { return {}; }
  std::default_sentinel_t end() const { return {}; }
};

}  // namespace deconvnet::testing
