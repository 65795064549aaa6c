// operator() frees what no layer needs any more: the peak of VGG-16 is its weights and little else.
#include <deconvnet/network/vgg.hpp>

#include <fstream>
#include <optional>
#include <string>

#include <doctest/doctest.h>

#include "../network/sample_networks.hpp"

namespace dn = deconvnet;
using namespace deconvnet::testing;

namespace {

/// A line of /proc/self/status in bytes; nothing on systems that have none.
std::optional<double> process_bytes(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (double kilobytes = 0; word == key + ":" && status >> kilobytes) return kilobytes * 1024;
  }
  return std::nullopt;
}

/// Makes the largest resident size begin anew at the present one.
bool reset_peak() {
  std::ofstream refs("/proc/self/clear_refs");
  refs << "5" << std::flush;
  return static_cast<bool>(refs);
}

}  // namespace

TEST_SUITE("slow") {
  TEST_CASE("VGG-16 forward at batch 1 takes less than 60 MB over its weights") {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    MESSAGE("skipped: a sanitizer's own memory would be counted");
#else
    const auto net = dn::vgg16<float>();  // writing zeros makes the weights resident
    const auto x = random_maps<float>({1, 3, 224, 224}, 1);
    const auto before = process_bytes("VmRSS");
    if (!before || !reset_peak()) {
      MESSAGE("skipped: this system does not tell a process's largest size");
      return;
    }
    CHECK(net(x).size() == 1000);
    const auto peak = process_bytes("VmHWM");
    REQUIRE(peak);
    MESSAGE("over the weights: ", (*peak - *before) / 1e6, " MB");
    CHECK(*before > 553e6);
    CHECK(*peak - *before < 60e6);
#endif
  }
}
