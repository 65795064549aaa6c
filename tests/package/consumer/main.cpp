// Somebody else's program: two translation units that both include the umbrella.
#include <cstdlib>

#include <deconvnet/deconvnet.hpp>

float strongest_response();

namespace dn = deconvnet;

int main() {
  const auto x = dn::zeros<float>({1, 1, 4, 4});
  const auto y = dn::relu{}(x);
  return y.size() == 16 && strongest_response() == 5.0F ? EXIT_SUCCESS : EXIT_FAILURE;
}
