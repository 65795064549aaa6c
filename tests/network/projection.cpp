#include <deconvnet/network/projection.hpp>

#include <limits>
#include <span>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "../tensor/expressions.hpp"
#include "own_operators.hpp"
#include "sample_networks.hpp"

namespace dn = deconvnet;
using namespace deconvnet::testing;

namespace {

const dn::rule projection_rules[] = {dn::rule::deconvnet, dn::rule::gradient, dn::rule::guided};

/// The strongest unit of each channel of each image.
std::vector<dn::unit> strongest_units(const dn::tensor4<double>& maps) {
  std::vector<dn::unit> units;
  for (std::size_t c = 0; c < maps.shape(1); ++c) {
    for (std::size_t n = maps.shape(0); n-- > 0;) units.push_back(dn::strongest(maps, {.image = n, .channel = c}));
  }
  return units;
}

template <class T>
void check_keep_traces() {
  const auto net = branched_network<T>();
  const auto x = branched_batch<T>(2);
  const auto full = net.forward(x);
  for (const std::string name :
       {"conv1", "norm1", "pool1", "bn2", "relu2", "concat3", "relu4", "fc6", "relu6", "fc7", "prob"}) {
    CAPTURE(name);
    const auto lean = net.forward(x, {.keep = {name}});
    const auto u = dn::strongest(full[name], {.image = 1});
    for (const auto how : projection_rules) {
      CHECK(same_bits(dn::project(net, lean, name, u, how), dn::project(net, full, name, u, how)));
      CHECK(same_bits(dn::project(net, lean, name, dn::feature_map{0, 1}, how),
                      dn::project(net, full, name, dn::feature_map{0, 1}, how)));
    }
  }
}

}  // namespace

TEST_CASE("pictures have the input's shape; only the unit's image is not zero") {
  const auto net = branched_network<double>();
  const auto run = net.forward(branched_batch<double>(3));
  for (const auto how : projection_rules) {
    for (const std::string name : {"relu1", "relu4", "fc7"}) {
      const auto u = dn::strongest(run[name], {.image = 1});
      for (const auto& picture :
           {dn::project(net, run, name, u, how), dn::project(net, run, name, dn::feature_map{1, u.c}, how)}) {
        CHECK(dn::shape_of(picture) == run.input_shape());
        CHECK(inner_product(image_of(picture, 0), image_of(picture, 0)) == 0);
        CHECK(inner_product(image_of(picture, 1), image_of(picture, 1)) > 0);
        CHECK(inner_product(image_of(picture, 2), image_of(picture, 2)) == 0);
      }
    }
  }
}

TEST_CASE("a unit of a batch gives the picture that its image gives alone, bit for bit") {
  const auto net = branched_network<float>();
  const auto x = branched_batch<float>(3);
  const auto run = net.forward(x);
  const auto u = dn::strongest(run["fc7"], {.image = 2});
  const auto alone = net.forward(image_of(x, 2));
  for (const auto how : projection_rules) {
    CHECK(same_bits(image_of(dn::project(net, run, "fc7", u, how), 2),
                    dn::project(net, alone, "fc7", {0, u.c, 0, 0}, how)));
  }
}

TEST_CASE("many units at once give what they give one by one, bit for bit and in order") {
  const auto net = branched_network<double>();
  const auto run = net.forward(branched_batch<double>(3));
  for (const std::string name : {"conv1", "relu2", "concat3", "fc6", "prob"}) {
    CAPTURE(name);
    const auto units = strongest_units(run[name]);
    for (const auto how : projection_rules) {
      for (const auto with : {dn::seed::activation, dn::seed::one}) {
        const auto many = dn::project(net, run, name, std::span<const dn::unit>{units}, how, with);
        REQUIRE(dn::shape_of(many) == dn::shape4{units.size(), 2, 9, 12});
        for (std::size_t m = 0; m < units.size(); ++m) {
          CHECK(same_bits(image_of(many, m), image_of(dn::project(net, run, name, units[m], how, with), units[m].n)));
        }
      }
    }
  }
}

TEST_CASE("more units than go down together, the same unit several times, and none") {
  const auto net = branched_network<double>();
  const auto run = net.forward(branched_batch<double>());
  const dn::unit u = dn::strongest(run["conv2"]);
  const std::vector<dn::unit> units(150, u);
  const auto many = dn::project(net, run, "conv2", units);
  const auto one = dn::project(net, run, "conv2", u);
  for (std::size_t m = 0; m < units.size(); ++m) CHECK(same_bits(image_of(many, m), one));
  CHECK(dn::shape_of(dn::project(net, run, "conv2", std::span<const dn::unit>{})) == dn::shape4{0, 2, 9, 12});
}

TEST_CASE("a whole map of one unit is that unit") {
  const auto net = branched_network<double>();
  const auto run = net.forward(branched_batch<double>(2));
  for (const auto how : projection_rules) {
    CHECK(same_bits(dn::project(net, run, "fc6", dn::feature_map{1, 2}, how),
                    dn::project(net, run, "fc6", {1, 2, 0, 0}, how)));
  }
}

TEST_CASE("the gradient of a batch is the sum of its units' pictures: it is linear in the signal") {
  const auto net = branched_network<double>();
  const auto run = net.forward(branched_batch<double>(2));
  auto sum = dn::zeros<double>(run.input_shape());
  for (std::size_t n = 0; n < 2; ++n) {
    for (std::size_t c = 0; c < 4; ++c) sum += dn::project(net, run, "fc7", {n, c, 0, 0}, dn::rule::gradient);
  }
  CHECK(distance(dn::deconv(net, run, "fc7", run["fc7"], dn::rule::gradient), sum) < 1e-13);
}

TEST_CASE("traces that keep one layer give the same projections under all rules, double") {
  check_keep_traces<double>();
}
TEST_CASE("traces that keep one layer give the same projections under all rules, float") { check_keep_traces<float>(); }

TEST_CASE("a layer that the run did not keep: no activation to seed with, but the value 1 and any signal go down") {
  const auto net = branched_network<double>();
  const auto full = net.forward(branched_batch<double>());
  const auto lean = net.forward(branched_batch<double>(), {.keep = {"fc7"}});
  CHECK(names(message_of<dn::error>([&] { dn::project(net, lean, "relu2", dn::unit{}); }), "'relu2'", ".keep"));
  CHECK(names(message_of<dn::error>([&] { dn::project(net, lean, "relu2", dn::feature_map{}); }), "'relu2'", ".keep"));
  for (const auto how : projection_rules) {
    CHECK(same_bits(dn::project(net, lean, "relu2", dn::unit{}, how, dn::seed::one),
                    dn::project(net, full, "relu2", dn::unit{}, how, dn::seed::one)));
    CHECK(same_bits(dn::deconv(net, lean, "relu2", full["relu2"], how),
                    dn::deconv(net, full, "relu2", full["relu2"], how)));
  }
}

TEST_CASE("a layer that the run did not compute is refused") {
  const auto net = branched_network<double>();
  const auto run = net.forward(branched_batch<double>(), {.keep = {"relu2"}});
  CHECK(names(
      message_of<dn::error>([&] { dn::project(net, run, "fc7", dn::unit{}, dn::rule::deconvnet, dn::seed::one); }),
      "'fc7'", ".keep"));
  CHECK_THROWS_AS(dn::deconv(net, run, "fc7", dn::zeros<double>({1, 4, 1, 1})), dn::error);
}

TEST_CASE("an unknown layer is refused with near names") {
  const auto net = branched_network<double>();
  const auto run = net.forward(branched_batch<double>());
  CHECK(names(message_of<dn::error>([&] { dn::project(net, run, "cnv2", dn::unit{}); }), "'cnv2'", "'conv2'"));
  CHECK(names(message_of<dn::error>([&] { dn::deconv(net, run, "cnv2", run[0]); }), "'cnv2'", "'conv2'"));
  CHECK_THROWS_AS(dn::project(net, run, 20, dn::unit{}), dn::error);
}

TEST_CASE("a unit or a map out of range is refused, alone and among others") {
  const auto net = branched_network<double>();
  const auto run = net.forward(branched_batch<double>(2));  // conv2: 2 x 6 x 4 x 6
  for (const dn::unit u : {dn::unit{2, 0, 0, 0}, dn::unit{0, 6, 0, 0}, dn::unit{0, 0, 4, 0}, dn::unit{0, 0, 0, 6}}) {
    CHECK(names(message_of<dn::error>([&] { dn::project(net, run, "conv2", u); }), "out of range", "2 x 6 x 4 x 6"));
    const std::vector<dn::unit> units{dn::unit{}, u};
    CHECK_THROWS_AS(dn::project(net, run, "conv2", units), dn::error);
  }
  CHECK_THROWS_AS(dn::project(net, run, "conv2", dn::feature_map{2, 0}), dn::error);
  CHECK_THROWS_AS(dn::project(net, run, "conv2", dn::feature_map{0, 6}), dn::error);
}

TEST_CASE("NaN or infinity in the run's input is refused, with its place") {
  const auto net = branched_network<float>();
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    auto x = branched_batch<float>(2);
    x.data()[217] = bad;
    for (const auto& run : {net.forward(x), net.forward(x, {.keep = {"conv1"}})}) {
      CHECK(names(message_of<dn::error>([&] { dn::project(net, run, "conv1", dn::unit{}); }), "217", "2 x 2 x 9 x 12"));
      CHECK_THROWS_AS(dn::project(net, run, "conv1", dn::feature_map{}), dn::error);
      CHECK_THROWS_AS(dn::project(net, run, "conv1", std::vector<dn::unit>(2)), dn::error);
      CHECK_THROWS_AS(dn::deconv(net, run, "conv1", dn::zeros<float>(run.shape("conv1"))), dn::error);
    }
    auto run = net.forward(x);
    net.forward(branched_batch<float>(2), run);
    CHECK_NOTHROW(dn::project(net, run, "conv1", dn::unit{}));
  }
}

TEST_CASE("an activation that overflowed, and a signal with NaN, are refused") {
  dn::network<float> net;
  net.add("twice", [](const dn::tensor4<float>& x) { return 2.f * x; });
  net.add("relu", dn::relu{}, {"input"});
  net.add("conv", dn::conv2d<float>{dn::tensor4<float>{{{{3.f}}}}}, {"relu"});
  const auto run = net.forward(dn::tensor4<float>({1, 1, 1, 2}, 3e38f));
  CHECK(names(message_of<dn::error>([&] { dn::project(net, run, "conv", dn::unit{}); }), "'conv'", "NaN or infinite"));
  CHECK_THROWS_AS(dn::project(net, run, "conv", dn::feature_map{}), dn::error);
  CHECK_NOTHROW(dn::project(net, run, "conv", dn::unit{}, dn::rule::deconvnet, dn::seed::one));
  auto signal = dn::zeros<float>({1, 1, 1, 2});
  signal(0, 0, 0, 1) = std::numeric_limits<float>::quiet_NaN();
  CHECK(names(message_of<dn::error>([&] { dn::deconv(net, run, "conv", signal); }), "element 1", "NaN"));
}

TEST_CASE("a signal of another shape is refused with both") {
  const auto net = branched_network<double>();
  const auto run = net.forward(branched_batch<double>(2));
  const auto message = message_of([&] { dn::deconv(net, run, "conv2", dn::zeros<double>({1, 6, 4, 6})); });
  CHECK(names(message, "'conv2'", "2 x 6 x 4 x 6", "1 x 6 x 4 x 6"));
  CHECK_THROWS_AS(dn::deconv(net, run, "fc6", dn::zeros<double>({2, 5, 1, 2})), dn::shape_error);
}

TEST_CASE("a trace of another network is refused") {
  const auto net = branched_network<double>();
  dn::network<double> other(branched_input);
  other.add("conv1", random_conv<double>({4, 2, 3, 2}, {.padding = {1, 0, 0, 1}}, 1));
  const auto run = other.forward(branched_batch<double>());
  CHECK(names(message_of<dn::error>([&] { dn::project(net, run, "conv1", dn::unit{}); }), "another network"));
  CHECK_THROWS_AS(dn::project(net, run, "conv1", dn::feature_map{}), dn::error);
  CHECK_THROWS_AS(dn::deconv(net, run, "conv1", run[0]), dn::error);
}

TEST_CASE("a signal may be any expression of rank 4") {
  const auto net = branched_network<float>();
  const auto run = net.forward(branched_batch<float>());
  const auto expected = dn::deconv(net, run, "conv2", dn::tensor4<float>(2.f * run["conv2"]));
  CHECK(same_bits(dn::deconv(net, run, "conv2", 2.f * run["conv2"]), expected));
  CHECK(same_bits(dn::deconv(net, run, "conv2", xt::xarray<double>(2.f * run["conv2"])), expected));
}

TEST_CASE("float and double agree under every rule") {
  const auto net = branched_network<float>();
  const auto exact = branched_network<double>();
  const auto run = net.forward(branched_batch<float>());
  const auto reference = exact.forward(branched_batch<double>());
  for (const auto how : projection_rules) {
    const auto u = dn::strongest(reference["fc7"]);
    CHECK(distance(dn::project(net, run, "fc7", u, how), dn::project(exact, reference, "fc7", u, how)) < 1e-5);
  }
}
