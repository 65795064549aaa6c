// Layers as JSON: what a network file says of each, beside its weights.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <deconvnet/io/json.hpp>
#include <deconvnet/io/safetensors.hpp>
#include <deconvnet/network/network.hpp>
#include <deconvnet/ops/add.hpp>
#include <deconvnet/ops/avg_pool2d.hpp>
#include <deconvnet/ops/batch_norm.hpp>
#include <deconvnet/ops/concat.hpp>
#include <deconvnet/ops/conv2d.hpp>
#include <deconvnet/ops/conv_transpose2d.hpp>
#include <deconvnet/ops/dropout.hpp>
#include <deconvnet/ops/identity.hpp>
#include <deconvnet/ops/linear.hpp>
#include <deconvnet/ops/local_response_norm.hpp>
#include <deconvnet/ops/max_pool2d.hpp>
#include <deconvnet/ops/relu.hpp>
#include <deconvnet/ops/reshape.hpp>
#include <deconvnet/ops/scale_shift.hpp>
#include <deconvnet/ops/softmax.hpp>
#include <deconvnet/ops/transpose_layout.hpp>

namespace deconvnet::detail {

inline nlohmann::json to_json(const extent2d& e) { return {e.height, e.width}; }
inline nlohmann::json to_json(const padding2d& p) { return {p.top, p.left, p.bottom, p.right}; }

inline nlohmann::json window_json(const auto& options) {
  return {{"stride", to_json(options.stride)}, {"padding", to_json(options.padding)}, {"dilation", to_json(options.dilation)}};
}

/// The options of layer i. Throws unsupported_error for an operator that is not the library's.
template <scalar T>
nlohmann::json layer_options(const network<T>& net, std::size_t i) {
  const layer which(i);
  auto json = nlohmann::json::object();
  if (const auto* conv = net.template get_if<conv2d<T>>(which)) {
    json = window_json(conv->options());
    json["groups"] = conv->options().groups;
  } else if (const auto* transposed = net.template get_if<conv_transpose2d<T>>(which)) {
    json = window_json(transposed->options());
    json["groups"] = transposed->options().groups;
    json["output_size"] = to_json(transposed->options().output_size);
  } else if (const auto* max_pool = net.template get_if<max_pool2d>(which)) {
    json = window_json(max_pool->options());
    json["kernel"] = to_json(max_pool->options().kernel);
    json["ceil_mode"] = max_pool->options().ceil_mode;
  } else if (const auto* avg_pool = net.template get_if<avg_pool2d>(which)) {
    json = window_json(avg_pool->options());
    json["kernel"] = to_json(avg_pool->options().kernel);
    json["ceil_mode"] = avg_pool->options().ceil_mode;
    json["count_include_pad"] = avg_pool->options().count_include_pad;
  } else if (const auto* norm = net.template get_if<local_response_norm>(which)) {
    const auto& o = norm->options();
    json = {{"size", o.size}, {"alpha", o.alpha}, {"beta", o.beta}, {"bias", o.bias}};
  } else if (const auto* batch = net.template get_if<batch_norm<T>>(which)) {
    json = {{"epsilon", batch->epsilon()}};
  } else if (const auto* drop = net.template get_if<dropout>(which)) {
    json = {{"probability", drop->probability()}};
  } else if (const auto* soft = net.template get_if<softmax>(which)) {
    json = {{"over", soft->over() == softmax_over::channels ? "channels" : "features"}};
  } else if (const auto* shaped = net.template get_if<reshape>(which)) {
    json = {{"image", shaped->image()}};
  } else if (!net.template get_if<relu>(which) && !net.template get_if<linear<T>>(which) && !net.template get_if<flatten>(which) &&
             !net.template get_if<concat>(which) && !net.template get_if<add>(which) && !net.template get_if<identity>(which) &&
             !net.template get_if<global_avg_pool2d>(which) && !net.template get_if<scale_shift<T>>(which) &&
             !net.template get_if<transpose_layout>(which)) {
    throw unsupported_error(text("layer '", net.name(i), "': ", net.op(i).kind(),
                                 " is not an operator of the library: a network file cannot describe it"));
  }
  return json;
}

/// Reads what layer_options wrote and adds the layer, its weights from the tensors "<layer>.<parameter>", which it takes
/// out of the map. What is missing or has the wrong type throws error, as the operator does where a value is impossible.
template <scalar T>
class layer_reader {
 public:
  layer_reader(const nlohmann::json& json, std::map<std::string, stored_tensor<T>>& tensors) : json_(json), tensors_(tensors) {
    name_ = member(json_, "name").template get<std::string>();
  }

  void add_to(network<T>& net) {
    const auto kind = member(json_, "kind").template get<std::string>();
    std::vector<layer> inputs;
    for (const auto& input : member(json_, "inputs")) inputs.emplace_back(input.template get<std::string>());
    const auto put = [&](auto op) { net.add(name_, std::move(op), inputs); };
    if (kind == "conv2d") {
      const conv2d_options options{extent("stride"), padding(), extent("dilation"), option<std::size_t>("groups")};
      const auto weight = values<4>("weight");
      put(has("bias") ? conv2d<T>(weight, values<1>("bias"), options) : conv2d<T>(weight, options));
    } else if (kind == "conv_transpose2d") {
      const conv_transpose2d_options options{extent("stride"), padding(), extent("dilation"), option<std::size_t>("groups"),
                                             extent("output_size")};
      put(conv_transpose2d<T>(values<4>("weight"), options));
    } else if (kind == "linear") {
      const auto weight = values<2>("weight");
      put(has("bias") ? linear<T>(weight, values<1>("bias")) : linear<T>(weight));
    } else if (kind == "max_pool2d") {
      put(max_pool2d({extent("kernel"), extent("stride"), padding(), extent("dilation"), option<bool>("ceil_mode")}));
    } else if (kind == "avg_pool2d") {
      put(avg_pool2d({extent("kernel"), extent("stride"), padding(), extent("dilation"), option<bool>("ceil_mode"),
                      option<bool>("count_include_pad")}));
    } else if (kind == "local_response_norm") {
      put(local_response_norm({option<std::size_t>("size"), option<double>("alpha"), option<double>("beta"), option<double>("bias")}));
    } else if (kind == "batch_norm") {
      const auto epsilon = option<double>("epsilon");
      put(batch_norm<T>(values<1>("weight"), values<1>("bias"), values<1>("running_mean"), values<1>("running_var"), epsilon));
    } else if (kind == "scale_shift") {
      const auto scale = values<3>("scale");
      put(scale_shift<T>(scale, values<3>("shift")));
    } else if (kind == "dropout") {
      put(dropout(option<double>("probability")));
    } else if (kind == "softmax") {
      const auto over = option<std::string>("over");
      if (over != "channels" && over != "features") throw error("softmax over '" + over + "'");
      put(softmax(over == "channels" ? softmax_over::channels : softmax_over::features));
    } else if (kind == "reshape") {
      put(reshape(option<shape3>("image")));
    } else if (kind == "relu") {
      put(relu{});
    } else if (kind == "flatten") {
      put(flatten{});
    } else if (kind == "concat") {
      put(concat{});
    } else if (kind == "add") {
      put(add{});
    } else if (kind == "identity") {
      put(identity{});
    } else if (kind == "global_avg_pool2d") {
      put(global_avg_pool2d{});
    } else if (kind == "transpose_layout") {
      put(transpose_layout{});
    } else {
      throw error("there is no operator '" + kind + "'");
    }
  }

 private:
  static const nlohmann::json& member(const nlohmann::json& object, const std::string& key) {
    const auto found = object.find(key);
    if (!object.is_object() || found == object.end()) throw error("'" + key + "' is missing");
    return *found;
  }

  /// JSON converts between numbers silently: -1 would be a large size, 2.5 would be 2.
  template <class V>
  V option(const std::string& key) const {
    const auto& value = member(member(json_, "options"), key);
    const auto check_size = [&](const nlohmann::json& one) {
      if (!one.is_number_unsigned()) throw error("'" + key + "' is " + one.dump() + ", not a size");
    };
    if constexpr (std::is_same_v<V, std::size_t>) {
      check_size(value);
    } else if constexpr (!std::is_same_v<V, double> && !std::is_same_v<V, bool> && !std::is_same_v<V, std::string>) {
      if (!value.is_array() || value.size() != std::tuple_size_v<V>) throw error("'" + key + "' is " + value.dump());
      for (const auto& one : value) check_size(one);
    }
    return value.template get<V>();
  }

  extent2d extent(const std::string& key) const {
    const auto sizes = option<std::array<std::size_t, 2>>(key);
    return {sizes[0], sizes[1]};
  }

  padding2d padding() const {
    const auto sizes = option<std::array<std::size_t, 4>>("padding");
    return {sizes[0], sizes[1], sizes[2], sizes[3]};
  }

  bool has(const std::string& parameter) const { return tensors_.contains(name_ + "." + parameter); }

  template <std::size_t N>
  tensor<T, N> values(const std::string& parameter) {
    const auto found = tensors_.find(name_ + "." + parameter);
    if (found == tensors_.end()) throw error("there is no tensor '" + name_ + "." + parameter + "'");
    const auto& stored = found->second;
    if (stored.shape.size() != N) {
      throw shape_error(text("'", found->first, "' is ", shape_text(stored.shape), ", ", N, " extents are wanted"));
    }
    std::array<std::size_t, N> shape{};
    std::copy(stored.shape.begin(), stored.shape.end(), shape.begin());
    auto result = uninitialized_weights<T>(shape);
    std::copy(stored.values.begin(), stored.values.end(), result.data());
    tensors_.erase(found);
    return result;
  }

  const nlohmann::json& json_;
  std::map<std::string, stored_tensor<T>>& tensors_;
  std::string name_;
};

}  // namespace deconvnet::detail
