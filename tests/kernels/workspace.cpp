#include <deconvnet/kernels/workspace.hpp>

#include <thread>

#include <doctest/doctest.h>

namespace {

using deconvnet::kernels::workspace;

struct first_purpose;
struct second_purpose;

TEST_CASE("a workspace keeps its memory, grows where more is asked, and belongs to one thread and purpose") {
  float* memory = workspace<first_purpose, float>(100);
  memory[99] = 1;
  CHECK(workspace<first_purpose, float>(50) == memory);
  CHECK(workspace<first_purpose, float>(100) == memory);
  CHECK(workspace<second_purpose, float>(100) != memory);
  workspace<first_purpose, float>(100000)[99999] = 2;
  const float* other = nullptr;
  std::thread([&] {
    other = workspace<first_purpose, float>(100);
    CHECK(other != workspace<second_purpose, float>(100));
  }).join();
  CHECK(other != nullptr);
}

}  // namespace
