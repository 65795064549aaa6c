// Sets of small pictures that tests of training learn from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <deconvnet/tensor/tensor.hpp>
#include <deconvnet/training/labelled_images.hpp>
#include <deconvnet/training/random_numbers.hpp>

namespace deconvnet::testing {

/// Pictures of noise with a bar: class 0 lies, class 1 stands. Any network learns them.
inline images_in_memory<std::uint8_t> bars(std::size_t count, std::size_t side = 8, std::uint64_t seed = 1) {
  tensor<std::uint8_t, 4> pixels({count, 1, side, side});
  std::vector<std::size_t> labels;
  for (std::size_t n = 0; n < count; ++n) {
    detail::keyed_numbers random{seed, n};
    labels.push_back(random.below(2));
    const std::size_t place = random.below(side);
    for (std::size_t y = 0; y < side; ++y) {
      for (std::size_t x = 0; x < side; ++x) {
        const bool bar = (labels[n] == 0 ? y : x) == place;
        pixels(n, 0, y, x) = static_cast<std::uint8_t>(random.below(60) + (bar ? 180 : 0));
      }
    }
  }
  return {pixels, labels};
}

}  // namespace deconvnet::testing
