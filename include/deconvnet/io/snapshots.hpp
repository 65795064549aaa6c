// The snapshots of a training run as one safetensors file.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <deconvnet/io/safetensors.hpp>
#include <deconvnet/network/network_snapshot.hpp>

namespace deconvnet {

namespace detail {

/// All weights under one roof, as save_safetensors takes them: "epoch 5/conv1.weight".
template <scalar T>
struct snapshot_list {
  using value_type = T;
  std::span<const network_snapshot<T>> snapshots;

  std::vector<parameter<T>> parameters() const {
    std::vector<parameter<T>> list;
    for (const auto& one : snapshots) {
      for (const auto& weight : one.weights) {
        list.push_back({text("epoch ", one.epoch, "/", weight.name), weight.shape, weight.values});
      }
    }
    return list;
  }
};

}  // namespace detail

/// Writes snapshots, as F32 or F64 by their scalar or in half precision: three digits, which no picture shows. The file
/// appears in one step. Throws error for two snapshots of one epoch; file_error where the file cannot be written.
template <scalar T>
void save_snapshots(std::span<const network_snapshot<T>> snapshots, const std::filesystem::path& path,
                    storage precision = storage::native) {
  for (std::size_t k = 0; k < snapshots.size(); ++k) {
    for (std::size_t j = 0; j < k; ++j) {
      if (snapshots[j].epoch == snapshots[k].epoch) {
        throw error(detail::text("save_snapshots: two snapshots of epoch ", snapshots[k].epoch));
      }
    }
  }
  save_safetensors(detail::snapshot_list<T>{snapshots}, path, {.precision = precision});
}

template <scalar T>
void save_snapshots(const std::vector<network_snapshot<T>>& snapshots, const std::filesystem::path& path,
                    storage precision = storage::native) {
  save_snapshots(std::span<const network_snapshot<T>>(snapshots), path, precision);
}

/// The snapshots of a file, weights converted to T, in the order of their epochs. Throws file_error where the file is
/// damaged, has none, or has a tensor that is not "epoch <number>/<weight>".
template <scalar T>
std::vector<network_snapshot<T>> load_snapshots(const std::filesystem::path& path) {
  std::map<std::size_t, network_snapshot<T>> by_epoch;
  for (auto& [name, stored] : read_safetensors<T>(path)) {
    constexpr std::string_view prefix = "epoch ";
    const auto slash = name.find('/');
    std::size_t epoch = 0;
    const char* first = name.data() + std::min(prefix.size(), name.size());
    const char* last = name.data() + std::min(slash, name.size());
    const bool named = name.starts_with(prefix) && slash != std::string::npos;
    const auto [end, failed] = std::from_chars(first, last, epoch);
    if (!named || first >= last || failed != std::errc{} || end != last) {  // failed: more digits than a number has
      throw file_error(path.string(), "tensor '" + name + "' is no weight of a snapshot, \"epoch <number>/<weight>\"");
    }
    auto& snapshot = by_epoch[epoch];
    snapshot.epoch = epoch;
    snapshot.weights.push_back({name.substr(slash + 1), stored.shape, std::move(stored.values)});
  }
  if (by_epoch.empty()) throw file_error(path.string(), "there is no snapshot in it");
  std::vector<network_snapshot<T>> list;
  for (auto& [epoch, snapshot] : by_epoch) list.push_back(std::move(snapshot));
  return list;
}

}  // namespace deconvnet
