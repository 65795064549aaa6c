#include <deconvnet/analysis/filters.hpp>

#include <complex>
#include <numbers>
#include <random>

#include <doctest/doctest.h>

#include <deconvnet/network/pipeline.hpp>
#include <deconvnet/ops/batch_norm.hpp>
#include <deconvnet/ops/max_pool2d.hpp>
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

template <dn::scalar T>
dn::network<T> one_layer(const dn::tensor4<T>& filters) {
  dn::network<T> net;
  net.add("conv1", dn::conv2d<T>(filters));
  net.add("relu1", dn::relu{});
  return net;
}

/// The definition, sum by sum: the transform padded to 64 x 64, frequencies in the middles of equal steps.
double high_share(const dn::tensor4<double>& filters, std::size_t f) {
  constexpr std::size_t padded = 64;
  double all = 0;
  double high = 0;
  for (std::size_t c = 0; c < filters.shape(1); ++c) {
    for (std::size_t u = 0; u < padded; ++u) {
      for (std::size_t v = 0; v < padded; ++v) {
        const double row = (static_cast<double>(u) + 0.5) / padded - 0.5;
        const double column = (static_cast<double>(v) + 0.5) / padded - 0.5;
        std::complex<double> sum = 0;
        for (std::size_t y = 0; y < filters.shape(2); ++y) {
          for (std::size_t x = 0; x < filters.shape(3); ++x) {
            const double turns = row * static_cast<double>(y) + column * static_cast<double>(x);
            sum += filters(f, c, y, x) * std::polar(1.0, -2 * std::numbers::pi * turns);
          }
        }
        all += std::norm(sum);
        if (std::abs(row) > 0.25 || std::abs(column) > 0.25) high += std::norm(sum);
      }
    }
  }
  return high / all;
}

/// Filters of 1 x 1: filter f passes on factor[f] times the input.
dn::network<float> gains(const std::vector<float>& factors) {
  auto filters = dn::uninitialized<float>({factors.size(), 1, 1, 1});
  std::copy(factors.begin(), factors.end(), filters.data());
  return one_layer(filters);
}

}  // namespace

TEST_CASE("RMS and the share of high frequencies are their definitions") {
  for (const dn::shape3 size : {dn::shape3{3, 7, 7}, {3, 11, 11}, {3, 4, 4}, {3, 8, 3}, {3, 2, 5}, {3, 1, 6}}) {
    CAPTURE(size[1]);
    CAPTURE(size[2]);
    const auto filters = random_tensor({5, size[0], size[1], size[2]}, 1);
    const auto stats = dn::filter_statistics(one_layer(filters), "conv1");
    REQUIRE(stats.size() == 5);
    for (std::size_t f = 0; f < 5; ++f) {
      double squares = 0;
      for (const double w : dn::image_span(filters, f)) squares += w * w;
      CHECK(stats[f].rms == doctest::Approx(std::sqrt(squares / static_cast<double>(size[0] * size[1] * size[2]))));
      CHECK(stats[f].high_frequency == doctest::Approx(high_share(filters, f)).epsilon(0.003));
    }
  }
}

TEST_CASE("a constant has hardly any high frequencies, what alternates hardly others, noise three quarters") {
  auto filters = dn::zeros<float>({5, 1, 7, 7});
  for (std::size_t y = 0; y < 7; ++y) {
    for (std::size_t x = 0; x < 7; ++x) {
      const double r2 = std::pow(static_cast<double>(y) - 3, 2) + std::pow(static_cast<double>(x) - 3, 2);
      filters(0, 0, y, x) = 0.5f;
      filters(1, 0, y, x) = (y + x) % 2 ? -1.f : 1.f;
      filters(2, 0, y, x) = x % 2 ? -1.f : 1.f;
      filters(3, 0, y, x) = static_cast<float>(std::exp(-r2 / 4));
    }
  }
  const auto stats = dn::filter_statistics(one_layer(filters), 0);
  CHECK(stats[0].rms == doctest::Approx(0.5));
  CHECK(stats[0].high_frequency == doctest::Approx(0.077).epsilon(0.01));
  CHECK(stats[1].high_frequency > 0.99);
  CHECK(stats[2].high_frequency > 0.95);
  CHECK(stats[3].high_frequency < 0.01);
  CHECK(stats[4].rms == 0);
  CHECK(stats[4].high_frequency == 0);
  double sum = 0;
  for (const auto& one : dn::filter_statistics(one_layer(random_tensor({200, 3, 5, 5}, 9)), 0))
    sum += one.high_frequency;
  CHECK(sum / 200 == doctest::Approx(0.75).epsilon(0.01));
}

TEST_CASE("a filter is dead where no input makes it positive") {
  const auto net = gains({2, -1, 0});
  std::vector<dn::tensor4<float>> inputs(40, dn::zeros<float>({1, 1, 2, 3}));
  for (std::size_t k = 0; k < inputs.size(); ++k) inputs[k](0, 0, 1, 2) = static_cast<float>(k);
  const auto stats = dn::filter_statistics(net, "conv1", inputs);
  REQUIRE(stats.size() == 3);
  CHECK(stats.images == 40);
  CHECK(stats.complete);
  CHECK_FALSE(stats[0].dead);
  CHECK(stats[0].largest == 78);
  CHECK(stats[0].rms == doctest::Approx(2));
  CHECK(stats[1].dead);
  CHECK(stats[1].largest == 0);
  CHECK(stats[2].dead);
  inputs[17](0, 0, 0, 0) = -1;
  CHECK_FALSE(dn::filter_statistics(net, "conv1", inputs)[1].dead);
}

TEST_CASE("the map is read after the ReLU, through a batch norm between") {
  dn::network<float> net;
  using vector = dn::tensor<float, 1>;
  net.add("conv", dn::conv2d<float>(dn::tensor4<float>({1, 1, 1, 1}, 1.f)));
  net.add("norm", dn::batch_norm<float>(vector{1.f}, vector{-5.f}, vector{0.f}, vector{1.f}, 0.0));
  net.add("relu", dn::relu{});
  const std::vector<dn::tensor4<float>> inputs(1, dn::tensor4<float>({1, 1, 2, 2}, 4.f));
  CHECK(dn::filter_statistics(net, "conv", inputs)[0].dead);
  dn::network<float> bare;
  bare.add("conv", dn::conv2d<float>(dn::tensor4<float>({1, 1, 1, 1}, -1.f)));
  bare.add("pool", dn::max_pool2d({.kernel = 2}));
  CHECK(dn::filter_statistics(bare, "conv", inputs)[0].largest == -4);
}

TEST_CASE("pipelines, networks and any number of threads give the same numbers") {
  const auto filters = random_tensor({6, 2, 3, 3}, 7);
  const dn::pipeline line{dn::conv2d<double>(filters), dn::relu{}};
  const auto net = one_layer(filters);
  std::vector<dn::tensor4<double>> inputs;
  for (unsigned k = 0; k < 30; ++k) inputs.push_back(random_tensor({1, 2, 5 + k % 3, 6}, 100 + k));
  const auto expected = dn::filter_statistics(net, "conv1", inputs);
  for (const std::size_t threads : {1u, 3u}) {
    dn::set_thread_count(threads);
    const auto seen = dn::filter_statistics(line, 0, inputs);
    for (std::size_t f = 0; f < 6; ++f) {
      CHECK(seen[f].rms == expected[f].rms);
      CHECK(seen[f].high_frequency == expected[f].high_frequency);
      CHECK(seen[f].largest == expected[f].largest);
    }
    CHECK(dn::filter_statistics(line, 0)[3].rms == expected[3].rms);
  }
  dn::set_thread_count(0);
}

TEST_CASE("fully connected layers have filters of one place, other layers none") {
  dn::network<float> net;
  net.add("fc", dn::linear<float>(dn::tensor<float, 2>{{3, 4}, {0, 0}}));
  net.add("relu", dn::relu{});
  const auto stats = dn::filter_statistics(net, "fc");
  CHECK(stats[0].rms == doctest::Approx(std::sqrt(12.5)));
  CHECK(stats[0].high_frequency == doctest::Approx(0.75));
  CHECK_THROWS_AS(dn::filter_statistics(net, "relu"), dn::unsupported_error);
  CHECK_THROWS_AS(dn::filter_statistics(net, "conv1"), dn::error);
  CHECK_THROWS_AS(dn::filter_statistics(gains({std::numeric_limits<float>::infinity()}), 0), dn::error);
}

TEST_CASE("empty data sets, stops, broken inputs and progress") {
  const auto net = gains({1});
  std::vector<dn::tensor4<float>> inputs;
  const auto none = dn::filter_statistics(net, "conv1", inputs);
  CHECK(none.images == 0);
  CHECK(none.complete);
  CHECK_FALSE(none[0].dead);
  inputs.assign(20, dn::tensor4<float>({1, 1, 600, 600}, 1.f));
  std::size_t last = 0;
  dn::filter_statistics(net, "conv1", inputs, {.progress = [&](std::size_t done, std::size_t total) {
                          CHECK(done > last);
                          CHECK(total == 20);
                          last = done;
                        }});
  CHECK(last == 20);
  std::stop_source source;
  const auto part = dn::filter_statistics(
      net, "conv1", inputs,
      {.progress = [&](std::size_t, std::size_t) { source.request_stop(); }, .stop = source.get_token()});
  CHECK_FALSE(part.complete);
  CHECK(part.images < 20);
  inputs[3](0, 0, 0, 0) = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_WITH_AS(dn::filter_statistics(net, "conv1", inputs), doctest::Contains("image 3"), dn::error);
}
