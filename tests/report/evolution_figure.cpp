#include <deconvnet/report/evolution_figure.hpp>

#include <doctest/doctest.h>

#include <array>

namespace dn = deconvnet;

namespace {

/// Two maps at three epochs, fields of 3 x 3; the image changes once in the second row.
dn::evolution<float> drawn_evolution(std::size_t channels = 1) {
  dn::evolution<float> seen;
  seen.layer = "relu1";
  seen.epochs = {1, 2, 64};
  seen.maps = {4, 17};
  for (std::size_t m = 0; m < 2; ++m) {
    seen.features.emplace_back();
    for (std::size_t e = 0; e < 3; ++e) {
      dn::evolved_feature<float> one;
      one.field = {0, 0, 3, 3};
      one.projection = dn::tensor<float, 3>({channels, 3, 3}, 0.F);
      one.projection(0, 1, 1) = 2;
      one.input = dn::tensor<float, 3>({channels, 3, 3}, 0.25F);
      one.changed = m == 1 && e == 2;
      seen.features.back().push_back(one);
    }
  }
  return seen;
}

std::size_t count_of(const dn::tensor<float, 3>& sheet, const std::array<float, 3>& colour) {
  std::size_t count = 0;
  for (std::size_t y = 0; y < sheet.shape(1); ++y) {
    for (std::size_t x = 0; x < sheet.shape(2); ++x) {
      count += sheet(0, y, x) == colour[0] && sheet(1, y, x) == colour[1] && sheet(2, y, x) == colour[2] ? 1 : 0;
    }
  }
  return count;
}

}  // namespace

TEST_CASE("every cell shows its projection, and one bar stands where the image changed") {
  auto seen = drawn_evolution();
  const auto sheet = dn::evolution_figure(seen, {.tile = 60});
  CHECK(count_of(sheet, {255.F, 255.F, 255.F}) > 6 * 400);
  CHECK(count_of(sheet, {127.5F, 127.5F, 127.5F}) == 6 * 8 * 400);  // zeros, 20 x 20 pixels each
  CHECK(count_of(sheet, {214, 39, 40}) == 4 * 60);
  seen.features[1][2].changed = false;
  const auto plain = dn::evolution_figure(seen, {.tile = 60});
  CHECK(plain.shape() == sheet.shape());
  CHECK(count_of(plain, {214, 39, 40}) == 0);
  // Left of the last column, beside the second row.
  for (std::size_t y = 0; y < sheet.shape(1); ++y) {
    for (std::size_t x = 0; x < sheet.shape(2); ++x) {
      if (sheet(1, y, x) == plain(1, y, x)) continue;
      CHECK(y > sheet.shape(1) / 2);
      CHECK(x > sheet.shape(2) - 10 - 60 - 10);
      CHECK(x < sheet.shape(2) - 10 - 60);
    }
  }
}

TEST_CASE("with the preprocessing what the unit saw stands under the projection") {
  const dn::preprocessing how{.mean = {0.5}, .stddev = {0.5}, .scale = 1.0 / 255.0};
  const auto plain = dn::evolution_figure(drawn_evolution(), {.tile = 60});
  const auto both = dn::evolution_figure(drawn_evolution(), {.inputs = how, .tile = 60});
  CHECK(both.shape(1) == plain.shape(1) + 2 * 62);
  CHECK(count_of(both, {159.375F, 159.375F, 159.375F}) == 6 * 3600);  // (0.25 * 0.5 + 0.5) * 255
}

TEST_CASE("colours come out as RGB; fields larger than a tile are shrunk") {
  dn::preprocessing how{.mean = {0.5, 0.5, 0.5}, .stddev = {0.5, 0.5, 0.5}, .scale = 1.0 / 255.0};
  auto seen = drawn_evolution(3);
  CHECK(count_of(dn::evolution_figure(seen, {.inputs = how, .tile = 6}), {255.F, 127.5F, 127.5F}) == 6 * 4);
  how.channel_order = dn::channel_order::bgr;
  CHECK(count_of(dn::evolution_figure(seen, {.inputs = how, .tile = 6}), {127.5F, 127.5F, 255.F}) == 6 * 4);
  for (auto& row : seen.features) {
    for (auto& one : row) one.projection = dn::tensor<float, 3>({3, 30, 60}, 0.F);
  }
  CHECK(count_of(dn::evolution_figure(seen, {.tile = 20}), {127.5F, 127.5F, 127.5F}) == 6 * 200);
}

TEST_CASE("an evolution without epochs, and channels that are no colours, are errors") {
  CHECK_THROWS_WITH_AS(dn::evolution_figure(dn::evolution<float>{}), doctest::Contains("no epochs"), dn::error);
  CHECK_THROWS_AS(dn::evolution_figure(drawn_evolution(2)), dn::shape_error);
  CHECK_THROWS_AS(dn::evolution_figure(drawn_evolution(), {.tile = 0}), dn::error);
  CHECK_THROWS_AS(dn::evolution_figure(drawn_evolution(), {.inputs = dn::preprocessing::caffe({104, 117, 123})}), dn::error);
}
