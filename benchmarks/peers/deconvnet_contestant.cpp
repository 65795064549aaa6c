// deconvnet's side of peers.py.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <deconvnet/deconvnet.hpp>

#include "contestant.hpp"

namespace {

namespace dn = deconvnet;
using json = nlohmann::json;
using work = std::function<void()>;

std::vector<dn::unit> units_of(const json& list) {
  std::vector<dn::unit> units;
  for (const auto& u : list) units.push_back({u.at(0), u.at(1), u.at(2), u.at(3)});
  return units;
}

/// The output alone, or, with "trace", every layer's into a trace that is there already.
work forward(const json& task) {
  const auto net = std::make_shared<dn::network<float>>(dn::load_onnx<float>(task.at("model")));
  const auto x = std::make_shared<dn::tensor4<float>>(dn::load_npy<float, 4>(task.at("input")));
  dn::save_npy(task.at("output").get<std::string>(), (*net)(*x));
  if (!task.value("trace", false)) return [=] { (*net)(*x); };
  const auto run = std::make_shared<dn::trace<float>>(net->forward(*x));
  return [=] { net->forward(*x, *run); };
}

/// Units of one layer, one picture each. "how": "units" on a given trace, "with forward" the forward pass included, "dense"
/// the whole maps sent down by deconv, one unit after the other.
work projection(const json& task) {
  const auto net = std::make_shared<dn::network<float>>(dn::load_onnx<float>(task.at("model")));
  const auto x = std::make_shared<dn::tensor4<float>>(dn::load_npy<float, 4>(task.at("input")));
  const auto run = std::make_shared<dn::trace<float>>(net->forward(*x));
  const auto units = units_of(task.at("units"));
  const std::string layer = task.at("layer");
  const std::string how = task.at("how");
  if (how == "dense") {
    const auto signal = std::make_shared<dn::tensor4<float>>(dn::zeros<float>(run->shape(layer)));
    const dn::unit u = units.at(0);
    (*signal)(u.n, u.c, u.y, u.x) = (*run)[layer](u.n, u.c, u.y, u.x);
    dn::save_npy(task.at("output").get<std::string>(), dn::deconv(*net, *run, layer, *signal));
    return [=] { dn::deconv(*net, *run, layer, *signal); };
  }
  const auto project = [=] {
    if (how == "with forward") net->forward(*x, *run);
    // One unit by the call that users make for one.
    return units.size() == 1 ? dn::project(*net, *run, layer, units[0])
                             : dn::project(*net, *run, layer, std::span<const dn::unit>(units));
  };
  dn::save_npy(task.at("output").get<std::string>(), project());
  return [=] { project(); };
}

work occlusion(const json& task) {
  const auto net = std::make_shared<dn::network<float>>(dn::load_onnx<float>(task.at("model")));
  const auto x = std::make_shared<dn::tensor4<float>>(dn::load_npy<float, 4>(task.at("input")));
  const auto run = [=, size = task.at("size").get<std::size_t>(), stride = task.at("stride").get<std::size_t>(),
                    incremental = task.at("incremental").get<bool>()] {
    return dn::occlusion_sensitivity(*net, *x, {.size = size, .stride = stride, .label = 0, .incremental = incremental});
  };
  dn::save_npy(task.at("output").get<std::string>(), run().probability);
  return [=] { run(); };
}

/// Steps of SGD on one batch. The result is the logits after the first step, in inference.
work training(const json& task) {
  const auto net = std::make_shared<dn::network<float>>(dn::load_onnx<float>(task.at("model")));
  const auto x = std::make_shared<dn::tensor4<float>>(dn::load_npy<float, 4>(task.at("input")));
  const auto labels = task.at("labels").get<std::vector<std::size_t>>();
  const auto pass = std::make_shared<dn::backpropagation<float>>();
  const auto optimizer = std::make_shared<dn::sgd<float>>(*net);
  const auto step = [=] {
    (*pass)(*net, *x, labels, 0);
    (*optimizer)(*net, pass->gradients(), 0.01);
  };
  step();
  dn::save_npy(task.at("output").get<std::string>(), (*net)(*x));
  return step;
}

/// One convolution: "forward", or "reverse", its adjoint applied to the output.
work convolution(const json& task) {
  const std::size_t in = task.at("in"), out = task.at("out"), kernel = task.at("kernel");
  auto weight = dn::load_npy<float, 4>(task.at("weight"));
  dn::tensor<float, 1> bias({out}, 0.0F);
  const std::size_t stride = task.at("stride"), padding = task.at("padding");
  if (weight.shape(0) != out || weight.shape(1) != in || weight.shape(2) != kernel) throw dn::error("the weight is another layer's");
  const auto conv = std::make_shared<dn::conv2d<float>>(std::move(weight), std::move(bias),
                                                        dn::conv2d_options{.stride = stride, .padding = padding});
  const auto x = std::make_shared<dn::tensor4<float>>(dn::load_npy<float, 4>(task.at("input")));
  const auto y = std::make_shared<dn::tensor4<float>>();
  conv->forward(*x, *y);
  dn::save_npy(task.at("output").get<std::string>(), *y);
  if (task.at("way") == "forward") return [=] { conv->forward(*x, *y); };
  const auto shape = dn::shape_of(*x);
  return [=] {
    const std::size_t images[] = {0};
    dn::reverse_context<float> at;
    at.input_shapes = {shape};
    at.images = images;
    conv->reverse(*y, at);
  };
}

work prepare(const json& task) {
  dn::set_thread_count(task.at("threads"));
  dn::set_algorithm(task.value("algorithm", "automatic") == "direct" ? dn::algorithm::direct : dn::algorithm::automatic);
  const std::string kind = task.at("kind");
  if (kind == "forward") return forward(task);
  if (kind == "projection") return projection(task);
  if (kind == "occlusion") return occlusion(task);
  if (kind == "training") return training(task);
  if (kind == "convolution") return convolution(task);
  throw dn::error("unknown work '" + kind + "'");
}

}  // namespace

int main() { contestant::serve(prepare); }
