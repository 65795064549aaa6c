// What the example programs share: a network that was named on the command line, and a photograph made into its input.
#pragma once

#include <cstddef>
#include <fstream>
#include <string>
#include <vector>

#include <deconvnet/deconvnet.hpp>

namespace examples {

namespace dn = deconvnet;

/// How a network wants its photographs: "torchvision" or "caffe", at the size the network fixes or 224.
inline dn::preprocessing preprocessing_for(const std::string& preset, const dn::shape3& input) {
  if (preset != "torchvision" && preset != "caffe") throw dn::error("unknown preprocessing '" + preset + "'");
  if (input[1] != input[2]) {
    throw dn::unsupported_error("the network's input " + dn::shape_text(input) + " is not square: preprocess the photograph yourself");
  }
  // The means of ImageNet's training pictures, blue, green, red, as Caffe's reference networks use them.
  auto options = preset == "caffe" ? dn::preprocessing::caffe({104, 117, 123}) : dn::preprocessing::torchvision();
  options.crop = input[1] != 0 ? input[1] : 224;
  options.resize = (options.crop * 256 + 112) / 224;
  if (input[0] == 1) {
    options.mean = {0.5};
    options.stddev = {0.5};
    options.channel_order = dn::channel_order::rgb;
  }
  return options;
}

/// A picture in the channels that the network reads: its colours, or their luminance for one channel.
inline xt::xtensor<float, 3> in_channels(xt::xtensor<float, 3> picture, std::size_t channels) {
  if (channels != 1 || picture.shape(0) == 1) return picture;
  auto grey = xt::xtensor<float, 3>::from_shape({1, picture.shape(1), picture.shape(2)});
  const std::size_t plane = grey.size();
  for (std::size_t k = 0; k < plane; ++k) {
    const float* p = picture.data() + k;
    grey.data()[k] = 0.299f * p[0] + 0.587f * p[plane] + 0.114f * p[2 * plane];
  }
  return grey;
}

inline xt::xtensor<float, 3> load_photograph(const std::string& path, std::size_t channels) {
  return in_channels(dn::load_image<float>(path), channels);
}

/// One label per line, in the order of the network's outputs.
inline std::vector<std::string> load_labels(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw dn::file_error(path, "cannot be opened");
  std::vector<std::string> labels;
  for (std::string line; std::getline(file, line);) labels.push_back(line);
  return labels;
}

/// A network, how it wants its photographs, and the names of its classes (empty: not known).
struct opened_network {
  dn::network<float> net;
  dn::preprocessing preparation;
  std::vector<std::string> labels;
};

/// Opens an ONNX file, or a .safetensors file that `train` wrote, which says itself how it wants its photographs. `preset`:
/// --preprocessing, empty where it was not given; `labels`: a file, or empty. Compiled once for all programs: reading ONNX
/// takes the compiler as long as the rest of a program.
opened_network open_network(const std::string& path, const std::string& preset, const std::string& labels = {});

/// What every program says of these two arguments.
inline constexpr const char* network_help = "an ONNX file, or a .safetensors file written by train";
inline constexpr const char* preprocessing_help =
    "what an ONNX network was trained with (default: torchvision); a .safetensors file says it itself";

/// A copy with three equal channels, for pictures in grey.
inline xt::xtensor<float, 3> in_colour(const xt::xtensor<float, 3>& picture) {
  if (picture.shape(0) == 3) return picture;
  auto result = xt::xtensor<float, 3>::from_shape({3, picture.shape(1), picture.shape(2)});
  for (std::size_t c = 0; c < 3; ++c) std::copy(picture.data(), picture.data() + picture.size(), result.data() + c * picture.size());
  return result;
}

/// A file name made of a layer's name: letters, digits, '.', '_' and '-' stay.
inline std::string file_name_for(const std::string& layer) {
  std::string name = layer.front() == '/' ? layer.substr(1) : layer;
  for (char& letter : name) {
    const bool plain = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9');
    if (!plain && letter != '.' && letter != '_' && letter != '-') letter = '_';
  }
  return name;
}

}  // namespace examples
