// The number of threads for one test, put back afterwards.
#pragma once

#include <cstddef>

#include <deconvnet/kernels/parallel_for.hpp>

namespace deconvnet::testing {

struct thread_count_for_test {
  explicit thread_count_for_test(std::size_t count) { set_thread_count(count); }
  ~thread_count_for_test() { set_thread_count(0); }
  thread_count_for_test(const thread_count_for_test&) = delete;
  thread_count_for_test& operator=(const thread_count_for_test&) = delete;
};

}  // namespace deconvnet::testing
