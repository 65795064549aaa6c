#include <deconvnet/tensor/shared_tensor.hpp>

#include <utility>

#include <doctest/doctest.h>

#include "values.hpp"

namespace {

using namespace deconvnet;
using namespace deconvnet::testing;
using shared = detail::shared_tensor<float, 4>;

TEST_CASE("copies of a shared tensor have one memory until one of them is edited") {
  const auto values = random_maps<float>({1, 2, 3, 4}, 1);
  shared first(values);
  shared second = first;
  CHECK(first.get().data() == second.get().data());
  second.edit()(0, 1, 2, 3) = 7;
  CHECK(first.get().data() != second.get().data());
  CHECK(same_bits(first.get(), values));
  CHECK(second.get()(0, 1, 2, 3) == 7);
}

TEST_CASE("the only owner of a shared tensor edits in place") {
  shared only(random_maps<float>({1, 1, 2, 2}, 2));
  const float* memory = only.get().data();
  only.edit().fill(1);
  CHECK(only.get().data() == memory);
}

TEST_CASE("a shared tensor of nothing is empty, and assignment shares again") {
  shared nothing;
  CHECK(nothing.get().size() == 0);
  nothing.edit() = random_maps<float>({1, 1, 1, 2}, 3);
  shared other;
  other = nothing;
  CHECK(other.get().data() == nothing.get().data());
}

}  // namespace
