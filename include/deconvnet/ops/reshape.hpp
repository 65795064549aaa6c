// The same elements under other extents: reshape, and flatten, its commonest use.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

#include <deconvnet/ops/reverse_context.hpp>

namespace deconvnet {

namespace ops {

/// The elements of x, row-major, as N x C x H x W of the given extents. Throws shape_error where the counts differ.
template <expression_of_rank<4> X>
auto reshape(const X& x, const shape4& shape) {
  using T = scalar_of<X>;
  const auto& in = contiguous<T, 4>(x);
  if (element_count(shape) != in.size()) {
    throw shape_error(detail::text("reshape: ", shape_text(in.shape()), " cannot become ", shape_text(shape)));
  }
  auto y = uninitialized<T>(shape);
  std::copy(in.data(), in.data() + in.size(), y.data());
  return y;
}

/// N x C x H x W to N x (C H W) x 1 x 1.
template <expression_of_rank<4> X>
auto flatten(const X& x) {
  using T = scalar_of<X>;
  const auto& in = contiguous<T, 4>(x);
  return reshape(in, {in.shape(0), in.shape(1) * in.shape(2) * in.shape(3), 1, 1});
}

}  // namespace ops

namespace detail {

/// What reshape and flatten share; `Derived` gives the output shape.
template <class Derived>
struct reshaping {
  static constexpr reverse_needs needs{};

  template <expression_of_rank<4> X>
  auto operator()(const X& x) const {
    using T = scalar_of<X>;
    const auto& in = contiguous<T, 4>(x);
    return ops::reshape(in, self().output_shape(shape_of(in)));
  }

  template <scalar T>
  void forward(const tensor4<T>& x, tensor4<T>& y) const {
    resize(y, self().output_shape(shape_of(x)));
    std::copy(x.data(), x.data() + x.size(), y.data());
  }

  template <scalar T>
  void forward_in_place(tensor4<T>& x) const {
    x.reshape(self().output_shape(shape_of(x)));
  }

  template <scalar T>
  tensor4<T> reverse(const tensor4<T>& signal, const reverse_context<T>& at) const {
    return ops::reshape(signal, at.input_shape());
  }

 private:
  const Derived& self() const { return static_cast<const Derived&>(*this); }
};

}  // namespace detail

/// ops::flatten as a layer.
struct flatten : detail::reshaping<flatten> {
  static constexpr std::string_view kind = "flatten";

  shape4 output_shape(const shape4& in) const {
    element_count(in);
    return {in[0], in[1] * in[2] * in[3], 1, 1};
  }
};

/// ops::reshape as a layer: every image becomes C x H x W; the batch stays.
class reshape : public detail::reshaping<reshape> {
 public:
  static constexpr std::string_view kind = "reshape";

  explicit reshape(const shape3& image) : image_(image) {}

  const shape3& image() const { return image_; }

  /// Throws shape_error where an image has another number of elements.
  shape4 output_shape(const shape4& in) const {
    const shape4 out{in[0], image_[0], image_[1], image_[2]};
    if (element_count(out) != element_count(in)) {
      throw shape_error(detail::text("reshape: ", shape_text(in), " cannot become ", shape_text(out)));
    }
    return out;
  }

 private:
  shape3 image_;
};

}  // namespace deconvnet
