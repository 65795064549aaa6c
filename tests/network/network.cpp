#include <deconvnet/network/network.hpp>

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "../tensor/expressions.hpp"
#include "own_operators.hpp"
#include "sample_networks.hpp"

namespace dn = deconvnet;
using namespace deconvnet::testing;

namespace {

/// A parameter whose name has a dot.
class dotted {
 public:
  template <class X>
  auto operator()(const X& x) const {
    return 1 * x;
  }

  template <class Self, class Visitor>
  static void visit_parameters(Self& self, Visitor&& visit) {
    visit("outer.factor", self.factor_);
  }

 private:
  dn::detail::shared_tensor<float, 1> factor_{dn::tensor<float, 1>({1}, 1.f)};
};

std::vector<std::string> layer_names_of(const dn::network<float>& net) {
  std::vector<std::string> list;
  for (const auto& info : net.layers()) list.push_back(info.name);
  return list;
}

}  // namespace

TEST_CASE("layers: names, kinds, shapes, inputs, parameters, multiply-adds in execution order") {
  const auto net = branched_network<float>();
  const auto layers = net.layers();
  REQUIRE(layers.size() == 20);
  CHECK(net.size() == 20);
  CHECK(layers[0].name == "conv1");
  CHECK(layers[0].kind == "conv2d");
  CHECK(layers[0].shape == dn::shape4{1, 4, 8, 12});
  CHECK(layers[0].inputs == std::vector<std::string>{"input"});
  CHECK(layers[0].parameters == 4 * 2 * 3 * 2 + 4);
  CHECK(layers[0].multiply_adds == 4 * 8 * 12 * 2 * 3 * 2);
  CHECK(layers[4].name == "conv2");
  CHECK(layers[4].parameters == 6 * 2 * 3 * 3 + 6);
  CHECK(layers[4].multiply_adds == 6 * 4 * 6 * 2 * 3 * 3);
  CHECK(layers[11].kind == "concat");
  CHECK(layers[11].inputs == std::vector<std::string>{"relu3a", "relu3b"});
  CHECK(layers[12].inputs == std::vector<std::string>{"concat3", "pool1"});
  CHECK(layers[16].kind == "linear");
  CHECK(layers[16].shape == dn::shape4{1, 5, 1, 1});
  CHECK(layers[16].multiply_adds == 5 * 24);
  CHECK(layers[19].shape == dn::shape4{1, 4, 1, 1});
}

TEST_CASE("add returns the layer it added, and without inputs reads the one before") {
  dn::network<float> net;
  const auto first = net.add("a", dn::relu{});
  const auto second = net.add("b", dn::relu{});
  net.add("c", dn::add{}, {first, second, "input"});
  CHECK(first.index() == 0);
  CHECK(second.index() == 1);
  CHECK(net.layers()[1].inputs == std::vector<std::string>{"a"});
  CHECK(net.layers()[2].inputs == std::vector<std::string>{"a", "b", "input"});
}

TEST_CASE("the input is addressed by its own name") {
  dn::network<float> net({1, 2, 2}, "pixels");
  net.add("input", dn::relu{});
  net.add("sum", dn::add{}, {"pixels", "input"});
  CHECK(net.input_name() == "pixels");
  CHECK(net.input_shape() == dn::shape3{1, 2, 2});
  CHECK(net(dn::tensor4<float>({1, 1, 2, 2}, 3.f))(0, 0, 1, 1) == 6.f);
  CHECK(names(message_of<dn::error>([&] { net.add("pixels", dn::relu{}); }), "'pixels'", "input"));
  CHECK_THROWS_AS(net.forward(dn::zeros<float>({1, 1, 2, 2}))["pixels"], dn::error);
}

TEST_CASE("the input's name wins over an alias, as names of values do") {
  dn::network<float> net({1, 1, 1});
  net.add("relu", dn::relu{});
  net.alias("input", "relu");
  net.add("sum", dn::add{}, {"input", "relu"});
  CHECK(net.layers()[1].inputs == std::vector<std::string>{"input", "relu"});
  CHECK(net(dn::tensor4<float>({1, 1, 1, 1}, -3.f))(0, 0, 0, 0) == -3.f);
}

TEST_CASE("a name that is taken, empty or unknown is refused and leaves the network as it was") {
  auto net = branched_network<float>();
  const auto before = layer_names_of(net);
  CHECK(names(message_of<dn::error>([&] { net.add("conv1", dn::relu{}); }), "'conv1'"));
  CHECK_THROWS_AS(net.add("", dn::relu{}), dn::error);
  CHECK(names(message_of<dn::error>([&] { net.add("new", dn::relu{}, {"conv9"}); }), "'conv9'", "near"));
  CHECK_THROWS_AS(net.add("new", dn::relu{}, {20}), dn::error);
  CHECK_THROWS_AS(net.alias("other", "conv9"), dn::error);
  CHECK_THROWS_AS(net.set_output("conv9"), dn::error);
  CHECK(layer_names_of(net) == before);
  CHECK_NOTHROW(net(branched_batch<float>()));
}

TEST_CASE("a number of inputs that an operator cannot take is refused") {
  dn::network<float> net;
  net.add("a", dn::relu{});
  CHECK(names(message_of<dn::error>([&] { net.add("b", dn::relu{}, {"a", "a"}); }), "'b'", "relu", "2 inputs"));
  CHECK_THROWS_AS(net.add("b", dn::relu{}, std::vector<dn::layer>{}), dn::error);
  CHECK_THROWS_AS(net.add("b", dn::concat{}, std::vector<dn::layer>{}), dn::error);
  CHECK(net.size() == 1);
  CHECK_NOTHROW(net.add("b", dn::concat{}, {"a"}));
}

TEST_CASE("shapes that do not fit are refused when the layer is added, with its name and both shapes") {
  dn::network<float> net({2, 5, 5});
  CHECK(names(message_of([&] {
                net.add("conv1", random_conv<float>({1, 3, 3, 3}, {}, 1));
              }),
              "'conv1'", "1 x 2 x 5 x 5", "1 x 3 x 3 x 3"));
  CHECK(
      names(message_of([&] { net.add("pool1", dn::max_pool2d{{.kernel = 6}}); }), "'pool1'", "6 x 6", "1 x 2 x 5 x 5"));
  CHECK(names(message_of([&] { net.add("fc1", random_linear<float>(2, 49, 1)); }), "'fc1'", "50", "49"));
  net.add("half", dn::max_pool2d{});
  CHECK(names(message_of([&] {
                net.add("sum", dn::add{}, {"half", "input"});
              }),
              "'sum'", "1 x 2 x 2 x 2", "1 x 2 x 5 x 5"));
  CHECK(net.size() == 1);
}

TEST_CASE("absurd extents are refused before anything is allocated") {
  CHECK_THROWS_AS(dn::network<float>({1u << 20, 1u << 20, 1u << 20}), dn::shape_error);
  dn::network<float> net({1, 1024, 1024});
  CHECK_THROWS_AS(net.add("wide", dn::conv2d<float>{dn::zeros<float>({4096, 1, 1, 1})}), dn::shape_error);
}

TEST_CASE("an input that does not fit is refused at the door") {
  const auto net = branched_network<float>();
  CHECK(names(message_of([&] {
                net(random_maps<float>({1, 3, 9, 12}, 1));
              }),
              "'input'", "1 x 3 x 9 x 12", "N x 2 x H x W"));
  CHECK_THROWS_AS(net.forward(dn::tensor4<float>::from_shape({0, 2, 9, 12})), dn::shape_error);
  CHECK_THROWS_AS(net(dn::tensor4<float>::from_shape({1, 2, 0, 12})), dn::shape_error);
  CHECK_THROWS_AS(net(xt::xarray<float>::from_shape({2, 9, 12})), dn::shape_error);
}

TEST_CASE("a network without layers has no output") {
  const dn::network<float> net({1, 2, 2});
  CHECK(net.layers().empty());
  CHECK(net.parameters().empty());
  CHECK_THROWS_AS(net(dn::zeros<float>({1, 1, 2, 2})), dn::error);
  CHECK_THROWS_AS(net.output(), dn::error);
}

TEST_CASE("an input size that is not fixed: one network for all, shapes known by the run") {
  dn::network<float> net;
  net.add("conv", random_conv<float>({3, 2, 3, 3}, {.stride = 2}, 1));
  net.add("mean", dn::global_avg_pool2d{});
  CHECK(net.layers()[0].shape == dn::shape4{});
  CHECK(net.layers()[0].multiply_adds == 0);
  CHECK(net.layers()[0].parameters == 57);
  CHECK(net.forward(random_maps<float>({1, 2, 7, 9}, 1)).shape("conv") == dn::shape4{1, 3, 3, 4});
  CHECK(net.forward(random_maps<float>({2, 2, 20, 5}, 1)).shape("conv") == dn::shape4{2, 3, 9, 2});
  CHECK_THROWS_AS(net(random_maps<float>({1, 2, 2, 9}, 1)), dn::shape_error);
}

TEST_CASE("operator() gives the last layer of forward, bit for bit; set_output chooses another") {
  auto net = branched_network<double>();
  const auto x = branched_batch<double>(2);
  const auto run = net.forward(x);
  CHECK(same_bits(net(x), run["prob"]));
  net.set_output("fc7");
  CHECK(net.output() == 18);
  CHECK(same_bits(net(x), run["fc7"]));
  net.add("more", dn::relu{});
  CHECK(same_bits(net(x), run["fc7"]));
}

TEST_CASE("any expression of rank 4, of any scalar, is an input") {
  const auto net = branched_network<float>();
  const auto x = branched_batch<float>(2);
  const auto expected = net(dn::tensor4<float>(2.f * x));
  CHECK(same_bits(net(2.f * x), expected));
  CHECK(same_bits(net(xt::xarray<float>(2.f * x)), expected));
  CHECK(same_bits(net(xt::cast<double>(2.f * x)), expected));
  CHECK(same_bits(net.forward(2.f * x)["prob"], expected));
  const auto second = xt::view(x, xt::range(1, 2), xt::all(), xt::all(), xt::all());
  CHECK(same_bits(net(second), net(image_of(x, 1))));
}

TEST_CASE("a batch gives what its images give one by one, bit for bit") {
  const auto net = branched_network<float>();
  const auto x = branched_batch<float>(3);
  const auto run = net.forward(x);
  for (std::size_t n = 0; n < 3; ++n) {
    const auto one = net.forward(image_of(x, n));
    for (const auto& info : net.layers()) {
      CAPTURE(info.name);
      CHECK(same_bits(one[info.name], image_of(run[info.name], n)));
    }
  }
}

TEST_CASE("float and double agree") {
  const auto run = branched_network<float>().forward(branched_batch<float>());
  const auto exact = branched_network<double>().forward(branched_batch<double>());
  for (const std::string name : {"conv1", "norm1", "conv2", "relu4", "fc7", "prob"})
    CHECK(distance(run[name], exact[name]) < 1e-5);
}

TEST_CASE("get_if gives the operator of a layer where its type is the right one") {
  const auto net = branched_network<float>();
  const auto* conv = net.get_if<dn::conv2d<float>>("conv2");
  REQUIRE(conv);
  CHECK(conv->options().groups == 2);
  CHECK(net.get_if<dn::relu>("conv2") == nullptr);
  CHECK(net.get_if<dn::conv2d<double>>("conv2") == nullptr);
  CHECK_THROWS_AS(net.get_if<dn::relu>("conv9"), dn::error);
}

TEST_CASE("parameters by name, with their extents") {
  const auto net = branched_network<float>();
  std::vector<std::string> list;
  for (const auto& p : net.parameters()) {
    list.push_back(p.name);
    CHECK(p.values.size() == dn::element_count(p.shape));
  }
  CHECK(list == std::vector<std::string>{"conv1.weight", "conv1.bias", "conv2.weight", "conv2.bias", "bn2.weight",
                                         "bn2.bias", "bn2.running_mean", "bn2.running_var", "conv3a.weight",
                                         "conv3a.bias", "conv3b.weight", "conv3b.bias", "fc6.weight", "fc6.bias",
                                         "fc7.weight", "fc7.bias"});
  CHECK(net.parameters()[2].shape == std::vector<std::size_t>{6, 2, 3, 3});
  CHECK(net.parameters()[12].shape == std::vector<std::size_t>{5, 24});
}

TEST_CASE("set_parameter changes the copy it is called on, and no other") {
  const auto first = branched_network<float>();
  const auto x = branched_batch<float>();
  const auto before = first(x);
  auto second = first;
  auto third = second;
  CHECK(second.parameters()[0].values.data() == first.parameters()[0].values.data());  // shared until written
  second.set_parameter("conv1.weight", std::vector<float>(48, 0.25f));
  third.set_parameter("conv1.bias", std::vector<float>(4, 2.f));
  CHECK(same_bits(first(x), before));
  CHECK(second.parameters()[0].values[5] == 0.25f);
  CHECK(third.parameters()[0].values.data() == first.parameters()[0].values.data());
  CHECK(third.parameters()[1].values[3] == 2.f);
  CHECK(first.parameters()[1].values[3] != 2.f);
  CHECK(!same_bits(second(x), before));
  CHECK(!same_bits(third(x), before));
}

TEST_CASE("an operator that went into two networks is edited in one") {
  const auto conv = random_conv<float>({2, 2, 1, 1}, {}, 1);
  dn::network<float> a;
  a.add("conv", conv);
  a.add("again", conv);
  a.set_parameter("conv.weight", std::vector<float>(4, 7.f));
  CHECK(a.parameters()[0].values[0] == 7.f);
  CHECK(a.parameters()[2].values[0] == conv.weight()(0, 0, 0, 0));
  CHECK(conv.weight()(0, 0, 0, 0) != 7.f);
}

TEST_CASE("parameters are found by alias too, and layers may have dots in their names") {
  dn::network<float> net;
  net.add("features.0", random_conv<float>({1, 1, 1, 1}, {}, 1));
  net.alias("Conv_0", "features.0");
  net.set_parameter("features.0.weight", std::vector<float>{3});
  CHECK(net.parameters()[0].values[0] == 3.f);
  net.set_parameter("Conv_0.weight", std::vector<float>{4});
  CHECK(net.parameters()[0].values[0] == 4.f);
}

TEST_CASE("parameters of a user's own may have dots in their names; the layer is the longest name that fits") {
  dn::network<float> net;
  net.add("block", dotted{});
  net.add("block.inner", random_conv<float>({1, 1, 1, 1}, {}, 1));
  for (const auto& p : net.parameters()) net.set_parameter(p.name, std::vector<float>(p.values.size(), 7.f));
  CHECK(net.parameters()[0].name == "block.outer.factor");
  for (const auto& p : net.parameters()) CHECK(p.values[0] == 7.f);
}

TEST_CASE("an unknown parameter or another number of values is refused") {
  auto net = branched_network<float>();
  for (const std::string name : {"conv1", "conv1.", "conv1.slope", "conv9.weight", "", ".weight", "relu1.weight"}) {
    CAPTURE(name);
    CHECK_THROWS_AS(net.set_parameter(name, std::vector<float>{1}), dn::error);
  }
  const auto before = net(branched_batch<float>());
  CHECK(names(message_of([&] { net.set_parameter("conv1.bias", std::vector<float>(5)); }), "'conv1.bias'", "4", "5"));
  CHECK(same_bits(net(branched_batch<float>()), before));
}

TEST_CASE("copies of a network grow apart") {
  auto first = branched_network<float>();
  auto second = first;
  second.add("more", dn::relu{});
  second.alias("entry", "conv1");
  CHECK(first.size() == 20);
  CHECK(!first.contains("more"));
  CHECK(!first.contains("entry"));
  CHECK(second.contains("entry"));
  CHECK(second.find("entry") == 0);
}
