#include <memory>

#include "artillery/replication/types.hpp"
#include "chain_in_words.hpp"
#include "notation.hpp"
#include "rooms_in_words.hpp"
#include "run_words.hpp"
#include "scenarios/register_words.hpp"
#include "scenarios/replication_words.hpp"
#include "sim/view_swarm.hpp"

namespace simulator {

namespace sim = artillery::sim;
namespace replication = artillery::replication;

namespace {

/// In the order in which the run adds them: replicas and spares, a stranger, clients; where voters decide, those and,
/// for each replica, the part of its process that asks them; at the end one more client.
std::string name_of_host(const sim::view_swarm& s, sim::host which) {
  const auto numbered = [&which](const char* kind) { return kind + std::to_string(which + 1); };
  if (which < s.hosts()) return numbered("r");
  which -= s.hosts();
  if (which == 0) return "stranger";
  which -= 1;
  if (which < s.chain.clients) return numbered("c");
  which -= s.chain.clients;
  if (s.voted) {
    if (which < s.voted->voters) return numbered("v");
    which -= s.voted->voters;
    if (which < s.hosts()) return numbered("p");
  }
  return "last-writer";
}

std::string authority_text(const sim::view_swarm& s) {
  if (s.voted) {
    return counted(s.voted->voters, "voter") + " (disks take " + tool::to_text(s.voted->disks.delay_mean) +
           "), asked for " + tool::to_text(s.voted->proposer.patience) +
           "; ways to them: " + faults_text(s.voted->links);
  }
  return "a plain one that answers within " + tool::to_text(2 * s.authority.delay_max) + ", loses " +
         std::to_string(s.authority.lost) + "/1000, does not tell of " + std::to_string(s.authority.unknown) + "/1000" +
         (s.authority.fences ? ", fences" : "") + (s.authority.tells_quiet ? ", tells when it was quiet" : "");
}

std::string forcing_text(const sim::forcing_manners& how) {
  return std::string{how.is_mistaken ? "by mistake, " : ""} + "at one replica" +
         (how.is_left_out ? " that was dropped and does not know" : "") + "; the nodes of the lost one go on for " +
         time_text(how.aftermath);
}

void add_view_choices(drawn& to, const sim::view_swarm& s) {
  for (std::size_t i = 0; i < s.faults.size(); ++i) {
    const sim::view_fault& one = s.faults[i];
    const auto name = sim::view_fault::kind_names[static_cast<std::size_t>(one.what)];
    to.emplace_back(
        choice_text(s.chain.fault_events.size() + i, one.at),
        one.what == sim::view_fault::kind::none ? "(left out)" : std::string{name} + " for " + time_text(one.length));
  }
  if (!s.voted) return;
  for (const auto& one : s.voted->faults) {
    const auto name = sim::voted_manners::fault::kind_names[static_cast<std::size_t>(one.what)];
    to.emplace_back("at " + time_text(one.at), "of v" + std::to_string(one.draw % s.voted->voters + 1) + ": " +
                                                   std::string{name} + " for " + time_text(one.length));
  }
}

}  // namespace

drawn views_drawn(std::uint64_t seed, const sim::run_options& options) {
  const sim::view_swarm s = sim::draw_view_swarm(seed, options);
  const replication::replica_config& replica = s.chain.replica;
  drawn lines{
      {"faults", families_text(s.chain.families)},
      {"nodes", counted(s.chain.replicas, "replica") + " with " + counted(s.chain.readers, "reader") + " in each, " +
                    counted(s.spares, "spare") + ", " + counted(s.chain.clients, "client") + " with up to " +
                    std::to_string(s.chain.depth) + " operations under way"},
      {"leases", s.leases == replication::lease_mode::none ? "none" : "of " + tool::to_text(s.lease)},
      {"authority", authority_text(s)},
      {"disks",
       s.sync_takes_max ? "what is written is there after at most " + tool::to_text(*s.sync_takes_max) : "none"},
      {"patience", "failed after " + tool::to_text(replica.failed_after) + ", freezes for " +
                       tool::to_text(replica.freeze_max) + ", asks the authority again after " +
                       tool::to_text(replica.authority_timeout)},
      {"load", chain_load_text(s.chain)},
      {"limits", chain_limits_text(s.chain) + "; a backlog of " + std::to_string(replica.backlog_bytes_max) +
                     " bytes for learners"},
      {"network", faults_text(s.chain.faults)},
      {"faulty phase", time_text(s.chain.fault_phase) + (s.stays_down ? ", after which one host stays down" : "")}};
  if (s.forcing) lines.emplace_back("forced chain", forcing_text(*s.forcing));
  add_chain_choices(lines, s.chain);
  add_view_choices(lines, s);
  add_blocks(lines, s.chain.fault_events.size() + s.faults.size());
  return lines;
}

room_words views_words(std::uint64_t seed, const sim::run_options& options) {
  const auto swarm = std::make_shared<const sim::view_swarm>(sim::draw_view_swarm(seed, options));
  const auto words = std::make_shared<artillery::scenarios::replication_words>();
  for (std::size_t i = 0; i < swarm->hosts(); ++i) words->name_node({1, i + 1}, name_of_host(*swarm, i));
  return {.name_of = [swarm](sim::host which) { return name_of_host(*swarm, which); },
          .text_of =
              [words](const artillery::scenarios::utterance& what) {
                if (what.on_stream) return words->describe(what).text;
                return artillery::scenarios::describe_register(
                           what, sim::voted_cluster,
                           [&words](const replication::replica_id& who) { return words->name_of(who); })
                    .text;
              }};
}

}  // namespace simulator
