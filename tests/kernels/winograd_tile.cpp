#include <deconvnet/kernels/winograd_tile.hpp>

#include <doctest/doctest.h>

#include <vector>

namespace dn = deconvnet;
namespace kernels = deconvnet::kernels;

TEST_CASE("the filter of one in the middle passes a tile through, in every lane") {
  for (const std::size_t kernel : {3u, 5u}) {
    CAPTURE(kernel);
    const auto set = kernels::winograd_tiles(dn::current_level(), kernel);
    const std::size_t side = kernels::winograd::tile_side(kernel), weights = kernel * kernel, outputs = side * side;
    constexpr std::size_t taps = kernels::winograd::taps;
    std::vector<float> maps(set.lanes * 36), filter(set.lanes * weights, 0.0f), bias(16, 0.0f);
    for (std::size_t k = 0; k < maps.size(); ++k) maps[k] = static_cast<float>((k * 29) % 83) - 40;
    for (std::size_t lane = 0; lane < set.lanes; ++lane) filter[lane * weights + weights / 2] = 1;
    std::vector<float> inputs(taps * set.lanes), filters(taps * set.lanes), products(taps * set.lanes), out(set.lanes * outputs, -1.0f);
    set.input({maps.data(), 36, 6, 6, 0, 0, 1, inputs.data(), set.lanes, set.lanes});
    set.filter({filter.data(), weights, weights * set.lanes, set.lanes, 1, false, filters.data(), set.lanes, set.lanes});
    for (std::size_t k = 0; k < products.size(); ++k) products[k] = inputs[k] * filters[k];
    set.output({products.data(), set.lanes, set.lanes, 1, bias.data(), false, set.lanes, side, side, out.data(), outputs, side});
    for (std::size_t lane = 0; lane < set.lanes; ++lane) {
      for (std::size_t y = 0; y < side; ++y) {
        for (std::size_t x = 0; x < side; ++x) {
          CHECK(out[lane * outputs + y * side + x] == doctest::Approx(maps[lane * 36 + (y + kernel / 2) * 6 + x + kernel / 2]).epsilon(1e-5));
        }
      }
    }
  }
}
