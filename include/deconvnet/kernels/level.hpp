// Which instruction set the kernels use: chosen once, at run time, so that a plain -O2 build gets the machine's speed.
#pragma once

#include <array>
#include <atomic>
#include <cstdlib>
#include <string>
#include <string_view>

#include <deconvnet/tensor/error.hpp>

namespace deconvnet {

/// `portable`: vectors of 16 bytes in the compiler's own extensions (SSE2, NEON, WebAssembly). `avx2`: with FMA.
/// `avx512`: F, VL, BW and DQ. Results of different levels differ in the last bits.
enum class kernel_level { portable, avx2, avx512 };

inline std::string_view kernel_level_name(kernel_level level) {
  constexpr std::array<std::string_view, 3> names{"portable", "avx2", "avx512"};
  return names[static_cast<std::size_t>(level)];
}

/// The highest level this machine has.
inline kernel_level best_kernel_level() {
#if defined(__x86_64__)
  // Every flag that the kernels are compiled for: hypervisors hide some and leave others.
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
  if (avx2 && avx512) return kernel_level::avx512;
  if (avx2) return kernel_level::avx2;
#endif
  return kernel_level::portable;
}

namespace detail {

inline void check_kernel_level(kernel_level level) {
  if (level > best_kernel_level()) {
    throw unsupported_error(text("kernel level ", kernel_level_name(level), ": this machine has ",
                                 kernel_level_name(best_kernel_level()), " at most"));
  }
}

/// The level that the environment variable DECONVNET_KERNEL_LEVEL asks for, or the machine's best.
inline kernel_level initial_kernel_level() {
  const char* wanted = std::getenv("DECONVNET_KERNEL_LEVEL");
  if (!wanted) return best_kernel_level();
  for (const auto level : {kernel_level::portable, kernel_level::avx2, kernel_level::avx512}) {
    if (kernel_level_name(level) != wanted) continue;
    check_kernel_level(level);
    return level;
  }
  throw error(text("DECONVNET_KERNEL_LEVEL is '", wanted, "': portable, avx2 or avx512 is needed"));
}

inline std::atomic<kernel_level>& current_kernel_level() {
  static std::atomic<kernel_level> level = initial_kernel_level();
  return level;
}

}  // namespace detail

/// The level in use. Throws error at the first call where the environment asks for one that does not exist here.
inline kernel_level current_level() { return detail::current_kernel_level().load(std::memory_order_relaxed); }

/// Forces a level, for every later call. Throws unsupported_error where the machine does not have it.
inline void set_kernel_level(kernel_level level) {
  detail::check_kernel_level(level);
  detail::current_kernel_level() = level;
}

}  // namespace deconvnet
