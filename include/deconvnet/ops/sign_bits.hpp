// One bit per activation: whether it was positive. What a ReLU's reverse needs where the activation is not kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <deconvnet/tensor/tensor.hpp>

namespace deconvnet {

/// Packed bits, image after image, each image beginning at a new word. 1/32 of the memory of float activations.
class sign_bits {
 public:
  sign_bits() = default;

  template <scalar T>
  void record(const tensor4<T>& x) {
    image_size_ = x.shape(1) * x.shape(2) * x.shape(3);
    words_.assign(x.shape(0) * words_per_image(), 0);
    for (std::size_t n = 0; n < x.shape(0); ++n) {
      const auto values = image_span(x, n);
      std::uint64_t* words = words_.data() + n * words_per_image();
      for (std::size_t k = 0; k < values.size(); ++k) {
        words[k / 64] |= static_cast<std::uint64_t>(values[k] > T(0)) << (k % 64);
      }
    }
  }

  bool empty() const { return words_.empty(); }
  void clear() { words_.clear(); }

  bool positive(std::size_t image, std::size_t element) const {
    return (words_[image * words_per_image() + element / 64] >> (element % 64) & 1) != 0;
  }

 private:
  std::size_t words_per_image() const { return (image_size_ + 63) / 64; }

  std::size_t image_size_ = 0;
  std::vector<std::uint64_t> words_;
};

}  // namespace deconvnet
