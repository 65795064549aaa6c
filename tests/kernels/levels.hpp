// Runs a test at every kernel level that this machine has.
#pragma once

#include <doctest/doctest.h>

#include <deconvnet/kernels/level.hpp>

namespace deconvnet::testing {

template <class Body>
void at_every_level(Body&& body) {
  const kernel_level before = current_level();
  for (const auto level : {kernel_level::portable, kernel_level::avx2, kernel_level::avx512}) {
    if (level > best_kernel_level()) continue;
    CAPTURE(kernel_level_name(level));
    set_kernel_level(level);
    body();
  }
  set_kernel_level(before);
}

}  // namespace deconvnet::testing
