// operator() frees what no layer needs any more: the peak of VGG-16 is its weights and little else. Scans let images
// go.
#include <deconvnet/analysis/top_activations.hpp>
#include <deconvnet/kernels/parallel_for.hpp>
#include <deconvnet/network/squeezenet.hpp>
#include <deconvnet/network/vgg.hpp>
#include <deconvnet/training/initialization.hpp>

#include <fstream>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "../analysis/failing_inputs.hpp"
#include "../network/sample_networks.hpp"

namespace dn = deconvnet;
using namespace deconvnet::testing;

namespace {

// g++ says it by macros, clang++ 14 by features.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;
#elif defined(__has_feature)
constexpr bool sanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
constexpr bool sanitized = false;
#endif

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

TEST_CASE("VGG-16 forward at batch 1 by two threads takes less than 60 MB over its weights, Winograd's filters 240 MB more") {
  if (sanitized) {
    MESSAGE("skipped: a sanitizer's own memory would be counted");
    return;
  }
  const auto net = dn::vgg16<float>();  // writing zeros makes the weights resident
  const auto x = random_maps<float>({1, 3, 224, 224}, 1);
  const auto before = process_bytes("VmRSS");
  if (!before || !reset_peak()) {
    MESSAGE("skipped: this system does not tell a process's largest size");
    return;
  }
  CHECK(*before > 553e6);
  dn::set_thread_count(2);  // each thread has scratch memory of its own: sixteen took 303 MB
  const auto chosen = dn::current_algorithm();
  for (const auto& [algorithm, most] : {std::pair(dn::algorithm::direct, 60e6), std::pair(dn::algorithm::automatic, 300e6)}) {
    dn::set_algorithm(algorithm);
    CHECK(net(x).size() == 1000);
    const auto peak = process_bytes("VmHWM");
    REQUIRE(peak);
    MESSAGE(dn::algorithm_name(algorithm), ": ", (*peak - *before) / 1e6, " MB over the weights");
    CHECK(*peak - *before < most);
  }
  dn::set_algorithm(chosen);
  dn::set_thread_count(0);
}

TEST_SUITE("slow") {
  TEST_CASE("10,000 images through SqueezeNet, by two threads, take less than 600 MB, the whole process counted") {
    if (sanitized) {
      MESSAGE("skipped: a sanitizer's own memory would be counted");
      return;
    }
    if (!process_bytes("VmRSS") || !reset_peak()) {
      MESSAGE("skipped: this system does not tell a process's largest size");
      return;
    }
    const auto pictures = [](std::size_t count, std::size_t side) {
      return made_on_demand(0, count, [side](std::size_t k) {
        return random_maps<float>({1, 3, side, side}, static_cast<unsigned>(k));
      });
    };
    const std::vector<dn::layer> layers{"relu1", "fire5/concat", "fire9/concat"};
    const auto scan = [&](std::size_t count, std::size_t side) {
      auto net = dn::squeezenet1_1<float>({.input = {3, side, side}});
      dn::initialize(net, 1, dn::initialization::he);
      const auto tops = dn::top_activations(net, std::span<const dn::layer>{layers}, pictures(count, side));
      CHECK(tops.back().images() == count);
      CHECK(tops.back()[511].size() == 9);
    };
    dn::set_thread_count(2);  // each works on images of its own: sixteen took 648 MB
    // What one image needs at full size; the many are of 64 x 64, for time: 224 x 224 would take twelve times as long.
    scan(64, 224);
    const auto few = process_bytes("VmHWM");
    REQUIRE(few);
    CHECK(*few < 600e6);
    REQUIRE(reset_peak());
    scan(1000, 64);
    const auto thousand = process_bytes("VmHWM");
    REQUIRE(thousand);
    scan(10'000, 64);
    const auto all = process_bytes("VmHWM");
    REQUIRE(all);
    MESSAGE("64 large: ", *few / 1e6, " MB, 1,000 small: ", *thousand / 1e6, " MB, 10,000 small: ", *all / 1e6, " MB");
    CHECK(*all < 600e6);
    CHECK(*all - *thousand < 16e6);
    dn::set_thread_count(0);
  }
}
