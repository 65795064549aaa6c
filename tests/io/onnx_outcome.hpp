// What load_onnx makes of a model written by onnx_writer: a network, or an error as text.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include <deconvnet/io/onnx.hpp>

#include "onnx_writer.hpp"
#include "temporary_folder.hpp"

inline deconvnet::network<double> loaded(const std::string& bytes, const deconvnet::onnx_options& options = {}) {
  const temporary_folder folder;
  return deconvnet::load_onnx<double>(folder.write("m.onnx", bytes), options);
}

inline deconvnet::network<double> loaded(const onnx_writer::graph& g, const deconvnet::onnx_options& options = {}) {
  return loaded(onnx_writer::model(g), options);
}

/// "file: ...", "shape: ...", "unsupported: ..." with the message after the file's name, or "loaded".
inline std::string outcome(const std::string& bytes) {
  const auto after_path = [](std::string_view message) {
    const auto start = message.find("m.onnx: ");
    return std::string(start == message.npos ? message : message.substr(start + 8));
  };
  try {
    loaded(bytes);
  } catch (const deconvnet::file_error& error) {
    return "file: " + after_path(error.what());
  } catch (const deconvnet::shape_error& error) {
    return "shape: " + after_path(error.what());
  } catch (const deconvnet::unsupported_error& error) {
    return "unsupported: " + after_path(error.what());
  }
  return "loaded";
}

inline std::string outcome(const onnx_writer::graph& g) { return outcome(onnx_writer::model(g)); }

/// That loading ends in an error of this kind whose message holds all of these.
template <class Model, class... Parts>
void check_outcome(const Model& model, std::string_view kind, const Parts&... parts) {
  const std::string result = outcome(model);
  INFO(result);
  CHECK(result.starts_with(kind));
  for (const auto& part : std::vector<std::string>{parts...}) {
    INFO(part);
    CHECK(result.find(part) != std::string::npos);
  }
}
