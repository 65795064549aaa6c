#include <deconvnet/image/jpeg_tables.hpp>

#include <vector>

#include <doctest/doctest.h>

namespace {

std::vector<std::byte> jpeg_with_table(int codes_of_length_8, int codes_of_length_16, std::size_t payload) {
  std::vector<int> values{0xFF, 0xD8, 0xFF, 0xFE, 0,
                          4,    0xFF, 0xC4,  // a comment whose text looks like a table
                          0xFF, 0xFF, 0xC4, 0,    static_cast<int>(payload + 19),
                          0x10};
  for (int length = 1; length <= 16; ++length) {
    values.push_back(length == 8 ? codes_of_length_8 : length == 16 ? codes_of_length_16 : 0);
  }
  values.resize(values.size() + payload, 1);
  values.insert(values.end(), {0xFF, 0xD9});
  std::vector<std::byte> bytes;
  for (const int value : values) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}

}  // namespace

TEST_CASE("a Huffman table of 256 codes passes, one of 257 is found with its offset") {
  using deconvnet::detail::oversized_huffman_table;
  CHECK(!oversized_huffman_table({}));
  CHECK(!oversized_huffman_table(jpeg_with_table(3, 0, 3)));
  CHECK(!oversized_huffman_table(jpeg_with_table(200, 56, 200)));
  const auto large = oversized_huffman_table(jpeg_with_table(200, 57, 200));
  REQUIRE(large);
  CHECK(*large == 13);
}

TEST_CASE("a file cut anywhere is walked to its end and no further") {
  const auto bytes = jpeg_with_table(100, 0, 100);
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    CHECK(!deconvnet::detail::oversized_huffman_table(std::span(bytes).first(size)));
  }
}
