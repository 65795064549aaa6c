// The adjoint of a convolution by the cheaper of two ways, picture by picture.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <deconvnet/kernels/sparse_adjoint.hpp>
#include <deconvnet/ops/conv2d.hpp>
#include <deconvnet/tensor/recycled_tensors.hpp>

namespace deconvnet::detail {

template <scalar T>
struct kept_scattered_weights {
  kernel_level level;
  std::vector<T> values;
};

/// convolve_transposed_sparse by weights that stay; what large ones become is not kept, as in with_weights, but of more
/// weights than there: turning them costs more than packing. VGG-16's 512 x 512 x 3 x 3 are kept.
template <scalar T>
void convolve_sparse_kept(const kernels::convolution_problem& p, const kernels::scatter_plan<T>& plan,
                          std::span<const kernels::nonzero_values<T>> signals, const shared_tensor<T, 4>& weight, T* large) {
  constexpr std::size_t most_kept = std::size_t{1} << 22;
  const T* values = weight.get().data();
  if (weight.get().size() > most_kept) {
    T* scattered = kernels::workspace<struct scattered_once, T>(plan.weight_size(p));
    const auto needed = [&](std::size_t f) {
      return std::any_of(signals.begin(), signals.end(), [&](const auto& signal) { return signal.ends[f] != (f ? signal.ends[f - 1] : 0); });
    };
    kernels::scattered_weights(p, plan, values, needed, scattered);
    return kernels::convolve_transposed_sparse(p, plan, signals, scattered, large);
  }
  const auto kept = weight.template derived<kept_scattered_weights<T>>(
      weight_slot::scattered, [](const auto& known) { return known.level == current_level(); },
      [&] {
        kept_scattered_weights<T> made{current_level(), std::vector<T>(plan.weight_size(p))};
        kernels::scattered_weights(p, plan, values, [](std::size_t) { return true; }, made.values.data());
        return made;
      });
  kernels::convolve_transposed_sparse(p, plan, signals, kept->values.data(), large);
}

/// Images `chosen` of a batch, one after the other.
template <scalar T>
tensor4<T> images_of(const tensor4<T>& batch, const std::vector<std::size_t>& chosen) {
  auto result = uninitialized<T>({chosen.size(), batch.shape(1), batch.shape(2), batch.shape(3)});
  for (std::size_t m = 0; m < chosen.size(); ++m) {
    const auto from = image_span(batch, chosen[m]);
    std::copy(from.begin(), from.end(), image_span(result, m).begin());
  }
  return result;
}

/// conv2d_adjoint_kept, where under algorithm::automatic a picture that is mostly zero goes value by value and the others as
/// ever. A picture's own values decide its way, not the batch it travels in; the two ways differ in the order of sums.
template <scalar T>
tensor4<T> conv2d_adjoint_by_density(const tensor4<T>& signal, const shared_tensor<T, 4>& weight, const conv2d_options& options,
                                     const shape4& large) {
  const bool may_choose = std::same_as<T, float> && current_algorithm() == algorithm::automatic;
  if (!may_choose) return conv2d_adjoint_kept(signal, weight, options, large, "conv2d");
  const conv2d_geometry geometry{shape_of(weight.get()), options};
  const auto problem = adjoint_problem(geometry, signal, large, "conv2d");
  const kernels::scatter_plan<T> plan(problem);
  const std::size_t values = signal.shape(1) * signal.shape(2) * signal.shape(3);
  const std::size_t most = std::min(values, kernels::most_sparse_values(problem, plan, kernels::gains_by_winograd(problem)));
  std::vector<kernels::nonzero_values<T>> collected(signal.shape(0));
  std::vector<char> few(signal.shape(0));
  parallel_for(signal.shape(0), [&](std::size_t n) { few[n] = collected[n].collect(problem, plan, image_span(signal, n).data(), most); });
  std::vector<std::size_t> ways[2];  // dense, sparse
  std::vector<kernels::nonzero_values<T>> sparse_signals;
  for (std::size_t n = 0; n < signal.shape(0); ++n) {
    ways[few[n] ? 1 : 0].push_back(n);
    if (few[n]) sparse_signals.push_back(std::move(collected[n]));
  }
  if (ways[1].empty()) return conv2d_adjoint_kept(signal, weight, options, large, "conv2d");
  auto sparse = recycled_signal<T>({ways[1].size(), large[1], large[2], large[3]});
  convolve_sparse_kept<T>(problem, plan, sparse_signals, weight, sparse.data());
  if (ways[0].empty()) return sparse;
  const tensor4<T> parts[2] = {
      conv2d_adjoint_kept(images_of(signal, ways[0]), weight, options, {ways[0].size(), large[1], large[2], large[3]}, "conv2d"),
      std::move(sparse)};
  auto result = recycled_signal<T>(large);
  for (const std::size_t way : {std::size_t{0}, std::size_t{1}}) {
    for (std::size_t m = 0; m < ways[way].size(); ++m) {
      const auto from = image_span(parts[way], m);
      std::copy(from.begin(), from.end(), image_span(result, ways[way][m]).begin());
    }
  }
  return result;
}

}  // namespace deconvnet::detail
