#include <deconvnet/network/node.hpp>

#include <doctest/doctest.h>

#include <cmath>

#include <deconvnet/network/projection.hpp>
#include <deconvnet/network/receptive_field.hpp>

#include "own_operators.hpp"
#include "sample_networks.hpp"

namespace dn = deconvnet;
using namespace deconvnet::testing;

// Which form an operator has.
static_assert(dn::returns_result<twice, float> && !dn::fills_result<twice, float> && !dn::has_reverse<twice, float>);
static_assert(dn::returns_result<negated, double> && dn::has_reverse<negated, double>);
static_assert(dn::fills_result<squared, float> && dn::has_reverse<squared, float>);
static_assert(dn::joins_two<difference, float> && !dn::returns_result<difference, float>);
static_assert(dn::takes_list<largest_of, double> && !dn::fills_result<largest_of, double>);
static_assert(dn::records_switches<every_second_column, float>);
static_assert(dn::records_switches<dn::max_pool2d, float> && !dn::records_switches<dn::avg_pool2d, float>);
static_assert(dn::takes_list<dn::concat, float> && dn::takes_list<dn::add, float>);

// What networks accept.
static_assert(dn::layer_operator<twice, float> && dn::layer_operator<negated, float> &&
              dn::layer_operator<squared, float>);
static_assert(dn::layer_operator<difference, float> && dn::layer_operator<largest_of, float>);
static_assert(dn::layer_operator<every_second_column, double> && dn::layer_operator<gain<double>, double>);
static_assert(dn::layer_operator<dn::conv2d<float>, float> && dn::layer_operator<dn::relu, double>);
static_assert(dn::layer_operator<dn::max_unpool2d, float> && dn::layer_operator<dn::softmax, float>);

// And what they do not.
static_assert(!dn::layer_operator<without_forward, float>);
static_assert(!dn::layer_operator<takes_a_matrix, float>);
static_assert(!dn::layer_operator<changes_itself, float>);
static_assert(!dn::layer_operator<cannot_be_copied, float>);
static_assert(!dn::layer_operator<int, float>);
static_assert(!dn::layer_operator<gain<double>, float>);
static_assert(!dn::layer_operator<dn::conv2d<double>, float>);

// Networks refuse them by the concept, not deep inside.
template <class Op>
concept can_be_added = requires(dn::network<float>& net, Op op) {
  net.add("name", std::move(op));
};
static_assert(can_be_added<dn::relu> && can_be_added<twice>);
static_assert(!can_be_added<without_forward> && !can_be_added<dn::conv2d<double>> && !can_be_added<cannot_be_copied>);

namespace {

template <class Op>
dn::network<double> at_the_end(Op op) {
  dn::network<double> net({2, 4, 4});
  net.add("conv", random_conv<double>({2, 2, 3, 3}, {.padding = 1}, 1));
  net.add("own", std::move(op));
  return net;
}

const auto input = random_maps<double>({2, 2, 4, 4}, 3);

}  // namespace

TEST_CASE("an operator that only returns a result: a kind, a shape, an output, but no reverse") {
  const auto net = at_the_end(twice{});
  CHECK(net.layers()[1].kind == "operator");
  CHECK(net.layers()[1].shape == dn::shape4{1, 2, 4, 4});
  CHECK(net.layers()[1].parameters == 0);
  const auto run = net.forward(input);
  CHECK(run["own"] == dn::tensor4<double>(2 * run["conv"]));
  CHECK(net(input) == run["own"]);
  CHECK(names(message_of<dn::unsupported_error>([&] { dn::project(net, run, "own", dn::unit{}); }), "'own'", "operator",
              "reverse"));
  CHECK_NOTHROW(dn::project(net, run, "conv", dn::unit{}));
}

TEST_CASE("a lambda is an operator") {
  auto net = at_the_end([](const dn::tensor4<double>& x) { return x + 1; });
  const auto run = net.forward(input);
  CHECK(run["own"] == dn::tensor4<double>(run["conv"] + 1));
}

TEST_CASE("an operator with a reverse takes part in projection") {
  const auto net = at_the_end(negated{});
  CHECK(net.layers()[1].kind == "negated");
  const auto run = net.forward(input);
  const auto signal = random_maps<double>({2, 2, 4, 4}, 5);
  CHECK(dn::deconv(net, run, "own", signal) == dn::deconv(net, run, "conv", -1 * signal));
}

TEST_CASE("a reverse that declares no needs is given input and output, also where the run keeps only some layers") {
  auto net = at_the_end(squared{});
  net.add("last", random_conv<double>({1, 2, 1, 1}, {}, 9));
  const auto run = net.forward(input);
  const auto signal = random_maps<double>({2, 1, 4, 4}, 5);
  const auto all = dn::deconv(net, run, "last", signal);
  CHECK(same_bits(dn::deconv(net, net.forward(input, {.keep = {"last"}}), "last", signal), all));
}

TEST_CASE("a reverse that needs its output is given it, also where the run keeps only some layers") {
  auto net = at_the_end(cubed{});
  net.add("last", random_conv<double>({1, 2, 1, 1}, {}, 9));
  const auto signal = random_maps<double>({2, 1, 4, 4}, 5);
  const auto all = dn::deconv(net, net.forward(input), "last", signal);
  CHECK(same_bits(dn::deconv(net, net.forward(input, {.keep = {"last"}}), "last", signal), all));
}

TEST_CASE("a reverse sees the images its signal's pictures belong to") {
  const auto net = at_the_end(squared{});
  const auto run = net.forward(input);
  const std::vector<dn::unit> units{{1, 0, 1, 1}, {0, 1, 2, 2}, {1, 1, 0, 3}};
  const auto many = dn::project(net, run, "own", std::span<const dn::unit>(units));
  for (std::size_t m = 0; m < units.size(); ++m) {
    const auto one = dn::project(net, run, "own", units[m]);
    CHECK(image_of(one, units[m].n) == image_of(many, m));
  }
}

TEST_CASE("an operator of two inputs") {
  dn::network<double> net({1, 2, 2});
  net.add("a", dn::relu{});
  net.add("own", difference{}, {"input", "a"});
  const dn::tensor4<double> x{{{{1, -2}, {3, -4}}}};
  const auto run = net.forward(x);
  CHECK(run["own"] == dn::tensor4<double>{{{{0, -2}, {0, -4}}}});
  // the input gets the signal, a its negative, rectified on the way
  const auto picture = dn::deconv(net, run, "own", dn::tensor4<double>{{{{1, 1}, {-1, -1}}}});
  CHECK(picture == dn::tensor4<double>{{{{1, 1}, {0, 0}}}});
  CHECK_THROWS_AS(net.add("one", difference{}, {"a"}), dn::error);
  CHECK_THROWS_AS(net.add("three", difference{}, {"a", "a", "input"}), dn::error);
}

TEST_CASE("an operator of any number of inputs") {
  dn::network<double> net({1, 1, 2});
  net.add("minus", negated{});
  net.add("own", largest_of{}, {"input", "minus", "input"});
  CHECK(net(dn::tensor4<double>{{{{2, -3}}}}) == dn::tensor4<double>{{{{2, 3}}}});
  CHECK_THROWS_AS(net.add("none", largest_of{}, std::vector<dn::layer>{}), dn::error);
}

TEST_CASE("a pool of a user's own records switches") {
  const auto net = at_the_end(every_second_column{});
  CHECK(net.layers()[1].shape == dn::shape4{1, 2, 4, 2});
  const auto run = net.forward(input);
  CHECK(run.switches("own").places(0, 1, 2, 1) == 10);
  const auto signal = random_maps<double>({2, 2, 4, 2}, 5);
  auto maps = dn::zeros<double>({2, 2, 4, 4});
  for (std::size_t k = 0; k < signal.size(); ++k) maps.data()[2 * k] = signal.data()[k];
  CHECK(dn::deconv(net, run, "own", signal) == dn::deconv(net, run, "conv", maps));
  CHECK(dn::receptive_field(net, "own", {0, 0, 1, 1}) == dn::box{0, 1, 3, 3});
}

TEST_CASE("an operator without a reach sees its whole input") {
  const auto net = at_the_end(squared{});
  CHECK(dn::receptive_field(net, "own", {0, 0, 1, 1}) == dn::box{-1, -1, 6, 6});
  CHECK(dn::receptive_field(at_the_end(negated{}), "own", {0, 0, 1, 1}) == dn::box{0, 0, 3, 3});
}

TEST_CASE("parameters of a user's own: listed, set, copied on write") {
  const auto net = at_the_end(gain<double>(3));
  auto other = net;
  other.set_parameter("own.factor", std::vector<double>{5});
  CHECK(net(input) == dn::tensor4<double>(3 * net.forward(input)["conv"]));
  CHECK(other(input) == dn::tensor4<double>(5 * net.forward(input)["conv"]));
  CHECK(net.layers()[1].parameters == 1);
}

TEST_CASE("an operator that changes the number of images is refused, by name") {
  dn::network<double> net;
  net.add("own", doubled_batch{});
  CHECK(names(message_of([&] { net.forward(input); }), "'own'", "4 x 2 x 4 x 4", "2"));
  CHECK_THROWS_AS(net(input), dn::shape_error);
}

TEST_CASE("arity: the least and the most inputs, 0 for no bound") {
  using arity = std::pair<std::size_t, std::size_t>;
  CHECK(dn::detail::arity_of<dn::relu, float>() == arity{1, 1});
  CHECK(dn::detail::arity_of<dn::max_pool2d, float>() == arity{1, 1});
  CHECK(dn::detail::arity_of<dn::concat, float>() == arity{1, 0});
  CHECK(dn::detail::arity_of<difference, float>() == arity{2, 2});
  CHECK(dn::detail::arity_of<largest_of, float>() == arity{1, 0});
}
