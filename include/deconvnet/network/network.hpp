// A network put together at run time: a graph of named layers.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <deconvnet/network/evaluation.hpp>
#include <deconvnet/network/identity.hpp>
#include <deconvnet/network/layer.hpp>
#include <deconvnet/network/node.hpp>
#include <deconvnet/network/output_evaluation.hpp>
#include <deconvnet/network/trace.hpp>

namespace deconvnet {

/// One row of net.layers(). `shape` is for one image; all zero where the input's extents are not fixed. `inputs` are
/// the names of what the layer reads.
struct layer_info {
  std::string name;
  std::string kind;
  shape4 shape{};
  std::vector<std::string> inputs;
  std::size_t parameters = 0;
  std::size_t multiply_adds = 0;
};

template <class... Ops>
class pipeline;

/// A directed graph of operators, each reading the input or earlier layers. A value: copies share weights until one is
/// edited. A const network may be called from several threads at once. Traces made before an edit of layers or weights
/// cannot be projected any more; see trace.
template <scalar T>
class network {
 public:
  using value_type = T;

  /// input: C x H x W of an image, 0 for an extent that is not fixed; the batch never is.
  explicit network(const shape3& input = {0, 0, 0}, std::string input_name = "input")
      : names_(std::make_shared<detail::layer_names>()), input_name_(std::move(input_name)), input_(input) {
    shapes_.push_back(is_fixed() ? shape4{1, input[0], input[1], input[2]} : shape4{});
    element_count(shapes_[0], "the input");
  }

  /// Adds a layer that reads the layer added last, or the input. Throws error for a name that is taken, by a layer or the
  /// input; shape_error where the shapes are known and do not fit.
  template <class Op>
    requires layer_operator<Op, T>
  layer add(std::string name, Op op) {
    return insert(std::move(name), std::make_shared<detail::node_of<T, Op>>(std::move(op)), {nodes_.size()});
  }

  /// Adds a layer that reads these, by name or index; the network's input by its own name, which wins over aliases.
  template <class Op>
    requires layer_operator<Op, T>
  layer add(std::string name, Op op, const std::vector<layer>& inputs) {
    std::vector<std::size_t> places;
    for (const layer& which : inputs) places.push_back(place_of(which));
    return insert(std::move(name), std::make_shared<detail::node_of<T, Op>>(std::move(op)), std::move(places));
  }

  /// A second name for a layer. Names of layers win over aliases, and the first use of an alias over later ones.
  void alias(std::string other_name, const layer& which) {
    const std::size_t index = names_->find(which);
    edit_names().alias(std::move(other_name), index);
  }

  /// The layer that operator() returns; without this the last one added.
  void set_output(const layer& which) { output_ = names_->find(which); }
  std::size_t output() const {
    if (nodes_.empty()) throw error("the network has no layers");
    return output_.value_or(nodes_.size() - 1);
  }

  const std::string& input_name() const { return input_name_; }
  const shape3& input_shape() const { return input_; }

  /// The index of a layer in layers(). Throws error, listing near names, where there is none.
  std::size_t find(const layer& which) const { return names_->find(which); }
  bool contains(const std::string& name) const { return names_->contains(name); }
  std::size_t size() const { return nodes_.size(); }

  /// Names, kinds, output shapes, in execution order.
  std::vector<layer_info> layers() const {
    std::vector<layer_info> list;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      layer_info info{(*names_)[i], std::string(nodes_[i].op->kind()), shapes_[i + 1], {}, 0, 0};
      std::vector<shape4> shapes;
      for (const std::size_t v : nodes_[i].inputs) {
        info.inputs.push_back(v == 0 ? input_name_ : (*names_)[v - 1]);
        shapes.push_back(shapes_[v]);
      }
      for (const auto& p : nodes_[i].op->parameters()) info.parameters += p.values.size();
      if (is_known(info.shape)) info.multiply_adds = nodes_[i].op->multiply_adds(shapes, info.shape);
      list.push_back(std::move(info));
    }
    return list;
  }

  /// Every weight by name: "<layer>.weight", "<layer>.bias" and so on. The spans live until the network is edited.
  std::vector<parameter<T>> parameters() const {
    std::vector<parameter<T>> list;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      for (auto& p : nodes_[i].op->parameters()) {
        p.name = (*names_)[i] + "." + p.name;
        list.push_back(std::move(p));
      }
    }
    return list;
  }

  /// Overwrites a weight, in a copy of its own where it is shared. Throws error for an unknown name, shape_error for
  /// another number of values.
  void set_parameter(const std::string& name, std::span<const T> values) {
    const std::span<T> target = edit_parameter(name);
    if (target.size() != values.size()) {
      throw shape_error(detail::text("parameter '", name, "' has ", target.size(), " values, not ", values.size()));
    }
    std::copy(values.begin(), values.end(), target.begin());
  }

  /// The values of a weight, for writing; they live until the network is copied or edited otherwise. Traces made before
  /// this call are out of date from here on; what is written after a later run is not noticed: ask again for each edit.
  std::span<T> edit_parameter(const std::string& name) {
    // Layers and parameters may both have dots in their names.
    for (std::size_t dot = name.rfind('.'); dot != std::string::npos && dot != 0; dot = name.rfind('.', dot - 1)) {
      if (!names_->contains(name.substr(0, dot))) continue;
      auto& node = nodes_[names_->find(name.substr(0, dot))];
      if (node.op.use_count() > 1) node.op = node.op->clone();
      const std::span<T> found = node.op->edit(name.substr(dot + 1));
      if (!found.empty()) {
        identity_.weights_edited();
        return found;
      }
    }
    throw error("there is no parameter '" + name + "'");
  }

  /// The operator of a layer, where it is of this type; else null.
  template <class Op>
  const Op* get_if(const layer& which) const {
    const auto* node = dynamic_cast<const detail::node_of<T, Op>*>(nodes_[find(which)].op.get());
    return node ? &node->get() : nullptr;
  }

  /// Runs the network on x, N x C x H x W, and returns its trace. Throws shape_error where x does not fit, naming the layer.
  template <expression_of_rank<4> X>
  trace<T> forward(const X& x, const trace_options& options = {}) const {
    trace<T> run;
    forward(x, run, options);
    return run;
  }

  /// The same into a trace that is there already, reusing its memory; what it keeps stays as it was made.
  template <expression_of_rank<4> X>
  void forward(const X& x, trace<T>& run) const {
    forward(x, run, detail::trace_writer<T>::options(run));
  }

  template <expression_of_rank<4> X>
  void forward(const X& x, trace<T>& run, const trace_options& options) const {
    const auto& in = contiguous<T, 4>(x);
    check_input(shape_of(in));
    detail::trace_writer<T>::fill(*this, names_, [this] { return plan_steps(); }, in, run, options);
  }

  /// The output alone, without a trace: values are let go as soon as no layer needs them. A batch goes through image by image
  /// or a few at a time, on all threads, as far as the first fully connected layer, which reads its weights once for all.
  template <expression_of_rank<4> X>
  tensor4<T> operator()(const X& x) const {
    const auto& in = contiguous<T, 4>(x);
    check_input(shape_of(in));
    return detail::evaluate_output(*this, in);
  }

  std::vector<detail::plan_step> plan_steps() const {
    std::vector<detail::plan_step> list;
    for (const auto& node : nodes_) {
      const auto& op = *node.op;
      list.push_back({node.inputs, op.needs(), op.is_rectifier(), op.can_rectify(), op.is_concat(), op.part_channels()});
    }
    return list;
  }

  // What the passes over a network read: for layer i its operator and the places of its inputs, 0 for the network's
  // input and k + 1 for layer k.
  const std::vector<std::size_t>& inputs(std::size_t i) const { return nodes_[i].inputs; }
  const detail::node_operator<T>& op(std::size_t i) const { return *nodes_[i].op; }
  const std::string& name(std::size_t i) const { return (*names_)[i]; }
  const detail::layer_names& names() const { return *names_; }
  const detail::network_identity& identity() const { return identity_; }
  /// The shape of a value for one image; all zero where it is not known.
  const shape4& value_shape(std::size_t place) const { return shapes_[place]; }

  void forward_layer(std::size_t i, tensor_list<T> list, tensor4<T>& y, switches* record) const {
    nodes_[i].op->forward(list, y, record);
  }
  void forward_rectified(std::size_t i, tensor_list<T> list, tensor4<T>& y) const { nodes_[i].op->forward_rectified(list, y); }
  shape4 forward_part(std::size_t i, const tensor4<T>& x, tensor4<T>& whole, const detail::channel_part& part, bool rectify) const {
    return nodes_[i].op->forward_part(x, whole, part, rectify);
  }
  bool works_in_place(std::size_t i) const { return nodes_[i].op->works_in_place(); }
  void forward_in_place(std::size_t i, tensor4<T>& x) const { nodes_[i].op->forward_in_place(x); }

 private:
  template <class... Ops>
  friend class pipeline;  // as_network() is the pipeline under another type

  struct entry {
    std::shared_ptr<detail::node_operator<T>> op;
    std::vector<std::size_t> inputs;
  };

  static bool is_known(const shape4& shape) { return shape[0] != 0; }
  bool is_fixed() const { return input_[0] != 0 && input_[1] != 0 && input_[2] != 0; }

  std::size_t place_of(const layer& which) const {
    if (which.is_name() && which.name() == input_name_) return 0;
    return names_->find(which) + 1;
  }

  /// Traces share the names: what they hold must not change under them.
  detail::layer_names& edit_names() {
    if (names_.use_count() > 1) names_ = std::make_shared<detail::layer_names>(*names_);
    return *names_;
  }

  layer insert(std::string name, std::shared_ptr<detail::node_operator<T>> op, std::vector<std::size_t> places) {
    if (name == input_name_) throw error("a layer cannot have the name of the network's input, '" + name + "'");
    const auto [least, most] = op->arity();
    if (places.size() < least || (most != 0 && places.size() > most)) {
      throw error(detail::text("layer '", name, "': ", op->kind(), " cannot take ", places.size(), " inputs"));
    }
    shape4 shape{};
    std::vector<shape4> in;
    for (const std::size_t v : places) in.push_back(shapes_[v]);
    if (std::all_of(in.begin(), in.end(), is_known)) {
      shape = detail::named(name, [&] {
        const shape4 out = op->output_shape(in);
        element_count(out);
        return out;
      });
    }
    edit_names().add(std::move(name));
    nodes_.push_back({std::move(op), std::move(places)});
    shapes_.push_back(shape);
    identity_.layers_edited();
    return layer(nodes_.size() - 1);
  }

  void check_input(const shape4& in) const {
    const bool empty = std::find(in.begin(), in.end(), std::size_t{0}) != in.end();
    if (empty || (input_[0] != 0 && in[1] != input_[0])) {
      throw shape_error(detail::text("input '", input_name_, "': ", shape_text(in), " given, N x ",
                                     input_[0] ? std::to_string(input_[0]) : "C", " x H x W needed"));
    }
  }

  std::shared_ptr<detail::layer_names> names_;
  detail::network_identity identity_;
  std::vector<entry> nodes_;
  std::vector<shape4> shapes_;
  std::string input_name_;
  shape3 input_;
  std::optional<std::size_t> output_;
};

}  // namespace deconvnet
