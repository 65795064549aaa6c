// oneDNN's side of peers.py: one convolution in the layouts it chooses; the conversions to them are not timed.
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <oneapi/dnnl/dnnl.hpp>

#include <deconvnet/io/npy.hpp>

#include "contestant.hpp"

namespace {

using json = nlohmann::json;
using tag = dnnl::memory::format_tag;
using dnnl::memory;

memory::desc description(const std::vector<memory::dim>& extents, tag layout) {
  return {extents, memory::data_type::f32, layout};
}

std::function<void()> prepare(const json& task) {
  // oneDNN takes its threads from OMP_NUM_THREADS, which peers.py sets.
  const auto input = deconvnet::load_npy<float, 4>(task.at("input").get<std::string>());
  const auto weight = deconvnet::load_npy<float, 4>(task.at("weight").get<std::string>());
  const memory::dim stride = task.at("stride"), padding = task.at("padding");
  const auto extent = [](const auto& tensor, std::size_t k) { return static_cast<memory::dim>(tensor.shape(k)); };
  const memory::dim out = (extent(input, 2) + 2 * padding - extent(weight, 2)) / stride + 1;
  const std::vector<memory::dim> x{1, extent(input, 1), extent(input, 2), extent(input, 3)};
  const std::vector<memory::dim> w{extent(weight, 0), extent(weight, 1), extent(weight, 2), extent(weight, 3)};
  const std::vector<memory::dim> y{1, w[0], out, out};

  struct state {
    dnnl::engine engine{dnnl::engine::kind::cpu, 0};
    dnnl::stream stream{engine};
    dnnl::convolution_forward convolution;
    memory x, w, bias, y;
  };
  const auto s = std::make_shared<state>();
  const auto method = task.value("algorithm", "direct") == "direct" ? dnnl::algorithm::convolution_direct
                                                                    : dnnl::algorithm::convolution_winograd;
  const dnnl::convolution_forward::desc wanted(dnnl::prop_kind::forward_inference, method, description(x, tag::any),
                                               description(w, tag::any), description({w[0]}, tag::a), description(y, tag::any),
                                               {stride, stride}, {padding, padding}, {padding, padding});
  const dnnl::convolution_forward::primitive_desc chosen(wanted, s->engine);
  s->x = memory(chosen.src_desc(), s->engine);
  s->w = memory(chosen.weights_desc(), s->engine);
  s->bias = memory(chosen.bias_desc(), s->engine);
  s->y = memory(chosen.dst_desc(), s->engine);
  std::vector<float> zero(static_cast<std::size_t>(w[0]));
  std::copy(zero.begin(), zero.end(), static_cast<float*>(s->bias.get_data_handle()));
  memory plain_x(description(x, tag::nchw), s->engine, const_cast<float*>(input.data()));
  memory plain_w(description(w, tag::oihw), s->engine, const_cast<float*>(weight.data()));
  dnnl::reorder(plain_x, s->x).execute(s->stream, plain_x, s->x);
  dnnl::reorder(plain_w, s->w).execute(s->stream, plain_w, s->w);
  s->convolution = dnnl::convolution_forward(chosen);
  const auto run = [s] {
    s->convolution.execute(s->stream, {{DNNL_ARG_SRC, s->x}, {DNNL_ARG_WEIGHTS, s->w}, {DNNL_ARG_BIAS, s->bias}, {DNNL_ARG_DST, s->y}});
    s->stream.wait();
  };
  run();
  auto result = xt::xtensor<float, 4>::from_shape(
      {1, static_cast<std::size_t>(y[1]), static_cast<std::size_t>(out), static_cast<std::size_t>(out)});
  memory plain_y(description(y, tag::nchw), s->engine, result.data());
  dnnl::reorder(s->y, plain_y).execute(s->stream, s->y, plain_y);
  s->stream.wait();
  deconvnet::save_npy(task.at("output").get<std::string>(), result);
  return run;
}

}  // namespace

int main() { contestant::serve(prepare); }
