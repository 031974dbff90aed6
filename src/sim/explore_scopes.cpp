#include "sim/explore_scopes.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "sim/explore_chain.hpp"
#include "sim/explore_membership.hpp"
#include "sim/explore_register.hpp"
#include "sim/explore_search.hpp"
#include "sim/explore_views.hpp"

namespace artillery::sim {
namespace {

using replication::condition;
using replication::write;

explore_scope scope_of(std::string name, std::string description, bool quick, const chain_scope& chain,
                       std::uint32_t deviations_max = explore_limits::unlimited) {
  return {std::move(name), std::move(description), quick, [chain, deviations_max](std::uint64_t states_max) {
            explore_limits limits{.deviations_max = deviations_max};
            if (states_max != 0) limits.states_max = states_max;
            return explore(chain_setup{chain}, limits);
          }};
}

write put(const char* value) {
  return write::put(explore_object, value);
}

/// What the chain's contract calls complete, and what lies around it.
void add_chains(std::vector<explore_scope>& all) {
  const std::vector<write> one{put("a")};
  const std::vector<write> two{put("a"), put("b")};
  const std::vector<write> conditional{put("a"), write::put(explore_object, "b", condition::absent())};
  all.push_back(scope_of("chain-2", "2 replicas, 2 writes, 2 reads by a client, nothing breaks", true,
                         {.replicas = 2, .writes = two, .reads = 2}));
  all.push_back(scope_of("chain-2-steps", "2 replicas, 2 writes, 2 reads in three steps each, nothing breaks", true,
                         {.replicas = 2, .writes = two, .reads = 2, .steps_reads = true}));
  all.push_back(scope_of("chain-2-gather", "2 replicas that send when they like, 2 writes, 1 read, nothing breaks",
                         true, {.replicas = 2, .writes = two, .reads = 1, .gathers = true}));
  all.push_back(scope_of("chain-3", "3 replicas, 1 write, 2 reads, nothing breaks", true,
                         {.replicas = 3, .writes = one, .reads = 2}));
  all.push_back(scope_of("chain-2-conditions", "2 replicas, 2 writes, the second if absent, 1 stream breaks", true,
                         {.replicas = 2, .writes = conditional, .budget = {.cuts = 1}}));
  all.push_back(scope_of("chain-3-cut", "3 replicas, 1 write, 1 read, 1 stream breaks", true,
                         {.replicas = 3, .writes = one, .reads = 1, .budget = {.cuts = 1}}));
  all.push_back(scope_of("chain-2-client-crash", "2 replicas, 2 writes, 2 reads, the client that writes crashes", true,
                         {.replicas = 2, .writes = two, .reads = 2, .budget = {.client_crashes = 1}}));
  all.push_back(scope_of(
      "chain-2-stranger", "2 replicas, 1 write, 1 replica crashes and comes back without its memory, 2 retries", true,
      {.replicas = 2, .writes = one, .budget = {.replica_crashes = 1, .restarts = 1, .idle = 0, .retries = 2}}));
  all.push_back(scope_of("chain-2-cut", "2 replicas, 2 writes, 2 reads, 1 stream breaks", false,
                         {.replicas = 2, .writes = two, .reads = 2, .budget = {.cuts = 1}}));
  all.push_back(scope_of("chain-2-steps-cut", "2 replicas, 2 writes, 2 reads in three steps each, 1 stream breaks",
                         false,
                         {.replicas = 2, .writes = two, .reads = 2, .steps_reads = true, .budget = {.cuts = 1}}));
  all.push_back(scope_of("chain-2-hasten-cut",
                         "2 replicas, 1 write, 1 read, 1 stream breaks, 1 deadline passes while messages are under way",
                         false, {.replicas = 2, .writes = one, .reads = 1, .budget = {.cuts = 1, .hastened = 1}}));
  all.push_back(scope_of("chain-2-cuts", "2 replicas, 1 write, 1 read, 2 streams break", false,
                         {.replicas = 2, .writes = one, .reads = 1, .budget = {.cuts = 2}}));
  all.push_back(scope_of("chain-3-read-cut", "3 replicas, 1 write, 2 reads, 1 stream breaks", false,
                         {.replicas = 3, .writes = one, .reads = 2, .budget = {.cuts = 1}}));
  all.push_back(scope_of(
      "chain-4-bounded",
      "4 replicas, 3 writes, 3 reads, 2 streams break, the client that writes crashes; all schedules "
      "with at most 3 faults or reorderings",
      false,
      {.replicas = 4, .writes = {put("a"), put("b"), put("c")}, .reads = 3, .budget = {.cuts = 2, .client_crashes = 1}},
      3));
}

explore_scope scope_of(std::string name, std::string description, bool quick, const views_scope& chain,
                       std::uint32_t deviations_max = explore_limits::unlimited) {
  return {std::move(name), std::move(description), quick, [chain, deviations_max](std::uint64_t states_max) {
            explore_limits limits{.deviations_max = deviations_max};
            if (states_max != 0) limits.states_max = states_max;
            return explore(views_setup{chain}, limits);
          }};
}

/// What the contract of views calls complete, and what lies around it. Nobody comes back where it is not said.
void add_views(std::vector<explore_scope>& all) {
  using replication::lease_mode;
  const auto drop = [](lease_mode leases, bool renews, std::uint8_t writes, std::uint8_t reads) {
    return views_scope{.writes = writes,
                       .reads = reads,
                       .leases = leases,
                       .renews = renews,
                       .comes_back = false,
                       .budget = {.doubts = 1}};
  };
  all.push_back(scope_of("views-2-drop-small", "2 replicas, 1 write, 1 read, 1 drop; no leases", true,
                         drop(lease_mode::none, false, 1, 1)));
  all.push_back(scope_of("views-2-drop-small-lease",
                         "2 replicas, 1 write, 1 drop; leases that fall at any time, once in an epoch", true,
                         drop(lease_mode::timed, false, 1, 0)));
  all.push_back(scope_of("views-2-drop", "2 replicas, 2 writes, 2 reads, 1 drop; no leases", false,
                         drop(lease_mode::none, false, 2, 2)));
  all.push_back(scope_of("views-2-drop-lease",
                         "2 replicas, 2 writes, 2 reads, 1 drop; leases that fall at any time, once in an epoch", false,
                         drop(lease_mode::timed, false, 2, 2)));
  all.push_back(scope_of("views-2-drop-leases",
                         "2 replicas, 2 writes, 2 reads, 1 drop; leases that fall at any time and are had again", false,
                         drop(lease_mode::timed, true, 2, 2)));
  all.push_back(scope_of("views-2-drop-leases-small",
                         "2 replicas, 1 write, 1 read, 1 drop; leases that fall at any time and are had again", false,
                         drop(lease_mode::timed, true, 1, 1)));
  views_scope crash = drop(lease_mode::none, false, 2, 1);
  crash.budget = {.doubts = 1, .crashes = 1, .resends = 1};
  all.push_back(scope_of(
      "views-2-crash", "2 replicas, 2 writes, 1 of them sent twice, 1 read, 1 crash, 1 drop; no leases", false, crash));
  all.push_back(scope_of("views-2-back", "2 replicas, 1 write, 1 drop of who comes back as a learner; no leases", false,
                         views_scope{.reads = 0, .budget = {.doubts = 1}}));
  all.push_back(scope_of("views-2-append", "2 replicas and a learner that is appended, 1 write; no leases", false,
                         views_scope{.spares = 1, .reads = 0, .begins_in = 2}));
  all.push_back(scope_of("views-2-append-read", "2 replicas and a learner that is appended, 1 write, 1 read; no leases",
                         false, views_scope{.spares = 1, .begins_in = 2}));
  all.push_back(scope_of(
      "views-2-append-leases",
      "2 replicas and a learner that is appended, 1 write; leases that fall at any time, once in an epoch", false,
      views_scope{.spares = 1, .reads = 0, .leases = lease_mode::timed, .renews = false, .begins_in = 2}));
  all.push_back(scope_of(
      "views-2-append-unknown",
      "2 replicas and a learner that is appended, 1 write, 1 proposal of which nobody hears what became; no leases",
      false, views_scope{.spares = 1, .reads = 0, .begins_in = 2, .budget = {.give_ups = 1}}));
  all.push_back(
      scope_of("views-3-bounded",
               "3 replicas, 2 writes, 2 reads, 1 crash, 1 drop; all schedules with at most 3 faults or reorderings",
               false, views_scope{.replicas = 3, .writes = 2, .reads = 2, .budget = {.doubts = 1, .crashes = 1}}, 3));
  all.push_back(scope_of("views-2-join-bounded",
                         "2 replicas and 1 node that asks to be fed, 2 writes, 2 reads, 1 drop; all schedules with at "
                         "most 3 faults or reorderings",
                         false,
                         views_scope{.replicas = 2, .spares = 1, .writes = 2, .reads = 2, .budget = {.doubts = 1}}, 3));
}

explore_scope scope_of(std::string name, std::string description, bool quick, const cluster_scope& cluster) {
  return {std::move(name), std::move(description), quick, [cluster](std::uint64_t states_max) {
            explore_limits limits;
            if (states_max != 0) limits.states_max = states_max;
            return explore(cluster_setup{cluster}, limits);
          }};
}

/// A crash is reported after at most two probe intervals and four of suspicion, each longer where a member doubts
/// itself.
void add_clusters(std::vector<explore_scope>& all) {
  using namespace std::chrono_literals;
  all.push_back(scope_of("swim-3-loss", "3 members, 1 datagram is lost within 3 s, the run ends after 6 s", true,
                         cluster_scope{.losses = 1, .window = 3s, .length = 6s}));
  all.push_back(scope_of("swim-3-crash", "3 members, 1 crashes within 2 s, the run ends after 20 s", true,
                         cluster_scope{.crashes = 1, .window = 2s, .length = 20s}));
  all.push_back(
      scope_of("swim-3-unhelped",
               "3 members whose probes neither others nor streams help, 1 datagram is lost within 2 s, the run "
               "ends after 10 s",
               true, cluster_scope{.losses = 1, .helped = false, .window = 2s, .length = 10s}));
  all.push_back(scope_of("swim-3-echo",
                         "3 members, 1 changes its tags and 1 crashes within 200 ms, a copy of 1 datagram comes at any "
                         "later time, the run ends after 15 s",
                         false,
                         cluster_scope{.crashes = 1, .echoes = 1, .changes = 1, .window = 200ms, .length = 15s}));
  all.push_back(scope_of("swim-3-crash-loss",
                         "3 members, 1 crashes and 1 datagram is lost within 2 s, the run ends after 20 s", true,
                         cluster_scope{.crashes = 1, .losses = 1, .window = 2s, .length = 20s}));
}

explore_scope scope_of(std::string name, std::string description, bool quick, const register_scope& small,
                       std::uint32_t deviations_max = explore_limits::unlimited) {
  return {std::move(name), std::move(description), quick, [small, deviations_max](std::uint64_t states_max) {
            explore_limits limits{.deviations_max = deviations_max};
            if (states_max != 0) limits.states_max = states_max;
            return explore(register_setup{small}, limits);
          }};
}

void add_registers(std::vector<explore_scope>& all) {
  all.push_back(scope_of("register-1", "1 voter, 2 proposers: a swap each, then a read of one; 1 crash", true,
                         register_scope{.voters = 1, .swaps = {{true, false}, {true}}, .crashes = 1, .rounds = 3}));
  all.push_back(scope_of("register-2-restart",
                         "2 voters, 1 proposer: two swaps, 1 crash of it with what it asked under way", true,
                         register_scope{.voters = 2, .swaps = {{true, true}}, .restarts = 1, .rounds = 2}));
  all.push_back(scope_of("register-2", "2 voters, 2 proposers: a swap each", false,
                         register_scope{.voters = 2, .swaps = {{true}, {true}}, .rounds = 1}));
  all.push_back(scope_of("register-3-alone", "3 voters, 1 proposer: a swap that it may give up, a read; 1 crash", false,
                         register_scope{.voters = 3, .swaps = {{true, false}}, .crashes = 1, .rounds = 2, .hasty = 1}));
  all.push_back(scope_of("register-3-read", "3 voters, 2 proposers: a swap by one, a read by the other", false,
                         register_scope{.voters = 3, .swaps = {{true}, {false}}, .rounds = 1}));
  all.push_back(scope_of(
      "register-3-bounded",
      "3 voters, 2 proposers: a swap and a read each, 1 crash, 1 restart, 2 datagrams lost, 2 hurried deadlines; "
      "all schedules with at most 3 faults or reorderings",
      false,
      register_scope{.voters = 3,
                     .swaps = {{true, false}, {true, false}},
                     .hastened = 2,
                     .crashes = 1,
                     .restarts = 1,
                     .losses = 2,
                     .rounds = 5},
      3));
}

}  // namespace

std::vector<explore_scope> explore_scopes() {
  std::vector<explore_scope> all;
  add_chains(all);
  add_views(all);
  add_clusters(all);
  add_registers(all);
  // The quick ones first. (Not std::stable_partition: clang calls the buffer that libstdc++ takes for it deprecated.)
  std::vector<explore_scope> quick;
  std::vector<explore_scope> slow;
  std::partition_copy(all.begin(), all.end(), std::back_inserter(quick), std::back_inserter(slow),
                      [](const explore_scope& each) { return each.quick; });
  quick.insert(quick.end(), slow.begin(), slow.end());
  return quick;
}

}  // namespace artillery::sim
