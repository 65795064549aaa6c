// What `train` can be asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace examples {

struct training_arguments {
  std::string data, network;
  bool evaluate = false, ten_crop = false;

  std::vector<std::size_t> filters{32, 64, 96, 96, 64};
  std::size_t kernel = 5, units = 128;
  double dropout = 0.5;
  std::string normalization = "contrast", mean = "pixel";

  std::size_t epochs = 14, batch = 128, validation = 5000;
  double rate = 0.05, momentum = 0.9, weight_decay = 5e-4, warm_up = 0.5;
  std::string schedule = "cosine", initialization = "he";
  std::size_t step_epochs = 20;
  double step_factor = 0.1;
  std::size_t resize = 0, crop = 0, padding = 0;
  bool flip = false;
  double renormalization = 0;
  std::uint64_t seed = 1;

  bool half = false;
  std::string checkpoint, curves, snapshots, snapshot_layer = "relu3";
  double checkpoint_seconds = 60;
  std::vector<std::size_t> snapshot_epochs{1, 2, 5, 10, 20, 30, 40, 64};  // the paper's figure 4
  std::string command;  // training_command(), for the file
};

// Groups of --help. What stands in the first two decides the bytes of the network's file; what stands in others does not.
inline constexpr const char* network_group = "The network";
inline constexpr const char* recipe_group = "The recipe";

inline void add_training_arguments(CLI::App& app, training_arguments& args) {
  app.add_option("--data", args.data, "IDX files (plain or .gz), CIFAR's binary files, or folders train/<class>/ and test/<class>/")
      ->required();
  app.add_option("--network", args.network, "the network file to write, or with --evaluate to test")->required();
  app.add_flag("--evaluate", args.evaluate, "test the network, train nothing");

  const auto model = network_group;
  app.add_option("--filters", args.filters, "of conv1 to conv5")->expected(5)->delimiter(',')->capture_default_str()->group(model);
  app.add_option("--kernel", args.kernel, "of conv1, odd")->capture_default_str()->group(model);
  app.add_option("--units", args.units, "of the fully connected layer")->capture_default_str()->group(model);
  app.add_option("--dropout", args.dropout, "the share that is dropped after it")->capture_default_str()->group(model);
  app.add_option("--normalization", args.normalization, "contrast: the paper's, after pools 1 and 2; batch: after each convolution")
      ->check(CLI::IsMember({"contrast", "batch", "none"}))->capture_default_str()->group(model);
  app.add_option("--mean", args.mean, "what is subtracted from a picture: pixel: of each pixel over the training set, the paper's; channel")
      ->check(CLI::IsMember({"pixel", "channel"}))->capture_default_str()->group(model);
  app.add_flag("--half", args.half, "store the weights in half precision")->group(model);

  const auto recipe = recipe_group;
  app.add_option("--epochs", args.epochs, "")->check(CLI::PositiveNumber)->capture_default_str()->group(recipe);
  app.add_option("--batch", args.batch, "pictures per update")->check(CLI::PositiveNumber)->capture_default_str()->group(recipe);
  app.add_option("--learning-rate", args.rate, "")->check(CLI::PositiveNumber)->capture_default_str()->group(recipe);
  app.add_option("--schedule", args.schedule, "of the learning rate; plateau: a tenth when validation stalls, the paper's hand; step: see below")
      ->check(CLI::IsMember({"constant", "step", "plateau", "cosine"}))->capture_default_str()->group(recipe);
  app.add_option("--step-epochs", args.step_epochs, "between two steps of --schedule step")
      ->check(CLI::PositiveNumber)->capture_default_str()->group(recipe);
  app.add_option("--step-factor", args.step_factor, "what the rate is multiplied by at each")
      ->check(CLI::PositiveNumber)->capture_default_str()->group(recipe);
  app.add_option("--warm-up", args.warm_up, "epochs in which the rate rises")->capture_default_str()->group(recipe);
  app.add_option("--momentum", args.momentum, "")->capture_default_str()->group(recipe);
  app.add_option("--weight-decay", args.weight_decay, "")->capture_default_str()->group(recipe);
  app.add_option("--initialization", args.initialization, "paper: deviation 0.01; he: by fan-in")
      ->check(CLI::IsMember({"paper", "he"}))->capture_default_str()->group(recipe);
  app.add_option("--renormalize", args.renormalization, "scale filters back to this RMS (the paper: 0.1); 0: do not")
      ->capture_default_str()->group(recipe);
  app.add_option("--resize", args.resize, "pictures in folders: to this short side, decoded anew each time (0: kept in memory as they are)")
      ->capture_default_str()->group(recipe);
  app.add_option("--crop", args.crop, "the side of the network's input; 0: the whole picture")->capture_default_str()->group(recipe);
  app.add_option("--pad", args.padding, "black pixels around a picture, out of which random crops are taken")->capture_default_str()->group(recipe);
  app.add_flag("--flip", args.flip, "mirror every second picture, at random")->group(recipe);
  app.add_flag("--ten-crop", args.ten_crop,
               "the paper's views, corners and centre, mirrored or not, of pictures larger than --crop: to train on one of ten, to test "
               "on all; of pictures in folders the centre square is taken first")->group(recipe);
  app.add_option("--validation", args.validation, "the last pictures of the training set choose the epoch")
      ->check(CLI::PositiveNumber)->capture_default_str()->group(recipe);
  app.add_option("--seed", args.seed, "the same seed gives the same weights")->capture_default_str()->group(recipe);

  const auto files = "Files";
  app.add_option("--checkpoint", args.checkpoint, "written on the way; the same command goes on from it")->group(files);
  app.add_option("--checkpoint-seconds", args.checkpoint_seconds, "between two checkpoints")->capture_default_str()->group(files);
  app.add_option("--curves", args.curves, "a picture of loss and accuracy")->group(files);
  app.add_option("--snapshots", args.snapshots, "first layers at chosen epochs, for the evolution of features")->group(files);
  app.add_option("--snapshot-epochs", args.snapshot_epochs, "")->delimiter(',')->capture_default_str()->group(files);
  app.add_option("--snapshot-layer", args.snapshot_layer, "the last layer they hold")->capture_default_str()->group(files);
}

/// The options given that decide the network, in the order of --help. Names of files and folders are left out: the same run into
/// other places gives the same bytes.
inline std::string training_command(const CLI::App& app) {
  std::string command = "train";
  for (const CLI::Option* option : app.get_options()) {
    const bool decides = option->get_group() == network_group || option->get_group() == recipe_group;
    if (!decides || option->count() == 0) continue;
    command += " " + option->get_name();
    if (option->get_items_expected_max() == 0) continue;  // a flag
    std::string values;
    for (const auto& value : option->results()) values += (values.empty() ? " " : ",") + value;
    command += values;
  }
  return command;
}

}  // namespace examples
