#include <deconvnet/image/enlarge.hpp>

#include <doctest/doctest.h>

namespace dn = deconvnet;

TEST_CASE("every pixel becomes a square") {
  const dn::tensor<float, 3> picture = {{{1, 2}, {3, 4}}, {{5, 6}, {7, 8}}};
  CHECK(dn::enlarge(picture, 2) == dn::tensor<float, 3>{{{1, 1, 2, 2}, {1, 1, 2, 2}, {3, 3, 4, 4}, {3, 3, 4, 4}},
                                                        {{5, 5, 6, 6}, {5, 5, 6, 6}, {7, 7, 8, 8}, {7, 7, 8, 8}}});
  CHECK(dn::enlarge(picture, 1) == picture);
  CHECK(dn::enlarge(picture + 1.f, 1) == picture + 1.f);
}

TEST_CASE("batches are enlarged picture by picture") {
  const dn::tensor4<double> batch = {{{{1, 2}}}, {{{3, 4}}}};
  CHECK(dn::enlarge(batch, 3) == dn::tensor4<double>{{{{1, 1, 1, 2, 2, 2}, {1, 1, 1, 2, 2, 2}, {1, 1, 1, 2, 2, 2}}},
                                                     {{{3, 3, 3, 4, 4, 4}, {3, 3, 3, 4, 4, 4}, {3, 3, 3, 4, 4, 4}}}});
  CHECK(dn::enlarge(dn::zeros<float>({0, 3, 2, 2}), 2).size() == 0);
}

TEST_CASE("factors of zero and results beyond all bounds are refused") {
  const auto batch = dn::zeros<float>({1, 1, 2, 2});
  CHECK_THROWS_AS(dn::enlarge(batch, 0), dn::error);
  CHECK_THROWS_AS(dn::enlarge(batch, 1 << 20), dn::shape_error);
  CHECK_THROWS_AS(dn::enlarge(batch, std::size_t(-1)), dn::error);
}
