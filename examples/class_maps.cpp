// What in a photograph speaks for a class: gradient saliency, guided backpropagation and Grad-CAM beside the
// photograph.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "experiment.hpp"

namespace {

namespace dn = deconvnet;

struct arguments {
  std::string network, photograph, labels, layer;
  std::optional<std::size_t> label;
  std::string preprocessing;
  std::string out = "figures";
};

/// The value that 99 of 100 places do not exceed: a few strong pixels would leave the rest of a map black.
double high_value(const xt::xtensor<float, 2>& map) {
  std::vector<float> values(map.begin(), map.end());
  const auto place = values.begin() + static_cast<std::ptrdiff_t>(values.size() * 99 / 100);
  std::nth_element(values.begin(), place, values.end());
  return static_cast<double>(*place);
}

xt::xtensor<float, 3> saliency_picture(const xt::xtensor<float, 2>& map) {
  const double high = high_value(map);
  if (!(high > 0)) return dn::colorize(map);
  return dn::colorize(map, {.low = 0, .high = high});
}

/// The map, smoothly enlarged, over the photograph in grey: every colour is the map's.
xt::xtensor<float, 3> heat_over(const xt::xtensor<float, 3>& photograph, const xt::xtensor<float, 2>& map) {
  auto grey = xt::xtensor<float, 3>::from_shape({1, photograph.shape(1), photograph.shape(2)});
  const float* p = photograph.data();
  for (std::size_t k = 0; k < grey.size(); ++k) {
    grey.data()[k] = (p[k] + p[grey.size() + k] + p[2 * grey.size() + k]) / 3;
  }
  const float most = *std::max_element(map.begin(), map.end());
  dn::colormap_options colors{.low = 0};
  colors.high = most > 0 ? static_cast<double>(most) : 1;
  return dn::overlay(grey, dn::resize(map, grey.shape(1), grey.shape(2)), {.opacity = 0.5, .colors = colors});
}

void show(const arguments& args) {
  const auto [net, options, labels] = examples::open_network(args.network, args.preprocessing, args.labels);
  const auto input = dn::preprocess(examples::load_photograph(args.photograph, net.input_shape()[0]), options);
  const auto run = net.forward(input);
  const auto& output = run[net.output()];
  const auto predicted = static_cast<std::size_t>(std::max_element(output.begin(), output.end()) - output.begin());
  const std::size_t label = args.label.value_or(predicted);
  const std::string layer = args.layer.empty() ? examples::last_maps(net, run) : net.name(net.find(args.layer));

  const auto saliency = dn::gradient_saliency(net, input, {.label = label});
  const auto guided = dn::guided_backpropagation(net, input, {.label = label});
  const auto cam = dn::grad_cam(net, input, {.layer = layer, .label = label});
  if (*std::max_element(cam.begin(), cam.end()) <= 0) {
    std::printf("Grad-CAM is zero everywhere: at %s nothing speaks for the class\n", layer.c_str());
  }

  const auto photograph = examples::seen_picture(input, options);
  const auto larger = [&](const xt::xtensor<float, 3>& picture) {
    const std::size_t factor = std::max<std::size_t>(1, 448 / picture.shape(1));
    return dn::panel(factor > 1 ? dn::enlarge(picture, factor) : picture);
  };
  const auto guided_picture =
      examples::in_colour(dn::to_display(examples::single_picture(guided), {.percentile = 99.5}));
  const std::string name = examples::class_name(labels, label);
  const bool is_probability = net.op(examples::source_of(net, net.output())).kind() == "softmax";
  const auto probability = is_probability ? output : dn::softmax{}(output);
  char sure[32];
  std::snprintf(sure, sizeof(sure), " (%.1f %%)", 100 * static_cast<double>(probability.data()[label]));
  const auto sheet = dn::figure({{larger(photograph), larger(saliency_picture(saliency)), larger(guided_picture),
                                  larger(heat_over(photograph, cam))}},
                                {.title = "what speaks for: " + name + sure,
                                 .caption = "Grad-CAM at " + layer,
                                 .column_labels = {"photograph", "gradient", "guided", "Grad-CAM"}});
  const auto folder = std::filesystem::path(args.out);
  std::filesystem::create_directories(folder);
  const auto base =
      folder / (std::filesystem::path(args.photograph).stem().string() + "_class" + std::to_string(label));
  dn::save_image(base.string() + ".png", sheet);
  dn::save_npy(base.string() + "_gradient.npy", saliency);
  dn::save_npy(base.string() + "_guided.npy", guided);
  dn::save_npy(base.string() + "_grad_cam.npy", cam);
  std::printf("%s.png: %s%s, predicted %s, Grad-CAM at %s\n", base.c_str(), name.c_str(), sure,
              examples::class_name(labels, predicted).c_str(), layer.c_str());
}

}  // namespace

int main(int argc, char** argv) {
  arguments args;
  CLI::App app{"Shows what in a photograph speaks for a class."};
  app.add_option("network", args.network, examples::network_help)->required();
  app.add_option("photograph", args.photograph, "a PNG, JPEG or BMP file")->required();
  app.add_option("--label", args.label, "the class's number, from 0 (default: the predicted class)")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--layer", args.layer,
                 "whose maps Grad-CAM weights (default: the last one with maps before the classifier)");
  app.add_option("--labels", args.labels, "a text file with one label per line, for the title");
  app.add_option("--preprocessing", args.preprocessing, examples::preprocessing_help)
      ->check(CLI::IsMember({"torchvision", "caffe"}));
  app.add_option("--out", args.out, "the folder for the picture and the maps as .npy files")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    show(args);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "class_maps: %s\n", problem.what());
    return 1;
  }
}
