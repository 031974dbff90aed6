#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/assert.hpp"
#include "base/random.hpp"
#include "sim/explore_report.hpp"
#include "sim/explore_table.hpp"

namespace artillery::sim {

/// A small world whose every run can be tried: what the explorer needs of it.
///
/// `choices` lists what may happen next, the most ordinary first; none: the run has ended, and `check_end` judges it.
/// `apply` makes one of them happen and says what is wrong afterwards, if anything; a broken invariant of a core counts
/// as wrong, too. States with the same hash must go on alike: the hash covers all that later steps and checks depend
/// on.
template <class Setup>
concept explorable = requires(const Setup& setup, typename Setup::state& state, const typename Setup::state& looked_at,
                              const explore_choice& choice, std::vector<explore_choice>& choices) {
  requires std::copyable<typename Setup::state>;
  { setup.initial() } -> std::same_as<typename Setup::state>;
  setup.choices(looked_at, choices);
  { setup.apply(state, choice) } -> std::same_as<std::optional<std::string>>;
  { setup.check_end(looked_at) } -> std::same_as<std::optional<std::string>>;
  { setup.hash(looked_at) } -> std::same_as<std::uint64_t>;
  { setup.describe(looked_at, choice) } -> std::same_as<std::string>;
};

/// Tries every run of a set-up within limits: depth first, going on from no state twice. Only hashes of states are kept
/// beside the states of the run at hand, so memory is a few bytes for each state.
///
/// A violation is then looked for with ever more choices in a row, from one upwards, so that the trace that is reported
/// is one of the shortest.
template <explorable Setup>
class explorer {
public:
  explorer(const Setup& setup, const explore_limits& limits) : setup_{setup}, limits_{limits} {}

  explore_report run() {
    explore_report report = search(limits_);
    if (!report.found || !limits_.shortest) return report;
    explore_limits shorter = limits_;
    const std::size_t longest = std::min<std::size_t>(report.found->trace.size(), explore_table::left_max);
    for (shorter.depth_max = 1; shorter.depth_max < longest; ++shorter.depth_max) {
      explore_report again = search(shorter);
      if (!again.found && again.states < limits_.states_max) continue;
      if (again.found) report.found = std::move(again.found);
      break;
    }
    return report;
  }

private:
  using state = typename Setup::state;

  struct frame {
    state at;
    std::vector<explore_choice> choices;
    std::size_t next = 0;
    std::uint32_t deviations = 0;
  };

  explore_report search(const explore_limits& limits) {
    explore_report report;
    explore_table visited{limits.depth_max != explore_limits::unlimited};
    std::vector<frame> run;
    bool cut_short = false;
    try {
      enter(setup_.initial(), 0, limits, run, visited, report);
    } catch (const detail::broken_invariant& broken) {
      report.found = explore_report::violation{std::string{"before the first choice: invariant "} + broken.what(), {}};
    }
    while (!run.empty() && !report.found) {
      frame& last = run.back();
      if (last.next == last.choices.size()) {
        run.pop_back();
        continue;
      }
      if (visited.size() >= limits.states_max) {
        cut_short = true;
        break;
      }
      const std::size_t index = last.next++;
      const std::uint32_t deviations = last.deviations + (index == 0 ? 0 : 1);
      if (deviations > limits.deviations_max) continue;
      const explore_choice choice = last.choices[index];
      ++report.transitions;
      ++report.choices[static_cast<std::size_t>(choice.what)];
      state next = last.at;
      std::optional<std::string> fault = apply(next, choice);
      if (fault) {
        report.found = explore_report::violation{std::move(*fault), trace_of(run)};
        break;
      }
      enter(std::move(next), deviations, limits, run, visited, report);
    }
    report.states = visited.size();
    report.complete = !cut_short && !report.found;
    return report;
  }

  std::optional<std::string> apply(state& at, const explore_choice& choice) const {
    try {
      return setup_.apply(at, choice);
    } catch (const detail::broken_invariant& broken) {
      return std::string{"invariant "} + broken.what();
    }
  }

  /// Goes on from a state, unless that was done before. `run` then ends with it.
  bool enter(state at, std::uint32_t deviations, const explore_limits& limits, std::vector<frame>& run,
             explore_table& visited, explore_report& report) const {
    const auto depth = static_cast<std::uint32_t>(run.size());
    const std::uint32_t left = std::min(limits.depth_max - std::min(limits.depth_max, depth), explore_table::left_max);
    std::uint64_t hash = setup_.hash(at);
    if (limits.deviations_max != explore_limits::unlimited) hash = detail::mix64(hash ^ detail::mix64(deviations));
    if (!visited.visit(hash, static_cast<std::uint8_t>(left))) return false;
    report.depth = std::max(report.depth, depth);
    frame next{.at = std::move(at), .choices = {}, .next = 0, .deviations = deviations};
    setup_.choices(next.at, next.choices);
    if (next.choices.empty()) {
      ++report.ends;
      if (std::optional<std::string> fault = setup_.check_end(next.at)) {
        report.found = explore_report::violation{std::move(*fault), trace_of(run)};
      }
      return false;
    }
    if (depth >= limits.depth_max) return false;
    run.push_back(std::move(next));
    return true;
  }

  /// The choices that the run at hand is made of, the one under way included.
  std::vector<std::string> trace_of(const std::vector<frame>& run) const {
    std::vector<std::string> trace;
    trace.reserve(run.size());
    for (const frame& each : run) trace.push_back(setup_.describe(each.at, each.choices[each.next - 1]));
    return trace;
  }

  const Setup& setup_;
  explore_limits limits_;
};

/// Tries every run of `setup` within `limits`.
template <explorable Setup>
[[nodiscard]] explore_report explore(const Setup& setup, const explore_limits& limits) {
  return explorer<Setup>{setup, limits}.run();
}

}  // namespace artillery::sim
