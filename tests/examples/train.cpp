// The program `train`, end to end on a few pictures.
#include <deconvnet/io/network_file.hpp>

#include <filesystem>
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
       {std::pair("fashion", " --normalization batch --learning-rate 0.1 --dropout 0.3 --pad 1 --flip --epochs 14"),
        std::pair("cifar10", " --normalization batch --learning-rate 0.1 --dropout 0.3 --pad 3 --flip --epochs 16")}) {
    // One picture to train on: it is the stored options that count.
    output_of(train(folder / "data", folder / "net", options + std::string(" --validation 39")));
    const auto command = dn::load_network<float>(folder / "net").metadata.at("command");
    CHECK(command == dn::load_network<float>(shipped("networks/" + std::string(name) + ".safetensors")).metadata.at("command") +
                         " --validation 39");
  }
}
