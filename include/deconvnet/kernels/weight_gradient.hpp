// The derivative of a convolution by its weights, on raw memory.
#pragma once

#include <algorithm>
#include <cstddef>

#include <deconvnet/kernels/convolution.hpp>
#include <deconvnet/kernels/parallel_for.hpp>
#include <deconvnet/kernels/weight_gradient_tile.hpp>
#include <deconvnet/kernels/workspace.hpp>

namespace deconvnet::kernels {

namespace detail {

/// One task: some filters by some rows of the gradient, a row being a (channel, tap) or, past the last, the bias. Both
/// sides of the product lie along the places of the small side, so nothing is transposed: blocks of whole rows of places
/// are copied side by side, 1024 places or so at a time, and multiplied by the tile.
template <class T>
class weight_gradient_task {
 public:
  weight_gradient_task(const convolution_problem& p, const T* large, const T* small)
      : p_(p), large_(large), small_(small), kernels_(current_weight_gradient_kernels<T>()) {}

  void run(std::size_t group, std::size_t first_filter, std::size_t last_filter, std::size_t first_row, std::size_t last_row,
           T* weight_gradient, T* bias_gradient) {
    const auto& g = p_.geometry;
    const std::size_t filter_tiles = (last_filter - first_filter + kernels_.filters - 1) / kernels_.filters;
    const std::size_t row_tiles = (last_row - first_row + kernels_.rows - 1) / kernels_.rows;
    const std::size_t tile_size = kernels_.filters * kernels_.rows * kernels_.lanes;
    T* sums = workspace<struct gradient_sums, T>(filter_tiles * row_tiles * tile_size);
    std::fill(sums, sums + filter_tiles * row_tiles * tile_size, T(0));

    const std::size_t place_rows = p_.images * g.out_height;
    const std::size_t step = std::max<std::size_t>(1, block_places / g.out_width);
    const std::size_t longest = (step * g.out_width + kernels_.lanes - 1) / kernels_.lanes * kernels_.lanes;
    const std::size_t pitch = longest + 16;  // 1024 floats are 4096 bytes: rows must not fall into the same cache sets
    T* signal = workspace<struct gradient_signal, T>(filter_tiles * kernels_.filters * pitch);
    T* patches = workspace<struct gradient_patches, T>(row_tiles * kernels_.rows * pitch);
    // The rows that fill up the last tiles stay zero.
    std::fill(signal, signal + filter_tiles * kernels_.filters * pitch, T(0));
    std::fill(patches, patches + row_tiles * kernels_.rows * pitch, T(0));

    for (std::size_t place = 0; place < place_rows; place += step) {
      const std::size_t last = std::min(place_rows, place + step);
      const std::size_t count = (last - place) * g.out_width;
      const std::size_t length = (count + kernels_.lanes - 1) / kernels_.lanes * kernels_.lanes;
      for (std::size_t f = first_filter; f < last_filter; ++f) {
        T* to = signal + (f - first_filter) * pitch;
        collect_signal(group * p_.filters + f, place, last, to);
        std::fill(to + count, to + length, T(0));
      }
      for (std::size_t r = first_row; r < last_row; ++r) {
        T* to = patches + (r - first_row) * pitch;
        collect_row(group, r, place, last, to);
        std::fill(to + count, to + length, T(0));
      }
      // A tile of patches stays in the first-level cache while the filters pass by.
      for (std::size_t r = 0; r < row_tiles; ++r) {
        for (std::size_t f = 0; f < filter_tiles; ++f) {
          kernels_.multiply({signal + f * kernels_.filters * pitch, patches + r * kernels_.rows * pitch, pitch, length,
                             sums + (f * row_tiles + r) * tile_size});
        }
      }
    }

    for (std::size_t f = first_filter; f < last_filter; ++f) {
      for (std::size_t r = first_row; r < last_row; ++r) {
        const std::size_t tile = (f - first_filter) / kernels_.filters * row_tiles + (r - first_row) / kernels_.rows;
        const std::size_t place = (f - first_filter) % kernels_.filters * kernels_.rows + (r - first_row) % kernels_.rows;
        const T* lanes = sums + tile * tile_size + place * kernels_.lanes;
        T total = 0;
        for (std::size_t k = 0; k < kernels_.lanes; ++k) total += lanes[k];
        if (r < p_.depth()) {
          weight_gradient[(group * p_.filters + f) * p_.depth() + r] = total;
        } else {
          bias_gradient[group * p_.filters + f] = total;
        }
      }
    }
  }

 private:
  static constexpr std::size_t block_places = 1024;

  void collect_signal(std::size_t map, std::size_t first, std::size_t last, T* to) const {
    const auto& g = p_.geometry;
    while (first < last) {
      const std::size_t rows = std::min(last - first, g.out_height - first % g.out_height);
      const T* from = small_ + first / g.out_height * p_.small_image() + map * g.pixels() + first % g.out_height * g.out_width;
      kernels_.copy(from, to, rows * g.out_width);
      to += rows * g.out_width;
      first += rows;
    }
  }

  void collect_row(std::size_t group, std::size_t r, std::size_t first, std::size_t last, T* to) const {
    const auto& g = p_.geometry;
    if (r == p_.depth()) {  // the bias sees 1 everywhere
      std::fill(to, to + (last - first) * g.out_width, T(1));
      return;
    }
    const std::size_t tap = r % g.taps();
    const std::size_t channel = group * g.channels + r / g.taps();
    const auto shift_y = static_cast<std::ptrdiff_t>(tap / g.kernel_width * g.dilation_height) - static_cast<std::ptrdiff_t>(g.padding_top);
    const auto shift_x = static_cast<std::ptrdiff_t>(tap % g.kernel_width * g.dilation_width) - static_cast<std::ptrdiff_t>(g.padding_left);
    const auto stride = static_cast<std::ptrdiff_t>(g.stride_width);
    // Columns j with 0 <= j stride + shift_x < width.
    const auto width = static_cast<std::ptrdiff_t>(g.width);
    const auto columns = static_cast<std::ptrdiff_t>(g.out_width);
    const std::ptrdiff_t begin = std::min(columns, shift_x >= 0 ? 0 : (-shift_x + stride - 1) / stride);
    const std::ptrdiff_t end = std::clamp((width - shift_x + stride - 1) / stride, begin, columns);
    kernels_.collect({large_ + channel * p_.large_plane(), p_.large_image(), static_cast<std::ptrdiff_t>(g.height), width, shift_y,
                      shift_x, g.stride_height, g.stride_width, g.out_height, g.out_width, static_cast<std::size_t>(begin),
                      static_cast<std::size_t>(end), first, last, to});
  }

  const convolution_problem& p_;
  const T* large_;
  const T* small_;
  const weight_gradient_kernels<T> kernels_;
};

}  // namespace detail

/// weight_gradient[o, c, ky, kx] = sum over n, i, j of small[n, o, i, j] large[n, c', i s + ky d - p, j s + kx d - p] with zero
/// beside the map, c' as in convolve; bias_gradient[o] (null: not wanted) the sum of small over n, i, j. Both are
/// overwritten. Every element is summed over the places in the same order whatever the number of threads.
template <class T>
void convolution_weight_gradient(const convolution_problem& p, const T* large, const T* small, T* weight_gradient,
                                 T* bias_gradient) {
  constexpr std::size_t most_filters = 192;  // a block of their signal, 800 kB, shares the second-level cache with the patches
  const std::size_t rows = p.depth() + (bias_gradient ? 1 : 0);
  const std::size_t filter_chunks = (p.filters + most_filters - 1) / most_filters;
  const std::size_t filters = (p.filters + filter_chunks - 1) / filter_chunks;
  // Narrow bands copy the signal again and again; wide ones leave threads without work.
  const std::size_t wanted = std::max<std::size_t>(1, 3 * thread_count() / (filter_chunks * p.groups));
  const std::size_t band = std::clamp<std::size_t>((rows + wanted - 1) / wanted, 24, 96);
  const std::size_t bands = (rows + band - 1) / band;
  parallel_for(p.groups * filter_chunks * bands, [&](std::size_t task) {
    const std::size_t group = task / (filter_chunks * bands);
    const std::size_t first_filter = task / bands % filter_chunks * filters;
    const std::size_t first_row = task % bands * band;
    if (first_filter >= p.filters) return;
    detail::weight_gradient_task<T>(p, large, small)
        .run(group, first_filter, std::min(p.filters, first_filter + filters), first_row, std::min(rows, first_row + band),
             weight_gradient, bias_gradient);
  });
}

}  // namespace deconvnet::kernels
