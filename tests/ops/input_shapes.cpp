#include <deconvnet/ops/input_shapes.hpp>

#include <doctest/doctest.h>

namespace dn = deconvnet;

TEST_CASE("the shapes of a list, in its order, for any length") {
  const auto a = dn::zeros<float>({1, 2, 3, 4}), b = dn::zeros<float>({5, 1, 1, 1});
  const dn::tensor4<float>* const list[] = {&a, &b, &a};
  const auto shapes = dn::detail::input_shapes<float>(list);
  REQUIRE(shapes.size() == 3);
  CHECK(shapes[0] == dn::shape4{1, 2, 3, 4});
  CHECK(shapes[1] == dn::shape4{5, 1, 1, 1});
  CHECK(shapes[2] == shapes[0]);
  CHECK(dn::detail::input_shapes<float>({}).empty());
}
