// Every kernel in one program, for its machine code alone: nobody runs it.
#include <cstddef>
#include <vector>

#include <deconvnet/deconvnet.hpp>

namespace dn = deconvnet;

namespace {

/// An ONNX file may hold every operator, and each brings its reverse and its gradients with it.
std::size_t everything_in_float(const char* file) {
  auto net = dn::load_onnx<float>(file);
  const auto x = dn::zeros<float>({1, 3, 32, 32});
  dn::backpropagation<float> gradient;
  gradient(net, x, std::vector<std::size_t>{0}, 0);
  dn::sgd<float> update(net);
  update(net, gradient.gradients(), 0.01);
  return dn::project(net, net.forward(x), dn::layer(0), dn::unit{}).size();
}

/// The kernels without the operators around them, which would be as long again to compile.
std::size_t kernels_in_double() {
  return dn::kernels::current_gemm_tiles<double>().lanes + dn::kernels::current_window_maximum<double>().lanes +
         dn::kernels::current_weight_gradient_kernels<double>().lanes +
         (dn::kernels::current_element_kernels<double>().rectify != nullptr);
}

}  // namespace

int main(int, char** words) { return everything_in_float(words[1]) == kernels_in_double(); }
