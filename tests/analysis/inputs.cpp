#include <deconvnet/analysis/inputs.hpp>

#include <doctest/doctest.h>

#include <limits>
#include <list>
#include <vector>

#include <deconvnet/network/pipeline.hpp>
#include <deconvnet/ops/relu.hpp>

#include "../tensor/expressions.hpp"
#include "failing_inputs.hpp"
#include "small_models.hpp"

using namespace deconvnet;
using namespace deconvnet::testing;
using deconvnet::detail::input_walker;

namespace {

template <class Inputs>
std::vector<std::size_t> walked(input_walker<float, Inputs>& walker) {
  std::vector<std::size_t> indices;
  while (const auto one = walker.next()) indices.push_back(one->index);
  return indices;
}

}  // namespace

static_assert(range_of_inputs<std::vector<tensor4<float>>>);
static_assert(range_of_inputs<const std::list<tensor4<double>>&>);
static_assert(range_of_inputs<std::vector<xt::xarray<float>>>);
static_assert(range_of_inputs<decltype(lazy_pictures(0, 1))>);
static_assert(range_of_inputs<eager_pictures>);
static_assert(!range_of_inputs<tensor4<float>>);
static_assert(!range_of_inputs<std::vector<tensor<float, 3>>>);
static_assert(!range_of_inputs<std::vector<float>>);

static_assert(std::is_same_v<detail::scalar_of_run<network<double>, tensor4<float>>, double>);
static_assert(std::is_same_v<detail::scalar_of_run<pipeline<relu>, tensor4<double>>, double>);
static_assert(std::is_same_v<detail::scalar_of_run<pipeline<relu>, tensor4<int>>, float>);
static_assert(std::is_same_v<detail::scalar_of_run<pipeline<conv2d<double>>, tensor4<float>>, double>);

TEST_CASE("every element of a range comes once, in order, with its index") {
  const std::vector<tensor4<float>> pictures{numbered_picture(0), numbered_picture(1)};
  input_walker<float, const std::vector<tensor4<float>>> walker("test", pictures, 40);
  CHECK(walker.total() == 2);
  CHECK(!walker.finished());
  const auto first = walker.next();
  CHECK(first->index == 40);
  CHECK(same_bits(first->image, pictures[0]));
  CHECK(!walker.finished());
  const auto second = walker.next();
  CHECK(second->index == 41);
  CHECK(same_bits(second->image, pictures[1]));
  CHECK(walker.finished());
  CHECK(!walker.next());
  CHECK(walker.index() == 42);
}

TEST_CASE("an empty range is walked at once") {
  std::vector<tensor4<float>> none;
  input_walker<float, std::vector<tensor4<float>>> walker("test", none, 7);
  CHECK(!walker.next());
  CHECK(walker.finished());
  CHECK(walker.index() == 7);
}

TEST_CASE("elements are converted to the scalar asked for, lazy expressions evaluated") {
  const auto base = random_maps<double>({1, 2, 3, 4}, 5);
  const made_on_demand doubled(0, 1, [&](std::size_t) { return 2 * base; });
  input_walker<float, decltype(doubled)> walker("test", doubled, 0);
  const auto one = walker.next();
  for (std::size_t k = 0; k < base.size(); ++k) CHECK(one->image.data()[k] == static_cast<float>(2 * base.data()[k]));
}

TEST_CASE("an element that cannot be read when it is looked at is counted and keeps its index") {
  auto pictures = lazy_pictures(0, 6, {0, 3, 5});
  input_walker<float, decltype(pictures)> walker("test", pictures, 10);
  CHECK(walked(walker) == std::vector<std::size_t>{11, 12, 14});
  CHECK(walker.skipped() == std::vector<skipped_input>{{10, "picture0.jpg: not a picture"},
                                                       {13, "picture3.jpg: not a picture"},
                                                       {15, "picture5.jpg: not a picture"}});
  CHECK(walker.finished());
  CHECK(walker.index() == 16);
}

TEST_CASE("an element that cannot be read when it is stepped to is counted and keeps its index") {
  eager_pictures pictures(7, {2, 3, 6});
  input_walker<float, eager_pictures> walker("test", pictures, 0);
  CHECK(walker.total() == 0);
  std::vector<std::size_t> indices;
  while (const auto one = walker.next()) {
    indices.push_back(one->index);
    CHECK(same_bits(one->image, numbered_picture(one->index)));
  }
  CHECK(indices == std::vector<std::size_t>{0, 1, 4, 5});
  REQUIRE(walker.skipped().size() == 3);
  CHECK(walker.skipped()[2] == skipped_input{6, "picture6.jpg: not a picture"});
  CHECK(walker.index() == 7);
  CHECK(walker.finished());
}

TEST_CASE("an iterator that fails and never moves is an error, not a hang") {
  stuck_pictures pictures;
  input_walker<float, stuck_pictures> walker("test", pictures, 0);
  CHECK(walker.next());
  CHECK(names(message_of<error>([&] { walker.next(); }), "test", "does not move past image 1"));
}

TEST_CASE("NaN, infinity and what is no single input are refused with the index") {
  std::vector<tensor4<float>> pictures(3, numbered_picture(0));
  pictures[1].data()[5] = std::numeric_limits<float>::quiet_NaN();
  pictures[2].data()[7] = std::numeric_limits<float>::infinity();
  input_walker<float, std::vector<tensor4<float>>> walker("test", pictures, 100);
  CHECK(walker.next());
  CHECK(names(message_of<error>([&] { walker.next(); }), "test: image 101", "element 5", "NaN"));
  CHECK(names(message_of<error>([&] { walker.next(); }), "image 102", "element 7"));
  for (const shape4& shape : {shape4{2, 3, 9, 8}, shape4{1, 3, 0, 8}, shape4{0, 3, 9, 8}}) {
    std::vector<tensor4<float>> wrong{zeros<float>(shape)};
    input_walker<float, std::vector<tensor4<float>>> door("test", wrong, 0);
    CHECK(names(message_of([&] { door.next(); }), "image 0", shape_text(shape), "1 x C x H x W"));
  }
}

#if !defined(__clang__) || __clang_major__ >= 16  // clang 14 does not compile the views of libstdc++ 12
TEST_CASE("views of the standard library are ranges of inputs, those that read while they step too") {
  const auto read = [](std::size_t k) { return read_picture(k, {2}); };
  auto pictures = std::views::iota(std::size_t{0}, std::size_t{4}) | std::views::transform(read);
  input_walker<float, decltype(pictures)> walker("test", pictures, 0);
  CHECK(walker.total() == 4);
  CHECK(walked(walker) == std::vector<std::size_t>{0, 1, 3});
  auto filtered = std::views::iota(std::size_t{0}, std::size_t{4}) | std::views::transform(read) |
                  std::views::filter([](const auto&) { return true; });
  input_walker<float, decltype(filtered)> stepping("test", filtered, 0);
  CHECK(stepping.total() == 0);
  CHECK(walked(stepping) == std::vector<std::size_t>{0, 1, 3});
  CHECK(stepping.skipped().size() == 1);
}
#endif

TEST_CASE("what is neither read nor an input goes on to the caller") {
  const made_on_demand broken(0, 2, [](std::size_t) -> tensor4<float> { throw std::runtime_error("mine"); });
  input_walker<float, decltype(broken)> walker("test", broken, 0);
  CHECK_THROWS_WITH_AS(walker.next(), "mine", std::runtime_error);
}
