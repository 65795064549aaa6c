// Compiled once for all example programs.
#include "../network_input.hpp"

#include <utility>

namespace examples {

opened_network open_network(const std::string& path, const std::string& preset, const std::string& labels) {
  const auto names = labels.empty() ? std::vector<std::string>{} : load_labels(labels);
  if (path.ends_with(".safetensors")) {
    if (!preset.empty()) throw dn::error(path + " says itself how it wants its photographs: leave --preprocessing out");
    auto stored = dn::load_network<float>(path);
    return {std::move(stored.net), std::move(stored.preparation), names.empty() ? std::move(stored.classes) : names};
  }
  auto net = dn::load_onnx<float>(path);
  auto preparation = preprocessing_for(preset.empty() ? "torchvision" : preset, net.input_shape());
  return {std::move(net), std::move(preparation), names};
}

}  // namespace examples
