#include <deconvnet/ops/conv2d_sparse_adjoint.hpp>

#include <cmath>
#include <cstddef>

#include <doctest/doctest.h>

#include "../tensor/values.hpp"

namespace dn = deconvnet;
using namespace deconvnet::testing;

namespace {

double largest_difference(const dn::tensor4<float>& a, const dn::tensor4<float>& b) {
  REQUIRE(dn::shape_of(a) == dn::shape_of(b));
  double worst = 0;
  for (std::size_t k = 0; k < a.size(); ++k) {
    worst = std::max(worst, std::abs(static_cast<double>(a.data()[k]) - static_cast<double>(b.data()[k])));
  }
  return worst;
}

/// Images 0 and 2 are full, 1 and 3 zero but for a few values.
dn::tensor4<float> mixed_signals() {
  auto signal = random_maps<float>({4, 24, 9, 9}, 1);
  for (const std::size_t n : {1U, 3U}) {
    const auto image = dn::image_span(signal, n);
    for (std::size_t k = 0; k < image.size(); ++k) {
      if (k % 131 != n) image[k] = 0;
    }
  }
  return signal;
}

}  // namespace

TEST_CASE("pictures that are full and pictures that are mostly zero go down in one batch, each as it does alone") {
  const dn::detail::shared_tensor<float, 4> weight(random_maps<float>({24, 32, 5, 5}, 2));
  const dn::conv2d_options options{.stride = {2, 2}, .padding = {1, 2}};
  const dn::shape4 large{4, 32, 19, 18};
  const auto signal = mixed_signals();
  const auto expected = dn::ops::conv2d_adjoint(signal, weight.get(), options, large);
  const auto found = dn::detail::conv2d_adjoint_by_density(signal, weight, options, large);
  CHECK(largest_difference(found, expected) < 2e-4);
  for (std::size_t n = 0; n < 4; ++n) {
    const auto alone = dn::detail::conv2d_adjoint_by_density(image_of(signal, n), weight, options, {1, 32, 19, 18});
    CHECK(same_bits(alone, image_of(found, n)));
  }
}

TEST_CASE("under algorithm::direct every picture goes down as ever, bit for bit") {
  const dn::detail::shared_tensor<float, 4> weight(random_maps<float>({24, 32, 5, 5}, 2));
  const dn::detail::direct_scope direct;
  const auto signal = mixed_signals();
  CHECK(same_bits(dn::detail::conv2d_adjoint_by_density(signal, weight, {.stride = {2, 2}, .padding = {1, 2}}, {4, 32, 19, 18}),
                  dn::ops::conv2d_adjoint(signal, weight.get(), {.stride = {2, 2}, .padding = {1, 2}}, {4, 32, 19, 18})));
}
