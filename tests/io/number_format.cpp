#include <deconvnet/io/number_format.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

using deconvnet::detail::bfloat16;
using deconvnet::detail::half;

TEST_CASE("every half that is a number survives the way to float and back") {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const half value{static_cast<std::uint16_t>(bits)};
    const auto wide = static_cast<float>(value);
    if (std::isnan(wide)) continue;
    REQUIRE(half::from(static_cast<double>(wide)).bits == bits);
  }
}

TEST_CASE("half precision has the values of IEEE 754") {
  CHECK(static_cast<float>(half{0x3c00}) == 1.0f);
  CHECK(static_cast<float>(half{0xc000}) == -2.0f);
  CHECK(static_cast<float>(half{0x7bff}) == 65504.0f);
  CHECK(static_cast<float>(half{0x0001}) == std::ldexp(1.0f, -24));
  CHECK(static_cast<float>(half{0x7c00}) == std::numeric_limits<float>::infinity());
  CHECK(std::isnan(static_cast<float>(half{0x7e00})));
  CHECK(std::isnan(static_cast<float>(half::from(std::numeric_limits<double>::quiet_NaN()))));
}

TEST_CASE("rounding to half precision goes to the nearest, ties to even") {
  CHECK(half::from(1.0 + 0x1p-11).bits == 0x3c00);            // a tie: down to even
  CHECK(half::from(1.0 + 3 * 0x1p-11).bits == 0x3c02);        // a tie: up to even
  CHECK(half::from(1.0 + 0x1p-11 + 0x1p-40).bits == 0x3c01);  // no tie, also past the digits of float
  CHECK(half::from(2047.9).bits == half::from(2048.0).bits);  // the carry reaches the exponent
  CHECK(half::from(65519.0).bits == 0x7bff);
  CHECK(half::from(65520.0).bits == 0x7c00);
  CHECK(half::from(-1e300).bits == 0xfc00);
  CHECK(half::from(0x1p-25).bits == 0);
  CHECK(half::from(0x1p-25 * 1.0001).bits == 1);
  CHECK(half::from(-0.0).bits == 0x8000);
}

TEST_CASE("bfloat16 is the upper half of a float") {
  CHECK(static_cast<float>(bfloat16{0x3f80}) == 1.0f);
  CHECK(static_cast<float>(bfloat16{0xc040}) == -3.0f);
}

TEST_CASE("numbers are read in either byte order from any address") {
  const unsigned char bytes[] = {0, 0x3f, 0x80, 0, 0, 0x3f, 0x80};
  const auto* start = reinterpret_cast<const std::byte*>(bytes) + 1;
  CHECK(deconvnet::detail::read_number<float>(start, std::endian::big) == 1.0f);
  CHECK(deconvnet::detail::read_number<std::uint16_t>(start, std::endian::little) == 0x803f);
}
