#include <deconvnet/tensor/tensor.hpp>

#include <concepts>
#include <cstddef>
#include <limits>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "expressions.hpp"
#include "values.hpp"

namespace {

using namespace deconvnet;
using namespace deconvnet::testing;

using column_major = xt::xtensor<float, 4, xt::layout_type::column_major>;
using lazy = decltype(std::declval<tensor4<float>&>() + std::declval<tensor4<float>&>());
using view = decltype(xt::view(std::declval<tensor4<float>&>(), xt::all(), xt::range(0, 1)));

static_assert(scalar<float> && scalar<double>);
static_assert(!scalar<int> && !scalar<long double> && !scalar<const float> && !scalar<float&>);

static_assert(std::same_as<tensor4<float>, xt::xtensor<float, 4>>);

static_assert(tensor_expression<tensor4<float>> && tensor_expression<const tensor4<float>&>);
static_assert(tensor_expression<lazy> && tensor_expression<view> && tensor_expression<xt::xarray<int>>);
static_assert(!tensor_expression<float> && !tensor_expression<std::vector<float>> && !tensor_expression<float*>);

static_assert(expression_of_rank<tensor4<float>, 4> && expression_of_rank<lazy, 4> && expression_of_rank<view, 4>);
static_assert(expression_of_rank<column_major, 4> && expression_of_rank<tensor<double, 2>, 2>);
static_assert(expression_of_rank<xt::xarray<float>, 4> && expression_of_rank<xt::xarray<float>, 1>);
static_assert(!expression_of_rank<tensor<float, 3>, 4> && !expression_of_rank<lazy, 2> && !expression_of_rank<int, 4>);

static_assert(std::same_as<scalar_of<tensor4<double>>, double> && std::same_as<scalar_of<tensor4<float>&>, float>);
static_assert(std::same_as<scalar_of<xt::xarray<int>>, float> && std::same_as<scalar_of<lazy>, float>);

TEST_CASE("a contiguous container is handed on by reference") {
  const auto x = random_maps<float>({2, 3, 4, 5}, 1);
  const auto& same = contiguous<float, 4>(x);
  CHECK(&same == &x);
  static_assert(std::same_as<decltype(contiguous<float, 4>(x)), const tensor4<float>&>);
  static_assert(std::same_as<decltype(contiguous<double, 4>(x)), tensor4<double>>);
}

TEST_CASE("everything else is evaluated into a row-major container of the wanted scalar") {
  const auto x = random_maps<float>({2, 3, 4, 5}, 2);
  SUBCASE("lazy expressions") { CHECK(same_bits(contiguous<float, 4>(x * 1.0f), x)); }
  SUBCASE("strided views") {
    auto large = zeros<float>({2, 5, 4, 10});
    auto inside = xt::view(large, xt::all(), xt::range(1, 4), xt::all(), xt::range(0, 10, 2));
    inside = x;
    CHECK(same_bits(contiguous<float, 4>(inside), x));
  }
  SUBCASE("column-major containers") { CHECK(same_bits(contiguous<float, 4>(column_major(x)), x)); }
  SUBCASE("arrays of run-time rank") { CHECK(same_bits(contiguous<float, 4>(xt::xarray<float>(x)), x)); }
  SUBCASE("memory of somebody else's") {
    std::vector<float> memory(x.data(), x.data() + x.size());
    CHECK(same_bits(contiguous<float, 4>(xt::adapt(memory, std::array<std::size_t, 4>{2, 3, 4, 5})), x));
  }
  SUBCASE("other scalars") {
    const xt::xtensor<int, 4> whole = {{{{1, -2}, {3, 4}}}};
    CHECK(same_bits(contiguous<double, 4>(whole), tensor4<double>{{{{1, -2}, {3, 4}}}}));
    CHECK(same_bits(contiguous<float, 4>(tensor4<double>(x)), x));
  }
}

TEST_CASE("an array of another rank is refused with both ranks") {
  const xt::xarray<float> flat = xt::xarray<float>::from_shape({3, 4});
  CHECK(message_of([&] { contiguous<float, 4>(flat); }) == "a tensor of 4 dimensions is needed, this one has 2");
  const xt::xarray<float> five = xt::xarray<float>::from_shape({1, 1, 1, 3, 4});
  CHECK_THROWS_AS((contiguous<float, 4>(five)), shape_error);
  CHECK_THROWS_AS((contiguous<double, 1>(flat)), shape_error);
}

TEST_CASE("containers are made and resized within max_elements") {
  CHECK(shape_of(uninitialized<float>({2, 0, 3, 1})) == shape4{2, 0, 3, 1});
  CHECK(same_bits(zeros<double>({1, 1, 1, 2}), tensor4<double>{{{{0, 0}}}}));
  CHECK_THROWS_AS(uninitialized<float>({1, 1 << 20, 1 << 20, 1}), shape_error);
  CHECK_THROWS_AS(zeros<float>({SIZE_MAX, SIZE_MAX, 1, 1}), shape_error);
  auto x = zeros<float>({1, 2, 3, 4});
  const float* memory = x.data();
  resize(x, {1, 2, 3, 4});
  CHECK(x.data() == memory);
  resize(x, {4, 1, 1, 5});
  CHECK(shape_of(x) == shape4{4, 1, 1, 5});
  CHECK_THROWS_AS(resize(x, {1, 1 << 20, 1 << 20, 1}), shape_error);
}

TEST_CASE("image_span is one image of a batch, for reading and for writing") {
  auto x = random_maps<float>({3, 2, 1, 2}, 3);
  const auto& fixed = x;
  CHECK(image_span(fixed, 1).data() == x.data() + 4);
  CHECK(image_span(fixed, 1).size() == 4);
  image_span(x, 2)[3] = 9;
  CHECK(x(2, 1, 0, 1) == 9);
  static_assert(std::same_as<decltype(image_span(fixed, 0)), std::span<const float>>);
}

TEST_CASE_TEMPLATE("first_nonfinite finds the first NaN or infinity, at every border of its blocks", T, float, double) {
  const T trouble[] = {std::numeric_limits<T>::quiet_NaN(), std::numeric_limits<T>::infinity(),
                       -std::numeric_limits<T>::infinity()};
  for (const std::size_t size : {1u, 2u, 4095u, 4096u, 4097u, 8191u, 8192u, 8193u, 10000u}) {
    auto values = random_values<T>(size, 4);
    values[0] = std::numeric_limits<T>::max();
    values[size - 1] = std::numeric_limits<T>::lowest();
    CHECK(first_nonfinite(std::span<const T>(values)) == size);
    for (const std::size_t place : {0u, 1u, 4094u, 4095u, 4096u, 4097u, 8191u, 8192u, 9999u}) {
      if (place >= size) continue;
      CAPTURE(size);
      CAPTURE(place);
      for (const T bad : trouble) {
        auto spoilt = values;
        spoilt[place] = bad;
        CHECK(first_nonfinite(std::span<const T>(spoilt)) == place);
        spoilt[size - 1] = trouble[0];  // a later one does not matter
        CHECK(first_nonfinite(std::span<const T>(spoilt)) == place);
      }
    }
  }
  CHECK(first_nonfinite(std::span<const T>()) == 0);
}

TEST_CASE("infinities of both signs in one block do not cancel") {
  std::vector<float> values(100, 1.0f);
  values[10] = std::numeric_limits<float>::infinity();
  values[11] = -std::numeric_limits<float>::infinity();
  CHECK(first_nonfinite(std::span<const float>(values)) == 10);
}

}  // namespace
