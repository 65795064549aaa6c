#include <deconvnet/io/network_file.hpp>

#include <doctest/doctest.h>

#include <deconvnet/network/squeezenet.hpp>
#include <deconvnet/network/zfnet.hpp>

#include "../network/sample_networks.hpp"
#include "temporary_folder.hpp"

namespace dn = deconvnet;
using namespace deconvnet::testing;

namespace {

/// Every operator that a file can describe, each with options that are not the default.
template <class T>
dn::network<T> network_of_everything() {
  dn::network<T> net({2, 12, 12}, "picture");
  net.add("mean", dn::scale_shift<T>{dn::tensor<T, 3>({1, 1, 1}, T(2)), dn::tensor<T, 3>({2, 1, 1}, T(-0.5))});
  net.add("conv.1", random_conv<T>({4, 1, 3, 3}, {.stride = {1, 2}, .padding = {1, 2, 0, 1}, .dilation = {2, 1}, .groups = 2}, 1));
  net.add("bn", random_batch_norm<T>(4, 2));
  net.add("relu", dn::relu{});
  net.add("norm", dn::local_response_norm({.size = 3, .alpha = 0.1, .beta = 0.5, .bias = 2}));
  net.add("pool", dn::max_pool2d({.kernel = {3, 2}, .stride = {2, 1}, .padding = {1, 0}, .ceil_mode = true}));
  net.add("up", dn::conv_transpose2d<T>(random_conv<T>({4, 3, 2, 2}, {}, 5).weight(), {.stride = {2, 2}, .output_size = {11, 13}}));
  net.add("mean pool", dn::avg_pool2d({.kernel = 3, .stride = 2, .padding = 1, .count_include_pad = false}));
  net.add("left", dn::identity{}, {"mean pool"});
  net.add("right", dn::conv2d<T>(random_conv<T>({3, 3, 1, 1}, {}, 6).weight()), {"mean pool"});
  net.add("sum", dn::add{}, {"left", "right"});
  net.add("both", dn::concat{}, {"sum", "right"});
  net.add("turned", dn::transpose_layout{});
  net.add("shaped", dn::reshape(dn::shape3{2, 6, 21}));
  net.add("softly", dn::softmax(dn::softmax_over::channels));
  net.add("flat", dn::flatten{});
  net.add("drop", dn::dropout{0.25});
  net.add("fc", random_linear<T>(5, 252, 3));
  net.add("other", dn::global_avg_pool2d{}, {"both"});
  net.set_output("fc");
  return net;
}

dn::tensor4<float> some_pictures() {
  auto x = dn::uninitialized<float>({3, 2, 12, 12});
  for (std::size_t k = 0; k < x.size(); ++k) x.data()[k] = static_cast<float>((k * 37) % 101) / 50.0f - 1;
  return x;
}

std::string load_problem(const std::filesystem::path& path) {
  try {
    dn::load_network<float>(path);
  } catch (const dn::file_error& problem) {
    return problem.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a network of every operator comes back with its layers, its options and its bits") {
  const temporary_folder folder;
  const auto net = network_of_everything<float>();
  const auto path = folder.path / "net.safetensors";
  dn::preprocessing preparation{.resize = 14, .crop = 12, .mean = {0.1, 0.2}, .stddev = {0.3}, .scale = 0.004};
  dn::save_network(net, path, {.preparation = preparation, .classes = {"a", "b", "c", "d", "über"}, .metadata = {{"command", "train"}}});
  const auto back = dn::load_network<float>(path);

  const auto was = net.layers();
  const auto is = back.net.layers();
  REQUIRE(is.size() == was.size());
  for (std::size_t i = 0; i < was.size(); ++i) {
    CHECK(is[i].name == was[i].name);
    CHECK(is[i].kind == was[i].kind);
    CHECK(is[i].shape == was[i].shape);
    CHECK(is[i].inputs == was[i].inputs);
  }
  CHECK(back.net.input_name() == "picture");
  CHECK(back.net.name(back.net.output()) == "fc");
  const auto x = some_pictures();
  const auto run = net.forward(x);
  const auto again = back.net.forward(x);
  for (const auto& info : was) CHECK_MESSAGE(run[info.name] == again[info.name], info.name);

  CHECK(back.classes == std::vector<std::string>{"a", "b", "c", "d", "über"});
  CHECK(back.preparation.resize == 14);
  CHECK(back.preparation.crop == 12);
  CHECK(back.preparation.mean == preparation.mean);
  CHECK(back.preparation.stddev == preparation.stddev);
  CHECK(back.preparation.scale == 0.004);
  CHECK(back.metadata == std::map<std::string, std::string>{{"command", "train"}});
}

TEST_CASE("half precision rounds weights and nothing else; another scalar converts them") {
  const temporary_folder folder;
  const auto net = network_of_everything<float>();
  const auto path = folder.path / "net.safetensors";
  dn::save_network(net, path, {.precision = dn::storage::half});
  const auto back = dn::load_network<double>(path);
  const auto was = net.parameters();
  const auto is = back.net.parameters();
  REQUIRE(is.size() == was.size());
  for (std::size_t p = 0; p < was.size(); ++p) {
    for (std::size_t k = 0; k < was[p].values.size(); ++k) {
      CHECK(is[p].values[k] == doctest::Approx(was[p].values[k]).epsilon(1e-3));
    }
  }
}

TEST_CASE("bundled models are stored, a fixed input and its batch stay open") {
  const temporary_folder folder;
  const auto path = folder.path / "net.safetensors";
  dn::save_network(dn::squeezenet1_1<float>({.classes = 3, .input = {3, 35, 35}}), path);
  CHECK(dn::load_network<float>(path).net.layers().size() == dn::squeezenet1_1<float>({.classes = 3, .input = {3, 35, 35}}).layers().size());
}

TEST_CASE("what cannot be stored is refused before a file is made") {
  const temporary_folder folder;
  const auto path = folder.path / "net.safetensors";
  const auto net = network_of_everything<float>();
  CHECK_THROWS_WITH_AS(dn::save_network(net, path, {.classes = {"one"}}), doctest::Contains("1 names of classes for 5 outputs"), dn::error);
  CHECK_THROWS_WITH_AS(dn::save_network(net, path, {.metadata = {{"deconvnet.x", ""}}}), doctest::Contains("deconvnet.x"), dn::error);
  CHECK_THROWS_AS(dn::save_network(net, path, {.preparation = {.stddev = {0.0}}}), dn::error);
  dn::network<float> own({1, 4, 4});
  own.add("mine", [](const dn::tensor4<float>& x) { return dn::tensor4<float>(x); });
  CHECK_THROWS_WITH_AS(dn::save_network(own, path), doctest::Contains("layer 'mine'"), dn::unsupported_error);
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("a damaged description says which layer and what; weights alone say what they lack") {
  const temporary_folder folder;
  const auto path = folder.path / "net.safetensors";
  dn::network<float> net({1, 4, 4});
  net.add("c", random_conv<float>({2, 1, 3, 3}, {.padding = 1}, 1));
  net.add("p", dn::max_pool2d{{.kernel = 2}});
  dn::save_safetensors(net, path);
  CHECK(load_problem(path).find("'deconvnet.architecture': it holds weights alone") != std::string::npos);

  dn::save_network(net, path);
  const auto bytes = bytes_of(path);
  const auto with = [&](std::string from, std::string to) {  // of equal length: the header's length stays
    auto changed = bytes;
    const auto place = changed.find(from);
    REQUIRE(place != std::string::npos);
    REQUIRE(from.size() == to.size());
    return load_problem(folder.write("bad.safetensors", changed.replace(place, from.size(), to)));
  };
  CHECK(with("max_pool2d", "max_pond2d").find("layer 1 \"p\": there is no operator 'max_pond2d'") != std::string::npos);
  CHECK(with("\\\"groups\\\":1", "\\\"groups\\\":0").find("layer 0 \"c\"") != std::string::npos);
  CHECK(with("\\\"groups\\\":1", "\\\"gruops\\\":1").find("'groups' is missing") != std::string::npos);
  CHECK(with("\\\"kernel\\\":[2,2]", "\\\"kernel\\\":[-2,]").find("deconvnet.architecture") != std::string::npos);
  CHECK(with("\\\"kernel\\\":[2,2]", "\\\"kernel\\\":[-22]").find("'kernel' is [-22]") != std::string::npos);
  CHECK(with("\\\"output\\\":\\\"p\\\"", "\\\"output\\\":\\\"q\\\"").find("'q'") != std::string::npos);
  CHECK(with("\\\"scale\\\":0", "\\\"scalp\\\":0").find("scale") != std::string::npos);
  CHECK(with("\"c.weight\"", "\"d.weight\"").find("there is no tensor 'c.weight'") != std::string::npos);
}

TEST_CASE("no change of a network file's bytes does anything but load or throw") {
  const temporary_folder folder;
  const auto path = folder.path / "net.safetensors";
  dn::network<float> net({1, 4, 4});
  net.add("c", random_conv<float>({2, 1, 3, 3}, {.padding = 1}, 1));
  net.add("p", dn::max_pool2d{{.kernel = 2}});
  net.add("fc", random_linear<float>(2, 8, 1));
  dn::save_network(net, path, {.classes = {"a", "b"}});
  const auto bytes = bytes_of(path);
  std::mt19937 random(5);
  for (int round = 0; round < 300; ++round) load_problem(folder.write("bad.safetensors", mutated(bytes, random)));
}
