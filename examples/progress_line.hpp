// How far a long analysis is: one line that moves on a terminal, a line now and then in a file. Ctrl-C stops it.
#pragma once

#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <stop_token>
#include <string>
#include <utility>

#include <unistd.h>

namespace examples {

namespace detail {
inline volatile std::sig_atomic_t interrupted = 0;
}

/// From now on the first Ctrl-C asks the work to stop, the second ends the program.
inline void stop_on_interrupt() {
  std::signal(SIGINT, [](int signal) {
    detail::interrupted = 1;
    std::signal(signal, SIG_DFL);
  });
}

inline bool was_interrupted() { return detail::interrupted != 0; }

/// Hand `update` to an analysis as its progress callback and stop() as its stop token.
class progress_line {
 public:
  /// `what` is done to `noun`: "scanning", "pictures".
  progress_line(std::string what, std::string noun) : what_(std::move(what)), noun_(std::move(noun)) {}
  progress_line(const progress_line&) = delete;
  progress_line& operator=(const progress_line&) = delete;
  ~progress_line() {
    if (terminal_ && shown_) std::fputc('\n', stderr);
  }

  void update(std::size_t done, std::size_t total) {
    if (was_interrupted()) stop_.request_stop();
    const auto now = clock::now();
    const bool last = done == total;
    const double since_shown = std::chrono::duration<double>(now - last_shown_).count();
    if (!last && since_shown < (terminal_ ? 0.1 : 30.0)) return;
    last_shown_ = now;
    shown_ = true;
    const double seconds = std::chrono::duration<double>(now - start_).count();
    const double rate = seconds > 0 ? static_cast<double>(done) / seconds : 0;
    std::string line = what_ + ": " + std::to_string(done);
    if (total != 0) line += " of " + std::to_string(total);
    line += " " + noun_ + decimal(", %.1f a second", rate);
    if (last) line += ", " + duration(seconds) + " in all";
    else if (total != 0 && rate > 0) line += ", " + duration(static_cast<double>(total - done) / rate) + " left";
    // The end of a longer line before it is wiped out.
    std::fprintf(stderr, terminal_ ? "\r%s\x1b[K" : "%s\n", line.c_str());
    std::fflush(stderr);
  }

  std::stop_token stop() const { return stop_.get_token(); }

 private:
  using clock = std::chrono::steady_clock;

  static std::string decimal(const char* format, double value) {
    char text[64];
    std::snprintf(text, sizeof text, format, value);
    return text;
  }

  static std::string duration(double seconds) {
    if (seconds < 60) return decimal("%.0f s", seconds);
    if (seconds < 3600) return decimal("%.0f min", seconds / 60);
    return decimal("%.1f h", seconds / 3600);
  }

  std::string what_, noun_;
  bool terminal_ = isatty(fileno(stderr)) != 0;
  bool shown_ = false;
  clock::time_point start_ = clock::now();
  clock::time_point last_shown_ = start_;
  std::stop_source stop_;
};

}  // namespace examples
