// A trace: what one forward run leaves behind.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include <deconvnet/network/identity.hpp>
#include <deconvnet/network/layer.hpp>
#include <deconvnet/ops/channel_part.hpp>
#include <deconvnet/ops/sign_bits.hpp>
#include <deconvnet/ops/switches.hpp>

namespace deconvnet {

/// Which layers a forward run keeps. Empty: every layer. Else those, and of the layers below them what projecting needs:
/// switches, and one sign bit per activation of a ReLU. Layers that no kept one depends on are not computed.
struct trace_options {
  std::vector<layer> keep{};
};

namespace detail {

/// What a trace holds of one value: place 0 is the network's input, place i + 1 the output of layer i.
template <scalar T>
struct trace_record {
  shape4 shape{};  // all zero where the run did not come here
  tensor4<T> value;
  bool kept = false;
  deconvnet::switches switches;
  sign_bits signs;
};

/// Which values a run computes and what it keeps of each.
struct trace_plan {
  std::vector<bool> needed;
  std::vector<bool> keep_value;
  std::vector<bool> keep_signs;
  std::vector<std::size_t> last_use;  // the last layer that reads a value
  std::vector<bool> rectified;        // the layer does the work of the ReLU above it, its only reader
  std::vector<channel_part> parts;    // where the layer writes the channels of a concatenation, its only reader; or of value 0
  std::vector<bool> put_together;     // the concatenation finds all its channels written
  bool keep_switches = true;
};

template <scalar T>
struct trace_writer;

}  // namespace detail

/// Every layer's output and every pool's switches of one forward run, or as much as trace_options keeps. A value: it may
/// be copied, moved and read after the network is gone. net.forward(x, run) fills it again; x may be a layer of it. A run
/// that throws on the way leaves it empty.
/// A trace belongs to the network or pipeline that made it, and to its copies. project, deconv and deconv_pipeline throw
/// error for a trace of any other, also of one put together in the same way, and for a trace made before a layer was added
/// or a parameter edited: switches of one network and weights of another give a picture of neither.
template <scalar T>
class trace {
 public:
  /// The output of a layer, N x C x H x W; a matrix is N x C x 1 x 1. Throws error where there is no such layer or the
  /// run did not keep it.
  const tensor4<T>& operator[](const layer& which) const {
    const std::size_t index = find(which);
    const auto& record = records_[index + 1];
    if (!record.kept) {
      throw error(detail::text("the run did not keep layer '", (*names_)[index], "': name it in .keep"));
    }
    return record.value;
  }

  /// The switches of a max-pool. Throws error where the layer is none or the run did not reach it.
  const deconvnet::switches& switches(const layer& which) const {
    const std::size_t index = find(which);
    const auto& record = records_[index + 1];
    if (record.switches.places.size() == 0) {
      throw error(detail::text("layer '", (*names_)[index], "' has no switches in this run"));
    }
    return record.switches;
  }

  /// The input of the run, N x C x H x W, where it was kept (always, unless .keep named layers).
  const tensor4<T>& input() const {
    if (records_.empty() || !records_[0].kept) throw error("the run did not keep its input");
    return records_[0].value;
  }

  /// The shape of a layer's output, kept or not.
  const shape4& shape(const layer& which) const { return records_[find(which) + 1].shape; }
  const shape4& input_shape() const {
    if (records_.empty()) throw error("the trace is empty: no run has filled it");
    return records_[0].shape;
  }

  bool empty() const { return records_.empty(); }

 private:
  template <scalar>
  friend struct trace_access;
  template <scalar>
  friend struct detail::trace_writer;

  std::size_t find(const layer& which) const {
    if (!names_) throw error("the trace is empty: no run has filled it");
    return names_->find(which);
  }

  std::shared_ptr<const detail::layer_names> names_;
  std::optional<detail::network_identity> made_by_;  // where names_ is set
  trace_options options_;
  detail::trace_plan plan_;  // of options_ and the layers of made_by_
  std::vector<detail::trace_record<T>> records_;
  std::optional<std::size_t> nonfinite_;  // the first element of the input that is NaN or infinite
};

/// The insides of a trace, for the passes of this library that walk a network down.
template <scalar T>
struct trace_access {
  static const std::vector<detail::trace_record<T>>& records(const trace<T>& run) { return run.records_; }
  static const std::optional<detail::network_identity>& made_by(const trace<T>& run) { return run.made_by_; }
  static std::optional<std::size_t> nonfinite(const trace<T>& run) { return run.nonfinite_; }
};

}  // namespace deconvnet
