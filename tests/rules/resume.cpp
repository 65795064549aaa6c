// A training run that is killed and goes on ends with the weights of one that was left alone.
#include <deconvnet/io/checkpoint.hpp>
#include <deconvnet/io/network_text.hpp>
#include <deconvnet/training/trainer.hpp>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>

#include <doctest/doctest.h>

#if defined(__linux__)
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

#include "../io/temporary_folder.hpp"
#include "../training/small_trainings.hpp"

namespace dn = deconvnet;
using namespace deconvnet::testing;

namespace {

/// Bright pictures of class 1, dark ones of class 0, with some noise.
dn::images_in_memory<float> resumed_pictures(std::size_t count) {
  dn::tensor<float, 4> pictures({count, 1, 8, 8});
  std::vector<std::size_t> labels;
  for (std::size_t n = 0; n < count; ++n) {
    labels.push_back(n * 7 % 3 == 0);
    for (std::size_t k = 0; k < 64; ++k) {
      pictures.data()[n * 64 + k] = static_cast<float>(40 + 60 * labels[n] + (n * 31 + k * 17) % 97);
    }
  }
  return {pictures, labels};
}

dn::training_options<float> resumed_options() {
  return {.epochs = 6,
          .batch = 8,
          .learning_rate = dn::learning_rate::cosine(0.05, 6),
          .augmentation = {.padding = 1, .flip = true},
          .seed = 5,
          .keep_best = true};
}

dn::training_state<float> resumed_start(const dn::training_options<float>& options) {
  return {dn::testing::small_classifier<float>(3), options};
}

}  // namespace

// Run by the test below in a process of its own, which does not live to see its end.
TEST_CASE("the run that is killed" * doctest::skip()) {
  const char* checkpoint = std::getenv("DECONVNET_KILLED_RUN");
  REQUIRE(checkpoint);
  auto options = resumed_options();
  options.on_batch = [&](const dn::training_state<float>& state) {
    dn::save_checkpoint(state, checkpoint);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  };
  auto state = resumed_start(options);
  dn::train(state, resumed_pictures(60), resumed_pictures(20), options);
}

TEST_CASE("a run stopped by kill -9 and resumed ends with the same weights, momentum and history") {
#if defined(__linux__)
  const temporary_folder folder;
  const auto checkpoint = folder.path / "checkpoint.safetensors";
  const auto options = resumed_options();
  const auto images = resumed_pictures(60);
  const auto validation = resumed_pictures(20);
  auto alone = resumed_start(options);
  CHECK(dn::train(alone, images, validation, options));

  setenv("DECONVNET_KILLED_RUN", checkpoint.c_str(), 1);
  char program[] = "/proc/self/exe", which[] = "--test-case=the run that is killed", skipped[] = "--no-skip", quiet[] = "--out=/dev/null";
  char* arguments[] = {program, which, skipped, quiet, nullptr};
  pid_t child = 0;
  REQUIRE(posix_spawn(&child, program, nullptr, nullptr, arguments, environ) == 0);
  std::size_t steps = 0;
  for (int tries = 0; tries < 2000 && steps < 11; ++tries) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    if (!std::filesystem::exists(checkpoint)) continue;
    auto state = resumed_start(options);
    state.restore(dn::read_safetensors_metadata(checkpoint));  // whole at any moment: it is replaced in one step
    steps = state.step;
  }
  kill(child, SIGKILL);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  unsetenv("DECONVNET_KILLED_RUN");
  REQUIRE(WIFSIGNALED(status));
  REQUIRE(steps >= 11);

  auto resumed = resumed_start(options);
  dn::load_checkpoint(resumed, checkpoint);
  REQUIRE(resumed.step < alone.step);
  CHECK(dn::train(resumed, images, validation, options));
  CHECK(numbers_of(resumed) == numbers_of(alone));
  CHECK(figures_of(resumed.history) == figures_of(alone.history));
#else
  MESSAGE("skipped: how a process is started and killed is written for Linux here");
#endif
}

TEST_CASE("a run does not go on with another network or other pictures, and says what is different") {
  const temporary_folder folder;
  const auto checkpoint = folder.path / "checkpoint.safetensors";
  const auto options = resumed_options();
  const auto begin = [&](double drop, const char* pictures) {
    dn::network<float> net({1, 8, 8});
    net.add("conv1", random_conv<float>({4, 1, 3, 3}, {.padding = 1}, 1));
    net.add("relu1", dn::relu{});
    net.add("drop1", dn::dropout{drop});
    net.add("fc2", random_linear<float>(2, 256, 3));
    dn::training_state<float> state(std::move(net), options);
    state.setting = std::string("pictures: ") + pictures + "\n" + dn::network_text(state.net);
    return state;
  };
  auto state = begin(0.5, "bright and dark");
  std::stop_source stop;
  auto stopped = options;
  stopped.stop = stop.get_token();
  stopped.on_batch = [&](const dn::training_state<float>& now) {
    if (now.step == 11) stop.request_stop();
  };
  CHECK(!dn::train(state, resumed_pictures(60), resumed_pictures(20), stopped));
  dn::save_checkpoint(state, checkpoint);

  auto same = begin(0.5, "bright and dark");
  dn::load_checkpoint(same, checkpoint);
  CHECK(same.step == 11);
  CHECK(numbers_of(same) == numbers_of(state));
  // The shapes of all weights are the same: without the text the run would have gone on.
  auto other = begin(0.25, "bright and dark");
  CHECK_THROWS_WITH_AS(dn::load_checkpoint(other, checkpoint), doctest::Contains("{\"probability\":0.5}' became"), dn::file_error);
  CHECK(other.step == 0);
  auto elsewhere = begin(0.5, "cats and dogs");
  CHECK_THROWS_WITH_AS(dn::load_checkpoint(elsewhere, checkpoint),
                       doctest::Contains("'pictures: bright and dark' became 'pictures: cats and dogs'"), dn::file_error);
}
