// How a layer is named: by its name or by its place in the order of execution.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <map>
#include <numeric>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <deconvnet/tensor/error.hpp>

namespace deconvnet {

/// A layer argument: a name (anything a string_view can be made from) or an index into layers(), counted from 0. A
/// character or a truth value is neither. Throws error for a negative index or a null pointer.
class layer {
 public:
  template <class Name>
    requires(std::convertible_to<const Name&, std::string_view> && !std::same_as<Name, std::nullptr_t>)
  layer(const Name& name) : name_(view_of(name)), is_name_(true) {}  // NOLINT(google-explicit-constructor)

  template <std::integral Index>
    requires(!std::same_as<Index, bool> && !std::same_as<Index, char>)
  layer(Index index) : index_(static_cast<std::size_t>(index)) {  // NOLINT(google-explicit-constructor)
    if (std::cmp_less(index, 0)) throw error(detail::text("layer ", index, ": layers are counted from 0"));
  }

  bool is_name() const { return is_name_; }
  const std::string& name() const { return name_; }
  std::size_t index() const { return index_; }

  /// The name, or the index as text: for messages.
  std::string text() const { return is_name_ ? name_ : std::to_string(index_); }

 private:
  template <class Name>
  static std::string_view view_of(const Name& name) {
    if constexpr (std::is_pointer_v<Name>) {
      if (!name) throw error("the name of a layer is a null pointer");
    }
    return name;
  }

  std::string name_;
  std::size_t index_ = 0;
  bool is_name_ = false;
};

namespace detail {

/// How many letters must be inserted, removed or replaced to make one word of the other.
inline std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = std::exchange(row[j + 1], std::min({replaced, row[j + 1] + 1, row[j] + 1}));
    }
  }
  return row.back();
}

/// The names of a network's layers and their aliases. Value names win over aliases.
class layer_names {
 public:
  std::size_t size() const { return names_.size(); }
  const std::string& operator[](std::size_t index) const { return names_[index]; }

  void add(std::string name) {
    if (name.empty()) throw error("a layer needs a name");
    if (!by_name_.emplace(name, names_.size()).second) throw error("a layer named '" + name + "' is there already");
    names_.push_back(std::move(name));
  }

  /// The first use of an alias counts; a name of a layer is never taken over.
  void alias(std::string name, std::size_t index) { aliases_.emplace(std::move(name), index); }

  /// The index of a layer; an error that lists near names where there is no such layer.
  std::size_t find(const layer& which) const {
    if (!which.is_name()) {
      if (which.index() < size()) return which.index();
      throw error(text("layer ", which.index(), " of ", size(), " layers"));
    }
    if (const auto found = by_name_.find(which.name()); found != by_name_.end()) return found->second;
    if (const auto found = aliases_.find(which.name()); found != aliases_.end()) return found->second;
    throw error(text("there is no layer '", which.name(), "'; ", near(which.name())));
  }

  bool contains(const std::string& name) const { return by_name_.contains(name) || aliases_.contains(name); }

 private:
  std::string near(const std::string& wanted) const {
    // Names that hold what was asked for come first: a piece of a long path is the commonest slip.
    std::vector<std::tuple<bool, std::size_t, std::string>> ranked;
    const auto rank = [&](const std::string& name) {
      ranked.emplace_back(name.find(wanted) == std::string::npos, edit_distance(name, wanted), name);
    };
    for (const auto& [name, index] : by_name_) rank(name);
    for (const auto& [name, index] : aliases_) rank(name);
    const std::size_t shown = std::min<std::size_t>(5, ranked.size());
    std::partial_sort(ranked.begin(), ranked.begin() + static_cast<std::ptrdiff_t>(shown), ranked.end());
    if (ranked.empty()) return "the network has no layers";
    std::string list = "near names are";
    for (std::size_t k = 0; k < shown; ++k) list += (k ? ", '" : " '") + std::get<2>(ranked[k]) + "'";
    return list;
  }

  std::vector<std::string> names_;
  std::map<std::string, std::size_t> by_name_;
  std::map<std::string, std::size_t> aliases_;
};

}  // namespace detail

}  // namespace deconvnet
