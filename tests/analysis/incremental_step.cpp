#include <deconvnet/analysis/incremental_step.hpp>

#include <doctest/doctest.h>

#include <vector>

#include "random_networks.hpp"

using namespace deconvnet;
using namespace deconvnet::testing;
using namespace deconvnet::detail;

namespace {

/// How the last layer of a network is evaluated, and what a change in the middle of its input reaches.
struct decision {
  piece how;
  region reached;
};

decision decide(const network<float>& net, const tensor4<float>& x, const region& changed) {
  const auto run = net.forward(x);
  std::vector<const tensor4<float>*> clean{&x};
  for (std::size_t i = 0; i < net.size(); ++i) clean.push_back(&run[i]);
  const incremental_step<float> step(net, net.size() - 1, clean);
  return {step.how(), step.reached(changed)};
}

template <class Op>
decision decide(Op op, const region& changed = {{4, 6}, {3, 4}}) {
  network<float> net({4, 9, 11});
  net.add("layer", std::move(op));
  return decide(net, random_maps<float>({1, 4, 9, 11}, 1), changed);
}

constexpr region everything{{0, 9}, {0, 11}};

}  // namespace

TEST_CASE("convolutions and max-pools run on bare windows") {
  const auto conv = decide(random_conv<float>(2, 4, 3, 1, {.stride = 1, .padding = 1}));
  CHECK(conv.how == piece::window);
  CHECK(conv.reached == region{{3, 7}, {2, 5}});
  const auto pool = decide(max_pool2d({.kernel = 3, .stride = 2}));
  CHECK(pool.how == piece::window);
  CHECK(pool.reached == region{{1, 3}, {1, 2}});
}

TEST_CASE("operators that declare a reach and keep to it run on padded pieces") {
  CHECK(decide(relu{}).how == piece::padded);
  CHECK(decide(relu{}).reached == region{{4, 6}, {3, 4}});
  CHECK(decide(local_response_norm{}).how == piece::padded);
  CHECK(decide(dropout{}).how == piece::padded);
  CHECK(decide(avg_pool2d({.kernel = 3, .stride = 2, .padding = 1, .dilation = 1, .ceil_mode = true})).how == piece::padded);
  CHECK(decide(avg_pool2d({.kernel = 2, .stride = 2, .padding = 1, .dilation = 1, .ceil_mode = true, .count_include_pad = false})).how == piece::padded);
  CHECK(decide(falling_edge{}).how == piece::padded);
  CHECK(decide(falling_edge{}).reached == region{{3, 6}, {3, 4}});
  network<float> sum({4, 9, 11});
  sum.add("a", relu{});
  sum.add("b", falling_edge{}, {"input"});
  sum.add("sum", add{}, {"a", "b"});
  CHECK(decide(sum, random_maps<float>({1, 4, 9, 11}, 1), {{4, 6}, {3, 4}}).how == piece::padded);
}

TEST_CASE("operators without reach change all over") {
  for (const decision& d : {decide(centred{}), decide(softmax{softmax_over::features}), decide(positional{})}) {
    CHECK(d.how == piece::whole);
    CHECK(d.reached == everything);
  }
  CHECK(decide(random_linear<float>(3, 4 * 9 * 11, 1)).reached == region{{0, 1}, {0, 1}});
  CHECK(decide(centred{}, {}).reached.empty());
}

TEST_CASE("constants per channel run on pieces; a picture of constants on whole maps, changing no other place") {
  const auto constant = [](std::size_t height, std::size_t width) {
    auto values = tensor<float, 3>::from_shape({4, height, width});
    fill_random(values.data(), values.size(), 3);
    return scale_shift<float>(values, values);
  };
  CHECK(decide(constant(1, 1)).how == piece::padded);
  for (const auto& d : {decide(constant(9, 11)), decide(constant(1, 11)), decide(constant(9, 1))}) {
    CHECK(d.how == piece::whole);
    CHECK(d.reached == region{{4, 6}, {3, 4}});
  }
}

namespace {

/// Declares less than it looks at.
struct near_sighted : falling_edge {
  deconvnet::reach reach() const { return {}; }
};

/// Declares nonsense.
struct absurd : falling_edge {
  deconvnet::reach reach() const { return {.kernel = {0, 1}}; }
};

}  // namespace

TEST_CASE("a declaration that does not hold, or makes no sense, is not relied on") {
  CHECK(decide(near_sighted{}).how == piece::whole);
  CHECK(decide(near_sighted{}).reached == everything);
  CHECK(decide(absurd{}).how == piece::whole);
}

TEST_CASE("pieces that came out too small are refused by name, larger ones are cut") {
  network<float> net({1, 4, 4});
  net.add("layer", relu{});
  const auto x = random_maps<float>({1, 1, 4, 4}, 1);
  const auto y = net(x);
  const std::vector<const tensor4<float>*> clean{&x, &y};
  const incremental_step<float> step(net, 0, clean);
  const auto cut = step.cut(tensor4<float>(x), {{0, 4, 1, 2}, {0, 4, 2, 1}});
  CHECK(shape_of(cut) == shape4{1, 1, 2, 1});
  CHECK(cut(0, 0, 1, 0) == x(0, 0, 2, 2));
  CHECK(names(message_of([&] { step.cut(tensor4<float>(x), {{0, 4, 3, 2}, {0, 4, 0, 4}}); }), "layer"));
}
