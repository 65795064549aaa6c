// How feature maps come to be (the paper, figure 4): at each epoch of which a training run kept its weights, the strongest
// activation of chosen maps over the training set, projected down to the pixels.
#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "experiment.hpp"
#include "layer_choice.hpp"
#include "picture_folder.hpp"
#include "progress_line.hpp"

namespace {

namespace dn = deconvnet;
namespace fs = std::filesystem;

struct arguments {
  std::string network, snapshots, data;
  std::vector<std::string> layers;
  std::vector<std::size_t> named_maps;
  std::string rule = "deconvnet";
  std::string out = "figures";
  std::size_t maps = 8;
  std::size_t images = 0;
  std::size_t tile = 96;
  double percentile = 99.5;
  bool projections_only = false;
};

constexpr int interrupted_exit = 130;  // what shells give a program that Ctrl-C ended

/// So many of all maps at equal distances: no choice by what they show, as the paper's is by chance.
std::vector<std::size_t> spread(std::size_t count, std::size_t all) {
  std::vector<std::size_t> maps;
  count = std::min(count, all);
  for (std::size_t k = 0; k < count; ++k) maps.push_back((2 * k + 1) * all / (2 * count));
  return maps;
}

/// The names of the layers asked for; all rectified ones that every snapshot has the weights of.
std::vector<std::string> layers_of(const arguments& args, const dn::network<float>& net, const dn::trace<float>& run,
                                   const std::vector<dn::network_snapshot<float>>& snapshots) {
  std::vector<std::string> layers;
  if (!args.layers.empty() && args.layers != std::vector<std::string>{"all"}) {
    for (const auto& wanted : args.layers) layers.push_back(net.name(net.find(wanted)));
    return layers;
  }
  for (auto& layer : examples::rectified_layers(net, run)) {
    const auto needed_weights = dn::snapshot_of(net, 0, layer).weights;
    const auto has_all = [&](const dn::network_snapshot<float>& one) {
      return std::ranges::all_of(needed_weights, [&](const auto& needed) {
        return std::ranges::any_of(one.weights, [&](const auto& weight) { return weight.name == needed.name; });
      });
    };
    if (std::ranges::all_of(snapshots, has_all)) layers.push_back(std::move(layer));
  }
  if (layers.empty()) throw dn::error(args.snapshots + " has the weights of no rectified layer: name one by --layer");
  return layers;
}

/// The first picture that can be read, for the sizes of maps; those before it are skipped here as they are in the scan.
xt::xtensor<float, 4> first_readable(const examples::picture_inputs& inputs, const std::string& folder) {
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    try {
      return inputs[k];
    } catch (const dn::file_error&) {
    }
  }
  throw dn::file_error(folder, "none of the pictures could be read");
}

void write_table(const dn::evolution<float>& seen, const fs::path& path) {
  dn::table numbers({"map", "epoch", "value", "image", "y", "x", "changed"});
  for (std::size_t m = 0; m < seen.maps.size(); ++m) {
    for (std::size_t e = 0; e < seen.epochs.size(); ++e) {
      const auto& [strongest, field, projection, input, changed] = seen.features[m][e];
      numbers.add({seen.maps[m], seen.epochs[e], strongest.value, strongest.image, strongest.y, strongest.x,
                   std::size_t{changed ? 1U : 0U}});
    }
  }
  examples::write_text(path, dn::to_csv(numbers));
}

void draw(const arguments& args, const dn::evolution<float>& seen, const dn::preprocessing& preparation, std::size_t images,
          const fs::path& path) {
  dn::evolution_figure_options options{.title = seen.layer + ": the strongest activation in " + std::to_string(images) + " pictures",
                                       .tile = args.tile,
                                       .percentile = args.percentile};
  options.caption = "Projections by the " + args.rule + " rule;\ngrey is zero, each on its own scale.\n";
  if (!args.projections_only) {
    options.inputs = preparation;
    options.caption += "Under each: the pixels; beyond the\npicture's edge their mean.\n";
  }
  options.caption += "Red bar: another picture excites the\nmap most than at the epoch before.";
  dn::save_image(path, dn::evolution_figure(seen, options));
}

int follow_and_draw(const arguments& args) {
  const auto how = examples::rule_of(args.rule);
  const auto opened = examples::open_network(args.network, {});
  const auto snapshots = dn::load_snapshots<float>(args.snapshots);
  const auto pictures = examples::pictures_in(args.data, dn::split::train);
  const std::size_t images = args.images == 0 ? pictures.size() : std::min(args.images, pictures.size());
  const examples::picture_inputs inputs(pictures, 0, images, opened.preparation, opened.net.input_shape()[0]);
  const auto run = opened.net.forward(first_readable(inputs, args.data));
  examples::stop_on_interrupt();
  fs::create_directories(args.out);
  bool told = false;
  for (const auto& layer : layers_of(args, opened.net, run, snapshots)) {
    const std::vector<std::size_t> maps = args.named_maps.empty() ? spread(args.maps, run.shape(layer)[1]) : args.named_maps;
    dn::evolution<float> seen;
    {
      examples::progress_line line("scanning " + layer, "pictures");
      seen = dn::feature_evolution(opened.net, snapshots, layer, inputs,
                                   {.maps = maps,
                                    .how = how,
                                    .progress = [&](std::size_t done, std::size_t total) { line.update(done, total); },
                                    .stop = line.stop()});
    }
    if (!seen.epochs.empty()) {
      const auto path = (fs::path(args.out) / ("evolution_" + examples::file_name_for(layer))).string();
      write_table(seen, path + ".csv");
      draw(args, seen, opened.preparation, images, path + ".png");
      std::printf("%s.png, %s.csv\n", path.c_str(), path.c_str());
      std::fflush(stdout);
    }
    if (!seen.skipped.empty() && !told) {
      std::fprintf(stderr, "%zu pictures could not be read and were skipped, the first: %s\n", seen.skipped.size(),
                   seen.skipped.front().message.c_str());
      told = true;  // the other layers skip the same
    }
    if (!seen.complete) {
      std::fprintf(stderr, "stopped: %zu of %zu epochs of layer %s were looked at\n", seen.epochs.size(), snapshots.size(), layer.c_str());
      return interrupted_exit;
    }
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  arguments args;
  CLI::App app{"Draws what excites feature maps most from the first epochs of a training run to the last."};
  app.footer(
      "The maps are chosen at equal distances, not by what they show. Ctrl-C stops the scan; the epochs that were done\n"
      "are drawn, and the exit code is 130. Exit code 1: an error, told on stderr.");
  app.add_option("network", args.network, examples::network_help)->required();
  app.add_option("snapshots", args.snapshots, "the weights of its epochs, written by train --snapshots")->required();
  app.add_option("pictures", args.data, examples::pictures_help)->required();
  app.add_option("--layer", args.layers, "names of layers, or all: every rectified layer that the snapshots have (the default)");
  app.add_option("--maps", args.maps, "how many maps of a layer to draw")->check(CLI::Range(1, 1024))->capture_default_str();
  app.add_option("--map", args.named_maps, "the numbers of the maps to draw, instead")->excludes("--maps");
  app.add_option("--images", args.images, "look only at so many pictures, the first ones (default: all)");
  app.add_option("--rule", args.rule, "how signals pass a ReLU on the way down")
      ->check(CLI::IsMember({"deconvnet", "gradient", "guided"}))
      ->capture_default_str();
  app.add_option("--tile", args.tile, "the longer side of a cell, in pixels")->check(CLI::Range(8, 1024))->capture_default_str();
  app.add_option("--percentile", args.percentile, "how many of a projection's values are not clipped, the weakest first")
      ->check(CLI::Range(1., 100.))
      ->capture_default_str();
  app.add_flag("--projections-only", args.projections_only, "leave out the pixels under the projections, as the paper does");
  app.add_option("--out", args.out, "the folder for the figures and the tables")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    return follow_and_draw(args);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "evolution: %s\n", problem.what());
    return 1;
  }
}
