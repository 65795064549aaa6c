// How features and the true label's probability change while photographs are moved, scaled and turned: the paper's
// figure 5.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "experiment.hpp"
#include "progress_line.hpp"

namespace {

namespace dn = deconvnet;

struct arguments {
  std::string network, labels;
  std::vector<std::string> photographs;
  std::vector<std::size_t> label;
  std::vector<std::string> layers;
  std::optional<double> fill;
  std::string preprocessing;
  std::string out = "invariance.png";
};

struct photograph {
  std::string name;
  std::size_t label;
  xt::xtensor<float, 4> input;
};

/// A word for the legend, numbered where photographs share a class.
void name_apart(std::vector<photograph>& photographs) {
  for (std::size_t k = 0; k < photographs.size(); ++k) {
    std::size_t before = 0;
    for (std::size_t i = 0; i < k; ++i) before += photographs[i].label == photographs[k].label;
    if (before != 0) photographs[k].name += " " + std::to_string(before + 1);
  }
}

std::vector<photograph> load_photographs(const dn::network<float>& net, const arguments& args,
                                         const dn::preprocessing& options, const std::vector<std::string>& labels) {
  if (args.label.size() > 1 && args.label.size() != args.photographs.size()) {
    throw dn::error("--label: one for all photographs or one for each, not " + std::to_string(args.label.size()) +
                    " for " + std::to_string(args.photographs.size()));
  }
  std::vector<photograph> photographs;
  for (std::size_t k = 0; k < args.photographs.size(); ++k) {
    const auto& path = args.photographs[k];
    photograph one{"", 0, dn::preprocess(examples::load_photograph(path, net.input_shape()[0]), options)};
    const auto scores = net(one.input);
    const auto predicted = static_cast<std::size_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
    const auto by_name = examples::class_of_file(path, labels);
    one.label = !args.label.empty() ? args.label[args.label.size() == 1 ? 0 : k] : by_name.value_or(predicted);
    one.name = examples::class_name(labels, one.label);
    std::printf("%s: followed as %s%s, predicted %s\n", path.c_str(), one.name.c_str(),
                args.label.empty() && !by_name ? " (no true label is known)" : "",
                examples::class_name(labels, predicted).c_str());
    photographs.push_back(std::move(one));
  }
  name_apart(photographs);
  return photographs;
}

/// The photographs under a few of the amounts, one row each.
template <class Transform>
dn::panel strip(const std::vector<photograph>& photographs, const Transform& change, const dn::preprocessing& options,
                std::size_t height) {
  constexpr std::size_t columns = 5;
  constexpr std::size_t gap = 3;
  const std::size_t side = std::clamp<std::size_t>(height / photographs.size(), 40 + gap, 110) - gap;
  std::vector<double> amounts;
  std::string caption = "by";
  for (std::size_t k = 0; k < columns; ++k) {
    amounts.push_back(change.amounts[k * (change.amounts.size() - 1) / (columns - 1)]);
    caption += (k == 0 ? " " : ", ") + dn::cell(amounts.back()).text();
  }
  std::vector<xt::xtensor<float, 3>> tiles;
  for (const auto& one : photographs) {
    for (const double amount : amounts) {
      const auto seen = examples::seen_picture(change.apply(one.input, amount), options);
      tiles.push_back(dn::resize(seen, side, side));
    }
  }
  return {dn::montage(tiles, {.columns = columns, .gap = gap}), caption};
}

struct experiment {
  const dn::network<float>& net;
  const std::vector<photograph>& photographs;
  const dn::preprocessing& options;
  std::vector<std::string> layers;
  dn::table numbers{{"photograph", "transform", "unit", "amount", "first layer distance", "last layer distance",
                     "class", "probability"}};
  std::vector<std::vector<dn::panel>> rows{};

  template <class Transform>
  void follow(const Transform& change) {
    std::vector<std::vector<dn::plot_curve>> curves(3);
    examples::progress_line progress(change.name, "runs");
    for (std::size_t k = 0; k < photographs.size(); ++k) {
      const auto& one = photographs[k];
      const auto report = [&](std::size_t done, std::size_t total) {
        progress.update(k * total + done, photographs.size() * total);
      };
      const auto curve = dn::invariance(net, one.input, change,
                                        {.layers = {layers[0], layers[1]}, .label = one.label, .progress = report});
      curves[0].push_back({"", curve.amount, curve.distances(layers[0])});
      curves[1].push_back({"", curve.amount, curve.distances(layers[1])});
      curves[2].push_back({one.name, curve.amount, curve.probability});
      for (std::size_t i = 0; i < curve.amount.size(); ++i) {
        numbers.add({one.name, change.name, change.unit, curve.amount[i], curve.distance(layers[0], i),
                     curve.distance(layers[1], i), one.label, curve.probability[i]});
      }
    }
    const std::size_t height = 400;
    const std::string x_label = change.name + ", " + change.unit;
    rows.push_back(
        {strip(photographs, change, options, height),
         dn::plot(curves[0], {.x_label = x_label, .y_label = "distance, first layer", .height = height, .width = 540}),
         dn::plot(curves[1],
                  {.x_label = x_label, .y_label = "distance, last features", .height = height, .width = 540}),
         dn::plot(curves[2], {.x_label = x_label,
                              .y_label = "probability of the label",
                              .y_range = dn::axis_range{0, 1},
                              .height = height,
                              .width = 780})});
  }
};

void measure(const arguments& args) {
  const auto picture = examples::picture_path(args.out);
  const auto [net, options, labels] = examples::open_network(args.network, args.preprocessing, args.labels);
  std::vector<std::string> layers = args.layers;
  if (layers.empty()) layers = {examples::first_features(net), examples::last_features(net)};
  for (auto& name : layers) name = net.name(net.find(name));
  const auto photographs = load_photographs(net, args, options, labels);
  dn::warp_options border;
  if (args.fill) border = {.border = dn::warp_border::fill, .fill = dn::fill_for(*args.fill, options)};

  experiment all{net, photographs, options, layers};
  // The paper's 60 pixels of 224, in steps of 4; of smaller inputs the same share.
  const double share = static_cast<double>(photographs[0].input.shape(2)) / 224;
  const double step = std::max(1.0, std::round(4 * share));
  const double farthest = step * std::round(60 * share / step);
  all.follow(dn::translations(dn::axis::vertical, -farthest, farthest, step, border));
  all.follow(dn::scalings(1, 1.8, 0.05, border));
  all.follow(dn::rotations(0, 350, 10, border));
  const std::string caption =
      "Photographs in the order of the legend. Euclidean distances to the features of the photograph as it is, at the "
      "first layer " +
      layers[0] + "\nand at the last features " + layers[1] + ". Where the photograph moved away: " +
      (args.fill ? "a grey of " + std::to_string(static_cast<int>(*args.fill)) : "its border, repeated") + ".";
  dn::save_image(picture, dn::figure(all.rows, {.caption = caption, .gap = 12}));
  auto numbers = picture;
  numbers.replace_extension(".csv");
  examples::write_text(numbers, dn::to_csv(all.numbers));
  std::printf("%s, %s: %zu photographs, layers %s and %s\n", picture.c_str(), numbers.c_str(), photographs.size(),
              layers[0].c_str(), layers[1].c_str());
}

}  // namespace

int main(int argc, char** argv) {
  arguments args;
  CLI::App app{"Moves, scales and turns photographs and follows a network's features and the label's probability."};
  app.add_option("network", args.network, examples::network_help)->required();
  app.add_option("photographs", args.photographs, "PNG, JPEG or BMP files")->required();
  app.add_option("--label", args.label,
                 "the true class's number, one for all photographs or one for each; without it the "
                 "class that a file's name begins with (see --labels), else the predicted one")
      ->check(CLI::NonNegativeNumber)
      ->delimiter(',')
      ->allow_extra_args(false);
  app.add_option("--labels", args.labels, "a text file with one label per line, as \"n02391049 zebra\"");
  app.add_option("--layers", args.layers,
                 "the first and the last layer to follow (default: the first ReLU, and the "
                 "features that the last layer with weights reads)")
      ->expected(2);
  app.add_option("--fill", args.fill,
                 "a grey pixel of 0 to 255 for where a photograph moved away (default: its border, "
                 "repeated)")
      ->check(CLI::Range(0.0, 255.0));
  app.add_option("--preprocessing", args.preprocessing, examples::preprocessing_help)
      ->check(CLI::IsMember({"torchvision", "caffe"}));
  app.add_option("--out", args.out, "the picture; numbers go into a .csv beside it")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    measure(args);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "invariance: %s\n", problem.what());
    return 1;
  }
}
