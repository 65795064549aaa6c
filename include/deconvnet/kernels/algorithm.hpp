// Which algorithm convolutions use: the exact order of products, or fewer products where that pays.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <string_view>

#include <deconvnet/tensor/error.hpp>

namespace deconvnet {

/// `direct`: every product of the definition, summed in float: relative errors of 1e-7 to 4e-7 per layer. `automatic`:
/// Winograd's F(4x4, 3x3) and F(2x2, 5x5) where the layer's shape makes it faster (kernels/winograd.hpp), two to three times so,
/// with errors of 1e-6 to 4e-6, and on the way down of single units, for signals that are mostly zero, their values one by one
/// (kernels/sparse_adjoint.hpp), with errors as direct has; everything else and all of double stays direct. Shapes and a
/// signal's own zeros decide, never threads or batch. Where accuracy decides a switch (near ties), choose direct.
enum class algorithm { direct, automatic };

inline std::string_view algorithm_name(algorithm which) {
  constexpr std::array<std::string_view, 2> names{"direct", "automatic"};
  return names[static_cast<std::size_t>(which)];
}

namespace detail {

/// What the environment variable DECONVNET_ALGORITHM asks for, or automatic.
inline algorithm initial_algorithm() {
  const char* wanted = std::getenv("DECONVNET_ALGORITHM");
  if (!wanted) return algorithm::automatic;
  for (const auto which : {algorithm::direct, algorithm::automatic}) {
    if (algorithm_name(which) == wanted) return which;
  }
  throw error(text("DECONVNET_ALGORITHM is '", wanted, "': direct or automatic is needed"));
}

inline std::atomic<algorithm>& algorithm_in_use() {
  static std::atomic<algorithm> which = initial_algorithm();
  return which;
}

/// While one lives, the thread that made it uses direct: where weights change at every step, and where a part of a map must
/// have the bits of the whole.
class direct_scope {
 public:
  direct_scope() { ++depth(); }
  ~direct_scope() { --depth(); }
  direct_scope(const direct_scope&) = delete;
  direct_scope& operator=(const direct_scope&) = delete;

  static std::size_t& depth() {
    static thread_local std::size_t scopes = 0;
    return scopes;
  }
};

}  // namespace detail

/// The algorithm in use. Throws error at the first call where the environment asks for one that does not exist.
inline algorithm current_algorithm() {
  return detail::direct_scope::depth() != 0 ? algorithm::direct : detail::algorithm_in_use().load(std::memory_order_relaxed);
}

/// Chooses for every later call, of all threads.
inline void set_algorithm(algorithm which) { detail::algorithm_in_use() = which; }

}  // namespace deconvnet
