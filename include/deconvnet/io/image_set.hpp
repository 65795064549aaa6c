// Labelled pictures of one size in memory: what the readers of data sets return.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <deconvnet/tensor/tensor.hpp>

namespace deconvnet {

/// Which half of a data set: the one to learn from, or the one that is looked at once, at the end.
enum class split { train, test };

inline const char* split_name(split which) { return which == split::train ? "train" : "test"; }

/// Pictures with labels, in the order of the files they come from. `images`: N x C x H x W, 0..255, colours as RGB.
/// `labels`: N places in `classes`. Const members may be called from several threads at once.
struct image_set {
  xt::xtensor<std::uint8_t, 4> images = xt::xtensor<std::uint8_t, 4>::from_shape({0, 0, 0, 0});
  std::vector<std::size_t> labels;
  std::vector<std::string> classes;

  std::size_t size() const { return labels.size(); }

  /// Throws error for an i that is not below size().
  std::size_t label(std::size_t i) const {
    check(i);
    return labels[i];
  }

  /// Picture i as C x H x W, 0..255. Throws error for an i that is not below size().
  tensor<float, 3> image(std::size_t i) const {
    check(i);
    auto picture = tensor<float, 3>::from_shape({images.shape(1), images.shape(2), images.shape(3)});
    std::copy_n(images.data() + i * picture.size(), picture.size(), picture.data());
    return picture;
  }

 private:
  void check(std::size_t i) const {
    if (images.shape(0) != labels.size()) {
      throw shape_error(detail::text("image_set: ", images.shape(0), " pictures, but ", labels.size(), " labels"));
    }
    if (i >= size()) throw error(detail::text("image_set: picture ", i, " is asked for, there are ", size()));
  }
};

}  // namespace deconvnet
