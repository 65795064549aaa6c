// A training run in a file: its tensors, and as text all else that it needs to go on.
#pragma once

#include <concepts>
#include <filesystem>
#include <map>
#include <string>
#include <utility>

#include <deconvnet/io/safetensors.hpp>
#include <deconvnet/tensor/error.hpp>

namespace deconvnet {

/// What a checkpoint holds: training_state, or anything that gives its numbers and texts as it does.
template <class State>
concept resumable = std::copyable<State> && requires(State& state, const State& known, const std::map<std::string, std::string>& metadata) {
  { known.parameters() };
  { known.metadata() } -> std::convertible_to<std::map<std::string, std::string>>;
  { state.restore(metadata) };
};

/// Writes the state; the file appears in one step, so a run killed at any moment leaves a whole one. `more`: further texts,
/// which read_safetensors_metadata gives back. Throws error for a text under a name that is the state's own; file_error
/// where the file cannot be written.
template <resumable State>
void save_checkpoint(const State& state, const std::filesystem::path& path, const std::map<std::string, std::string>& more = {}) {
  std::map<std::string, std::string> metadata = state.metadata();
  for (const auto& [key, value] : more) {
    if (!metadata.emplace(key, value).second) throw error("save_checkpoint: the key '" + key + "' is the state's own");
  }
  save_safetensors(state, path, {.metadata = std::move(metadata)});
}

/// Reads it into a state made from a network of the same layers and the same options. Throws file_error where the file is
/// damaged or of another run, saying how; then the state has not changed.
template <resumable State>
void load_checkpoint(State& state, const std::filesystem::path& path) {
  try {
    State next = state;
    next.restore(read_safetensors_metadata(path));  // first: it tells more about another run than tensors that do not fit
    load_safetensors(next, path);
    state = std::move(next);
  } catch (const file_error&) {
    throw;
  } catch (const error& problem) {
    const std::string begin = path.string() + ": ";
    const std::string what = problem.what();
    throw file_error(path.string(), what.starts_with(begin) ? what.substr(begin.size()) : what);
  }
}

}  // namespace deconvnet
