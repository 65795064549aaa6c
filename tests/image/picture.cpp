#include <deconvnet/image/picture.hpp>

#include <doctest/doctest.h>

#include "expressions.hpp"

namespace dn = deconvnet;

TEST_CASE("expressions of two to four dimensions become C x H x W") {
  const dn::tensor<double, 3> picture{{{1, 2}, {3, 4}}, {{5, 6}, {7, 8}}};
  CHECK(dn::detail::evaluate_picture<double>(picture) == picture);
  CHECK(dn::detail::evaluate_picture<float>(picture + 1.0)(1, 1, 0) == 8.f);
  CHECK(dn::detail::evaluate_picture<double>(xt::view(picture, xt::newaxis())) == picture);
  CHECK(dn::detail::evaluate_picture<double>(xt::view(picture, 1)) == dn::tensor<double, 3>{{{5, 6}, {7, 8}}});
  CHECK(dn::detail::evaluate_picture<double>(xt::xarray<int>(xt::cast<int>(picture))) == picture);
  CHECK(dn::detail::evaluate_picture<double>(xt::view(picture, xt::all(), 1, xt::all()))(0, 1, 0) == 7.0);
}

TEST_CASE("columns stored first are read row by row") {
  const xt::xtensor<float, 2, xt::layout_type::column_major> map{{1.f, 2.f, 3.f}, {4.f, 5.f, 6.f}};
  CHECK(dn::detail::evaluate_picture<float>(map) == dn::tensor<float, 3>{{{1, 2, 3}, {4, 5, 6}}});
}

TEST_CASE("planes follow each other") {
  dn::tensor<float, 3> picture({2, 3, 4}, 0.f);
  *dn::detail::plane(picture, 1) = 9;
  CHECK(picture(1, 0, 0) == 9.f);
}
