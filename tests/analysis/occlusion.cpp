#include <deconvnet/analysis/occlusion.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <limits>
#include <mutex>
#include <random>
#include <vector>

#include <deconvnet/io/npy.hpp>
#include <deconvnet/io/onnx.hpp>

#include "random_networks.hpp"
#include "thread_count.hpp"

using namespace deconvnet;
using namespace deconvnet::testing;

namespace {

/// Every number by its definition: the picture painted over, one forward pass per position.
template <class Model, scalar T>
void check_definition(const Model& model, const layer& followed, const tensor4<T>& x, const occlusion_options& options, T fill) {
  const auto maps = occlusion_sensitivity(model, x, options);
  const auto clean = model.forward(x);
  const std::size_t channel = strongest(clean[followed]).c;
  CHECK(maps.channel == channel);
  CHECK(maps.label == *options.label);
  REQUIRE(maps.complete);
  const std::size_t rows = (x.shape(2) - options.size.height + options.stride.height - 1) / options.stride.height + 1;
  const std::size_t columns = (x.shape(3) - options.size.width + options.stride.width - 1) / options.stride.width + 1;
  REQUIRE(maps.probability.shape(0) == rows);
  REQUIRE(maps.probability.shape(1) == columns);
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t column = 0; column < columns; ++column) {
      auto painted = x;
      for (std::size_t c = 0; c < x.shape(1); ++c)
        for (std::size_t i = row * options.stride.height; i < std::min(x.shape(2), row * options.stride.height + options.size.height); ++i)
          for (std::size_t j = column * options.stride.width; j < std::min(x.shape(3), column * options.stride.width + options.size.width); ++j)
            painted(0, c, i, j) = fill;
      const auto run = model.forward(painted);
      double sum = 0;
      for (std::size_t i = 0; i < run[followed].shape(2); ++i)
        for (std::size_t j = 0; j < run[followed].shape(3); ++j) sum += static_cast<double>(run[followed](0, channel, i, j));
      CHECK(static_cast<double>(maps.activation(row, column)) == doctest::Approx(sum).epsilon(1e-5));
      const auto output = model(painted);
      double total = 0;
      for (std::size_t k = 0; k < output.size(); ++k) total += std::exp(static_cast<double>(output.data()[k]));
      CHECK(static_cast<double>(maps.probability(row, column)) ==
            doctest::Approx(std::exp(static_cast<double>(output.data()[*options.label])) / total).epsilon(1e-5));
      CHECK(maps.predicted(row, column) == static_cast<std::size_t>(std::max_element(output.data(), output.data() + output.size()) - output.data()));
    }
  }
}

template <class User>
network<float> classifier(User user) {
  auto net = small_network<float>(user, {3, 21, 17});
  const shape4 shape = net.value_shape(net.size());
  net.add("fc", random_linear<float>(6, shape[1] * shape[2] * shape[3], 40));
  return net;
}

}  // namespace

TEST_CASE("maps are those of the definition, with a user's operator that declares its reach and one that does not") {
  const auto x = random_maps<float>({1, 3, 21, 17}, 3);
  for (const bool incremental : {true, false}) {
    const occlusion_options options{
        .size = {6, 4}, .stride = {5, 3}, .fill = 0.25, .label = 2, .layer = "conv2", .incremental = incremental};
    check_definition(classifier(falling_edge{}), "conv2", x, options, 0.25F);
    check_definition(classifier(centred{}), "conv2", x, options, 0.25F);
    check_definition(classifier(positional{}), "conv2", x, options, 0.25F);
  }
}

TEST_CASE("a pipeline has the maps of the network of its layers") {
  const auto x = random_maps<float>({1, 3, 15, 19}, 3);
  const auto check = [&](const auto& user) {
    for (const bool incremental : {true, false}) {
      const auto a = occlusion_sensitivity(small_network<float>(user), x, {.size = 4, .stride = 3, .layer = "pool1", .incremental = incremental});
      const auto b = occlusion_sensitivity(small_pipeline<float>(user), x, {.size = 4, .stride = 3, .layer = 2, .incremental = incremental});
      CHECK(same_bits(a.activation, b.activation));
      CHECK(same_bits(a.probability, b.probability));
      CHECK(a.predicted == b.predicted);
    }
  };
  check(falling_edge{});
  check(centred{});
}

TEST_CASE("incremental evaluation equals full recomputation on random networks") {
  for (unsigned seed = 0; seed < 150; ++seed) {
    CAPTURE(seed);
    std::mt19937 engine(seed);
    const auto between = [&](std::size_t low, std::size_t high) { return low + engine() % (high - low + 1); };
    const shape3 input{between(1, 4), between(9, 26), between(9, 26)};
    const random_network<double> random(seed, input);
    const auto& net = random.net();
    const auto x = random_maps<double>({1, input[0], input[1], input[2]}, seed + 1000);
    occlusion_options options{.size = {between(1, 12), between(1, 12)},
                              .stride = {between(2, 5), between(2, 5)},
                              .fill = seed % 3 == 0 ? 0.0 : 0.5,
                              .layer = engine() % net.size()};
    const auto fast = occlusion_sensitivity(net, x, options);
    options.incremental = false;
    const auto full = occlusion_sensitivity(net, x, options);
    CHECK(distance(fast.activation, full.activation) < 1e-11);
    CHECK(distance(fast.probability, full.probability) < 1e-11);
    CHECK(fast.predicted == full.predicted);
    CHECK(fast.channel == full.channel);
    CHECK(fast.clean_activation == full.clean_activation);
  }
}

TEST_CASE("direct kernels give the bits of full recomputation") {
  network<float> net({3, 64, 48});
  net.add("conv1", random_conv<float>(16, 3, 7, 1, {.stride = 2, .padding = 1}));
  net.add("relu1", relu{});
  net.add("pool1", max_pool2d({.kernel = 3, .stride = 2, .padding = 0, .dilation = 1, .ceil_mode = true}));
  net.add("norm1", local_response_norm());
  net.add("conv2", random_conv<float>(20, 16, 5, 3, {.stride = 2, .padding = 2}));
  net.add("global", global_avg_pool2d{});
  const auto x = random_maps<float>({1, 3, 64, 48}, 9);
  const auto fast = occlusion_sensitivity(net, x, {.size = 9, .stride = 5, .layer = "conv2"});
  const auto full = occlusion_sensitivity(net, x, {.size = 9, .stride = 5, .layer = "conv2", .incremental = false});
  CHECK(same_bits(fast.activation, full.activation));
  CHECK(same_bits(fast.probability, full.probability));
}

TEST_CASE("the maps do not depend on the number of threads") {
  const auto net = classifier(falling_edge{});
  const auto x = random_maps<float>({1, 3, 21, 17}, 3);
  for (const bool incremental : {true, false}) {
    const occlusion_options options{.size = 5, .stride = 1, .layer = "relu1", .incremental = incremental};
    const auto maps = [&](std::size_t threads) {
      const thread_count_for_test guard(threads);
      return occlusion_sensitivity(net, x, options);
    };
    const auto one = maps(1);
    for (const std::size_t threads : {2U, 5U}) {
      CHECK(same_bits(maps(threads).activation, one.activation));
      CHECK(same_bits(maps(threads).probability, one.probability));
      CHECK(maps(threads).predicted == one.predicted);
    }
  }
}

TEST_CASE("without a label the clean prediction is followed, without a layer there is no activation") {
  const auto net = classifier(falling_edge{});
  const auto x = random_maps<float>({1, 3, 21, 17}, 3);
  const auto logits = net(x);
  const auto maps = occlusion_sensitivity(net, x, {.size = 8, .stride = 4});
  CHECK(maps.label == strongest(logits).c);
  CHECK(maps.clean_predicted == maps.label);
  CHECK(maps.activation.size() == 0);
  CHECK(maps.clean_probability > 1.F / 6);
  CHECK(maps.grid.at(1, 2) == box{4, 8, 8, 8});
}

TEST_CASE("an output that comes from a softmax is taken as it is") {
  auto net = classifier(falling_edge{});
  const auto x = random_maps<float>({1, 3, 21, 17}, 3);
  const auto logits = occlusion_sensitivity(net, x, {.size = 8, .stride = 4, .label = 1});
  net.add("probabilities", softmax{});
  net.add("drop", dropout{});
  net.add("flatten", flatten{});
  CHECK(distance(occlusion_sensitivity(net, x, {.size = 8, .stride = 4, .label = 1}).probability, logits.probability) < 1e-6);
}

TEST_CASE("a window larger than the picture is one position, all of it hidden") {
  const auto net = classifier(falling_edge{});
  const auto x = random_maps<float>({1, 3, 21, 17}, 3);
  const auto maps = occlusion_sensitivity(net, x, {.size = 100, .stride = 7, .fill = {0.1, 0.2, 0.3}, .layer = "conv1"});
  REQUIRE(maps.probability.size() == 1);
  auto hidden = x;
  for (std::size_t c = 0; c < 3; ++c)
    for (std::size_t k = 0; k < 21 * 17; ++k) hidden.data()[c * 21 * 17 + k] = static_cast<float>(c + 1) / 10;
  CHECK(maps.predicted(0, 0) == strongest(net(hidden)).c);
}

TEST_CASE("a constant picture painted with its own colour changes nothing, and an all-zero map sums to zero") {
  network<float> net({1, 12, 12});
  net.add("minus", scale_shift<float>(tensor<float, 3>{{{-1.F}}}, tensor<float, 3>{{{0.F}}}));
  net.add("relu", relu{});
  net.add("fc", random_linear<float>(3, 144, 1));
  auto x = zeros<float>({1, 1, 12, 12});
  std::fill(x.data(), x.data() + x.size(), 0.5F);
  for (const bool incremental : {true, false}) {
    const auto same = occlusion_sensitivity(net, x, {.size = 4, .stride = 4, .fill = 0.5, .layer = "relu", .incremental = incremental});
    for (const float p : same.probability) CHECK(p == same.clean_probability);
    for (const float a : same.activation) CHECK(a == 0);
    CHECK(same.clean_activation == 0);
  }
}

TEST_CASE("a stop leaves what was not reached marked") {
  const auto net = classifier(falling_edge{});
  const auto x = random_maps<float>({1, 3, 21, 17}, 3);
  set_thread_count(2);  // as many as a large machine has would be through with all positions before the stop
  for (const bool incremental : {true, false}) {
    std::stop_source source;
    source.request_stop();
    const auto none = occlusion_sensitivity(net, x, {.size = 2, .stride = 1, .layer = "conv2", .incremental = incremental, .stop = source.get_token()});
    CHECK(!none.complete);
    CHECK(std::isnan(none.probability(0, 0)));
    CHECK(std::isnan(none.activation(3, 3)));
    CHECK(none.predicted(0, 0) == occlusion_maps<float>::not_evaluated);
    std::stop_source later;
    std::size_t last = 0;
    const auto part = occlusion_sensitivity(net, x,
                                            {.size = 2,
                                             .stride = 1,
                                             .incremental = incremental,
                                             .progress =
                                                 [&](std::size_t done, std::size_t total) {
                                                   CHECK(total == 20 * 16);
                                                   CHECK(done > last);
                                                   last = done;
                                                   later.request_stop();
                                                 },
                                             .stop = later.get_token()});
    std::size_t evaluated = 0;
    for (std::size_t k = 0; k < part.predicted.size(); ++k) {
      CHECK((part.predicted.data()[k] == occlusion_maps<float>::not_evaluated) == std::isnan(part.probability.data()[k]));
      evaluated += part.predicted.data()[k] != occlusion_maps<float>::not_evaluated;
    }
    CHECK(evaluated == last);
    CHECK(!part.complete);
  }
  set_thread_count(0);
}

TEST_CASE("what makes no sense is refused with names") {
  const auto net = classifier(falling_edge{});
  auto x = random_maps<float>({1, 3, 21, 17}, 3);
  const auto message = [&](const occlusion_options& options) { return message_of<error>([&] { occlusion_sensitivity(net, x, options); }); };
  CHECK(names(message({.label = 6}), "label 6", "6 classes"));
  CHECK(names(message({.layer = "conv9"}), "conv9"));
  CHECK(names(message({.size = 0}), "occlusion"));
  CHECK(names(message({.stride = {3, 0}}), "occlusion"));
  CHECK(names(message({.fill = {1, 2}}), "2 values", "3 channels"));
  CHECK(names(message_of([&] { occlusion_sensitivity(net, zeros<float>({2, 3, 21, 17})); }), "2 x 3 x 21 x 17"));
  CHECK(names(message_of([&] { occlusion_sensitivity(net, zeros<float>({1, 4, 21, 17})); }), "3 channels"));
  x.data()[4] = std::numeric_limits<float>::infinity();
  CHECK(names(message({}), "element 4"));
}

TEST_SUITE("slow") {
  TEST_CASE("the maps of a trained network are PyTorch's") {
    const std::filesystem::path shared = DECONVNET_SHARED_DIR;
    if (!std::filesystem::exists(shared / "models" / "squeezenet1_1.onnx")) {
      MESSAGE("skipped: no trained network at ", shared.string());
      return;
    }
    const auto net = load_onnx<float>(shared / "models" / "squeezenet1_1.onnx");
    const auto x = load_npy<float, 4>(shared / "reference" / "squeezenet1_1" / "input_0.npy");
    const auto expected = load_npy<float, 3>(std::filesystem::path(DECONVNET_FIXTURES_DIR) / "occlusion" / "squeezenet1_1.npy");
    const auto maps = occlusion_sensitivity(net, x, {.size = 32, .stride = 24, .layer = "/features/features.12/Concat_output_0"});
    CHECK(maps.channel == 145);
    CHECK(maps.label == 285);
    REQUIRE(maps.grid.rows() == expected.shape(1));
    REQUIRE(maps.grid.columns() == expected.shape(2));
    for (std::size_t row = 0; row < maps.grid.rows(); ++row) {
      for (std::size_t column = 0; column < maps.grid.columns(); ++column) {
        CHECK(std::abs(maps.activation(row, column) / expected(0, row, column) - 1) < 1e-4);
        CHECK(std::abs(maps.probability(row, column) - expected(1, row, column)) < 1e-4);
        CHECK(maps.predicted(row, column) == static_cast<std::size_t>(expected(2, row, column)));
      }
    }
  }
}
