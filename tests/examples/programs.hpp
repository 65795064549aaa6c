// Runs the example programs as a user does, in a folder of the build.
#pragma once

#include <array>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <string>

#include <sys/wait.h>

#include <doctest/doctest.h>

namespace deconvnet::testing {

struct program_result {
  int exit_code = -1;
  std::string output;  // what it printed, errors too
};

/// An empty folder in the build, for what one test writes; it stays to be looked at.
inline std::filesystem::path fresh_folder(const std::string& name) {
  const auto path = std::filesystem::path(DECONVNET_WORK_DIR) / name;
  std::filesystem::remove_all(path);
  std::filesystem::create_directories(path);
  return path;
}

inline std::string quoted(const std::filesystem::path& path) { return "'" + path.string() + "'"; }

/// `command`: the name of a program and its arguments, for the shell.
inline program_result run_program(const std::string& command) {
  program_result result;
  std::FILE* pipe = popen(("'" DECONVNET_PROGRAMS_DIR "'/" + command + " 2>&1").c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::array<char, 4096> piece;
  for (std::size_t read = 0; (read = std::fread(piece.data(), 1, piece.size(), pipe)) > 0;) result.output.append(piece.data(), read);
  const int status = pclose(pipe);
  if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  return result;
}

/// The same; a test that needs what it writes ends where it fails.
inline std::string output_of(const std::string& command) {
  const auto result = run_program(command);
  INFO(command, "\n", result.output);
  REQUIRE(result.exit_code == 0);
  return result.output;
}

/// Fails, and says this.
inline void refused(const std::string& command, const std::string& message) {
  const auto result = run_program(command);
  INFO(command, "\n", result.output);
  CHECK(result.exit_code == 1);
  CHECK(result.output.find(message) != std::string::npos);
}

inline std::filesystem::path shipped(const std::string& name) {
  return std::filesystem::path(DECONVNET_FIXTURES_DIR).parent_path().parent_path() / "examples" / name;
}

}  // namespace deconvnet::testing
