#include <deconvnet/analysis/top_ranking.hpp>

#include <doctest/doctest.h>

#include <random>

#include "../tensor/values.hpp"

using namespace deconvnet;
using namespace deconvnet::testing;

namespace {

using ranking = top_ranking<float>;

/// The ranking of one scan over images first ... last - 1, with few different values so that there are ties.
ranking scanned(std::size_t first, std::size_t last, std::size_t count = 3, bool complete = true) {
  ranking result;
  result.layer = "conv5";
  result.count = count;
  result.maps.resize(2);
  for (std::size_t image = first; image < last; ++image) {
    if (image % 7 == 3) {
      result.skipped.push_back({image, "corrupt"});
      continue;
    }
    for (std::size_t map = 0; map < 2; ++map) {
      std::mt19937 engine(static_cast<unsigned>(image * 2 + map));
      const auto value = static_cast<float>(engine() % 5) - 2;
      detail::offer(result.maps[map], count, {value, image, engine() % 4, engine() % 6});
    }
  }
  if (complete || first != last) result.scanned = {{first, last}};
  if (!complete) result.cuts = {last};
  result.complete = complete;
  return result;
}

}  // namespace

TEST_CASE("a ranking keeps the strongest, ties to the lower image") {
  std::vector<top_activation<float>> list;
  for (const auto& [value, image] : {std::pair{1.F, 4}, {2.F, 9}, {1.F, 2}, {-3.F, 0}, {2.F, 7}}) {
    detail::offer(list, 3, {value, static_cast<std::size_t>(image), 0, 0});
  }
  CHECK(list == std::vector<top_activation<float>>{{2, 7, 0, 0}, {2, 9, 0, 0}, {1, 2, 0, 0}});
  std::vector<top_activation<float>> none;
  detail::offer(none, 0, {1, 0, 0, 0});
  CHECK(none.empty());
}

TEST_CASE("parts joined in any order and grouping are the whole scan") {
  const ranking whole = scanned(0, 40);
  const ranking a = scanned(0, 11), b = scanned(11, 12), c = scanned(12, 30), d = scanned(30, 40);
  CHECK(merge(merge(a, b), merge(c, d)) == whole);
  CHECK(merge(merge(merge(d, b), a), c) == whole);
  CHECK(merge(c, merge(a, merge(d, b))) == whole);
  CHECK(whole.images() == 40);
  CHECK(whole.next_image() == 40);
}

TEST_CASE("a part joined twice counts once, and nothing joined changes nothing") {
  const ranking a = scanned(0, 11), b = scanned(5, 20);
  CHECK(merge(a, a) == a);
  CHECK(merge(merge(a, b), a) == merge(a, b));
  CHECK(merge(a, b) == scanned(0, 20));
  CHECK(merge(a, ranking{}) == a);
  CHECK(merge(ranking{}, a) == a);
}

TEST_CASE("a scan that was stopped is complete once somebody has gone on from the cut") {
  const ranking stopped = scanned(0, 15, 3, false);
  CHECK(stopped.next_image() == 15);
  CHECK(merge(stopped, scanned(15, 40)) == scanned(0, 40));
  CHECK(merge(scanned(15, 40), stopped) == scanned(0, 40));
  const ranking beside = merge(stopped, scanned(20, 40));
  CHECK(!beside.complete);
  CHECK(beside.next_image() == 15);
  CHECK(beside.images() == 35);
  CHECK(merge(beside, scanned(15, 20)) == scanned(0, 40));
  const ranking ended = merge(stopped, scanned(15, 15, 3, true));  // stopped at the very end
  CHECK(ended.complete);
  CHECK(ended.maps == scanned(0, 15).maps);
  CHECK(ended.next_image() == 15);
  const ranking unbegun = merge(scanned(0, 15), scanned(15, 15, 3, false));
  CHECK(!unbegun.complete);
  CHECK(unbegun.next_image() == 15);
}

TEST_CASE("cuts are closed in any order of joining") {
  const std::vector<ranking> parts{scanned(0, 5, 3, false),   scanned(5, 9, 3, false), scanned(9, 9, 3, false),
                                   scanned(9, 14, 3, false), scanned(14, 14),         scanned(20, 30)};
  std::vector<std::size_t> order{0, 1, 2, 3, 4, 5};
  const ranking expected = merge(merge(scanned(0, 14), scanned(14, 14)), scanned(20, 30));
  do {
    ranking joined;
    for (const std::size_t k : order) joined = merge(joined, parts[k]);
    REQUIRE(joined == expected);
  } while (std::next_permutation(order.begin(), order.end()));
  CHECK(expected.complete);
}

TEST_CASE("the shorter of two rankings decides the length") {
  const ranking joined = merge(scanned(0, 20, 5), scanned(20, 40, 3));
  CHECK(joined == scanned(0, 40, 3));
}

TEST_CASE("a part that saw no image and does not know its maps joins others") {
  ranking unknown = scanned(40, 40);
  unknown.maps.clear();
  for (const ranking& joined : {merge(scanned(0, 40), unknown), merge(unknown, scanned(0, 40))}) {
    CHECK(joined.maps == scanned(0, 40).maps);
    CHECK(joined.complete);
    CHECK(joined.images() == 40);
  }
}

TEST_CASE("parts that do not belong together are refused") {
  ranking other = scanned(20, 30);
  other.layer = "conv4";
  CHECK(names(message_of<error>([&] { merge(scanned(0, 5), other); }), "'conv5'", "'conv4'"));
  ranking wide = scanned(20, 30);
  wide.maps.resize(3);
  CHECK(names(message_of<error>([&] { merge(scanned(0, 5), wide); }), "conv5", "2 maps", "3"));
  ranking renumbered = scanned(0, 5);
  renumbered.maps[1][0].value += 1;
  CHECK(names(message_of<error>([&] { merge(scanned(0, 5), renumbered); }), "conv5", ".first_image"));
}
