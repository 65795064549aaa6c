#include <deconvnet/io/checkpoint.hpp>

#include <doctest/doctest.h>

#include <deconvnet/training/trainer.hpp>

#include "../training/picture_sets.hpp"
#include "../training/small_trainings.hpp"
#include "temporary_folder.hpp"

namespace dn = deconvnet;
using namespace deconvnet::testing;

static_assert(dn::resumable<dn::training_state<float>>);
static_assert(!dn::resumable<dn::network<float>>);

namespace {

dn::training_options<float> checkpoint_options() {
  return {.epochs = 3, .batch = 8, .learning_rate = dn::learning_rate::on_plateau(0.01), .seed = 5, .keep_best = true};
}

/// In the middle of its second epoch.
dn::training_state<float> trained_a_little(dn::training_options<float> options) {
  dn::training_state<float> state(small_classifier<float>(), options);
  std::stop_source stop;
  options.stop = stop.get_token();
  options.on_batch = [&](const auto& now) {
    if (now.step == 5) stop.request_stop();
  };
  dn::train(state, bars(20), bars(9, 8, 2), options);
  return state;
}

}  // namespace

TEST_CASE("a state comes back from its file to the bit, beside what else was written") {
  const temporary_folder folder;
  const auto path = folder.path / "run.checkpoint";
  const auto state = trained_a_little(checkpoint_options());
  dn::save_checkpoint(state, path, {{"command", "train"}});
  dn::training_state<float> back(small_classifier<float>(9), checkpoint_options());
  dn::load_checkpoint(back, path);
  CHECK(back.step == 5);
  CHECK(back.best_epoch == 1);
  CHECK(numbers_of(back) == numbers_of(state));
  CHECK(back.metadata() == state.metadata());
  CHECK(dn::read_safetensors_metadata(path).at("command") == "train");
  CHECK_THROWS_WITH_AS(dn::save_checkpoint(state, path, {{"training.place", ""}}), doctest::Contains("'training.place' is the state's own"),
                       dn::error);
}

TEST_CASE("what is wrong with a checkpoint is a file_error with its path; the state stays as it was") {
  const temporary_folder folder;
  const auto options = checkpoint_options();
  const auto state = trained_a_little(options);
  const auto refused = [&](const std::string& key, const std::string& value, const char* message) {
    auto metadata = state.metadata();
    metadata["training." + key] = value;
    const auto path = folder.path / "damaged.checkpoint";
    dn::save_safetensors(state, path, {.metadata = metadata});
    dn::training_state<float> back(small_classifier<float>(9), options);
    const auto before = numbers_of(back);
    CHECK_THROWS_WITH_AS(dn::load_checkpoint(back, path), doctest::Contains((path.string() + ": ").c_str()), dn::file_error);
    CHECK_THROWS_WITH_AS(dn::load_checkpoint(back, path), doctest::Contains(message), dn::file_error);
    CHECK(back.step == 0);
    CHECK(numbers_of(back) == before);
  };
  refused("best_epoch", "2", "best epoch 2 of 1");
  refused("best_epoch", "18446744073709551615", "best epoch");
  refused("best_epoch", "0", "best epoch 0 of 1");
  refused("history", "1 0.01 0.7 0.5 -1 -1 0.1", "has no validation, 9 images are for it");
  refused("history", "", "1 epochs, a history of 0");
  refused("place", "0 5 5", "0 epochs, a history of 1");
  refused("recipe", "batch: 9", "'batch: 9' became 'batch: 8'");

  dn::training_state<float> wider(dn::network<float>({1, 8, 8}), options);
  wider.net.add("fc2", random_linear<float>(3, 64, 3));
  dn::save_safetensors(wider, folder.path / "other.checkpoint", {.metadata = state.metadata()});
  dn::training_state<float> back(small_classifier<float>(9), options);
  CHECK_THROWS_AS(dn::load_checkpoint(back, folder.path / "other.checkpoint"), dn::file_error);
  CHECK(back.step == 0);
}

TEST_CASE("a damaged checkpoint is an error, or a run that goes on: never a crash") {
  const temporary_folder folder;
  const auto options = checkpoint_options();
  const auto path = folder.path / "run.checkpoint";
  dn::save_checkpoint(trained_a_little(options), path);
  const std::string whole = bytes_of(path);
  for (std::size_t length = 0; length < whole.size(); length += 101) {
    dn::training_state<float> back(small_classifier<float>(), options);
    CHECK_THROWS_AS(dn::load_checkpoint(back, folder.write("short", std::string_view(whole).substr(0, length))), dn::file_error);
  }
  // The texts of the header, not the weights, are what a run looks things up by.
  const std::size_t header = whole.find("training.setting") + 20;
  const auto images = bars(20), validation = bars(9, 8, 2);
  std::mt19937 random(1);
  for (int k = 0; k < 200; ++k) {
    std::string damaged = whole;
    for (int times = 0; times < 3; ++times) damaged[random() % header] = "0123456789 .-"[random() % 13];
    dn::training_state<float> back(small_classifier<float>(), options);
    try {
      dn::load_checkpoint(back, folder.write("damaged", damaged));
      dn::train(back, images, validation, options);
    } catch (const dn::error&) {
    }
  }
}
