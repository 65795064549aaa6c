// A network as a table: layer, kind, shape, parameters, multiply-adds.
#pragma once

#include <algorithm>
#include <cstddef>
#include <iomanip>
#include <sstream>
#include <string>
#include <utility>

#include <deconvnet/network/network.hpp>

namespace deconvnet {

/// One line per layer, then the sums; shapes and multiply-adds are for one image and stand as "?" where the input's
/// extents are not fixed. Ends with a newline.
template <scalar T>
std::string summary(const network<T>& net) {
  const auto layers = net.layers();
  std::size_t name_width = 5;
  std::size_t kind_width = 4;
  for (const auto& info : layers) {
    name_width = std::max(name_width, info.name.size());
    kind_width = std::max(kind_width, info.kind.size());
  }
  std::ostringstream table;
  const auto row = [&](const std::string& name, const std::string& kind, const std::string& shape,
                       const std::string& parameters, const std::string& multiply_adds) {
    table << std::left << std::setw(static_cast<int>(name_width)) << name << "  " << std::setw(static_cast<int>(kind_width))
          << kind << "  " << std::setw(22) << shape << std::right << std::setw(12) << parameters << std::setw(16)
          << multiply_adds << "\n";
  };
  row("layer", "kind", "shape", "parameters", "multiply-adds");
  std::size_t parameters = 0;
  std::size_t multiply_adds = 0;
  bool known = true;
  for (const auto& info : layers) {
    const bool fixed = info.shape[0] != 0;
    row(info.name, info.kind, fixed ? shape_text(info.shape) : "?", std::to_string(info.parameters),
        fixed ? std::to_string(info.multiply_adds) : "?");
    parameters += info.parameters;
    multiply_adds += info.multiply_adds;
    known = known && fixed;
  }
  row("total", "", "", std::to_string(parameters), known ? std::to_string(multiply_adds) : "?");
  return std::move(table).str();
}

}  // namespace deconvnet
