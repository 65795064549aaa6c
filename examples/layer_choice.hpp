// Which layers and which part of the input to show, and by which rule.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <deconvnet/deconvnet.hpp>

namespace examples {

namespace dn = deconvnet;

inline dn::rule rule_of(const std::string& name) {
  for (const auto how : {dn::rule::deconvnet, dn::rule::gradient, dn::rule::guided}) {
    if (dn::rule_name(how) == name) return how;
  }
  throw dn::error("unknown rule '" + name + "'");
}

/// The layers after a rectification that are maps, the paper's "layer n", in execution order; the output where there is
/// none. `run` tells the maps' sizes.
inline std::vector<std::string> rectified_layers(const dn::network<float>& net, const dn::trace<float>& run) {
  std::vector<std::string> layers;
  for (const auto& info : net.layers()) {
    const auto& shape = run.shape(info.name);
    if (info.kind == "relu" && shape[2] * shape[3] > 1) layers.push_back(info.name);
  }
  if (layers.empty()) layers.push_back(net.name(net.output()));
  return layers;
}

/// The part of the input to show for a unit: its receptive field, or the whole picture where the field is larger.
inline dn::box visible_field(const dn::box& field, const dn::shape4& input) {
  dn::box shown = field;
  if (field.height >= input[2]) shown = {0, shown.x, input[2], shown.width};
  if (field.width >= input[3]) shown = {shown.y, 0, shown.height, input[3]};
  return shown;
}

}  // namespace examples
