// What holds for every operator: bits, adjoints, derivatives, expressions.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <deconvnet/kernels/parallel_for.hpp>
#include <deconvnet/ops/reverse_context.hpp>

#include "../tensor/expressions.hpp"
#include "../tensor/values.hpp"

namespace deconvnet::testing {

/// run() gives the same bits on 1, 2, 3 and 5 threads.
template <class Run>
void check_thread_counts(Run&& run) {
  set_thread_count(1);
  const auto expected = run();
  for (const std::size_t count : {2u, 3u, 5u}) {
    set_thread_count(count);
    CAPTURE(count);
    CHECK(same_bits(run(), expected));
  }
  set_thread_count(0);
}

/// Every image of the batch x gives the same bits alone.
template <class T, class Run>
void check_batches(const tensor4<T>& x, Run&& run) {
  const auto together = run(x);
  for (std::size_t n = 0; n < x.shape(0); ++n) {
    CAPTURE(n);
    CHECK(same_bits(run(image_of(x, n)), image_of(together, n)));
  }
}

/// <A x, y> = <x, A^T y> in double, with A x and A^T y given.
template <class A, class B, class C, class D>
void check_adjoint(const A& ax, const B& y, const C& x, const D& aty) {
  REQUIRE(ax.size() == y.size());
  REQUIRE(x.size() == aty.size());
  CHECK(inner_product(ax, y) == doctest::Approx(inner_product(x, aty)).epsilon(1e-12).scale(1));
}

/// The derivative of <f(x), signal> by x, by central differences in double.
template <class F>
tensor4<double> numeric_gradient(const tensor4<double>& x, const tensor4<double>& signal, F&& f) {
  constexpr double step = 1e-5;
  auto moved = x;
  auto result = tensor4<double>::from_shape(x.shape());
  for (std::size_t k = 0; k < x.size(); ++k) {
    moved.data()[k] = x.data()[k] + step;
    const double above = inner_product(f(moved), signal);
    moved.data()[k] = x.data()[k] - step;
    const double below = inner_product(f(moved), signal);
    moved.data()[k] = x.data()[k];
    result.data()[k] = (above - below) / (2 * step);
  }
  return result;
}

/// What the error of a central difference may come to.
inline constexpr double difference_error = 1e-8;

/// op takes x in whatever form it comes: lazy, a strided view, column-major, an array of run-time rank. `op` returns a tensor.
template <class T, class Op>
void check_expressions(const tensor4<T>& x, Op&& op) {
  const auto expected = op(x);
  CHECK(same_bits(op(x * T(1)), expected));
  CHECK(same_bits(op(xt::xtensor<T, 4, xt::layout_type::column_major>(x)), expected));
  CHECK(same_bits(op(xt::xarray<T>(x)), expected));
  auto large = zeros<T>({x.shape(0), x.shape(1) + 2, x.shape(2), 2 * x.shape(3)});
  auto view = xt::view(large, xt::all(), xt::range(1, x.shape(1) + 1), xt::all(), xt::range(0, 2 * x.shape(3), 2));
  view = x;
  CHECK(same_bits(op(view), expected));
  const xt::xarray<T> flat = xt::xarray<T>::from_shape({x.shape(0), x.size() / std::max<std::size_t>(1, x.shape(0))});
  CHECK(names(message_of([&] { op(flat); }), "4 dimensions", "has 2"));
  const xt::xarray<T> five = xt::xarray<T>::from_shape({1, x.shape(0), x.shape(1), x.shape(2), x.shape(3)});
  CHECK_THROWS_AS(op(five), shape_error);
}

/// One recorded run as an operator's reverse sees it; every picture of the signal its own image unless said otherwise.
template <class T>
class recorded_run {
 public:
  recorded_run(rule how, const tensor4<T>& input, const tensor4<T>& output)
      : how_(how), input_(input), output_(output), input_list_{&input_} {
    for (std::size_t n = 0; n < input.shape(0); ++n) images_.push_back(n);
  }

  recorded_run& pictures_of(const std::vector<std::size_t>& images) {
    images_ = images;
    return *this;
  }

  reverse_context<T> context() const {
    reverse_context<T> at;
    at.how = how_;
    at.input_shapes = {{images_.size(), input_.shape(1), input_.shape(2), input_.shape(3)}};
    at.images = images_;
    at.recorded_inputs = input_list_;
    at.recorded_output = &output_;
    return at;
  }

 private:
  rule how_;
  tensor4<T> input_, output_;
  std::vector<const tensor4<T>*> input_list_;
  std::vector<std::size_t> images_;
};

/// A context that knows the inputs' shapes only: enough for the linear operators.
template <class T>
reverse_context<T> shapes_only(std::vector<shape4> inputs, rule how = rule::gradient) {
  reverse_context<T> at;
  at.how = how;
  at.input_shapes = std::move(inputs);
  return at;
}

}  // namespace deconvnet::testing
