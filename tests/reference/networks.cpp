// Networks from ONNX files against float64 references made by another program (tests/fixtures/README.md).
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <limits>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include <nlohmann/json.hpp>

#include <deconvnet/io/npy.hpp>
#include <deconvnet/io/onnx.hpp>
#include <deconvnet/network/projection.hpp>

namespace {

namespace dn = deconvnet;
using json = nlohmann::json;

const std::filesystem::path folder = std::filesystem::path(DECONVNET_FIXTURES_DIR) / "networks";

const json& fixtures() {
  static const json networks = json::parse(std::ifstream(folder / "manifest.json")).at("networks");
  return networks;
}

template <class T>
constexpr double tolerance = std::is_same_v<T, double> ? 1e-10 : 1e-4;

dn::rule rule_of(const json& projection) {
  const auto name = projection.at("rule").get<std::string>();
  if (name == "gradient") return dn::rule::gradient;
  return name == "guided" ? dn::rule::guided : dn::rule::deconvnet;
}

/// One network of the manifest: loaded, run on its input, with the references beside it.
template <class T>
struct fixture {
  explicit fixture(const json& description)
      : entry(description),
        data(dn::load_npy<double, 1>(folder / entry.at("data").get<std::string>())),
        net(dn::load_onnx<T>((folder / entry.at("file").get<std::string>()).string())),
        input(array(entry.at("input"))),
        run(net.forward(input)) {}

  dn::tensor4<T> array(const json& where) const {
    const auto values = reference(where);
    auto result = dn::uninitialized<T>(dn::shape_of(values));
    std::transform(values.begin(), values.end(), result.begin(), [](double value) { return static_cast<T>(value); });
    return result;
  }

  dn::tensor4<double> reference(const json& where) const {
    auto shape = where.at("shape").get<std::vector<std::size_t>>();
    shape.insert(shape.begin(), 4 - shape.size(), 1);
    auto result = dn::uninitialized<double>({shape[0], shape[1], shape[2], shape[3]});
    const auto first = data.begin() + where.at("offset").get<std::ptrdiff_t>();
    std::copy(first, first + static_cast<std::ptrdiff_t>(result.size()), result.begin());
    return result;
  }

  /// The picture of all images, from the cut one of a single image in the file.
  dn::tensor4<double> picture(const json& projection) const {
    const auto cut = reference(projection);
    const auto box = projection.at("box").get<std::array<std::size_t, 4>>();
    const auto image = projection.at("unit").at(0).get<std::size_t>();
    auto result = dn::zeros<double>(dn::shape_of(input));
    for (std::size_t c = 0; c < cut.shape(1); ++c) {
      for (std::size_t y = 0; y < cut.shape(2); ++y) {
        for (std::size_t x = 0; x < cut.shape(3); ++x) result(image, c, box[0] + y, box[1] + x) = cut(0, c, y, x);
      }
    }
    return result;
  }

  dn::tensor4<T> project(const json& projection) const {
    const auto layer = projection.at("layer").get<std::string>();
    const auto at = projection.at("unit").get<std::array<std::size_t, 4>>();
    const auto how = rule_of(projection);
    const auto seed = projection.at("seed").get<std::string>();
    if (seed == "map") return dn::project(net, run, layer, dn::feature_map{at[0], at[1]}, how);
    const auto start = seed == "one" ? dn::seed::one : dn::seed::activation;
    return dn::project(net, run, layer, dn::unit{at[0], at[1], at[2], at[3]}, how, start);
  }

  json entry;
  dn::tensor<double, 1> data;
  dn::network<T> net;
  dn::tensor4<T> input;
  dn::trace<T> run;
};

/// max|a - b| / max|b|; where b is all zero, a has to be, exactly. Infinite where the shapes differ.
template <class T>
double relative_error(const dn::tensor4<T>& a, const dn::tensor4<double>& b) {
  if (dn::shape_of(a) != dn::shape_of(b)) return std::numeric_limits<double>::infinity();
  double difference = 0;
  double scale = 0;
  for (std::size_t k = 0; k < b.size(); ++k) {
    const double gap = std::abs(static_cast<double>(a.data()[k]) - b.data()[k]);
    difference = gap <= difference ? difference : gap;  // a NaN is kept
    scale = std::max(scale, std::abs(b.data()[k]));
  }
  return scale > 0 ? difference / scale : difference;
}

}  // namespace

TEST_CASE_TEMPLATE("networks from ONNX files compute the values of the float64 reference", T, double, float) {
  for (const json& entry : fixtures()) {
    CAPTURE(entry.at("name").get<std::string>());
    const fixture<T> seen(entry);
    for (const json& value : entry.at("values")) {
      const auto name = value.at("name").get<std::string>();
      CAPTURE(name);
      CHECK(relative_error(seen.run[name], seen.reference(value)) < tolerance<T>);
    }
    const json& last = entry.at("values").back();
    CHECK(relative_error(seen.net(seen.input), seen.reference(last)) < tolerance<T>);
  }
}

TEST_CASE_TEMPLATE("projections under all three rules are those of the float64 reference", T, double, float) {
  for (const json& entry : fixtures()) {
    CAPTURE(entry.at("name").get<std::string>());
    const fixture<T> seen(entry);
    for (const json& projection : entry.at("projections")) {
      CAPTURE(projection.dump());
      CHECK(relative_error(seen.project(projection), seen.picture(projection)) < tolerance<T>);
    }
  }
}

TEST_CASE("an image's projection does not depend on the batch it travels in") {
  for (const json& entry : fixtures()) {
    CAPTURE(entry.at("name").get<std::string>());
    const fixture<double> seen(entry);
    const auto shape = dn::shape_of(seen.input);
    auto second = dn::uninitialized<double>({1, shape[1], shape[2], shape[3]});
    const auto pixels = dn::image_span(seen.input, 1);
    std::copy(pixels.begin(), pixels.end(), second.begin());
    const auto alone = seen.net.forward(second);
    for (const json& projection : entry.at("projections")) {
      const auto at = projection.at("unit").get<std::array<std::size_t, 4>>();
      if (at[0] != 1 || projection.at("seed") != "activation" || projection.at("rule") != "deconvnet") continue;
      const auto layer = projection.at("layer").get<std::string>();
      CAPTURE(layer);
      const auto single = dn::project(seen.net, alone, layer, dn::unit{0, at[1], at[2], at[3]});
      const auto batch = dn::project(seen.net, seen.run, layer, dn::unit{1, at[1], at[2], at[3]});
      const auto expected = dn::image_span(batch, 1);
      CHECK(std::equal(single.begin(), single.end(), expected.begin(), expected.end()));
    }
  }
}

TEST_CASE("units of several images go down together as each does alone, and as a signal of the whole batch does") {
  for (const json& entry : fixtures()) {
    CAPTURE(entry.at("name").get<std::string>());
    const fixture<double> seen(entry);
    for (const json& projection : entry.at("projections")) {
      if (projection.at("seed") != "activation") continue;
      const auto layer = projection.at("layer").get<std::string>();
      const auto how = rule_of(projection);
      CAPTURE(projection.dump());
      const auto at = projection.at("unit").get<std::array<std::size_t, 4>>();
      const std::array<dn::unit, 3> units{dn::unit{1, at[1], at[2], at[3]}, dn::unit{0, at[1], at[2], at[3]},
                                          dn::unit{1, 0, 0, 0}};
      const auto pictures = dn::project(seen.net, seen.run, layer, std::span<const dn::unit>(units), how);
      REQUIRE(pictures.shape(0) == units.size());
      for (std::size_t k = 0; k < units.size(); ++k) {
        const auto alone = dn::project(seen.net, seen.run, layer, units[k], how);
        const auto expected = dn::image_span(alone, units[k].n);
        const auto picture = dn::image_span(pictures, k);
        CHECK(std::equal(picture.begin(), picture.end(), expected.begin(), expected.end()));
      }
      auto signal = dn::zeros<double>(dn::shape_of(seen.run[layer]));
      signal(1, at[1], at[2], at[3]) = seen.run[layer](1, at[1], at[2], at[3]);
      signal(0, at[1], at[2], at[3]) = seen.run[layer](0, at[1], at[2], at[3]);
      const auto both = dn::deconv(seen.net, seen.run, layer, signal, how);
      for (std::size_t n = 0; n < 2; ++n) {
        const auto picture = dn::image_span(both, n);
        const auto expected = dn::image_span(pictures, 1 - n);
        CHECK(std::equal(picture.begin(), picture.end(), expected.begin(), expected.end()));
      }
    }
  }
}
