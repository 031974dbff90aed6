#include "samples.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <numeric>
#include <optional>
#include <set>

namespace peers {
namespace {

enum class statistic : std::uint8_t { median, worst, sum };

/// What is told of a measure, and how it ought to come out.
struct wish {
  measure what;
  statistic how;
  const char* text;
  const char* unit;
  enum class kind : std::uint8_t { none, at_most, faster_peer } target = kind::none;
  double at_most = 0;
};

using kind = wish::kind;

/// A ping and an ack: two; and one more in the minute that is watched, which begins and ends between them.
constexpr double idle_datagrams_max = 2.0 + 1.0 / 60;

constexpr std::array wishes{
    wish{measure::views_full, statistic::median, "all joined at once until every view is full, median", "s",
         kind::faster_peer},
    wish{measure::cpu, statistic::median, "processor per node and minute, idle", "s", kind::at_most, 0.05},
    wish{measure::resident, statistic::median, "resident memory per node", "MiB", kind::at_most, 4.0},
    wish{measure::own_memory, statistic::median, "memory that a node shares with no other", "MiB"},
    wish{measure::datagrams, statistic::median, "datagrams per node and second, idle", "", kind::at_most,
         idle_datagrams_max},
    wish{measure::payload, statistic::median, "bytes in them per node and second, idle", "B", kind::at_most, 83.0},
    wish{measure::event, statistic::median, "event of 64 bytes at the last node, median", "ms", kind::at_most, 50.0},
    wish{measure::event, statistic::worst, "event of 64 bytes at the last node, worst", "ms"},
    wish{measure::missed, statistic::sum, "events that missed a node", "", kind::at_most, 0.0},
    wish{measure::event_under_loss, statistic::median, "event at the last node, 10 % loss, median", "ms"},
    wish{measure::missed_under_loss, statistic::sum, "events that missed a node, 10 % loss", "", kind::at_most, 0.0},
    wish{measure::first_report, statistic::median, "SIGKILL until the first report, median", "s", kind::faster_peer},
    wish{measure::first_report, statistic::worst, "SIGKILL until the first report, worst", "s", kind::at_most, 12.0},
    wish{measure::last_report, statistic::median, "first report until the last, median", "s", kind::at_most, 0.5},
    wish{measure::last_report, statistic::worst, "first report until the last, worst", "s", kind::at_most, 2.0},
    wish{measure::rejoin, statistic::median, "started again until every view is full, median", "s"},
    wish{measure::leave, statistic::median, "leave at the last node, median", "s"},
    wish{measure::leave, statistic::worst, "leave at the last node, worst", "s", kind::at_most, 1.0},
    wish{measure::false_idle, statistic::sum, "false reports, idle", "", kind::at_most, 0.0},
    wish{measure::false_loss_10, statistic::sum, "false reports, 10 % loss", "", kind::at_most, 0.0},
    wish{measure::false_loss_25, statistic::sum, "false reports, 25 % loss", "", kind::at_most, 0.0},
    wish{measure::false_stopped, statistic::sum, "false reports, an eighth stopped for 6 to 12 s", "", kind::at_most,
         0.0},
    wish{measure::false_starved, statistic::sum, "false reports, an eighth starved of the processor", "", kind::at_most,
         0.0},
    wish{measure::starved_reported, statistic::sum, "reports of those starved", ""},
};

double figure_of(std::vector<double> values, statistic how) {
  std::sort(values.begin(), values.end());
  switch (how) {
    case statistic::median: return values[values.size() / 2];
    case statistic::worst: return values.back();
    case statistic::sum: return std::accumulate(values.begin(), values.end(), 0.0);
  }
  return 0;
}

std::optional<double> figure_of(const std::vector<sample>& samples, const wish& wanted, std::size_t nodes, library of) {
  std::vector<double> values;
  for (const sample& one : samples) {
    if (one.what == wanted.what && one.nodes == nodes && one.of == of) values.push_back(one.value);
  }
  if (values.empty()) return std::nullopt;
  return figure_of(std::move(values), wanted.how);
}

std::optional<bench::row> row_of(const std::vector<sample>& samples, const wish& wanted, std::size_t nodes) {
  const auto ours = figure_of(samples, wanted, nodes, library::ours);
  if (!ours) return std::nullopt;
  bench::row made{std::to_string(nodes) + " nodes: " + wanted.text, wanted.unit, *ours, {}, {}, {}};
  if (wanted.target == kind::at_most) made.target = wanted.at_most;
  for (const library peer : {library::memberlist, library::serf}) {
    const auto theirs = figure_of(samples, wanted, nodes, peer);
    if (!theirs) continue;
    made.peers.emplace_back(to_string(peer), *theirs);
    if (wanted.target == kind::faster_peer) made.target = std::min(made.target.value_or(*theirs), *theirs);
  }
  return made;
}

}  // namespace

std::string_view to_string(measure what) noexcept {
  switch (what) {
    case measure::views_full: return "views_full";
    case measure::cpu: return "cpu";
    case measure::resident: return "resident";
    case measure::own_memory: return "own_memory";
    case measure::datagrams: return "datagrams";
    case measure::payload: return "payload";
    case measure::event: return "event";
    case measure::missed: return "missed";
    case measure::event_under_loss: return "event_under_loss";
    case measure::missed_under_loss: return "missed_under_loss";
    case measure::first_report: return "first_report";
    case measure::last_report: return "last_report";
    case measure::rejoin: return "rejoin";
    case measure::leave: return "leave";
    case measure::false_idle: return "false_idle";
    case measure::false_loss_10: return "false_loss_10";
    case measure::false_loss_25: return "false_loss_25";
    case measure::false_stopped: return "false_stopped";
    case measure::false_starved: return "false_starved";
    case measure::starved_reported: return "starved_reported";
  }
  return {};
}

std::vector<bench::row> rows_of(const std::vector<sample>& samples) {
  std::vector<bench::row> rows;
  for (const wish& wanted : wishes) {
    std::set<std::size_t> sizes;
    for (const sample& one : samples) {
      if (one.what == wanted.what) sizes.insert(one.nodes);
    }
    for (const std::size_t nodes : sizes) {
      if (auto made = row_of(samples, wanted, nodes)) rows.push_back(std::move(*made));
    }
  }
  return rows;
}

std::string columns_of(const std::vector<sample>& samples) {
  std::string text = "# measure library nodes value\n";
  for (const sample& one : samples) {
    char line[96];
    std::snprintf(line, sizeof line, "%s %s %zu %.4f\n", std::string{to_string(one.what)}.c_str(),
                  std::string{to_string(one.of)}.c_str(), one.nodes, one.value);
    text += line;
  }
  return text;
}

}  // namespace peers
