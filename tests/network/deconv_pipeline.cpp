#include <deconvnet/network/deconv_pipeline.hpp>

#include <type_traits>

#include <doctest/doctest.h>

#include <deconvnet/network/projection.hpp>
#include <deconvnet/ops/reshape.hpp>

#include "own_operators.hpp"
#include "sample_networks.hpp"

namespace dn = deconvnet;
using namespace deconvnet::testing;

namespace {

template <class T>
auto small() {
  return dn::pipeline{random_conv<T>({4, 2, 3, 3}, {.stride = {1, 2}, .padding = {1, 0, 0, 1}}, 1), dn::relu{},
                      dn::max_pool2d{{.kernel = 3, .stride = 2, .padding = 1, .dilation = 1, .ceil_mode = true}},
                      random_conv<T>({2, 2, 2, 2}, {.dilation = 2, .groups = 2}, 3)};
}

}  // namespace

TEST_CASE("the deconvnet of a pipeline: unpool, rectify, filter, itself a pipeline") {
  const dn::pipeline up{random_conv<float>({3, 2, 3, 3}, {.padding = 1}, 1), dn::relu{}, dn::max_pool2d{}};
  const auto seen = up.forward(random_maps<float>({2, 2, 6, 7}, 2));
  const auto down = dn::deconv_pipeline(up, seen);
  static_assert(
      std::is_same_v<decltype(down), const dn::pipeline<dn::max_unpool2d, dn::relu, dn::conv_transpose2d<float>>>);
  CHECK(down.get<2>().options().output_size == dn::extent2d{6, 7});
  CHECK(down.get<2>().weight().data() == up.get<0>().weight().data());  // no second set of weights
  CHECK(down.get<0>().switches().places == seen.switches(2).places);
  CHECK(same_bits(down(seen[2]), dn::deconv(up, seen, 2, seen[2])));
}

TEST_CASE("it gives what deconv gives, float and double, any signal") {
  const auto check = []<class T>(T) {
    const auto up = small<T>();
    const auto x = random_maps<T>({2, 2, 9, 13}, 2);
    const auto seen = up.forward(x);
    const auto down = dn::deconv_pipeline(up, seen);
    const auto signal = random_maps<T>(seen.shape(3), 4);
    CHECK(same_bits(down(signal), dn::deconv(up, seen, 3, signal)));
    CHECK(dn::shape_of(down(signal)) == dn::shape4{2, 2, 9, 13});
    CHECK(down(dn::zeros<T>(seen.shape(3))) == dn::zeros<T>(dn::shape_of(x)));
  };
  check(0.f);
  check(0.0);
}

TEST_CASE("its trace holds the reconstruction at every step, and its layers are those of the pipeline in reverse") {
  const auto up = small<double>();
  const auto seen = up.forward(random_maps<double>({1, 2, 9, 13}, 2));
  const auto down = dn::deconv_pipeline(up, seen);
  const auto signal = random_maps<double>(seen.shape(3), 4);
  const auto run = down.forward(signal);
  for (std::size_t i = 0; i < 4; ++i) CHECK(run.shape(3 - i) == (i == 0 ? seen.input_shape() : seen.shape(i - 1)));
  CHECK(same_bits(run[0], dn::ops::conv2d_adjoint(signal, up.get<3>().weight(), up.get<3>().options(), seen.shape(2))));
  CHECK(same_bits(run[1], dn::ops::max_unpool2d(run[0], seen.switches(2))));
  CHECK(run[2] == dn::relu{}(run[1]));
  CHECK(same_bits(run[3], down(signal)));
  const auto layers = down.layers({2, 4, 3});
  CHECK(layers[0].kind == "conv_transpose2d");
  CHECK(layers[1].kind == "max_unpool2d");
  CHECK(layers[2].kind == "relu");
  CHECK(layers[3].shape == dn::shape4{1, 2, 9, 13});
}

TEST_CASE("every operator of the library has a place in it") {
  const dn::pipeline up{random_conv<double>({4, 2, 3, 3}, {.padding = 1}, 1),
                        random_batch_norm<double>(4, 2),
                        dn::relu{},
                        dn::local_response_norm({.size = 3, .alpha = 0.5}),
                        dn::avg_pool2d{},
                        negated{},
                        dn::flatten{},
                        random_linear<double>(5, 48, 3),
                        dn::relu{},
                        dn::dropout{0.5},
                        random_linear<double>(3, 5, 5),
                        dn::softmax{}};
  const auto seen = up.forward(random_maps<double>({2, 2, 6, 9}, 2));
  const auto signal = random_maps<double>({2, 3, 1, 1}, 4);
  CHECK(same_bits(dn::deconv_pipeline(up, seen)(signal), dn::deconv(up, seen, 11, signal)));
}

TEST_CASE("it lives on without the pipeline and the run it came from") {
  const auto make = [] {
    const auto up = small<float>();
    return dn::deconv_pipeline(up, up.forward(random_maps<float>({1, 2, 9, 13}, 2)));
  };
  const auto up = small<float>();
  const auto seen = up.forward(random_maps<float>({1, 2, 9, 13}, 2));
  CHECK(same_bits(make()(seen[3]), dn::deconv(up, seen, 3, seen[3])));
}

TEST_CASE("a run of another pipeline, no run, or a run that ended below are refused") {
  const auto up = small<float>();
  const auto x = random_maps<float>({1, 2, 9, 13}, 2);
  CHECK_THROWS_AS(dn::deconv_pipeline(up, dn::trace<float>()), dn::error);
  const dn::pipeline shorter{up.get<0>(), dn::relu{}};
  CHECK_THROWS_AS(dn::deconv_pipeline(up, shorter.forward(x)), dn::error);
  const dn::pipeline without_pool{up.get<0>(), dn::relu{}, dn::relu{}, up.get<3>()};
  CHECK(names(message_of<dn::error>([&] { dn::deconv_pipeline(up, without_pool.forward(x)); }), "another network"));
  CHECK_NOTHROW(dn::deconv_pipeline(dn::pipeline(up), up.forward(x)));
  CHECK(names(message_of<dn::error>([&] { dn::deconv_pipeline(up, up.forward(x, {.keep = {2}})); }), "last layer"));
  CHECK_NOTHROW(dn::deconv_pipeline(up, up.forward(x, {.keep = {3}})));
}

TEST_CASE("a signal of another shape is refused, by the step it does not fit") {
  const auto up = small<float>();
  const auto seen = up.forward(random_maps<float>({1, 2, 9, 13}, 2));
  const auto down = dn::deconv_pipeline(up, seen);
  CHECK(names(message_of([&] { down(dn::zeros<float>({1, 3, 3, 2})); }), "layer '0'", "1 x 3 x 3 x 2"));
  CHECK_THROWS_AS(down(dn::zeros<float>({2, 2, 3, 2})), dn::shape_error);
}
