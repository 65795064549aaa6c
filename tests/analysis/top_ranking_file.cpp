#include <deconvnet/analysis/top_ranking_file.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>

#include <deconvnet/analysis/top_activations.hpp>

#include "../io/temporary_folder.hpp"
#include "failing_inputs.hpp"
#include "small_models.hpp"

using namespace deconvnet;
using namespace deconvnet::testing;

namespace {

template <scalar T>
top_ranking<T> sample() {
  top_ranking<T> result;
  result.layer = "odd, name\\with\nbreaks\r";
  result.count = 3;
  result.maps = {{{std::numeric_limits<T>::max(), 7, 1, 2}, {T(0.1), 3, 0, 0}},
                  {{T(-0.0), 3, 5, 5}, {-std::numeric_limits<T>::denorm_min(), 7, 123456789, 4}}};
  result.scanned = {{0, 5}, {7, 9}, {11, 11}};
  result.cuts = {5};
  result.complete = false;
  result.skipped = {{1, "a.jpg: byte 3: \\ is no marker\n"}, {8, ""}};
  return result;
}

/// The message of the file_error that reading these bytes throws.
std::string problem_of(const temporary_folder& folder, const std::string& content) {
  const auto path = folder.write("hostile.csv", content);
  return message_of<file_error>([&] { load_rankings<float>(path); });
}

const std::string title = "deconvnet top activations,1\n";
const std::string columns = "map,image,value,y,x\n";

}  // namespace

TEST_CASE_TEMPLATE("what was saved is loaded, bit for bit", T, float, double) {
  const temporary_folder folder;
  const auto path = folder.path / "top.csv";
  const std::vector<top_ranking<T>> rankings{sample<T>(), {}, sample<T>()};
  save_rankings(path, rankings);
  const auto loaded = load_rankings<T>(path);
  CHECK(loaded == rankings);
  CHECK(std::signbit(loaded[0][1][0].value));
  save_rankings(path, sample<T>());  // replaces
  CHECK(load_rankings<T>(path) == std::vector{sample<T>()});
  CHECK(!std::filesystem::exists(folder.path / "top.csv.part"));
}

TEST_CASE("a scan that was stopped and saved goes on from the file") {
  const temporary_folder folder;
  const auto path = folder.path / "top.csv";
  const auto net = small_network<float>(falling_edge{});
  const std::vector<layer> layers{"conv1", "conv2"};
  std::stop_source source;
  save_rankings(path, top_activations(net, layers, lazy_pictures(0, 60, {3, 50}),
                                      {.progress = [&](std::size_t, std::size_t) { source.request_stop(); }, .stop = source.get_token()}));
  auto tops = load_rankings<float>(path);
  REQUIRE(tops.size() == 2);
  CHECK(!tops[0].complete);
  const std::size_t next = tops[0].next_image();
  const auto rest = top_activations(net, layers, lazy_pictures(next, 60, {3, 50}), {.first_image = next});
  for (std::size_t k = 0; k < 2; ++k) tops[k] = merge(tops[k], rest[k]);
  CHECK(tops == top_activations(net, layers, lazy_pictures(0, 60, {3, 50})));
}

TEST_CASE("files that are something else are refused, with the byte") {
  const temporary_folder folder;
  CHECK(names(problem_of(folder, ""), "hostile.csv", "byte 0"));
  CHECK(names(problem_of(folder, "map,image\n"), "byte 0", "not a file of top activations"));
  CHECK(names(problem_of(folder, title + "layer,9,1"), "byte 28", "ends"));
  CHECK(names(problem_of(folder, title + "layer,9,x,1,conv\n"), "byte 28", "'x'"));
  CHECK(names(problem_of(folder, title + "layer,9,-1,1,conv\n"), "'-1'"));
  CHECK(names(problem_of(folder, title + "layer,9,99999999999999999999999,1,conv\n"), "no number"));
  CHECK(names(problem_of(folder, title + "layer,9,0,0,a\\b\n"), "backslash"));
  CHECK(names(problem_of(folder, title + "layer,9,0,0,a\nhello\n"), "'hello'"));
  CHECK(names(problem_of(folder, title + "layer,9,0,0,a\nscanned,7,3\n"), "order"));
  CHECK(names(problem_of(folder, title + "layer,9,0,0,a\nscanned,0,3,4\n"), "more fields"));
  CHECK(names(problem_of(folder, title + "layer,9,1000000000000,1000000,a\n" + columns), "more than the file can hold"));
  CHECK(names(problem_of(folder, title + "layer,9,1000000000000,0,a\n" + columns), "more than the file can hold"));
  CHECK(names(problem_of(folder, title + "layer,9,18446744073709551615,18446744073709551615,a\n" + columns), "more than the file can hold"));
  CHECK(names(problem_of(folder, title + "layer,9,1,2,a\n" + columns + "0,1,1.5,0,0\n0,2,2.5,0,0\nend\n"), "order"));
  CHECK(names(problem_of(folder, title + "layer,9,1,1,a\n" + columns + "1,1,1.5,0,0\nend\n"), "another map"));
  CHECK(names(problem_of(folder, title + "layer,9,1,1,a\n" + columns + "0,1,nan,0,0\nend\n"), "NaN"));
  CHECK(names(problem_of(folder, title + "layer,9,1,1,a\n" + columns + "0,1,1.5,0,0\n0,2,1,0,0\n"), "'end'"));
  CHECK(problem_of(folder, title).empty());
  CHECK(names(message_of<file_error>([&] { load_rankings<float>(folder.path / "none.csv"); }), "none.csv"));
  CHECK(names(message_of<file_error>([&] { load_rankings<float>(folder.path); }), "no file"));
  CHECK(names(message_of<file_error>([&] { save_rankings(folder.path / "no" / "top.csv", sample<float>()); }), "top.csv"));
  CHECK(names(message_of<file_error>([&] { save_rankings(folder.path, std::vector<top_ranking<float>>{}); }), "replaced"));
}

TEST_CASE("damaged files are errors or rankings, never anything else") {
  const temporary_folder folder;
  save_rankings(folder.path / "good.csv", sample<float>());
  const std::string good = bytes_of(folder.path / "good.csv");
  std::mt19937 random(1);
  for (int k = 0; k < 2000; ++k) {
    const auto path = folder.write("damaged.csv", mutated(good, random));
    try {
      load_rankings<float>(path);
    } catch (const file_error&) {
    }
  }
}
