#pragma once

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

/// The form in which a benchmark that has targets tells what it measured.
namespace bench {

struct row {
  std::string measure;
  std::string unit;
  double ours = 0;
  std::string beside;  ///< what it is compared with: a floor, or peers
  double target = 0;   ///< at most this
  [[nodiscard]] bool met() const noexcept { return ours <= target; }
};

[[nodiscard]] inline nlohmann::json to_json(const std::vector<row>& rows) {
  nlohmann::json all = nlohmann::json::array();
  for (const row& one : rows) {
    all.push_back({{"measure", one.measure},
                   {"unit", one.unit},
                   {"ours", one.ours},
                   {"floor", one.beside},
                   {"target", one.target},
                   {"met", one.met()}});
  }
  return all;
}

/// Lines for people, aligned.
[[nodiscard]] inline std::string to_table(const std::vector<row>& rows) {
  std::size_t width = 0;
  for (const row& one : rows) width = std::max(width, one.measure.size());
  std::string text;
  for (const row& one : rows) {
    char line[256];
    std::snprintf(line, sizeof line, "%-*s  ours %9.1f %s  target <= %9.1f  %-6s  %s\n", static_cast<int>(width),
                  one.measure.c_str(), one.ours, one.unit.c_str(), one.target, one.met() ? "met" : "MISSED",
                  one.beside.c_str());
    text += line;
  }
  return text;
}

}  // namespace bench
