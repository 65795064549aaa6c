#include <deconvnet/ops/linear.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <limits>

#include <doctest/doctest.h>

#include <deconvnet/ops/conv2d.hpp>

#include "properties.hpp"

namespace {

using namespace deconvnet;
using namespace deconvnet::testing;

static_assert(std::same_as<decltype(linear<float>(tensor<float, 2>())(tensor4<float>() + 1.0f)), tensor4<float>>);
static_assert(std::same_as<decltype(linear<double>(tensor<double, 2>())(tensor<double, 2>() * 2.0)), tensor<double, 2>>);
static_assert(std::same_as<decltype(ops::linear(tensor<float, 2>(), tensor<float, 2>(), tensor<float, 1>())), tensor<float, 2>>);
static_assert(!std::invocable<const linear<float>&, tensor<float, 3>> && !std::invocable<const linear<float>&, float>);
static_assert(!std::constructible_from<linear<float>, tensor<float, 3>>);
static_assert(!std::constructible_from<linear<float>, tensor<float, 2>, tensor<float, 2>>);
static_assert(!std::convertible_to<tensor<float, 2>, linear<float>> && std::copyable<linear<float>>);

struct linear_case {
  std::size_t images, inputs, outputs;
};

/// One unit, remainders of the lanes, more outputs than one tile, more inputs than one tile.
const linear_case linear_cases[] = {{1, 1, 1}, {2, 3, 5}, {3, 16, 16}, {2, 17, 33}, {1, 100, 7}, {2, 513, 3}, {3, 1100, 40}};

template <class T>
tensor<double, 2> naive_linear(const tensor<T, 2>& x, const tensor<T, 2>& weight, const tensor<T, 1>& bias) {
  auto y = tensor<double, 2>::from_shape({x.shape(0), weight.shape(0)});
  for (std::size_t n = 0; n < y.shape(0); ++n) {
    for (std::size_t o = 0; o < y.shape(1); ++o) {
      y(n, o) = bias.size() ? static_cast<double>(bias(o)) : 0;
      for (std::size_t k = 0; k < x.shape(1); ++k) y(n, o) += static_cast<double>(weight(o, k)) * static_cast<double>(x(n, k));
    }
  }
  return y;
}

template <class T>
tensor4<T> as_maps(const tensor<T, 2>& matrix) {
  auto maps = tensor4<T>::from_shape({matrix.shape(0), matrix.shape(1), 1, 1});
  std::copy(matrix.begin(), matrix.end(), maps.begin());
  return maps;
}

TEST_CASE_TEMPLATE("linear equals naive loops, with and without bias, for matrices and for maps", T, float, double) {
  for (const auto& c : linear_cases) {
    CAPTURE(c.inputs);
    CAPTURE(c.outputs);
    const auto x = random_matrix<T>(c.images, c.inputs, 1);
    const auto weight = random_matrix<T>(c.outputs, c.inputs, 2);
    const auto bias = random_vector<T>(c.outputs, 3);
    const linear<T> layer(weight, bias);
    const auto y = layer(x);
    CHECK(distance(y, naive_linear(x, weight, bias)) < 10 * rounding<T>);
    CHECK(same_bits(ops::linear(x, weight, bias), y));
    CHECK(same_bits(layer(as_maps(x)), as_maps(y)));
    CHECK(layer.output_shape({c.images, c.inputs, 1, 1}) == shape4{c.images, c.outputs, 1, 1});
    const auto none = tensor<T, 1>::from_shape({0});
    CHECK(distance(linear<T>(weight)(x), naive_linear(x, weight, none)) < 10 * rounding<T>);
    CHECK(same_bits(ops::linear(x, weight, none), linear<T>(weight)(x)));
  }
}

TEST_CASE("maps are read channel by channel, row by row, as a flatten would hand them over") {
  const auto x = random_maps<double>({2, 3, 4, 5}, 4);
  const linear<double> layer(random_matrix<double>(7, 60, 5), random_vector<double>(7, 6));
  auto flat = x;
  flat.reshape(shape4{2, 60, 1, 1});
  CHECK(same_bits(layer(x), layer(flat)));
}

TEST_CASE("linear gives the same as its weights written as a convolution, up and down") {
  const auto x = random_maps<double>({2, 3, 4, 5}, 7);
  const auto weight = random_matrix<double>(7, 60, 8);
  const auto bias = random_vector<double>(7, 9);
  auto filters = tensor4<double>::from_shape({7, 3, 4, 5});
  std::copy(weight.begin(), weight.end(), filters.begin());
  const linear<double> layer(weight, bias);
  const conv2d<double> conv(filters, bias);
  CHECK(distance(layer(x), conv(x)) < 1e-14);
  const auto signal = random_maps<double>({2, 7, 1, 1}, 10);
  CHECK(distance(layer.reverse(signal, shapes_only<double>({shape_of(x)})), conv.reverse(signal, shapes_only<double>({shape_of(x)}))) < 1e-14);
}

TEST_CASE("the reverse of linear is its adjoint, in the shape of the maps there were, under every rule") {
  for (const auto& c : linear_cases) {
    const linear<double> plain(random_matrix<double>(c.outputs, c.inputs, 11));
    const linear<double> biased(plain.weight(), random_vector<double>(c.outputs, 12));
    const auto x = random_maps<double>({c.images, 1, c.inputs, 1}, 13);
    auto y = random_maps<double>({c.images, c.outputs, 1, 1}, 14);
    for (std::size_t k = 0; k < y.size(); k += 3) y.data()[k] = 0;  // rows that are skipped
    const auto back = biased.reverse(y, shapes_only<double>({shape_of(x)}));
    CHECK(shape_of(back) == shape_of(x));
    check_adjoint(plain(x), y, x, back);
    CHECK(same_bits(biased.reverse(y, shapes_only<double>({shape_of(x)}, rule::deconvnet)), back));
  }
}

TEST_CASE("the reverse of linear is the derivative of its forward") {
  const linear<double> layer(random_matrix<double>(5, 12, 15), random_vector<double>(5, 16));
  const auto x = random_maps<double>({2, 3, 2, 2}, 17);
  const auto signal = random_maps<double>({2, 5, 1, 1}, 18);
  const auto expected = numeric_gradient(x, signal, [&](const auto& moved) { return layer(moved); });
  CHECK(distance(layer.reverse(signal, shapes_only<double>({shape_of(x)})), expected) < difference_error);
}

TEST_CASE_TEMPLATE("the bits of linear and of its reverse depend on neither threads nor the batch", T, float, double) {
  for (const auto& c : linear_cases) {
    const linear<T> layer(random_matrix<T>(c.outputs, c.inputs, 19), random_vector<T>(c.outputs, 20));
    const auto x = random_maps<T>({4, c.inputs, 1, 1}, 21);
    const auto signal = random_maps<T>({4, c.outputs, 1, 1}, 22);
    const auto down = [&](const tensor4<T>& g) { return layer.reverse(g, shapes_only<T>({{g.shape(0), c.inputs, 1, 1}})); };
    check_thread_counts([&] { return layer(x); });
    check_thread_counts([&] { return down(signal); });
    check_batches(x, [&](const tensor4<T>& batch) { return layer(batch); });
    check_batches(signal, down);
  }
}

TEST_CASE("linear takes any expression as its input and as its weights") {
  const auto x = random_maps<float>({2, 3, 4, 5}, 23);
  const auto weight = random_matrix<float>(7, 60, 24);
  const auto bias = random_vector<float>(7, 25);
  const linear<float> layer(weight, bias);
  check_expressions(x, [&](const auto& e) { return layer(e); });
  const auto matrix = random_matrix<float>(2, 60, 26);
  const auto y = layer(matrix);
  CHECK(same_bits(layer(matrix * 1.0f), y));
  CHECK(same_bits(ops::linear(xt::xarray<float>(matrix), weight, bias), y));
  CHECK(same_bits(linear<float>(xt::xtensor<float, 2, xt::layout_type::column_major>(weight), xt::xarray<float>(bias))(matrix), y));
  CHECK_THROWS_AS(linear<float>(xt::xarray<float>(x)), shape_error);
  CHECK_THROWS_AS(ops::linear(xt::xarray<float>(x), weight, bias), shape_error);
}

TEST_CASE("a NaN in a feature reaches every unit of its image and no other image") {
  auto x = random_maps<float>({2, 20, 1, 1}, 27);
  x(1, 13, 0, 0) = std::numeric_limits<float>::quiet_NaN();
  const auto y = linear<float>(random_matrix<float>(5, 20, 28))(x);
  for (std::size_t o = 0; o < 5; ++o) {
    CHECK_FALSE(std::isnan(y(0, o, 0, 0)));
    CHECK(std::isnan(y(1, o, 0, 0)));
  }
}

TEST_CASE("linear refuses shapes that do not fit and names both") {
  const auto weight = random_matrix<float>(5, 12, 29);
  const linear<float> layer(weight);
  CHECK(names(message_of([&] { layer(zeros<float>({1, 3, 2, 3})); }), "linear", "18 features", "5 x 12"));
  CHECK(names(message_of([&] { layer(random_matrix<float>(2, 11, 30)); }), "linear", "11 features", "5 x 12"));
  CHECK(names(message_of([&] { linear<float>(weight, random_vector<float>(4, 31)); }), "linear", "bias of 4", "5 x 12"));
  CHECK_THROWS_AS(ops::linear(random_matrix<float>(2, 12, 32), weight, random_vector<float>(12, 33)), shape_error);
  const auto down = [&](const shape4& signal, const shape4& input) {
    return message_of([&] { layer.reverse(zeros<float>(signal), shapes_only<float>({input})); });
  };
  CHECK(down({2, 5, 1, 1}, {2, 3, 2, 2}).empty());
  CHECK(names(down({2, 4, 1, 1}, {2, 3, 2, 2}), "linear", "2 x 4 x 1 x 1", "5 x 12"));
  CHECK(names(down({2, 0, 1, 1}, {2, 3, 2, 2}), "linear", "2 x 0 x 1 x 1", "5 x 12"));
  CHECK(names(down({2, 5, 1, 1}, {2, 3, 2, 1}), "linear", "2 x 3 x 2 x 1", "5 x 12"));
  CHECK(names(down({2, 5, 1, 1}, {1, 3, 2, 2}), "linear", "2 x 5 x 1 x 1", "1 x 3 x 2 x 2"));
}

TEST_CASE("a weight of nothing is refused; a batch of no images gives none; absurd maps do not wrap around") {
  CHECK_THROWS_AS(linear<float>(tensor<float, 2>::from_shape({0, 3})), shape_error);
  CHECK_THROWS_AS(linear<float>(tensor<float, 2>::from_shape({3, 0})), shape_error);
  const linear<float> layer(random_matrix<float>(5, 12, 34), random_vector<float>(5, 35));
  CHECK(shape_of(layer(zeros<float>({0, 3, 2, 2}))) == shape4{0, 5, 1, 1});
  CHECK(layer(tensor<float, 2>::from_shape({0, 12})).shape(1) == 5);
  CHECK(shape_of(layer.reverse(zeros<float>({0, 5, 1, 1}), shapes_only<float>({{0, 3, 2, 2}}))) == shape4{0, 3, 2, 2});
  CHECK_THROWS_AS(layer.output_shape({1, (std::size_t{1} << 62) + 3, 4, 1}), shape_error);
  CHECK_THROWS_AS(layer(tensor4<float>()), shape_error);
}

TEST_CASE("linear counts its multiplications, and copies share their weights") {
  const linear<float> layer(random_matrix<float>(5, 12, 36));
  CHECK(layer.multiply_adds({3, 3, 2, 2}, {3, 5, 1, 1}) == 3 * 60);
  const linear<float> copy = layer;
  CHECK(copy.weight().data() == layer.weight().data());
}

}  // namespace

TEST_CASE_TEMPLATE("a sparse signal goes down with the bits of the dense way", T, float, double) {
  constexpr std::size_t outputs = 700, inputs = 90;
  auto weight = deconvnet::tensor<T, 2>::from_shape({outputs, inputs});
  for (std::size_t k = 0; k < weight.size(); ++k) weight.data()[k] = static_cast<T>((k * 29) % 101) / T(37) - T(1);
  std::vector<T> signal(3 * outputs, T(0));
  for (const std::size_t o : {3u, 4u, 170u, 500u, 699u}) signal[outputs + o] = static_cast<T>(o % 7) + T(0.3);
  std::vector<T> sparse(3 * inputs), dense(3 * inputs);
  deconvnet::ops::linear_adjoint_into<T>(signal.data(), 3, weight, sparse.data());
  for (std::size_t o = 0; o < outputs; ++o) signal[2 * outputs + o] = signal[o] = T(0.7);  // the others' signals are dense
  deconvnet::ops::linear_adjoint_into<T>(signal.data(), 3, weight, dense.data());
  for (std::size_t k = inputs; k < 2 * inputs; ++k) CHECK(sparse[k] == dense[k]);
  CHECK(dense[0] != T(0));
}
