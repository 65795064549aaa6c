#include <deconvnet/ops/switches.hpp>

#include <concepts>

#include <doctest/doctest.h>

namespace {

using namespace deconvnet;

static_assert(std::copyable<switches> && std::default_initializable<switches>);

TEST_CASE("switches are a value that knows both shapes of the pool") {
  const switches record{{2, 3, 5, 7}, tensor<std::uint32_t, 4>::from_shape({2, 3, 2, 3})};
  CHECK(record.output_shape() == shape4{2, 3, 2, 3});
  CHECK(record.input_shape == shape4{2, 3, 5, 7});
  CHECK(switches{}.output_shape() == shape4{0, 0, 0, 0});
  switches copy = record;
  copy.places.fill(1);
  CHECK(copy.places.data() != record.places.data());
}

}  // namespace
