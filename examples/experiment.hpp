// What the programs of the paper's experiments share: pictures of inputs, names of classes, default layers, files of
// numbers.
#pragma once

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <deconvnet/deconvnet.hpp>

#include "network_input.hpp"

namespace examples {

inline void write_text(const std::filesystem::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) throw dn::file_error(path.string(), "cannot be written");
}

/// Where a picture is to be written: its folder is made, its name checked, before the work begins.
inline std::filesystem::path picture_path(const std::string& out) {
  const std::filesystem::path path(out);
  const auto ending = path.extension();
  if (ending != ".png" && ending != ".jpg" && ending != ".jpeg" && ending != ".bmp") {
    throw dn::file_error(out, "the name of a picture to write ends in .png, .jpg, .jpeg or .bmp");
  }
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path());
  return path;
}

/// The only image of a batch as a picture.
inline xt::xtensor<float, 3> single_picture(const xt::xtensor<float, 4>& batch) {
  auto picture = xt::xtensor<float, 3>::from_shape({batch.shape(1), batch.shape(2), batch.shape(3)});
  std::copy_n(batch.data(), picture.size(), picture.data());
  return picture;
}

/// What the network sees of an input: cut and scaled, in colour.
inline xt::xtensor<float, 3> seen_picture(const xt::xtensor<float, 4>& input, const dn::preprocessing& options) {
  return in_colour(single_picture(dn::unprocess(input, options)));
}

/// A class in a word: "zebra" of the line "n02391049 zebra"; its number without labels.
inline std::string class_name(const std::vector<std::string>& labels, std::size_t k) {
  if (k >= labels.size() || labels[k].empty()) return "class " + std::to_string(k);
  std::string_view name = labels[k];
  const auto space = name.find(' ');
  const bool synset = space == 9 && name[0] == 'n' && std::isdigit(static_cast<unsigned char>(name[1]));
  if (synset) name.remove_prefix(space + 1);
  return std::string(name.substr(0, name.find(',')));
}

/// The class that a file name begins with: "n02391049_zebra.jpg" is of the line "n02391049 zebra".
inline std::optional<std::size_t> class_of_file(const std::filesystem::path& path,
                                                const std::vector<std::string>& labels) {
  const std::string name = path.stem().string();
  for (std::size_t k = 0; k < labels.size(); ++k) {
    const std::string first = labels[k].substr(0, labels[k].find(' '));
    if (!first.empty() && name.starts_with(first) && (name.size() == first.size() || name[first.size()] == '_'))
      return k;
  }
  return std::nullopt;
}

/// Back from a layer over those that change no value.
inline std::size_t source_of(const dn::network<float>& net, std::size_t index) {
  for (;;) {
    const auto kind = net.op(index).kind();
    const bool passes = kind == "dropout" || kind == "identity" || kind == "flatten" || kind == "reshape";
    if (!passes || net.inputs(index)[0] == 0) return index;
    index = net.inputs(index)[0] - 1;
  }
}

/// The features that the classifier reads, the paper's layer 7: what the last layer with weights works on.
inline std::string last_features(const dn::network<float>& net) {
  const auto layers = net.layers();
  for (std::size_t i = layers.size(); i-- > 0;) {
    if (layers[i].parameters == 0) continue;
    const std::size_t place = net.inputs(i)[0];
    return net.name(place == 0 ? i : source_of(net, place - 1));
  }
  return net.name(net.output());
}

/// The first layer after its ReLU; the first layer where there is no ReLU.
inline std::string first_features(const dn::network<float>& net) {
  for (const auto& info : net.layers()) {
    if (info.kind == "relu") return info.name;
  }
  return net.name(0);
}

/// The last of the layers up to `last_features` that still has places and was not made by a pool: the paper's layer 5.
/// Shapes are known from a run. Throws error where there is none.
inline std::string last_maps(const dn::network<float>& net, const dn::trace<float>& run) {
  const auto layers = net.layers();
  for (std::size_t i = net.find(last_features(net)) + 1; i-- > 0;) {
    const auto& kind = layers[i].kind;
    const auto& shape = run.shape(layers[i].name);
    const bool maps = kind == "relu" || kind == "concat" || kind == "add";
    if (maps && shape[2] * shape[3] > 1) return layers[i].name;
  }
  throw dn::error("no layer before the classifier has maps: choose one with --layer");
}

}  // namespace examples
