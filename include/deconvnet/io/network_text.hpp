// The layers of a network as text: what two networks can be compared by.
#pragma once

#include <cstddef>
#include <string>

#include <deconvnet/io/layer_json.hpp>
#include <deconvnet/network/network.hpp>

namespace deconvnet {

/// One line for the input, each layer (name, kind, inputs, options, shapes of its parameters) and the output. Two networks of
/// the same text differ in their weights alone. Throws unsupported_error for an operator that is not the library's.
template <scalar T>
std::string network_text(const network<T>& net) {
  std::string lines = "input: '" + net.input_name() + "' " + shape_text(net.input_shape());
  const auto infos = net.layers();
  for (std::size_t i = 0; i < infos.size(); ++i) {
    lines += "\nlayer '" + infos[i].name + "': " + infos[i].kind + " of";
    for (const auto& input : infos[i].inputs) lines += " '" + input + "'";
    if (const auto options = detail::layer_options(net, i); !options.empty()) lines += " " + options.dump();
    for (const auto& p : net.op(i).parameters()) lines += ", " + p.name + " " + shape_text(p.shape);
  }
  return lines + "\noutput: '" + net.name(net.output()) + "'";
}

}  // namespace deconvnet
