#include <deconvnet/training/trainer.hpp>

#include <atomic>
#include <string>

#include <doctest/doctest.h>

#include "../analysis/thread_count.hpp"
#include "picture_sets.hpp"
#include "small_trainings.hpp"

namespace dn = deconvnet;
using namespace deconvnet::testing;

namespace {

/// Everything on that could make bits depend on something.
dn::training_options<float> full_options() {
  return {.epochs = 3,
          .batch = 8,
          .learning_rate = dn::learning_rate::on_plateau(0.05, {.patience = 1, .factor = 0.5}).warmed_up(0.5),
          .renormalization = dn::filter_renormalization{.radius = 0.4},
          .augmentation = {.padding = 1, .flip = true},
          .normalization = {.mean = {0.3}, .stddev = {0.3}},
          .seed = 5,
          .keep_best = true};
}

std::string divergence(double rate) {
  const auto images = bars(20);
  auto net = small_classifier<float>();
  try {
    dn::train(net, images, {.epochs = 50, .batch = 8, .learning_rate = rate});
  } catch (const dn::error& problem) {
    return problem.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a small problem of two classes is learned to 100 %") {
  const auto images = bars(200);
  const auto validation = bars(100, 8, 2);
  auto net = small_classifier<float>();
  CHECK(dn::accuracy(net, validation).accuracy < 0.9);
  const auto history = dn::train(net, images, validation, {.epochs = 8, .batch = 16, .learning_rate = 0.05, .keep_best = true});
  REQUIRE(history.size() == 8);
  CHECK(history.back().loss < 0.2 * history.front().loss);
  CHECK(dn::accuracy(net, images).accuracy == 1);
  CHECK(dn::accuracy(net, validation).accuracy == 1);
}

TEST_CASE("one batch is one pass of backpropagation and one update") {
  const auto images = bars(6);
  const auto start = small_classifier<double>();
  dn::training_options<double> options{.epochs = 1, .batch = 6, .learning_rate = 0.02, .seed = 3};
  dn::training_state<double> state(start, options);
  CHECK(dn::train(state, images, options));
  auto net = start;
  dn::batches<double, dn::images_in_memory<std::uint8_t>> source(images, {.batch = 6, .seed = 3}, 1);
  dn::image_batch<double> batch;
  source.next(batch);
  dn::backpropagation<double> gradient(3);
  const auto result = gradient(net, batch.images, batch.labels, 0);
  dn::sgd<double> update(net);
  update(net, gradient.gradients(), 0.02);
  CHECK(numbers_of(state.net) == numbers_of(net));
  CHECK(numbers_of(state.update) == numbers_of(update));
  CHECK(state.history[0].loss == doctest::Approx(result.loss));
  CHECK(state.history[0].accuracy == doctest::Approx(static_cast<double>(result.correct) / 6));
  CHECK(numbers_of(start) != numbers_of(net));
  CHECK(net.parameters()[0].values[0] == 2);  // the constant layer
}

TEST_CASE("the same seed gives the same bits for any number of threads, another seed others") {
  const auto images = bars(42);
  const auto validation = bars(10, 8, 2);
  std::vector<float> first;
  std::vector<double> rows;
  for (const std::size_t threads : {1u, 2u, 3u}) {
    const thread_count_for_test guard(threads);
    auto options = full_options();
    options.reader_threads = threads;
    options.batches_ahead = threads;
    dn::training_state<float> state(small_classifier<float>(), options);
    CHECK(dn::train(state, images, validation, options));
    if (first.empty()) {
      first = numbers_of(state);
      rows = figures_of(state.history);
    }
    CHECK(numbers_of(state) == first);
    CHECK(figures_of(state.history) == rows);
  }
  auto other = full_options();
  other.seed = 6;
  dn::training_state<float> state(small_classifier<float>(), other);
  dn::train(state, images, validation, other);
  CHECK(numbers_of(state) != first);
}

TEST_CASE("stopped after any batch, saved and restored, it ends with the bits of an unbroken run") {
  const auto images = bars(20);
  const auto validation = bars(10, 8, 2);
  auto options = full_options();
  dn::training_state<float> unbroken(small_classifier<float>(), options);
  dn::train(unbroken, images, validation, options);
  for (std::size_t end = 1; end < 9; ++end) {
    std::stop_source stopper;
    auto broken = options;
    broken.stop = stopper.get_token();
    broken.on_batch = [&](const dn::training_state<float>& state) {
      if (state.step == end) stopper.request_stop();
    };
    dn::training_state<float> first(small_classifier<float>(), options);
    CHECK(!dn::train(first, images, validation, broken));
    CHECK(first.step == end);
    CHECK(first.epoch == (end - 1) / 3);  // stopped at the last batch of an epoch: before its validation
    dn::training_state<float> second(small_classifier<float>(77), options);
    for (const auto& p : first.parameters()) second.set_parameter(p.name, p.values);
    second.restore(first.metadata());
    CHECK(dn::train(second, images, validation, options));
    CHECK(numbers_of(second) == numbers_of(unbroken));
    CHECK(figures_of(second.history) == figures_of(unbroken.history));
    CHECK(second.schedule == unbroken.schedule);
    CHECK(second.best_epoch == unbroken.best_epoch);
  }
}

TEST_CASE("a run that has ended can be made longer") {
  const auto images = bars(20);
  auto options = full_options();
  options.keep_best = false;
  dn::training_state<float> once(small_classifier<float>(), options);
  dn::train(once, images, options);
  auto state = dn::training_state<float>(small_classifier<float>(), options);
  options.epochs = 1;
  CHECK(dn::train(state, images, options));
  CHECK(state.history.size() == 1);
  options.epochs = 3;
  CHECK(dn::train(state, images, options));
  CHECK(numbers_of(state) == numbers_of(once));
  CHECK(dn::train(state, images, options));
  CHECK(state.step == once.step);
}

TEST_CASE("on a plateau the rate falls when validation stalls") {
  // One pixel, nothing to learn from it: the validation error cannot fall.
  const dn::images_in_memory<float> images(dn::tensor<float, 4>({8, 1, 8, 8}, 1.f), {0, 1, 0, 1, 0, 1, 0, 1});
  const auto options = dn::training_options<float>{
      .epochs = 6, .batch = 8, .learning_rate = dn::learning_rate::on_plateau(0.001, {.patience = 2, .factor = 0.1})};
  auto net = small_classifier<float>();
  const auto history = dn::train(net, images, images, options);
  // The first epoch is the best; two without a gain, then two more.
  const double expected[] = {1e-3, 1e-3, 1e-3, 1e-4, 1e-4, 1e-5};
  for (std::size_t k = 0; k < 6; ++k) CHECK(history[k].learning_rate == doctest::Approx(expected[k]));
}

TEST_CASE("the best weights on validation are kept") {
  const auto images = bars(30);
  const auto validation = bars(60, 8, 2);
  auto options = full_options();
  options.epochs = 6;
  options.learning_rate = 0.3;  // up and down
  std::vector<std::vector<float>> weights;
  options.on_epoch = [&](const dn::training_state<float>& state, const dn::training_row&) {
    weights.push_back(numbers_of(state.net));
  };
  dn::training_state<float> state(small_classifier<float>(), options);
  dn::train(state, images, validation, options);
  std::size_t best = 0;
  for (std::size_t k = 1; k < 6; ++k) {
    const auto& a = state.history[k];
    const auto& b = state.history[best];
    if (*a.validation_accuracy > *b.validation_accuracy ||
        (*a.validation_accuracy == *b.validation_accuracy && *a.validation_loss < *b.validation_loss)) {
      best = k;
    }
  }
  CHECK(state.best_epoch == best + 1);
  CHECK(numbers_of(*state.best) == weights[best]);
  CHECK(dn::accuracy(*state.best, validation, {.normalization = options.normalization}).accuracy ==
        *state.history[best].validation_accuracy);
  auto net = small_classifier<float>();
  options.on_epoch = {};
  dn::train(net, images, validation, options);
  CHECK(numbers_of(net) == weights[best]);
}

TEST_CASE("progress and callbacks come in order and say where the run is") {
  const auto images = bars(20);
  dn::training_options<float> options{.epochs = 2, .batch = 8};
  std::string order;
  std::size_t step = 0;
  options.progress = [&](const dn::training_progress& now) {
    order += 'p';
    CHECK(now.epochs == 2);
    CHECK(now.batches == 3);
    CHECK(now.epoch == step / 3 + 1);
    CHECK(now.batch == step % 3 + 1);
    CHECK(now.step == ++step);
    CHECK(now.loss > 0);
    CHECK(now.accuracy >= 0);
    CHECK(now.accuracy <= 1);
    CHECK(now.learning_rate == 0.01);
    CHECK(now.images_per_second > 0);
    CHECK(now.seconds_left >= 0);
    CHECK((now.seconds_left == 0) == (now.step == 6));
  };
  options.on_batch = [&](const dn::training_state<float>& state) {
    order += 'b';
    CHECK(state.step == step);
  };
  options.on_epoch = [&](const dn::training_state<float>& state, const dn::training_row& row) {
    order += 'e';
    CHECK(state.epoch == row.epoch);
    CHECK(state.batch == 0);
    CHECK(row.seconds > 0);
    CHECK(!row.validation_loss);
  };
  auto net = small_classifier<float>();
  dn::train(net, images, options);
  CHECK(order == "pbpbpbepbpbpbe");
}

TEST_CASE("a snapshot taken on the way stays as it was") {
  const auto images = bars(20);
  std::vector<dn::network<float>> snapshots;
  std::vector<std::vector<float>> then;
  dn::training_options<float> options{.epochs = 3, .batch = 8};
  options.on_epoch = [&](const dn::training_state<float>& state, const dn::training_row&) {
    snapshots.push_back(state.net);
    then.push_back(numbers_of(state.net));
  };
  auto net = small_classifier<float>();
  dn::train(net, images, options);
  REQUIRE(snapshots.size() == 3);
  for (std::size_t k = 0; k < 3; ++k) CHECK(numbers_of(snapshots[k]) == then[k]);
  CHECK(then[0] != then[1]);
  CHECK(numbers_of(net) == then[2]);
}

TEST_CASE("divergence ends the run with where, and what to try") {
  const std::string of_weights = divergence(1e39);  // infinite as a float
  CHECK(of_weights.find("diverged in epoch 1, batch 1 of 3 (step 1)") != std::string::npos);
  CHECK(of_weights.find("is not finite") != std::string::npos);
  const std::string later = divergence(1e15);
  CHECK(later.find("training diverged in epoch ") == 0);
  CHECK(later.find("at a learning rate of 1e+15. Try a lower one") != std::string::npos);
  auto net = small_classifier<float>();
  const dn::images_in_memory<float> no_number(dn::tensor<float, 4>({4, 1, 8, 8}, std::nanf("")), {0, 1, 0, 1});
  CHECK_THROWS_WITH_AS(dn::train(net, no_number, {.batch = 4}), doctest::Contains("the loss is "), dn::error);
}

TEST_CASE("divergence that validation meets says the epoch and what to try") {
  auto net = small_classifier<float>();
  // Finite pictures whose sums are not: as weights that have grown too large would make of others.
  const dn::images_in_memory<float> huge(dn::tensor<float, 4>({4, 1, 8, 8}, 3e38F), {0, 1, 0, 1});
  std::string what;
  try {
    dn::train(net, bars(20), huge, {.epochs = 2, .batch = 8, .normalization = {.scale = 1}});
  } catch (const dn::error& problem) {
    what = problem.what();
  }
  CHECK_MESSAGE(what.find("training diverged in epoch 1, at its validation: image 0: the network's output is not finite, at a learning rate of "
                          "0.01. Try a lower one") == 0, what);
}

TEST_CASE("other options, other images and impossible options are refused") {
  const auto images = bars(20);
  auto options = full_options();
  options.epochs = 1;
  CHECK_THROWS_WITH_AS(([&] {
                         dn::training_state<float> state(small_classifier<float>(), options);
                         dn::train(state, images, options);
                       }()),
                       doctest::Contains("keep_best"), dn::error);
  dn::training_state<float> state(small_classifier<float>(), options);
  dn::train(state, images, images, options);
  auto other = options;
  other.batch = 4;
  CHECK_THROWS_WITH_AS(dn::train(state, images, images, other), doctest::Contains("'batch: 8' became 'batch: 4'"), dn::error);
  CHECK_THROWS_WITH_AS(dn::train(state, bars(21), images, options), doctest::Contains("not 21"), dn::error);
  auto damaged = state;
  damaged.step = 7;
  CHECK_THROWS_WITH_AS(dn::train(damaged, images, images, options), doctest::Contains("step 7 and 0 images after 1 epochs"), dn::error);
  options.batch = 0;
  auto net = small_classifier<float>();
  CHECK_THROWS_AS(dn::train(net, images, options), dn::error);
}

TEST_CASE("an image that cannot be read ends the run with its number; the state is that of the last batch") {
  struct {
    dn::images_in_memory<std::uint8_t> good = bars(20);
    std::atomic<bool> broken = true;
    std::size_t size() const { return 20; }
    std::size_t label(std::size_t i) const { return good.label(i); }
    dn::tensor<std::uint8_t, 3> image(std::size_t i) const {
      if (broken && i == 7) throw dn::file_error("seven.png", "is cut short");
      return good.image(i);
    }
  } images;
  const dn::training_options<float> options{.epochs = 2, .batch = 4};
  dn::training_state<float> state(small_classifier<float>(), options);
  CHECK_THROWS_WITH_AS(dn::train(state, images, options), "image 7: seven.png: is cut short", dn::file_error);
  images.broken = false;
  CHECK(dn::train(state, images, options));
  dn::training_state<float> unbroken(small_classifier<float>(), options);
  dn::train(unbroken, images.good, options);
  CHECK(numbers_of(state) == numbers_of(unbroken));
}
