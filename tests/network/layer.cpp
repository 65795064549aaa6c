#include <deconvnet/network/layer.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "../tensor/values.hpp"

namespace dn = deconvnet;
using namespace deconvnet::testing;

static_assert(std::convertible_to<const char*, dn::layer>);
static_assert(std::convertible_to<std::string, dn::layer>);
static_assert(std::convertible_to<std::string_view, dn::layer>);
static_assert(std::convertible_to<int, dn::layer>);
static_assert(std::convertible_to<std::size_t, dn::layer>);
static_assert(!std::convertible_to<bool, dn::layer>);
static_assert(!std::convertible_to<char, dn::layer>);
static_assert(!std::convertible_to<double, dn::layer>);
static_assert(!std::convertible_to<std::nullptr_t, dn::layer>);
static_assert(!std::convertible_to<std::vector<int>, dn::layer>);

namespace {

struct named_thing {
  operator std::string_view() const { return "fc6"; }  // NOLINT(google-explicit-constructor)
};

std::size_t index_of(const dn::layer& which) { return which.index(); }

dn::detail::layer_names three() {
  dn::detail::layer_names names;
  for (const char* name : {"conv1", "relu1", "pool1"}) names.add(name);
  return names;
}

}  // namespace

TEST_CASE("a layer is named by anything a string_view can be made from") {
  const std::string text = "conv1";
  for (const auto& which :
       {dn::layer(text), dn::layer("conv1"), dn::layer(std::string_view(text)), dn::layer(text.c_str())}) {
    CHECK(which.is_name());
    CHECK(which.name() == "conv1");
    CHECK(which.text() == "conv1");
  }
  CHECK(dn::layer(named_thing{}).name() == "fc6");
  CHECK(dn::layer("").is_name());
}

TEST_CASE("a layer is named by an integer of any type, a literal 0 among them") {
  CHECK(index_of(0) == 0);
  CHECK(!dn::layer(0).is_name());
  CHECK(index_of(3) == 3);
  CHECK(index_of(std::size_t{4}) == 4);
  CHECK(index_of(static_cast<short>(5)) == 5);
  CHECK(dn::layer(7u).text() == "7");
}

TEST_CASE("several layers at once: names, indices or both") {
  const std::vector<dn::layer> names{"conv1", "relu1"};
  CHECK(names.size() == 2);
  CHECK(names[1].name() == "relu1");
  const std::vector<dn::layer> indices{0, 0};
  CHECK(indices.size() == 2);
  const std::vector<dn::layer> mixed{"conv1", 2};
  CHECK(mixed[0].is_name());
  CHECK(mixed[1].index() == 2);
}

TEST_CASE("a name made of digits is a name") {
  auto names = three();
  names.add("0");
  CHECK(names.find("0") == 3);
  CHECK(names.find(0) == 0);
}

TEST_CASE("a negative index and a null pointer are refused") {
  CHECK(names(message_of<dn::error>([] { index_of(-1); }), "-1"));
  const char* nothing = nullptr;
  CHECK_THROWS_AS(index_of(nothing), dn::error);
}

TEST_CASE("an index past the end is refused, with the number of layers") {
  CHECK(names(message_of<dn::error>([] { three().find(3); }), "3", "3 layers"));
  CHECK(names(message_of<dn::error>([] { dn::detail::layer_names().find(0); }), "0 layers"));
}

TEST_CASE("an unknown name is refused with near names, the nearest first") {
  const auto message = message_of<dn::error>([] { three().find("cnv1"); });
  CHECK(names(message, "'cnv1'", "'conv1'"));
  CHECK(message.find("'conv1'") < message.find("'relu1'"));
  CHECK(names(message_of<dn::error>([] { dn::detail::layer_names().find("conv1"); }), "no layers"));
}

TEST_CASE("near names are at most five, and aliases are among them") {
  dn::detail::layer_names many;
  for (int k = 0; k < 20; ++k) many.add("layer" + std::to_string(k));
  many.alias("Relu_7", 3);
  const auto message = message_of<dn::error>([&] { many.find("Relu_8"); });
  CHECK(names(message, "'Relu_7'"));
  CHECK(std::count(message.begin(), message.end(), '\'') == 2 + 2 * 5);
}

TEST_CASE("names of layers win over aliases, whichever came first") {
  auto list = three();
  list.alias("conv1", 2);
  CHECK(list.find("conv1") == 0);
  list.alias("late", 1);
  CHECK(list.find("late") == 1);
  list.add("late");
  CHECK(list.find("late") == 3);
}

TEST_CASE("the first use of an alias counts") {
  auto list = three();
  list.alias("node", 1);
  list.alias("node", 2);
  CHECK(list.find("node") == 1);
  CHECK(list.contains("node"));
  CHECK(!list.contains("other"));
}

TEST_CASE("a layer needs a name of its own") {
  auto list = three();
  CHECK(names(message_of<dn::error>([&] { list.add("relu1"); }), "'relu1'"));
  CHECK_THROWS_AS(list.add(""), dn::error);
  CHECK(list.size() == 3);
}

TEST_CASE("edit distance") {
  CHECK(dn::detail::edit_distance("", "") == 0);
  CHECK(dn::detail::edit_distance("abc", "") == 3);
  CHECK(dn::detail::edit_distance("", "ab") == 2);
  CHECK(dn::detail::edit_distance("conv1", "conv2") == 1);
  CHECK(dn::detail::edit_distance("kitten", "sitting") == 3);
}
