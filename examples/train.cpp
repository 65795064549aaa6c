// Trains a ZFNet scaled to small pictures, and tests any network that was trained: the paper's section 3.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <numeric>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "experiment.hpp"
#include "progress_line.hpp"
#include "training_checkpoint.hpp"
#include "training_network.hpp"

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
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

void print_row(const dn::training_row& row, std::size_t epochs) {
  std::printf("epoch %2zu of %zu: loss %.4f, accuracy %.4f; validation loss %.4f, accuracy %.4f; rate %.5f\n", row.epoch, epochs,
              row.loss, row.accuracy, row.validation_loss.value_or(0), row.validation_accuracy.value_or(0), row.learning_rate);
  std::fflush(stdout);
}

template <class Images>
dn::accuracy_result test(const dn::network<float>& net, const Images& images, const dn::normalization& normalization, bool ten_crop) {
  const auto& input = net.input_shape();
  examples::progress_line progress("testing", "pictures");
  return dn::accuracy(net, images,
                      {.normalization = normalization,
                       .crop = {input[1], input[2]},
                       .ten_crop = ten_crop,
                       .progress = [&](std::size_t done, std::size_t total) { progress.update(done, total); },
                       .stop = progress.stop()});
}

/// Sets that come as folders are sorted by class, and their last pictures are all of one: they are shuffled first, always in
/// the same way. Others stay in the order of their files.
template <class Images>
class in_training_order {
 public:
  explicit in_training_order(const Images& images) : images_(&images), order_(images.size()) {
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    bool sorted = true;
    for (std::size_t i = 1; i < images.size() && sorted; ++i) sorted = images.label(i - 1) <= images.label(i);
    if (!sorted) return;
    std::mt19937_64 random(1);
    for (std::size_t i = order_.size(); i > 1; --i) std::swap(order_[i - 1], order_[random() % i]);
  }

  std::size_t size() const { return order_.size(); }
  std::size_t label(std::size_t i) const { return images_->label(order_[i]); }
  auto image(std::size_t i) const { return images_->image(order_[i]); }

 private:
  const Images* images_;
  std::vector<std::size_t> order_;
};

/// Adds one to the file of snapshots, which a run that goes on finds as it left it.
void add_snapshot(const training_arguments& args, const dn::network<float>& net, std::size_t epoch) {
  if (args.snapshots.empty()) return;
  std::vector<dn::network_snapshot<float>> all;
  if (epoch != args.snapshot_epochs.front() && std::filesystem::exists(args.snapshots)) all = dn::load_snapshots<float>(args.snapshots);
  std::erase_if(all, [&](const auto& one) { return one.epoch >= epoch; });
  all.push_back(dn::snapshot_of(net, epoch, args.snapshot_layer));
  dn::save_snapshots(all, args.snapshots, dn::storage::half);
}

/// Trains, and writes the network. False where Ctrl-C stopped it.
template <class Images>
bool train_on(const training_arguments& args, const Images& files, const std::vector<std::string>& classes) {
  const in_training_order all(files);
  if (args.validation >= all.size()) {
    throw dn::error(dn::detail::text("--validation ", args.validation, ": the training set has ", all.size(), " pictures"));
  }
  const dn::image_subset images(all, 0, all.size() - args.validation);
  const dn::image_subset validation(all, images.size(), args.validation);
  const auto known = examples::checkpoint_normalization(args.checkpoint);
  const auto normalization = known ? *known : examples::channel_statistics(images);
  auto options = examples::recipe_of(args, normalization);
  dn::training_state<float> state(examples::network_of(args, images, classes.size(), normalization, known.has_value()), options);
  state.setting = examples::setting_of(args, all, classes, state.net);
  std::printf("%s%zu pictures to train on, %zu to choose the epoch by; kernels: %s\n", dn::summary(state.net).c_str(), images.size(),
              validation.size(), std::string(dn::kernel_level_name(dn::current_level())).c_str());
  std::fflush(stdout);
  examples::resume(state, args.checkpoint);

  training_line line;
  std::stop_source stop;
  auto saved = std::chrono::steady_clock::now();
  const auto save_checkpoint = [&](const dn::training_state<float>& now) {
    if (args.checkpoint.empty()) return;
    examples::write_checkpoint(now, args.checkpoint, normalization);
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
    print_row(row, args.epochs);
    if (std::find(args.snapshot_epochs.begin(), args.snapshot_epochs.end(), row.epoch) != args.snapshot_epochs.end()) {
      add_snapshot(args, now.net, row.epoch);
    }
    save_checkpoint(now);
    if (!args.curves.empty()) dn::save_image(args.curves, dn::training_curves(now.history));
  };
  if (!dn::train(state, images, validation, options)) {
    save_checkpoint(state);
    std::printf("stopped in epoch %zu%s\n", state.epoch + 1,
                args.checkpoint.empty() ? "; without --checkpoint its work is lost" : "; the same command goes on from the checkpoint");
    return false;
  }
  const auto first = images.image(0);
  examples::save_trained(args, state, classes, normalization, std::min(first.shape(1), first.shape(2)));
  std::printf("best epoch %zu: validation accuracy %.4f; written to %s, %ju bytes\n", state.best_epoch,
              state.history[state.best_epoch - 1].validation_accuracy.value_or(0), args.network.c_str(),
              static_cast<std::uintmax_t>(std::filesystem::file_size(args.network)));
  return true;
}

template <class Images>
bool test_on(const training_arguments& args, const dn::stored_network<float>& stored, const Images& images,
             const std::vector<std::string>& classes) {
  if (!stored.classes.empty() && stored.classes.size() != classes.size()) {
    throw dn::error(dn::detail::text(args.network, " knows ", stored.classes.size(), " classes, ", args.data, " has ", classes.size()));
  }
  const auto result = test(stored.net, images, examples::normalization_of(stored.preparation), args.ten_crop);
  if (!result.complete) return false;
  std::printf("%zu of %zu pictures are recognized, mean loss %.4f\ntest accuracy: %.4f\n", result.correct, result.images, result.loss,
              result.accuracy);
  return true;
}

/// Calls work(images, classes) with a half of the data set: in memory, or, with a short side to resize to, read from folders
/// as it is needed. `square`: of pictures in folders the centre square is cut.
template <class Work>
bool with_data(const training_arguments& args, dn::split half, std::size_t short_side, bool square, const Work& work) {
  if (short_side != 0) {
    const dn::image_folder folder(args.data, {.split = half, .short_side = short_side, .centre_square = square});
    return work(folder, folder.classes());
  }
  if (square && dn::find_data_set(args.data) == dn::data_set_form::folders) {
    const auto images = dn::load_image_folder(args.data, {.split = half, .centre_square = true});
    return work(images, images.classes);
  }
  const auto images = dn::load_data_set(args.data, half);
  return work(images, images.classes);
}

/// The file as a user opens it, rounded where --half asks for it, on pictures that were not looked at before. Those in folders
/// are resized as the network wants them, unless --resize says otherwise.
bool evaluate(const training_arguments& args) {
  const auto stored = dn::load_network<float>(args.network);
  const bool folders = dn::find_data_set(args.data) == dn::data_set_form::folders;
  const std::size_t short_side = args.resize != 0 ? args.resize : folders ? stored.preparation.resize : 0;
  const auto& input = stored.net.input_shape();
  const bool square = args.ten_crop && input[1] == input[2];
  return with_data(args, dn::split::test, short_side, square,
                   [&](const auto& images, const auto& classes) { return test_on(args, stored, images, classes); });
}

bool run(training_arguments& args) {
  if (!args.curves.empty()) examples::picture_path(args.curves);
  std::sort(args.snapshot_epochs.begin(), args.snapshot_epochs.end());
  if (!args.evaluate) {
    if (args.ten_crop && (args.crop == 0 || args.padding != 0 || args.flip)) {
      throw dn::error("--ten-crop needs --crop, and takes no --pad and no --flip: its views are mirrored as they are");
    }
    const bool done = with_data(args, dn::split::train, args.resize, args.ten_crop,
                                [&](const auto& images, const auto& classes) { return train_on(args, images, classes); });
    if (!done) return false;
  }
  return evaluate(args);
}

}  // namespace

int main(int argc, char** argv) {
  training_arguments args;
  CLI::App app{"Trains a ZFNet scaled to small pictures, or tests a network that was trained."};
  examples::add_training_arguments(app, args);
  CLI11_PARSE(app, argc, argv);
  args.command = examples::training_command(app);
  try {
    examples::stop_on_interrupt();
    return run(args) ? 0 : 130;  // what shells give a program that Ctrl-C ended
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "train: %s\n", problem.what());
    return examples::was_interrupted() ? 130 : 1;
  }
}
