// Mini-batches: in a random order for each epoch, made ahead by threads while the network computes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include <deconvnet/training/augmentation.hpp>
#include <deconvnet/training/labelled_images.hpp>
#include <deconvnet/training/normalization.hpp>
#include <deconvnet/training/work_ahead.hpp>

namespace deconvnet {

/// The order in which an epoch reads `count` images: a Fisher-Yates shuffle that is a function of (seed, epoch) alone,
/// the same on every machine (std::shuffle differs between standard libraries).
inline std::vector<std::size_t> shuffled_order(std::size_t count, std::uint64_t seed, std::uint64_t epoch) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  detail::keyed_numbers random{seed, epoch, 0x6f72646572};
  for (std::size_t k = count; k > 1; --k) std::swap(order[k - 1], order[random.below(k)]);
  return order;
}

/// Images made ready for a network, N x C x H x W; `indices` are their numbers in the set. It is number `number` of its
/// epoch, both counted from 0.
template <scalar T>
struct image_batch {
  tensor4<T> images;
  std::vector<std::size_t> labels;
  std::vector<std::size_t> indices;
  std::size_t epoch = 0;
  std::size_t number = 0;
};

/// A view is cut out of the picture, padded with black where it is padded, and then normalized. `.threads`: that make
/// batches; 0: half as many as compute. `.ahead`: batches that wait in memory at most.
struct batch_options {
  std::size_t batch = 128;
  std::uint64_t seed = 0;
  deconvnet::augmentation augmentation{};
  deconvnet::normalization normalization{};
  std::size_t threads = 0;
  std::size_t ahead = 4;
};

namespace detail {

inline std::size_t reader_threads(std::size_t wanted) {
  return wanted != 0 ? wanted : std::max<std::size_t>(1, thread_count() / 2);
}

/// image(i) as the concept has it, and what goes wrong in it with the number of the image.
template <scalar T, labelled_images Images>
tensor<T, 3> checked_image(const Images& images, std::size_t i) {
  const auto where = [&] { return text("image ", i); };
  try {
    tensor<T, 3> picture = contiguous<T, 3>(images.image(i));
    if (picture.size() == 0) throw shape_error("it is empty: " + shape_text(picture.shape()));
    return picture;
  } catch (const file_error& problem) {
    throw file_error(where(), problem.what());
  } catch (const shape_error& problem) {
    throw shape_error(text(where(), ": ", problem.what()));
  } catch (const unsupported_error& problem) {
    throw unsupported_error(text(where(), ": ", problem.what()));
  } catch (const std::exception& problem) {
    throw error(text(where(), ": ", problem.what()));
  }
}

/// Makes the inputs of a batch: some views of each image, one after the other.
template <scalar T, labelled_images Images, class Views>
void fill_batch(const Images& images, const normalization& scale, border around, const Views& views_of, image_batch<T>& batch) {
  batch.labels.clear();
  std::size_t place = 0;
  std::optional<pixel_scale> normalized;
  for (const std::size_t i : batch.indices) {
    batch.labels.push_back(static_cast<std::size_t>(images.label(i)));
    const auto picture = checked_image<T>(images, i);
    const std::vector<picture_view> views = views_of(extent2d{picture.shape(1), picture.shape(2)}, i);
    const box& size = views[0].where;
    const shape4 wanted{batch.indices.size() * views.size(), picture.shape(0), size.height, size.width};
    if (place == 0) {
      resize(batch.images, wanted);
      normalized.emplace(scale, picture.shape(0));
    } else if (shape_of(batch.images) != wanted) {
      throw shape_error(text("image ", i, ": a view of ", shape_text(picture.shape()), " has ", size.height, " x ", size.width,
                             " pixels; those before it in its batch have ", shape_text(batch.images.shape()),
                             ": give augmentation a .crop"));
    }
    for (const auto& view : views) copy_view(picture, view, around, image_span(batch.images, place++).data(), *normalized);
  }
}

}  // namespace detail

/// The batches of a training run, one after the other, from any batch of any epoch on. An epoch's last batch is smaller
/// where the images do not divide. The bits are a function of the options and the place alone, not of threads.
template <scalar T, labelled_images Images>
class batches {
 public:
  /// `images` must live as long; batches run on to the end of epoch `epochs` - 1. Throws error for a set without images
  /// and a batch of 0.
  batches(const Images& images, const batch_options& options, std::size_t epochs, std::size_t first_epoch = 0,
          std::size_t first_batch = 0)
      : images_(images),
        options_(options),
        per_epoch_(count(images.size(), options.batch)),
        queue_(std::min(first_epoch, epochs) * per_epoch_ + (first_epoch < epochs ? first_batch : 0), epochs * per_epoch_,
               detail::reader_threads(options.threads), options.ahead,
               [this](std::size_t number, image_batch<T>& batch) { make(number, batch); }) {}

  /// How many an epoch has.
  std::size_t per_epoch() const { return per_epoch_; }

  /// Takes the next one, reusing the memory of the one handed in; false after the last. Throws what image(i) or a crop
  /// that does not fit throws, as an error that names the image.
  bool next(image_batch<T>& batch) { return queue_.take(batch); }

  /// How many batches an epoch of so many images has.
  static std::size_t count(std::size_t images, std::size_t batch) {
    if (images == 0) throw error("batches: the set has no images");
    if (batch == 0) throw error("batches: a batch of 0 images");
    return images / batch + (images % batch != 0);
  }

 private:
  using order = std::shared_ptr<const std::vector<std::size_t>>;

  void make(std::size_t number, image_batch<T>& batch) {
    batch.epoch = number / per_epoch_;
    batch.number = number % per_epoch_;
    const order all = order_of(batch.epoch);
    const std::size_t first = batch.number * options_.batch;
    const std::size_t size = std::min(options_.batch, all->size() - first);
    batch.indices.assign(all->begin() + static_cast<std::ptrdiff_t>(first),
                         all->begin() + static_cast<std::ptrdiff_t>(first + size));
    detail::fill_batch(images_, options_.normalization, options_.augmentation.border,
                       [&](const extent2d& picture, std::size_t i) {
                         return std::vector{random_view(picture, options_.augmentation, options_.seed, batch.epoch, i)};
                       },
                       batch);
  }

  /// Two epochs are kept: threads may be at work on both sides of the boundary.
  order order_of(std::size_t epoch) {
    const std::lock_guard lock(mutex_);
    auto& [known, list] = orders_[epoch % 2];
    if (known != epoch) {
      list = std::make_shared<const std::vector<std::size_t>>(shuffled_order(images_.size(), options_.seed, epoch));
      known = epoch;
    }
    return list;
  }

  const Images& images_;
  const batch_options options_;
  const std::size_t per_epoch_;
  std::mutex mutex_;
  std::pair<std::size_t, order> orders_[2] = {{std::numeric_limits<std::size_t>::max(), nullptr},
                                              {std::numeric_limits<std::size_t>::max(), nullptr}};
  detail::work_ahead<image_batch<T>> queue_;  // last: its threads use the rest
};

}  // namespace deconvnet
