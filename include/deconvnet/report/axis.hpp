// The scale of a plot's axis: its range, and round numbers on it.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <ios>
#include <locale>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <deconvnet/tensor/error.hpp>

namespace deconvnet {

/// From `low` to `high`, low < high.
struct axis_range {
  double low = 0;
  double high = 1;
  friend bool operator==(const axis_range&, const axis_range&) = default;
};

namespace detail {

/// 1, 2 or 5 times a power of ten, the smallest of them that makes at most `most` steps of the range.
inline double tick_step(const axis_range& range, std::size_t most) {
  const double least = (range.high - range.low) / static_cast<double>(std::max<std::size_t>(most, 1));
  const double power = std::pow(10, std::floor(std::log10(least)));
  for (const double times : {1.0, 2.0, 5.0}) {
    if (times * power >= least * (1 - 1e-9)) return times * power;
  }
  return 10 * power;
}

}  // namespace detail

/// The range of some numbers, 0..1 where there are none. Where they are all the same it is widened by a tenth of the
/// number (1 at zero) to both sides. Throws error for a NaN, an infinity, and a span that a double cannot hold.
inline axis_range range_of(std::span<const double> values) {
  if (values.empty()) return {};
  for (std::size_t k = 0; k < values.size(); ++k) {
    if (!std::isfinite(values[k])) throw error(detail::text("range_of: value ", k, " is ", values[k]));
  }
  const auto [least, greatest] = std::minmax_element(values.begin(), values.end());
  axis_range range{*least, *greatest};
  if (!std::isfinite(range.high - range.low))
    throw error(detail::text("range_of: from ", range.low, " to ", range.high));
  // Too few doubles lie between them for ticks.
  const double size = std::max(std::abs(range.low), std::abs(range.high));
  if (range.high - range.low <= size * 1e-12 || range.high - range.low < 1e-300) {
    const double margin = size > 1e-290 ? size / 10 : 1;
    range = {range.low - margin, range.high + margin};
  }
  return range;
}

/// The range with both ends moved out to round numbers, as round as `most` steps allow.
inline axis_range rounded(const axis_range& range, std::size_t most = 5) {
  const double step = detail::tick_step(range, most);
  const axis_range wider{std::floor(range.low / step + 1e-9) * step, std::ceil(range.high / step - 1e-9) * step};
  return std::isfinite(wider.high - wider.low) ? wider : range;
}

/// A place on an axis and what stands there.
struct tick {
  double value = 0;
  std::string label;
};

/// Round numbers within a range, at most `most` + 1 of them, with as many decimals as tell them apart; large and small
/// ones in powers of ten.
inline std::vector<tick> ticks_of(const axis_range& range, std::size_t most = 5) {
  const double step = detail::tick_step(range, most);
  const double size = std::max(std::abs(range.low), std::abs(range.high));
  const bool powers = size >= 1e6 || step < 1e-5;
  const double lowest = powers ? std::log10(size) : 0;
  const auto decimals =
      static_cast<int>(std::clamp(std::floor(lowest) - std::floor(std::log10(step) + 1e-9), 0.0, 15.0));
  std::vector<tick> ticks;
  const double first = std::ceil(range.low / step - 1e-9);
  for (double k = first; k * step <= range.high + 1e-9 * step && ticks.size() <= most; ++k) {
    const double value = k == 0 ? 0.0 : k * step;  // never -0
    std::ostringstream label;
    label.imbue(std::locale::classic());
    label.precision(decimals);
    label.setf(powers && value != 0 ? std::ios_base::scientific : std::ios_base::fixed, std::ios_base::floatfield);
    if (value == 0) label.precision(0);
    label << value;
    ticks.push_back({value, std::move(label).str()});
  }
  return ticks;
}

}  // namespace deconvnet
