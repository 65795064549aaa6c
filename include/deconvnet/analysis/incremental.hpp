// Exact incremental evaluation: a network on many variants of one input that differ from it in a rectangle each.
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include <deconvnet/analysis/incremental_step.hpp>
#include <deconvnet/analysis/layer_values.hpp>

namespace deconvnet::detail {

/// The clean run of a network on one input, and what variants of the input change in chosen layers. A layer is evaluated
/// only where a change can reach; the rest is taken from the clean run. Each place is computed by the operator itself from
/// the same numbers as in a full run, so results equal it to float rounding. May be used by several threads at once.
template <scalar T>
class incremental_evaluation {
 public:
  /// Runs the network on `input` (1 x C x H x W) as far as `targets` need. Network and input must outlive this.
  incremental_evaluation(const network<T>& net, const tensor4<T>& input, const std::vector<std::size_t>& targets)
      : net_(net), is_target_(net.size(), false), last_use_(net.size() + 1, 0), clean_(net.size() + 1, nullptr) {
    std::vector<bool> needed(net.size() + 1, false);
    for (const std::size_t layer : targets) is_target_[layer] = needed[layer + 1] = true;
    std::vector<std::size_t> layers;
    for (std::size_t i = net.size(); i-- > 0;) {
      if (!needed[i + 1]) continue;
      layers.push_back(i);
      for (const std::size_t v : net.inputs(i)) {
        needed[v] = true;
        last_use_[v] = std::max(last_use_[v], i);
      }
    }
    std::reverse(layers.begin(), layers.end());
    layer_values<T>(net, layers).run(input, run_);
    clean_[0] = &input;
    for (const std::size_t i : layers) {
      clean_[i + 1] = &run_[i + 1].value;
      steps_.emplace_back(net, i, clean_);
    }
  }

  incremental_evaluation(const incremental_evaluation&) = delete;
  incremental_evaluation& operator=(const incremental_evaluation&) = delete;

  /// The clean value of a target.
  const tensor4<T>& clean(std::size_t layer) const { return *clean_[layer + 1]; }

  /// How each evaluated layer is evaluated, in order.
  std::span<const incremental_step<T>> steps() const { return steps_; }

  /// Evaluates variants of the input and calls visit(layer, value) for each target in order of execution.
  template <class Visit>
  void evaluate(patched_value<T> input, Visit&& visit) const {
    const std::size_t variants = input.patches.size();
    std::vector<patched_value<T>> values(net_.size() + 1);
    for (auto& value : values) value.patches.resize(variants);
    values[0] = std::move(input);
    for (const auto& step : steps_) {
      const std::size_t layer = step.layer();
      if (!run_as_they_lie(step, values)) {
        values[layer + 1].batches.clear();
        run_in_pieces(step, values);
      }
      if (is_target_[layer]) visit(layer, std::as_const(values[layer + 1]));
      for (const std::size_t v : step.inputs()) {
        if (last_use_[v] == layer) values[v].batches = {};
      }
    }
  }

  /// About how many numbers one variant that changes `where` of the input holds in memory while it is evaluated.
  std::size_t footprint(const region& where) const {
    std::vector<region> regions(net_.size() + 1);
    std::vector<std::size_t> sizes(net_.size() + 1, 0);
    regions[0] = where;
    std::size_t live = sizes[0] = where.area() * clean_[0]->shape(1);
    std::size_t most = live;
    for (const auto& step : steps_) {
      region changed;
      for (const std::size_t v : step.inputs()) changed = hull(changed, regions[v]);
      const std::size_t out = step.layer() + 1;
      regions[out] = step.reached(changed);
      if (regions[out].empty()) continue;
      const crop window = step.piece_for(regions[out], step.how());
      std::size_t pieces = 0;
      for (std::size_t k = 0; k < step.inputs().size(); ++k) {
        pieces += step.input(k).shape(1) * window.rows.size * window.columns.size;
      }
      sizes[out] = regions[out].area() * step.output().shape(1);
      live += sizes[out];
      most = std::max(most, live + pieces);
      for (const std::size_t v : step.inputs()) {
        if (last_use_[v] == step.layer()) live -= std::exchange(sizes[v], 0);
      }
    }
    return std::max<std::size_t>(most, 1);
  }

 private:
  using value_list = std::vector<patched_value<T>>;
  using patch = typename patched_value<T>::patch;

  /// Layers that work place by place, and layers on whole maps that have changed all over, need no pieces put together.
  bool run_as_they_lie(const incremental_step<T>& step, value_list& values) const {
    const std::size_t layer = step.layer();
    const std::size_t source = step.inputs()[0];
    auto& from = values[source];
    if (step.inputs().size() != 1 || !(step.is_pointwise() || is_all_over(step, from))) return false;
    auto& to = values[layer + 1];
    const bool in_place = last_use_[source] == layer && net_.works_in_place(layer);
    for (auto& batch : from.batches) {
      tensor4<T> y;
      if (in_place) {
        y = std::move(batch);
        net_.forward_in_place(layer, y);
      } else if (!run_batch_as_it_lies(step, batch, y)) {
        return false;
      }
      to.batches.push_back(std::move(y));
    }
    for (std::size_t variant = 0; variant < from.patches.size(); ++variant) {
      const patch& p = from.patches[variant];
      if (from.changed(variant)) to.patches[variant] = {step.reached(p.where), p.batch, p.image};
    }
    return true;
  }

  /// False where an operator of a user's own refuses a piece.
  bool run_batch_as_it_lies(const incremental_step<T>& step, const tensor4<T>& batch, tensor4<T>& y) const {
    const tensor4<T>* const list[] = {&batch};
    try {
      net_.forward_layer(step.layer(), list, y, nullptr);
    } catch (const error&) {
      if (step.how() != piece::padded) throw;
      return false;
    }
    return true;
  }

  static bool is_all_over(const incremental_step<T>& step, const patched_value<T>& from) {
    const region all{{0, step.input(0).shape(2)}, {0, step.input(0).shape(3)}};
    return step.how() == piece::whole && std::all_of(from.patches.begin(), from.patches.end(), [&](const patch& p) {
             return p.batch == patched_value<T>::unchanged || p.where == all;
           });
  }

  /// Pieces of one form go through the layer together.
  void run_in_pieces(const incremental_step<T>& step, value_list& values) const {
    auto& to = values[step.layer() + 1];
    std::map<decltype(crop{}.form()), std::vector<std::size_t>> forms;
    for (std::size_t variant = 0; variant < to.patches.size(); ++variant) {
      region changed;
      for (const std::size_t v : step.inputs()) {
        if (values[v].changed(variant)) changed = hull(changed, values[v].patches[variant].where);
      }
      const region wanted = step.reached(changed);
      if (wanted.empty()) continue;
      to.patches[variant].where = wanted;
      forms[step.piece_for(wanted, step.how()).form()].push_back(variant);
    }
    for (const auto& [form, variants] : forms) {
      try {
        run_batch(step, step.how(), variants, values);
      } catch (const error&) {
        // An operator of a user's own may refuse a piece for its size. Whole maps it has taken before.
        if (step.how() != piece::padded) throw;
        for (const std::size_t variant : variants) run_batch(step, piece::whole, {variant}, values);
      }
    }
  }

  void run_batch(const incremental_step<T>& step, piece how, const std::vector<std::size_t>& variants, value_list& values) const {
    auto& to = values[step.layer() + 1];
    const auto window = [&](std::size_t variant) { return step.piece_for(to.patches[variant].where, how); };
    const crop form = window(variants[0]);
    std::vector<tensor4<T>> pieces;
    for (std::size_t k = 0; k < step.inputs().size(); ++k) {
      const auto& clean = step.input(k);
      auto& batch = pieces.emplace_back(uninitialized<T>({variants.size(), clean.shape(1), form.rows.size, form.columns.size}));
      for (std::size_t n = 0; n < variants.size(); ++n) {
        copy_variant(clean, &values[step.inputs()[k]], variants[n], window(variants[n]), step.padding(), 0, clean.shape(1),
                     image_span(batch, n).data());
      }
    }
    to.batches.push_back(step.cut(step.run(pieces, how), form));
    for (std::size_t n = 0; n < variants.size(); ++n) {
      to.patches[variants[n]].batch = to.batches.size() - 1;
      to.patches[variants[n]].image = n;
    }
  }

  const network<T>& net_;
  std::vector<bool> is_target_;
  std::vector<std::size_t> last_use_;
  typename layer_values<T>::records run_;
  std::vector<const tensor4<T>*> clean_;
  std::vector<incremental_step<T>> steps_;
};

}  // namespace deconvnet::detail
