#include <deconvnet/network/pipeline.hpp>

#include <string>
#include <type_traits>
#include <vector>

#include <doctest/doctest.h>

#include <deconvnet/network/projection.hpp>

#include "../tensor/expressions.hpp"
#include "own_operators.hpp"
#include "sample_networks.hpp"

namespace dn = deconvnet;
using namespace deconvnet::testing;

namespace {

const dn::rule every_rule[] = {dn::rule::deconvnet, dn::rule::gradient, dn::rule::guided};

template <class T>
auto classifier() {
  return dn::pipeline{random_conv<T>({4, 2, 3, 3}, {.stride = {1, 2}, .padding = 1}, 1),
                      dn::relu{},
                      dn::local_response_norm({.size = 3, .alpha = 0.5}),
                      dn::max_pool2d{{.kernel = 3, .stride = 2, .padding = 0, .dilation = 1, .ceil_mode = true}},
                      random_batch_norm<T>(4, 2),
                      dn::relu{},
                      dn::avg_pool2d{},
                      random_linear<T>(5, 16, 3),
                      dn::dropout{0.5},
                      dn::softmax{}};
}

/// The same layers in a network, with names of their own.
template <class T>
dn::network<T> the_same() {
  const auto pipe = classifier<T>();
  dn::network<T> net({2, 8, 15});
  net.add("conv", pipe.template get<0>());
  net.add("relu", pipe.template get<1>());
  net.add("norm", pipe.template get<2>());
  net.add("pool", pipe.template get<3>());
  net.add("bn", pipe.template get<4>());
  net.add("relu2", pipe.template get<5>());
  net.add("avg", pipe.template get<6>());
  net.add("fc", pipe.template get<7>());
  net.add("drop", pipe.template get<8>());
  net.add("prob", pipe.template get<9>());
  return net;
}

template <class T>
void check_same_numbers() {
  const auto pipe = classifier<T>();
  const auto net = the_same<T>();
  const auto x = random_maps<T>({2, 2, 8, 15}, 5);
  const auto run = pipe.forward(x);
  const auto other = net.forward(x);
  static_assert(std::is_same_v<decltype(run), const dn::trace<T>>);
  CHECK(same_bits(pipe(x), net(x)));
  CHECK(run.switches(3).places == other.switches("pool").places);
  for (std::size_t i = 0; i < pipe.size(); ++i) {
    CAPTURE(i);
    CHECK(same_bits(run[i], other[i]));
    const auto u = dn::strongest(run[i], {.image = 1});
    const std::vector<dn::unit> units{u, dn::unit{}};
    for (const auto how : every_rule) {
      CHECK(same_bits(dn::project(pipe, run, i, u, how), dn::project(net, other, i, u, how)));
      CHECK(same_bits(dn::project(pipe, run, i, u, how, dn::seed::one),
                      dn::project(net, other, i, u, how, dn::seed::one)));
      CHECK(same_bits(dn::project(pipe, run, i, dn::feature_map{1, 0}, how),
                      dn::project(net, other, i, dn::feature_map{1, 0}, how)));
      CHECK(same_bits(dn::project(pipe, run, i, units, how), dn::project(net, other, i, units, how)));
      CHECK(same_bits(dn::deconv(pipe, run, i, run[i], how), dn::deconv(net, other, i, other[i], how)));
    }
    CHECK(dn::receptive_field(pipe, run, i, u) == dn::receptive_field(net, i, u));
    CHECK(same_bits(pipe.forward(x, {.keep = {i}})[i], run[i]));
  }
}

template <class... Ops>
concept makes_a_pipeline = requires(Ops... ops) {
  dn::pipeline<Ops...>{ops...};
};

}  // namespace

TEST_CASE("a pipeline and a network give the same numbers, float") { check_same_numbers<float>(); }
TEST_CASE("a pipeline and a network give the same numbers, double") { check_same_numbers<double>(); }

TEST_CASE("layers of a pipeline are 0, 1, 2, or those numbers as names") {
  const auto pipe = classifier<float>();
  const auto run = pipe.forward(random_maps<float>({1, 2, 8, 15}, 5));
  CHECK(pipe.size() == 10);
  CHECK(&run[3] == &run["3"]);
  CHECK_THROWS_AS(run[10], dn::error);
  CHECK_THROWS_AS(run["pool"], dn::error);
  CHECK_THROWS_AS(run.switches(0), dn::error);
  const auto layers = pipe.layers({2, 8, 15});
  REQUIRE(layers.size() == 10);
  CHECK(layers[3].name == "3");
  CHECK(layers[3].kind == "max_pool2d");
  CHECK(layers[3].shape == dn::shape4{1, 4, 4, 4});
  CHECK(pipe.layers()[0].parameters == 76);
}

TEST_CASE("receptive fields of a pipeline need no run where no layer sees everything") {
  const auto pipe = classifier<double>();
  CHECK(dn::receptive_field(pipe, 0, {0, 0, 1, 2}) == dn::box{0, 3, 3, 3});
  CHECK(dn::receptive_field(pipe, 3, {0, 0, 1, 1}) == dn::receptive_field(the_same<double>(), "pool", {0, 0, 1, 1}));
  CHECK_THROWS_AS(dn::receptive_field(pipe, 7, {}), dn::error);
}

TEST_CASE("pipelines without weights take the scalar of their input, those with weights keep their own") {
  const dn::pipeline plain{dn::relu{}, dn::max_pool2d{}};
  const auto wide = random_maps<double>({1, 1, 4, 4}, 1);
  const auto narrow = random_maps<float>({1, 1, 4, 4}, 1);
  static_assert(std::is_same_v<decltype(plain(wide)), dn::tensor4<double>>);
  static_assert(std::is_same_v<decltype(plain(narrow)), dn::tensor4<float>>);
  static_assert(std::is_same_v<decltype(plain.forward(narrow)), dn::trace<float>>);
  const dn::pipeline weighted{random_conv<double>({1, 1, 1, 1}, {}, 1), dn::relu{}};
  static_assert(std::is_same_v<decltype(weighted(narrow)), dn::tensor4<double>>);
  CHECK(weighted(narrow) == weighted(xt::cast<double>(narrow)));
  CHECK(dn::project(plain, plain.forward(wide), 1, dn::unit{}).size() == 16);
}

TEST_CASE("any expression of rank 4 is an input") {
  const auto pipe = classifier<float>();
  const auto x = random_maps<float>({2, 2, 8, 15}, 5);
  const auto expected = pipe(dn::tensor4<float>(2.f * x));
  CHECK(same_bits(pipe(2.f * x), expected));
  CHECK(same_bits(pipe(xt::xarray<double>(2.f * x)), expected));
  CHECK(same_bits(pipe.forward(2.f * x)[9], expected));
  CHECK(same_bits(pipe(xt::view(x, xt::range(1, 2))), pipe(image_of(x, 1))));
}

TEST_CASE("a pipeline is a value and const calls leave it alone") {
  const auto pipe = classifier<float>();
  const auto x = random_maps<float>({2, 2, 8, 15}, 5);
  const auto expected = pipe(x);
  auto copy = pipe;
  const auto run = pipe.forward(x);
  CHECK_NOTHROW(dn::project(copy, run, 9, dn::unit{}));
  copy = classifier<float>();
  CHECK(same_bits(pipe(x), expected));
  CHECK(same_bits(copy(x), expected));
}

TEST_CASE("a trace belongs to its pipeline, the copies and the networks of it; pipelines of equal length are others") {
  const auto conv = random_conv<float>({2, 2, 3, 3}, {.padding = 1}, 1);
  const dn::pipeline pipe{conv, dn::relu{}};
  const dn::pipeline swapped{dn::relu{}, conv};
  const dn::pipeline other{random_conv<float>({2, 2, 3, 3}, {.padding = 1}, 2), dn::relu{}};
  const auto x = random_maps<float>({1, 2, 4, 5}, 3);
  const auto run = pipe.forward(x);
  const auto expected = dn::project(pipe, run, 1, dn::unit{});
  CHECK(same_bits(dn::project(dn::pipeline(pipe), run, 1, dn::unit{}), expected));
  CHECK(same_bits(dn::project(pipe.as_network(), run, 1, dn::unit{}), expected));
  CHECK(same_bits(dn::project(pipe, pipe.as_network({2, 4, 5}).forward(x), 1, dn::unit{}), expected));
  CHECK(names(message_of<dn::error>([&] { dn::project(swapped, run, 1, dn::unit{}); }), "another network or pipeline"));
  CHECK_THROWS_AS(dn::project(other, run, 1, dn::unit{}), dn::error);
  CHECK_THROWS_AS(dn::project(dn::pipeline{conv, dn::relu{}}, run, 1, dn::unit{}), dn::error);
  auto net = pipe.as_network();
  net.edit_parameter("0.bias")[0] = 0;
  CHECK_THROWS_AS(dn::project(net, run, 1, dn::unit{}), dn::error);
}

TEST_CASE("a trace of a pipeline can be refilled") {
  const auto pipe = classifier<float>();
  auto run = pipe.forward(random_maps<float>({2, 2, 8, 15}, 5));
  const auto* place = run[0].data();
  const auto x = random_maps<float>({2, 2, 8, 15}, 6);
  pipe.forward(x, run);
  CHECK(run[0].data() == place);
  CHECK(same_bits(run[9], pipe(x)));
  pipe.forward(run.input(), run, {.keep = {4}});
  CHECK(same_bits(run[4], pipe.forward(x)[4]));
  CHECK_THROWS_AS(run[3], dn::error);
}

TEST_CASE("user operators and pipelines are operators of a pipeline") {
  const auto conv = random_conv<double>({2, 1, 1, 1}, {}, 1);
  const dn::pipeline inner{conv, dn::relu{}};
  const dn::pipeline outer{inner, negated{}, [](const dn::tensor4<double>& maps) { return maps + 1; }};
  const auto x = random_maps<double>({1, 1, 3, 3}, 2);
  CHECK(outer(x) == dn::tensor4<double>(1 - inner(x)));
  const auto run = outer.forward(x);
  CHECK(run[0] == inner(x));
  CHECK_THROWS_AS(dn::project(outer, run, 2, dn::unit{}), dn::unsupported_error);
}

TEST_CASE("as_network shares the weights") {
  const auto pipe = classifier<float>();
  const auto net = pipe.as_network({2, 8, 15});
  CHECK(net.get_if<dn::conv2d<float>>(0)->weight().data() == pipe.get<0>().weight().data());
  CHECK(net.layers()[9].shape == dn::shape4{1, 5, 1, 1});
}

TEST_CASE("shapes that do not fit are told with the layer, an empty input and unknown layers are refused") {
  const auto pipe = classifier<float>();
  CHECK(names(message_of([&] { pipe(random_maps<float>({1, 3, 8, 15}, 1)); }), "layer '0'", "1 x 3 x 8 x 15"));
  CHECK(names(message_of([&] { pipe.forward(random_maps<float>({1, 2, 9, 30}, 1)); }), "layer '7'"));
  CHECK_THROWS_AS(pipe(dn::tensor4<float>::from_shape({0, 2, 8, 15})), dn::shape_error);
  CHECK_THROWS_AS(pipe.forward(dn::tensor4<float>::from_shape({1, 2, 8, 0})), dn::shape_error);
  CHECK_THROWS_AS(pipe.forward(random_maps<float>({1, 2, 8, 15}, 1), {.keep = {10}}), dn::error);
}
