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
