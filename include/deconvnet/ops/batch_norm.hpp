// Batch normalization with its recorded statistics, as inference runs it.
#pragma once

#include <cmath>
#include <cstddef>
#include <string_view>

#include <deconvnet/ops/scale_shift.hpp>
#include <deconvnet/ops/window.hpp>

namespace deconvnet {

namespace detail {

/// Batch norm as one factor and one offset per channel, C x 1 x 1 each.
template <scalar T>
struct batch_norm_affine {
  tensor<T, 3> scale, shift;
};

template <scalar T>
batch_norm_affine<T> fold_batch_norm(const tensor<T, 1>& gamma, const tensor<T, 1>& beta, const tensor<T, 1>& mean,
                                     const tensor<T, 1>& variance, double epsilon) {
  const std::size_t channels = gamma.size();
  if (beta.size() != channels || mean.size() != channels || variance.size() != channels) {
    throw shape_error(text("batch_norm: gamma, beta, mean, variance of ", channels, ", ", beta.size(), ", ", mean.size(),
                           ", ", variance.size(), " channels"));
  }
  auto scale = tensor<T, 3>::from_shape({channels, 1, 1});
  auto shift = tensor<T, 3>::from_shape({channels, 1, 1});
  for (std::size_t c = 0; c < channels; ++c) {
    scale(c, 0, 0) = gamma(c) / std::sqrt(variance(c) + static_cast<T>(epsilon));
    shift(c, 0, 0) = beta(c) - mean(c) * scale(c, 0, 0);
  }
  return {scale, shift};
}

inline void check_batch_norm(const shape4& in, std::size_t channels) {
  if (in[1] != channels) throw shape_error(text("batch_norm: ", shape_text(in), " for ", channels, " channels"));
}

}  // namespace detail

namespace ops {

/// y = gamma (x - mean) / sqrt(variance + epsilon) + beta, per channel. x, y: N x C x H x W; the others: C.
/// Throws shape_error where the channels differ.
template <expression_of_rank<4> X, expression_of_rank<1> G, expression_of_rank<1> B, expression_of_rank<1> M,
          expression_of_rank<1> V>
auto batch_norm(const X& x, const G& gamma, const B& beta, const M& mean, const V& variance, double epsilon = 1e-5) {
  using T = scalar_of<X>;
  const auto& in = contiguous<T, 4>(x);
  const auto affine = detail::fold_batch_norm<T>(contiguous<T, 1>(gamma), contiguous<T, 1>(beta), contiguous<T, 1>(mean),
                                                 contiguous<T, 1>(variance), epsilon);
  detail::check_batch_norm(shape_of(in), affine.scale.size());
  return scale_shift(in, affine.scale, affine.shift);
}

}  // namespace ops

/// ops::batch_norm as a layer. On the way down it multiplies by gamma / sigma (not fixed by the paper).
template <scalar T>
class batch_norm {
 public:
  static constexpr std::string_view kind = "batch_norm";
  static constexpr reverse_needs needs{};
  using value_type = T;

  /// gamma, beta, mean, variance: C each.
  template <expression_of_rank<1> G, expression_of_rank<1> B, expression_of_rank<1> M, expression_of_rank<1> V>
  batch_norm(const G& gamma, const B& beta, const M& mean, const V& variance, double epsilon = 1e-5)
      : gamma_(owned<T, 1>(gamma)),
        beta_(owned<T, 1>(beta)),
        mean_(owned<T, 1>(mean)),
        variance_(owned<T, 1>(variance)),
        epsilon_(epsilon) {
    affine();
  }

  const tensor<T, 1>& gamma() const { return gamma_.get(); }
  const tensor<T, 1>& beta() const { return beta_.get(); }
  const tensor<T, 1>& mean() const { return mean_.get(); }
  const tensor<T, 1>& variance() const { return variance_.get(); }
  double epsilon() const { return epsilon_; }

  template <expression_of_rank<4> X>
  tensor4<T> operator()(const X& x) const {
    tensor4<T> y;
    forward(contiguous<T, 4>(x), y);
    return y;
  }

  void forward(const tensor4<T>& x, tensor4<T>& y) const {
    output_shape(shape_of(x));
    const auto folded = affine();
    ops::scale_shift_into(x, folded.scale, &folded.shift, y);
  }

  void forward_in_place(tensor4<T>& x) const { forward(x, x); }

  tensor4<T> reverse(const tensor4<T>& signal, const reverse_context<T>&) const {
    tensor4<T> result;
    detail::check_batch_norm(shape_of(signal), gamma().size());
    ops::scale_shift_into<T>(signal, affine().scale, nullptr, result);
    return result;
  }

  shape4 output_shape(const shape4& in) const {
    detail::check_batch_norm(in, gamma().size());
    return in;
  }

  deconvnet::reach reach() const { return {}; }
  std::size_t multiply_adds(const shape4&, const shape4& out) const { return out[0] * out[1] * out[2] * out[3]; }

  template <class Self, class Visitor>
  static void visit_parameters(Self& self, Visitor&& visit) {
    visit("weight", self.gamma_);
    visit("bias", self.beta_);
    visit("running_mean", self.mean_);
    visit("running_var", self.variance_);
  }

 private:
  detail::batch_norm_affine<T> affine() const {
    return detail::fold_batch_norm(gamma(), beta(), mean(), variance(), epsilon_);
  }

  detail::shared_tensor<T, 1> gamma_, beta_, mean_, variance_;
  double epsilon_;
};

}  // namespace deconvnet
