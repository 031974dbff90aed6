#include <memory>

#include "chain_in_words.hpp"
#include "notation.hpp"
#include "rooms_in_words.hpp"
#include "run_words.hpp"
#include "scenarios/replication_words.hpp"
#include "sim/chain_swarm.hpp"

namespace simulator {

namespace sim = artillery::sim;

namespace {

std::string per_cent(std::uint64_t share, const char* of) {
  return std::to_string(share) + " % " + of;
}

std::string name_of(const sim::chain_swarm& s, sim::host which) {
  if (which < s.replicas) return "r" + std::to_string(which + 1);
  if (which == s.replicas) return "stranger";
  const std::size_t client = which - s.replicas;
  return client <= s.clients ? "c" + std::to_string(client) : "last-reader";
}

}  // namespace

std::string chain_load_text(const sim::chain_swarm& s) {
  return counted(s.operations, "operation") + " of each client or reader on " + counted(s.keys, "object") + ": " +
         per_cent(s.writes, "writes") + " (" + per_cent(s.erases, "erase") + ", " +
         per_cent(s.conditions, "conditional") + "), " + per_cent(s.weak_reads, "of the reads weak") +
         ", values up to " + std::to_string(s.value_max) + " bytes, pauses up to " + tool::to_text(s.think_max);
}

std::string chain_limits_text(const sim::chain_swarm& s) {
  return "window " + std::to_string(s.replica.window_bytes_max) + " bytes, " +
         std::to_string(s.replica.waiting_reads_max) + " waiting reads, " + counted(s.replica.sessions_max, "session") +
         ", link " + std::to_string(s.replica.link_bytes_max) + " bytes; a client has " +
         counted(s.client.writes_in_flight_max, "write") + " and " + counted(s.client.reads_in_flight_max, "read") +
         " under way and tries again after " + tool::to_text(s.client.attempt_timeout);
}

void add_chain_choices(drawn& to, const sim::chain_swarm& s) {
  for (std::size_t i = 0; i < s.fault_events.size(); ++i) {
    const sim::fault_event& one = s.fault_events[i];
    const auto name = sim::fault_event::kind_names[static_cast<std::size_t>(one.what)];
    to.emplace_back(choice_text(i, one.at),
                    one.what == sim::fault_event::kind::none ? "(left out)" : std::string{name});
  }
}

void add_blocks(drawn& to, std::uint64_t first) {
  to.emplace_back("from #" + std::to_string(first) + " on", "blocks of operations, user by user");
}

drawn chain_drawn(std::uint64_t seed, const sim::run_options& options) {
  const sim::chain_swarm s = sim::draw_swarm(seed, options);
  drawn lines{
      {"faults", families_text(s.families)},
      {"nodes", counted(s.replicas, "replica") +
                    (s.reads == artillery::replication::read_mode::tail_only ? " that read at the tail only" : "") +
                    " with " + counted(s.readers, "reader") + " in each, " + counted(s.clients, "client") +
                    " with up to " + std::to_string(s.depth) + " operations under way"},
      {"load", chain_load_text(s)},
      {"limits", chain_limits_text(s)},
      {"network", faults_text(s.faults)},
      {"faulty phase", time_text(s.fault_phase)}};
  for (const auto& [from, to] : s.slow_ways)
    lines.emplace_back("slow way", name_of(s, from) + " -> " + name_of(s, to) + " " + faults_text(s.slow));
  if (s.a_lease_ends()) lines.emplace_back("leases", "one ends and is not renewed");
  if (s.lost_client) lines.emplace_back("stays cut off", "c" + std::to_string(*s.lost_client + 1));
  add_chain_choices(lines, s);
  add_blocks(lines, s.fault_events.size());
  return lines;
}

room_words chain_words(std::uint64_t seed, const sim::run_options& options) {
  const auto swarm = std::make_shared<const sim::chain_swarm>(sim::draw_swarm(seed, options));
  const auto words = std::make_shared<artillery::scenarios::replication_words>();
  for (std::size_t i = 0; i < swarm->replicas; ++i) words->name_node({1, i + 1}, name_of(*swarm, i));
  return {.name_of = [swarm](sim::host which) { return name_of(*swarm, which); },
          .text_of = [words](const artillery::scenarios::utterance& what) { return words->describe(what).text; }};
}

}  // namespace simulator
