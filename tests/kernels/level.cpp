#include <deconvnet/kernels/level.hpp>

#include <cstdlib>
#include <string>

#include <doctest/doctest.h>

namespace {

using namespace deconvnet;

/// The environment as it was, when the test ends.
class environment {
 public:
  environment() : had_(std::getenv(name) != nullptr), before_(had_ ? std::getenv(name) : "") {}
  ~environment() { had_ ? setenv(name, before_.c_str(), 1) : unsetenv(name); }
  environment(const environment&) = delete;
  environment& operator=(const environment&) = delete;
  void set(const char* value) const { setenv(name, value, 1); }
  void clear() const { unsetenv(name); }

 private:
  static constexpr const char* name = "DECONVNET_KERNEL_LEVEL";
  bool had_;
  std::string before_;
};

TEST_CASE("a level can be forced and read back; one that the machine lacks is refused") {
  const kernel_level before = current_level();
  set_kernel_level(kernel_level::portable);
  CHECK(current_level() == kernel_level::portable);
  set_kernel_level(best_kernel_level());
  CHECK(current_level() == best_kernel_level());
  if (best_kernel_level() != kernel_level::avx512) CHECK_THROWS_AS(set_kernel_level(kernel_level::avx512), unsupported_error);
  set_kernel_level(before);
}

TEST_CASE("the environment names the level at the start; a word that is none is an error") {
  const environment kept;
  kept.clear();
  CHECK(detail::initial_kernel_level() == best_kernel_level());
  kept.set("portable");
  CHECK(detail::initial_kernel_level() == kernel_level::portable);
  kept.set("fastest");
  CHECK_THROWS_WITH_AS(detail::initial_kernel_level(), doctest::Contains("'fastest'"), error);
}

}  // namespace
