#include <deconvnet/training/batches.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include <doctest/doctest.h>

#include <deconvnet/image/preprocess.hpp>

#include "picture_sets.hpp"

namespace dn = deconvnet;
using namespace deconvnet::testing;

namespace {

struct batch_list {
  std::vector<std::vector<float>> pixels;
  std::vector<std::vector<std::size_t>> indices, labels;
};

template <class Images>
batch_list all_batches(const Images& images, const dn::batch_options& options, std::size_t epochs, std::size_t epoch = 0,
                       std::size_t number = 0) {
  dn::batches<float, Images> source(images, options, epochs, epoch, number);
  batch_list list;
  dn::image_batch<float> batch;
  while (source.next(batch)) {
    CHECK(batch.epoch == epoch);
    CHECK(batch.number == number);
    list.pixels.emplace_back(batch.images.begin(), batch.images.end());
    list.indices.push_back(batch.indices);
    list.labels.push_back(batch.labels);
    if (++number == source.per_epoch()) {
      number = 0;
      ++epoch;
    }
  }
  return list;
}

/// Image 5 cannot be read, image 9 has another size.
struct broken_images {
  std::size_t size() const { return 12; }
  std::size_t label(std::size_t) const { return 0; }
  dn::tensor<float, 3> image(std::size_t i) const {
    if (i == 5) throw dn::file_error("five.jpg", "it is cut short");
    return dn::tensor<float, 3>({1, i == 9 ? 3u : 2u, 2}, 0.f);
  }
};

std::string batch_failure(const dn::batch_options& options) {
  const broken_images images;
  dn::batches<float, broken_images> source(images, options, 1);
  dn::image_batch<float> batch;
  std::string messages;
  for (bool more = true; more;) {
    try {
      more = source.next(batch);
    } catch (const dn::file_error& problem) {
      messages += std::string("file: ") + problem.what() + "\n";
    } catch (const dn::shape_error& problem) {
      messages += std::string("shape: ") + problem.what() + "\n";
    }
  }
  return messages;
}

}  // namespace

TEST_CASE("an order holds every image once, and is another one for each seed and epoch") {
  auto order = dn::shuffled_order(1000, 7, 3);
  CHECK(order == dn::shuffled_order(1000, 7, 3));
  CHECK(order != dn::shuffled_order(1000, 7, 4));
  CHECK(order != dn::shuffled_order(1000, 8, 3));
  std::size_t at_home = 0;
  for (std::size_t k = 0; k < order.size(); ++k) at_home += order[k] == k;
  CHECK(at_home < 10);  // one, by chance
  std::sort(order.begin(), order.end());
  for (std::size_t k = 0; k < order.size(); ++k) CHECK(order[k] == k);
  CHECK(dn::shuffled_order(0, 1, 1).empty());
  CHECK(dn::shuffled_order(1, 1, 1) == std::vector<std::size_t>{0});
}

TEST_CASE("orders are fair: each of six comes equally often") {
  std::array<int, 64> seen{};
  for (std::uint64_t epoch = 0; epoch < 6000; ++epoch) {
    const auto order = dn::shuffled_order(3, 1, epoch);
    ++seen[order[0] * 16 + order[1] * 4 + order[2]];
  }
  CHECK(std::count(seen.begin(), seen.end(), 0) == 58);
  for (const int count : seen) CHECK((count == 0 || std::abs(count - 1000) < 150));
}

TEST_CASE("batches hold the pictures of the epoch's order, augmented and normalized") {
  const auto images = bars(10);
  const dn::batch_options options{
      .batch = 4, .seed = 3, .augmentation = {.padding = 2, .flip = true}, .normalization = {.mean = {0.25}, .stddev = {0.5}}};
  const auto list = all_batches(images, options, 2);
  REQUIRE(list.pixels.size() == 6);
  for (std::size_t b = 0; b < 6; ++b) {
    const auto order = dn::shuffled_order(10, 3, b / 3);
    const std::size_t size = b % 3 == 2 ? 2 : 4;
    REQUIRE(list.indices[b].size() == size);
    for (std::size_t k = 0; k < size; ++k) {
      const std::size_t i = order[b % 3 * 4 + k];
      CHECK(list.indices[b][k] == i);
      CHECK(list.labels[b][k] == images.label(i));
      const auto view = dn::random_view({8, 8}, options.augmentation, 3, b / 3, i);
      const dn::tensor<float, 3> picture = images.image(i);
      dn::tensor<float, 3> cut({1, 8, 8});
      const auto pixels = dn::picture_views(picture, {view});
      std::copy(pixels.begin(), pixels.end(), cut.begin());
      const auto expected = dn::preprocess(cut, {.mean = {0.25}, .stddev = {0.5}});
      CHECK(std::equal(expected.begin(), expected.end(), list.pixels[b].begin() + static_cast<std::ptrdiff_t>(k * 64)));
    }
  }
}

TEST_CASE("batches do not depend on threads, nor on where a run begins") {
  const auto images = bars(11);
  dn::batch_options options{.batch = 3, .seed = 5, .augmentation = {.padding = 1, .crop = {6, 7}, .flip = true}};
  const auto expected = all_batches(images, options, 3);
  for (const std::size_t threads : {1u, 2u, 3u}) {
    options.threads = threads;
    options.ahead = 2 * threads - 1;
    CHECK(all_batches(images, options, 3).pixels == expected.pixels);
    const auto rest = all_batches(images, options, 3, 1, 2);
    REQUIRE(rest.pixels.size() == 6);
    CHECK(std::equal(rest.pixels.begin(), rest.pixels.end(), expected.pixels.begin() + 6));
  }
  CHECK(all_batches(images, options, 3, 3, 0).pixels.empty());
}

TEST_CASE("an image that cannot be read arrives as the error it was, with its number, and so does one of another size") {
  for (const std::size_t threads : {1u, 3u}) {
    const std::string messages = batch_failure({.batch = 2, .seed = 1, .threads = threads});
    CHECK(messages.find("file: image 5: five.jpg: it is cut short") != std::string::npos);
    CHECK(messages.find("shape: image ") != std::string::npos);
    CHECK(messages.find(".crop") != std::string::npos);
  }
  CHECK(batch_failure({.batch = 2, .seed = 1, .augmentation = {.crop = 2}}).find("shape") == std::string::npos);
}

TEST_CASE("a set without images and batches without images are refused") {
  using images = dn::images_in_memory<float>;
  const images none(dn::tensor<float, 4>::from_shape({0, 1, 2, 2}), {});
  const images one(dn::tensor<float, 4>({1, 1, 2, 2}), {0});
  CHECK_THROWS_AS((dn::batches<float, images>(none, {}, 1)), dn::error);
  CHECK_THROWS_AS((dn::batches<float, images>(one, {.batch = 0}, 1)), dn::error);
}
