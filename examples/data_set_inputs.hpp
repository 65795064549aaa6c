// The pictures of a data set in memory as a range of network inputs: each is made when it is looked at.
#pragma once

#include <cstddef>
#include <utility>

#include <deconvnet/deconvnet.hpp>

namespace examples {

namespace dn = deconvnet;

/// The first `count` pictures of a set, which must outlive the range. (The views of the standard library would do, but
/// clang 14 does not compile those of libstdc++ 12.)
class data_set_inputs {
 public:
  data_set_inputs(const dn::image_set& set, std::size_t count, dn::preprocessing how) : set_(&set), count_(count), how_(std::move(how)) {}

  class iterator {
   public:
    using value_type = xt::xtensor<float, 4>;
    using difference_type = std::ptrdiff_t;

    iterator() = default;
    iterator(const data_set_inputs& owner, std::size_t place) : owner_(&owner), place_(place) {}
    value_type operator*() const { return dn::preprocess(owner_->set_->image(place_), owner_->how_); }
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
    const data_set_inputs* owner_ = nullptr;
    std::size_t place_ = 0;
  };

  iterator begin() const { return {*this, 0}; }
  iterator end() const { return {*this, count_}; }
  std::size_t size() const { return count_; }

 private:
  const dn::image_set* set_;
  std::size_t count_;
  dn::preprocessing how_;
};

}  // namespace examples
