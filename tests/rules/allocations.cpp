// A second run of the same shape takes no memory. Counted at the only doors: operator new and malloc's kin are what xtensor,
// the standard library and the kernels take theirs by.
#include <deconvnet/network/alexnet.hpp>
#include <deconvnet/network/scaled_zfnet.hpp>
#include <deconvnet/network/squeezenet.hpp>
#include <deconvnet/training/initialization.hpp>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

#include <doctest/doctest.h>

#include "../network/sample_networks.hpp"

namespace dn = deconvnet;
using namespace deconvnet::testing;

namespace {

std::atomic<std::size_t> allocations_counted = 0;

[[gnu::noinline]] void* counted(std::size_t size, std::size_t alignment) {
  ++allocations_counted;
  void* place = alignment == 0 ? std::malloc(size ? size : 1) : std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  if (!place) throw std::bad_alloc();
  return place;
}

// Not inlined: compilers pair new and delete by what they see in them.
[[gnu::noinline]] void released(void* place) { std::free(place); }

}  // namespace

void* operator new(std::size_t size) { return counted(size, 0); }
void* operator new[](std::size_t size) { return counted(size, 0); }
void* operator new(std::size_t size, std::align_val_t alignment) { return counted(size, static_cast<std::size_t>(alignment)); }
void* operator new[](std::size_t size, std::align_val_t alignment) { return counted(size, static_cast<std::size_t>(alignment)); }
void operator delete(void* place) noexcept { released(place); }
void operator delete[](void* place) noexcept { released(place); }
void operator delete(void* place, std::size_t) noexcept { released(place); }
void operator delete[](void* place, std::size_t) noexcept { released(place); }
void operator delete(void* place, std::align_val_t) noexcept { released(place); }
void operator delete[](void* place, std::align_val_t) noexcept { released(place); }
void operator delete(void* place, std::size_t, std::align_val_t) noexcept { released(place); }
void operator delete[](void* place, std::size_t, std::align_val_t) noexcept { released(place); }

namespace {

std::size_t allocations_of(const auto& work) {
  const std::size_t before = allocations_counted;
  work();
  return allocations_counted - before;
}

/// Every thread of the pool has computed: each keeps scratch memory of its own, of the largest size it was asked for. Which
/// thread gets which task is chance, so it takes a few runs until all have met the largest.
template <class Work>
std::size_t allocations_at_last(const Work& work) {
  std::size_t least = allocations_of(work);
  for (int k = 0; k < 20 && least != 0; ++k) least = std::min(least, allocations_of(work));
  return least;
}

void check_runs(dn::network<float> net, const dn::shape4& shape) {
  dn::initialize(net, 1, dn::initialization::he);
  const auto x = random_maps<float>(shape, 3);
  for (const auto which : {dn::algorithm::direct, dn::algorithm::automatic}) {
    dn::set_algorithm(which);
    for (const std::size_t threads : {1u, 2u}) {
      CAPTURE(threads);
      CAPTURE(dn::algorithm_name(which));
      dn::set_thread_count(threads);
      dn::trace<float> run = net.forward(x);
      CHECK(allocations_at_last([&] { net.forward(x, run); }) == 0);
      dn::trace<float> some = net.forward(x, {.keep = {dn::layer(net.output())}});
      CHECK(allocations_at_last([&] { net.forward(x, some); }) == 0);
      // The container that is returned.
      CHECK(allocations_at_last([&] { net(x); }) <= 1);
    }
  }
  dn::set_thread_count(0);
  dn::set_algorithm(dn::algorithm::automatic);
}

}  // namespace

TEST_CASE("a trace that is filled again takes no memory, an output its own alone") {
  check_runs(dn::alexnet<float>({.classes = 10, .input = {3, 67, 67}}), {2, 3, 67, 67});
  check_runs(dn::squeezenet1_1<float>({.classes = 10, .input = {3, 64, 64}}), {1, 3, 64, 64});
  check_runs(dn::scaled_zfnet<float>({.input = {1, 28, 28}}), {1, 1, 28, 28});
}
