// How much each layer of a network knows about another task: a linear classifier on the features of each layer, trained
// on photographs in one folder per class. The paper's table 7.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "experiment.hpp"
#include "picture_folder.hpp"
#include "progress_line.hpp"

namespace {

namespace dn = deconvnet;

struct arguments {
  std::string network, folder;
  std::vector<std::string> layers;
  std::size_t per_class = 0;
  std::size_t every = 4;
  double memory = 4;
  std::string preprocessing;
  std::string out = "figures";
};

/// Photographs with the number of their class, those to train on and those held out.
struct labelled {
  std::vector<std::filesystem::path> paths;
  std::vector<std::size_t> labels;
};

struct data_set {
  std::vector<std::string> classes;
  labelled train, held_out;
};

/// Classes and files in the order of their names; of each class every `every`-th photograph is held out.
data_set load_folder(const arguments& args) {
  if (!std::filesystem::is_directory(args.folder)) throw dn::file_error(args.folder, "there is no such folder");
  std::vector<std::filesystem::path> folders;
  for (const auto& entry : std::filesystem::directory_iterator(args.folder)) {
    if (entry.is_directory()) folders.push_back(entry.path());
  }
  if (folders.size() < 2) throw dn::file_error(args.folder, "at least two folders are needed, one for each class");
  std::sort(folders.begin(), folders.end());
  data_set all;
  for (const auto& folder : folders) {
    auto paths = examples::picture_files_in(folder.string());
    if (args.per_class != 0 && paths.size() > args.per_class) paths.resize(args.per_class);
    if (paths.size() < args.every) {
      throw dn::file_error(folder.string(), "has " + std::to_string(paths.size()) + " photographs: at least " +
                                                std::to_string(args.every) + " are needed, to hold one out");
    }
    for (std::size_t k = 0; k < paths.size(); ++k) {
      auto& set = k % args.every == args.every - 1 ? all.held_out : all.train;
      set.paths.push_back(paths[k]);
      set.labels.push_back(all.classes.size());
    }
    all.classes.push_back(folder.filename().string());
  }
  return all;
}

/// By default what each max pool hands on, and the features that the last layer with weights reads.
std::vector<std::string> chosen_layers(const dn::network<float>& net, std::vector<std::string> wanted) {
  if (wanted.empty()) {
    for (const auto& info : net.layers()) {
      if (info.kind == "max_pool2d") wanted.push_back(info.name);
    }
    wanted.push_back(examples::last_features(net));
  }
  for (auto& name : wanted) name = net.name(net.find(name));
  return wanted;
}

/// The probe keeps the features of all photographs at all layers, and one layer's twice more while it is trained on.
void check_memory(const dn::trace<float>& run, const std::vector<std::string>& layers, const data_set& all,
                  double gibibytes) {
  const auto images = static_cast<double>(all.train.paths.size() + all.held_out.paths.size());
  double features = 0;
  double largest = 0;
  for (const auto& name : layers) {
    const auto shape = run.shape(name);
    const auto size = static_cast<double>(shape[1] * shape[2] * shape[3]);
    features += size;
    largest = std::max(largest, size);
  }
  const double needed = (features + 2 * largest) * images * sizeof(float) / (1 << 30);
  if (needed > gibibytes) {
    throw dn::error(dn::detail::text("the features of ", images, " photographs at these layers take about ", needed,
                                     " GiB, more than the ", gibibytes,
                                     " of --memory: choose fewer photographs (--per-class) or deeper --layers"));
  }
}

void write_plot(const dn::depth_probe_result& result, std::size_t classes, const std::filesystem::path& path) {
  dn::plot_curve held_out{"held out", {}, {}};
  dn::plot_curve trained{"trained on", {}, {}};
  dn::plot_curve chance{"chance", {}, {}};
  for (std::size_t k = 0; k < result.layers.size(); ++k) {
    const auto x = static_cast<double>(k + 1);
    for (auto* curve : {&held_out, &trained, &chance}) curve->x.push_back(x);
    held_out.y.push_back(100 * result.layers[k].accuracy);
    trained.y.push_back(100 * result.layers[k].trained);
    chance.y.push_back(100 / static_cast<double>(classes));
  }
  dn::save_image(path, dn::plot({held_out, trained, chance}, {.title = "a linear classifier on each layer's features",
                                                              .x_label = "layer, in the table's order",
                                                              .y_label = "accuracy, percent",
                                                              .y_range = dn::axis_range{0, 100}}));
}

void probe(const arguments& args) {
  const auto [net, options, classes] = examples::open_network(args.network, args.preprocessing);
  const auto all = load_folder(args);
  const auto layers = chosen_layers(net, args.layers);
  const std::size_t channels = net.input_shape()[0];
  const examples::picture_list train(all.train.paths);
  const examples::picture_list later(all.held_out.paths);
  const examples::picture_inputs inputs(train, 0, train.size(), options, channels);
  const examples::picture_inputs held_out(later, 0, later.size(), options, channels);
  check_memory(net.forward(inputs.input(0)), layers, all, args.memory);

  dn::depth_probe_result result;
  {
    examples::progress_line progress("depth_probe", "photographs and layers");
    result = dn::depth_probe(net, inputs, all.train.labels, held_out, all.held_out.labels,
                             {.layers = {layers.begin(), layers.end()},
                              .classes = all.classes.size(),
                              .progress = [&](std::size_t done, std::size_t total) { progress.update(done, total); }});
  }
  for (const auto* list : {&result.skipped, &result.held_out_skipped}) {
    for (const auto& skipped : *list) std::fprintf(stderr, "skipped: %s\n", skipped.message.c_str());
  }

  dn::table shown({"", "layer", "features", "held out, %", "trained on, %"});
  dn::table numbers({"layer", "features", "accuracy", "trained_accuracy", "images", "held_out_images", "classes"});
  for (std::size_t k = 0; k < result.layers.size(); ++k) {
    const auto& one = result.layers[k];
    shown.add({k + 1, one.layer, one.features, dn::cell(100 * one.accuracy, 1), dn::cell(100 * one.trained, 1)});
    numbers.add({one.layer, one.features, one.accuracy, one.trained, result.images, result.held_out_images,
                 all.classes.size()});
  }
  const auto folder = std::filesystem::path(args.out);
  std::filesystem::create_directories(folder);
  write_plot(result, all.classes.size(), folder / "depth_probe.png");
  examples::write_text(folder / "depth_probe.csv", dn::to_csv(numbers));
  std::printf("\n%s\n%zu classes, %zu photographs trained on, %zu held out; chance is %.1f %%\n%s, %s\n",
              dn::to_text(shown).c_str(), all.classes.size(), result.images, result.held_out_images,
              100 / static_cast<double>(all.classes.size()), (folder / "depth_probe.csv").c_str(),
              (folder / "depth_probe.png").c_str());
}

}  // namespace

int main(int argc, char** argv) {
  arguments args;
  CLI::App app{"Trains a linear classifier on each layer's features and tests it on photographs held out."};
  app.add_option("network", args.network, examples::network_help)->required();
  app.add_option("folder", args.folder, "a folder with one folder of photographs for each class")->required();
  app.add_option("--layers", args.layers,
                 "whose features are probed (default: after each max pool, and the features that "
                 "the last layer with weights reads)");
  app.add_option("--per-class", args.per_class, "photographs used of each class, the first ones (default: all)")
      ->check(CLI::PositiveNumber);
  app.add_option("--hold-out", args.every, "one photograph of so many is held out")
      ->check(CLI::Range(2, 1000000))
      ->capture_default_str();
  app.add_option("--memory", args.memory, "the most that the features may take, in GiB")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--preprocessing", args.preprocessing, examples::preprocessing_help)
      ->check(CLI::IsMember({"torchvision", "caffe"}));
  app.add_option("--out", args.out, "the folder for the table and the plot")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    probe(args);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "depth_probe: %s\n", problem.what());
    return 1;
  }
}
