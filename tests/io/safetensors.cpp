#include <deconvnet/io/safetensors.hpp>

#include <doctest/doctest.h>

#include <map>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <deconvnet/network/network.hpp>
#include <deconvnet/ops/batch_norm.hpp>
#include <deconvnet/ops/conv2d.hpp>
#include <deconvnet/ops/linear.hpp>

#include "temporary_folder.hpp"

using deconvnet::file_error;
using deconvnet::load_safetensors;
using deconvnet::read_safetensors;
using deconvnet::read_safetensors_metadata;
using deconvnet::save_safetensors;
using deconvnet::shape_error;
using deconvnet::storage;
using deconvnet::unsupported_error;
using namespace std::literals;

namespace {

// What a network shows of itself here.
template <class T>
struct shelf {
  struct parameter {
    std::string name;
    std::vector<std::size_t> shape;
    std::span<const T> values;
  };
  struct entry {
    std::vector<std::size_t> shape;
    std::vector<T> values;
  };
  std::map<std::string, entry> items;

  std::vector<parameter> parameters() const {
    std::vector<parameter> list;
    for (const auto& [name, item] : items) list.push_back({name, item.shape, item.values});
    return list;
  }
  void set_parameter(const std::string& name, std::span<const T> values) {
    items.at(name).values.assign(values.begin(), values.end());
  }
};

template <class T>
shelf<T> filled() {
  return {{{"conv1.weight", {{2, 1, 1, 2}, {T(1.5), T(-2), T(0.1), T(1e-9)}}}, {"conv1.bias", {{2}, {T(3), T(4)}}}}};
}

std::string file_of(std::string_view json, std::string_view data) {
  std::string bytes;
  for (int k = 0; k < 8; ++k) bytes += static_cast<char>((json.size() >> (8 * k)) & 0xff);
  return bytes.append(json).append(data);
}

std::string tensor_entry(std::string_view name, std::string_view dtype, std::string_view shape, int from, int to) {
  return deconvnet::detail::text('"', name, "\":{\"dtype\":\"", dtype, "\",\"shape\":", shape, ",\"data_offsets\":[",
                                 from, ",", to, "]}");
}

void check_has(const std::string& message, std::string_view part) {
  INFO(message);
  CHECK(message.find(part) != std::string::npos);
}

}  // namespace

TEST_CASE("saved weights load as they were") {
  const temporary_folder folder;
  const auto path = folder.path / "w.safetensors";
  const auto full = filled<double>();
  save_safetensors(full, path, {.metadata = {{"epoch", "7"}, {"note", "\"quoted\"\n\xc3\xa9"}}});
  auto other = full;
  for (auto& [name, item] : other.items) item.values.assign(item.values.size(), 0);
  load_safetensors(other, path);
  CHECK(other.items.at("conv1.weight").values == full.items.at("conv1.weight").values);
  CHECK(other.items.at("conv1.bias").values == full.items.at("conv1.bias").values);

  const auto metadata = read_safetensors_metadata(path);
  CHECK(metadata.size() == 2);
  CHECK(metadata.at("epoch") == "7");
  CHECK(metadata.at("note") == "\"quoted\"\n\xc3\xa9");

  const auto tensors = read_safetensors<double>(path);
  CHECK(tensors.at("conv1.weight").dtype == "F64");
  CHECK(tensors.at("conv1.weight").shape == std::vector<std::size_t>{2, 1, 1, 2});
  CHECK(bytes_of(path).size() % 8 == 0);
}

TEST_CASE("a network's weights go to a file and into another network") {
  const temporary_folder folder;
  const auto path = folder.path / "w.safetensors";
  const auto make = [](float value) {
    const deconvnet::tensor<float, 1> channels = xt::ones<float>({2}) * value;
    deconvnet::network<float> net({1, 3, 3});
    net.add("conv",
            deconvnet::conv2d<float>(deconvnet::tensor4<float>(xt::ones<float>({2, 1, 2, 2}) * value), channels));
    net.add("norm", deconvnet::batch_norm<float>(channels, channels, channels, channels));
    net.add("fc", deconvnet::linear<float>(deconvnet::tensor<float, 2>(xt::ones<float>({3, 8}) * value)));
    return net;
  };
  const auto from = make(2.0f);
  save_safetensors(from, path);
  auto to = make(1.0f);
  const auto x = deconvnet::zeros<float>({1, 1, 3, 3});
  CHECK(to(x) != from(x));
  load_safetensors(to, path);
  CHECK(to(x) == from(x));
  CHECK(read_safetensors<float>(path).contains("fc.weight"));
}

TEST_CASE("a network of one scalar loads the weights of another") {
  const temporary_folder folder;
  const auto path = folder.path / "w.safetensors";
  save_safetensors(filled<double>(), path);
  auto single = filled<float>();
  single.items.at("conv1.weight").values.assign(4, 0.0f);
  load_safetensors(single, path);
  CHECK(single.items.at("conv1.weight").values[2] == 0.1f);
  save_safetensors(single, path);
  CHECK(read_safetensors<float>(path).at("conv1.bias").dtype == "F32");
}

TEST_CASE("half precision takes half the place and three digits") {
  const temporary_folder folder;
  const auto path = folder.path / "w.safetensors";
  save_safetensors(filled<float>(), path, {.precision = storage::half});
  auto loaded = filled<float>();
  load_safetensors(loaded, path);
  CHECK(read_safetensors<float>(path).at("conv1.weight").dtype == "F16");
  CHECK(loaded.items.at("conv1.weight").values[0] == 1.5f);
  CHECK(loaded.items.at("conv1.weight").values[2] == doctest::Approx(0.1f).epsilon(1e-3));
  CHECK(loaded.items.at("conv1.weight").values[3] == 0.0f);
}

TEST_CASE("every type of number is converted") {
  const temporary_folder folder;
  const auto value = [&](std::string_view dtype, std::string_view bytes) {
    const auto path = folder.write(
        "x", file_of("{" + tensor_entry("x", dtype, "[1]", 0, static_cast<int>(bytes.size())) + "}", bytes));
    return read_safetensors<double>(path).at("x").values.at(0);
  };
  CHECK(value("F64", "\0\0\0\0\0\0\xf0\x3f"sv) == 1.0);
  CHECK(value("F32", "\0\0\x80\x3f"sv) == 1.0);
  CHECK(value("F16", "\0\x3c"sv) == 1.0);
  CHECK(value("BF16", "\x80\x3f"sv) == 1.0);
  CHECK(value("I64", "\xff\xff\xff\xff\xff\xff\xff\xff"sv) == -1.0);
  CHECK(value("U32", "\xff\xff\xff\xff"sv) == 4294967295.0);
  CHECK(value("I16", "\xfe\xff"sv) == -2.0);
  CHECK(value("I8", "\xfe"sv) == -2.0);
  CHECK(value("U8", "\xfe"sv) == 254.0);
  CHECK(value("BOOL", "\x01"sv) == 1.0);
  CHECK_THROWS_AS(value("F8_E4M3", "\x01"sv), unsupported_error);
}

TEST_CASE("a file without a tensor and a tensor without an element are fine") {
  const temporary_folder folder;
  CHECK(read_safetensors<float>(folder.write("none", file_of("{}", ""))).empty());
  const auto path = folder.write("empty", file_of("{" + tensor_entry("x", "F32", "[0,3]", 0, 0) + "}", ""));
  CHECK(read_safetensors<float>(path).at("x").values.empty());
  const auto scalar =
      folder.write("scalar", file_of("{" + tensor_entry("x", "F32", "[]", 0, 4) + "}", "\0\0\x80\x3f"sv));
  CHECK(read_safetensors<float>(scalar).at("x").values.at(0) == 1.0f);
  CHECK(read_safetensors_metadata(path).empty());
}

TEST_CASE("missing and unexpected tensors are listed and the network stays as it was") {
  const temporary_folder folder;
  const auto path = folder.path / "w.safetensors";
  auto saved = filled<float>();
  saved.items["other.weight"] = {{1}, {9}};
  save_safetensors(saved, path);

  auto net = filled<float>();
  net.items["fc.weight"] = {{1}, {5}};
  net.items.at("conv1.bias").values = {0, 0};
  try {
    load_safetensors(net, path);
    FAIL("nothing thrown");
  } catch (const file_error& error) {
    check_has(error.what(), "no tensor for 1 parameters of the network: 'fc.weight'");
    check_has(error.what(), "no parameter for 1 tensors of the file: 'other.weight'");
  }
  CHECK(net.items.at("conv1.bias").values[0] == 0.0f);

  net = filled<float>();
  net.items.at("conv1.bias").values = {0, 0};
  CHECK_THROWS_AS(load_safetensors(net, path), file_error);
  load_safetensors(net, path, {.ignore_extra = true});
  CHECK(net.items.at("conv1.bias").values[0] == 3.0f);
}

TEST_CASE("another shape is a shape_error that names both") {
  const temporary_folder folder;
  const auto path = folder.path / "w.safetensors";
  save_safetensors(filled<float>(), path);
  auto net = filled<float>();
  net.items.at("conv1.weight").shape = {1, 2, 1, 2};
  try {
    load_safetensors(net, path);
    FAIL("nothing thrown");
  } catch (const shape_error& error) {
    check_has(error.what(), "tensor 'conv1.weight' is 2 x 1 x 1 x 2, the network's is 1 x 2 x 1 x 2");
  }
}

TEST_CASE("hostile safetensors files are file errors") {
  const temporary_folder folder;
  const auto of = [&](const std::string& bytes) -> std::string {
    try {
      read_safetensors<float>(folder.write("x", bytes));
    } catch (const file_error& error) {
      return error.what();
    }
    return "no file_error";
  };
  const auto json = [&](const std::string& inside, std::string_view data = "") {
    return of(file_of("{" + inside + "}", data));
  };
  const std::string four = "abcd";

  check_has(of(""), "empty");
  check_has(of("abc"), "byte 3: the file ends inside");
  check_has(of("\xff\xff\xff\xff\xff\xff\xff\xff{}"s), "byte 0: a header of 18446744073709551615 bytes");
  check_has(of("\x03\0\0\0\0\0\0\0{}"s), "byte 0: a header of 3 bytes");
  check_has(of(file_of("", "")), "byte 8: the header is no valid JSON");
  check_has(of(file_of("[]", "")), "should be a JSON object");
  check_has(of(file_of("3", "")), "should be a JSON object");
  check_has(of(file_of("{} x", "")), "byte 11: the header is no valid JSON");
  check_has(of(file_of(std::string(1000000, '['), "")), "should be a JSON object");
  check_has(json("\"x\":" + std::string(1000000, '[')), "'x' is a list where an object is wanted");
  check_has(json("\"x\":{\"shape\":" + std::string(1000000, '[')), "has a list where");
  check_has(json("\"x\":{\"shape\":{\"a\":1}}"), "has an object where");
  check_has(json("\"x\":{\"shape\":[-1]}"), "the number -1");
  check_has(json("\"x\":{\"shape\":[1.5]}"), "the number 1.5");
  check_has(json("\"x\":{\"shape\":[null]}"), "null");
  check_has(json("\"x\":{\"shape\":[18446744073709551615]}"), "extent of 18446744073709551615");
  check_has(json("\"x\":{\"shape\":[99999999999999999999999]}"), "number");
  check_has(json("\"x\":{\"shape\":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]}"),
            "more than 32");
  check_has(json("\"x\":{\"dtype\":3}"), "the number 3");
  check_has(json("\"x\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}"), "dtype twice");
  check_has(json("\"x\":{\"shape\":[],\"shape\":[]}"), "shape twice");
  check_has(json("\"x\":{\"data_offsets\":[0,0],\"data_offsets\":[0,0]}"), "data_offsets twice");
  check_has(json("\"x\":{\"data_offsets\":[0,0,0]}"), "more than two");
  check_has(json("\"x\":{\"color\":1}"), "unknown key 'color'");
  check_has(json("\"x\":{}"), "no dtype");
  check_has(json("\"x\":{\"dtype\":\"F32\"}"), "no shape");
  check_has(json("\"x\":{\"dtype\":\"F32\",\"shape\":[]}"), "no two data_offsets");
  check_has(json("\"x\":true"), "'x' is true or false");
  check_has(json("\"__metadata__\":{\"a\":1}"), "the number 1");
  check_has(json("\"__metadata__\":{\"a\":{}}"), "an object");
  check_has(json("\"__metadata__\":[]"), "a list");
  check_has(json("\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}"), "the key 'a' twice");
  check_has(json("\"__metadata__\":{},\"__metadata__\":{}"), "twice");
  check_has(json(tensor_entry("x", "F32", "[1]", 0, 4) + "," + tensor_entry("x", "F32", "[1]", 0, 4), four),
            "'x' stands twice");
  check_has(json(tensor_entry("x", "F32", "[1]", 0, 4)), "lies at 0 ... 4 of 0 bytes");
  check_has(json(tensor_entry("x", "F32", "[1]", 4, 0), four), "lies at 4 ... 0");
  check_has(json(tensor_entry("x", "F32", "[2]", 0, 4), four), "of 2 F32 needs 8 bytes, it has 4");
  check_has(json(tensor_entry("x", "F32", "[2000000000,2000000000]", 0, 4), four), "too large");
  check_has(json(tensor_entry("x", "F32", "[0,2000000000,2000000000]", 0, 0)), "too large");
  check_has(json(tensor_entry("x", "U8", "[2]", 0, 2) + "," + tensor_entry("y", "U8", "[3]", 1, 4), four),
            "'y' begins at 1");
  check_has(json(tensor_entry("x", "U8", "[2]", 0, 2) + "," + tensor_entry("y", "U8", "[1]", 3, 4), four),
            "'y' begins at 3");
  check_has(json(tensor_entry("x", "U8", "[3]", 0, 3), four), "1 bytes at the end belong to no tensor");
  check_has(json("\"\xff\":{}"), "no valid JSON");
}

TEST_CASE("strings that are no UTF-8 are not written") {
  const temporary_folder folder;
  CHECK_THROWS_AS(save_safetensors(filled<float>(), folder.path / "x", {.metadata = {{"a", "\xff"}}}),
                  deconvnet::error);
  CHECK_FALSE(std::filesystem::exists(folder.path / "x"));
}

TEST_CASE("damaged safetensors files never do anything but throw") {
  const temporary_folder folder;
  save_safetensors(filled<float>(), folder.path / "x", {.metadata = {{"a", "b"}}});
  const std::string good = bytes_of(folder.path / "x");
  std::mt19937 random(1);
  for (int k = 0; k < 500; ++k) {
    const auto path = folder.write("bad", mutated(good, random));
    try {
      const auto tensors = read_safetensors<float>(path);  // not inside CHECK, which catches
      CHECK(tensors.size() <= 2);
    } catch (const deconvnet::error&) {
    }
  }
}
