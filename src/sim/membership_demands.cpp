#include "sim/membership_demands.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace artillery::sim {
namespace {

using namespace std::chrono_literals;

/// Of the members at most so many die at once at the end.
constexpr std::size_t deaths_max = 4;
/// A larger group does not talk while the dead are looked for: each word costs the simulator hundreds of datagrams.
constexpr std::size_t talkers_max = 16;

/// So many come at once and look for each other and all others.
constexpr std::size_t newcomers_max = 3;

/// So many send a reliable message at a time: a member may accept one stream only.
constexpr std::size_t senders_max = 8;

/// Bytes of an event that is fetched.
constexpr std::size_t large_event = 30'000;

/// What a run asks has ended after this.
constexpr duration longest_query = 10'100ms;

/// Sent before those that somebody new is to be told again.
constexpr std::size_t events_before_replayed = 2;

/// Events that one member sends at once: more than the smallest store keeps.
constexpr int burst_events = 8;

/// Of an idle member: pings beside its probes, and streams to its dead and its seeds.
constexpr std::size_t idle_checks_max = 4;
constexpr std::size_t idle_streams_per_host_max = 3;

/// A duplicate may arrive so much later, and what it says of its sender's view differs from what is so now.
constexpr duration echoes_last = 61s;

std::uint64_t in_ms(duration length) {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(length).count());
}

std::uint64_t permille(duration part, duration whole) {
  return static_cast<std::uint64_t>(part / (whole / 1'000));
}

std::string host_name(host h) {
  return "n" + std::to_string(h);
}

}  // namespace

void membership_demands::convergence(const char* when, duration faulty) {
  const time_point before = now();
  const duration bound = world_.stretched(convergence_bound(world_.settings(), world_.size(), faulty));
  if (!world_.run_until_converged(bound)) {
    return violate(std::string{"no convergence "} + when + ": " + world_.difference());
  }
  const duration took = now() - before;
  figures_.convergence_last_ms = std::max(figures_.convergence_last_ms, in_ms(took));
  figures_.convergence_permille_max = std::max(figures_.convergence_permille_max, permille(took, bound));
}

void membership_demands::events() {
  if (broken()) return;
  const membership::config& config = world_.settings();
  world_.run_for(world_.stretched(dissemination_bound(config, world_.size())));
  const std::vector<host> members = world_.members();
  const std::string topic = "final";
  // With a small store a burst would push events out before they are told.
  const bool slowly = std::min(config.events_kept_max, config.broadcasts_max) < members.size() * 3;
  const duration pause =
      world_.stretched(dissemination_bound(config, {.members = members.size(), .known = world_.size().known}));
  std::size_t broadcast = 0;
  for (host from : members) {
    const auto count = random_.between(1, 3);
    broadcast += count;
    for (std::uint64_t i = 0; i < count; ++i) {
      world_.broadcast(from, topic);
      ++figures_.operations;
      if (slowly) world_.run_for(pause);
    }
  }
  const std::size_t bytes_each = topic.size() + membership_checkers::payload(0, 0, 0).size();
  world_.run_for(world_.stretched(dissemination_bound(config, world_.size()) * 2 +
                                  backlog_bound(config, world_.size(), broadcast, bytes_each)));
  for (host from : members) {
    const std::size_t origin = world_.process(from);
    const std::uint64_t sent = world_.sent_on(origin, topic);
    for (host to : members) {
      if (from == to) continue;
      const std::size_t process = world_.process(to);
      const auto& seen = world_.checkers().events_seen(process, origin, topic);
      if (seen.size() != sent) {
        violate(host_name(to) + " got " + std::to_string(seen.size()) + " of " + std::to_string(sent) +
                " final events of " + host_name(from));
      }
      const std::string lost =
          world_.checkers().unaccounted(process, origin, world_.core(from)->events_base(world_.id(from)));
      if (!lost.empty()) violate(lost);
    }
  }
}

void membership_demands::large_events() {
  if (broken()) return;
  const std::vector<host> members = world_.members();
  const membership::config& config = world_.settings();
  // A member serves a limited number of streams; those who come later try again.
  if (members.size() < 2 || members.size() > talkers_max) return;
  detail::random random = random_.fork("large events");
  const host from = members[static_cast<std::size_t>(random.below(members.size()))];
  const std::string topic = "large";
  world_.broadcast(from, topic, large_event);
  ++figures_.operations;
  world_.run_for(world_.stretched(dissemination_bound(config, world_.size()) * 2));
  const std::size_t origin = world_.process(from);
  for (host to : members) {
    if (to == from) continue;
    const std::size_t got = world_.checkers().events_seen(world_.process(to), origin, topic).size();
    if (got != world_.sent_on(origin, topic))
      violate(host_name(to) + " did not get the large event of " + host_name(from));
  }
}

void membership_demands::messages() {
  if (broken()) return;
  const std::vector<host> members = world_.members();
  if (members.size() < 2) return;
  detail::random random = random_.fork("messages");
  std::vector<std::uint64_t> calls;
  const duration timeout = membership::send_options{}.timeout;
  const std::size_t senders = std::min(members.size(), senders_max);
  for (std::size_t i = 0; i < senders; ++i) {
    const auto to = static_cast<std::size_t>(random.below(members.size()));
    if (to == i) continue;
    ++figures_.operations;
    calls.push_back(world_.send(members[i], members[to], true));
  }
  world_.run_for(world_.stretched(timeout));
  for (const std::uint64_t call : calls) {
    if (!world_.messages().has_arrived(call)) violate("message " + std::to_string(call) + " did not arrive in time");
  }
  for (host h : members) {
    const std::size_t open = world_.messages().under_way(world_.process(h));
    if (open > 0) violate(host_name(h) + " waits for " + std::to_string(open) + " messages whose time is over");
  }
}

void membership_demands::queries() {
  if (broken()) return;
  const std::vector<host> members = world_.members();
  const membership::config& config = world_.settings();
  // As with a burst: where few events are kept, a question may not reach everybody in a large group.
  if (members.size() < 2 || members.size() > config.gossip_fanout + 1) return;
  world_.run_for(world_.stretched(longest_query));
  detail::random random = random_.fork("queries");
  const host from = members[static_cast<std::size_t>(random.below(members.size()))];
  const std::uint64_t call = world_.query(from, {}, dissemination_bound(config, world_.size()) * 2);
  ++figures_.operations;
  world_.run_for(world_.stretched(dissemination_bound(config, world_.size()) * 2));
  const membership::query_end end = world_.queries().end_of(call);
  if (end.asked != members.size() - 1 || end.answered != end.asked) {
    violate("query " + std::to_string(call) + " of " + host_name(from) + " was answered by " +
            std::to_string(end.answered) + " of " + std::to_string(end.asked) + ", who are " +
            std::to_string(members.size() - 1));
  }
  for (host h : members) {
    const std::size_t open = world_.queries().open(world_.process(h));
    if (open > 0) violate(host_name(h) + " waits for " + std::to_string(open) + " queries whose time is over");
  }
}

void membership_demands::burst() {
  const membership::config& config = world_.settings();
  const std::vector<host> members = world_.members();
  // Where a round of gossip does not reach everybody, an event that is kept nowhere any more may miss somebody.
  if (broken() || members.size() < 2 || members.size() > config.gossip_fanout + 1) return;
  const std::string topic = "burst";
  const host from = members[static_cast<std::size_t>(random_.below(members.size()))];
  for (int i = 0; i < burst_events; ++i) world_.broadcast(from, topic);
  world_.run_for(world_.stretched(dissemination_bound(config, world_.size())));
  const std::size_t origin = world_.process(from);
  const std::uint64_t sent = world_.sent_on(origin, topic);
  figures_.operations += sent;
  for (host to : members) {
    if (to == from) continue;
    const std::size_t got = world_.checkers().events_seen(world_.process(to), origin, topic).size();
    if (got != sent) {
      violate(host_name(to) + " got " + std::to_string(got) + " of " + std::to_string(sent) + " events that " +
              host_name(from) + " sent at once");
    }
  }
}

/// A member that doubts itself probes less often; a successful probe at a time it gets over that.
void membership_demands::settle_health() {
  for (std::uint32_t health = world_.size().health; health > 0; --health) {
    world_.run_for(world_.stretched(world_.settings().probe_interval * static_cast<int>(health + 1)));
  }
  world_.run_for(echoes_last);
}

void membership_demands::idle_load() {
  if (broken()) return;
  settle_health();
  const std::vector<host> members = world_.members();
  const auto sent = [&] {
    load all;
    for (host h : members) {
      const membership::counters& c = world_.core(h)->counted();
      all.datagrams += c.datagrams_sent;
      all.bytes += c.datagram_bytes_sent;
    }
    return all;
  };
  const load before = sent();
  const duration length = world_.settings().probe_interval * 10;
  world_.run_for(length);
  const load after = sent();
  const load most = idle_load_bound(world_.settings(), world_.size(), world_.stretched(length));
  if (after.datagrams - before.datagrams > most.datagrams || after.bytes - before.bytes > most.bytes) {
    violate("an idle cluster of " + std::to_string(members.size()) + " sent " +
            std::to_string(after.datagrams - before.datagrams) + " datagrams, " +
            std::to_string(after.bytes - before.bytes) + " bytes; at most " + std::to_string(most.datagrams) + " and " +
            std::to_string(most.bytes) + " are needed");
  }
}

/// A message as soon as its sender knows anybody: others have not heard of that life yet, and must not say that they
/// have what they cannot take.
void membership_demands::speak_early(host newcomer, const std::vector<host>& to) {
  const time_point end = now() + world_.settings().probe_timeout;
  while (now() < end && world_.core(newcomer)->present() == 0) world_.run_for(1ms);
  for (host other : to) {
    if (other == newcomer || world_.core(newcomer)->table().find(world_.id(other)) == nullptr) continue;
    ++figures_.operations;
    static_cast<void>(world_.send(newcomer, other, true));
  }
}

void membership_demands::restarting() {
  if (broken()) return;
  auto members = world_.members();
  if (members.size() < 2) return;
  random_.shuffle(members);
  const host restarted = members[0];
  const host asked = members[1];
  world_.crash(restarted);
  world_.restart(restarted, {asked});
  ++figures_.restarts;
  const time_point known_by = now() + world_.settings().probe_timeout;
  speak_early(restarted, members);
  world_.run_for(std::max<duration>(known_by - now(), 0s));
  const auto* row = world_.core(asked)->table().find(world_.id(restarted));
  const bool is_taken = row != nullptr && row->standing.boot == world_.boot(restarted) && row->present();
  if (!is_taken) violate(host_name(asked) + " does not take " + host_name(restarted) + " for restarted at once");
  convergence("after a restart", 0s);
}

void membership_demands::replaying() {
  const membership::config& config = world_.settings();
  if (broken() || config.events_replayed == 0) return;
  auto members = world_.members();
  // Who is refused a stream joins by datagrams, which say nothing of events.
  if (members.size() < 2 || members.size() > talkers_max || config.streams_max < members.size()) return;
  detail::random random = random_.fork("replaying");
  random.shuffle(members);
  const host newcomer = members.back();
  members.pop_back();
  const std::string topic = "before";
  const duration told = world_.stretched(dissemination_bound(config, world_.size()));
  std::map<host, std::vector<std::uint64_t>> due;
  for (std::size_t left = config.events_replayed + events_before_replayed; left > 0; --left) {
    const host from = members[left % members.size()];
    world_.broadcast(from, topic);
    world_.run_for(told);
    ++figures_.operations;
    if (left <= config.events_replayed) due[from].push_back(world_.sent_on(world_.process(from), topic));
  }
  world_.crash(newcomer);
  world_.restart(newcomer, {members.front()}, false);
  ++figures_.restarts;
  convergence("after somebody new came", 0s);
  world_.run_for(told);
  for (host from : members) {
    const auto& seen = world_.checkers().events_seen(world_.process(newcomer), world_.process(from), topic);
    if (seen == due[from]) continue;
    violate(host_name(newcomer) + " is new and was told " + std::to_string(seen.size()) + " events of " +
            host_name(from) + " from before, of which the last " + std::to_string(due[from].size()) + " were due");
  }
}

std::vector<host> membership_demands::come_looked_for(std::size_t count) {
  const std::vector<host> members = world_.members();
  std::vector<host> seeds = members;
  std::vector<host> newcomers;
  for (std::size_t i = 0; i < count; ++i) {
    newcomers.push_back(world_.hosts() + i);
    seeds.push_back(newcomers.back());
  }
  for (host h : newcomers) {
    auto others = seeds;
    std::erase(others, h);
    world_.add(others);
  }
  for (host h : members) {
    world_.call(h, [&](membership::core& c, time_point when, membership::core::effects_type& out) {
      for (host one : newcomers) static_cast<void>(c.add_seed(world_.at(one), when, out));
    });
  }
  return newcomers;
}

void membership_demands::meeting() {
  if (broken()) return;
  const std::vector<host> members = world_.members();
  const membership::config& config = world_.settings();
  if (members.size() < 2 || members.size() > talkers_max || config.streams_max < members.size() + newcomers_max) return;
  // They speak much: with a small store that would push words out before they are told.
  const std::size_t words = (members.size() + newcomers_max) * newcomers_max;
  if (std::min(config.events_kept_max, config.broadcasts_max) < words * 2) return;
  if (world_.hosts() + newcomers_max >= config.members_max) return;
  const std::string topic = "first words";
  detail::random random = random_.fork("meeting");
  const std::vector<host> newcomers = come_looked_for(static_cast<std::size_t>(random.between(1, newcomers_max)));
  std::map<host, std::uint64_t> said_before;
  for (host h : members) said_before[h] = world_.core(h)->events_base(world_.id(h));
  std::vector<host> all = members;
  all.insert(all.end(), newcomers.begin(), newcomers.end());
  const auto holds = [&](host one, host other) {
    const auto* row = world_.core(one)->table().find(world_.id(other));
    return row != nullptr && row->present();
  };
  // Whoever meets a newcomer speaks, to it and to all that it knew before.
  std::map<host, std::set<host>> knows;
  std::vector<std::tuple<host, host, std::uint64_t>> due;
  const time_point end = now() + config.probe_interval;
  for (bool all_met = false; now() < end && !all_met;) {
    all_met = true;
    for (host from : all) {
      std::set<host> known;
      for (host to : all) {
        if (from != to && holds(from, to) && holds(to, from)) known.insert(to);
      }
      const bool is_news = std::any_of(newcomers.begin(), newcomers.end(),
                                       [&](host one) { return known.contains(one) && !knows[from].contains(one); });
      all_met = all_met && known.size() == all.size() - 1;
      knows[from] = std::move(known);
      if (!is_news) continue;
      world_.broadcast(from, topic);
      ++figures_.operations;
      for (host to : knows[from]) due.emplace_back(from, to, world_.sent_on(world_.process(from), topic));
    }
    world_.run_for(100us);
  }
  convergence("after somebody came who was looked for", 0s);
  world_.run_for(world_.stretched(dissemination_bound(config, world_.size()) * 2));
  for (const auto& [from, to, number] : due) {
    const auto& seen = world_.checkers().events_seen(world_.process(to), world_.process(from), topic);
    if (std::find(seen.begin(), seen.end(), number) != seen.end()) continue;
    violate(host_name(to) + " and " + host_name(from) + " knew each other, and word " + std::to_string(number) +
            " was missed");
  }
  if (config.events_replayed > 0) return;
  for (host one : newcomers) {
    for (const auto& [from, before] : said_before) {
      const std::uint64_t first = world_.checkers().first_known(world_.process(one), world_.process(from));
      if (first > before) continue;
      violate(host_name(one) + " is new and was told event " + std::to_string(first) + " of " + host_name(from) +
              ", which had sent " + std::to_string(before) + " before");
    }
  }
}

void membership_demands::leaving() {
  if (broken()) return;
  auto members = world_.members();
  if (members.size() < 3) return;
  random_.shuffle(members);
  const host leaver = members.front();
  world_.leave(leaver);
  ++figures_.operations;
  world_.run_for(world_.stretched(dissemination_bound(world_.settings(), world_.size())));
  for (host h : world_.members()) {
    if (!world_.checkers().reported_left(world_.process(h), world_.id(leaver))) {
      violate(host_name(h) + " does not know that " + host_name(leaver) + " left");
    }
  }
  world_.crash(leaver);
}

void membership_demands::completeness() {
  if (broken()) return;
  world_.checkers().expect_no_suspicions(false);
  auto members = world_.members();
  if (members.size() < 2) return;
  random_.shuffle(members);
  const std::size_t deaths = 1 + static_cast<std::size_t>(random_.below(std::min(deaths_max, members.size() - 1)));
  const std::vector<host> dead{members.begin(), members.begin() + static_cast<std::ptrdiff_t>(deaths)};
  for (host h : dead) {
    const bool silently = random_.chance(1, 2);
    silently ? world_.power_off(h) : world_.crash(h);
  }
  const time_point died = now();
  // The dead among the helpers, and the probes of them that fail, make their probers doubt themselves.
  cluster_size size = world_.size();
  size.health =
      std::min(world_.settings().awareness_max, size.health + static_cast<std::uint32_t>(deaths > 1 ? 2 * deaths : 0));
  const duration bound = world_.stretched(completeness_bound(world_.settings(), size));
  const std::vector<host> rest = world_.members();
  const auto all_know = [&] {
    return std::all_of(rest.begin(), rest.end(), [&](host h) {
      return std::all_of(dead.begin(), dead.end(),
                         [&](host d) { return world_.checkers().reported_failed(world_.process(h), world_.id(d)); });
    });
  };
  // Those who talk meanwhile hear from each other all the time: that says nothing of the dead.
  const bool talk = random_.chance(1, 2) && rest.size() <= talkers_max;
  time_point next_word = died;
  const time_point end = died + bound;
  while (!all_know() && now() < end) {
    if (talk && now() >= next_word) {
      world_.broadcast(rest[static_cast<std::size_t>(random_.below(rest.size()))], "meanwhile");
      next_word = now() + world_.settings().probe_interval;
    }
    world_.run_for(std::min<duration>(50ms, end - now()));
  }
  if (!all_know()) return violate("not every death is known to all in time");
  const duration took = now() - died;
  figures_.deaths_detected += deaths;
  figures_.detection_last_ms = in_ms(took);
  figures_.detection_permille_max = permille(took, bound);
}

void membership_demands::memory() {
  if (broken()) return;
  world_.run_for(dissemination_bound(world_.settings(), world_.size()) + world_.settings().stream_timeout);
  for (host h : world_.members()) {
    const membership::core& c = *world_.core(h);
    c.check_invariants();
    const std::size_t seeds_and_streams = world_.hosts() * (1 + idle_streams_per_host_max);
    const std::size_t most = world_.settings().events_kept_max + seeds_and_streams + idle_checks_max;
    if (c.held() > most) violate(host_name(h) + " holds " + std::to_string(c.held()) + " things when idle");
  }
}

}  // namespace artillery::sim
