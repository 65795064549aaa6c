#include <deconvnet/deconvnet.hpp>

float strongest_response();

float strongest_response() {
  auto x = deconvnet::zeros<float>({1, 1, 4, 4});
  x(0, 0, 2, 3) = 5.0F;
  const auto [output, switches] = deconvnet::max_pool2d{{.kernel = {2, 2}, .stride = {2, 2}}}(x);
  return output(0, 0, 1, 1);
}
