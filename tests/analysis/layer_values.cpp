#include <deconvnet/analysis/layer_values.hpp>

#include <doctest/doctest.h>

#include "small_models.hpp"

using namespace deconvnet;
using namespace deconvnet::testing;
using deconvnet::detail::layer_values;

TEST_CASE("chosen layers have the values that a trace has") {
  const auto net = small_network<float>(falling_edge{});
  const auto x = random_maps<float>({2, 3, 17, 12}, 9);
  const auto run = net.forward(x);
  const layer_values<float> values(net, {3, 1, 1, 0});
  layer_values<float>::records records;
  for (int repeat = 0; repeat < 2; ++repeat) {
    values.run(x, records);
    CHECK(same_bits(values.value(records, 0), run["user"]));
    CHECK(same_bits(values.value(records, 1), run["relu1"]));
    CHECK(same_bits(values.value(records, 2), run["relu1"]));
    CHECK(same_bits(values.value(records, 3), run["conv1"]));
  }
  CHECK(records[5].value.size() == 0);  // nothing above was computed
}

TEST_CASE("an input that does not fit is refused by name") {
  const auto net = small_network<float>(falling_edge{}, {3, 17, 12});
  layer_values<float>::records records;
  CHECK(names(message_of([&] { layer_values<float>(net, {0}).run(zeros<float>({1, 4, 17, 12}), records); }), "input", "3 channels"));
  const auto open = small_network<float>(falling_edge{});
  CHECK(names(message_of([&] { layer_values<float>(open, {0}).run(zeros<float>({1, 4, 17, 12}), records); }), "conv1"));
}
