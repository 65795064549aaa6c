#include <deconvnet/kernels/algorithm.hpp>

#include <doctest/doctest.h>

#include <thread>

namespace dn = deconvnet;

TEST_CASE("the algorithm is chosen for all threads; a scope makes its own thread direct") {
  const auto before = dn::current_algorithm();
  dn::set_algorithm(dn::algorithm::automatic);
  CHECK(dn::algorithm_name(dn::current_algorithm()) == "automatic");
  {
    const dn::detail::direct_scope outer;
    const dn::detail::direct_scope inner;
    CHECK(dn::current_algorithm() == dn::algorithm::direct);
    std::thread([] { CHECK(dn::current_algorithm() == dn::algorithm::automatic); }).join();
  }
  CHECK(dn::current_algorithm() == dn::algorithm::automatic);
  dn::set_algorithm(dn::algorithm::direct);
  std::thread([] { CHECK(dn::current_algorithm() == dn::algorithm::direct); }).join();
  dn::set_algorithm(before);
}

TEST_CASE("an algorithm that does not exist is refused by its name") {
  const char* set = std::getenv("DECONVNET_ALGORITHM");
  const std::string kept = set ? set : "";
  setenv("DECONVNET_ALGORITHM", "fastest", 1);
  CHECK_THROWS_WITH_AS(dn::detail::initial_algorithm(), doctest::Contains("'fastest': direct or automatic is needed"), dn::error);
  setenv("DECONVNET_ALGORITHM", "direct", 1);
  CHECK(dn::detail::initial_algorithm() == dn::algorithm::direct);
  unsetenv("DECONVNET_ALGORITHM");
  CHECK(dn::detail::initial_algorithm() == dn::algorithm::automatic);
  if (set) setenv("DECONVNET_ALGORITHM", kept.c_str(), 1);
}
