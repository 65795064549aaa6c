#include <deconvnet/training/training_state.hpp>

#include <doctest/doctest.h>

#include <deconvnet/io/safetensors.hpp>

#include "../io/temporary_folder.hpp"
#include "small_trainings.hpp"

namespace dn = deconvnet;
using namespace deconvnet::testing;

namespace {

dn::training_options<float> state_options() {
  return {.learning_rate = dn::learning_rate::on_plateau(0.01), .seed = 3, .keep_best = true};
}

/// A state in the middle of its second epoch, with numbers that have many digits.
dn::training_state<float> state_on_the_way() {
  dn::training_state<float> state(small_classifier<float>(), state_options());
  for (const auto& p : state.parameters()) {
    state.set_parameter(p.name, random_values<float>(p.values.size(), static_cast<unsigned>(p.name.size())));
  }
  state.epoch = 2;
  state.batch = 17;
  state.step = 117;
  state.history = {{1, 0.01, 1.0 / 3, 0.1, 2.0 / 3, 1.0 / 7, 5.25}, {2, 0.01, 0.2, 0.3, 0.5, 0.25, 1e-3}};
  state.best_epoch = 1;
  state.loss_sum = 1e5 / 7;
  state.correct = 12;
  state.seen = 34;
  state.seconds = 0.1;
  state.schedule = "0.5 0.1 2";
  state.training_images = 1000;
  state.validation_images = 100;
  state.setting = "layer 'conv1': conv2d\nresize: 24";
  return state;
}

}  // namespace

TEST_CASE("its parameters are those of the network, its momentum and its best weights, by name") {
  dn::training_state<float> state(small_classifier<float>(), state_options());
  const auto list = state.parameters();
  REQUIRE(list.size() == 3 * state.net.parameters().size());
  CHECK(list[0].name == "network.mean.scale");
  CHECK(list.back().name == "best.fc2.bias");
  CHECK(list[state.net.parameters().size() + 2].name == "momentum.conv1.weight");
  CHECK(list[state.net.parameters().size() + 2].shape == std::vector<std::size_t>{4, 1, 3, 3});
  const std::vector<float> two = {7, 8};
  state.set_parameter("network.fc2.bias", two);
  CHECK(state.net.parameters().back().values[1] == 8);
  CHECK(state.best->parameters().back().values[1] == 0);
  state.set_parameter("best.fc2.bias", two);
  CHECK(state.best->parameters().back().values[1] == 8);
  state.set_parameter("momentum.fc2.bias", two);
  CHECK(state.update.parameters().back().values[0] == 7);
  for (const char* name : {"fc2.bias", "network.fc3.bias", "momentum.fc3.bias", "other.fc2.bias", "network", ""}) {
    CHECK_THROWS_AS(state.set_parameter(name, two), dn::error);
  }
  CHECK_THROWS_AS(state.set_parameter("momentum.fc2.weight", two), dn::shape_error);
  const dn::training_state<float> without(small_classifier<float>(), {});
  CHECK(without.parameters().size() == 2 * without.net.parameters().size());
}

TEST_CASE("through a file it comes back to the bit") {
  const auto state = state_on_the_way();
  const temporary_folder folder;
  dn::save_safetensors(state, folder.path / "state.safetensors", {.metadata = state.metadata()});
  dn::training_state<float> back(small_classifier<float>(9), state_options());
  back.setting = state.setting;
  dn::load_safetensors(back, folder.path / "state.safetensors");
  back.restore(dn::read_safetensors_metadata(folder.path / "state.safetensors"));
  CHECK(numbers_of(back) == numbers_of(state));
  CHECK(back.metadata() == state.metadata());
  CHECK(figures_of(back.history) == figures_of(state.history));
  CHECK(back.history[0].seconds == 5.25);
  CHECK(back.best_epoch == 1);
  CHECK(back.step == 117);
  CHECK(back.loss_sum == state.loss_sum);
}

TEST_CASE("a history without validation comes back without one") {
  dn::training_state<float> state(small_classifier<float>(), {});
  state.epoch = state.step = 1;
  state.training_images = 4;
  state.history = {{1, 0.01, 0.2, 0.3, {}, {}, 1e-3}};
  dn::training_state<float> back(small_classifier<float>(), {});
  back.restore(state.metadata());
  CHECK(!back.history[0].validation_loss);
  CHECK(!back.history[0].validation_accuracy);
  CHECK(back.metadata() == state.metadata());
}

TEST_CASE("a copy is a snapshot") {
  auto state = state_on_the_way();
  const auto copy = state;
  const auto before = numbers_of(copy);
  for (const auto& p : state.parameters()) state.set_parameter(p.name, std::vector<float>(p.values.size()));
  CHECK(numbers_of(copy) == before);
}

TEST_CASE("metadata of another run, or damaged ones, are refused and change nothing") {
  auto state = state_on_the_way();
  const auto good = state.metadata();
  const auto refused = [&](const std::string& key, const std::string& value, const char* message) {
    auto bad = good;
    bad["training." + key] = value;
    CHECK_THROWS_WITH_AS(state.restore(bad), doctest::Contains(message), dn::error);
    CHECK(state.metadata() == good);
  };
  refused("format", "1", "format '1'");
  refused("setting", "layer 'conv1': conv2d\nresize: 32", "'resize: 32' became 'resize: 24'");
  refused("setting", "", "'' became 'layer 'conv1': conv2d'");
  refused("recipe", "batch: 7", "'batch: 7' became 'batch: 128'");
  refused("place", "1 2", "training.place");
  refused("place", "3 0 300", "3 epochs");
  refused("sums", "x 1 1 1", "'x' is not a number");
  refused("images", "", "training.images");
  refused("best_epoch", "3", "best epoch 3");
  refused("best_epoch", "0", "best epoch 0 of 2");
  refused("history", "1 2 3", "training.history");
  refused("history", "1 .01 1 .1 1 .1 1 3 .01 1 .1 1 .1 1", "row 2 of the history is of epoch 3");
  refused("history", "1 .01 1 .1 1 .1 1 2 .01 1 .1 -1 .1 1", "epoch 2 of the history has no validation, 100 images are for it");
  refused("history", "1 .01 1 .1 1 -1 1 2 .01 1 .1 1 .1 1", "epoch 1 of the history has no validation");
  refused("history", "1 .01 1 .1 nan .1 1 2 .01 1 .1 1 .1 1", "epoch 1 of the history has numbers that cannot be");
  refused("history", "1 .01 1 1.1 1 .1 1 2 .01 1 .1 1 .1 1", "epoch 1 of the history has numbers that cannot be");
  refused("images", "1000 0", "epoch 1 of the history has a validation, 0 images are for it");
  refused("images", "33 100", "12 of 34 images right in 17 batches");
  refused("sums", "1 35 34 1", "35 of 34 images right");
  refused("sums", "1 0 0 1", "0 of 0 images right in 17 batches");
  refused("sums", "inf 12 34 1", "a sum of losses of inf");
  refused("sums", "1 12 34 nan", "training_state: damaged");
  for (const auto& [key, value] : good) {
    auto bad = good;
    bad.erase(key);
    CHECK_THROWS_WITH_AS(state.restore(bad), doctest::Contains(key.c_str()), dn::error);
  }
  auto other = state_options();
  other.seed = 4;
  dn::training_state<float> with_other_seed(small_classifier<float>(), other);
  with_other_seed.setting = state.setting;
  CHECK_THROWS_WITH_AS(with_other_seed.restore(good), doctest::Contains("'seed: 3' became 'seed: 4'"), dn::error);
  auto more = good;
  more["architecture"] = "mine";
  CHECK_NOTHROW(state.restore(more));
}
