#include <deconvnet/network/reverse.hpp>

#include <random>

#include <doctest/doctest.h>

#include <deconvnet/network/projection.hpp>
#include <deconvnet/ops/add.hpp>
#include <deconvnet/ops/concat.hpp>
#include <deconvnet/ops/conv2d.hpp>
#include <deconvnet/ops/relu.hpp>

namespace dn = deconvnet;

namespace {

dn::tensor4<double> random_tensor(const dn::shape4& shape, unsigned seed) {
  std::mt19937 engine(seed);
  std::uniform_real_distribution<double> values(-1, 1);
  auto result = dn::uninitialized<double>(shape);
  for (double& value : result) value = values(engine);
  return result;
}

struct without_reverse {
  dn::tensor4<double> operator()(const dn::tensor4<double>& x) const { return x; }
};

/// A stem, two branches on it, their sum: below the stem lies the input.
dn::network<double> branched() {
  dn::network<double> net({2, 5, 4});
  net.add("stem", dn::conv2d<double>(random_tensor({3, 2, 3, 3}, 1), {.padding = 1}));
  net.add("bent", dn::relu{}, {"stem"});
  net.add("left", dn::conv2d<double>(random_tensor({3, 3, 3, 3}, 2), {.padding = 1}), {"bent"});
  net.add("right", dn::conv2d<double>(random_tensor({3, 3, 1, 1}, 3)), {"stem"});
  net.add("sum", dn::add{}, {"left", "right"});
  return net;
}

}  // namespace

TEST_CASE("a way down in two parts is the way down in one") {
  const auto net = branched();
  const auto run = net.forward(random_tensor({2, 2, 5, 4}, 4));
  const auto signal = random_tensor({2, 3, 5, 4}, 5);
  const auto images = dn::detail::every_image(2);
  for (const dn::rule how : {dn::rule::deconvnet, dn::rule::gradient, dn::rule::guided}) {
    const auto stem = dn::detail::reverse_to(net, run, net.find("sum"), net.find("stem") + 1, signal, how, images);
    CHECK(dn::deconv(net, run, "stem", stem, how) == dn::deconv(net, run, "sum", signal, how));
  }
  CHECK(dn::detail::reverse_to(net, run, net.find("sum"), net.find("sum") + 1, signal, dn::rule::gradient, images) ==
        signal);
}

TEST_CASE("the gradient at an inner layer is the derivative there") {
  const auto net = branched();
  const auto run = net.forward(random_tensor({1, 2, 5, 4}, 4));
  const auto signal = random_tensor({1, 3, 5, 4}, 5);
  const auto images = dn::detail::every_image(1);
  const auto gradient =
      dn::detail::reverse_to(net, run, net.find("sum"), net.find("stem") + 1, signal, dn::rule::gradient, images);
  const auto above = [&](const dn::tensor4<double>& stem) {
    dn::network<double> rest({3, 5, 4}, "stem");
    rest.add("bent", dn::relu{}, {"stem"});
    rest.add("left", dn::conv2d<double>(random_tensor({3, 3, 3, 3}, 2), {.padding = 1}), {"bent"});
    rest.add("right", dn::conv2d<double>(random_tensor({3, 3, 1, 1}, 3)), {"stem"});
    rest.add("sum", dn::add{}, {"left", "right"});
    const auto out = rest(stem);
    double score = 0;
    for (std::size_t k = 0; k < out.size(); ++k) score += out.data()[k] * signal.data()[k];
    return score;
  };
  auto stem = run["stem"];
  for (std::size_t k = 0; k < stem.size(); ++k) {
    constexpr double step = 1e-6;
    const double value = stem.data()[k];
    stem.data()[k] = value + step;
    const double more = above(stem);
    stem.data()[k] = value - step;
    const double less = above(stem);
    stem.data()[k] = value;
    CHECK(gradient.data()[k] == doctest::Approx((more - less) / (2 * step)).epsilon(1e-6));
  }
}

TEST_CASE("only layers on a way to the end are asked for a reverse, and where no way leads there the signal is zero") {
  dn::network<double> net({3, 5, 4});
  net.add("aside", without_reverse{}, {"input"});
  net.add("stem", dn::conv2d<double>(random_tensor({3, 3, 1, 1}, 1)), {"input"});
  net.add("joined", dn::concat{}, {"aside", "stem"});
  const auto run = net.forward(random_tensor({1, 3, 5, 4}, 2));
  const auto signal = random_tensor({1, 6, 5, 4}, 3);
  const auto images = dn::detail::every_image(1);
  const auto at = [&](const char* from, const char* to, const dn::tensor4<double>& what) {
    return dn::detail::reverse_to(net, run, net.find(from), net.find(to) + 1, what, dn::rule::gradient, images);
  };
  const auto stem = at("joined", "stem", signal);
  for (std::size_t k = 0; k < stem.size(); ++k) CHECK(stem.data()[k] == signal.data()[stem.size() + k]);
  CHECK(at("stem", "aside", run["stem"]) == dn::zeros<double>({1, 3, 5, 4}));
  CHECK(at("aside", "joined", run["aside"]) == dn::zeros<double>({1, 6, 5, 4}));
  CHECK_THROWS_AS(dn::deconv(net, run, "joined", signal), dn::unsupported_error);
}
