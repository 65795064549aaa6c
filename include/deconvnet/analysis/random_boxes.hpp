// Boxes at random places: what marked parts are compared with (Table 1).
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include <deconvnet/ops/window.hpp>
#include <deconvnet/tensor/box.hpp>

namespace deconvnet {

namespace detail {

/// A whole number of 0 .. bound - 1, each as likely. std::uniform_int_distribution would do, but may give other numbers
/// with another standard library.
inline std::size_t random_below(std::mt19937_64& engine, std::size_t bound) {
  const std::uint64_t limit = std::numeric_limits<std::uint64_t>::max() / bound * bound;
  std::uint64_t value = engine();
  while (value >= limit) value = engine();
  return static_cast<std::size_t>(value % bound);
}

}  // namespace detail

/// `count` boxes of one size, wholly within an input of height x width, every place as likely. Both sizes are one
/// number or {height, width}. The same seed gives the same boxes everywhere. Throws error for a box that is empty or
/// larger than the input.
inline std::vector<box> random_boxes(std::size_t count, const extent2d& box_size, const extent2d& input_size,
                                     std::uint64_t seed) {
  if (box_size.height == 0 || box_size.width == 0 || box_size.height > input_size.height ||
      box_size.width > input_size.width || input_size.height > max_elements || input_size.width > max_elements) {
    throw error(detail::text("random_boxes: a box of ", box_size.height, " x ", box_size.width, " in an input of ",
                             input_size.height, " x ", input_size.width));
  }
  if (count > max_elements) throw error(detail::text("random_boxes: ", count, " boxes"));
  std::mt19937_64 engine(seed);
  std::vector<box> boxes(count);
  for (box& one : boxes) {
    one.y = static_cast<std::ptrdiff_t>(detail::random_below(engine, input_size.height - box_size.height + 1));
    one.x = static_cast<std::ptrdiff_t>(detail::random_below(engine, input_size.width - box_size.width + 1));
    one.height = box_size.height;
    one.width = box_size.width;
  }
  return boxes;
}

}  // namespace deconvnet
