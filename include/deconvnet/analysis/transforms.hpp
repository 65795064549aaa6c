// Motions of the input, by amounts: what invariance is measured against (Fig 5).
#pragma once

#include <cmath>
#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <deconvnet/image/warp.hpp>
#include <deconvnet/tensor/tensor.hpp>

namespace deconvnet {

/// A change of an input and the amounts it is made by. `apply(image, amount)`: 1 x C x H x W to 1 x C x H x W of any
/// scalar the network has. `name` and `unit` stand on the axis of a plot. Users make their own:
///   dn::transform{"brightness", "share", {0.0, 0.1}, [](const auto& x, double amount) { return x * (1 + amount); }}
template <class Function>
struct transform {
  std::string name;
  std::string unit;
  std::vector<double> amounts;
  Function apply;
};

template <class Function>
transform(std::string, std::string, std::vector<double>, Function) -> transform<Function>;

/// Down or to the right.
enum class axis { vertical, horizontal };

namespace detail {

/// from, from + step ... up to `to`, which is met where it is a whole number of steps away. An amount that rounding has
/// left beside `still`, at which nothing moves, is set to it.
inline std::vector<double> amounts_between(const char* what, double from, double to, double step, double still) {
  const double steps = std::floor((to - from) / step + 1e-6);
  if (!std::isfinite(from) || !std::isfinite(to) || !(step > 0) || !(from <= to) || !(steps < 1e6)) {
    throw error(text(what, ": no amounts from ", from, " to ", to, " in steps of ", step));
  }
  std::vector<double> amounts;
  for (std::size_t k = 0; k <= static_cast<std::size_t>(steps); ++k) {
    const double amount = from + static_cast<double>(k) * step;
    amounts.push_back(std::abs(amount - still) < 1e-6 * step ? still : amount);
  }
  return amounts;
}

/// A motion made by warp; by the amount `still` the image stays as it is, not resampled.
template <class Motion>
class motion_of_amount {
 public:
  motion_of_amount(double still, Motion motion, warp_options options)
      : still_(still), motion_(std::move(motion)), options_(std::move(options)) {}

  template <scalar T>
  tensor4<T> operator()(const tensor4<T>& image, double amount) const {
    return amount == still_ ? image : warp(image, motion_(amount), options_);
  }

 private:
  double still_;
  Motion motion_;
  warp_options options_;
};

}  // namespace detail

/// Moves by from, from + step ... to pixels: down (vertical) or to the right (horizontal), negative ones up or to the
/// left. The paper moves by -60..60 pixels, vertically. Bilinear; where the image moved away stands its border or, with
/// `{.border = dn::warp_border::fill, .fill = {...}}`, a value in the units of the input (not fixed by the paper).
/// Throws error for a step that is not positive or amounts out of order.
inline auto translations(axis along, double from, double to, double step, const warp_options& options = {}) {
  const bool down = along == axis::vertical;
  return transform{
      down ? "vertical translation" : "horizontal translation", "pixels",
      detail::amounts_between("translations", from, to, step, 0),
      detail::motion_of_amount(
          0, [down](double amount) { return affine_motion{.down = down ? amount : 0, .right = down ? 0 : amount}; },
          options)};
}

/// Scales by the ratios from ... to about the image's centre; above 1 it grows. The paper's ratios are 1..1.8. Border,
/// resampling and errors as for translations; also error for a ratio that is not positive.
inline auto scalings(double from, double to, double step, const warp_options& options = {}) {
  if (!(from > 0)) throw error(detail::text("scalings: the ratio ", from, " is not positive"));
  return transform{"scale", "ratio", detail::amounts_between("scalings", from, to, step, 1),
                   detail::motion_of_amount(
                       1, [](double amount) { return affine_motion{.scale = amount}; }, options)};
}

/// Turns by from ... to degrees about the image's centre, counter-clockwise. The paper's angles are 0..350. Border,
/// resampling and errors as for translations.
inline auto rotations(double from, double to, double step, const warp_options& options = {}) {
  return transform{"rotation", "degrees", detail::amounts_between("rotations", from, to, step, 0),
                   detail::motion_of_amount(
                       0, [](double amount) { return affine_motion{.degrees = amount}; }, options)};
}

/// A transform of inputs of scalar T: name, unit, amounts and apply(image, amount).
template <class Transform, class T>
concept transform_of = requires(const Transform& change, const tensor4<T>& image, double amount) {
  {std::string(change.name)};
  {std::string(change.unit)};
  {std::vector<double>(change.amounts)};
  {tensor4<T>(change.apply(image, amount))};
};

}  // namespace deconvnet
