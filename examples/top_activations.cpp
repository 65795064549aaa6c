// What excites feature maps most in a whole folder of pictures (the paper, figure 2): for chosen maps of chosen layers
// the strongest activations, at most one a picture, each projected down to the pixels on its own, beside what it sees.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "experiment.hpp"
#include "layer_choice.hpp"
#include "picture_folder.hpp"
#include "progress_line.hpp"

namespace {

namespace dn = deconvnet;
namespace fs = std::filesystem;

using ranking = dn::top_ranking<float>;
using picture = xt::xtensor<float, 3>;

struct arguments {
  std::string network, folder, ranking;
  std::vector<std::string> layers, join;
  std::vector<std::size_t> named_maps;
  std::string rule = "deconvnet";
  std::string preprocessing;
  std::string shard = "1/1";
  std::string out = "figures";
  std::size_t maps = 16;
  std::size_t count = 9;
  std::size_t tile = 128;
  double percentile = 99.5;
  bool resume = false;
};

constexpr int interrupted_exit = 130;  // what shells give a program that Ctrl-C ended

/// A network, the pictures it is shown, and what is asked for.
struct experiment {
  const arguments& args;
  dn::network<float> net;
  dn::preprocessing how;
  examples::picture_list pictures;
  std::vector<std::string> layers;
  xt::xtensor<float, 4> blank;  // an input, for the sizes of maps

  explicit experiment(const arguments& a) : experiment(a, examples::open_network(a.network, a.preprocessing)) {}

  experiment(const arguments& a, examples::opened_network opened)
      : args(a),
        net(std::move(opened.net)),
        how(std::move(opened.preparation)),
        pictures(examples::pictures_in(a.folder)),
        blank(dn::zeros<float>({1, channels(), side(1), side(2)})) {
    const auto run = net.forward(blank);
    if (a.layers.empty()) layers = {examples::last_maps(net, run)};
    if (a.layers == std::vector<std::string>{"all"}) layers = examples::rectified_layers(net, run);
    if (layers.empty()) {
      for (const auto& wanted : a.layers) {
        auto name = net.name(net.find(wanted));
        if (std::find(layers.begin(), layers.end(), name) == layers.end()) layers.push_back(std::move(name));
      }
    }
    for (const auto& layer : layers) {
      const std::size_t maps = run.shape(layer)[1];
      for (const std::size_t map : a.named_maps) {
        if (map >= maps) {
          throw dn::error(dn::detail::text("--map ", map, " is out of range: layer '", layer, "' has ", maps, " maps"));
        }
      }
    }
  }

  /// The input's height (1) or width (2): a network that was trained on pictures that are not square crops nothing.
  std::size_t side(std::size_t axis) const { return net.input_shape()[axis] != 0 ? net.input_shape()[axis] : how.crop; }
  std::size_t channels() const { return net.input_shape()[0] != 0 ? net.input_shape()[0] : 3; }
  examples::picture_inputs inputs(std::size_t first, std::size_t last) const {
    return {pictures, first, last, how, channels()};
  }

  /// What a ranking depends on, besides the layers it names. Written beside a ranking, as that knows pictures by
  /// number.
  std::string description() const {
    std::string text = "network " + fs::path(args.network).filename().string() + ", " +
                       std::to_string(fs::file_size(args.network)) + " bytes\npreprocessing " + (args.preprocessing.empty() ? "default" : args.preprocessing) +
                       "\n";
    for (std::size_t k = 0; k < pictures.size(); ++k) text += fs::path(pictures.name(k)).lexically_relative(args.folder).generic_string() + "\n";
    return text;
  }
};

std::string description_file(const std::string& ranking_file) { return ranking_file + ".pictures"; }

void save(const experiment& task, const std::vector<ranking>& rankings) {
  if (task.args.ranking.empty()) return;
  const auto parent = fs::path(task.args.ranking).parent_path();
  if (!parent.empty()) fs::create_directories(parent);
  examples::write_text(description_file(task.args.ranking), task.description());
  dn::save_rankings(task.args.ranking, rankings);
}

/// Joins the rankings of a file to those there are.
void join(const experiment& task, const std::string& path, std::vector<ranking>& rankings) {
  const auto loaded = dn::load_rankings<float>(path);
  std::ifstream file(description_file(path), std::ios::binary);
  if (!file) throw dn::file_error(description_file(path), "cannot be opened: it tells which pictures a ranking is of");
  if (std::string{std::istreambuf_iterator<char>(file), {}} != task.description()) {
    throw dn::file_error(path,
                         "is of another network, preprocessing or list of pictures: see " + description_file(path));
  }
  for (std::size_t k = 0; k < task.layers.size(); ++k) {
    const auto found =
        std::find_if(loaded.begin(), loaded.end(), [&](const ranking& r) { return r.layer == task.layers[k]; });
    if (found == loaded.end()) throw dn::file_error(path, "has no ranking of layer '" + task.layers[k] + "'");
    if (found->count != task.args.count) {
      throw dn::file_error(path, dn::detail::text("keeps ", found->count, " activations a map, not the ",
                                                  task.args.count, " of --count"));
    }
    rankings[k] = dn::merge(rankings[k], *found);
  }
}

/// Images of a part of the data set that were not looked at, in pieces after each of which the ranking is saved.
std::vector<dn::image_range> left_to_scan(const ranking& seen, const dn::image_range& part) {
  constexpr std::size_t piece = 1024;
  std::vector<dn::image_range> left;
  const auto add = [&](std::size_t first, std::size_t last) {
    for (; first < last; first += piece) left.push_back({first, std::min(first + piece, last)});
  };
  std::size_t place = part.first;
  for (const auto& done : seen.scanned) {
    add(place, std::min(done.first, part.last));
    place = std::max(place, done.last);
  }
  add(place, part.last);
  return left;
}

/// "2/8" of 100 pictures: the second of eight equal parts, 12 ... 24.
dn::image_range shard_of(const std::string& text, std::size_t count) {
  std::size_t k = 0;
  std::size_t n = 0;
  int read = 0;
  const bool well =
      std::sscanf(text.c_str(), "%9zu/%9zu%n", &k, &n, &read) == 2 && static_cast<std::size_t>(read) == text.size();
  if (!well || k == 0 || k > n) throw dn::error("--shard " + text + ": K/N is needed, 1 <= K <= N");
  return {count * (k - 1) / n, count * k / n};
}

std::vector<ranking> scan(const experiment& task) {
  const auto& args = task.args;
  std::vector<ranking> rankings(task.layers.size());
  for (const auto& path : args.join) join(task, path, rankings);
  if (args.resume && fs::exists(args.ranking)) join(task, args.ranking, rankings);
  const std::vector<dn::layer> layers(task.layers.begin(), task.layers.end());
  // One scan looks at all layers, so what the first has seen all have.
  const auto left = left_to_scan(rankings[0], shard_of(args.shard, task.pictures.size()));
  std::size_t total = 0;
  for (const auto& part : left) total += part.last - part.first;
  examples::progress_line line("scanning", "pictures");
  std::size_t before = 0;
  for (const auto& part : left) {
    const auto found =
        dn::top_activations(task.net, std::span<const dn::layer>{layers}, task.inputs(part.first, part.last),
                            {.count = args.count,
                             .first_image = part.first,
                             .progress = [&](std::size_t done, std::size_t) { line.update(before + done, total); },
                             .stop = line.stop()});
    for (std::size_t k = 0; k < rankings.size(); ++k) rankings[k] = dn::merge(rankings[k], found[k]);
    before += part.last - part.first;
    save(task, rankings);
    if (examples::was_interrupted()) break;
  }
  if (left.empty()) save(task, rankings);
  return rankings;
}

void report_skipped(const ranking& top) {
  constexpr std::size_t most = 10;
  if (top.skipped.empty()) return;
  std::fprintf(stderr, "%zu of %zu pictures could not be read and were skipped:\n", top.skipped.size(), top.images());
  for (std::size_t k = 0; k < std::min(most, top.skipped.size()); ++k)
    std::fprintf(stderr, "  %s\n", top.skipped[k].message.c_str());
  if (top.skipped.size() > most) std::fprintf(stderr, "  and %zu more\n", top.skipped.size() - most);
}

/// The maps to draw: those named; otherwise the ones whose weakest kept activation is strongest, so that what all the
/// pictures share excites them and not one picture alone.
std::vector<std::size_t> chosen_maps(const ranking& top, const arguments& args) {
  if (!args.named_maps.empty()) return args.named_maps;
  std::vector<std::size_t> maps(top.size());
  std::iota(maps.begin(), maps.end(), std::size_t{0});
  std::stable_sort(maps.begin(), maps.end(),
                   [&](std::size_t a, std::size_t b) { return top[a].back().value > top[b].back().value; });
  if (maps.size() > args.maps) maps.resize(args.maps);
  return maps;
}

/// The two halves of a block: projections and what they were projected from.
struct block {
  std::vector<picture> projections, crops;
};

picture as_tile(const picture& shown, std::size_t side) {
  const std::size_t longest = std::max(shown.shape(1), shown.shape(2));
  const std::size_t height = std::max<std::size_t>(1, shown.shape(1) * side / longest);
  const std::size_t width = std::max<std::size_t>(1, shown.shape(2) * side / longest);
  return dn::resize(examples::in_colour(shown), height, width);
}

/// Decodes the pictures again that hold chosen maps' strongest activations, and only these, one at a time.
std::vector<block> drawn_blocks(const experiment& task, const ranking& top, const std::vector<std::size_t>& maps) {
  struct place {
    std::size_t slot, rank;
  };
  std::map<std::size_t, std::vector<place>> winners;
  for (std::size_t slot = 0; slot < maps.size(); ++slot) {
    const auto& entries = top[maps[slot]];
    for (std::size_t rank = 0; rank < entries.size(); ++rank) winners[entries[rank].image].push_back({slot, rank});
  }
  const auto how = examples::rule_of(task.args.rule);
  std::vector<block> blocks(maps.size());
  examples::progress_line line("projecting " + top.layer, "pictures");
  std::size_t done = 0;
  for (const auto& [image, places] : winners) {
    const auto input = task.inputs(0, task.pictures.size()).input(image);
    const auto run = task.net.forward(input, {.keep = {top.layer}});
    const auto pixels = dn::unprocess(input, task.how);
    std::vector<dn::unit> units;
    for (const auto& [slot, rank] : places) {
      const auto& entry = top[maps[slot]][rank];
      const dn::unit u{0, maps[slot], entry.y, entry.x};
      const float value = run[top.layer](u.n, u.c, u.y, u.x);
      if (std::abs(value - entry.value) > 1e-3f * std::max(1.f, std::abs(entry.value))) {
        throw dn::file_error(task.pictures.name(image), "has changed since it was ranked");
      }
      units.push_back(u);
    }
    const auto projections = dn::project(task.net, run, top.layer, std::span<const dn::unit>{units}, how);
    for (std::size_t k = 0; k < places.size(); ++k) {
      auto& to = blocks[places[k].slot];
      const auto field =
          examples::visible_field(dn::receptive_field(task.net, run, top.layer, units[k]), run.input_shape());
      // Shrunk first: the signs of neighbours cancel, and the scale is to be that of what is seen.
      const auto projection = as_tile(dn::crop(projections, k, field), task.args.tile);
      const auto crop = dn::crop(pixels, 0, field, {127.5});
      const auto empty = picture::from_shape({0, 0, 0});
      to.projections.resize(std::max(to.projections.size(), places[k].rank + 1), empty);
      to.crops.resize(std::max(to.crops.size(), places[k].rank + 1), empty);
      to.projections[places[k].rank] = dn::to_display(projection, {.percentile = task.args.percentile});
      to.crops[places[k].rank] = as_tile(crop, task.args.tile);
    }
    line.update(++done, winners.size());
  }
  return blocks;
}

std::string number_text(float value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", static_cast<double>(value));
  return text;
}

void draw(const experiment& task, const ranking& top, const fs::path& path) {
  const auto maps = chosen_maps(top, task.args);
  const auto blocks = drawn_blocks(task, top, maps);
  const auto side = static_cast<std::size_t>(std::ceil(std::sqrt(static_cast<double>(top[maps[0]].size()))));
  const std::size_t columns =
      std::min<std::size_t>(4, static_cast<std::size_t>(std::ceil(std::sqrt(static_cast<double>(maps.size())))));
  std::vector<std::vector<dn::panel>> rows;
  for (std::size_t k = 0; k < maps.size(); ++k) {
    if (k % columns == 0) rows.emplace_back();
    const auto tiled = [&](const std::vector<picture>& tiles) {
      return dn::montage(tiles, {.columns = side, .gap = 2});
    };
    const auto both =
        dn::montage(std::vector{tiled(blocks[k].projections), tiled(blocks[k].crops)}, {.columns = 2, .gap = 8});
    const auto& entries = top[maps[k]];
    rows.back().emplace_back(both, "map " + std::to_string(maps[k]) + ": " + number_text(entries.front().value) +
                                       " to " + number_text(entries.back().value));
  }
  const auto field = dn::receptive_field(task.net, task.net.forward(task.blank), top.layer, {});
  const auto sheet = dn::figure(
      rows, {.title = top.layer + ": the " + std::to_string(top[maps[0]].size()) + " strongest activations in " +
                      std::to_string(top.images() - top.skipped.size()) + " pictures",
             .caption = "Left: projections by the " + task.args.rule + " rule, grey is zero, each on its own scale (" +
                        number_text(static_cast<float>(task.args.percentile)) +
                        " % of its values). Right: the pixels.\n" + "Each tile: the receptive field, " +
                        std::to_string(field.height) + " x " + std::to_string(field.width) +
                        " pixels. Under a block: the map, its strongest and weakest activation shown.",
             .gap = 24});
  dn::save_image(path, sheet);
}

void write_table(const experiment& task, const ranking& top, const fs::path& path) {
  dn::table numbers({"map", "rank", "value", "image", "y", "x"});
  for (std::size_t map = 0; map < top.size(); ++map) {
    for (std::size_t k = 0; k < top[map].size(); ++k) {
      const auto& entry = top[map][k];
      numbers.add({map, k + 1, entry.value, task.pictures.name(entry.image), entry.y, entry.x});
    }
  }
  examples::write_text(path, dn::to_csv(numbers));
}

int find_and_draw(const arguments& args) {
  examples::rule_of(args.rule);
  if (args.resume && args.ranking.empty()) throw dn::error("--resume goes on from a file: name it by --ranking");
  const experiment task(args);
  examples::stop_on_interrupt();
  const auto rankings = scan(task);
  const bool stopped = examples::was_interrupted();
  const ranking& first = rankings[0];
  report_skipped(first);
  if (stopped) std::fprintf(stderr, "stopped: %zu of %zu pictures were looked at\n", first.images(), task.pictures.size());
  if (first.images() == first.skipped.size()) {
    if (stopped) return interrupted_exit;
    throw dn::file_error(args.folder, "none of the pictures could be read");
  }
  fs::create_directories(args.out);
  for (const auto& top : rankings) {
    const auto path = (fs::path(args.out) / ("top_" + examples::file_name_for(top.layer))).string();
    write_table(task, top, path + ".csv");
    draw(task, top, path + ".png");
    std::printf("%s.png, %s.csv\n", path.c_str(), path.c_str());
    std::fflush(stdout);
  }
  return stopped ? interrupted_exit : 0;
}

}  // namespace

int main(int argc, char** argv) {
  arguments args;
  CLI::App app{
      "Finds the strongest activations of a network's feature maps in a folder of pictures and draws what they show."};
  app.footer(
      "Ctrl-C stops the scan; what was found until then is saved and drawn, and the exit code is 130. A second Ctrl-C\n"
      "ends the program. Exit code 1: an error, told on stderr. Pictures that cannot be read are skipped and listed.");
  app.add_option("network", args.network, examples::network_help)->required();
  app.add_option("folder", args.folder, examples::pictures_help)
      ->required();
  app.add_option("--layer", args.layers,
                 "names of layers, or all: every rectified layer (default: the last maps before the classifier)");
  app.add_option("--maps", args.maps, "how many maps to draw: those whose weakest shown activation is strongest")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_option("--map", args.named_maps, "the numbers of the maps to draw, instead")->excludes("--maps");
  app.add_option("--count", args.count, "activations per map, at most one a picture")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  app.add_option("--rule", args.rule, "how signals pass a ReLU on the way down")
      ->check(CLI::IsMember({"deconvnet", "gradient", "guided"}))
      ->capture_default_str();
  app.add_option("--preprocessing", args.preprocessing, examples::preprocessing_help)
      ->check(CLI::IsMember({"torchvision", "caffe"}));
  app.add_option("--ranking", args.ranking, "a file to save what was found to, every 1024 pictures and at the end");
  app.add_flag("--resume", args.resume, "go on from the file of --ranking, if it is there");
  app.add_option("--shard", args.shard, "K/N: look only at the K-th of N parts of the pictures")->capture_default_str();
  app.add_option("--join", args.join,
                 "rankings of other shards, saved by --ranking; only what none has seen is scanned");
  app.add_option("--tile", args.tile, "the longer side of a tile in the figure, in pixels")
      ->check(CLI::Range(8, 1024))
      ->capture_default_str();
  app.add_option("--percentile", args.percentile,
                 "how many of a projection's values are not clipped, the weakest first")
      ->check(CLI::Range(1., 100.))
      ->capture_default_str();
  app.add_option("--out", args.out, "the folder for the figures and the tables")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    return find_and_draw(args);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "top_activations: %s\n", problem.what());
    return 1;
  }
}
