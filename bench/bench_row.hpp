#pragma once

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// The form in which a benchmark that has targets tells what it measured.
namespace bench {

struct row {
  std::string measure;
  std::string unit;
  double ours = 0;
  std::string beside;                                 ///< what it is compared with, in words: a floor, or peers
  std::optional<double> target;                       ///< at most this; none: told for the reader
  std::vector<std::pair<std::string, double>> peers;  ///< each one's figure, where there are peers
  [[nodiscard]] bool met() const noexcept { return !target || ours <= *target; }
};

[[nodiscard]] inline nlohmann::json to_json(const std::vector<row>& rows) {
  nlohmann::json all = nlohmann::json::array();
  for (const row& one : rows) {
    nlohmann::json told{{"measure", one.measure}, {"unit", one.unit}, {"ours", one.ours}, {"met", one.met()}};
    told["target"] = one.target ? nlohmann::json(*one.target) : nlohmann::json();
    if (one.peers.empty()) told["floor"] = one.beside;
    for (const auto& [name, figure] : one.peers) told["peers"][name] = figure;
    all.push_back(std::move(told));
  }
  return all;
}

/// Lines for people, aligned.
[[nodiscard]] inline std::string to_table(const std::vector<row>& rows) {
  std::size_t width = 0;
  std::size_t unit_width = 0;
  for (const row& one : rows) {
    width = std::max(width, one.measure.size());
    unit_width = std::max(unit_width, one.unit.size());
  }
  std::string text;
  char cell[64];
  for (const row& one : rows) {
    std::string line = one.measure;
    line.resize(width, ' ');
    std::snprintf(cell, sizeof cell, "  ours %9.*f %-*s", one.ours < 10 ? 2 : 1, one.ours, static_cast<int>(unit_width),
                  one.unit.c_str());
    line += cell;
    for (const auto& [name, figure] : one.peers) {
      std::snprintf(cell, sizeof cell, "  %s %9.*f", name.c_str(), figure < 10 ? 2 : 1, figure);
      line += cell;
    }
    if (one.target) {
      std::snprintf(cell, sizeof cell, "  target <= %9.*f  %-6s", *one.target < 10 ? 2 : 1, *one.target,
                    one.met() ? "met" : "MISSED");
      line += cell;
    }
    if (!one.beside.empty()) line += "  " + one.beside;
    text += line + '\n';
  }
  return text;
}

/// Says on standard error which targets were missed. Whether none was.
inline bool tell_missed(const std::vector<row>& rows) {
  bool all_met = true;
  for (const row& one : rows) {
    if (one.met()) continue;
    std::fprintf(stderr, "missed: %s: %.2f %s, wanted at most %.2f\n", one.measure.c_str(), one.ours, one.unit.c_str(),
                 *one.target);
    all_met = false;
  }
  return all_met;
}

}  // namespace bench
