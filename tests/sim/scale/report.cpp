#include "report.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <sstream>

#include "notation.hpp"
#include "output/table.hpp"

namespace scale {

namespace sim = artillery::sim;
using json = nlohmann::ordered_json;

namespace {

using member_of_detection = artillery::duration sim::scale_detection::*;

double seconds(artillery::duration time) {
  return std::chrono::duration<double>(time).count();
}

std::string fixed(double value, int decimals) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  return text.data();
}

double rounded(double value) {
  return std::stod(fixed(value, 3));
}

/// Of one kind of detection, over several deaths.
struct spread {
  double median = 0;
  double max = 0;

  [[nodiscard]] std::string text() const { return fixed(median, 1) + " / " + fixed(max, 1); }
  [[nodiscard]] json as_json() const { return {{"median", rounded(median)}, {"max", rounded(max)}}; }
};

spread spread_of(const std::vector<sim::scale_detection>& all, member_of_detection which) {
  std::vector<double> times;
  for (const sim::scale_detection& one : all) times.push_back(seconds(one.*which));
  if (times.empty()) return {};
  std::sort(times.begin(), times.end());
  return {times[times.size() / 2], times.back()};
}

/// Per member and second of the idle time.
struct idle_rates {
  double datagrams = 0;
  double datagrams_of_busiest = 0;
  double datagram_bytes = 0;
  double frame_bytes = 0;
};

idle_rates rates_of(const sim::scale_figures& f) {
  const double length = std::max(seconds(f.idle), 1e-9);
  const double members = static_cast<double>(f.members) * length;
  return {.datagrams = static_cast<double>(f.idle_load.datagrams) / members,
          .datagrams_of_busiest = static_cast<double>(f.idle_load.datagrams_of_busiest) / length,
          .datagram_bytes = static_cast<double>(f.idle_load.datagram_bytes) / members,
          .frame_bytes = static_cast<double>(f.idle_load.frame_bytes) / members};
}

/// What a member sent from the first start until the cluster was quiet.
double joining_bytes(const sim::scale_figures& f) {
  return static_cast<double>(f.joining.datagram_bytes + f.joining.frame_bytes) / static_cast<double>(f.members);
}

json deaths_as_json(const std::vector<sim::scale_detection>& all) {
  return {{"count", all.size()},
          {"first_s", spread_of(all, &sim::scale_detection::first).as_json()},
          {"last_s", spread_of(all, &sim::scale_detection::last).as_json()}};
}

}  // namespace

std::string as_tables(const std::vector<measured>& all) {
  tool::output::table protocol{{"MEMBERS", "WHOLE", "FIRST", "DUE", "LAST", "BOUND", "JOINT LAST", "DATAGRAMS",
                                "BUSIEST", "BYTES", "STREAM BYTES", "TO JOIN", "FALSE"}};
  tool::output::table cost{{"MEMBERS", "SIMULATED", "WALL", "CPU", "SPEED", "PEAK", "EVENTS", "EVENTS/CPU S"}};
  for (const measured& one : all) {
    const sim::scale_figures& f = one.figures;
    const idle_rates rates = rates_of(f);
    const std::string members = std::to_string(f.members);
    protocol.add({members, fixed(seconds(f.joined), 1), spread_of(f.single_deaths, &sim::scale_detection::first).text(),
                  fixed(seconds(f.first_expected), 1), spread_of(f.single_deaths, &sim::scale_detection::last).text(),
                  fixed(seconds(f.last_bound), 0), spread_of(f.joint_deaths, &sim::scale_detection::last).text(),
                  fixed(rates.datagrams, 2), fixed(rates.datagrams_of_busiest, 2), fixed(rates.datagram_bytes, 1),
                  fixed(rates.frame_bytes, 1), tool::to_size_text(static_cast<std::uint64_t>(joining_bytes(f))),
                  std::to_string(f.false_reports)});
    cost.add({members, fixed(one.simulated_seconds(), 0) + " s", fixed(one.wall_seconds, 1) + " s",
              fixed(one.cpu_seconds, 1) + " s", fixed(one.speed(), 1), tool::to_size_text(one.peak_bytes),
              std::to_string(f.events), fixed(one.events_per_cpu_second(), 0)});
  }
  return protocol.text() + "\n" + cost.text();
}

std::string as_json(std::uint64_t seed, const std::vector<measured>& all) {
  json report{{"sim", "scale"}, {"seed", seed}, {"sizes", json::array()}};
  for (const measured& one : all) {
    const sim::scale_figures& f = one.figures;
    const idle_rates rates = rates_of(f);
    report["sizes"].push_back({{"members", f.members},
                               {"whole", f.is_whole},
                               {"whole_s", rounded(seconds(f.joined))},
                               {"quiet_s", rounded(seconds(f.quiet))},
                               {"joining_bytes_per_member", static_cast<std::uint64_t>(joining_bytes(f))},
                               {"single_deaths", deaths_as_json(f.single_deaths)},
                               {"joint_deaths", deaths_as_json(f.joint_deaths)},
                               {"first_expected_s", rounded(seconds(f.first_expected))},
                               {"last_bound_s", rounded(seconds(f.last_bound))},
                               {"false_reports", f.false_reports},
                               {"idle_datagrams_per_member_second", rounded(rates.datagrams)},
                               {"idle_datagrams_of_busiest_per_second", rounded(rates.datagrams_of_busiest)},
                               {"idle_datagram_bytes_per_member_second", rounded(rates.datagram_bytes)},
                               {"idle_stream_bytes_per_member_second", rounded(rates.frame_bytes)},
                               {"simulated_s", rounded(one.simulated_seconds())},
                               {"wall_s", rounded(one.wall_seconds)},
                               {"cpu_s", rounded(one.cpu_seconds)},
                               {"speed", rounded(one.speed())},
                               {"peak_bytes", one.peak_bytes},
                               {"events", f.events},
                               {"events_per_cpu_second", static_cast<std::uint64_t>(one.events_per_cpu_second())}});
  }
  return report.dump(2) + "\n";
}

std::string as_columns(const std::vector<measured>& all) {
  std::ostringstream out;
  out << "# members first_median first_max first_expected last_median last_max datagrams datagram_bytes stream_bytes\n";
  for (const measured& one : all) {
    const sim::scale_figures& f = one.figures;
    const idle_rates rates = rates_of(f);
    const spread first = spread_of(f.single_deaths, &sim::scale_detection::first);
    const spread last = spread_of(f.single_deaths, &sim::scale_detection::last);
    out << f.members;
    for (const double value : {first.median, first.max, seconds(f.first_expected), last.median, last.max,
                               rates.datagrams, rates.datagram_bytes, rates.frame_bytes}) {
      out << ' ' << fixed(value, 3);
    }
    out << '\n';
  }
  return out.str();
}

std::vector<std::string> complaints(const std::vector<measured>& all) {
  std::vector<std::string> found;
  for (const measured& one : all) {
    const sim::scale_figures& f = one.figures;
    const std::string members = std::to_string(f.members) + " members: ";
    if (!f.is_whole) found.push_back(members + "the views did not become complete");
    if (f.false_reports > 0) found.push_back(members + "members that live were reported as failed");
    for (const auto* deaths : {&f.single_deaths, &f.joint_deaths}) {
      const bool in_time = std::all_of(deaths->begin(), deaths->end(), [&](const sim::scale_detection& d) {
        return d.complete && d.last <= f.last_bound;
      });
      if (!in_time) found.push_back(members + "a death was not reported by everybody within the bound");
    }
  }
  return found;
}

}  // namespace scale
