#include <deconvnet/kernels/winograd.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

namespace dn = deconvnet;
namespace kernels = deconvnet::kernels;

namespace {

std::vector<float> winograd_numbers(std::size_t n, std::size_t step) {
  std::vector<float> values(n);
  for (std::size_t k = 0; k < n; ++k) values[k] = static_cast<float>((k * step + 7) % 1009) / 504.5f - 1;
  return values;
}

double largest_difference(const std::vector<float>& a, const std::vector<double>& b) {
  double largest = 0, scale = 0;
  for (std::size_t k = 0; k < a.size(); ++k) {
    largest = std::max(largest, std::abs(static_cast<double>(a[k]) - b[k]));
    scale = std::max(scale, std::abs(b[k]));
  }
  return largest / scale;
}

std::vector<double> widened(const std::vector<float>& values) { return {values.begin(), values.end()}; }

struct winograd_case {
  std::size_t kernel, images, groups, channels, filters, height, width, padding;
};

kernels::convolution_problem problem_of(const winograd_case& c) {
  const std::size_t grown = 2 * c.padding, lost = c.kernel - 1;
  return {{c.channels, c.height, c.width, c.kernel, c.kernel, 1, 1, c.padding, c.padding, 1, 1, c.height + grown - lost, c.width + grown - lost},
          c.images, c.groups, c.filters};
}

// Maps narrower than a tile, rests of tiles and of registers, groups, no and wide padding.
constexpr winograd_case winograd_cases[] = {
    {3, 1, 1, 16, 16, 8, 8, 1},  {3, 2, 1, 17, 19, 9, 11, 1},  {3, 1, 1, 33, 16, 5, 7, 0},   {3, 3, 1, 16, 48, 13, 13, 1}, {3, 1, 1, 64, 20, 30, 3, 1},
    {3, 1, 1, 16, 16, 2, 2, 1},  {3, 2, 2, 20, 20, 7, 6, 2},   {3, 1, 1, 140, 50, 12, 37, 0}, {5, 1, 1, 16, 16, 8, 8, 2},   {5, 2, 1, 17, 19, 9, 11, 2},
    {5, 1, 1, 33, 16, 5, 7, 0},  {5, 3, 1, 16, 48, 13, 13, 2}, {5, 1, 1, 64, 20, 30, 3, 2},  {5, 1, 1, 16, 16, 2, 3, 2},   {5, 2, 2, 20, 20, 7, 6, 3},
    {5, 1, 1, 140, 50, 12, 37, 0}, {5, 1, 1, 18, 18, 6, 71, 1}};

}  // namespace

TEST_CASE("Winograd's convolution and its adjoint are those of double to a few roundings") {
  for (const auto& c : winograd_cases) {
    const auto p = problem_of(c);
    CAPTURE(c.kernel);
    CAPTURE(c.channels);
    CAPTURE(c.height);
    const auto x = winograd_numbers(c.images * p.large_image(), 37);
    const auto weight = winograd_numbers(c.groups * c.filters * p.depth(), 53);
    const auto bias = winograd_numbers(c.groups * c.filters, 11);
    const auto signal = winograd_numbers(c.images * p.small_image(), 71);
    std::vector<float> y(signal.size()), down(x.size());
    std::vector<double> exact(signal.size()), exact_down(x.size());
    const auto wide = widened(weight);
    kernels::convolve<double>(p, widened(x).data(), kernels::weights_for_now(p, wide.data(), false), widened(bias).data(), exact.data());
    kernels::convolve_transposed<double>(p, widened(signal).data(), kernels::weights_for_now(p, wide.data(), true), exact_down.data());

    const auto forward = kernels::winograd_forward(p);
    const kernels::winograd_filters filters(forward, weight.data(), false);
    kernels::convolve_winograd(forward, x.data(), filters, bias.data(), y.data());
    CHECK(largest_difference(y, exact) < 5e-6);
    kernels::convolve_winograd(forward, x.data(), filters, bias.data(), y.data(), true);
    for (double& value : exact) value = std::max(value, 0.0);
    CHECK(largest_difference(y, exact) < 5e-6);

    const auto back = kernels::winograd_transposed(p);
    const kernels::winograd_filters flipped(back, weight.data(), true);
    kernels::convolve_winograd(back, signal.data(), flipped, nullptr, down.data());
    CHECK(largest_difference(down, exact_down) < 5e-6);
  }
}

TEST_CASE("an image has the same bits in any batch and for any number of threads") {
  for (const winograd_case& c : {winograd_case{3, 5, 1, 32, 40, 14, 17, 1}, winograd_case{5, 5, 1, 32, 40, 14, 17, 2}}) {
    const auto p = problem_of(c);
    const auto x = winograd_numbers(c.images * p.large_image(), 37);
    const auto weight = winograd_numbers(c.filters * p.depth(), 53);
    const auto problem = kernels::winograd_forward(p);
    const kernels::winograd_filters filters(problem, weight.data(), false);
    dn::set_thread_count(1);
    std::vector<float> together(c.images * p.small_image());
    kernels::convolve_winograd(problem, x.data(), filters, nullptr, together.data());
    auto single = problem;
    single.images = 1;
    for (const std::size_t threads : {1u, 3u}) {
      dn::set_thread_count(threads);
      std::vector<float> again(together.size());
      kernels::convolve_winograd(problem, x.data(), filters, nullptr, again.data());
      CHECK(again == together);
      for (std::size_t n = 0; n < c.images; ++n) {
        std::vector<float> alone(p.small_image());
        kernels::convolve_winograd(single, x.data() + n * p.large_image(), filters, nullptr, alone.data());
        CHECK(std::equal(alone.begin(), alone.end(), together.begin() + static_cast<std::ptrdiff_t>(n * p.small_image())));
      }
    }
  }
  dn::set_thread_count(0);
}

TEST_CASE("3 x 3 and 5 x 5 filters of stride 1 gain on maps of some size and depth, others do not") {
  auto p = problem_of({3, 1, 1, 16, 16, 12, 12, 1});
  CHECK(kernels::gains_by_winograd(p));
  CHECK(kernels::gains_by_winograd(problem_of({5, 1, 1, 64, 192, 27, 27, 2})));
  CHECK(kernels::gains_by_winograd(problem_of({5, 1, 1, 48, 128, 7, 7, 2})));
  CHECK_FALSE(kernels::gains_by_winograd(problem_of({5, 1, 1, 48, 128, 5, 5, 2})));
  CHECK_FALSE(kernels::gains_by_winograd(problem_of({7, 1, 1, 64, 64, 28, 28, 3})));
  p.geometry.dilation_width = 2;
  CHECK_FALSE(kernels::gains_by_winograd(p));
  CHECK_FALSE(kernels::gains_by_winograd(problem_of({3, 1, 1, 3, 64, 224, 224, 1})));
  CHECK_FALSE(kernels::gains_by_winograd(problem_of({3, 1, 1, 64, 64, 7, 7, 1})));
}
