#include <deconvnet/tensor/box.hpp>

#include <doctest/doctest.h>

TEST_CASE("boxes are equal where all four numbers are") {
  const deconvnet::box field{-3, 4, 7, 9};
  CHECK(field == deconvnet::box{-3, 4, 7, 9});
  CHECK(field != deconvnet::box{3, 4, 7, 9});
  CHECK(field != deconvnet::box{-3, 5, 7, 9});
  CHECK(field != deconvnet::box{-3, 4, 8, 9});
  CHECK(field != deconvnet::box{-3, 4, 7, 8});
  CHECK(deconvnet::box{} == deconvnet::box{0, 0, 0, 0});
}

TEST_CASE("a centre crop begins in the middle; where there is none, at the even one of the two places beside it") {
  using deconvnet::detail::centre_crop_start;
  CHECK(centre_crop_start(8, 8) == 0);
  CHECK(centre_crop_start(8, 4) == 2);
  CHECK(centre_crop_start(9, 8) == 0);   // 0.5
  CHECK(centre_crop_start(11, 8) == 2);  // 1.5
  CHECK(centre_crop_start(13, 8) == 2);  // 2.5
}
