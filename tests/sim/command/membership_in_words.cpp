#include <memory>

#include "rooms_in_words.hpp"
#include "run_words.hpp"
#include "scenarios/membership_words.hpp"
#include "sim/membership_run.hpp"

namespace simulator {

namespace sim = artillery::sim;

namespace {

std::string name_of(sim::host which) {
  return "n" + std::to_string(which);
}

std::string act_text(const sim::membership_choice& choice) {
  std::string text = std::string{to_string(choice.act)} + " " + name_of(choice.which);
  const bool is_way = choice.act == sim::membership_act::one_way || choice.act == sim::membership_act::clog;
  if (is_way) text += " to " + name_of(choice.other);
  if (choice.act == sim::membership_act::bridge) text += " over " + name_of(choice.other);
  if (choice.length > artillery::duration::zero()) text += " for " + time_text(choice.length);
  return text;
}

std::string limits_text(const artillery::membership::config& c) {
  return "datagrams up to " + std::to_string(c.datagram_max) + " bytes, " + counted(c.events_kept_max, "event") +
         " kept, " + (c.events_replayed > 0 ? std::to_string(c.events_replayed) + " told to newcomers, " : "") +
         counted(c.broadcasts_max, "broadcast") + " at a time, " + counted(c.streams_max, "stream") + ", " +
         counted(c.indirect_probes, "helper") + " of a probe, gossip to " + std::to_string(c.gossip_fanout);
}

}  // namespace

drawn membership_drawn(std::uint64_t seed, const sim::run_options& options) {
  const sim::membership_swarm s = sim::membership_swarm_of(seed, options);
  drawn lines{
      {"faults", families_text(s.families)},
      {"nodes", counted(s.nodes, "member") + (s.staggered ? ", started one after another" : ", started at once") +
                    (s.is_ipv6 ? ", over IPv6" : "") + (s.seedless ? ", whose seeds serve for joining only" : "")},
      {"limits", limits_text(s.settings)},
      {"network", faults_text(s.links)},
      {"faulty phase", time_text(s.length)},
      {"then", s.stays_broken ? "a part stays broken" : "all is healed"}};
  for (const sim::membership_choice& one : s.plan) lines.emplace_back(choice_text(one.number, one.at), act_text(one));
  return lines;
}

room_words membership_words(std::uint64_t, const sim::run_options&) {
  const auto words = std::make_shared<artillery::scenarios::membership_words>();
  return {.name_of = name_of, .text_of = [words](const artillery::scenarios::utterance& what) {
            words->learn_names(what);
            return words->describe(what).text;
          }};
}

}  // namespace simulator
