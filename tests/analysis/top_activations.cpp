#include <deconvnet/analysis/top_activations.hpp>

#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <vector>

#include "failing_inputs.hpp"
#include "small_models.hpp"
#include "thread_count.hpp"

using namespace deconvnet;
using namespace deconvnet::testing;

namespace {

/// The definition, image by image on whole traces.
template <class Model>
std::vector<std::vector<top_activation<float>>> by_definition(const Model& model, const layer& which, std::size_t images, std::size_t count,
                                                              std::size_t first = 0, const std::set<std::size_t>& corrupt = {}) {
  std::vector<std::vector<top_activation<float>>> result;
  for (std::size_t k = 0; k < images; ++k) {
    if (corrupt.contains(k)) continue;
    const auto run = model.forward(numbered_picture(k));
    const auto& value = run[which];
    result.resize(value.shape(1));
    for (std::size_t c = 0; c < value.shape(1); ++c) {
      const unit u = strongest(value, {.image = 0, .channel = c});
      result[c].push_back({value(0, c, u.y, u.x), first + k, u.y, u.x});
    }
  }
  for (auto& list : result) {
    std::stable_sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.value > b.value; });
    list.resize(std::min(list.size(), count));
  }
  return result;
}

std::vector<tensor4<float>> pictures(std::size_t count) {
  std::vector<tensor4<float>> list;
  for (std::size_t k = 0; k < count; ++k) list.push_back(numbered_picture(k));
  return list;
}

}  // namespace

TEST_CASE("top activations are those of the definition, on a network and on the same pipeline") {
  const auto check = [](const auto& user) {
    const auto net = small_network<float>(user);
    const auto pipe = small_pipeline<float>(user);
    const auto top = top_activations(net, "conv2", pictures(30), {.count = 9});
    CHECK(top.maps == by_definition(net, "conv2", 30, 9));
    CHECK(top.layer == "conv2");
    CHECK(top.complete);
    CHECK(top.skipped.empty());
    CHECK(top.images() == 30);
    CHECK(top[0].size() == 9);
    CHECK(top_activations(pipe, 4, pictures(30)).maps == top.maps);
    CHECK(top_activations(pipe, 0, lazy_pictures(0, 30)).maps == top_activations(net, "conv1", pictures(30)).maps);
  };
  check(falling_edge{});
  check(centred{});
}

TEST_CASE("several layers in one scan are the layers one by one") {
  const auto net = small_network<float>(falling_edge{});
  const std::vector<layer> layers{"conv2", "relu1", 0, "conv2"};
  std::size_t read = 0;
  const made_on_demand counted(0, 20, [&](std::size_t k) {
    ++read;
    return numbered_picture(k);
  });
  const auto tops = top_activations(net, std::span<const layer>{layers}, counted, {.count = 4});
  CHECK(read == 20);
  REQUIRE(tops.size() == 4);
  for (std::size_t k = 0; k < layers.size(); ++k) CHECK(tops[k] == top_activations(net, layers[k], pictures(20), {.count = 4}));
  CHECK(tops[2].layer == "conv1");
  CHECK(top_activations(net, std::span<const layer>{}, pictures(2)).empty());
}

TEST_CASE("a map has an entry per image, silent and negative ones too, and as many as there are images") {
  network<float> net;
  net.add("identity", identity{});
  net.add("relu", relu{}, {"input"});
  std::vector<tensor4<float>> inputs;
  for (const float value : {-3.F, -1.F, -2.F}) {
    inputs.push_back(zeros<float>({1, 1, 2, 3}));
    std::fill(inputs.back().data(), inputs.back().data() + 6, value);
  }
  const auto below = top_activations(net, "identity", inputs);
  CHECK(below[0] == std::vector<top_activation<float>>{{-1, 1, 0, 0}, {-2, 2, 0, 0}, {-3, 0, 0, 0}});
  const auto silent = top_activations(net, "relu", inputs, {.count = 2});
  CHECK(silent[0] == std::vector<top_activation<float>>{{0, 0, 0, 0}, {0, 1, 0, 0}});
}

TEST_CASE("the place is the first of equal maxima, rows before columns") {
  network<float> net;
  net.add("identity", identity{});
  auto x = zeros<float>({1, 1, 4, 5});
  x(0, 0, 3, 1) = x(0, 0, 1, 4) = x(0, 0, 2, 0) = 7;
  CHECK(top_activations(net, 0, std::vector{x})[0] == std::vector<top_activation<float>>{{7, 0, 1, 4}});
}

TEST_CASE("the result does not depend on the number of threads") {
  const auto net = small_network<float>(falling_edge{});
  const auto expected = [&] {
    const thread_count_for_test one(1);
    return top_activations(net, "conv2", lazy_pictures(0, 60, {4, 30}));
  }();
  CHECK(expected.maps == by_definition(net, "conv2", 60, 9, 0, {4, 30}));
  for (const std::size_t threads : {2U, 3U, 8U}) {
    const thread_count_for_test guard(threads);
    CHECK(top_activations(net, "conv2", lazy_pictures(0, 60, {4, 30})) == expected);
  }
}

TEST_CASE("shards joined are the whole data set") {
  const auto net = small_network<float>(falling_edge{});
  const auto whole = top_activations(net, "conv2", lazy_pictures(0, 45, {13, 14}));
  const auto a = top_activations(net, "conv2", lazy_pictures(0, 13));
  const auto b = top_activations(net, "conv2", lazy_pictures(13, 30, {13, 14}), {.first_image = 13});
  const auto c = top_activations(net, "conv2", lazy_pictures(30, 45), {.first_image = 30});
  CHECK(b.skipped == whole.skipped);
  CHECK(merge(a, merge(b, c)) == whole);
  CHECK(merge(merge(c, a), b) == whole);
  CHECK(whole.skipped.size() == 2);
}

TEST_CASE("a scan that was stopped goes on where it was cut") {
  const auto net = small_network<float>(falling_edge{});
  const auto whole = top_activations(net, "conv2", lazy_pictures(0, 80));
  for (const std::size_t threads : {1U, 3U}) {
    const thread_count_for_test guard(threads);
    std::stop_source source;
    const auto part = top_activations(
        net, "conv2", lazy_pictures(0, 80),
        {.progress = [&](std::size_t done, std::size_t) { if (done >= 17) source.request_stop(); }, .stop = source.get_token()});
    CHECK(!part.complete);
    CHECK(part.next_image() >= 17);
    CHECK(part.maps == by_definition(net, "conv2", part.next_image(), 9));
    const std::size_t next = part.next_image();
    const auto rest = top_activations(net, "conv2", lazy_pictures(next, 80), {.first_image = next});
    CHECK(merge(part, rest) == whole);
  }
  std::stop_source stopped;
  stopped.request_stop();
  const auto nothing = top_activations(net, "conv2", lazy_pictures(0, 80), {.stop = stopped.get_token()});
  CHECK(!nothing.complete);
  CHECK(nothing.next_image() == 0);
  CHECK(merge(nothing, whole) == whole);
}

TEST_CASE("a range that can be walked once and reads ahead works, corrupt elements in the middle") {
  const auto net = small_network<float>(falling_edge{});
  const auto top = top_activations(net, "conv2", eager_pictures(20, {5, 6, 19}));
  CHECK(top.maps == by_definition(net, "conv2", 20, 9, 0, {5, 6, 19}));
  CHECK(top.skipped.size() == 3);
  CHECK(top.complete);
}

TEST_CASE("no images, corrupt images only: empty lists for every map the network knows of") {
  const auto open = small_network<float>(falling_edge{});
  const auto fixed = small_network<float>(falling_edge{}, {3, 9, 8});
  const std::vector<tensor4<float>> none;
  CHECK(top_activations(open, "conv2", none).size() == 0);
  const auto empty = top_activations(fixed, "conv2", none);
  CHECK(empty.size() == 4);
  CHECK(empty[3].empty());
  CHECK(empty.complete);
  const auto corrupt = top_activations(fixed, "conv2", lazy_pictures(0, 3, {0, 1, 2}));
  CHECK(corrupt.size() == 4);
  CHECK(corrupt[0].empty());
  CHECK(corrupt.skipped.size() == 3);
  CHECK(corrupt.images() == 3);
}

TEST_CASE("images of unequal sizes are ranked together") {
  network<float> net;
  net.add("conv", random_conv<float>(2, 1, 3, 4));
  std::vector<tensor4<float>> inputs;
  for (const std::size_t width : {5U, 5U, 9U, 4U}) inputs.push_back(random_maps<float>({1, 1, 6, width}, static_cast<unsigned>(width)));
  const auto top = top_activations(net, 0, inputs);
  for (std::size_t map = 0; map < 2; ++map) {
    REQUIRE(top[map].size() == 4);
    for (const auto& entry : top[map]) CHECK(net(inputs[entry.image])(0, map, entry.y, entry.x) == entry.value);
  }
}

TEST_CASE("double networks rank in double, whatever the images are") {
  const auto net = small_network<double>(falling_edge{});
  const auto top = top_activations(net, "conv2", pictures(3));
  static_assert(std::is_same_v<decltype(top), const top_ranking<double>>);
  CHECK(top[0].size() == 3);
}

TEST_CASE("what cannot be ranked is refused, with names") {
  const auto net = small_network<float>(falling_edge{});
  CHECK(names(message_of<error>([&] { top_activations(net, "conv3", pictures(1)); }), "conv3"));
  CHECK(names(message_of<error>([&] { top_activations(net, 17, pictures(1)); }), "17"));
  auto poisoned = pictures(5);
  poisoned[3].data()[1] = std::numeric_limits<float>::quiet_NaN();
  CHECK(names(message_of<error>([&] { top_activations(net, "conv2", poisoned, {.first_image = 10}); }), "image 13", "NaN"));
  auto unfit = pictures(2);
  unfit[1] = zeros<float>({1, 2, 9, 8});
  CHECK(names(message_of([&] { top_activations(net, "conv2", unfit); }), "conv1"));
  network<float> overflow;
  overflow.add("scale", scale_shift<float>(tensor<float, 3>{{{1e38F}}}, tensor<float, 3>{{{0.F}}}));
  overflow.add("scale again", scale_shift<float>(tensor<float, 3>{{{1e38F}}}, tensor<float, 3>{{{0.F}}}));
  overflow.add("minus", scale_shift<float>(tensor<float, 3>{{{0.F}}}, tensor<float, 3>{{{0.F}}}));
  CHECK(names(message_of<error>([&] { top_activations(overflow, "minus", pictures(1)); }), "'minus'", "NaN", "image 0"));
}
