// Whether a network relates the same part of different photographs, eyes and noses of dogs in the paper: its table 1,
// with random places to compare.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "experiment.hpp"
#include "marked_parts.hpp"
#include "progress_line.hpp"

namespace {

namespace dn = deconvnet;

struct arguments {
  std::string network, parts;
  std::vector<std::string> layers;
  std::size_t draws = 10;
  std::uint64_t seed = 1;
  double fill = 127.5;
  std::string preprocessing;
  std::string out = "figures";
};

/// The photographs and, for each part, whose it is and where it lies in the network's input.
struct marked_set {
  std::vector<std::string> paths;
  std::vector<xt::xtensor<float, 4>> inputs;
  std::vector<std::string> parts;
  std::map<std::string, std::map<std::size_t, dn::box>> boxes;  // of a part, by photograph
};

marked_set load_marked(const arguments& args, std::size_t channels, const dn::preprocessing& options) {
  marked_set all;
  std::vector<dn::extent2d> sizes;
  for (const auto& mark : examples::load_marked_parts(args.parts)) {
    const auto found = std::find(all.paths.begin(), all.paths.end(), mark.image);
    const auto image = static_cast<std::size_t>(found - all.paths.begin());
    if (found == all.paths.end()) {
      const auto photograph = examples::load_photograph(mark.image, channels);
      all.paths.push_back(mark.image);
      all.inputs.push_back(dn::preprocess(photograph, options));
      sizes.push_back({photograph.shape(1), photograph.shape(2)});
    }
    if (!all.boxes.contains(mark.part)) all.parts.push_back(mark.part);
    const auto where = examples::box_in_input(mark.where, sizes[image], options);
    if (where.height == 0 || where.width == 0) {
      throw dn::file_error(args.parts,
                           mark.line_text() + ": the part lies outside of what the network sees of " + mark.image);
    }
    if (!all.boxes[mark.part].emplace(image, where).second) {
      throw dn::file_error(args.parts,
                           mark.line_text() + ": '" + mark.part + "' of " + mark.image + " is marked twice");
    }
  }
  for (const auto& part : all.parts) {
    if (all.boxes[part].size() < 2)
      throw dn::error("part '" + part + "' is marked in one photograph only: there are no pairs");
  }
  return all;
}

/// The photographs with their parts drawn in, and a legend: a wrong mark is seen at once.
xt::xtensor<float, 3> marks_picture(const marked_set& all, const dn::preprocessing& options) {
  const std::vector<dn::color> paints = {{230, 30, 30}, {30, 120, 230}, {240, 160, 0}, {20, 160, 60}, {200, 60, 200}};
  std::vector<xt::xtensor<float, 3>> tiles;
  for (const auto& input : all.inputs) tiles.push_back(examples::seen_picture(input, options));
  xt::xtensor<float, 3> legend(tiles.front().shape());
  std::fill(legend.begin(), legend.end(), 255.f);
  for (std::size_t p = 0; p < all.parts.size(); ++p) {
    const auto& paint = paints[p % paints.size()];
    for (const auto& [image, where] : all.boxes.at(all.parts[p])) dn::draw_box(tiles[image], where, paint, 2);
    dn::draw_text(legend, 8 + 28 * static_cast<std::ptrdiff_t>(p), 8, all.parts[p], paint, 2);
  }
  tiles.push_back(std::move(legend));
  return dn::montage(tiles, {.gap = 4});
}

/// Mean and standard deviation over the pairs of one part, or of all draws of random places.
struct delta {
  double sum = 0, squares = 0;
  std::size_t pairs = 0;

  void add(const dn::correspondence_result& result) {
    for (const double d : result.distance) {
      sum += d;
      squares += d * d;
    }
    pairs += result.pairs;
  }
  double mean() const { return sum / static_cast<double>(pairs); }
  double stddev() const { return std::sqrt(std::max(0.0, squares / static_cast<double>(pairs) - mean() * mean())); }
  std::string text() const {
    char digits[64];
    std::snprintf(digits, sizeof(digits), "%.3f +- %.3f", mean(), stddev());
    return digits;
  }
};

delta compare_boxes(const dn::network<float>& net, const marked_set& all, const std::map<std::size_t, dn::box>& boxes,
                    const std::string& layer, const std::vector<double>& fill) {
  std::vector<xt::xtensor<float, 4>> inputs;
  std::vector<dn::box> places;
  for (const auto& [image, where] : boxes) {
    inputs.push_back(all.inputs[image]);
    places.push_back(where);
  }
  delta result;
  result.add(dn::correspondence(net, inputs, places, {.layer = layer, .fill = fill}));
  return result;
}

/// A draw puts a box of the size that a part has in each photograph at a random place; draws take the parts in turn.
std::map<std::size_t, dn::box> random_places(const marked_set& all, std::size_t draw, std::uint64_t seed) {
  std::map<std::size_t, dn::box> places;
  for (const auto& [image, where] : all.boxes.at(all.parts[draw % all.parts.size()])) {
    const auto& input = all.inputs[image];
    const auto own_seed = seed * 1'000'003 + draw * all.inputs.size() + image;
    places[image] = dn::random_boxes(1, {where.height, where.width}, {input.shape(2), input.shape(3)}, own_seed)[0];
  }
  return places;
}

/// The paper's layers 5 and 7, or those that stand for them.
std::vector<std::string> chosen_layers(const dn::network<float>& net, const marked_set& all,
                                       std::vector<std::string> wanted) {
  if (wanted.empty()) {
    // The maps that the last pool with a window reads.
    const auto layers = net.layers();
    for (const auto& info : layers) {
      if (info.kind == "max_pool2d") wanted = {info.inputs.front()};
    }
    if (wanted.empty()) wanted = {examples::last_maps(net, net.forward(all.inputs.front()))};
    if (examples::last_features(net) != wanted.front()) wanted.push_back(examples::last_features(net));
  }
  for (auto& name : wanted) name = net.name(net.find(name));
  return wanted;
}

void compare(const arguments& args) {
  const auto [net, options, classes] = examples::open_network(args.network, args.preprocessing);
  const auto all = load_marked(args, net.input_shape()[0], options);
  const auto layers = chosen_layers(net, all, args.layers);
  auto fill = dn::fill_for(args.fill, options);

  std::vector<std::string> columns{"hidden part"};
  columns.insert(columns.end(), layers.begin(), layers.end());
  dn::table shown(std::move(columns));
  dn::table numbers({"part", "layer", "mean", "stddev", "pairs"});
  examples::progress_line progress("correspondence", "comparisons");
  const std::size_t total = layers.size() * (all.parts.size() + args.draws);
  std::size_t done = 0;
  std::vector<dn::cell> baseline{"random, " + std::to_string(args.draws) + " draws"};
  std::vector<std::vector<dn::cell>> rows;
  for (const auto& part : all.parts) rows.push_back({part});
  for (const auto& layer : layers) {
    for (std::size_t p = 0; p < all.parts.size(); ++p) {
      const auto result = compare_boxes(net, all, all.boxes.at(all.parts[p]), layer, fill);
      rows[p].emplace_back(result.text());
      numbers.add({all.parts[p], layer, result.mean(), result.stddev(), result.pairs});
      progress.update(++done, total);
    }
    delta random;
    for (std::size_t draw = 0; draw < args.draws; ++draw) {
      const auto result = compare_boxes(net, all, random_places(all, draw, args.seed), layer, fill);
      random.sum += result.sum;
      random.squares += result.squares;
      random.pairs += result.pairs;
      progress.update(++done, total);
    }
    baseline.emplace_back(random.text());
    numbers.add({"random", layer, random.mean(), random.stddev(), random.pairs});
  }
  for (auto& row : rows) shown.add(std::move(row));
  shown.add(std::move(baseline));

  const auto folder = std::filesystem::path(args.out);
  std::filesystem::create_directories(folder);
  dn::save_image(folder / "correspondence.png", marks_picture(all, options));
  examples::write_text(folder / "correspondence.csv", dn::to_csv(numbers));
  std::printf("\n%s\n%zu photographs. Low: the network reacts to hiding the part in the same way in all of them.\n",
              dn::to_text(shown).c_str(), all.inputs.size());
  std::printf("%s: the table, %s: the parts as the network sees them\n", (folder / "correspondence.csv").c_str(),
              (folder / "correspondence.png").c_str());
}

}  // namespace

int main(int argc, char** argv) {
  arguments args;
  CLI::App app{"Measures whether a network relates the same part of different photographs."};
  app.add_option("network", args.network, examples::network_help)->required();
  app.add_option("parts", args.parts,
                 "a CSV file: image,part,y,x,height,width, boxes in pixels of the photograph; paths "
                 "are relative to the file")
      ->required();
  app.add_option("--layers", args.layers,
                 "whose features are compared (default: the maps that the last max pool reads, "
                 "and the features that the last layer with weights reads)");
  app.add_option("--draws", args.draws, "how many sets of random places stand for chance")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--seed", args.seed, "of the random places")->check(CLI::NonNegativeNumber)->capture_default_str();
  app.add_option("--fill", args.fill, "the grey pixel of 0 to 255 that hides a part")
      ->check(CLI::Range(0.0, 255.0))
      ->capture_default_str();
  app.add_option("--preprocessing", args.preprocessing, examples::preprocessing_help)
      ->check(CLI::IsMember({"torchvision", "caffe"}));
  app.add_option("--out", args.out, "the folder for the table and a picture of the parts")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    compare(args);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "correspondence: %s\n", problem.what());
    return 1;
  }
}
