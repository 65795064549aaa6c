// Trains a ZFNet scaled to small pictures, and tests any network that was trained: the paper's section 3.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "experiment.hpp"
#include "progress_line.hpp"
#include "training_arguments.hpp"

namespace {

namespace dn = deconvnet;
using examples::training_arguments;

/// "12 s", "3 min 5 s", "2 h 10 min".
std::string duration(double seconds) {
  const auto whole = static_cast<unsigned long>(std::max(0.0, seconds));
  if (whole < 60) return std::to_string(whole) + " s";
  if (whole < 3600) return std::to_string(whole / 60) + " min " + std::to_string(whole % 60) + " s";
  return std::to_string(whole / 3600) + " h " + std::to_string(whole / 60 % 60) + " min";
}

/// One line that moves on a terminal; in a file a line every half minute.
class training_line {
 public:
  void update(const dn::training_progress& at) {
    const auto now = std::chrono::steady_clock::now();
    if (std::chrono::duration<double>(now - last_).count() < (terminal_ ? 0.2 : 30.0)) return;
    last_ = now;
    std::fprintf(stderr, "%sepoch %zu of %zu, batch %zu of %zu: loss %.4f, accuracy %.4f, %.0f images a second, %s left%s",
                 terminal_ ? "\r" : "", at.epoch, at.epochs, at.batch, at.batches, at.loss, at.accuracy, at.images_per_second,
                 duration(at.seconds_left).c_str(), terminal_ ? "\x1b[K" : "\n");
    std::fflush(stderr);
  }

  void clear() const {
    if (terminal_) std::fputs("\r\x1b[K", stderr);
  }

 private:
  bool terminal_ = isatty(fileno(stderr)) != 0;
  std::chrono::steady_clock::time_point last_{};
};

std::string row_text(const dn::training_row& row, std::size_t epochs) {
  char text[256];
  std::snprintf(text, sizeof text, "epoch %2zu of %zu: loss %.4f, accuracy %.4f; validation loss %.4f, accuracy %.4f; rate %.5f; %.0f s",
                row.epoch, epochs, row.loss, row.accuracy, row.validation_loss.value_or(0), row.validation_accuracy.value_or(0),
                row.learning_rate, row.seconds);
  return text;
}

dn::accuracy_result test(const dn::network<float>& net, const dn::image_set& images, const dn::normalization& normalization,
                         bool ten_crop) {
  examples::progress_line progress("testing", "pictures");
  // Ten crops are taken out of what the network was trained on, padded: its input is as large as the picture.
  const auto& shape = net.input_shape();
  return dn::accuracy(net, images,
                      {.normalization = normalization,
                       .crop = {shape[1], shape[2]},
                       .ten_crop = ten_crop,
                       .progress = [&](std::size_t done, std::size_t total) { progress.update(done, total); },
                       .stop = progress.stop()});
}

/// A checkpoint goes on where it was written; without one the run begins.
void resume(dn::training_state<float>& state, const std::string& path) {
  if (path.empty() || !std::filesystem::exists(path)) return;
  dn::load_safetensors(state, path);
  state.restore(dn::read_safetensors_metadata(path));
  std::printf("going on from %s: %zu epochs and %zu batches are done\n", path.c_str(), state.epoch, state.batch);
}

void write_curves(const std::vector<dn::training_row>& history, const std::string& path) {
  if (!path.empty()) dn::save_image(examples::picture_path(path), dn::training_curves(history));
}

int train(const training_arguments& args) {
  const auto all = dn::load_data_set(args.data, dn::split::train);
  if (args.validation >= all.size()) {
    throw dn::error(dn::detail::text("--validation ", args.validation, ": the training set has ", all.size(), " pictures"));
  }
  const dn::image_set images = all.first(all.size() - args.validation);
  const dn::image_set validation = all.last(args.validation);
  const auto normalization = examples::normalization_of(images);
  dn::training_options<float> options = examples::training_options_of(args, normalization);

  auto net = examples::network_of(args, images);
  std::printf("%s", dn::summary(net).c_str());
  std::printf("%zu pictures to train on, %zu to choose the epoch by, kernels: %s\n", images.size(), validation.size(),
              std::string(dn::kernel_level_name(dn::current_level())).c_str());

  dn::training_state<float> state(net, options);
  resume(state, args.checkpoint);
  training_line line;
  examples::progress_line interrupt("training", "batches");  // for its Ctrl-C
  std::stop_source stop;
  std::vector<dn::network_snapshot<float>> snapshots;
  auto saved = std::chrono::steady_clock::now();
  const auto save_checkpoint = [&](const dn::training_state<float>& now) {
    if (args.checkpoint.empty()) return;
    dn::save_safetensors(now, args.checkpoint, {.metadata = now.metadata()});
    saved = std::chrono::steady_clock::now();
  };
  options.stop = stop.get_token();
  options.progress = [&](const dn::training_progress& at) {
    line.update(at);
    if (examples::was_interrupted()) stop.request_stop();
  };
  options.on_batch = [&](const dn::training_state<float>& now) {
    if (std::chrono::duration<double>(std::chrono::steady_clock::now() - saved).count() > args.checkpoint_seconds) save_checkpoint(now);
  };
  options.on_epoch = [&](const dn::training_state<float>& now, const dn::training_row& row) {
    line.clear();
    std::printf("%s\n", row_text(row, args.epochs).c_str());
    std::fflush(stdout);
    if (std::find(args.snapshot_epochs.begin(), args.snapshot_epochs.end(), row.epoch) != args.snapshot_epochs.end()) {
      snapshots.push_back({row.epoch, now.net});
    }
    save_checkpoint(now);
    write_curves(now.history, args.curves);
  };
  if (!dn::train(state, images, validation, options)) {
    save_checkpoint(state);
    std::printf("stopped in epoch %zu%s\n", state.epoch + 1,
                args.checkpoint.empty() ? "; without --checkpoint the work is lost" : "; the same command goes on from the checkpoint");
    return 1;
  }
  const auto& best = state.history[state.best_epoch - 1];
  std::printf("best epoch %zu: validation accuracy %.4f\n", best.epoch, best.validation_accuracy.value_or(0));
  examples::save_trained(args, *state.best, all.classes, normalization);
  if (!args.snapshots.empty()) dn::save_snapshots(args.snapshots, snapshots, {.last = args.snapshot_layer});

  // The file as a user opens it, rounded if --half asks for it, on pictures that have not been looked at before.
  const auto stored = dn::load_network<float>(args.network);
  const auto result = test(stored.net, dn::load_data_set(args.data, dn::split::test), normalization, false);
  std::printf("%s: %ju bytes\ntest accuracy: %.4f\n", args.network.c_str(),
              static_cast<std::uintmax_t>(std::filesystem::file_size(args.network)), result.accuracy);
  return 0;
}

int evaluate(const training_arguments& args) {
  const auto stored = dn::load_network<float>(args.network);
  const auto images = dn::load_data_set(args.data, dn::split::test);
  if (!stored.classes.empty() && stored.classes.size() != images.classes.size()) {
    throw dn::error(dn::detail::text(args.network, " knows ", stored.classes.size(), " classes, ", args.data, " has ", images.classes.size()));
  }
  const auto result = test(stored.net, images, examples::normalization_of(stored.preparation), args.ten_crop);
  if (!result.complete) return 1;
  std::printf("%zu of %zu pictures, mean loss %.4f\ntest accuracy: %.4f\n", result.correct, result.images, result.loss, result.accuracy);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  training_arguments args;
  CLI::App app{"Trains a ZFNet scaled to small pictures, or tests a network that was trained."};
  examples::add_training_arguments(app, args);
  CLI11_PARSE(app, argc, argv);
  try {
    examples::stop_on_interrupt();
    return args.evaluate ? evaluate(args) : train(args);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "train: %s\n", problem.what());
    return 1;
  }
}
