#include <deconvnet/io/onnx_extent.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>

using deconvnet::detail::onnx::extent;
using deconvnet::detail::onnx::extents_text;
using deconvnet::detail::onnx::known_product;

TEST_CASE("extents are computed as far as they are known") {
  const extent n = extent::batch();
  const extent unknown = extent::unknown();
  CHECK(extent::number(2) + extent::number(3) == extent::number(5));
  CHECK(extent::number(2) * extent::number(3) == extent::number(6));
  CHECK((n * extent::number(4)).value == 4);
  CHECK_FALSE((n * extent::number(4)).is_batch());
  CHECK((n * extent::number(1)).is_batch());
  CHECK(n + n == n * extent::number(2));
  CHECK(n + extent::number(1) == unknown);
  CHECK(n * n == unknown);
  CHECK(unknown * extent::number(2) == unknown);
  CHECK(unknown + unknown == unknown);
}

TEST_CASE("what passes 64 bits is not known") {
  const extent large = extent::number(std::numeric_limits<std::int64_t>::max());
  CHECK(large + extent::number(1) == extent::unknown());
  CHECK(large * extent::number(2) == extent::unknown());
  CHECK(known_product({extent::batch(), large, large}, 1) == std::nullopt);
}

TEST_CASE("products and text of extents") {
  CHECK(known_product({extent::batch(), extent::number(3), extent::number(4)}, 1) == 12);
  CHECK(known_product({extent::batch(), extent::number(3), extent::unknown()}, 1) == std::nullopt);
  CHECK(extents_text({extent::batch(), extent::number(3), extent::unknown(), extent::batch() * extent::number(2)}) ==
        "N x 3 x ? x 2N");
  CHECK(extents_text({}) == "scalar");
}
