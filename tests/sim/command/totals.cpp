#include "totals.hpp"

#include <sys/time.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace simulator {

namespace {

bool is_extreme(const std::string& name) {
  return name.ends_with("_ms") || name.ends_with("_max");
}

double in_seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

std::string fixed_text(double value, unsigned decimals) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", static_cast<int>(decimals), value);
  return text;
}

}  // namespace

std::string figure::text() const {
  return fixed_text(value, decimals);
}

std::string as_word(std::string name) {
  std::replace(name.begin(), name.end(), ' ', '_');
  return name;
}

void totals::add(std::uint64_t seed, const artillery::sim::run_result& result) {
  first_ = seeds_ == 0 ? seed : std::min(first_, seed);
  ++seeds_;
  if (!result.violations.empty()) violations_[seed] = result.violations;
  for (std::size_t i = 0; i < result.counters.size(); ++i) {
    const auto& [name, value] = result.counters[i];
    if (i == counters_.size()) counters_.push_back({as_word(name), 0});
    counter& sum = counters_[i];
    sum.value = is_extreme(sum.name) ? std::max(sum.value, value) : sum.value + value;
  }
}

void totals::spent(double cpu_seconds, double seconds) {
  cpu_seconds_ = cpu_seconds;
  seconds_ = seconds;
}

std::optional<std::uint64_t> totals::value_of(const std::string& name) const {
  const auto found = std::find_if(counters_.begin(), counters_.end(), [&](const counter& c) { return c.name == name; });
  return found == counters_.end() ? std::nullopt : std::optional{found->value};
}

double totals::head_value(const head_figure& wanted) const {
  std::uint64_t sum = value_of(wanted.name).value_or(0);
  if (!value_of(wanted.name)) {
    for (const std::string& part : wanted.parts) sum += value_of(part).value_or(0);
  }
  return static_cast<double>(sum) / static_cast<double>(wanted.divisor);
}

std::vector<figure> totals::figures(const room& where) const {
  std::vector<figure> all{{"seeds", static_cast<double>(seeds_)}};
  const auto add_head = [&](const head_figure& one) { all.push_back({one.name, head_value(one), one.decimals}); };
  add_head(where.operations);
  all.push_back({"violations", static_cast<double>(violations_.size())});
  for (const head_figure& one : where.head) add_head(one);
  const auto events = static_cast<double>(value_of("events").value_or(0));
  all.push_back({"events_per_cpu_second", cpu_seconds_ > 0 ? std::floor(events / cpu_seconds_) : 0});
  for (const counter& one : counters_) {
    const bool is_there = std::any_of(all.begin(), all.end(), [&](const figure& f) { return f.name == one.name; });
    if (!is_there) all.push_back({one.name, static_cast<double>(one.value)});
  }
  all.push_back({"first_seed", static_cast<double>(first_)});
  all.push_back({"cpu_seconds", cpu_seconds_, 2});
  all.push_back({"wall_seconds", seconds_, 2});
  return all;
}

double cpu_seconds_of(const rusage& used) {
  return in_seconds(used.ru_utime) + in_seconds(used.ru_stime);
}

double cpu_seconds_used() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  return cpu_seconds_of(used);
}

std::string shortfall::text() const {
  return name + "=" + fixed_text(reached, 0) + ", and at least " + fixed_text(stated, 0) + " were stated";
}

std::vector<shortfall> less_than(const std::vector<std::pair<std::string, double>>& stated,
                                 const std::vector<figure>& figures) {
  std::vector<shortfall> missing;
  for (const auto& [name, least] : stated) {
    const auto found =
        std::find_if(figures.begin(), figures.end(), [&, &wanted = name](const figure& f) { return f.name == wanted; });
    const double reached = found == figures.end() ? 0 : found->value;
    if (reached < least) missing.push_back({name, reached, least});
  }
  return missing;
}

}  // namespace simulator
