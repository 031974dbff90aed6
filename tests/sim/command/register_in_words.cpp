#include "rooms_in_words.hpp"
#include "run_words.hpp"
#include "scenarios/register_words.hpp"
#include "sim/register_swarm.hpp"

namespace simulator {

namespace sim = artillery::sim;
namespace replication = artillery::replication;

namespace {

std::string register_host_name(std::size_t voters, sim::host which) {
  return which < voters ? "v" + std::to_string(which) : "m" + std::to_string(which - voters);
}

std::string register_member_name(const replication::replica_id& who) {
  return "m" + std::to_string(who.node.low - 1) + "." + std::to_string(who.incarnation);
}

}  // namespace

drawn register_drawn(std::uint64_t seed, const sim::run_options& options) {
  const sim::register_swarm s = sim::register_swarm_of(seed, options);
  std::string first;
  for (const std::size_t one : s.first) first += " m" + std::to_string(one);
  drawn lines{{"faults", families_text(s.families)},
              {"nodes", counted(s.voters, "voter") + ", " + counted(s.members, "member") + ", " +
                            counted(s.founders, "founder") + (s.has_other_founder ? " and one of another view" : "")},
              {"first view", first.substr(1) + ", leases of " + time_text(s.lease)},
              {"network", faults_text(s.faults)},
              {"faulty phase", time_text(s.fault_phase) + " after " + time_text(s.calm) + " of calm"}};
  for (std::size_t i = 0; i < s.fault_events.size(); ++i) {
    const sim::register_fault& one = s.fault_events[i];
    lines.emplace_back(choice_text(i, one.at), std::string{to_string(one.what)});
  }
  return lines;
}

room_words register_words(std::uint64_t seed, const sim::run_options& options) {
  const std::size_t voters = sim::register_swarm_of(seed, options).voters;
  return {.name_of = [voters](sim::host which) { return register_host_name(voters, which); },
          .text_of =
              [](const artillery::scenarios::utterance& what) {
                return artillery::scenarios::describe_register(what, sim::register_cluster, register_member_name).text;
              }};
}

}  // namespace simulator
