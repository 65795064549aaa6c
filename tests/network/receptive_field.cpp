#include <deconvnet/network/receptive_field.hpp>

#include <algorithm>
#include <string>

#include <doctest/doctest.h>

#include "sample_networks.hpp"

namespace dn = deconvnet;
using namespace deconvnet::testing;

namespace {

dn::conv2d<double> conv(const dn::extent2d& kernel, const dn::conv2d_options& options = {}) {
  return random_conv<double>({1, 1, kernel.height, kernel.width}, options, 1);
}

/// The smallest box of pixels that change the unit when they are changed, by trying every pixel.
dn::box perturbed(const dn::network<double>& net, const std::string& name, const dn::unit& u,
                  const dn::tensor4<double>& x) {
  const double before = net.forward(x)[name](u.n, u.c, u.y, u.x);
  std::size_t top = x.shape(2), left = x.shape(3), bottom = 0, right = 0;
  for (std::size_t row = 0; row < x.shape(2); ++row) {
    for (std::size_t column = 0; column < x.shape(3); ++column) {
      auto changed = x;
      for (std::size_t c = 0; c < x.shape(1); ++c) changed(u.n, c, row, column) += 10.0 * (c % 2 ? -1 : 1);
      if (net.forward(changed)[name](u.n, u.c, u.y, u.x) == before) continue;
      top = std::min(top, row);
      left = std::min(left, column);
      bottom = std::max(bottom, row + 1);
      right = std::max(right, column + 1);
    }
  }
  return {static_cast<std::ptrdiff_t>(top), static_cast<std::ptrdiff_t>(left), bottom - top, right - left};
}

dn::box clipped(const dn::box& b, const dn::shape3& input) {
  const auto clip = [](std::ptrdiff_t place, std::size_t end) {
    return std::clamp<std::ptrdiff_t>(place, 0, static_cast<std::ptrdiff_t>(end));
  };
  const auto top = clip(b.y, input[1]), bottom = clip(b.y + static_cast<std::ptrdiff_t>(b.height), input[1]);
  const auto left = clip(b.x, input[2]), right = clip(b.x + static_cast<std::ptrdiff_t>(b.width), input[2]);
  return {top, left, static_cast<std::size_t>(bottom - top), static_cast<std::size_t>(right - left)};
}

}  // namespace

TEST_CASE("one layer: kernel, stride, padding and dilation by the formula") {
  dn::network<double> net({1, 20, 30});
  net.add("plain", conv({3, 5}));
  net.add("strided", conv({3, 5}, {.stride = {2, 3}}), {"input"});
  net.add("padded", conv({3, 5}, {.padding = {1, 2}}), {"input"});
  net.add("one_sided", conv({3, 5}, {.padding = {2, 0, 0, 1}}), {"input"});
  net.add("dilated", conv({3, 5}, {.dilation = {2, 3}}), {"input"});
  net.add("pool", dn::max_pool2d{{.kernel = {3, 2}}}, {"input"});
  net.add("relu", dn::relu{}, {"input"});
  const dn::unit u{0, 0, 4, 5};
  CHECK(dn::receptive_field(net, "plain", u) == dn::box{4, 5, 3, 5});
  CHECK(dn::receptive_field(net, "strided", u) == dn::box{8, 15, 3, 5});
  CHECK(dn::receptive_field(net, "padded", u) == dn::box{3, 3, 3, 5});
  CHECK(dn::receptive_field(net, "one_sided", u) == dn::box{2, 5, 3, 5});
  CHECK(dn::receptive_field(net, "dilated", u) == dn::box{4, 5, 5, 13});
  CHECK(dn::receptive_field(net, "pool", u) == dn::box{12, 10, 3, 2});
  CHECK(dn::receptive_field(net, "relu", u) == dn::box{4, 5, 1, 1});
}

TEST_CASE("layers in a row: sizes grow by (k - 1) times the product of the strides below") {
  dn::network<double> net({1, 40, 40});
  net.add("conv1", conv(7, {.stride = 2, .padding = 1}));  // 7, jump 2
  net.add("relu1", dn::relu{});
  net.add("pool1", dn::max_pool2d{{.kernel = 3, .stride = 2}});  // 7 + 2 * 2 = 11, jump 4
  net.add("conv2", conv(5, {.stride = 2}));                      // 11 + 4 * 4 = 27, jump 8
  CHECK(dn::receptive_field(net, "conv1", {0, 0, 1, 2}) == dn::box{1, 3, 7, 7});
  CHECK(dn::receptive_field(net, "pool1", {0, 0, 1, 2}) == dn::box{3, 7, 11, 11});
  CHECK(dn::receptive_field(net, "conv2", {0, 0, 1, 0}) == dn::box{7, -1, 27, 27});
}

TEST_CASE("at the border a field begins before the picture, or ends after it") {
  dn::network<double> net({1, 5, 6});
  net.add("conv", conv(3, {.padding = 1}));
  net.add("pool", dn::max_pool2d{{.kernel = 2, .stride = 2, .padding = 0, .dilation = 1, .ceil_mode = true}});
  CHECK(dn::receptive_field(net, "conv", {0, 0, 0, 0}) == dn::box{-1, -1, 3, 3});
  CHECK(dn::receptive_field(net, "conv", {0, 0, 4, 5}) == dn::box{3, 4, 3, 3});
  CHECK(dn::receptive_field(net, "pool", {0, 0, 2, 0}) == dn::box{3, -1, 4, 4});  // of one size, though cut
}

TEST_CASE("branches: the box around what each of them sees") {
  dn::network<double> net({1, 12, 12});
  net.add("wide", conv({1, 5}, {.padding = {0, 2}}));
  net.add("tall", conv({7, 1}, {.padding = {3, 0}}), {"input"});
  net.add("both", dn::add{}, {"wide", "tall"});
  net.add("joined", dn::concat{}, {"wide", "input"});
  CHECK(dn::receptive_field(net, "both", {0, 0, 6, 6}) == dn::box{3, 4, 7, 5});
  CHECK(dn::receptive_field(net, "joined", {0, 1, 6, 6}) == dn::box{6, 4, 1, 5});
}

TEST_CASE("fully connected layers see everything their input sees") {
  const auto net = branched_network<double>();
  const auto field = dn::receptive_field(net, "fc6", {0, 3, 0, 0});
  CHECK(clipped(field, branched_input) == dn::box{0, 0, 9, 12});
  CHECK(dn::receptive_field(net, "prob", {0, 3, 0, 0}) == field);
  dn::network<double> mean({1, 6, 7});
  mean.add("mean", dn::global_avg_pool2d{});
  CHECK(dn::receptive_field(mean, "mean", {}) == dn::box{0, 0, 6, 7});
}

TEST_CASE("a unit depends on the pixels of its field and on no others: every pixel tried") {
  const auto net = branched_network<double>();
  const auto x = branched_batch<double>();
  const auto run = net.forward(x);
  for (const std::string name : {"conv1", "norm1", "conv2", "sum4"}) {
    for (const bool last : {false, true}) {
      CAPTURE(name);
      const auto& shape = run.shape(name);
      const dn::unit u{0, 0, last ? shape[2] - 1 : 1, last ? shape[3] - 1 : 2};
      const auto field = clipped(dn::receptive_field(net, name, u), branched_input);
      const auto seen = perturbed(net, name, u, x);
      // Dilation leaves gaps and a ReLU may be off: not every pixel of a field matters, but none outside it does.
      CHECK(field.y <= seen.y);
      CHECK(field.x <= seen.x);
      CHECK(seen.y + static_cast<std::ptrdiff_t>(seen.height) <= field.y + static_cast<std::ptrdiff_t>(field.height));
      CHECK(seen.x + static_cast<std::ptrdiff_t>(seen.width) <= field.x + static_cast<std::ptrdiff_t>(field.width));
    }
  }
}

TEST_CASE("a field is no larger than it must be: without ReLUs its edges matter") {
  dn::network<double> net({1, 15, 17});
  net.add("conv1", conv({3, 2}, {.stride = {2, 1}, .padding = {1, 0, 0, 1}}));
  net.add("avg1", dn::avg_pool2d{{.kernel = {2, 3}, .stride = {1, 2}}});
  net.add("conv2", conv({2, 3}, {.padding = 1, .dilation = {1, 2}}));
  const auto x = random_maps<double>({1, 1, 15, 17}, 3);
  const auto run = net.forward(x);
  for (const std::string name : {"conv1", "avg1", "conv2"}) {
    const auto& shape = run.shape(name);
    // A unit of conv2 at the border sees places past avg1's map: counted, though nothing is there.
    const std::size_t border = name == "conv2" ? 1 : 0;
    for (std::size_t row = border; row + border < shape[2]; row += 2) {
      for (std::size_t column = border; column + border < shape[3]; column += 3) {
        CAPTURE(name);
        const dn::unit u{0, 0, row, column};
        CHECK(perturbed(net, name, u, x) == clipped(dn::receptive_field(net, name, u), {1, 15, 17}));
      }
    }
  }
}

TEST_CASE("a run gives the map sizes that the network does not fix") {
  dn::network<double> net;
  net.add("conv", conv(3));
  net.add("mean", dn::global_avg_pool2d{});
  CHECK(dn::receptive_field(net, "conv", {0, 0, 2, 1}) == dn::box{2, 1, 3, 3});
  CHECK(names(message_of<dn::error>([&] { dn::receptive_field(net, "mean", {}); }), "'mean'", "not fixed"));
  const auto run = net.forward(random_maps<double>({2, 1, 6, 8}, 1));
  CHECK(dn::receptive_field(net, run, "mean", {1, 0, 0, 0}) == dn::box{0, 0, 6, 8});
  CHECK_THROWS_AS(dn::receptive_field(net, run, "conv", {0, 0, 4, 0}), dn::error);
  CHECK_THROWS_AS(dn::receptive_field(net, run, "conv", {2, 0, 0, 0}), dn::error);
  CHECK_THROWS_AS(dn::receptive_field(net, dn::trace<double>(), "conv", {}), dn::error);
}

TEST_CASE("an unknown layer or a unit out of range is refused; the batch is not fixed") {
  const auto net = branched_network<double>();
  CHECK(names(message_of<dn::error>([&] { dn::receptive_field(net, "con1", {}); }), "'conv1'"));
  CHECK_THROWS_AS(dn::receptive_field(net, "conv1", {0, 4, 0, 0}), dn::error);
  CHECK_THROWS_AS(dn::receptive_field(net, "conv1", {0, 0, 8, 0}), dn::error);
  CHECK_THROWS_AS(dn::receptive_field(net, "conv1", {0, 0, 0, 12}), dn::error);
  CHECK(dn::receptive_field(net, "conv1", {99, 0, 1, 1}) == dn::receptive_field(net, "conv1", {0, 0, 1, 1}));
}
