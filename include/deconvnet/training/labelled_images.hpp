// What training reads: pictures with labels, by number.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <utility>
#include <vector>

#include <deconvnet/tensor/tensor.hpp>

namespace deconvnet {

/// size() pictures; label(i) is a class counted from 0, image(i) a picture C x H x W of 0..255 (any expression). Both are
/// const and may be called from several threads at once; the same i gives the same picture every time.
template <class Images>
concept labelled_images = requires(const Images& images, std::size_t i) {
  { images.size() } -> std::convertible_to<std::size_t>;
  { images.label(i) } -> std::convertible_to<std::size_t>;
  { images.image(i) } -> expression_of_rank<3>;
};

/// Some of the pictures of a set that must outlive it, `first` on, renumbered from 0: the last 5,000 of a training set,
/// which choose its epoch.
template <labelled_images Images>
class image_subset {
 public:
  /// Throws error where the set has not so many.
  image_subset(const Images& images, std::size_t first, std::size_t count) : images_(&images), first_(first), count_(count) {
    if (first > images.size() || count > images.size() - first) {
      throw error(detail::text("image_subset: ", count, " pictures from ", first, " on, of a set of ", images.size()));
    }
  }
  image_subset(Images&&, std::size_t, std::size_t) = delete;

  std::size_t size() const { return count_; }
  std::size_t label(std::size_t i) const { return images_->label(first_ + i); }
  decltype(auto) image(std::size_t i) const { return images_->image(first_ + i); }

 private:
  const Images* images_;
  std::size_t first_;
  std::size_t count_;
};

/// Pictures of one size in memory, N x C x H x W of 0..255.
template <class Pixel>
class images_in_memory {
 public:
  /// Throws shape_error where there is not one label for each picture.
  images_in_memory(tensor<Pixel, 4> pictures, std::vector<std::size_t> labels)
      : pictures_(std::move(pictures)), labels_(std::move(labels)) {
    if (labels_.size() != pictures_.shape(0)) {
      throw shape_error(detail::text("images_in_memory: ", labels_.size(), " labels for pictures of ",
                                     shape_text(pictures_.shape())));
    }
  }

  std::size_t size() const { return labels_.size(); }
  std::size_t label(std::size_t i) const { return labels_.at(i); }

  tensor<Pixel, 3> image(std::size_t i) const {
    auto picture = tensor<Pixel, 3>::from_shape({pictures_.shape(1), pictures_.shape(2), pictures_.shape(3)});
    std::copy_n(pictures_.data() + i * picture.size(), picture.size(), picture.data());
    return picture;
  }

 private:
  tensor<Pixel, 4> pictures_;
  std::vector<std::size_t> labels_;
};

}  // namespace deconvnet
