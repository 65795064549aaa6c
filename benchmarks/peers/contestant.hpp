// What peers.py talks to: a program that prepares one piece of work, hands over its result, and repeats it while it is
// timed. One JSON object per line in, one per line out:
//   {"prepare": {...}}  ->  {"ready": true}              the work is done once; its result lies in the file "output" names
//   {"time": n}         ->  {"seconds": [n numbers]}     wall clock of n repetitions
// and {"error": "..."} where something went wrong.
#pragma once

#include <chrono>
#include <cstdio>
#include <exception>
#include <functional>
#include <iostream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace contestant {

/// `prepare` turns a description into work that can be repeated; it runs the work once and writes its result.
inline void serve(const std::function<std::function<void()>(const nlohmann::json&)>& prepare) {
  std::function<void()> work;
  for (std::string line; std::getline(std::cin, line);) {
    nlohmann::json answer;
    try {
      const auto request = nlohmann::json::parse(line);
      if (request.contains("prepare")) {
        work = nullptr;  // its memory is given back first
        work = prepare(request.at("prepare"));
        answer["ready"] = true;
      } else {
        std::vector<double> seconds;
        for (int k = request.at("time").get<int>(); k > 0; --k) {
          const auto start = std::chrono::steady_clock::now();
          work();
          seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
        }
        answer["seconds"] = seconds;
      }
    } catch (const std::exception& problem) {
      answer = {{"error", problem.what()}};
    }
    std::cout << answer.dump() << std::endl;
  }
}

}  // namespace contestant
