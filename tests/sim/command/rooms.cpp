// The three rooms of artillery, as the command sees them: how to run a seed, what its summary begins with, and the
// least that a thousand seeds have to reach.
#include "room.hpp"
#include "sim/chain_world.hpp"
#include "sim/discovery_world.hpp"
#include "sim/membership_run.hpp"

namespace simulator {

namespace sim = artillery::sim;

namespace {

// A room that does not know of `run_options` yet ignores them.
template <class Options>
sim::run_result run_chain(std::uint64_t seed, const Options& options) {
  if constexpr (requires { sim::run_chain_seed(seed, options); }) {
    return sim::run_chain_seed(seed, options);
  } else {
    return sim::run_chain_seed(seed, {});
  }
}

template <class Options>
sim::run_result run_membership(std::uint64_t seed, const Options& options) {
  if constexpr (requires { sim::run_membership_seed(seed, options); }) {
    return sim::run_membership_seed(seed, options);
  } else {
    return sim::run_membership_seed(seed, {});
  }
}

template <class Options>
sim::run_result run_discovery(std::uint64_t seed, const Options& options) {
  if constexpr (requires { sim::run_discovery_seed(seed, options); }) {
    return sim::run_discovery_seed(seed, options);
  } else {
    return sim::run_discovery_seed(seed, {});
  }
}

room chain() {
  return {.name = "chain",
          .run = run_chain<sim::run_options>,
          .operations = {"operations"},
          .head = {{"dirty_reads"},
                   {"local_reads"},
                   {"retries"},
                   {"crashes", {"client_crashes", "replica_crashes"}},
                   {"view_changes"},
                   {"gates_waited"}},
          .floors = {}};
}

room membership() {
  return {.name = "membership",
          .run = run_membership<sim::run_options>,
          .operations = {"operations", {"broadcasts", "leaves"}},
          .head = {{"cluster_hours", {"cluster_seconds"}, 3600, 2}, {"crashes"}, {"restarts"}, {"false_positives"}},
          .floors = {}};
}

room discovery() {
  return {.name = "discovery",
          .run = run_discovery<sim::run_options>,
          .operations = {"operations", {"withdrawals", "seeks_answered", "seeks_timed_out"}},
          .head = {{"found"}, {"crashes"}, {"pauses"}, {"datagrams_lost"}},
          .floors = {}};
}

}  // namespace

std::vector<room> rooms() {
  return {chain(), membership(), discovery()};
}

}  // namespace simulator
