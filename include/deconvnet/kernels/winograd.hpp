// Winograd's F(4x4, 3x3) and F(2x2, 5x5): 36 products per 16 outputs instead of 144, per 4 instead of 100.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>

#include <deconvnet/kernels/algorithm.hpp>
#include <deconvnet/kernels/convolution.hpp>
#include <deconvnet/kernels/gemm_tile.hpp>
#include <deconvnet/kernels/packed_rows.hpp>
#include <deconvnet/kernels/parallel_for.hpp>
#include <deconvnet/kernels/winograd_tile.hpp>
#include <deconvnet/kernels/workspace.hpp>

namespace deconvnet::kernels {

/// One convolution of stride 1 with filters of `kernel` x `kernel` taps, 3 or 5, as Winograd sees it: the forward pass, or the way
/// down, which is a convolution with flipped filters whose inputs are the outputs. Channels and filters count one group. Output
/// (i, j) reads the places from (i - top, j - left) on.
struct winograd_problem {
  std::size_t kernel, images, groups, channels, filters;
  std::size_t height, width, out_height, out_width;
  std::ptrdiff_t top, left;

  std::size_t tile_side() const { return winograd::tile_side(kernel); }
  std::size_t tile_rows() const { return (out_height + tile_side() - 1) / tile_side(); }
  std::size_t tile_columns() const { return (out_width + tile_side() - 1) / tile_side(); }
  std::size_t tiles() const { return images * tile_rows() * tile_columns(); }
};

namespace detail {

inline bool has_winograd_form(const convolution_problem& p) {
  constexpr std::size_t least_channels = 16;
  const auto& g = p.geometry;
  return (g.kernel_height == 3 || g.kernel_height == 5) && g.kernel_width == g.kernel_height && g.stride_height == 1 && g.stride_width == 1 &&
         g.dilation_height == 1 && g.dilation_width == 1 && g.channels >= least_channels && p.filters >= least_channels;
}

}  // namespace detail

/// Whether the convolution has the form and gains by it, in both directions: enough channels for the products of a tap, and
/// maps of which tiles do not waste too much. No matter of the batch: an image has the same bits in any.
inline bool gains_by_winograd(const convolution_problem& p) {
  constexpr std::size_t least_tiles = 9;
  const auto& g = p.geometry;
  if (!detail::has_winograd_form(p)) return false;
  const std::size_t side = winograd::tile_side(g.kernel_width), least_pixels = least_tiles * side * side;
  return g.height * g.width >= least_pixels && g.pixels() >= least_pixels;
}

inline winograd_problem winograd_forward(const convolution_problem& p) {
  const auto& g = p.geometry;
  return {g.kernel_width, p.images, p.groups, g.channels, p.filters, g.height, g.width, g.out_height, g.out_width,
          static_cast<std::ptrdiff_t>(g.padding_top), static_cast<std::ptrdiff_t>(g.padding_left)};
}

/// The same for the forward pass over many small pieces of maps at once: together they have tiles enough, of which no more
/// than half is waste.
inline bool pieces_gain_by_winograd(const convolution_problem& p) {
  constexpr std::size_t least_tiles = 48;
  if (!detail::has_winograd_form(p)) return false;
  const winograd_problem pieces = winograd_forward(p);
  const std::size_t side = pieces.tile_side(), tiles = pieces.tiles();
  return tiles >= least_tiles && 2 * p.images * p.geometry.pixels() >= side * side * tiles;
}

inline winograd_problem winograd_transposed(const convolution_problem& p) {
  const auto& g = p.geometry;
  const auto reach = static_cast<std::ptrdiff_t>(g.kernel_width) - 1;
  return {g.kernel_width, p.images, p.groups, p.filters, g.channels, g.out_height, g.out_width, g.height, g.width,
          reach - static_cast<std::ptrdiff_t>(g.padding_top), reach - static_cast<std::ptrdiff_t>(g.padding_left)};
}

namespace detail {

inline std::size_t whole_vectors(std::size_t count, std::size_t lanes) { return (count + lanes - 1) / lanes * lanes; }

/// A pitch in memory for `count` floats: whole cache lines, and no multiple of 512 bytes, whose rows would share cache sets.
inline std::size_t spread_pitch(std::size_t count) {
  const std::size_t whole = whole_vectors(count, 16);
  return whole % 128 == 0 ? whole + 16 : whole;
}

/// The first float of a buffer that begins a cache line; the buffer is 16 longer than what it holds.
inline float* first_line(float* buffer) {
  return buffer + (64 - reinterpret_cast<std::uintptr_t>(buffer) % 64) % 64 / sizeof(float);
}

}  // namespace detail

/// The filters of one convolution and direction, transformed: 36 matrices channels x filters per group, four times the
/// memory of 3 x 3 weights, in the order in which the products read them: by panels of three registers of filters. Made for
/// one kernel level.
class winograd_filters {
 public:
  /// weight: (groups filters) x channels x kernel x kernel of the convolution (`down` false), or of the one whose adjoint this is.
  winograd_filters(const winograd_problem& p, const float* weight, bool down) : level_(current_level()) {
    const winograd_tile_set kernels = winograd_tiles(level_, p.kernel);
    const std::size_t taps = p.kernel * p.kernel;
    lanes_ = kernels.lanes;
    const std::size_t padded = detail::whole_vectors(p.filters, lanes_);
    tap_pitch_ = detail::spread_pitch(p.channels * padded);
    group_pitch_ = winograd::taps * tap_pitch_;
    buffer_ = std::make_unique_for_overwrite<float[]>(p.groups * group_pitch_ + 16);
    values_ = detail::first_line(buffer_.get());
    const std::size_t blocks = padded / lanes_;
    parallel_for(p.groups * blocks, [&](std::size_t task) {
      const std::size_t group = task / blocks, filter = task % blocks * lanes_;
      const std::size_t panel = filter / panel_width() * panel_width();
      const std::size_t width = std::min(panel_width(), padded - panel);
      const float* from = weight + group * p.channels * p.filters * taps;
      const std::size_t filter_pitch = down ? taps : p.channels * taps, depth_pitch = down ? p.filters * taps : taps;
      float* to = values_ + group * group_pitch_ + panel * p.channels + (filter - panel);
      kernels.filter({from + filter * filter_pitch, filter_pitch, depth_pitch, std::min(lanes_, p.filters - filter), p.channels,
                      down, to, tap_pitch_, width});
    });
  }

  kernel_level level() const { return level_; }
  std::size_t panel_width() const { return 3 * lanes_; }
  /// A panel's first filter lies `panel` * channels into its matrix.
  const float* matrix(std::size_t group, std::size_t tap) const { return values_ + group * group_pitch_ + tap * tap_pitch_; }

 private:
  kernel_level level_;
  std::size_t lanes_, tap_pitch_, group_pitch_;
  std::unique_ptr<float[]> buffer_;
  float* values_;
};

namespace detail {

/// Channels per block of the sums: a panel of 128 x 48 filters is 24 kB and stays in the first-level cache while the tiles
/// pass by; the blocks are added up.
inline constexpr std::size_t winograd_depth = 128;

/// A block of tiles of one group: the transformed inputs V (tap x tile x channel), the products M (tap x tile x filter), and
/// what is done with them. Every step is cut into tasks of its own; how changes no bit.
class winograd_block {
 public:
  winograd_block(const winograd_problem& p, std::size_t most_tiles, const float* in, const winograd_filters& filters,
                 const float* bias, bool rectify, float* out)
      : p_(p), in_(in), filters_(filters), bias_(bias), rectify_(rectify), out_(out), kernels_(winograd_tiles(filters.level(), p.kernel)),
        products_(current_gemm_tiles<float>()), channel_pitch_(spread_pitch(p.channels)),
        filter_pitch_(spread_pitch(whole_vectors(p.filters, kernels_.lanes))),
        in_tap_(spread_pitch(most_tiles * channel_pitch_)), out_tap_(spread_pitch(most_tiles * filter_pitch_)) {
    float* memory = first_line(workspace<winograd_block, float>(winograd::taps * (in_tap_ + out_tap_) + 16));
    inputs_ = memory;
    outputs_ = memory + winograd::taps * in_tap_;
  }

  /// Tiles [first, last).
  void run(std::size_t group, std::size_t first, std::size_t last) {
    group_ = group;
    first_ = first;
    last_ = last;
    const std::size_t lanes = kernels_.lanes;
    // Whole registers of channels; where they do not come out even, the last one overlaps the one before.
    parallel_for(p_.channels / lanes, [&](std::size_t k) {
      transform_inputs(k * lanes);
      if ((k + 2) * lanes > p_.channels && p_.channels % lanes != 0) transform_inputs(p_.channels - lanes);
    });
    parallel_for(winograd::taps, [&](std::size_t tap) { multiply(tap); });
    parallel_for((p_.filters + lanes - 1) / lanes, [&](std::size_t k) { transform_outputs(k * lanes); });
  }

 private:
  /// Calls body(image, row, column, count, tile in the block) for strips of tiles side by side.
  template <class Body>
  void for_strips(Body&& body) const {
    const std::size_t rows = p_.tile_rows(), columns = p_.tile_columns();
    for (std::size_t tile = first_; tile < last_;) {
      const std::size_t column = tile % columns;
      const std::size_t count = std::min({winograd::strip / p_.tile_side(), columns - column, last_ - tile});
      body(tile / columns / rows, tile / columns % rows, column, count, tile - first_);
      tile += count;
    }
  }

  void transform_inputs(std::size_t channel) const {
    const std::size_t plane = p_.height * p_.width;
    for_strips([&](std::size_t image, std::size_t row, std::size_t column, std::size_t count, std::size_t tile) {
      kernels_.input({in_ + ((image * p_.groups + group_) * p_.channels + channel) * plane, plane,
                      static_cast<std::ptrdiff_t>(p_.height), static_cast<std::ptrdiff_t>(p_.width),
                      static_cast<std::ptrdiff_t>(p_.tile_side() * row) - p_.top,
                      static_cast<std::ptrdiff_t>(p_.tile_side() * column) - p_.left, count, inputs_ + tile * channel_pitch_ + channel,
                      in_tap_, channel_pitch_});
    });
  }

  void multiply(std::size_t tap) const {
    // Whole tiles of the product: what stands in the rows past the last one is never read.
    const std::size_t row_tiles = (last_ - first_ + products_.rows - 1) / products_.rows;
    float* packed = workspace<struct winograd_packed, float>(row_tiles * products_.rows * p_.channels);
    pack_rows(gemm_rows<float>{inputs_ + tap * in_tap_, row_tiles * products_.rows, channel_pitch_, p_.channels, 1, no_tap_offset},
              products_.rows, packed, winograd_depth);
    for (std::size_t panel = 0; panel < p_.filters; panel += filters_.panel_width()) {
      const std::size_t width = std::min(filters_.panel_width(), whole_vectors(p_.filters - panel, kernels_.lanes));
      for (std::size_t k = 0; k < p_.channels; k += winograd_depth) {
        const std::size_t depth = std::min(winograd_depth, p_.channels - k);
        products_.run[products_.largest_step()][width / kernels_.lanes - 1](
            {depth, row_tiles, packed + k * row_tiles * products_.rows, products_.rows * depth,
             filters_.matrix(group_, tap) + panel * p_.channels + k * width, products_.packed_rows[width / kernels_.lanes - 1], 0, nullptr,
             outputs_ + tap * out_tap_ + panel, filter_pitch_, 0, k == 0, nullptr, false});
      }
    }
  }

  void transform_outputs(std::size_t filter) const {
    const std::size_t plane = p_.out_height * p_.out_width;
    const std::size_t count_here = std::min(kernels_.lanes, p_.filters - filter);
    float bias[16] = {};
    if (bias_) std::copy_n(bias_ + group_ * p_.filters + filter, count_here, bias);
    const std::size_t side = p_.tile_side();
    for_strips([&](std::size_t image, std::size_t row, std::size_t column, std::size_t count, std::size_t tile) {
      kernels_.output({outputs_ + tile * filter_pitch_ + filter, out_tap_, filter_pitch_, count, bias, rectify_, count_here,
                       std::min(side, p_.out_height - side * row), std::min(side * count, p_.out_width - side * column),
                       out_ + ((image * p_.groups + group_) * p_.filters + filter) * plane + side * row * p_.out_width + side * column,
                       plane, p_.out_width});
    });
  }

  const winograd_problem& p_;
  const float* in_;
  const winograd_filters& filters_;
  const float* bias_;
  bool rectify_;
  float* out_;
  winograd_tile_set kernels_;
  gemm_tile_set<float> products_;
  std::size_t channel_pitch_, filter_pitch_, in_tap_, out_tap_;
  float* inputs_;
  float* outputs_;
  std::size_t group_ = 0, first_ = 0, last_ = 0;
};

/// Tiles per block: V and M of about 1 MB. Filters of more than 4 MB come from memory or the last cache once per block: then at least
/// 72. On Zen 3, 512 x 512 filters on maps of 28 x 28 took a fifth longer by 32 tiles at once, and 64 x 64 on 224 x 224 a tenth
/// by 96. Smaller filters: blocks of 24 at least, several for each thread where there are tiles enough, as few channels are
/// too few tasks for a step of a block.
inline std::size_t most_winograd_tiles(const winograd_problem& p) {
  constexpr std::size_t block_floats = std::size_t{1} << 18, far_filters = std::size_t{1} << 20, least = 24, least_far = 72;
  const std::size_t per_tile = winograd::taps * (spread_pitch(p.channels) + spread_pitch(p.filters));
  if (winograd::taps * p.channels * p.filters > far_filters) return std::clamp<std::size_t>(block_floats / per_tile, least_far, 128);
  const std::size_t most = std::clamp<std::size_t>(block_floats / per_tile, least, 128);
  const std::size_t threads = thread_count(), share = p.tiles() / (4 * threads) / 8 * 8;
  return threads > 1 && share >= least ? std::min(most, share) : most;
}

}  // namespace detail

/// out = filters * in + bias, then rectified on request. in: images x (groups channels) x H x W; bias: one per filter, or
/// null; out: images x (groups filters) x OH x OW. Tiles lie on one grid, from the map's first place on: no bit of a result
/// depends on threads or on the place in the batch.
inline void convolve_winograd(const winograd_problem& p, const float* in, const winograd_filters& filters, const float* bias,
                              float* out, bool rectify = false) {
  const std::size_t tiles = p.tiles();
  if (tiles == 0) return;
  const std::size_t most = detail::most_winograd_tiles(p);
  std::size_t blocks = (tiles + most - 1) / most;
  const std::size_t step = (tiles + 8 * blocks - 1) / (8 * blocks) * 8;
  blocks = (tiles + step - 1) / step;
  const auto run = [&](std::size_t task) {
    const std::size_t first = task % blocks * step;
    detail::winograd_block(p, step, in, filters, bias, rectify, out).run(task / blocks, first, std::min(tiles, first + step));
  };
  parallel_for_if_many(blocks * p.groups, run);
}

}  // namespace deconvnet::kernels
