// An operator of one's own, in a pipeline and in a network: with a reverse it takes part in projection, with a reach in
// receptive fields; without them the network still runs, and says what it cannot do.
#include <algorithm>
#include <cstddef>
#include <exception>
#include <iostream>
#include <string_view>

#include <deconvnet/deconvnet.hpp>

namespace dn = deconvnet;

/// y[n, c, i, j] = x[n, c, i, j + 1] - x[n, c, i, j]: vertical edges. N x C x H x W to N x C x H x (W - 1).
struct edges {
  static constexpr std::string_view kind = "edges";  // in tables and messages
  static constexpr dn::reverse_needs needs{};        // the reverse reads nothing of the forward run

  template <dn::scalar T>
  void forward(const dn::tensor4<T>& x, dn::tensor4<T>& y) const {
    dn::resize(y, output_shape(dn::shape_of(x)));
    const std::size_t width = y.shape(3);
    for (std::size_t k = 0; k < y.size(); ++k) {
      const T* from = x.data() + k / width * (width + 1) + k % width;
      y.data()[k] = from[1] - from[0];
    }
  }

  /// The adjoint: each value goes back to the two places it came from.
  template <dn::scalar T>
  dn::tensor4<T> reverse(const dn::tensor4<T>& signal, const dn::reverse_context<T>& at) const {
    auto result = dn::zeros<T>(at.input_shape());
    const std::size_t width = signal.shape(3);
    for (std::size_t k = 0; k < signal.size(); ++k) {
      T* to = result.data() + k / width * (width + 1) + k % width;
      to[1] += signal.data()[k];
      to[0] -= signal.data()[k];
    }
    return result;
  }

  /// Known shapes are checked when the layer is added; without this the operator is run once on zeros.
  dn::shape4 output_shape(const dn::shape4& in) const {
    if (in[3] < 2) throw dn::shape_error("edges: two columns are needed, not " + dn::shape_text(in));
    return {in[0], in[1], in[2], in[3] - 1};
  }

  /// One place of the output sees two columns of the input.
  dn::reach reach() const { return {.kernel = {1, 2}}; }
};

/// The least an operator can be: a forward that returns its result. Nothing can be projected through it.
struct energy {
  template <class X>
  auto operator()(const X& x) const {
    return x * x;
  }
};

namespace {

dn::conv2d<float> sums_of_nine() {
  return dn::conv2d<float>{dn::tensor4<float>({1, 1, 3, 3}, 1.f), {.padding = {1, 1}}};
}

/// Dark on the left, bright on the right.
dn::tensor4<float> step_image() {
  auto x = dn::zeros<float>({1, 1, 6, 8});
  for (std::size_t row = 0; row < 6; ++row) {
    for (std::size_t column = 4; column < 8; ++column) x(0, 0, row, column) = 1;
  }
  return x;
}

void print(const dn::box& field) {
  std::cout << "rows " << field.y << " ... " << field.y + static_cast<std::ptrdiff_t>(field.height) - 1 << ", columns "
            << field.x << " ... " << field.x + static_cast<std::ptrdiff_t>(field.width) - 1 << "\n";
}

void run() {
  const auto x = step_image();

  const dn::pipeline pipe{sums_of_nine(), edges{}, dn::relu{}};
  const auto seen = pipe.forward(x);
  const dn::unit u = dn::strongest(seen[2]);
  std::cout << "strongest edge at row " << u.y << ", column " << u.x << "\n";
  std::cout << "it sees ";
  print(dn::receptive_field(pipe, 2, u));
  const auto pixels = dn::project(pipe, seen, 2, u);
  const auto [darkest, brightest] = std::minmax_element(pixels.begin(), pixels.end());
  std::cout << "its picture goes from " << *darkest << " to " << *brightest << "\n";

  dn::network<float> net({1, 6, 8});
  net.add("sums", sums_of_nine());
  net.add("edges", edges{});
  net.add("relu", dn::relu{});
  net.add("energy", energy{});
  std::cout << "\n" << dn::summary(net) << "\n";
  const auto trace = net.forward(x);
  std::cout << "the network gives the pipeline's picture: "
            << (dn::project(net, trace, "relu", u) == pixels ? "yes" : "no") << "\n";
  try {
    dn::project(net, trace, "energy", u);
  } catch (const dn::unsupported_error& problem) {
    std::cout << "through energy: " << problem.what() << "\n";
  }
}

}  // namespace

int main() {
  try {
    run();
  } catch (const std::exception& problem) {
    std::cerr << "custom_operator: " << problem.what() << "\n";
    return 1;
  }
}
