// The checkpoint of `train`: the state of the run, what it stands on, and the statistics of its pictures.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <deconvnet/deconvnet.hpp>

#include "training_arguments.hpp"

namespace examples {

namespace dn = deconvnet;

/// FNV-1a: tells sets of pictures apart, no more.
class fingerprint {
 public:
  void add(const void* bytes, std::size_t count) {
    for (std::size_t k = 0; k < count; ++k) value_ = (value_ ^ static_cast<const unsigned char*>(bytes)[k]) * 0x100000001b3U;
  }

  std::string text() const {
    char digits[17];
    std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(value_));
    return digits;
  }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325U;
};

/// What a run stands on beside its recipe. Of the pictures all labels and three pictures are looked at: to read them all
/// would take as long as a part of the training.
template <class Images>
std::string setting_of(const training_arguments& args, const Images& all, const std::vector<std::string>& classes,
                       const dn::network<float>& net) {
  fingerprint of_labels, of_pixels, of_names;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto label = static_cast<std::uint64_t>(all.label(i));
    of_labels.add(&label, sizeof label);
  }
  for (const std::size_t i : {std::size_t{0}, all.size() / 2, all.size() - 1}) {
    const auto picture = all.image(i);
    of_pixels.add(picture.data(), picture.size() * sizeof(*picture.data()));
  }
  for (const auto& name : classes) of_names.add(name.c_str(), name.size() + 1);
  return dn::detail::text("data: ", all.size(), " pictures of ", classes.size(), " classes, ", of_names.text(), " ", of_labels.text(), " ",
                          of_pixels.text(), "\nresize: ", args.resize, "\nmean: ", args.mean, "\ninitialization: ", args.initialization,
                          "\n", dn::network_text(net));
}

/// The statistics that were written with a checkpoint; nothing where there is no checkpoint yet. They are not computed anew.
inline std::optional<dn::normalization> checkpoint_normalization(const std::string& path) {
  if (path.empty() || !std::filesystem::exists(path)) return std::nullopt;
  const auto metadata = dn::read_safetensors_metadata(path);
  dn::normalization result{.scale = 1.0 / 255.0, .mean = {}, .stddev = {}};
  try {
    for (const auto& [key, values] : {std::pair{"train.mean", &result.mean}, std::pair{"train.stddev", &result.stddev}}) {
      const auto found = metadata.find(key);
      if (found == metadata.end()) throw dn::error(std::string("its metadata have no '") + key + "': it is no checkpoint of train");
      dn::detail::text_reader numbers(key, found->second);
      while (!numbers.at_end()) values->push_back(numbers.number());
    }
  } catch (const dn::error& problem) {
    throw dn::file_error(path, problem.what());
  }
  return result;
}

inline void write_checkpoint(const dn::training_state<float>& state, const std::string& path, const dn::normalization& normalization) {
  std::map<std::string, std::string> more;
  for (const auto& [key, values] : {std::pair{"train.mean", &normalization.mean}, std::pair{"train.stddev", &normalization.stddev}}) {
    for (const double value : *values) more[key] += (more[key].empty() ? "" : " ") + dn::detail::exact_text(value);
  }
  dn::save_checkpoint(state, path, more);
}

/// A checkpoint goes on where it was written; without one the run begins.
inline void resume(dn::training_state<float>& state, const std::string& path) {
  if (path.empty() || !std::filesystem::exists(path)) return;
  dn::load_checkpoint(state, path);
  std::printf("going on from %s: %zu epochs and %zu batches are done\n", path.c_str(), state.epoch, state.batch);
}

}  // namespace examples
