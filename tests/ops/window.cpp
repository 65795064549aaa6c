#include <deconvnet/ops/window.hpp>

#include <concepts>
#include <cstddef>

#include <doctest/doctest.h>

#include "../tensor/values.hpp"
#include "naive.hpp"

namespace {

using namespace deconvnet;
using testing::message_of;
using testing::names;

static_assert(extent2d{} == extent2d{1, 1});
static_assert(extent2d{3} == extent2d{3, 3} && extent2d(3) == extent2d{3, 3});
static_assert(padding2d{} == padding2d{0, 0, 0, 0});
static_assert(padding2d{2} == padding2d{2, 2, 2, 2});
static_assert(padding2d{1, 2} == padding2d{1, 2, 1, 2});
static_assert(padding2d{1, 2, 3, 4}.top == 1 && padding2d{1, 2, 3, 4}.left == 2);
static_assert(padding2d{1, 2, 3, 4}.bottom == 3 && padding2d{1, 2, 3, 4}.right == 4);
static_assert(!std::constructible_from<padding2d, int, int, int>);  // never one read as the other
static_assert(!std::constructible_from<extent2d, int, int, int>);
static_assert(std::convertible_to<int, extent2d> && std::convertible_to<int, padding2d>);

TEST_CASE("map sizes are as many windows as fit when one is moved along, in floor and in ceil mode") {
  for (std::size_t kernel = 1; kernel <= 4; ++kernel)
    for (std::size_t stride = 1; stride <= 4; ++stride)
      for (std::size_t before = 0; before <= 3; ++before)
        for (std::size_t after = 0; after <= 3; ++after)
          for (std::size_t dilation = 1; dilation <= 3; ++dilation)
            for (const bool ceil_mode : {false, true})
              for (std::size_t size = 1; size <= 9; ++size) {
                const detail::window_axis axis{kernel, stride, before, after, dilation, ceil_mode};
                const auto signed_of = [](std::size_t value) { return static_cast<std::ptrdiff_t>(value); };
                const naive::axis slow{signed_of(kernel), signed_of(stride), signed_of(before), signed_of(after), signed_of(dilation)};
                const std::size_t expected = slow.places(size, ceil_mode);
                if (axis.outputs(size) == expected) continue;
                CAPTURE(kernel);
                CAPTURE(stride);
                CAPTURE(before);
                CAPTURE(after);
                CAPTURE(dilation);
                CAPTURE(ceil_mode);
                CAPTURE(size);
                CHECK(axis.outputs(size) == expected);
              }
}

TEST_CASE("map sizes of networks one knows") {
  const auto outputs = [](std::size_t size, std::size_t kernel, std::size_t stride, std::size_t padding, bool ceil_mode) {
    return detail::window_axis{kernel, stride, padding, padding, 1, ceil_mode}.outputs(size);
  };
  CHECK(outputs(224, 7, 2, 1, false) == 110);  // ZFNet
  CHECK(outputs(110, 3, 2, 0, true) == 55);
  CHECK(outputs(55, 5, 2, 0, false) == 26);
  CHECK(outputs(26, 3, 2, 0, true) == 13);
  CHECK(outputs(13, 3, 2, 0, true) == 6);
  CHECK(outputs(227, 11, 4, 0, false) == 55);  // AlexNet
  CHECK(outputs(111, 3, 2, 0, true) == 55);    // SqueezeNet
  CHECK(outputs(110, 3, 2, 0, false) == 54);
}

TEST_CASE("in ceil mode a window that would begin past the map and its leading padding is dropped") {
  const auto outputs = [](std::size_t size, bool ceil_mode) { return detail::window_axis{1, 3, 0, 0, 1, ceil_mode}.outputs(size); };
  CHECK(outputs(3, true) == 1);  // ceil(2 / 3) + 1 = 2, but the second would begin at 3
  CHECK(outputs(4, true) == 2);
  CHECK(outputs(5, true) == 2);
  CHECK(outputs(5, false) == 2);
}

TEST_CASE("a window of nothing or of an absurd size is refused with the operator's name") {
  const std::size_t most = std::size_t{1} << 24;
  CHECK_NOTHROW(detail::check_window("x", {most, 1}, {1, most}, {most, 0, 0, most}, {most, most}));
  const auto refused = [](extent2d kernel, extent2d stride, padding2d padding, extent2d dilation) {
    return message_of([&] { detail::check_window("some_layer", kernel, stride, padding, dilation); });
  };
  CHECK(names(refused({0, 1}, 1, 0, 1), "some_layer", "kernel 0"));
  CHECK(names(refused({1, most + 1}, 1, 0, 1), "some_layer", "kernel 16777217"));
  CHECK(names(refused(1, {1, 0}, 0, 1), "some_layer", "stride 0"));
  CHECK(names(refused(1, 1, {0, 0, 0, most + 1}, 1), "some_layer", "padding 16777217"));
  CHECK(names(refused(1, 1, 0, {0, 1}), "some_layer", "dilation 0"));
  CHECK(names(refused(1, 1, 0, {1, SIZE_MAX}), "some_layer", "dilation 18446744073709551615"));
}

TEST_CASE("a window that does not fit is refused with its span, the map and the padding") {
  const auto rows = detail::vertical({3, 2}, 1, {1, 2, 3, 4}, {2, 1});
  const auto columns = detail::horizontal({3, 2}, 1, {1, 2, 3, 4}, {2, 1});
  CHECK(rows.span() == 5);
  CHECK(detail::window_outputs("x", {1, 1, 1, 1}, rows, columns) == extent2d{1, 6});
  const auto tall = detail::vertical({9, 2}, 1, {1, 2, 3, 4}, {2, 1});
  CHECK(names(message_of([&] { detail::window_outputs("some_layer", {1, 7, 5, 6}, tall, columns); }), "some_layer",
              "17 x 2", "1 x 7 x 5 x 6", "1 2 3 4"));
  CHECK_THROWS_AS(detail::window_outputs("x", {1, 1, 0, 4}, rows, columns), shape_error);
  CHECK_THROWS_AS(detail::window_outputs("x", {1, 1, 4, 0}, rows, columns), shape_error);
}

}  // namespace
