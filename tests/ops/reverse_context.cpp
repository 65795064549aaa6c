#include <deconvnet/ops/reverse_context.hpp>

#include <cstddef>
#include <vector>

#include <doctest/doctest.h>

#include "../tensor/values.hpp"

namespace {

using namespace deconvnet;
using namespace deconvnet::testing;

TEST_CASE("a context gives every picture the recorded image it belongs to") {
  const auto input = random_maps<float>({3, 2, 3, 4}, 1);
  const auto other = random_maps<float>({3, 1, 2, 2}, 2);
  const auto output = random_maps<float>({3, 5, 1, 1}, 3);
  const tensor4<float>* const inputs[] = {&input, &other};
  const std::vector<std::size_t> images{2, 0, 2, 1};
  reverse_context<float> at;
  at.input_shapes = {{4, 2, 3, 4}, {4, 1, 2, 2}};
  at.images = images;
  at.recorded_inputs = inputs;
  at.recorded_output = &output;
  CHECK(at.how == rule::deconvnet);
  CHECK(at.input_shape() == shape4{4, 2, 3, 4});
  CHECK(at.input_shape(1) == shape4{4, 1, 2, 2});
  CHECK(shape_of(at.input()) == at.input_shape());
  CHECK(shape_of(at.input(1)) == at.input_shape(1));
  for (std::size_t m = 0; m < images.size(); ++m) {
    CHECK(same_bits(image_of(at.input(), m), image_of(input, images[m])));
    CHECK(same_bits(image_of(at.input(1), m), image_of(other, images[m])));
    CHECK(same_bits(image_of(at.output(), m), image_of(output, images[m])));
  }
}

TEST_CASE("what the run did not keep is named") {
  reverse_context<double> at;
  CHECK(names(message_of<error>([&] { at.input(); }), "did not keep", "input"));
  CHECK(names(message_of<error>([&] { at.output(); }), "did not keep", "output"));
  const tensor4<double>* const none[] = {nullptr};
  at.recorded_inputs = none;
  CHECK_THROWS_AS(at.input(), error);
  CHECK_THROWS_AS(at.input(1), error);
}

TEST_CASE("an operator that says nothing of its needs gets none of its own accord") {
  CHECK_FALSE(reverse_needs{}.input);
  CHECK_FALSE(reverse_needs{}.output);
  CHECK_FALSE(reverse_needs{}.sign);
}

}  // namespace
