#include "report.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <functional>

namespace failover {

using artillery::duration;

namespace {

using figure = std::function<duration(const sample&)>;

constexpr std::array places{place::head, place::middle, place::tail};

double milliseconds(duration value) {
  return std::chrono::duration<double, std::milli>(value).count();
}

std::vector<duration> values_of(const std::vector<sample>& samples, ending how, place where, const figure& of) {
  std::vector<duration> found;
  for (const sample& one : samples) {
    if (one.how == how && one.where == where) found.push_back(of(one));
  }
  std::sort(found.begin(), found.end());
  return found;
}

duration median(const std::vector<duration>& sorted) {
  return sorted.empty() ? duration{} : sorted[sorted.size() / 2];
}

std::string name_of(ending how, place where) {
  return std::string{how == ending::killed ? "kill of the " : "leave of the "} + std::string{to_string(where)};
}

}  // namespace

std::vector<bench::row> rows_of(const std::vector<sample>& samples, duration gate) {
  using namespace std::chrono_literals;
  std::vector<bench::row> rows;
  for (const place where : places) {
    const auto gaps = values_of(samples, ending::killed, where, [](const sample& s) { return s.gap; });
    if (gaps.empty()) continue;
    const duration detection =
        median(values_of(samples, ending::killed, where, [](const sample& s) { return s.detection; }));
    rows.push_back({name_of(ending::killed, where) + ": median gap in acked writes",
                    "ms",
                    milliseconds(median(gaps)),
                    "detection, gate and 50 ms",
                    milliseconds(detection + gate + 50ms),
                    {}});
    const auto reads = values_of(samples, ending::killed, where, [](const sample& s) { return s.read_gap; });
    rows.push_back({name_of(ending::killed, where) + ": median gap in clean strong reads at the others",
                    "ms",
                    milliseconds(median(reads)),
                    "they go on",
                    50.0,
                    {}});
  }
  for (const place where : places) {
    const auto gaps = values_of(samples, ending::left, where, [](const sample& s) { return s.gap; });
    if (gaps.empty()) continue;
    rows.push_back({name_of(ending::left, where) + ": median gap in acked writes",
                    "ms",
                    milliseconds(median(gaps)),
                    "clean hand-over",
                    50.0,
                    {}});
  }
  return rows;
}

std::string table_of(const std::vector<sample>& samples) {
  struct column {
    const char* name;
    figure of;
  };
  const std::array<column, 7> columns{{{"detected", [](const sample& s) { return s.detection; }},
                                       {"new view", [](const sample& s) { return s.view; }},
                                       {"opened", [](const sample& s) { return s.opening; }},
                                       {"write gap", [](const sample& s) { return s.gap; }},
                                       {"read gap", [](const sample& s) { return s.read_gap; }},
                                       {"whole again", [](const sample& s) { return s.whole; }},
                                       {"gap of join", [](const sample& s) { return s.join_gap; }}}};
  std::string text = "milliseconds, median / worst";
  text.resize(30, ' ');
  for (const column& one : columns) text += std::string(18 - std::string_view{one.name}.size(), ' ') + one.name;
  text += '\n';
  for (const ending how : {ending::killed, ending::left}) {
    for (const place where : places) {
      if (values_of(samples, how, where, columns[0].of).empty()) continue;
      std::string line = name_of(how, where);
      line.resize(30, ' ');
      for (const column& one : columns) {
        const auto values = values_of(samples, how, where, one.of);
        std::array<char, 32> cell{};
        std::snprintf(cell.data(), cell.size(), "%9.1f /%7.1f", milliseconds(median(values)),
                      milliseconds(values.back()));
        line += ' ' + std::string{cell.data()};
      }
      text += line + '\n';
    }
  }
  return text;
}

std::string columns_of(const std::vector<sample>& samples) {
  std::string text = "# ending place detection view opening gap read_gap whole join_gap\n";
  for (const sample& one : samples) {
    text += one.how == ending::killed ? "killed " : "left ";
    text += to_string(one.where);
    for (const duration value :
         {one.detection, one.view, one.opening, one.gap, one.read_gap, one.whole, one.join_gap}) {
      std::array<char, 32> cell{};
      std::snprintf(cell.data(), cell.size(), " %.1f", milliseconds(value));
      text += cell.data();
    }
    text += '\n';
  }
  return text;
}

}  // namespace failover
