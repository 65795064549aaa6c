#include <deconvnet/kernels/winograd_tile.hpp>

#include <doctest/doctest.h>

#include <vector>

namespace dn = deconvnet;
namespace kernels = deconvnet::kernels;

TEST_CASE("the filter of one in the middle passes a tile through, in every lane") {
  const auto set = kernels::winograd_tiles(dn::current_level());
  constexpr std::size_t taps = kernels::winograd::taps;
  std::vector<float> maps(set.lanes * 36), filter(set.lanes * 9, 0.0f), bias(16, 0.0f);
  for (std::size_t k = 0; k < maps.size(); ++k) maps[k] = static_cast<float>((k * 29) % 83) - 40;
  for (std::size_t lane = 0; lane < set.lanes; ++lane) filter[lane * 9 + 4] = 1;
  std::vector<float> inputs(taps * set.lanes), filters(taps * set.lanes), products(taps * set.lanes), out(set.lanes * 16, -1.0f);
  set.input({maps.data(), 36, 6, 6, 0, 0, 1, inputs.data(), set.lanes, set.lanes});
  set.filter({filter.data(), 9, 9 * set.lanes, set.lanes, 1, false, filters.data(), set.lanes, set.lanes});
  for (std::size_t k = 0; k < products.size(); ++k) products[k] = inputs[k] * filters[k];
  set.output({products.data(), set.lanes, set.lanes, 1, bias.data(), false, set.lanes, 4, 4, out.data(), 16, 4});
  for (std::size_t lane = 0; lane < set.lanes; ++lane) {
    for (std::size_t y = 0; y < 4; ++y) {
      for (std::size_t x = 0; x < 4; ++x) {
        CHECK(out[lane * 16 + y * 4 + x] == doctest::Approx(maps[lane * 36 + (y + 1) * 6 + x + 1]).epsilon(1e-5));
      }
    }
  }
}
