#include <deconvnet/report/figure.hpp>

#include <doctest/doctest.h>

namespace dn = deconvnet;

namespace {

dn::tensor<float, 3> filled(std::size_t height, std::size_t width, float value) {
  return dn::tensor<float, 3>({3, height, width}, value);
}

}  // namespace

TEST_CASE("without labels the pictures stand in rows with gaps between and around them") {
  const auto sheet =
      dn::figure({{filled(2, 3, 10), filled(2, 3, 20)}, {filled(2, 3, 30)}}, {.gap = 1, .background = 0});
  CHECK(sheet ==
        dn::figure({{filled(2, 3, 10), filled(2, 3, 20)}, {filled(2, 3, 30), {}}}, {.gap = 1, .background = 0}));
  REQUIRE(sheet.shape(1) == 7);
  REQUIRE(sheet.shape(2) == 9);
  const dn::tensor<float, 2> expected = {{0, 0, 0, 0, 0, 0, 0, 0, 0},       {0, 10, 10, 10, 0, 20, 20, 20, 0},
                                         {0, 10, 10, 10, 0, 20, 20, 20, 0}, {0, 0, 0, 0, 0, 0, 0, 0, 0},
                                         {0, 30, 30, 30, 0, 0, 0, 0, 0},    {0, 30, 30, 30, 0, 0, 0, 0, 0},
                                         {0, 0, 0, 0, 0, 0, 0, 0, 0}};
  for (std::size_t c = 0; c < 3; ++c) {
    for (std::size_t y = 0; y < 7; ++y) {
      for (std::size_t x = 0; x < 9; ++x) CHECK(sheet(c, y, x) == expected(y, x));
    }
  }
}

TEST_CASE("smaller pictures stand in the middle of their column, one channel is repeated") {
  const dn::tensor<double, 2> grey({1, 1}, 7.);
  const auto sheet = dn::figure({{filled(1, 3, 10)}, {grey}}, {.gap = 0});
  REQUIRE(sheet.shape(1) == 2);
  REQUIRE(sheet.shape(2) == 3);
  for (std::size_t c = 0; c < 3; ++c) CHECK(sheet(c, 1, 1) == 7);
  CHECK(sheet(0, 1, 0) == 255);
}

TEST_CASE("labels, captions and a title take room of their own") {
  const std::vector<std::vector<dn::panel>> rows = {
      {filled(20, 30, 0), {filled(20, 30, 0), "a caption wider than that"}}};
  const auto plain = dn::figure({{filled(20, 30, 0), filled(20, 30, 0)}});
  const auto full = dn::figure(rows, {.title = "title",
                                      .caption = "below all",
                                      .row_labels = {"row"},
                                      .column_labels = {"one", "two"},
                                      .text_scale = 1});
  CHECK(full.shape(1) == plain.shape(1) + 4 * 12 + 2 * 8);
  CHECK(full.shape(2) > plain.shape(2));
  // The pictures are all there: nothing is drawn over them.
  std::size_t black = 0;
  for (std::size_t k = 0; k < full.shape(1) * full.shape(2); ++k) black += full.data()[k] == 0;
  CHECK(black > 2 * 20 * 30);
  CHECK(black < 2 * 20 * 30 + 1000);
  const auto wide = dn::figure({{filled(1, 1, 0)}}, {.title = "a title much wider than its picture", .text_scale = 1});
  CHECK(wide.shape(2) > 150);
}

TEST_CASE("no panels, too many labels, absurd sizes and pictures of two channels are refused") {
  CHECK_THROWS_AS(dn::figure({}), dn::error);
  CHECK_THROWS_AS(dn::figure({{}, {}}), dn::error);
  CHECK_THROWS_AS((dn::figure({{filled(1, 1, 0)}}, {.row_labels = {"a", "b"}})), dn::error);
  CHECK_THROWS_AS((dn::figure({{filled(1, 1, 0)}}, {.column_labels = {"a", "b"}})), dn::error);
  CHECK_THROWS_AS((dn::figure({{filled(1, 1, 0)}}, {.gap = std::size_t(-1)})), dn::error);
  CHECK_THROWS_AS((dn::figure({{filled(1, 1, 0)}}, {.text_scale = 0})), dn::error);
  CHECK_THROWS_AS(dn::panel(dn::tensor<float, 3>({2, 1, 1}, 0.f)), dn::shape_error);
  CHECK_NOTHROW(dn::figure({{dn::panel()}}));
}
