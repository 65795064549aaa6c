#include <deconvnet/report/training_curves.hpp>

#include <doctest/doctest.h>

namespace dn = deconvnet;

namespace {

/// Pixels of the second curve's colour, orange.
std::size_t validation_pixels(const dn::tensor<float, 3>& picture) {
  std::size_t count = 0;
  for (std::size_t y = 0; y < picture.shape(1); ++y) {
    for (std::size_t x = 0; x < picture.shape(2); ++x) {
      count += picture(0, y, x) == 213 && picture(1, y, x) == 94 && picture(2, y, x) == 0;
    }
  }
  return count;
}

}  // namespace

TEST_CASE("loss and accuracy are drawn with the validation where there is one") {
  std::vector<dn::training_row> history{{.epoch = 1, .loss = 2, .accuracy = 0.3}, {.epoch = 2, .loss = 1, .accuracy = 0.6}};
  const auto without = dn::training_curves(history);
  CHECK(without.shape(0) == 3);
  CHECK(validation_pixels(without) == 0);
  history[0].validation_loss = 1.5;
  history[0].validation_accuracy = 0.5;
  history[1].validation_loss = 1.25;
  history[1].validation_accuracy = 0.7;
  CHECK(validation_pixels(dn::training_curves(history, "a run")) > 100);
  CHECK(dn::training_curves({}).shape(2) == without.shape(2));
}
