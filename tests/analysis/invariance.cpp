#include <deconvnet/analysis/invariance.hpp>

#include <filesystem>
#include <limits>
#include <random>

#include <doctest/doctest.h>

#include <deconvnet/image/image_file.hpp>
#include <deconvnet/image/preprocess.hpp>
#include <deconvnet/io/onnx.hpp>
#include <deconvnet/network/pipeline.hpp>
#include <deconvnet/network/unit.hpp>
#include <deconvnet/ops/avg_pool2d.hpp>
#include <deconvnet/ops/conv2d.hpp>
#include <deconvnet/ops/max_pool2d.hpp>
#include <deconvnet/ops/relu.hpp>
#include <deconvnet/ops/softmax.hpp>

namespace dn = deconvnet;

namespace {

dn::tensor4<double> random_input(const dn::shape4& shape, unsigned seed) {
  std::mt19937 engine(seed);
  std::uniform_real_distribution<double> values(-1, 1);
  auto result = dn::uninitialized<double>(shape);
  for (double& value : result) value = values(engine);
  return result;
}

/// An operator of a user's own, with neither reverse nor reach.
struct squared {
  dn::tensor4<double> operator()(const dn::tensor4<double>& x) const { return x * x; }
};

auto small_pipeline() {
  return dn::pipeline{dn::conv2d<double>(random_input({4, 2, 3, 3}, 1)), dn::relu{},
                      dn::max_pool2d({.kernel = 2, .stride = 2}),         squared{},
                      dn::conv2d<double>(random_input({5, 4, 1, 1}, 2)), dn::global_avg_pool2d{}};
}

const auto turned = [] { return dn::rotations(-40, 90, 10); };

}  // namespace

TEST_CASE("distances and probabilities are those of one forward run per amount") {
  const auto model = small_pipeline();
  const auto input = random_input({1, 2, 9, 7}, 3);
  const auto curve = dn::invariance(model, input, turned(), {.layers = {0, "3"}, .label = 2});
  CHECK(curve.transform == "rotation");
  CHECK(curve.unit == "degrees");
  CHECK(curve.layers == std::vector<std::string>{"0", "3"});
  CHECK(curve.complete);
  REQUIRE(curve.amount.size() == 14);
  const auto clean = model.forward(input);
  for (std::size_t k = 0; k < curve.amount.size(); ++k) {
    const auto run = model.forward(turned().apply(input, curve.amount[k]));
    for (const std::size_t i : {0u, 3u}) {
      double sum = 0;
      for (std::size_t e = 0; e < run[i].size(); ++e) sum += std::pow(run[i].data()[e] - clean[i].data()[e], 2);
      CHECK(curve.distance(i, k) == doctest::Approx(std::sqrt(sum)));
    }
    CHECK(curve.probability[k] == doctest::Approx(dn::ops::softmax(run[5])(0, 2, 0, 0)));
  }
  CHECK(curve.amount[4] == 0);
  CHECK(curve.distance(0, 4) == 0);
  CHECK(curve.distance("3", 4) == 0);
  CHECK(curve.distance("3", 5) > 0);
}

TEST_CASE("a pipeline, its network and any number of threads give the same bits") {
  const auto model = small_pipeline();
  const auto net = model.as_network<double>();
  const auto input = random_input({1, 2, 9, 7}, 3);
  const auto expected = dn::invariance(model, input, turned());
  CHECK(expected.layers.size() == 6);
  for (const std::size_t threads : {1u, 3u}) {
    dn::set_thread_count(threads);
    const auto seen = dn::invariance(net, input, turned());
    CHECK(seen.probability == expected.probability);
    for (std::size_t i = 0; i < 6; ++i) CHECK(seen.distances(i) == expected.distances(i));
  }
  dn::set_thread_count(0);
}

TEST_CASE("without a label the class predicted for the unchanged input is followed") {
  const auto model = small_pipeline();
  const auto input = random_input({1, 2, 9, 7}, 3);
  const auto scores = model(input);
  const auto curve = dn::invariance(model, input, dn::scalings(1, 1, 1), {.layers = {0}});
  CHECK(curve.label == dn::strongest(scores).c);
  CHECK(curve.probability[0] == doctest::Approx(dn::ops::softmax(scores)(0, curve.label, 0, 0)));
}

TEST_CASE("an output that comes from a softmax is taken as it is") {
  auto net = small_pipeline().as_network<double>();
  const auto input = random_input({1, 2, 9, 7}, 3);
  const auto before = dn::invariance(net, input, turned(), {.label = 1});
  net.add("probabilities", dn::softmax{});
  const auto after = dn::invariance(net, input, turned(), {.label = 1});
  for (std::size_t k = 0; k < 14; ++k) CHECK(after.probability[k] == doctest::Approx(before.probability[k]));
}

TEST_CASE("transforms of the user's own, lazy inputs and constant images") {
  const auto model = small_pipeline();
  const dn::transform dimmed{
      "dimming", "share", {0.0, 1.0}, [](const auto& x, double amount) { return x * (1 - amount); }};
  const auto curve = dn::invariance(model, random_input({1, 2, 9, 7}, 3) * 2., dimmed, {.layers = {0}});
  CHECK(curve.distance(0, 0) == 0);
  CHECK(curve.distance(0, 1) > 0);
  const auto flat = dn::invariance(model, dn::zeros<double>({1, 2, 9, 7}), turned(), {.layers = {0}});
  for (const double distance : flat.distances(0)) CHECK(distance == 0);
}

TEST_CASE("what makes no sense is refused") {
  const auto model = small_pipeline();
  auto input = random_input({1, 2, 9, 7}, 3);
  CHECK_THROWS_AS(dn::invariance(model, random_input({2, 2, 9, 7}, 3), turned()), dn::shape_error);
  CHECK_THROWS_AS(dn::invariance(model, random_input({1, 3, 9, 7}, 3), turned()), dn::shape_error);
  CHECK_THROWS_AS(dn::invariance(model, input, turned(), {.layers = {"conv1"}}), dn::error);
  CHECK_THROWS_AS(dn::invariance(model, input, turned(), {.label = 5}), dn::error);
  const auto curve = dn::invariance(model, input, turned(), {.layers = {0}});
  CHECK_THROWS_AS(curve.distance(1, 0), dn::error);
  CHECK_THROWS_AS(curve.distance(0, 14), dn::error);
  CHECK_THROWS_AS(curve.distance("none", 0), dn::error);
  const dn::transform smaller{"cut", "rows", {1.0}, [](const auto&, double) {
                                return dn::zeros<double>({1, 2, 8, 7});
                              }};
  CHECK_THROWS_AS(dn::invariance(model, input, smaller), dn::shape_error);
  const dn::pipeline map{dn::conv2d<double>(random_input({4, 2, 3, 3}, 1))};
  CHECK_THROWS_AS(dn::invariance(map, input, turned()), dn::shape_error);
  input(0, 1, 0, 0) = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_WITH_AS(dn::invariance(model, input, turned()), doctest::Contains("element 63"), dn::error);
}

TEST_CASE("progress counts amounts and a stop keeps those that are done") {
  const auto model = small_pipeline();
  const auto input = random_input({1, 2, 9, 7}, 3);
  std::size_t last = 0;
  std::stop_source source;
  const auto curve = dn::invariance(model, input, dn::rotations(0, 359, 1),
                                    {.layers = {0},
                                     .progress =
                                         [&](std::size_t done, std::size_t total) {
                                           CHECK(done > last);
                                           CHECK(total == 360);
                                           last = done;
                                           if (done > 100) source.request_stop();
                                         },
                                     .stop = source.get_token()});
  CHECK_FALSE(curve.complete);
  CHECK(curve.amount.size() == last);
  CHECK(curve.probability.size() == last);
  CHECK(curve.distances(0).size() == last);
}

TEST_CASE("on the real network a turn by zero degrees has a distance of exactly zero") {
  const std::filesystem::path shared = DECONVNET_SHARED_DIR;
  const auto picture = shared / "images" / "n02391049_zebra.jpg";
  if (!std::filesystem::exists(picture)) {
    MESSAGE("skipped: no " << picture.string());
    return;
  }
  const auto net = dn::load_onnx<float>((shared / "models" / "squeezenet1_1.onnx").string());
  const auto input = dn::preprocess(dn::load_image<float>(picture), dn::preprocessing::torchvision());
  const auto curve =
      dn::invariance(net, input, dn::rotations(0, 20, 10), {.layers = {0, net.size() - 1}, .label = 340});
  CHECK(curve.distance(0, 0) == 0);
  CHECK(curve.distance(net.size() - 1, 0) == 0);
  CHECK(curve.distance(0, 1) > 0);
  CHECK(curve.probability[0] > 0.9);
}
