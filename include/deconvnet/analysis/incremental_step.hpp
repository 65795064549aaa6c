// One layer of an incremental evaluation: how what changed in its input becomes what changes in its output.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>
#include <vector>

#include <deconvnet/analysis/patched_value.hpp>
#include <deconvnet/network/network.hpp>
#include <deconvnet/ops/conv2d.hpp>
#include <deconvnet/ops/max_pool2d.hpp>
#include <deconvnet/ops/scale_shift.hpp>

namespace deconvnet::detail {

/// How a layer is evaluated on a piece of its input.
///   window   a convolution or a max-pool: on the piece with its padding, by the operator without padding
///   padded   any operator that declares a reach: on a piece that leaves room for the operator's own padding
///   whole    an operator without reach, or whose reach does not hold: on whole maps
enum class piece { window, padded, whole };

/// A layer of a network whose values for the clean input are known: clean[v] is value v, 0 the network's input.
template <scalar T>
class incremental_step {
 public:
  using values = std::vector<const tensor4<T>*>;

  incremental_step(const network<T>& net, std::size_t layer, const values& clean) : net_(net), layer_(layer), clean_(clean) {
    const auto declared = net.op(layer).reach();
    if (!declared || !is_sound(*declared) || !inputs_agree()) return;
    rows_ = vertical(declared->kernel, declared->stride, declared->padding, declared->dilation);
    columns_ = horizontal(declared->kernel, declared->stride, declared->padding, declared->dilation);
    conv_ = net.template get_if<conv2d<T>>(layer);
    pool_ = net.template get_if<max_pool2d>(layer);
    if (conv_ || pool_) {
      how_ = piece::window;
      keeps_region_ = true;
    } else if (holds()) {
      how_ = piece::padded;
      keeps_region_ = true;
    } else {
      // A constant picture that is added or multiplied changes nothing elsewhere, but cannot be cut into pieces.
      keeps_region_ = net.template get_if<scale_shift<T>>(layer) != nullptr;
    }
  }

  std::size_t layer() const { return layer_; }
  piece how() const { return how_; }
  const std::vector<std::size_t>& inputs() const { return net_.inputs(layer_); }

  /// What may change in the output where `changed` has changed in the inputs.
  region reached(const region& changed) const {
    if (changed.empty()) return {};
    const region whole{{0, output().shape(2)}, {0, output().shape(3)}};
    if (!keeps_region_) return whole;
    return {touched(rows_, changed.rows, whole.rows.last), touched(columns_, changed.columns, whole.columns.last)};
  }

  /// The piece of the inputs that gives `wanted` of the output.
  crop piece_for(const region& wanted, piece how) const {
    if (how == piece::window) return {window_crop(rows_, wanted.rows), window_crop(columns_, wanted.columns)};
    const std::size_t height = input(0).shape(2), width = input(0).shape(3);
    if (how == piece::padded) return {padded_crop(rows_, wanted.rows, height), padded_crop(columns_, wanted.columns, width)};
    return {whole_crop(wanted.rows, height), whole_crop(wanted.columns, width)};
  }

  /// What a piece of input k holds outside the map. A pool's maximum is never there.
  T padding() const { return pool_ ? -std::numeric_limits<T>::infinity() : T(0); }

  /// Runs the layer on pieces of its inputs, all of one form.
  tensor4<T> run(const std::vector<tensor4<T>>& pieces, piece how) const {
    tensor4<T> y;
    if (how == piece::window && conv_) {
      conv_->forward_pieces(pieces[0], y);
    } else if (how == piece::window) {
      const auto g = geometry_of(pool_->options());
      ops::max_pool2d_into(pieces[0], {g.kernel, g.stride, {}, g.dilation, false}, y, nullptr);
    } else {
      std::vector<const tensor4<T>*> list;
      for (const auto& one : pieces) list.push_back(&one);
      net_.forward_layer(layer_, list, y, nullptr);
    }
    return y;
  }

  /// Whether the layer may run on patches as they lie, one place of the output from the same place of one input.
  bool is_pointwise() const {
    const auto plain = [](const window_axis& a) { return a.span() == 1 && a.stride == 1 && a.padding_before == 0 && a.padding_after == 0; };
    return how_ != piece::whole && inputs().size() == 1 && plain(rows_) && plain(columns_);
  }

  /// The wanted places of what run made of a batch of pieces.
  tensor4<T> cut(tensor4<T>&& made, const crop& form) const {
    const std::size_t height = form.rows.wanted, width = form.columns.wanted;
    if (made.shape(2) == height && made.shape(3) == width && form.rows.skip == 0 && form.columns.skip == 0) return std::move(made);
    if (made.shape(2) < form.rows.skip + height || made.shape(3) < form.columns.skip + width) {
      throw shape_error(text("layer '", net_.name(layer_), "': ", shape_text(made.shape()), " came out of a piece of its input"));
    }
    auto result = uninitialized<T>({made.shape(0), made.shape(1), height, width});
    for (std::size_t map = 0; map < made.shape(0) * made.shape(1); ++map) {
      for (std::size_t y = 0; y < height; ++y) {
        const T* from = made.data() + (map * made.shape(2) + y + form.rows.skip) * made.shape(3) + form.columns.skip;
        std::copy(from, from + width, result.data() + (map * height + y) * width);
      }
    }
    return result;
  }

  const tensor4<T>& input(std::size_t k) const { return *clean_[inputs()[k]]; }
  const tensor4<T>& output() const { return *clean_[layer_ + 1]; }

 private:
  static bool is_sound(const reach& r) {
    try {
      check_window("reach", r.kernel, r.stride, r.padding, r.dilation);
      return true;
    } catch (const shape_error&) {
      return false;
    }
  }

  bool inputs_agree() const {
    for (std::size_t k = 1; k < inputs().size(); ++k) {
      if (input(k).shape(2) != input(0).shape(2) || input(k).shape(3) != input(0).shape(3)) return false;
    }
    return true;
  }

  /// Whether pieces of the clean input give the clean output, at both ends and in the middle and for a few sizes. An
  /// operator that looks at where a place is, or further than it says, is found out here and evaluated on whole maps: a
  /// slow map rather than a wrong one.
  bool holds() const {
    const std::size_t height = output().shape(2), width = output().shape(3);
    T largest = 0;
    for (std::size_t k = 0; k < output().size(); ++k) largest = std::max(largest, std::abs(output().data()[k]));
    const T tolerance = largest * 64 * std::numeric_limits<T>::epsilon();
    for (const std::size_t size : {1U, 2U, 3U}) {
      const auto part = [&](std::size_t extent, std::size_t halves) {
        const std::size_t length = std::min<std::size_t>(size, extent);
        const std::size_t first = (extent - length) * halves / 2;
        return place_range{first, first + length};
      };
      for (const std::size_t where : {0U, 1U, 2U}) {
        if (!holds_at({part(height, where), part(width, where)}, tolerance)) return false;
      }
    }
    return true;
  }

  bool holds_at(const region& wanted, T tolerance) const {
    const crop window = piece_for(wanted, piece::padded);
    std::vector<tensor4<T>> pieces;
    for (std::size_t k = 0; k < inputs().size(); ++k) {
      pieces.push_back(uninitialized<T>({1, input(k).shape(1), window.rows.size, window.columns.size}));
      copy_variant<T>(input(k), nullptr, 0, window, T(0), 0, input(k).shape(1), pieces.back().data());
    }
    tensor4<T> made;
    try {
      made = cut(run(pieces, piece::padded), window);
    } catch (const error&) {
      return false;
    }
    if (made.shape(0) != 1 || made.shape(1) != output().shape(1)) return false;
    const crop expected{{static_cast<std::ptrdiff_t>(wanted.rows.first), wanted.rows.size(), 0, 0},
                        {static_cast<std::ptrdiff_t>(wanted.columns.first), wanted.columns.size(), 0, 0}};
    auto clean = uninitialized<T>(shape_of(made));
    copy_variant<T>(output(), nullptr, 0, expected, T(0), 0, output().shape(1), clean.data());
    for (std::size_t k = 0; k < clean.size(); ++k) {
      if (!(std::abs(made.data()[k] - clean.data()[k]) <= tolerance)) return false;
    }
    return true;
  }

  const network<T>& net_;
  std::size_t layer_;
  const values& clean_;
  piece how_ = piece::whole;
  bool keeps_region_ = false;
  window_axis rows_{1, 1, 0, 0, 1};
  window_axis columns_{1, 1, 0, 0, 1};
  const conv2d<T>* conv_ = nullptr;
  const max_pool2d* pool_ = nullptr;
};

}  // namespace deconvnet::detail
