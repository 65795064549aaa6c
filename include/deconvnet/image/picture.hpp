// A picture is C x H x W, values 0..255. How expressions of other ranks become one.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

#include <deconvnet/tensor/tensor.hpp>

namespace deconvnet::detail {

/// The extents of any expression, whatever its shape type.
template <tensor_expression E>
std::vector<std::size_t> extents_of(const E& expression) {
  std::vector<std::size_t> extents;
  for (const auto extent : expression.shape()) extents.push_back(static_cast<std::size_t>(extent));
  return extents;
}

/// H x W, C x H x W or 1 x C x H x W, evaluated to C x H x W. `what` names the argument in the shape_error thrown for
/// every other rank, for a batch of several pictures, and for a picture without pixels.
template <scalar T, tensor_expression E>
tensor<T, 3> evaluate_picture(const E& expression, const char* what = "picture") {
  const auto extents = extents_of(expression);
  const std::size_t rank = extents.size();
  if (rank < 2 || rank > 4 || (rank == 4 && extents[0] != 1)) {
    throw shape_error(
        text(what, " of ", shape_text(extents), ": one picture is needed, H x W, C x H x W or 1 x C x H x W"));
  }
  const std::array<std::size_t, 3> shape = {rank == 2 ? 1 : extents[rank - 3], extents[rank - 2], extents[rank - 1]};
  if (element_count(shape, what) == 0) throw shape_error(text(what, " of ", shape_text(extents), " has no pixels"));
  auto picture = tensor<T, 3>::from_shape(shape);
  std::transform(expression.template begin<xt::layout_type::row_major>(),
                 expression.template end<xt::layout_type::row_major>(), picture.data(),
                 [](const auto& value) { return static_cast<T>(value); });
  return picture;
}

/// One plane of a contiguous picture: H * W values.
template <class T>
const T* plane(const tensor<T, 3>& picture, std::size_t channel) {
  return picture.data() + channel * picture.shape(1) * picture.shape(2);
}

template <class T>
T* plane(tensor<T, 3>& picture, std::size_t channel) {
  return picture.data() + channel * picture.shape(1) * picture.shape(2);
}

}  // namespace deconvnet::detail
