// Bits depend on the layers alone: not on the number of threads, the batch an image travels in, or who else is
// computing.
#include <deconvnet/network/pipeline.hpp>
#include <deconvnet/network/projection.hpp>

#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "../network/sample_networks.hpp"

namespace dn = deconvnet;
using namespace deconvnet::testing;

namespace {

const dn::rule determinism_rules[] = {dn::rule::deconvnet, dn::rule::gradient, dn::rule::guided};

/// Sets the number of threads for a scope.
class threads {
 public:
  explicit threads(std::size_t count) { dn::set_thread_count(count); }
  ~threads() { dn::set_thread_count(0); }
  threads(const threads&) = delete;
  threads& operator=(const threads&) = delete;
};

/// Layers wide enough for several tiles of pixels and channels.
dn::network<float> wide_network() {
  dn::network<float> net({3, 40, 50});
  net.add("conv1", random_conv<float>({24, 3, 5, 5}, {.padding = 2}, 1));
  net.add("relu1", dn::relu{});
  net.add("norm1", dn::local_response_norm({.size = 5, .alpha = 1e-2}));
  net.add("pool1", dn::max_pool2d{{.kernel = 3, .stride = 2}});
  net.add("conv2", random_conv<float>({40, 24, 3, 3}, {.padding = 1}, 2));
  net.add("relu2", dn::relu{});
  net.add("pool2", dn::max_pool2d{{.kernel = 2}});
  net.add("fc3", random_linear<float>(33, 40 * 9 * 12, 3));
  net.add("prob", dn::softmax{});
  return net;
}

struct results {
  dn::tensor4<float> output;
  std::vector<dn::tensor4<float>> pictures;
};

results compute(const dn::network<float>& net, const dn::tensor4<float>& x) {
  results all{net(x), {}};
  const auto run = net.forward(x);
  for (const char* name : {"relu2", "fc3", "prob"}) {
    for (const auto how : determinism_rules)
      all.pictures.push_back(dn::project(net, run, name, dn::strongest(run[name], {.image = 0}), how));
  }
  return all;
}

bool same(const results& a, const results& b) {
  if (!same_bits(a.output, b.output)) return false;
  for (std::size_t k = 0; k < a.pictures.size(); ++k) {
    if (!same_bits(a.pictures[k], b.pictures[k])) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("forward and project give the same bits for any number of threads") {
  const auto net = wide_network();
  const auto x = random_maps<float>({2, 3, 40, 50}, 4);
  const auto expected = [&] {
    const threads one(1);
    return compute(net, x);
  }();
  for (const std::size_t count : {2u, 3u, 7u}) {
    CAPTURE(count);
    const threads several(count);
    CHECK(same(compute(net, x), expected));
    CHECK(same(compute(net, x), expected));
  }
}

TEST_CASE("forward and project give the same bits for any batch an image travels in, at any place of it") {
  const auto net = wide_network();
  const auto x = random_maps<float>({5, 3, 40, 50}, 4);
  const auto all = net.forward(x);
  for (std::size_t n = 0; n < 5; ++n) {
    const auto one = net.forward(image_of(x, n));
    for (const auto& info : net.layers()) CHECK(same_bits(one[info.name], image_of(all[info.name], n)));
    const auto u = dn::strongest(all["fc3"], {.image = n});
    for (const auto how : determinism_rules) {
      CHECK(same_bits(image_of(dn::project(net, all, "fc3", u, how), n),
                      dn::project(net, one, "fc3", {0, u.c, 0, 0}, how)));
    }
  }
}

TEST_CASE("one const network and one trace serve several threads at once") {
  const auto net = wide_network();
  const auto x = random_maps<float>({1, 3, 40, 50}, 4);
  const auto expected = compute(net, x);
  const auto shared_run = net.forward(x);
  const auto u = dn::strongest(shared_run["fc3"]);
  const auto picture = dn::project(net, shared_run, "fc3", u);
  std::vector<int> right(4);
  {
    std::vector<std::jthread> callers;
    for (std::size_t t = 0; t < right.size(); ++t) {
      callers.emplace_back([&, t] {
        for (int k = 0; k < 2; ++k) {
          const auto copy = net;
          right[t] += same(compute(t % 2 ? net : copy, x), expected);
          right[t] += same_bits(dn::project(net, shared_run, "fc3", u), picture);
        }
      });
    }
  }
  for (const int count : right) CHECK(count == 4);
}

TEST_CASE("one const pipeline serves several threads at once, while the number of threads changes") {
  const dn::pipeline pipe{random_conv<float>({8, 3, 3, 3}, {}, 1), dn::relu{}, dn::max_pool2d{}};
  const auto x = random_maps<float>({2, 3, 20, 20}, 4);
  const auto run = pipe.forward(x);
  const auto expected = dn::deconv(pipe, run, 2, run[2]);
  std::vector<int> right(3);
  {
    std::vector<std::jthread> callers;
    for (std::size_t t = 0; t < right.size(); ++t) {
      callers.emplace_back([&, t] {
        for (int k = 0; k < 5; ++k) {
          const auto own = pipe.forward(x);
          right[t] += same_bits(dn::deconv(pipe, own, 2, own[2]), expected) && same_bits(pipe(x), run[2]);
        }
      });
    }
    for (const std::size_t count : {1u, 3u, 2u}) dn::set_thread_count(count);
  }
  dn::set_thread_count(0);
  for (const int count : right) CHECK(count == 5);
}

TEST_CASE("an error inside a parallel loop reaches the caller, and the next call works") {
  dn::network<float> net;
  net.add("own", [](const dn::tensor4<float>& x) {
    dn::parallel_for(x.size(), [&](std::size_t k) {
      if (x.data()[k] > 1) throw dn::error("too large");
    });
    return x;
  });
  auto large = random_maps<float>({1, 3, 8, 8}, 4);
  large.data()[100] = 2;
  const threads several(3);
  for (int k = 0; k < 3; ++k) {
    CHECK_THROWS_WITH_AS(net(large), "layer 'own': too large", dn::error);
    CHECK_NOTHROW(net(random_maps<float>({1, 3, 8, 8}, 4)));
  }
}
