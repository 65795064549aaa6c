// The strongest activations of every map of a layer, as a value: parts of a scan, joined in any order.
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include <deconvnet/analysis/inputs.hpp>

namespace deconvnet {

/// The strongest activation of one map in one image: its value, the image's index, row and column in the map.
template <scalar T>
struct top_activation {
  T value = 0;
  std::size_t image = 0, y = 0, x = 0;
  friend bool operator==(const top_activation&, const top_activation&) = default;
};

/// Images first ... last - 1.
struct image_range {
  std::size_t first = 0, last = 0;
  friend bool operator==(const image_range&, const image_range&) = default;
};

/// What top_activations returns for one layer. ranking[map] is sorted, strongest first, ties by lower image index; it has
/// one entry per image at most. A default one is what merge leaves everything else unchanged by.
template <scalar T>
struct top_ranking {
  std::string layer;
  std::size_t count = 0;                             // entries kept per map
  std::vector<std::vector<top_activation<T>>> maps;  // empty where no image told how many there are
  std::vector<image_range> scanned;                  // what was looked at, in order; parts that touch are one
  std::vector<std::size_t> cuts;                     // where a scan was stopped and no other has gone on
  bool complete = true;                              // no cuts
  std::vector<skipped_input> skipped;                // images that could not be read, by index

  const std::vector<top_activation<T>>& operator[](std::size_t map) const { return maps[map]; }
  std::size_t size() const { return maps.size(); }
  auto begin() const { return maps.begin(); }
  auto end() const { return maps.end(); }

  /// How many images were looked at, skipped ones included.
  std::size_t images() const {
    std::size_t sum = 0;
    for (const image_range& part : scanned) sum += part.last - part.first;
    return sum;
  }

  /// Where to go on: the first cut, or the end of what was looked at.
  std::size_t next_image() const { return !cuts.empty() ? cuts.front() : scanned.empty() ? 0 : scanned.back().last; }

  friend bool operator==(const top_ranking&, const top_ranking&) = default;
};

namespace detail {

template <scalar T>
bool is_stronger(const top_activation<T>& a, const top_activation<T>& b) {
  return a.value != b.value ? a.value > b.value : a.image < b.image;
}

/// Puts an entry into a sorted list of at most `count`.
template <scalar T>
void offer(std::vector<top_activation<T>>& list, std::size_t count, const top_activation<T>& entry) {
  if (list.size() >= count && (count == 0 || !is_stronger(entry, list.back()))) return;
  if (list.size() >= count) list.pop_back();
  list.insert(std::upper_bound(list.begin(), list.end(), entry, is_stronger<T>), entry);
}

/// The strongest `count` of two lists, sorted. An image in both must be the same entry in both.
template <scalar T>
std::vector<top_activation<T>> joined(std::vector<top_activation<T>> a, const std::vector<top_activation<T>>& b, std::size_t count,
                                      const std::string& layer) {
  a.insert(a.end(), b.begin(), b.end());
  std::sort(a.begin(), a.end(), [](const auto& s, const auto& t) { return s.image < t.image; });
  a.erase(std::unique(a.begin(), a.end()), a.end());
  const auto twice = std::adjacent_find(a.begin(), a.end(), [](const auto& s, const auto& t) { return s.image == t.image; });
  if (twice != a.end()) {
    throw error(text("merge: layer '", layer, "': image ", twice->image, " is ", twice->value, " in one part and ",
                     std::next(twice)->value, " in another: parts of a scan need their own .first_image"));
  }
  std::sort(a.begin(), a.end(), is_stronger<T>);
  if (a.size() > count) a.resize(count);
  return a;
}

/// Sorted, parts that touch or overlap made one. An empty part, a scan that found nothing more, stays where none begins
/// at its place: it closes the cut there.
inline std::vector<image_range> joined(std::vector<image_range> parts) {
  std::sort(parts.begin(), parts.end(), [](const image_range& a, const image_range& b) {
    return a.first != b.first ? a.first < b.first : a.last > b.last;
  });
  std::vector<image_range> result;
  std::vector<image_range> empty;
  for (const image_range& part : parts) {
    if (part.first == part.last) {
      empty.push_back(part);
    } else if (!result.empty() && part.first <= result.back().last) {
      result.back().last = std::max(result.back().last, part.last);
    } else {
      result.push_back(part);
    }
  }
  for (const image_range& part : empty) {
    const auto holds = [&](const image_range& r) { return part == r || (r.first <= part.first && part.first < r.last); };
    if (std::none_of(result.begin(), result.end(), holds)) result.push_back(part);
  }
  std::sort(result.begin(), result.end(), [](const image_range& a, const image_range& b) {
    return a.first != b.first ? a.first < b.first : a.last < b.last;
  });
  return result;
}

/// Sets scanned, cuts, complete and skipped to what two parts have together.
template <scalar T>
void join_coverage(top_ranking<T>& to, const top_ranking<T>& a, const top_ranking<T>& b) {
  std::vector<image_range> parts = a.scanned;
  parts.insert(parts.end(), b.scanned.begin(), b.scanned.end());
  to.scanned = joined(std::move(parts));
  to.cuts.clear();
  std::set_union(a.cuts.begin(), a.cuts.end(), b.cuts.begin(), b.cuts.end(), std::back_inserter(to.cuts));
  std::erase_if(to.cuts, [&](std::size_t cut) {
    return std::any_of(to.scanned.begin(), to.scanned.end(), [&](const image_range& part) {
      return part.first <= cut && (cut < part.last || (cut == part.first && cut == part.last));
    });
  });
  to.complete = to.cuts.empty();
  to.skipped.clear();
  const auto before = [](const skipped_input& s, const skipped_input& t) {
    return s.index != t.index ? s.index < t.index : s.message < t.message;
  };
  std::set_union(a.skipped.begin(), a.skipped.end(), b.skipped.begin(), b.skipped.end(), std::back_inserter(to.skipped), before);
}

}  // namespace detail

/// The ranking of the images of both parts together: shards of a data set, or a scan and its continuation. Associative,
/// the order of the parts does not matter, and a part joined twice counts once. `.count` is the lesser of the two: what a
/// shorter ranking dropped nobody knows. A cut that one part left and the other goes on from is closed.
/// Throws error where the parts are of different layers or numbers of maps, and where one image has two values: parts that
/// were scanned without their own .first_image.
template <scalar T>
top_ranking<T> merge(const top_ranking<T>& a, const top_ranking<T>& b) {
  if (b.layer.empty()) return a;
  if (a.layer.empty()) return b;
  if (a.layer != b.layer) throw error(detail::text("merge: the parts are of layers '", a.layer, "' and '", b.layer, "'"));
  if (a.size() != b.size() && a.size() != 0 && b.size() != 0) {
    throw error(detail::text("merge: layer '", a.layer, "' has ", a.size(), " maps in one part and ", b.size(), " in the other"));
  }
  top_ranking<T> result;
  result.layer = a.layer;
  result.count = std::min(a.count, b.count);
  const std::vector<top_activation<T>> none;
  for (std::size_t map = 0; map < std::max(a.size(), b.size()); ++map) {
    result.maps.push_back(detail::joined(map < a.size() ? a[map] : none, map < b.size() ? b[map] : none, result.count, a.layer));
  }
  detail::join_coverage(result, a, b);
  return result;
}

}  // namespace deconvnet
