#include <deconvnet/io/npy.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <random>
#include <string>
#include <string_view>

#if __has_include(<xtensor/views/xview.hpp>)
#include <xtensor/views/xview.hpp>
#else
#include <xtensor/xview.hpp>
#endif

#include "temporary_folder.hpp"

using deconvnet::file_error;
using deconvnet::load_npy;
using deconvnet::save_npy;
using deconvnet::shape_error;
using deconvnet::tensor;
using deconvnet::unsupported_error;
using namespace std::literals;

namespace {

std::string npy(std::string_view dictionary, std::string_view data, int version = 1) {
  std::string bytes = "\x93NUMPY";
  bytes += static_cast<char>(version);
  bytes += '\0';
  const std::size_t length = dictionary.size() + 1;
  for (int k = 0; k < (version == 1 ? 2 : 4); ++k) bytes += static_cast<char>((length >> (8 * k)) & 0xff);
  bytes += dictionary;
  bytes += '\n';
  bytes += data;
  return bytes;
}

std::string header(std::string_view descr, std::string_view shape, std::string_view fortran = "False") {
  return deconvnet::detail::text("{'descr': '", descr, "', 'fortran_order': ", fortran, ", 'shape': ", shape, ", }");
}

template <class T, std::size_t N>
std::string problem(const std::filesystem::path& path) {
  try {
    load_npy<T, N>(path);
  } catch (const file_error& error) {
    return error.what();
  }
  return "no file_error";
}

}  // namespace

TEST_CASE("a saved array loads as it was") {
  const temporary_folder folder;
  const auto path = folder.path / "x.npy";
  tensor<float, 4> x = xt::reshape_view(xt::arange<float>(0, 120), {2, 3, 4, 5});
  save_npy(path, x);
  CHECK(load_npy<float, 4>(path) == x);
  CHECK(load_npy<double, 4>(path.string()) == x);
  CHECK(load_npy<float, 4>(path.c_str())(1, 2, 3, 4) == 119.0f);

  save_npy(path, xt::cast<double>(x) * 0.5);
  CHECK(load_npy<double, 4>(path)(1, 2, 3, 3) == 59.0);
  save_npy(path, xt::transpose(x));
  CHECK(load_npy<float, 4>(path) == xt::transpose(x));
  save_npy(path, xt::view(x, 1, xt::range(0, 2), xt::all(), 3));
  CHECK(load_npy<float, 2>(path) == xt::view(x, 1, xt::range(0, 2), xt::all(), 3));
}

TEST_CASE("arrays of integers and bool keep their type") {
  const temporary_folder folder;
  const auto path = folder.path / "x.npy";
  const tensor<std::size_t, 2> indices{{1, 2}, {3, 0xffffffffffffffff}};
  save_npy(path, indices);
  CHECK(bytes_of(path).find("'<u8'") != std::string::npos);
  CHECK(load_npy<std::size_t, 2>(path) == indices);
  CHECK_THROWS_AS((load_npy<int, 2>(path)), file_error);
  const tensor<bool, 1> flags{true, false, true};
  save_npy(path, flags);
  CHECK(bytes_of(path).find("'|b1'") != std::string::npos);
  CHECK(load_npy<bool, 1>(path) == flags);
  CHECK(load_npy<float, 1>(path)(2) == 1.0f);
  const tensor<int, 1> numbers{-1, 300};
  save_npy(path, numbers);
  CHECK(load_npy<std::int16_t, 1>(path)(1) == 300);
  CHECK_THROWS_AS((load_npy<std::int8_t, 1>(path)), file_error);
  CHECK_THROWS_AS((load_npy<std::uint64_t, 1>(path)), file_error);
  CHECK(load_npy<double, 1>(path)(0) == -1.0);
}

TEST_CASE("floating-point files are not read into integers") {
  const temporary_folder folder;
  save_npy(folder.path / "x.npy", tensor<float, 1>{1.0f});
  CHECK_THROWS_AS((load_npy<int, 1>(folder.path / "x.npy")), unsupported_error);
}

TEST_CASE("arrays of no dimension and arrays of no element work") {
  const temporary_folder folder;
  const auto path = folder.write("x.npy", npy(header("<f4", "()"), "\x00\x00\x80\x3f"sv));
  CHECK(load_npy<float, 0>(path)() == 1.0f);
  const auto empty = folder.write("e.npy", npy(header("<f4", "(3, 0)"), ""));
  CHECK(load_npy<float, 2>(empty).shape(0) == 3);
  save_npy(path, load_npy<float, 2>(empty));
  CHECK(load_npy<float, 2>(path).shape(1) == 0);
}

TEST_CASE("every type, byte order and version of the header is read") {
  const temporary_folder folder;
  const auto value = [&](std::string_view descr, std::string_view data, int version = 1) {
    return load_npy<double, 1>(folder.write("x.npy", npy(header(descr, "(1,)"), data, version)))(0);
  };
  CHECK(value("<f2", "\x00\xc0"sv) == -2.0);
  CHECK(value(">f2", "\xc0\x00"sv) == -2.0);
  CHECK(value(">f4", "\x3f\x80\x00\x00"sv, 2) == 1.0);
  CHECK(value(">f8", "\x3f\xf0\x00\x00\x00\x00\x00\x00"sv, 3) == 1.0);
  CHECK(value("|i1", "\xff"sv) == -1.0);
  CHECK(value("|u1", "\xff"sv) == 255.0);
  CHECK(value("<i2", "\xfe\xff"sv) == -2.0);
  CHECK(value(">u2", "\x01\x00"sv) == 256.0);
  CHECK(value("<i4", "\xff\xff\xff\xff"sv) == -1.0);
  CHECK(value("<u4", "\xff\xff\xff\xff"sv) == 4294967295.0);
  CHECK(value("<i8", "\xff\xff\xff\xff\xff\xff\xff\xff"sv) == -1.0);
  CHECK(value("<u8", "\x00\x00\x00\x00\x00\x00\x00\x80"sv) == 0x1p63);
  CHECK(value("|b1", "\x01"sv) == 1.0);
}

TEST_CASE("column-major files load with the same indices") {
  const temporary_folder folder;
  std::string data;
  for (int k = 0; k < 24; ++k) data += static_cast<char>(k);
  const auto path = folder.write("x.npy", npy(header("|u1", "(2, 3, 4)", "True"), data));
  const auto x = load_npy<float, 3>(path);
  CHECK(x(1, 0, 0) == 1.0f);
  CHECK(x(0, 1, 0) == 2.0f);
  CHECK(x(0, 0, 1) == 6.0f);
  CHECK(x(1, 2, 3) == 23.0f);
  CHECK(load_npy<int, 3>(path)(1, 2, 2) == 17);
}

TEST_CASE("another rank is a shape_error that names both") {
  const temporary_folder folder;
  save_npy(folder.path / "x.npy", tensor<float, 2>::from_shape({2, 3}));
  try {
    load_npy<float, 4>(folder.path / "x.npy");
    FAIL("nothing thrown");
  } catch (const shape_error& error) {
    const std::string message = error.what();
    CHECK(message.find("has 2 dimensions (2 x 3), 4 are wanted") != std::string::npos);
    CHECK(message.find("x.npy") != std::string::npos);
  }
}

TEST_CASE("hostile headers are file errors with an offset") {
  const temporary_folder folder;
  const auto of = [&](const std::string& bytes) { return problem<float, 2>(folder.write("x.npy", bytes)); };
  const auto has = [](const std::string& message, std::string_view part) {
    INFO(message);
    CHECK(message.find(part) != std::string::npos);
  };
  has(problem<float, 2>(folder.path / "absent.npy"), "no such file");
  has(of(""), "empty");
  has(of("not numpy at all"), "byte 0: this is not a NumPy file");
  has(of("\x93NUMPY\x01"), "byte 7: the file ends inside");
  has(of(npy(header("<f4", "(1, 1)"), "1234", 9)), "byte 6: unknown version 9.0");
  has(of("\x93NUMPY\x01\x00\xff\xff{}"s), "byte 8: a header of 65535 bytes");
  has(of("\x93NUMPY\x02\x00\xff\xff\xff\xff{}"s), "byte 8: a header of 4294967295 bytes");
  has(of(npy("", "")), "should have a '{'");
  has(of(npy("{'descr': '<f4', 'fortran_order': False, }", "")), "no key 'shape'");
  has(of(npy("{'shape': (1, 1), 'fortran_order': False, }", "")), "no key 'descr'");
  has(of(npy("{'shape': (1, 1), 'descr': '<f4'}", "")), "no key 'fortran_order'");
  has(of(npy("{'shape': (1, 1), 'shape': (1, 1)}", "")), "stands twice");
  has(of(npy("{'color': 3}", "")), "unknown key 'color'");
  has(of(npy("{'descr: ", "")), "does not end");
  has(of(npy(header("<f4", "(1, 1)") + "x", "1234")), "after the header's closing brace");
  has(of(npy(header("<f4", "(-1, 1)"), "1234")), "not negative");
  has(of(npy(header("<f4", "((1,), 1)"), "1234")), "whole number");
  has(of(npy(header("<f4", "(1.5, 1)"), "1234")), "should have a ')'");
  has(of(npy(header("<f4", "(99999999999999999999999, 1)"), "1234")), "an extent passes");
  has(of(npy(header("<f4", "(2000000000, 2000000000)"), "1234")), "too large");
  has(of(npy(header("<f4", "(0, 2000000000, 2000000000)"), "")), "too large");
  has(of(npy(header("<f4", "(" + std::string(40 * 3, '1') + ")"), "")), "passes");
  std::string many = "(";
  for (int k = 0; k < 40; ++k) many += "1,";
  has(of(npy(header("<f4", many + ")"), "1234")), "more than 32 extents");
  has(of(npy(header("<f4", "(1, 2)"), "1234")), "needs 8 bytes, there are 4");
  has(of(npy(header("<f4", "(1, 1)"), "1234garbage")), "needs 4 bytes, there are 11");
  has(of(npy(header("<f4", std::string(20000, '(')), "")), "whole number");
}

TEST_CASE("types that are no numbers are refused by name") {
  const temporary_folder folder;
  for (const auto* descr : {"<c8", "|S3", "|O", "<M8[ns]", "f", "", "<f16"}) {
    CAPTURE(descr);
    const auto path = folder.write("x.npy", npy(header(descr, "(1,)"), "12345678"));
    CHECK_THROWS_AS((load_npy<float, 1>(path)), deconvnet::error);
  }
  const auto path =
      folder.write("x.npy", npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", "1234"));
  CHECK_THROWS_AS((load_npy<float, 1>(path)), unsupported_error);
}

TEST_CASE("damaged NumPy files never do anything but throw") {
  const temporary_folder folder;
  save_npy(folder.path / "x.npy", tensor<float, 2>(xt::ones<float>({3, 4})));
  const std::string good = bytes_of(folder.path / "x.npy");
  std::mt19937 random(1);
  for (int k = 0; k < 500; ++k) {
    const auto path = folder.write("bad.npy", mutated(good, random));
    try {
      const auto x = load_npy<float, 2>(path);  // not inside CHECK, which catches
      CHECK(x.size() < 1000);
    } catch (const deconvnet::error&) {
    }
  }
}
