#include <deconvnet/tensor/error.hpp>

#include <string>
#include <type_traits>

#include <doctest/doctest.h>

namespace {

using deconvnet::detail::text;

static_assert(std::is_base_of_v<std::runtime_error, deconvnet::error>);
static_assert(std::is_base_of_v<deconvnet::error, deconvnet::shape_error>);
static_assert(std::is_base_of_v<deconvnet::error, deconvnet::file_error>);
static_assert(std::is_base_of_v<deconvnet::error, deconvnet::unsupported_error>);
static_assert(!std::is_convertible_v<std::string, deconvnet::file_error>);

TEST_CASE("text joins its parts as a stream prints them") {
  CHECK(text("layer ", 3, ": ", 1.5, ' ', std::string("x")) == "layer 3: 1.5 x");
}

TEST_CASE("a file error begins with the path and, where one is known, the byte offset") {
  CHECK(std::string(deconvnet::file_error("a/b.npy", "truncated").what()) == "a/b.npy: truncated");
  CHECK(std::string(deconvnet::file_error("a/b.npy", 5'000'000'000ULL, "truncated").what()) ==
        "a/b.npy: byte 5000000000: truncated");
}

TEST_CASE("every error of the library is caught as deconvnet::error with its message") {
  const auto caught = [](auto problem) {
    try {
      throw problem;
    } catch (const deconvnet::error& e) {
      return std::string(e.what());
    }
  };
  CHECK(caught(deconvnet::shape_error("1 x 2 and 3 x 4")) == "1 x 2 and 3 x 4");
  CHECK(caught(deconvnet::unsupported_error("LSTM")) == "LSTM");
  CHECK(caught(deconvnet::file_error("f", "gone")) == "f: gone");
}

}  // namespace
