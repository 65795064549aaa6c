// Which network made a run: names and shapes can be equal where the layers are not.
#pragma once

#include <atomic>
#include <cstdint>

namespace deconvnet::detail {

/// Two numbers that no other network of this program has, unless it is a copy: one for its layers, one for its weights.
/// A copy keeps both until its layers or weights are edited; the original keeps them through that.
class network_identity {
 public:
  network_identity() : layers_(next()), weights_(layers_) {}

  void layers_edited() { *this = network_identity(); }
  void weights_edited() { weights_ = next(); }

  bool same_layers(const network_identity& other) const { return layers_ == other.layers_; }
  bool same_weights(const network_identity& other) const { return weights_ == other.weights_; }

 private:
  static std::uint64_t next() {
    static std::atomic<std::uint64_t> last = 0;
    return last.fetch_add(1, std::memory_order_relaxed) + 1;
  }

  std::uint64_t layers_;
  std::uint64_t weights_;
};

}  // namespace deconvnet::detail
