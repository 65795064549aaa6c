// A network as one file: layers, weights, and what it takes in and gives out.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <deconvnet/image/preprocess.hpp>
#include <deconvnet/io/layer_json.hpp>
#include <deconvnet/io/safetensors.hpp>

namespace deconvnet {

/// `.preparation`: how a picture becomes the network's input. `.classes`: the names of its outputs, where it has classes.
/// `.metadata`: any further strings, such as the command that trained it; keys must not begin with "deconvnet.".
struct network_file_options {
  preprocessing preparation{};
  std::vector<std::string> classes{};
  storage precision = storage::native;
  std::map<std::string, std::string> metadata{};
};

/// What load_network gives back.
template <scalar T>
struct stored_network {
  network<T> net;
  preprocessing preparation;
  std::vector<std::string> classes;
  std::map<std::string, std::string> metadata;
};

namespace detail {

inline constexpr const char* architecture_key = "deconvnet.architecture";
inline constexpr const char* preprocessing_key = "deconvnet.preprocessing";
inline constexpr const char* classes_key = "deconvnet.classes";

template <scalar T>
nlohmann::json architecture_json(const network<T>& net) {
  auto layers = nlohmann::json::array();
  const auto infos = net.layers();
  for (std::size_t i = 0; i < infos.size(); ++i) {
    layers.push_back({{"name", infos[i].name}, {"kind", infos[i].kind}, {"inputs", infos[i].inputs}, {"options", layer_options(net, i)}});
  }
  return {{"input", {{"name", net.input_name()}, {"shape", net.input_shape()}}}, {"layers", layers}, {"output", net.name(net.output())}};
}

inline nlohmann::json preprocessing_json(const preprocessing& p) {
  return {{"resize", p.resize}, {"crop", p.crop}, {"mean", p.mean}, {"stddev", p.stddev}, {"scale", p.scale},
          {"channel_order", p.channel_order == channel_order::rgb ? "rgb" : "bgr"}};
}

inline preprocessing preprocessing_of(const nlohmann::json& json) {
  preprocessing p;
  for (const auto& [key, target] : {std::pair{"resize", &p.resize}, std::pair{"crop", &p.crop}}) {
    if (!json.at(key).is_number_unsigned()) throw error(text("'", key, "' is ", json.at(key).dump(), ", not a size"));
    *target = json.at(key).get<std::size_t>();
  }
  p.mean = json.at("mean").get<std::vector<double>>();
  p.stddev = json.at("stddev").get<std::vector<double>>();
  p.scale = json.at("scale").get<double>();
  const auto order = json.at("channel_order").get<std::string>();
  if (order != "rgb" && order != "bgr") throw error("'channel_order' is '" + order + "'");
  p.channel_order = order == "rgb" ? channel_order::rgb : channel_order::bgr;
  check(p);
  return p;
}

template <scalar T>
network<T> network_of_json(const nlohmann::json& json, std::map<std::string, stored_tensor<T>>& tensors) {
  const auto& input = json.at("input");
  for (const auto& extent : input.at("shape")) {
    if (!extent.is_number_unsigned()) throw error("the input's shape is " + input.at("shape").dump());
  }
  network<T> net(input.at("shape").get<shape3>(), input.at("name").get<std::string>());
  for (std::size_t i = 0; i < json.at("layers").size(); ++i) {
    const auto& one = json.at("layers")[i];
    try {
      layer_reader<T>(one, tensors).add_to(net);
    } catch (const std::exception& problem) {
      throw error(text("layer ", i, one.contains("name") ? " " + one["name"].dump() : "", ": ", problem.what()));
    }
  }
  net.set_output(json.at("output").get<std::string>());
  return net;
}

}  // namespace detail

/// Writes a network so that load_network, and every program that comes with the library, opens it with no other argument:
/// a safetensors file with the weights under their names and, in its `__metadata__`, the layers with their options, the
/// preprocessing and the classes as JSON. The file appears in one step. Throws unsupported_error for an operator that is not the
/// library's; error for classes that are not as many as the outputs, or a key of `.metadata` that is taken; file_error
/// where the file cannot be written.
template <scalar T>
void save_network(const network<T>& net, const std::filesystem::path& path, const network_file_options& options = {}) {
  const auto& outputs = net.value_shape(net.output() + 1);
  if (!options.classes.empty() && outputs[0] != 0 && outputs[1] != options.classes.size()) {
    throw error(detail::text("save_network: ", options.classes.size(), " names of classes for ", outputs[1], " outputs"));
  }
  detail::check(options.preparation);
  auto metadata = options.metadata;
  for (const auto& [key, value] : metadata) {
    if (key.starts_with("deconvnet.")) throw error("save_network: the key '" + key + "' is the format's own");
  }
  try {
    metadata[detail::architecture_key] = detail::architecture_json(net).dump();
    metadata[detail::preprocessing_key] = detail::preprocessing_json(options.preparation).dump();
    metadata[detail::classes_key] = nlohmann::json(options.classes).dump();
  } catch (const nlohmann::json::exception& problem) {
    throw error(path.string() + ": a name cannot be written: " + problem.what());
  }
  save_safetensors(net, path, {.metadata = std::move(metadata), .precision = options.precision});
}

/// Reads what save_network wrote, weights converted to T. Throws file_error, saying what is wrong in which layer, where the
/// file is damaged, is a safetensors file without an architecture, or has tensors that no layer uses.
template <scalar T>
stored_network<T> load_network(const std::filesystem::path& path) {
  auto metadata = read_safetensors_metadata(path);
  const auto take = [&](const char* key) {
    const auto found = metadata.find(key);
    if (found == metadata.end()) {
      throw file_error(path.string(), detail::text("its metadata have no '", key,
                                                   "': it holds weights alone; build the network and use load_safetensors"));
    }
    const auto node = metadata.extract(found);
    try {
      return nlohmann::json::parse(node.mapped());
    } catch (const nlohmann::json::exception& problem) {
      throw file_error(path.string(), detail::text("'", key, "': ", problem.what()));
    }
  };
  const auto architecture = take(detail::architecture_key);
  const auto preparation = take(detail::preprocessing_key);
  const auto classes = take(detail::classes_key);
  auto tensors = read_safetensors<T>(path);
  try {
    stored_network<T> stored{detail::network_of_json(architecture, tensors), detail::preprocessing_of(preparation),
                             classes.template get<std::vector<std::string>>(), std::move(metadata)};
    if (!tensors.empty()) throw error("no layer uses the tensor '" + tensors.begin()->first + "'");
    return stored;
  } catch (const std::exception& problem) {
    throw file_error(path.string(), problem.what());
  }
}

}  // namespace deconvnet
