#include <deconvnet/io/network_text.hpp>

#include <set>

#include <doctest/doctest.h>

#include "../network/sample_networks.hpp"

namespace dn = deconvnet;
using namespace deconvnet::testing;

namespace {

struct described {
  std::size_t side = 6, padding = 1, filters = 2;
  bool ceil = false;
  double drop = 0.5, alpha = 1e-4;
  std::string name = "conv1";
  unsigned seed = 1;
};

std::string text_of(const described& d) {
  dn::network<float> net({1, d.side, d.side});
  net.add(d.name, random_conv<float>({d.filters, 1, 3, 3}, {.padding = d.padding}, d.seed));
  net.add("norm1", dn::local_response_norm({.alpha = d.alpha}));
  net.add("pool1", dn::max_pool2d{{.kernel = 2, .stride = 2, .ceil_mode = d.ceil}});
  net.add("drop1", dn::dropout{d.drop});
  return dn::network_text(net);
}

}  // namespace

TEST_CASE("networks of one text differ in their weights alone") {
  CHECK(text_of({}) == text_of({.seed = 2}));
  const described all[] = {{}, {.side = 8}, {.padding = 0}, {.filters = 3}, {.ceil = true}, {.drop = 0.25}, {.alpha = 1e-3}, {.name = "first"}};
  std::set<std::string> texts;
  for (const auto& one : all) texts.insert(text_of(one));
  CHECK(texts.size() == std::size(all));
}

TEST_CASE("a line for each layer") {
  dn::network<float> net({1, 6, 6}, "picture");
  net.add("conv1", random_conv<float>({2, 1, 3, 3}, {.padding = 1}, 1));
  net.add("relu1", dn::relu{});
  CHECK(dn::network_text(net) ==
        "input: 'picture' 1 x 6 x 6\n"
        "layer 'conv1': conv2d of 'picture' {\"dilation\":[1,1],\"groups\":1,\"padding\":[1,1,1,1],\"stride\":[1,1]}, weight 2 x 1 x 3 x 3, "
        "bias 2\n"
        "layer 'relu1': relu of 'conv1'\n"
        "output: 'relu1'");
}
