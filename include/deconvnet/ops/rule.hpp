// How a reconstruction passes a ReLU on the way down.
#pragma once

#include <string_view>

namespace deconvnet {

/// The three rules of one engine; R is the signal that comes down.
///   deconvnet  max(R, 0); the forward signal's sign plays no part (the paper, section 2.1)
///   gradient   R where the forward input was > 0: the derivative
///   guided     both: max(R, 0) where the forward input was > 0
enum class rule { deconvnet, gradient, guided };

inline std::string_view rule_name(rule how) {
  switch (how) {
    case rule::gradient:
      return "gradient";
    case rule::guided:
      return "guided";
    default:
      return "deconvnet";
  }
}

}  // namespace deconvnet
