#include <deconvnet/image/montage.hpp>

#include <list>
#include <vector>

#include <doctest/doctest.h>

#include "expressions.hpp"

namespace dn = deconvnet;

TEST_CASE("pictures stand in rows with gaps between, the rest is background") {
  auto batch = dn::tensor4<float>({3, 1, 1, 2}, 0.f);
  for (std::size_t k = 0; k < 6; ++k) batch.data()[k] = static_cast<float>(k + 1);
  CHECK(dn::montage(batch, {.gap = 1, .background = 9}) ==
        dn::tensor<float, 3>{{{1, 2, 9, 3, 4}, {9, 9, 9, 9, 9}, {5, 6, 9, 9, 9}}});
  CHECK(dn::montage(batch, {.columns = 3, .gap = 0}) == dn::tensor<float, 3>{{{1, 2, 3, 4, 5, 6}}});
  CHECK(dn::montage(batch, {.columns = 1, .gap = 0}) == dn::tensor<float, 3>{{{1, 2}, {3, 4}, {5, 6}}});
  CHECK(dn::montage(batch, {.columns = 100}).shape(2) == 10);
}

TEST_CASE("columns are the rounded-up square root, and channels stay apart") {
  for (const auto& [count, columns] : {std::pair{1, 1}, {2, 2}, {4, 2}, {5, 3}, {9, 3}, {10, 4}}) {
    const auto sheet = dn::montage(dn::tensor4<float>({static_cast<std::size_t>(count), 3, 4, 5}, 1.f), {.gap = 0});
    CHECK(sheet.shape(0) == 3);
    CHECK(sheet.shape(2) == static_cast<std::size_t>(columns * 5));
  }
  auto two = dn::tensor4<float>({2, 3, 1, 1}, 0.f);
  for (std::size_t k = 0; k < 6; ++k) two.data()[k] = static_cast<float>(k);
  const auto sheet = dn::montage(two, {.gap = 0});
  CHECK(sheet == dn::tensor<float, 3>{{{0, 3}}, {{1, 4}}, {{2, 5}}});
}

TEST_CASE("a range of pictures is joined as a batch is") {
  const auto batch = dn::tensor4<float>({2, 3, 4, 5}, 7.f);
  const std::vector<dn::tensor<float, 3>> pictures(2, dn::tensor<float, 3>({3, 4, 5}, 7.f));
  const std::list<dn::tensor4<float>> inputs(2, dn::tensor4<float>({1, 3, 4, 5}, 7.f));
  CHECK(dn::montage(pictures) == dn::montage(batch));
  CHECK(dn::montage(inputs) == dn::montage(batch));
  CHECK(dn::montage(batch * 1.f) == dn::montage(batch));
}

TEST_CASE("no pictures, pictures of two sizes and sheets beyond all bounds are refused") {
  using pictures = std::vector<dn::tensor<float, 3>>;
  CHECK_THROWS_AS(dn::montage(pictures{}), dn::shape_error);
  CHECK_THROWS_AS(dn::montage(dn::zeros<float>({0, 3, 2, 2})), dn::shape_error);
  CHECK_THROWS_AS(dn::montage(pictures{dn::tensor<float, 3>({3, 2, 2}, 0.f), dn::tensor<float, 3>({3, 2, 3}, 0.f)}),
                  dn::shape_error);
  CHECK_THROWS_AS(dn::montage(dn::zeros<float>({4, 3, 2, 2}), {.gap = std::size_t{1} << 30}), dn::shape_error);
  CHECK_THROWS_AS(dn::montage(dn::zeros<float>({4, 3, 2, 2}), {.gap = std::size_t(-3)}), dn::shape_error);
}
