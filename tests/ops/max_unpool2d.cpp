#include <deconvnet/ops/max_unpool2d.hpp>

#include <concepts>
#include <cstdint>
#include <string>

#include <doctest/doctest.h>

#include <deconvnet/ops/max_pool2d.hpp>

#include "pool_cases.hpp"
#include "properties.hpp"

namespace {

using namespace deconvnet;
using namespace deconvnet::testing;
using place_tensor = tensor<std::uint32_t, 4>;

static_assert(std::same_as<decltype(max_unpool2d(switches())(tensor4<float>() + 1.0f)), tensor4<float>>);
static_assert(std::same_as<decltype(ops::max_unpool2d(tensor4<double>(), switches())), tensor4<double>>);
static_assert(std::invocable<const max_unpool2d&, xt::xarray<float>>);
static_assert(!std::invocable<const max_unpool2d&, tensor<float, 3>>);
static_assert(!std::convertible_to<switches, max_unpool2d>);

TEST_CASE("every value goes back to its switch; overlapping windows add up") {
  const tensor4<float> x = {{{{0, 0, 0, 0, 0},
                              {0, 9, 0, 8, 0},
                              {0, 0, 0, 0, 0},
                              {0, 0, 0, 0, 0},
                              {7, 0, 0, 0, 7}}}};
  const auto [output, switches] = max_pool2d{{.kernel = 3, .stride = 2}}(x);
  CHECK(same_bits(output, tensor4<float>{{{{9, 8}, {7, 7}}}}));
  CHECK(same_bits(max_unpool2d{switches}(tensor4<float>{{{{1, 2}, {3, 4}}}}), tensor4<float>{{{{0, 0, 0, 0, 0},
                                                                                             {0, 1, 0, 2, 0},
                                                                                             {0, 0, 0, 0, 0},
                                                                                             {0, 0, 0, 0, 0},
                                                                                             {3, 0, 0, 0, 4}}}}));
  auto shared = zeros<float>({1, 1, 5, 5});
  shared(0, 0, 2, 2) = 5;  // in all four windows
  CHECK(max_unpool2d{max_pool2d{{.kernel = 3, .stride = 2}}(shared).switches}(tensor4<float>{{{{1, 2}, {3, -4}}}})(0, 0, 2, 2) == 2);
}

TEST_CASE_TEMPLATE("unpooling what was pooled gives every maximum its place back, in the size there was", T, float, double) {
  for (const auto& c : pool_cases) {
    CAPTURE(c.what);
    const auto x = random_maps<T>(c.input, 1);
    const auto [output, switches] = max_pool2d{c.options}(x);
    const auto signal = random_maps<T>(shape_of(output), 2);
    auto expected = zeros<T>(c.input);
    for (std::size_t k = 0; k < signal.size(); ++k) {
      const std::size_t plane = k / (output.shape(2) * output.shape(3));
      expected.data()[plane * c.input[2] * c.input[3] + switches.places.data()[k]] += signal.data()[k];
    }
    const auto restored = max_unpool2d{switches}(signal);
    CHECK(shape_of(restored) == c.input);
    CHECK(same_bits(restored, expected));
    CHECK(same_bits(ops::max_unpool2d(signal, switches), expected));
    CHECK(max_unpool2d{switches}.output_shape(shape_of(signal)) == c.input);
    CHECK(same_bits(ops::take_switches(x, switches), output));
  }
}

TEST_CASE("unpooling and taking the switches are adjoint, with overlapping windows too") {
  for (const auto& c : pool_cases) {
    CAPTURE(c.what);
    const auto x = random_maps<double>(c.input, 3);
    const auto [output, switches] = max_pool2d{c.options}(random_maps<double>(c.input, 4));
    const auto y = random_maps<double>(shape_of(output), 5);
    const max_unpool2d unpool{switches};
    check_adjoint(unpool(y), x, y, ops::take_switches(x, switches));
    CHECK(same_bits(unpool.reverse(x, shapes_only<double>({shape_of(y)})), ops::take_switches(x, switches)));
  }
}

TEST_CASE_TEMPLATE("the bits of unpooling do not depend on threads", T, float, double) {
  for (const auto& c : pool_cases) {
    const auto [output, switches] = max_pool2d{c.options}(random_maps<T>({3, c.input[1], c.input[2], c.input[3]}, 6));
    const auto& places = switches;
    const auto signal = random_maps<T>(shape_of(output), 7);
    check_thread_counts([&] { return ops::max_unpool2d(signal, places); });
  }
}

TEST_CASE("unpooling takes any expression") {
  const auto [output, record] = max_pool2d{}(random_maps<float>({2, 3, 6, 8}, 8));
  const auto& switches = record;
  check_expressions(output, [&](const auto& e) { return max_unpool2d{switches}(e); });
  check_expressions(output, [&](const auto& e) { return ops::max_unpool2d(e, switches); });
}

TEST_CASE("unpooling refuses a signal of another shape and names both") {
  const auto record = max_pool2d{}(random_maps<float>({2, 3, 6, 8}, 9)).switches;
  const auto refusal = [&](const shape4& shape) { return message_of([&] { max_unpool2d{record}(zeros<float>(shape)); }); };
  CHECK(refusal({2, 3, 3, 4}).empty());
  for (const shape4& shape : {shape4{2, 2, 3, 4}, shape4{2, 3, 4, 3}, shape4{2, 3, 6, 8}, shape4{3, 3, 3, 4}, shape4{1, 3, 3, 4}}) {
    CHECK(names(refusal(shape), "max_unpool2d", shape_text(shape), "2 x 3 x 3 x 4"));
  }
  CHECK(names(message_of([&] { ops::take_switches(zeros<float>({2, 3, 6, 7}), record); }), "2 x 3 x 6 x 7", "2 x 3 x 6 x 8"));
  CHECK_THROWS_AS(ops::take_switches(zeros<float>({1, 3, 6, 8}), record), shape_error);
  const std::size_t images[] = {0, 2};
  CHECK(names(message_of([&] { ops::max_unpool2d<float>(zeros<float>({2, 3, 3, 4}), record, images); }), "image 2", "2 x 3 x 3 x 4"));
  CHECK_THROWS_AS(ops::max_unpool2d<float>(zeros<float>({3, 3, 3, 4}), record, images), shape_error);
}

TEST_CASE("switches that point out of the map are refused wherever they are handed over") {
  const auto signal = zeros<float>({1, 1, 1, 2}) + 1.0f;
  for (const std::uint32_t place : {6u, 1u << 30, UINT32_MAX}) {
    const switches record{{1, 1, 2, 3}, place_tensor{{{{5, place}}}}};
    CHECK(names(message_of([&] { max_unpool2d{record}; }), "switch " + std::to_string(place), "6 places"));
    CHECK_THROWS_AS(ops::max_unpool2d(signal, record), shape_error);
    CHECK_THROWS_AS(ops::take_switches(zeros<float>({1, 1, 2, 3}), record), shape_error);
  }
}

TEST_CASE("switches of other images or channels than the input they name are refused") {
  const auto places = [](std::size_t images, std::size_t channels) {
    auto result = place_tensor::from_shape({images, channels, 1, 1});
    result.fill(0);
    return result;
  };
  for (const switches& record : {switches{{1, 1, 2, 2}, places(1, 50)}, switches{{1, 1, 2, 2}, places(50, 1)},
                                 switches{{1, 50, 2, 2}, places(1, 1)}}) {
    CHECK(names(message_of([&] { max_unpool2d{record}; }), shape_text(record.input_shape), shape_text(record.output_shape())));
    CHECK_THROWS_AS(ops::take_switches(zeros<float>(record.input_shape), record), shape_error);
  }
}

TEST_CASE("switches of nothing unpool nothing") {
  CHECK_NOTHROW(max_unpool2d{switches{}});
  const auto none = max_pool2d{}(zeros<float>({0, 3, 6, 8})).switches;
  CHECK(shape_of(max_unpool2d{none}(zeros<float>({0, 3, 3, 4}))) == shape4{0, 3, 6, 8});
  switches absurd;
  absurd.input_shape = {1, 1, std::size_t{1} << 32, std::size_t{1} << 32};
  absurd.places = place_tensor{{{{0}}}};
  CHECK_THROWS_AS(max_unpool2d{absurd}(zeros<float>({1, 1, 1, 1})), shape_error);
}

}  // namespace
