// First-layer filters of one network or of two side by side, and what they are in numbers: the paper's figure 6, where
// dead and aliased filters of AlexNet led to ZFNet.
#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "experiment.hpp"
#include "picture_folder.hpp"
#include "progress_line.hpp"

namespace {

namespace dn = deconvnet;

struct arguments {
  std::vector<std::string> networks;
  std::string layer, images;
  std::size_t classes = 1000;
  std::string preprocessing;
  std::string out = "filters.png";
};

/// A network of this library by its name, weights still zero.
dn::network<float> model_named(const std::string& name, std::size_t classes) {
  if (name == "alexnet") return dn::alexnet<float>({.classes = classes});
  if (name == "alexnet-torchvision") {
    return dn::alexnet<float>({.classes = classes, .variant = dn::alexnet_variant::torchvision});
  }
  if (name == "zfnet") return dn::zfnet<float>({.classes = classes});
  if (name == "vgg16") return dn::vgg16<float>({.classes = classes});
  if (name == "vgg19") return dn::vgg19<float>({.classes = classes});
  if (name == "squeezenet1_1") return dn::squeezenet1_1<float>({.classes = classes});
  throw dn::error("unknown model '" + name +
                  "': alexnet, alexnet-torchvision, zfnet, vgg16, vgg19 and squeezenet1_1 are known");
}

/// MODEL=FILE, or a file that knows its layers.
examples::opened_network open(const std::string& source, const arguments& args) {
  const auto equals = source.find('=');
  if (equals == std::string::npos || std::filesystem::exists(source)) return examples::open_network(source, args.preprocessing);
  auto net = model_named(source.substr(0, equals), args.classes);
  dn::load_safetensors(net, source.substr(equals + 1));
  auto preparation = examples::preprocessing_for(args.preprocessing.empty() ? "torchvision" : args.preprocessing, net.input_shape());
  return {std::move(net), std::move(preparation), {}};
}

/// The layer that was named, else the first with filters.
std::string filter_layer(const dn::network<float>& net, const std::string& wanted) {
  if (!wanted.empty()) return net.name(net.find(wanted));
  for (const auto& info : net.layers()) {
    if (info.kind == "conv2d") return info.name;
  }
  throw dn::error("the network has no convolution");
}

/// The filters of one network in numbers and pictures.
struct portrait {
  std::string name, layer;
  dn::filter_survey survey;
  std::array<std::size_t, 2> kernel{};
  xt::xtensor<float, 3> common, own;
};

xt::xtensor<float, 3> sheet_of(const dn::network<float>& net, const std::string& layer, dn::display_scope scope,
                               const dn::filter_survey& survey, dn::channel_order order) {
  dn::filter_picture_options options{.scope = scope, .channel_order = order};
  // About 40 pixels each, whatever the filters' size.
  const auto plain = dn::filter_pictures(net, layer, options);
  options.enlarge = std::max<std::size_t>(1, 44 / std::max(plain.shape(2), plain.shape(3)));
  const auto pictures = dn::enlarge(plain, options.enlarge);
  std::vector<xt::xtensor<float, 3>> tiles;
  for (std::size_t f = 0; f < pictures.shape(0); ++f) {
    const dn::box whole{0, 0, pictures.shape(2), pictures.shape(3)};
    auto tile = examples::in_colour(dn::crop(pictures, f, whole));
    if (survey[f].dead) dn::draw_box(tile, whole, {255, 0, 0}, 3);
    tiles.push_back(std::move(tile));
  }
  return dn::montage(tiles, {.gap = 3});
}

portrait look_at(const std::string& source, const arguments& args) {
  const auto [net, options, labels] = open(source, args);
  portrait one;
  one.name = std::filesystem::path(source).filename().string();
  one.layer = filter_layer(net, args.layer);
  examples::picture_list pictures(std::vector<std::filesystem::path>{});
  if (!args.images.empty()) pictures = examples::pictures_in(args.images);
  const examples::picture_inputs inputs(pictures, 0, pictures.size(), options, net.input_shape()[0]);
  examples::progress_line progress(one.name, "photographs");
  one.survey = dn::filter_statistics(
      net, one.layer, inputs, {.progress = [&](std::size_t done, std::size_t total) { progress.update(done, total); }});
  one.common = sheet_of(net, one.layer, dn::display_scope::batch, one.survey, options.channel_order);
  one.own = sheet_of(net, one.layer, dn::display_scope::picture, one.survey, options.channel_order);
  if (const auto* conv = net.get_if<dn::conv2d<float>>(one.layer)) {
    one.kernel = {conv->weight().shape(2), conv->weight().shape(3)};
  }
  return one;
}

/// How many fulfil it, and the share.
template <class Condition>
std::string count_of(const dn::filter_survey& survey, const Condition& condition) {
  const auto count = static_cast<std::size_t>(std::count_if(survey.filters.begin(), survey.filters.end(), condition));
  char text[64];
  std::snprintf(text, sizeof(text), "%zu (%.0f %%)", count,
                100.0 * static_cast<double>(count) / static_cast<double>(survey.size()));
  return text;
}

void add_summary(dn::table& summary, const portrait& one) {
  double strongest = 0;
  double rms = 0;
  double high = 0;
  for (const auto& filter : one.survey.filters) {
    strongest = std::max(strongest, filter.rms);
    rms += filter.rms / static_cast<double>(one.survey.size());
    high += filter.high_frequency / static_cast<double>(one.survey.size());
  }
  const auto weak = [&](const dn::filter_activity& filter) { return filter.rms < strongest / 10; };
  const auto dead = [](const dn::filter_activity& filter) { return filter.dead; };
  const auto rough = [](const dn::filter_activity& filter) { return filter.high_frequency > 0.5; };
  summary.add({one.name, one.survey.size(), std::to_string(one.kernel[0]) + " x " + std::to_string(one.kernel[1]),
               dn::cell(rms, 4), dn::cell(strongest, 4), count_of(one.survey, weak), dn::cell(high, 3),
               count_of(one.survey, rough),
               one.survey.images == 0 ? std::string("not looked for") : count_of(one.survey, dead)});
}

void compare(const arguments& args) {
  const auto picture = examples::picture_path(args.out);
  std::vector<portrait> portraits;
  for (const auto& source : args.networks) portraits.push_back(look_at(source, args));

  dn::table summary({"network", "filters", "size", "mean RMS", "largest RMS", "RMS below a tenth of it",
                     "mean high frequency", "high above half", "dead"});
  dn::table numbers({"network", "layer", "filter", "rms", "high_frequency", "largest", "dead"});
  dn::figure_options options{.gap = 14};
  options.caption = "Common scale: filters can be compared.\nOwn scale: the structure of weak ones shows.";
  options.caption += "\nZero is mid-grey.";
  std::vector<std::vector<dn::panel>> rows(2);
  for (const auto& one : portraits) {
    add_summary(summary, one);
    for (std::size_t f = 0; f < one.survey.size(); ++f) {
      const auto& filter = one.survey[f];
      const bool looked = one.survey.images > 0;
      numbers.add({one.name, one.layer, f, filter.rms, filter.high_frequency,
                   looked ? dn::cell(filter.largest) : dn::cell(""),
                   looked ? dn::cell(filter.dead ? 1 : 0) : dn::cell("")});
    }
    rows[0].emplace_back(one.common, "common scale");
    rows[1].emplace_back(one.own, "own scale");
    options.column_labels.push_back(one.name);
    for (const auto& skipped : one.survey.skipped) std::fprintf(stderr, "skipped: %s\n", skipped.message.c_str());
  }
  if (!args.images.empty()) {
    options.caption +=
        "\nRed frames: dead, never above zero in " + std::to_string(portraits.front().survey.images) + " photographs.";
  }
  if (portraits.size() == 1) {  // its two pictures side by side
    rows = {{dn::panel(portraits[0].common), dn::panel(portraits[0].own)}};
    options.title = portraits[0].name;
    options.column_labels = {"common scale", "own scale"};
  }
  dn::save_image(picture, dn::figure(rows, options));
  auto table_file = picture;
  table_file.replace_extension(".csv");
  examples::write_text(table_file, dn::to_csv(numbers));
  std::printf("%s%s, %s\n", dn::to_text(summary).c_str(), picture.c_str(), table_file.c_str());
}

}  // namespace

int main(int argc, char** argv) {
  arguments args;
  CLI::App app{"Shows the first-layer filters of one network, or of two side by side, with numbers."};
  app.add_option("networks", args.networks,
                 "one or two: an ONNX file, a .safetensors file written by train, or MODEL=WEIGHTS.safetensors with MODEL one of "
                 "alexnet, alexnet-torchvision, zfnet, vgg16, vgg19, squeezenet1_1")
      ->required()
      ->expected(1, 2);
  app.add_option("--layer", args.layer, "the layer whose filters are shown (default: the first convolution)");
  app.add_option("--images", args.images, std::string("to find filters that are never active: ") + examples::pictures_help);
  app.add_option("--classes", args.classes, "of the MODEL whose weights are read")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--preprocessing", args.preprocessing, examples::preprocessing_help)
      ->check(CLI::IsMember({"torchvision", "caffe"}));
  app.add_option("--out", args.out, "the picture; numbers go into a .csv beside it")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    compare(args);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "filters: %s\n", problem.what());
    return 1;
  }
}
