// Dropout: identity in inference, and on the way down.
#pragma once

#include <string_view>

#include <deconvnet/ops/identity.hpp>

namespace deconvnet {

/// Identity in inference. `probability` is the share of activations that training sets to zero, in [0, 1).
class dropout : public identity {
 public:
  static constexpr std::string_view kind = "dropout";

  /// Throws error for a probability outside [0, 1).
  explicit dropout(double probability = 0.5) : probability_(probability) {
    if (!(probability >= 0 && probability < 1)) {
      throw error(detail::text("dropout: the probability ", probability, " is not in [0, 1)"));
    }
  }

  double probability() const { return probability_; }

 private:
  double probability_;
};

}  // namespace deconvnet
