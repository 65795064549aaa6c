// Which part of a photograph a network relies on (the paper, figure 7): a square hides one place after the other, and
// at each a feature map's activation, the probability of a class and the predicted class are read.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "experiment.hpp"
#include "layer_choice.hpp"
#include "progress_line.hpp"

namespace {

namespace dn = deconvnet;
namespace fs = std::filesystem;

using picture = xt::xtensor<float, 3>;
using map2d = xt::xtensor<float, 2>;

struct arguments {
  std::string network, photograph, layer, labels;
  std::optional<std::size_t> label;
  std::vector<std::size_t> size;
  std::vector<std::size_t> stride;
  std::string fill = "grey";
  std::string rule = "deconvnet";
  std::string preprocessing;
  std::string out = "figures";
  std::size_t panel = 448;
};

constexpr int interrupted_exit = 130;  // what shells give a program that Ctrl-C ended
constexpr dn::color marker = {255, 0, 0};

/// Sides as they were given, else so many of 224 pixels, of smaller inputs the same share.
dn::extent2d extents(const std::vector<std::size_t>& sides, std::size_t of_224, const xt::xtensor<float, 4>& input) {
  if (!sides.empty()) return {sides.front(), sides.back()};
  const std::size_t pixels = std::min(input.shape(2), input.shape(3));
  const std::size_t side = std::max<std::size_t>(1, (of_224 * pixels + 112) / 224);
  return {side, side};
}

/// What the square is painted with, a value for each channel of the input.
std::vector<double> fill_of(const std::string& text, const xt::xtensor<float, 4>& input, const dn::preprocessing& how) {
  if (text == "mean") {
    const std::size_t plane = input.shape(2) * input.shape(3);
    std::vector<double> means(input.shape(1), 0.0);
    for (std::size_t k = 0; k < input.size(); ++k) means[k / plane] += static_cast<double>(input.data()[k]);
    for (double& mean : means) mean /= static_cast<double>(plane);
    return means;
  }
  if (text == "grey") return dn::fill_for(127.5, how);
  double level = 0;
  int read = 0;
  const bool well =
      std::sscanf(text.c_str(), "%lf%n", &level, &read) == 1 && static_cast<std::size_t>(read) == text.size();
  if (!well || !(level >= 0 && level <= 255))
    throw dn::error("--fill " + text + ": grey, mean or a number of 0..255 is needed");
  return dn::fill_for(level, how);
}

/// The row or column of positions whose square's middle is nearest to a pixel.
std::vector<std::size_t> nearest_positions(std::size_t pixels, std::size_t positions, std::size_t size,
                                           std::size_t stride) {
  const auto middle = [&](std::size_t k) {
    const std::size_t start = std::min(k * stride, pixels);
    return static_cast<double>(start) + static_cast<double>(std::min(size, pixels - start)) / 2;
  };
  std::vector<std::size_t> nearest(pixels, 0);
  std::size_t k = 0;
  for (std::size_t p = 0; p < pixels; ++p) {
    const double at = static_cast<double>(p) + 0.5;
    while (k + 1 < positions && std::abs(middle(k + 1) - at) <= std::abs(middle(k) - at)) ++k;
    nearest[p] = k;
  }
  return nearest;
}

/// A map of positions laid over the photograph's pixels: each takes the number of the square whose middle is nearest.
template <class T>
xt::xtensor<T, 2> over_pixels(const xt::xtensor<T, 2>& map, const dn::occlusion_grid& grid) {
  const auto rows = nearest_positions(grid.picture().height, grid.rows(), grid.size().height, grid.stride().height);
  const auto columns = nearest_positions(grid.picture().width, grid.columns(), grid.size().width, grid.stride().width);
  auto result = xt::xtensor<T, 2>::from_shape({rows.size(), columns.size()});
  for (std::size_t y = 0; y < rows.size(); ++y) {
    for (std::size_t x = 0; x < columns.size(); ++x) result(y, x) = map(rows[y], columns[x]);
  }
  return result;
}

/// A picture at the size of a panel, smooth or with its pixels as squares.
picture sized(const picture& small, std::size_t side, bool smooth) {
  const std::size_t longest = std::max(small.shape(1), small.shape(2));
  if (!smooth) return dn::enlarge(small, std::max<std::size_t>(1, side / longest));
  const std::size_t factor = std::max<std::size_t>(1, side / longest);
  return dn::resize(small, small.shape(1) * factor, small.shape(2) * factor);
}

/// The panel with the scale of its colours to the right.
picture with_scale(const picture& panel, const dn::axis_range& range) {
  const std::size_t height = panel.shape(1);
  const std::size_t bar = 20;
  const std::size_t scale = 2;
  std::size_t letters = 0;
  const auto ticks = dn::ticks_of(range, 5);
  for (const auto& tick : ticks) letters = std::max(letters, dn::text_extent(tick.label, scale).second);
  auto ramp = map2d::from_shape({height, bar});
  for (std::size_t y = 0; y < height; ++y) {
    for (std::size_t x = 0; x < bar; ++x) ramp(y, x) = 1 - static_cast<float>(y) / static_cast<float>(height - 1);
  }
  const auto colours = dn::colorize(ramp, {.low = 0, .high = 1});
  const std::size_t left = panel.shape(2) + 8;
  auto sheet = picture::from_shape({3, height, left + bar + 8 + letters});
  sheet.fill(255.f);
  for (std::size_t c = 0; c < 3; ++c) {
    for (std::size_t y = 0; y < height; ++y) {
      std::copy_n(&panel(c, y, 0), panel.shape(2), &sheet(c, y, 0));
      std::copy_n(&colours(c, y, 0), bar, &sheet(c, y, left));
    }
  }
  for (const auto& tick : ticks) {
    const double place = (range.high - tick.value) / (range.high - range.low) * static_cast<double>(height - 1);
    const double top = std::clamp(place - 8, 0.0, static_cast<double>(height) - 18);
    dn::draw_text(sheet, static_cast<std::ptrdiff_t>(top), static_cast<std::ptrdiff_t>(left + bar + 6), tick.label,
                  {0, 0, 0}, scale);
  }
  return sheet;
}

dn::axis_range range_of_map(const map2d& map) {
  const std::vector<double> values(map.begin(), map.end());
  return dn::range_of(values);
}

/// The classes predicted anywhere, the most frequent first; the followed one always first.
std::vector<std::pair<std::size_t, std::size_t>> class_counts(const xt::xtensor<std::size_t, 2>& predicted,
                                                              std::size_t label) {
  std::map<std::size_t, std::size_t> counts{{label, 0}};
  for (const std::size_t k : predicted) ++counts[k];
  std::vector<std::pair<std::size_t, std::size_t>> sorted(counts.begin(), counts.end());
  std::stable_sort(sorted.begin(), sorted.end(), [&](const auto& a, const auto& b) {
    return std::pair(a.first == label, a.second) > std::pair(b.first == label, b.second);
  });
  return sorted;
}

/// Colours that stay apart for the colour-blind (Okabe and Ito); light grey for all classes beyond the seventh.
constexpr std::array<dn::color, 8> class_colours = {{{0, 114, 178},
                                                     {230, 159, 0},
                                                     {0, 158, 115},
                                                     {204, 121, 167},
                                                     {213, 94, 0},
                                                     {86, 180, 233},
                                                     {240, 228, 66},
                                                     {200, 200, 200}}};

dn::color class_colour(const std::vector<std::pair<std::size_t, std::size_t>>& counts, std::size_t k) {
  const auto found = std::find_if(counts.begin(), counts.end(), [&](const auto& one) { return one.first == k; });
  return class_colours[std::min<std::size_t>(static_cast<std::size_t>(found - counts.begin()),
                                             class_colours.size() - 1)];
}

picture class_panel(const xt::xtensor<std::size_t, 2>& classes,
                    const std::vector<std::pair<std::size_t, std::size_t>>& counts) {
  auto panel = picture::from_shape({3, classes.shape(0), classes.shape(1)});
  for (std::size_t k = 0; k < classes.size(); ++k) {
    const auto paint = class_colour(counts, classes.data()[k]);
    for (std::size_t c = 0; c < 3; ++c) panel.data()[c * classes.size() + k] = static_cast<float>(paint[c]);
  }
  return panel;
}

/// The classes' colours and names, and how many positions each has.
picture class_legend(const std::vector<std::pair<std::size_t, std::size_t>>& counts,
                     const std::vector<std::string>& labels, std::size_t height) {
  auto legend = picture::from_shape({3, height, 520});
  legend.fill(255.f);
  std::size_t others = 0;
  std::size_t row = 0;
  const auto line = [&](const dn::color& paint, const std::string& name, std::size_t positions) {
    const auto y = static_cast<std::ptrdiff_t>(34 * row++);
    dn::box square{y + 2, 0, 22, 22};
    dn::draw_box(legend, square, paint, 11);
    dn::draw_text(legend, y + 4, 34, name + ": " + std::to_string(positions), {0, 0, 0}, 2);
  };
  for (std::size_t k = 0; k < counts.size(); ++k) {
    if (k + 1 < class_colours.size())
      line(class_colours[k], examples::class_name(labels, counts[k].first), counts[k].second);
    else
      others += counts[k].second;
  }
  if (others != 0)
    line(class_colours.back(), std::to_string(counts.size() + 1 - class_colours.size()) + " other classes", others);
  return legend;
}

std::string number_text(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

std::string place_text(const dn::box& where) {
  return "rows " + std::to_string(where.y) + "..." +
         std::to_string(where.y + static_cast<std::ptrdiff_t>(where.height) - 1) + ", columns " +
         std::to_string(where.x) + "..." + std::to_string(where.x + static_cast<std::ptrdiff_t>(where.width) - 1);
}

/// One sweep over one photograph and all that its figure shows.
struct occlusion_study {
  const arguments& args;
  dn::network<float> net;
  dn::preprocessing how;
  std::vector<std::string> labels;
  xt::xtensor<float, 4> input;
  dn::trace<float> run;
  std::string layer;
  std::vector<double> fill;

  explicit occlusion_study(const arguments& a)
      : occlusion_study(a, examples::open_network(a.network, a.preprocessing, a.labels)) {}

  occlusion_study(const arguments& a, examples::opened_network opened)
      : args(a),
        net(std::move(opened.net)),
        how(std::move(opened.preparation)),
        labels(std::move(opened.labels)),
        input(dn::preprocess(examples::load_photograph(a.photograph, net.input_shape()[0]), how)),
        run(net.forward(input)),
        layer(a.layer.empty() ? examples::last_maps(net, run) : net.name(net.find(a.layer))),
        fill(fill_of(a.fill, input, how)) {}

  /// The photograph with a square of the fill, outlined.
  picture hidden_at(const dn::box& where) const {
    auto covered = input;
    for (std::size_t c = 0; c < covered.shape(1); ++c) {
      for (std::size_t y = 0; y < where.height; ++y) {
        float* row = &covered(0, c, static_cast<std::size_t>(where.y) + y, static_cast<std::size_t>(where.x));
        std::fill_n(row, where.width, static_cast<float>(fill.size() == 1 ? fill[0] : fill[c]));
      }
    }
    const auto small = examples::seen_picture(covered, how);
    auto large = sized(small, args.panel, true);
    const std::size_t factor = large.shape(1) / small.shape(1);
    const auto times = static_cast<std::ptrdiff_t>(factor);
    dn::draw_box(large, {where.y * times, where.x * times, where.height * factor, where.width * factor}, marker, 3);
    return large;
  }

  picture figure(const dn::occlusion_maps<float>& maps) const {
    const auto lowest = static_cast<std::size_t>(std::min_element(maps.probability.begin(), maps.probability.end()) -
                                                 maps.probability.begin());
    const dn::box worst = maps.grid.at(lowest / maps.grid.columns(), lowest % maps.grid.columns());
    const auto seen = examples::seen_picture(input, how);
    const auto activation = over_pixels(maps.activation, maps.grid);
    const auto activations = range_of_map(maps.activation);
    const dn::axis_range probabilities{0, std::max(1e-6, rounded_up(maps))};
    const auto projection =
        dn::project(net, run, layer, dn::feature_map{0, maps.channel}, examples::rule_of(args.rule));
    const auto counts = class_counts(maps.predicted, maps.label);
    const auto name = examples::class_name(labels, maps.label);

    const auto overlaid = dn::overlay(sized(seen, args.panel, true), activation,
                                      {.colors = {.low = activations.low, .high = activations.high}});
    const auto shown = examples::in_colour(dn::to_display(examples::single_picture(projection), {.percentile = 99.5}));
    const auto heat =
        dn::colorize(over_pixels(maps.probability, maps.grid), {.low = probabilities.low, .high = probabilities.high});
    const auto classes = sized(class_panel(over_pixels(maps.predicted, maps.grid), counts), args.panel, false);

    const std::string map = "map " + std::to_string(maps.channel);
    std::vector<std::vector<dn::panel>> rows(2);
    rows[0].emplace_back(hidden_at(worst), "(a) the square where it hurts most:\nprobability " +
                                               number_text(static_cast<double>(maps.probability.data()[lowest])));
    rows[0].emplace_back(with_scale(overlaid, activations),
                         "(b) sum of " + map + " by the square's place,\n" +
                             number_text(static_cast<double>(maps.clean_activation)) + " without it");
    rows[0].emplace_back(sized(shown, args.panel, true),
                         "(c) " + map + " projected down,\nrule: " + args.rule + ", grey is zero");
    rows[1].emplace_back(with_scale(sized(heat, args.panel, false), probabilities),
                         "(d) probability of " + name + ",\n" +
                             number_text(static_cast<double>(maps.clean_probability)) + " without the square");
    rows[1].emplace_back(classes, "(e) most probable class,\n" + examples::class_name(labels, maps.clean_predicted) +
                                      " without the square");
    rows[1].emplace_back(class_legend(counts, labels, classes.shape(1)), "classes of (e) and their positions");
    return dn::figure(
        rows,
        {.title = fs::path(args.photograph).filename().string() + ", layer " + layer,
         .caption = "In (b), (d), (e) each pixel takes the number of the square whose middle is nearest; " +
                    std::to_string(maps.grid.size().height) + " x " + std::to_string(maps.grid.size().width) +
                    " pixels, step " + std::to_string(maps.grid.stride().height) + " x " +
                    std::to_string(maps.grid.stride().width) + ", " + std::to_string(maps.grid.count()) + " positions.",
         .gap = 20});
  }

  static double rounded_up(const dn::occlusion_maps<float>& maps) {
    const auto highest = static_cast<double>(*std::max_element(maps.probability.begin(), maps.probability.end()));
    return std::min(1.0, dn::rounded({0, std::max(highest, 1e-6)}).high);
  }
};

void print_summary(const occlusion_study& study, const dn::occlusion_maps<float>& maps) {
  const auto lowest = static_cast<std::size_t>(std::min_element(maps.probability.begin(), maps.probability.end()) -
                                               maps.probability.begin());
  const std::size_t row = lowest / maps.grid.columns();
  const std::size_t column = lowest % maps.grid.columns();
  std::printf("predicted: %s; followed: %s, probability %.4f\n",
              examples::class_name(study.labels, maps.clean_predicted).c_str(),
              examples::class_name(study.labels, maps.label).c_str(), static_cast<double>(maps.clean_probability));
  std::printf("least probability: %.4f, with %s hidden, then %s is predicted\n",
              static_cast<double>(maps.probability(row, column)), place_text(maps.grid.at(row, column)).c_str(),
              examples::class_name(study.labels, maps.predicted(row, column)).c_str());
  std::printf("map %zu of %s: sum %g, least %g\n", maps.channel, study.layer.c_str(),
              static_cast<double>(maps.clean_activation),
              static_cast<double>(*std::min_element(maps.activation.begin(), maps.activation.end())));
}

int sweep_and_draw(const arguments& args) {
  const occlusion_study study(args);
  examples::stop_on_interrupt();
  examples::progress_line line("hiding", "places");
  const auto maps =
      dn::occlusion_sensitivity(study.net, study.input,
                                {.size = extents(args.size, 32, study.input),
                                 .stride = extents(args.stride, 8, study.input),
                                 .fill = study.fill,
                                 .label = args.label,
                                 .layer = study.layer,
                                 .progress = [&](std::size_t done, std::size_t total) { line.update(done, total); },
                                 .stop = line.stop()});
  fs::create_directories(args.out);
  const auto path = (fs::path(args.out) / ("occlusion_" + fs::path(args.photograph).stem().string())).string();
  xt::xtensor<std::int64_t, 2> predicted = xt::cast<std::int64_t>(maps.predicted);  // -1: not evaluated
  dn::save_npy(path + "_activation.npy", maps.activation);
  dn::save_npy(path + "_probability.npy", maps.probability);
  dn::save_npy(path + "_predicted.npy", predicted);
  std::printf("%s_activation.npy, _probability.npy, _predicted.npy: %zu x %zu positions\n", path.c_str(),
              maps.grid.rows(), maps.grid.columns());
  if (!maps.complete) {
    std::fprintf(stderr,
                 "\nstopped: places not looked at are NaN in the files, -1 among the classes; no figure is drawn\n");
    return interrupted_exit;
  }
  print_summary(study, maps);
  dn::save_image(path + ".png", study.figure(maps));
  std::printf("%s.png\n", path.c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  arguments args;
  CLI::App app{"Hides one place of a photograph after the other and draws what a network makes of it."};
  app.footer(
      "Ctrl-C stops the sweep: the numbers read until then are saved, and the exit code is 130. Exit code 1: an "
      "error,\n"
      "told on stderr.");
  app.add_option("network", args.network, examples::network_help)->required();
  app.add_option("photograph", args.photograph, "a PNG, JPEG or BMP file")->required();
  app.add_option("--label", args.label, "the number of the true class, counted from 0 (default: the one predicted)");
  app.add_option("--layer", args.layer,
                 "the layer whose strongest map is followed (default: the last maps before the classifier)");
  app.add_option("--size", args.size, "of the square in pixels, or height and width (default: 32 for 224 pixels, of smaller inputs the same share)")
      ->expected(1, 2)
      ->check(CLI::Range(1, 1 << 20));
  app.add_option("--stride", args.stride, "from one place to the next, or down and across (default: 8 for 224 pixels)")
      ->expected(1, 2)
      ->check(CLI::Range(1, 1 << 20));
  app.add_option("--fill", args.fill,
                 "of the square: grey (127.5), mean (the photograph's mean colour) or a level of 0..255")
      ->capture_default_str();
  app.add_option("--labels", args.labels, "a text file with one label per line");
  app.add_option("--rule", args.rule, "how signals pass a ReLU on the way down")
      ->check(CLI::IsMember({"deconvnet", "gradient", "guided"}))
      ->capture_default_str();
  app.add_option("--preprocessing", args.preprocessing, examples::preprocessing_help)
      ->check(CLI::IsMember({"torchvision", "caffe"}));
  app.add_option("--panel", args.panel, "the side of a panel in pixels, about")
      ->check(CLI::Range(64, 4096))
      ->capture_default_str();
  app.add_option("--out", args.out, "the folder for the figure and the numbers")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    return sweep_and_draw(args);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "occlusion: %s\n", problem.what());
    return 1;
  }
}
