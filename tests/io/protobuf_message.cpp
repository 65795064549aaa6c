#include <deconvnet/io/protobuf_message.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "temporary_folder.hpp"

using deconvnet::file_error;
using deconvnet::detail::binary_file;
using deconvnet::detail::protobuf_message;
using namespace std::literals;

namespace {

struct parsed {
  explicit parsed(std::string_view bytes) : file(folder.write("m", bytes)), message(file, file.characters()) {}
  temporary_folder folder;
  binary_file file;
  protobuf_message message;
};

}  // namespace

TEST_CASE("fields of every wire type are read or passed over") {
  parsed p(
      "\x08\x96\x01"
      "\x12\x03"
      "abc"
      "\x1d\0\0\x80\x3f"
      "\x21\0\0\0\0\0\0\xf0\x3f"
      "\x28\x07"sv);
  REQUIRE(p.message.next());
  CHECK(p.message.tag() == 1);
  CHECK(p.message.integer() == 150);
  REQUIRE(p.message.next());
  CHECK(p.message.offset() == 3);
  CHECK(p.message.bytes() == "abc");
  REQUIRE(p.message.next());
  CHECK(p.message.number() == 1.0f);
  REQUIRE(p.message.next());  // a double nobody asks for
  REQUIRE(p.message.next());
  CHECK(p.message.integer() == 7);
  CHECK_FALSE(p.message.next());
}

TEST_CASE("lists are packed or not") {
  parsed p(
      "\x0a\x03\x01\x96\x01"
      "\x08\x05"
      "\x12\x04\0\0\x80\x3f"
      "\x15\0\0\0\x40"sv);
  std::vector<std::int64_t> integers;
  std::vector<float> numbers;
  while (p.message.next()) {
    if (p.message.tag() == 1) p.message.integers([&](std::int64_t value) { integers.push_back(value); });
    if (p.message.tag() == 2) p.message.fixed_numbers<float>([&](float value) { numbers.push_back(value); });
  }
  CHECK(integers == std::vector<std::int64_t>{1, 150, 5});
  CHECK(numbers == std::vector<float>{1.0f, 2.0f});
}

TEST_CASE("another wire type than the field has is a file error at its offset") {
  const auto wrong = [](std::string_view bytes, auto&& read) {
    parsed p(bytes);
    REQUIRE(p.message.next());
    REQUIRE(p.message.next());
    CHECK_THROWS_WITH_AS(read(p.message), doctest::Contains("byte 2: "), file_error);
  };
  wrong("\x08\x01\x10\x01"sv, [](auto& m) { m.bytes(); });
  wrong("\x08\x01\x10\x01"sv, [](auto& m) { m.number(); });
  wrong("\x08\x01\x12\x01x"sv, [](auto& m) { m.integer(); });
  wrong("\x08\x01\x15\0\0\0\0"sv, [](auto& m) { m.integers([](std::int64_t) {}); });
  wrong("\x08\x01\x10\x01"sv, [](auto& m) { m.template fixed_numbers<double>([](double) {}); });
  wrong("\x08\x01\x12\x03xyz"sv, [](auto& m) { m.template fixed_numbers<float>([](float) {}); });
  wrong("\x08\x01\x12\x02\x80\x80"sv, [](auto& m) { m.integers([](std::int64_t) {}); });
}

TEST_CASE("damaged messages are file errors at an offset") {
  const auto walk = [](std::string_view bytes) {
    parsed p(bytes);
    while (p.message.next()) {
    }
  };
  for (const auto bytes :
       {"\x08"sv, "\x08\x80"sv,
        "\x12\x05"
        "abc"sv,
        "\x12\xff\xff\xff\xff\x0f"
        "abc"sv,
        "\x1d\0"sv, "\x0b"sv, "\x0f\x01"sv, "\x00\x01"sv, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"sv}) {
    CHECK_THROWS_WITH_AS(walk(bytes), doctest::Contains("byte 0: "), file_error);
  }
}
