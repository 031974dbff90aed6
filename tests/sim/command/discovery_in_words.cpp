#include <memory>

#include "rooms_in_words.hpp"
#include "run_words.hpp"
#include "scenarios/discovery_words.hpp"
#include "sim/discovery_world.hpp"

namespace simulator {

namespace sim = artillery::sim;

namespace {

constexpr std::size_t strangers_max = 2;

/// Behind the hosts come the strangers.
std::string name_of(std::size_t hosts, sim::host which) {
  return which < hosts ? "h" + std::to_string(which) : "stranger" + std::to_string(which - hosts + 1);
}

}  // namespace

drawn discovery_drawn(std::uint64_t seed, const sim::run_options& options) {
  const sim::discovery_swarm s = sim::discovery_swarm_of(seed, options);
  std::string strangers = s.has_other_realm ? " one of another cluster" : "";
  if (s.has_off_link) strangers += (strangers.empty() ? " one from off the link" : ", one from off the link");
  drawn lines{{"faults", families_text(s.families)},
              {"nodes", counted(s.hosts, "host") + ", strangers:" + (strangers.empty() ? " none" : strangers)},
              {"announced", "every " + time_text(s.interval)},
              {"network", faults_text(s.faults)},
              {"faulty phase", time_text(s.fault_phase)}};
  for (const sim::discovery_choice& one : s.choices) {
    const std::string host = name_of(s.hosts, static_cast<sim::host>(one.host % s.hosts));
    lines.emplace_back(choice_text(one.number, one.at),
                       std::string{to_string(one.what)} + " " + host + (one.left_out ? " (left out)" : ""));
  }
  return lines;
}

room_words discovery_words(std::uint64_t seed, const sim::run_options& options) {
  const std::size_t hosts = sim::discovery_swarm_of(seed, options).hosts;
  const auto words = std::make_shared<artillery::scenarios::discovery_words>();
  const auto realm = artillery::discovery::realm::of(sim::discovery_cluster);
  for (sim::host which = 0; which < hosts + strangers_max; ++which) words->name_realm(name_of(hosts, which), realm);
  return {.name_of = [hosts](sim::host which) { return name_of(hosts, which); },
          .text_of =
              [words](const artillery::scenarios::utterance& what) {
                words->learn_names(what);
                return words->describe(what).text;
              }};
}

}  // namespace simulator
