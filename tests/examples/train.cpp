// The program `train`, end to end on a few pictures.
#include <deconvnet/io/network_file.hpp>

#include <filesystem>
#include <fstream>
#include <string>

#include <doctest/doctest.h>

#include "../io/temporary_folder.hpp"
#include "programs.hpp"
#include "tiny_data.hpp"

namespace dn = deconvnet;
using namespace deconvnet::testing;

namespace {

/// Options of a network that takes no second to train.
const std::string tiny = " --filters 4,4,6,6,4 --units 8 --batch 8 --validation 10 --normalization batch";

std::string train(const std::filesystem::path& data, const std::filesystem::path& network, const std::string& options) {
  return "train --data " + quoted(data) + " --network " + quoted(network) + options;
}

}  // namespace

TEST_CASE("the same command into other files, with other folders on its way, gives the same bytes") {
  const auto folder = fresh_folder("train_bytes");
  tiny_idx(folder / "data");
  tiny_idx(folder / "elsewhere" / "copy");
  const auto one = folder / "one.safetensors";
  const auto two = folder / "elsewhere" / "two.safetensors";
  output_of(train(folder / "data", one, tiny + " --epochs 2 --flip"));
  output_of(train(folder / "elsewhere" / "copy", two, " --epochs=2 --flip" + tiny + " --checkpoint " + quoted(folder / "c") +
                                                          " --checkpoint-seconds 0 --curves " + quoted(folder / "curves.png") +
                                                          " --snapshots " + quoted(folder / "s") + " --snapshot-epochs 1,2"));
  CHECK(bytes_of(one) == bytes_of(two));
  CHECK(dn::load_network<float>(one).metadata.at("command") ==
        "train --filters 4,4,6,6,4 --units 8 --normalization batch --epochs 2 --batch 8 --flip --validation 10");
  CHECK(std::filesystem::exists(folder / "curves.png"));
}

TEST_CASE("the shipped networks hold the options of the commands that README gives") {
  const auto folder = fresh_folder("train_shipped");
  tiny_idx(folder / "data", 40);
  for (const auto& [name, options] :
       {std::pair("fashion", " --normalization batch --learning-rate 0.1 --dropout 0.3 --pad 1 --flip --epochs 20"),
        std::pair("cifar10", " --normalization batch --learning-rate 0.1 --dropout 0.3 --pad 3 --flip --epochs 16")}) {
    // One picture to train on: it is the stored options that count.
    output_of(train(folder / "data", folder / "net", options + std::string(" --validation 39")));
    const auto command = dn::load_network<float>(folder / "net").metadata.at("command");
    const auto stored = dn::load_network<float>(shipped("networks/" + std::string(name) + ".safetensors"));
    CHECK(command == stored.metadata.at("command") + " --validation 39");
  }
}

TEST_CASE("a run stopped by Ctrl-C goes on by the same command, reads no statistics again, and ends with the same bytes") {
  const auto folder = fresh_folder("train_resume");
  const auto data = tiny_idx(folder / "data");
  const auto checkpoint = folder / "run.checkpoint";
  const std::string options = tiny + " --flip --epochs 150";
  output_of(train(data, folder / "alone", options));
  const std::string resumable = train(data, folder / "resumed", options + " --checkpoint-seconds 0 --checkpoint " + quoted(checkpoint));
  const auto stopped = run_program(resumable + " & pid=$!; while [ ! -e " + quoted(checkpoint) + " ]; do sleep 0.01; done; kill -INT $pid; wait $pid; exit $?; true");
  INFO(stopped.output);
  CHECK(stopped.exit_code == 130);
  CHECK(stopped.output.find("the same command goes on from the checkpoint") != std::string::npos);
  CHECK(!std::filesystem::exists(folder / "resumed"));

  // What it stands on is compared: nothing here changes the shape of a tensor.
  const auto begun = [&](const std::filesystem::path& from, const std::string& more) {
    return train(from, folder / "resumed", options + more + " --checkpoint " + quoted(checkpoint));
  };
  refused(begun(data, " --dropout 0.25"), "run.checkpoint: training_state: the run was begun on something else");
  refused(begun(data, " --dropout 0.25"), "{\"probability\":0.5}' became 'layer 'drop6': dropout of 'relu6' {\"probability\":0.25}'");
  refused(begun(data, " --initialization paper"), "'initialization: he' became 'initialization: paper'");
  refused(begun(data, " --pad 1"), "'augmentation: padding 0 zero crop 0 x 0 flip' became 'augmentation: padding 1 zero");
  refused(begun(data, " --seed 2"), "'seed: 1' became 'seed: 2'");
  refused(begun(tiny_idx(folder / "others", 60, 3), ""), "'data: 60 pictures of 10 classes");

  const std::string resumed = output_of(resumable);
  CHECK(resumed.find("going on from") != std::string::npos);
  CHECK(resumed.find("statistics of colours") == std::string::npos);
  CHECK(resumed.find("mean of each pixel") == std::string::npos);
  CHECK(bytes_of(folder / "resumed") == bytes_of(folder / "alone"));

  std::string bytes = bytes_of(checkpoint);
  const auto at = bytes.find("\"training.best_epoch\":\"") + 23;
  for (std::size_t k = at; bytes[k] != '"'; ++k) bytes[k] = '0';
  std::ofstream(checkpoint, std::ios::binary) << bytes;
  refused(resumable, "run.checkpoint: training_state: damaged: best epoch 0 of 150");
  std::filesystem::resize_file(checkpoint, bytes.size() / 2);
  refused(resumable, "run.checkpoint: ");
}

TEST_CASE("--evaluate ends with the accuracy that training ended with, on pictures resized as the file says") {
  const auto folder = fresh_folder("train_evaluate");
  const auto data = tiny_idx(folder / "data");
  const auto net = folder / "net.safetensors";
  const auto last_line = [](const std::string& output) { return output.substr(output.rfind('\n', output.size() - 2) + 1); };
  const std::string trained = output_of(train(data, net, tiny + " --epochs 1"));
  const std::string tested = output_of(train(data, net, " --evaluate"));
  CHECK(last_line(tested).starts_with("test accuracy: 0."));
  CHECK(last_line(tested).size() == std::string("test accuracy: 0.1234\n").size());
  CHECK(last_line(tested) == last_line(trained));

  const auto pictures = tiny_folders(folder / "pictures", 20, 26);
  for (const std::string ten : {"", " --ten-crop"}) {
    const std::string small = " --filters 4,4,6,6,4 --units 8 --batch 8 --validation 6 --epochs 2 --resize 16 --crop 12";
    const std::string from_folders = output_of(train(pictures, net, small + ten));
    CHECK(last_line(output_of(train(pictures, net, " --evaluate" + ten))) == last_line(from_folders));
    const auto stored = dn::load_network<float>(net);
    CHECK(stored.preparation.resize == 16);
    CHECK(stored.preparation.crop == 12);
    CHECK((stored.metadata.at("recipe").find("ten crops") != std::string::npos) == !ten.empty());
  }
}

TEST_CASE("with --crop alone the file holds the short side of the pictures, to which others are resized before they are cut") {
  const auto folder = fresh_folder("train_crop");
  output_of(train(tiny_folders(folder / "data", 16, 20), folder / "net", tiny + " --epochs 1 --crop 12"));
  const auto stored = dn::load_network<float>(folder / "net");
  CHECK(stored.preparation.resize == 16);
  CHECK(stored.preparation.crop == 12);
  output_of(train(tiny_folders(folder / "larger", 32, 40), folder / "net", " --evaluate"));
}

TEST_CASE("the rate falls in steps, and ten crops need pictures larger than the crop") {
  const auto folder = fresh_folder("train_options");
  const auto data = tiny_idx(folder / "data");
  output_of(train(data, folder / "net", tiny + " --epochs 3 --schedule step --step-epochs 2 --step-factor 0.5 --warm-up 0"));
  const auto metadata = dn::load_network<float>(folder / "net").metadata;
  CHECK(metadata.at("recipe").find("learning rate: step 0.05 every 2 factor 0.5\n") != std::string::npos);
  refused(train(data, folder / "net", tiny + " --ten-crop"), "--ten-crop needs --crop");
  refused(train(data, folder / "net", tiny + " --ten-crop --crop 10 --flip"), "takes no --pad and no --flip");
  refused(train(data, folder / "net", tiny + " --ten-crop --crop 13"), "a crop of 13 x 13 out of a picture of 12 x 12");
}
