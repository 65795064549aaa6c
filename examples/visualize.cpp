// What in a photograph excites a network: for chosen layers, the strongest feature maps, each projected down to the pixels
// (the paper, section 2.1) beside the part of the photograph that its strongest unit sees.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "experiment.hpp"
#include "layer_choice.hpp"
#include "network_input.hpp"

namespace {

namespace dn = deconvnet;

struct arguments {
  std::string network, photograph, layer, labels;
  std::string rule = "deconvnet";
  std::string preprocessing;
  std::string out = "figures";
  std::size_t maps = 16;
  bool arrays = false;
};

/// The layers to show: the one that is named; all rectified maps; by default the last of them, the paper's "layer n".
std::vector<std::string> chosen_layers(const dn::network<float>& net, const dn::trace<float>& run, const std::string& wanted) {
  if (!wanted.empty() && wanted != "all") return {net.name(net.find(wanted))};
  auto layers = examples::rectified_layers(net, run);
  if (wanted.empty()) layers.erase(layers.begin(), layers.end() - 1);
  return layers;
}

void print_prediction(const dn::network<float>& net, const dn::trace<float>& run, const std::vector<std::string>& labels) {
  const auto& output = run[net.output()];
  const bool is_probability = net.layers()[net.output()].kind == "softmax";
  const auto probability = is_probability ? output : dn::softmax{}(output);
  if (probability.shape(2) * probability.shape(3) != 1) return;  // a map, not a classification
  std::vector<std::size_t> order(probability.shape(1));
  std::iota(order.begin(), order.end(), std::size_t{0});
  const std::size_t shown = std::min<std::size_t>(5, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(shown), order.end(),
                    [&](std::size_t a, std::size_t b) { return probability(0, a, 0, 0) > probability(0, b, 0, 0); });
  std::printf("prediction:\n");
  for (std::size_t k = 0; k < shown; ++k) {
    const std::string label = order[k] < labels.size() ? labels[order[k]] : "class " + std::to_string(order[k]);
    std::printf("  %5.1f %%  %s\n", 100 * static_cast<double>(probability(0, order[k], 0, 0)), label.c_str());
  }
}

/// The strongest unit of each of the strongest maps.
std::vector<dn::unit> strongest_units(const xt::xtensor<float, 4>& maps, std::size_t count) {
  std::vector<dn::unit> units;
  for (std::size_t c = 0; c < maps.shape(1); ++c) units.push_back(dn::strongest(maps, {.image = 0, .channel = c}));
  const auto value = [&](const dn::unit& u) { return maps(u.n, u.c, u.y, u.x); };
  std::stable_sort(units.begin(), units.end(), [&](const dn::unit& a, const dn::unit& b) { return value(a) > value(b); });
  if (units.size() > count) units.resize(count);
  return units;
}

/// Projections on the left, crops of the photograph on the right, in the same order; small fields are enlarged.
void write_layer(const dn::network<float>& net, const dn::trace<float>& run, const std::string& layer, const arguments& args,
                 const xt::xtensor<float, 3>& photograph) {
  const auto units = strongest_units(run[layer], args.maps);
  const auto projections = dn::project(net, run, layer, std::span<const dn::unit>{units}, examples::rule_of(args.rule));
  std::vector<xt::xtensor<float, 3>> left;
  std::vector<xt::xtensor<float, 3>> right;
  for (std::size_t k = 0; k < units.size(); ++k) {
    const dn::box field = examples::visible_field(dn::receptive_field(net, run, layer, units[k]), run.input_shape());
    const std::size_t longest = std::max(field.height, field.width);
    const std::size_t factor = std::max<std::size_t>(1, (96 + longest - 1) / longest);
    const auto enlarged = [&](const xt::xtensor<float, 3>& picture) {
      return dn::resize(picture, factor * field.height, factor * field.width);
    };
    const auto shown = dn::to_display(dn::crop(projections, k, field));
    auto tile = enlarged(examples::in_colour(shown));
    dn::draw_text(tile, 2, 2, std::to_string(units[k].c), {255, 255, 255});
    left.push_back(std::move(tile));
    right.push_back(enlarged(dn::crop(photograph, field, 127.5)));
  }
  const auto figure = dn::montage(std::vector{dn::montage(left), dn::montage(right)}, {.columns = 2, .gap = 8});
  const auto path = std::filesystem::path(args.out) / examples::file_name_for(layer);
  dn::save_image(path.string() + ".png", figure);
  if (args.arrays) dn::save_npy(path.string() + ".npy", projections);
  std::printf("%s.png: %zu maps of %s\n", path.c_str(), units.size(), layer.c_str());
}

void visualize(const arguments& args) {
  const auto how = examples::rule_of(args.rule);
  if (args.maps == 0) throw dn::error("--maps must be at least 1");
  const auto [net, options, labels] = examples::open_network(args.network, args.preprocessing, args.labels);
  const auto input = dn::preprocess(examples::load_photograph(args.photograph, net.input_shape()[0]), options);
  const auto run = net.forward(input);
  print_prediction(net, run, labels);
  std::filesystem::create_directories(args.out);
  const auto photograph = examples::seen_picture(input, options);
  std::printf("rule: %s\n", std::string(dn::rule_name(how)).c_str());
  for (const auto& layer : chosen_layers(net, run, args.layer)) write_layer(net, run, layer, args, photograph);
}

}  // namespace

int main(int argc, char** argv) {
  arguments args;
  CLI::App app{"Shows what in a photograph excites the feature maps of a network."};
  app.add_option("network", args.network, examples::network_help)->required();
  app.add_option("photograph", args.photograph, "a PNG, JPEG or BMP file")->required();
  app.add_option("--layer", args.layer, "a layer's name, or all: every rectified layer (default: the last of these)");
  app.add_option("--maps", args.maps, "how many of a layer's feature maps, the strongest first")->capture_default_str();
  app.add_option("--rule", args.rule, "how signals pass a ReLU on the way down")
      ->check(CLI::IsMember({"deconvnet", "gradient", "guided"}))
      ->capture_default_str();
  app.add_option("--labels", args.labels, "a text file with one label per line, for the prediction");
  app.add_option("--preprocessing", args.preprocessing, examples::preprocessing_help)
      ->check(CLI::IsMember({"torchvision", "caffe"}));
  app.add_option("--out", args.out, "the folder for the pictures")->capture_default_str();
  app.add_flag("--arrays", args.arrays, "also the projections as numbers, in .npy files");
  CLI11_PARSE(app, argc, argv);
  try {
    visualize(args);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "visualize: %s\n", problem.what());
    return 1;
  }
}
