// Switches: where in each pooling window the maximum stood (the paper, section 2.1).
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include <deconvnet/tensor/tensor.hpp>

namespace deconvnet {

/// The switches of one run of a max-pool, a plain value. For output place (n, c, y, x), `places(n, c, y, x)` is the
/// place of the maximum in the input map (n, c), counted row-major: row * W + column. A switch never points into
/// padding. `input_shape` restores odd sizes exactly.
struct switches {
  shape4 input_shape{};
  tensor<std::uint32_t, 4> places;

  shape4 output_shape() const { return {places.shape(0), places.shape(1), places.shape(2), places.shape(3)}; }
};

}  // namespace deconvnet
