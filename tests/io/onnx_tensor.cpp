#include <deconvnet/io/onnx_tensor.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <deconvnet/io/onnx.hpp>

#include "onnx_outcome.hpp"
#include "onnx_writer.hpp"
#include "temporary_folder.hpp"

namespace ow = onnx_writer;

namespace {

ow::graph convolving(const ow::message& weight) {
  return {.nodes = {ow::node("Conv", {"x", "w"}, {"y"})}, .initializers = {weight}};
}

ow::message header(const std::vector<std::int64_t>& dims, std::int64_t type) {
  ow::message m;
  for (const std::int64_t extent : dims) m.integer(1, extent);
  return m.integer(2, type).bytes(8, "w");
}

ow::message external(const std::vector<std::pair<std::string, std::string>>& entries) {
  ow::message m = header({1, 2, 1, 1}, 1).integer(14, 1);
  for (const auto& [key, value] : entries) m.inner(13, ow::message().bytes(1, key).bytes(2, value));
  return m;
}

}  // namespace

TEST_CASE("weights must have the elements that their shape needs") {
  check_outcome(convolving(ow::tensor("w", {1, 2, 1, 1}, "1234567")), "file", "byte ",
                "tensor 'w' of 1 x 2 x 1 x 1 needs 8 bytes, it has 7");
  check_outcome(convolving(ow::tensor("w", {1, 2, 1, 1}, "123456789")), "file", "it has 9");
  check_outcome(convolving(header({1, 2, 1, 1}, 1)), "file", "it has 0");
  check_outcome(convolving(header({1, 2, 1, 1}, 1).number(4, 1)), "file", "it has 4");
  check_outcome(convolving(header({1, 2, 1, 1}, 1).number(4, 1).number(4, 2)), "loaded");
  check_outcome(convolving(header({1, 2, 1, 1}, 1).bytes(4, "12345678")), "loaded");
  check_outcome(convolving(header({1, 2, 1, 1}, 1).bytes(4, "1234567")), "file", "ends inside a number");
  check_outcome(convolving(header({1, 2, 1, 1}, 1).integer(5, 1).integer(5, 1)), "file", "it has 0");
  check_outcome(convolving(header({1, 2, 1, 1}, 6).integer(5, 1).integer(5, 1)), "loaded");
}

TEST_CASE("hostile shapes and types of weights are refused") {
  check_outcome(convolving(ow::tensor("w", {1, -2, 1, 1}, "12345678")), "file", "an extent of -2");
  const std::int64_t large = std::int64_t{1} << 30;
  check_outcome(convolving(ow::tensor("w", {large, large, large, large}, "12345678")), "file", "too large");
  check_outcome(convolving(ow::tensor("w", {large, 2, 1, 1}, "12345678")), "file", "it has 8");
  check_outcome(convolving(ow::tensor("w", {0, large, large, large}, "")), "file", "too large");
  check_outcome(convolving(ow::tensor("w", {large * large}, "12345678")), "file", "an extent of");
  check_outcome(convolving(ow::tensor("w", std::vector<std::int64_t>(40, 1), "1234")), "file",
                "more than 32 dimensions");
  for (const std::int64_t type : {0, 8, 14, 15, 17, 99, -1}) {
    check_outcome(convolving(ow::tensor("w", {1, 2, 1, 1}, "12345678", type)), "unsupported",
                  "tensor 'w' has elements of type");
  }
  check_outcome(convolving(header({1, 2, 1, 1}, 1).bytes(3, "")), "unsupported", "segments");
}

TEST_CASE("weights in other files stay inside the model's folder") {
  const temporary_folder folder;
  std::filesystem::create_directory(folder.path / "inside");
  std::filesystem::create_directory(folder.path / "inside" / "below");
  const std::string two("\0\0\x80\x3f\0\0\0\x40", 8);
  for (const char* file : {"outside.bin", "inside/data.bin", "inside/below/data.bin"}) folder.write(file, two);
  std::filesystem::create_symlink("../outside.bin", folder.path / "inside" / "link.bin");

  const auto problem = [&](const std::vector<std::pair<std::string, std::string>>& entries) -> std::string {
    const auto path = folder.write("inside/m.onnx", ow::model(convolving(external(entries))));
    try {
      const auto net = deconvnet::load_onnx<float>(path);
      CHECK(net.parameters()[0].values[1] == 2.0f);
    } catch (const deconvnet::file_error& error) {
      return error.what();
    }
    return "loaded";
  };
  const auto check_has = [](const std::string& message, const std::string& part) {
    INFO(message);
    CHECK(message.find(part) != std::string::npos);
  };
  CHECK(problem({{"location", "data.bin"}}) == "loaded");
  CHECK(problem({{"location", "below/data.bin"}, {"offset", "0"}, {"length", "8"}, {"checksum", "?"}}) == "loaded");
  CHECK(problem({{"location", "below/../data.bin"}}) == "loaded");
  check_has(problem({{"location", "../outside.bin"}}), "not in the model's folder");
  check_has(problem({{"location", "link.bin"}}), "not in the model's folder");
  check_has(problem({{"location", (folder.path / "outside.bin").string()}}), "no relative path");
  check_has(problem({{"location", ""}}), "no relative path");
  check_has(problem({}), "no relative path");
  check_has(problem({{"location", "absent.bin"}}), "no such file");
  check_has(problem({{"location", "below"}}), "directory");
  check_has(problem({{"location", "data.bin"}, {"offset", "1"}}), "needs 8 bytes here");
  check_has(problem({{"location", "data.bin"}, {"offset", "9999999999999999"}}), "needs 8 bytes here");
  check_has(problem({{"location", "data.bin"}, {"offset", "99999999999999999999999"}}), "with the offset");
  check_has(problem({{"location", "data.bin"}, {"offset", "-1"}}), "with the offset '-1'");
  check_has(problem({{"location", "data.bin"}, {"offset", ""}}), "empty offset");
  check_has(problem({{"location", "data.bin"}, {"length", "4"}}), "said to hold 4 bytes");
}

TEST_CASE("a model is found by its name alone, and its weights beside it") {
  const temporary_folder folder;
  folder.write("data.bin", std::string(8, '\0'));
  folder.write("m.onnx", ow::model(convolving(external({{"location", "data.bin"}}))));
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path);
  CHECK(deconvnet::load_onnx<float>("m.onnx").size() == 1);
  std::filesystem::current_path(before);
}
