// The rooms of artillery, and a chain with views that change as one more, as the command sees them: how to run a seed,
// what its summary begins with, and the least that a thousand seeds have to reach.
#include "room.hpp"
#include "rooms_in_words.hpp"
#include "sim/chain_world.hpp"
#include "sim/discovery_world.hpp"
#include "sim/membership_run.hpp"
#include "sim/register_world.hpp"
#include "sim/view_world.hpp"

namespace simulator {

namespace sim = artillery::sim;

namespace {

room chain() {
  return {.name = "chain",
          .run = sim::run_chain_seed,
          .operations = {"operations"},
          .head = {{"dirty_reads"},
                   {"local_reads"},
                   {"retries"},
                   {"crashes", {"client_crashes", "replica_crashes"}},
                   {"view_changes"},
                   {"gates_waited"}},
          .floors = {{"operations", 350'000},
                     {"dirty_reads", 34'000},
                     {"local_reads", 235'000},
                     {"retries", 33'000},
                     {"crashes", 340},
                     {"struck_by_client_crashes_midway", 100},
                     {"struck_by_replica_crashes_midway", 22},
                     {"pauses", 260},
                     {"suspensions", 160},
                     {"clocks_drifting", 550},
                     {"streams_broken", 2'600},
                     {"streams_congested", 300},  // a few runs make most of it
                     {"frames_refused", 90},
                     {"duplicate_writes", 4'000},
                     {"orders_searched", 270}},
          .describe = chain_drawn,
          .words = chain_words};
}

room views() {
  return {.name = "views",
          .run = sim::run_view_seed,
          .operations = {"operations"},
          .head = {{"dirty_reads"},
                   {"local_reads"},
                   {"retries"},
                   {"crashes", {"client_crashes", "replica_crashes"}},
                   {"view_changes"},
                   {"gates_waited"},
                   {"leases_expired", {"reads_after_lease"}}},
          .floors = {{"operations", 380'000},
                     {"view_changes", 3'400},
                     {"gates_waited", 1'500},
                     {"gates_ended_early", 150},
                     {"gates_confirmed", 200},
                     {"changes_done", 180},
                     {"learners_promoted", 1'000},
                     {"checkpoints", 1'200},
                     {"reads_after_lease", 300'000},
                     {"runs_with_voters", 440},
                     {"voter_crashes", 750},
                     {"voters_lost", 100},
                     {"voters_paused", 340},
                     {"left_down", 70},
                     {"forces_tried", 32},
                     {"chains_forced", 14},
                     {"crashes", 1'100}},
          .describe = views_drawn,
          .words = views_words};
}

room membership() {
  return {.name = "membership",
          .run = sim::run_membership_seed,
          .operations = {"operations"},
          .head = {{"cluster_hours", {"cluster_seconds"}, 3600, 2}, {"crashes"}, {"restarts"}, {"false_positives"}},
          .floors = {{"operations", 15'000},
                     {"cluster_seconds", 85'000},
                     {"crashes", 2'600},
                     {"restarts", 850},
                     {"crashes_midway", 390},
                     {"pauses", 350},
                     {"suspensions", 300},
                     {"clocks_drifting", 1'150},
                     {"clogs", 280},
                     {"partitions", 550},
                     {"bridges", 370},
                     {"chatters", 60},
                     {"forgeries", 800},
                     {"leaves", 280},
                     {"datagrams_lost", 320'000},
                     {"events_delivered", 120'000},
                     {"recovered", 12'000},
                     {"failed", 11'000},
                     {"deaths_detected", 950}},
          .describe = membership_drawn,
          .words = membership_words};
}

room discovery() {
  return {.name = "discovery",
          .run = sim::run_discovery_seed,
          .operations = {"operations", {"withdrawals", "seeks_answered", "seeks_timed_out"}},
          .head = {{"found"}, {"crashes"}, {"pauses"}, {"datagrams_lost"}},
          .floors = {{"operations", 49'000},
                     {"found", 19'000},
                     {"crashes", 430},
                     {"restarts", 270},
                     {"pauses", 360},
                     {"suspensions", 360},
                     {"clock_steps", 600},
                     {"lives_set_back", 24},
                     {"clocks_drifting", 900},
                     {"clogs", 370},
                     {"datagrams_lost", 148'000},
                     {"updated", 3'000},
                     {"lost_by_goodbye", 4'200},
                     {"lost_by_expiry", 2'700},
                     {"lost_by_restart", 40},
                     {"withdrawals", 1'700},
                     {"seeks_answered", 27'000},
                     {"seeks_timed_out", 13'000}},
          .describe = discovery_drawn,
          .words = discovery_words};
}

room the_register() {
  return {.name = "register",
          .run = sim::run_register_seed,
          .operations = {"operations"},
          .head = {{"view_changes"},
                   {"renewals"},
                   {"gates_waited"},
                   {"gates_early"},
                   {"crashes", {"voter_crashes", "member_crashes"}}},
          .floors = {{"operations", 450'000},
                     {"view_changes", 10'000},
                     {"swaps_chosen", 10'000},
                     {"short_reads", 55'000},
                     {"contentions", 32'000},
                     {"renewals", 115'000},
                     {"renewals_refused", 190'000},
                     {"leases_ended", 70'000},
                     {"gates_waited", 500},
                     {"gates_early", 350},
                     {"foundings_refused", 65},
                     {"alarms", 310},
                     {"crashes", 3'000},
                     {"power_failures", 580},
                     {"disks_lost", 110},
                     {"disk_errors", 200},
                     {"pauses", 400},
                     {"suspensions", 430},
                     {"clocks_drifting", 1'800},
                     {"datagrams_lost", 950'000}},
          .describe = register_drawn,
          .words = register_words};
}

}  // namespace

std::vector<room> rooms() {
  return {chain(), views(), the_register(), membership(), discovery()};
}

}  // namespace simulator
