#include <deconvnet/training/training_options.hpp>

#include <set>

#include <doctest/doctest.h>

namespace dn = deconvnet;

TEST_CASE("recipes differ where an option that decides the weights does, and only there") {
  using options = dn::training_options<float>;
  const options all[] = {{},
                         {.batch = 64},
                         {.learning_rate = 0.1},
                         {.momentum = 0.5},
                         {.weight_decay = 0},
                         {.decay_biases = false},
                         {.renormalization = dn::filter_renormalization{}},
                         {.renormalization = dn::filter_renormalization{.radius = 0.2}},
                         {.renormalization = dn::filter_renormalization{.layers = {"conv1"}}},
                         {.augmentation = {.padding = 1}},
                         {.augmentation = {.padding = 1, .border = dn::border::replicate}},
                         {.augmentation = {.crop = {3, 4}}},
                         {.augmentation = {.flip = true}},
                         {.augmentation = {.choice = dn::view_choice::ten_crops}},
                         {.normalization = {.scale = 1}},
                         {.normalization = {.mean = {0.1}}},
                         {.normalization = {.mean = {0.0, 0.0}}},
                         {.normalization = {.stddev = {0.1}}},
                         {.seed = 1},
                         {.keep_best = true}};
  std::set<std::string> recipes;
  for (const auto& one : all) recipes.insert(dn::detail::recipe_of(one));
  CHECK(recipes.size() == std::size(all));
  const options same[] = {{.epochs = 3}, {.reader_threads = 5, .batches_ahead = 1}};
  for (const auto& one : same) CHECK(dn::detail::recipe_of(one) == dn::detail::recipe_of(options{}));
}

TEST_CASE("the difference of two recipes is the first line that is not the same") {
  using dn::detail::line_difference;
  CHECK(line_difference("a: 1\nb: 2", "a: 1\nb: 2").empty());
  CHECK(line_difference("a: 1\nb: 2", "a: 1\nb: 3") == "'b: 2' became 'b: 3'");
  CHECK(line_difference("a: 1", "a: 1\nb: 3") == "'' became 'b: 3'");
  CHECK(line_difference("", "a") == "'' became 'a'");
  dn::training_options<float> slower;
  slower.learning_rate = 0.001;
  CHECK(line_difference(dn::detail::recipe_of(dn::training_options<float>{}), dn::detail::recipe_of(slower)) ==
        "'learning rate: constant 0.01' became 'learning rate: constant 0.001'");
}

TEST_CASE("the defaults are the paper's") {
  const dn::training_options<float> options;
  CHECK(options.epochs == 70);
  CHECK(options.batch == 128);
  CHECK(options.learning_rate.at(0) == 0.01);
  CHECK(options.momentum == 0.9);
}
