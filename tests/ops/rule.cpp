#include <deconvnet/ops/rule.hpp>

#include <doctest/doctest.h>

namespace {

TEST_CASE("every rule has its name, and deconvnet is the first") {
  using deconvnet::rule;
  CHECK(rule{} == rule::deconvnet);
  CHECK(rule_name(rule::deconvnet) == "deconvnet");
  CHECK(rule_name(rule::gradient) == "gradient");
  CHECK(rule_name(rule::guided) == "guided");
}

}  // namespace
