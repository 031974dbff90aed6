#include "report.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "output/table.hpp"

namespace study {

namespace sim = artillery::sim;
using json = nlohmann::ordered_json;

namespace {

double seconds(artillery::duration time) {
  return std::chrono::duration<double>(time).count();
}

std::string fixed(double value, int decimals) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  return text;
}

/// What a run comes to, in the units that are told.
struct told {
  double healthy_per_hour = 0;
  double slow_per_hour = 0;
  double reports_per_hour = 0;
  double first_median = 0;
  double first_late = 0;  ///< nine in ten came sooner
  double last_median = 0;
  std::size_t deaths = 0;
  std::size_t unnoticed = 0;  ///< deaths that not all healthy members had reported in time
  double datagrams = 0;       ///< per member and second
};

double at_share(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const auto place = static_cast<std::size_t>(share * static_cast<double>(values.size()));
  return values[std::min(place, values.size() - 1)];
}

told told_of(const result& of) {
  const sim::study_figures& f = of.figures;
  const double hours = seconds(f.watched) / 3600;
  told made;
  made.healthy_per_hour = static_cast<double>(f.false_deaths_of_healthy) / hours;
  made.slow_per_hour = static_cast<double>(f.false_deaths_of_slow) / hours;
  made.reports_per_hour = static_cast<double>(f.false_reports) / hours;
  std::vector<double> firsts;
  std::vector<double> lasts;
  for (const sim::scale_detection& one : f.deaths) {
    firsts.push_back(seconds(one.first));
    lasts.push_back(seconds(one.last));
    if (!one.complete) ++made.unnoticed;
  }
  made.first_median = at_share(firsts, 0.5);
  made.first_late = at_share(firsts, 0.9);
  made.last_median = at_share(lasts, 0.5);
  made.deaths = f.deaths.size();
  made.datagrams = static_cast<double>(f.datagrams) / static_cast<double>(of.members) / seconds(f.watched);
  return made;
}

}  // namespace

std::string as_tables(const std::vector<series>& those, const std::vector<result>& results) {
  std::string text;
  for (const series& one : those) {
    tool::output::table lines{{"X", "PROTOCOL", "FALSE/H", "OF SLOW/H", "REPORTS/H", "DEATHS", "FIRST", "90 %", "LAST",
                               "UNNOTICED", "DATAGRAMS"}};
    for (const result& of : results) {
      if (of.series != one.name) continue;
      const told t = told_of(of);
      lines.add({fixed(of.x, 0), std::string{to_string(of.which)}, fixed(t.healthy_per_hour, 1),
                 fixed(t.slow_per_hour, 1), fixed(t.reports_per_hour, 0), std::to_string(t.deaths),
                 fixed(t.first_median, 1), fixed(t.first_late, 1), fixed(t.last_median, 1), std::to_string(t.unnoticed),
                 fixed(t.datagrams, 2)});
    }
    text += (text.empty() ? "" : "\n") + one.name + ": " + one.what + "\n" + lines.text();
  }
  return text;
}

std::string as_json(std::uint64_t seed, const std::vector<result>& results) {
  json report{{"sim", "study"}, {"seed", seed}, {"runs", json::array()}};
  for (const result& of : results) {
    const told t = told_of(of);
    report["runs"].push_back({{"series", of.series},
                              {"x", of.x},
                              {"protocol", to_string(of.which)},
                              {"members", of.members},
                              {"watched_s", seconds(of.figures.watched)},
                              {"false_deaths_of_healthy", of.figures.false_deaths_of_healthy},
                              {"false_deaths_of_slow", of.figures.false_deaths_of_slow},
                              {"false_reports", of.figures.false_reports},
                              {"deaths", t.deaths},
                              {"unnoticed", t.unnoticed},
                              {"first_median_s", t.first_median},
                              {"first_90_percent_s", t.first_late},
                              {"last_median_s", t.last_median},
                              {"datagrams_per_member_second", t.datagrams}});
  }
  return report.dump(2) + "\n";
}

std::string as_columns(const std::vector<result>& results) {
  std::string text = "# series protocol x healthy_per_hour slow_per_hour first_median first_90 last_median datagrams\n";
  for (const result& of : results) {
    const told t = told_of(of);
    text += of.series + ' ' + std::string{to_string(of.which)};
    for (const double value :
         {of.x, t.healthy_per_hour, t.slow_per_hour, t.first_median, t.first_late, t.last_median, t.datagrams})
      text += ' ' + fixed(value, 3);
    text += '\n';
  }
  return text;
}

}  // namespace study
