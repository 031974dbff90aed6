#include "sim/simulated_authority.hpp"

#include <algorithm>
#include <utility>

#include "replication/next_view.hpp"

namespace artillery::sim {

using replication::member;
using replication::view;

simulated_authority::simulated_authority(view genesis) {
  const std::uint64_t epoch = genesis.epoch;
  chosen_.emplace(epoch, std::move(genesis));
}

void simulated_authority::blame(std::string what) {
  if (!fault_) fault_ = std::move(what);
}

void simulated_authority::choose(const view& next) {
  check_step(newest(), next);
  chosen_.emplace(next.epoch, next);
}

void simulated_authority::begin_again(const view& first) {
  // More steps than any chain takes here: what bears an epoch of the one is never taken for the other's.
  constexpr std::uint64_t steps_max = std::uint64_t{1} << 24U;
  const std::string epoch = std::to_string(first.epoch);
  if (first.epoch < newest().epoch + steps_max)
    blame("I1: the lost chain may get to epoch " + epoch + " of the new one");
  const bool is_kept = std::all_of(first.replicas.begin(), first.replicas.end(),
                                   [this](const member& each) { return is_replica(newest(), each.id); });
  if (!is_kept || first.replicas.empty()) blame("I4: epoch " + epoch + " begins with a replica that was left out");
  chosen_.emplace(first.epoch, first);
}

void simulated_authority::check_step(const view& before, const view& after) {
  const auto wrong = [&](const char* what) { blame("R1: epoch " + std::to_string(after.epoch) + ": " + what); };
  if (after.epoch != before.epoch + 1 || check_view(after)) wrong("is no view after the one before");
  std::size_t kept = 0;
  std::size_t appended = 0;
  for (const member& each : after.replicas) {
    if (is_replica(before, each.id)) {
      if (appended > 0) wrong("the order of the replicas changed");
      ++kept;
    } else {
      if (!is_learner(before, each.id)) wrong("a replica that was no learner");
      ++appended;
    }
  }
  const bool drops = kept < before.replicas.size();
  if (kept == 0) wrong("nobody is left of the replicas");
  if (appended > 1 || (appended == 1 && drops)) wrong("more than one step");
  for (const member& each : after.replicas) {
    if (std::find(after.readers.begin(), after.readers.end(), each.id) == after.readers.end()) {
      wrong("a replica is not among the readers");
    }
  }
  for (const node_id& barred : after.kept_out) {
    const auto is_barred = [&](const member& m) { return m.id.node == barred; };
    if (std::any_of(after.replicas.begin(), after.replicas.end(), is_barred) ||
        std::any_of(after.learners.begin(), after.learners.end(), is_barred)) {
      wrong("a node that is kept out is in it");
    }
  }
  // A name that was dropped is never used again.
  for (const std::vector<member>* list : {&after.replicas, &after.learners}) {
    for (const member& each : *list) {
      if (is_replica(before, each.id) || is_learner(before, each.id)) continue;
      for (const auto& [epoch, view] : chosen_) {
        if (is_replica(view, each.id) || is_learner(view, each.id)) wrong("one that was dropped is back");
      }
    }
  }
}

}  // namespace artillery::sim
