#include <deconvnet/ops/transpose_layout.hpp>

#include <concepts>
#include <cstddef>

#include <doctest/doctest.h>

#include "properties.hpp"

namespace {

using namespace deconvnet;
using namespace deconvnet::testing;

static_assert(std::same_as<decltype(transpose_layout()(tensor4<float>() + 1.0f)), tensor4<float>>);
static_assert(std::same_as<decltype(ops::restore_layout(tensor4<double>() * 2.0)), tensor4<double>>);
static_assert(!std::invocable<const transpose_layout&, tensor<float, 3>> && !std::invocable<const transpose_layout&, float>);

const shape4 layout_shapes[] = {{1, 1, 1, 1}, {2, 3, 4, 5}, {3, 7, 1, 2}, {1, 2, 9, 1}};

TEST_CASE_TEMPLATE("transpose_layout puts the channels last, restore_layout back", T, float, double) {
  for (const auto& shape : layout_shapes) {
    const auto x = random_maps<T>(shape, 1);
    const auto y = transpose_layout{}(x);
    CHECK(shape_of(y) == shape4{shape[0], shape[2], shape[3], shape[1]});
    CHECK(transpose_layout{}.output_shape(shape) == shape_of(y));
    bool right = true;
    for (std::size_t n = 0; n < shape[0]; ++n)
      for (std::size_t c = 0; c < shape[1]; ++c)
        for (std::size_t i = 0; i < shape[2]; ++i)
          for (std::size_t j = 0; j < shape[3]; ++j) right = right && y(n, i, j, c) == x(n, c, i, j);
    CHECK(right);
    CHECK(same_bits(ops::transpose_layout(x), y));
    CHECK(same_bits(ops::restore_layout(y), x));
  }
}

TEST_CASE("the reverse of transpose_layout is its adjoint, under every rule") {
  for (const auto& shape : layout_shapes) {
    const auto x = random_maps<double>(shape, 2);
    const auto y = random_maps<double>(transpose_layout{}.output_shape(shape), 3);
    for (const rule how : {rule::deconvnet, rule::gradient, rule::guided}) {
      const auto back = transpose_layout{}.reverse(y, shapes_only<double>({shape}, how));
      CHECK(shape_of(back) == shape);
      check_adjoint(transpose_layout{}(x), y, x, back);
    }
  }
}

TEST_CASE("transpose_layout takes any expression") {
  const auto x = random_maps<float>({2, 3, 4, 5}, 4);
  check_expressions(x, [](const auto& e) { return transpose_layout{}(e); });
  check_expressions(x, [](const auto& e) { return ops::restore_layout(e); });
  check_batches(x, [](const tensor4<float>& batch) { return transpose_layout{}(batch); });
}

TEST_CASE("tensors of no elements stay that") {
  for (const shape4& shape : {shape4{0, 3, 4, 5}, shape4{2, 0, 4, 5}, shape4{2, 3, 0, 5}, shape4{2, 3, 4, 0}, shape4{0, 0, 0, 0}}) {
    const auto y = transpose_layout{}(zeros<float>(shape));
    CHECK(shape_of(y) == shape4{shape[0], shape[2], shape[3], shape[1]});
    CHECK(shape_of(ops::restore_layout(y)) == shape);
  }
}

}  // namespace
