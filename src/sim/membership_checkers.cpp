#include "sim/membership_checkers.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace artillery::sim {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t violations_max = 20;  // one bug breaks many promises; the first few tell it

/// A process that was stopped may say something to a query so long after its time.
constexpr duration queries_linger = 25s;

/// What `membership_checkers::payload` packs.
using numbers = std::array<std::uint64_t, 3>;

numbers unpack(bytes_view raw) {
  numbers fields{};
  for (std::size_t i = 0; i < sizeof(numbers); ++i) {
    fields[i / 8] |= std::to_integer<std::uint64_t>(raw[i]) << (8 * (i % 8));
  }
  return fields;
}

std::string process_name(std::size_t process) {
  return "process " + std::to_string(process);
}

}  // namespace

bytes membership_checkers::payload(std::size_t process, std::uint64_t number, std::uint64_t number_of_all,
                                   std::size_t more) {
  const numbers fields{static_cast<std::uint64_t>(process), number, number_of_all};
  std::vector<std::byte> raw(sizeof(numbers) + more);
  for (std::size_t i = 0; i < sizeof(numbers); ++i) raw[i] = static_cast<std::byte>(fields[i / 8] >> (8 * (i % 8)));
  return bytes::copy(raw);
}

void membership_checkers::started(const node_id& id, std::uint64_t boot, const membership::config& settings) {
  by_life_.emplace(std::pair{id, boot}, processes_.size());
  process_state& p = processes_.emplace_back();
  p.id = id;
  p.boot = boot;
  p.datagram_max = settings.datagram_max;
  p.members_max = settings.members_max;
  p.held_max = held_bound(settings);
  p.settings = settings;
  known_.insert(id);
}

void membership_checkers::violate(time_point now, std::string what) {
  if (violations_.size() >= violations_max) return;
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
  violations_.push_back("at " + std::to_string(ms) + " ms: " + std::move(what));
}

// ---- what a process sends and holds ----

/// M5.
void membership_checkers::sent_datagram(std::size_t process, std::size_t size, time_point now) {
  process_state& p = processes_[process];
  if (size > p.datagram_max) {
    violate(now, process_name(process) + " sent a datagram of " + std::to_string(size) + " bytes, over its limit of " +
                     std::to_string(p.datagram_max));
  }
  if (now - p.second_begins >= 1s) check_second(process, now);
  ++p.second_sent.datagrams;
  p.second_sent.bytes += size;
}

void membership_checkers::heard_datagram(std::size_t process, bytes_view datagram, time_point now) {
  process_state& p = processes_[process];
  if (now - p.second_begins >= 1s) check_second(process, now);
  p.second_answers += answers_to(datagram);
}

/// M5, at the end of a second.
void membership_checkers::check_second(std::size_t process, time_point now) {
  process_state& p = processes_[process];
  const std::uint64_t replies = p.queries_until.size() * replies_to_query(p.settings);
  const load most = burst_bound(p.settings, p.second_answers + replies);
  std::erase_if(p.queries_until, [&](time_point until) { return until < now - queries_linger; });
  const load sent = std::exchange(p.second_sent, {});
  totals_.second_bytes_max = std::max(totals_.second_bytes_max, sent.bytes);
  totals_.second_datagrams_permille_max =
      std::max(totals_.second_datagrams_permille_max, sent.datagrams * 1'000 / most.datagrams);
  if (sent.bytes > most.bytes || sent.datagrams > most.datagrams) {
    violate(now, process_name(process) + " sent " + std::to_string(sent.datagrams) + " datagrams of " +
                     std::to_string(sent.bytes) + " bytes in a second, over its limits of " +
                     std::to_string(most.datagrams) + " and " + std::to_string(most.bytes));
  }
  const std::uint64_t cap = p.settings.bytes_per_second_max + exempt_bytes(p.settings, p.second_answers);
  if (sent.bytes > cap) {
    violate(now, process_name(process) + " sent " + std::to_string(sent.bytes) +
                     " bytes in a second, over its cap of " + std::to_string(cap));
  }
  p.second_begins = now;
  p.second_answers = 0;
}

void membership_checkers::holds(std::size_t process, const membership::core& core, time_point now) {
  const process_state& p = processes_[process];
  const std::size_t held = core.held();
  totals_.held_max = std::max<std::uint64_t>(totals_.held_max, held);
  if (held > p.held_max) {
    violate(now, process_name(process) + " holds " + std::to_string(held) + " things, over its limit of " +
                     std::to_string(p.held_max));
  }
  if (core.table().size() > p.members_max) {
    violate(now, process_name(process) + " knows " + std::to_string(core.table().size()) + " members, over its limit");
  }
}

// ---- what a process is told ----

void membership_checkers::saw(std::size_t process, const membership::event& event, const membership_truth& truth,
                              time_point now) {
  if (const auto* e = std::get_if<membership::joined>(&event)) {
    ++totals_.joined;
    check_is_one_of_us(process, e->member, now);
    check_transition(process, told::alive, e->member, now);
    check_no_resurrection(process, e->member, now);
  } else if (const auto* s = std::get_if<membership::suspected>(&event)) {
    ++totals_.suspected;
    check_transition(process, told::suspected, s->member, now);
    check_suspicion(process, s->member, truth, now);
  } else if (const auto* r = std::get_if<membership::recovered>(&event)) {
    ++totals_.recovered;
    check_transition(process, told::alive, r->member, now);
    check_no_resurrection(process, r->member, now);
  } else if (const auto* f = std::get_if<membership::failed>(&event)) {
    ++totals_.failed;
    check_transition(process, told::failed, f->member, now);
    check_failure(process, f->member, truth, now);
    note_gone(process, f->member);
  } else if (const auto* l = std::get_if<membership::left>(&event)) {
    ++totals_.left;
    check_transition(process, told::left, l->member, now);
    note_gone(process, l->member);
  } else if (std::holds_alternative<membership::updated>(event)) {
    ++totals_.updated;
  } else if (const auto* u = std::get_if<membership::user_event>(&event)) {
    ++totals_.user_events;
    check_event_order(process, *u, now);
  } else if (const auto* q = std::get_if<membership::query>(&event)) {
    processes_[process].queries_until.push_back(now + q->timeout);
  } else if (const auto* g = std::get_if<membership::gap>(&event)) {
    totals_.gaps += g->count;
    check_gap(process, *g, now);
  }
}

/// Each transition is told once, and only from a state that it can follow.
void membership_checkers::check_transition(std::size_t process, told next, const membership::member& about,
                                           time_point now) {
  sight& s = processes_[process].sights[about.id];
  const bool here = s.last == told::alive || s.last == told::suspected;
  const bool sound = next == told::alive       ? s.last != told::alive
                     : next == told::suspected ? s.last == told::alive
                                               : here;
  if (!sound) {
    violate(now, process_name(process) + " was told " + std::to_string(static_cast<int>(next)) + " of " + about.name +
                     " after " + std::to_string(static_cast<int>(s.last)));
  }
  if (about.boot < s.boot) {
    violate(now, process_name(process) + " was told of an earlier life of " + about.name + " after a later one");
  }
  s.last = next;
  s.boot = about.boot;
}

/// Nothing that another cluster says is believed.
void membership_checkers::check_is_one_of_us(std::size_t process, const membership::member& about, time_point now) {
  if (!known_.contains(about.id))
    violate(now, process_name(process) + " believes in " + about.name + ", who is not of us");
}

/// Who answers is not suspected, least of all by one who was stopped and missed the answers.
void membership_checkers::check_suspicion(std::size_t process, const membership::member& about,
                                          const membership_truth& truth, time_point now) {
  const bool baseless = no_baseless_suspicions_ && truth.living && truth.undisturbed;
  if (no_suspicions_ || baseless) {
    violate(now, process_name(process) + " suspected " + about.name + " with no cause");
  }
}

/// M1, and leaving: who lives and answers is not reported failed, nor is who said that it goes.
void membership_checkers::check_failure(std::size_t process, const membership::member& about,
                                        const membership_truth& truth, time_point now) {
  if (truth.living) ++totals_.false_positives;
  if (!no_false_positives_ || !truth.undisturbed) return;
  if (truth.living) violate(now, process_name(process) + " reported " + about.name + " failed with no cause");
  if (truth.left) violate(now, process_name(process) + " reported " + about.name + " failed, which had left");
}

void membership_checkers::note_gone(std::size_t process, const membership::member& about) {
  sight& s = processes_[process].sights[about.id];
  const membership::standing now{about.boot, about.incarnation, about.state};
  s.dead = s.was_gone ? std::max(s.dead, now) : now;
  s.was_gone = true;
}

/// M4.
void membership_checkers::check_no_resurrection(std::size_t process, const membership::member& about, time_point now) {
  const sight& s = processes_[process].sights[about.id];
  if (!s.was_gone) return;
  const membership::standing back{about.boot, about.incarnation, membership::member_state::alive};
  if (back < s.dead) {
    violate(now, process_name(process) + " saw " + about.name + " come back at incarnation " +
                     std::to_string(about.incarnation) + " at which it was gone");
  }
}

// ---- user events ----

/// At most once, and per (origin, topic) in the order of sending.
void membership_checkers::check_event_order(std::size_t process, const membership::user_event& event, time_point now) {
  const bool ours = event.payload.size() >= sizeof(numbers) && unpack(event.payload.view())[0] < processes_.size();
  if (!ours) return violate(now, process_name(process) + " was given a payload that nobody sent");
  const auto [from, number, number_of_all] = unpack(event.payload.view());
  if (processes_[from].id != event.origin) {
    return violate(now, process_name(process) + " was given an event under another's name");
  }
  account& a = processes_[process].events[from];
  auto& seen = a.by_topic[event.topic];
  if (!seen.empty() && seen.back() >= number) {
    violate(now, process_name(process) + " was given event " + std::to_string(number) + " of " + process_name(from) +
                     " on " + event.topic + " after " + std::to_string(seen.back()));
  }
  seen.push_back(number);
  const auto after = a.missed.upper_bound(number_of_all);
  if (after != a.missed.begin() && std::prev(after)->second >= number_of_all) {
    violate(now, process_name(process) + " was given event " + std::to_string(number_of_all) + " of " +
                     process_name(from) + ", which it was told to have missed");
  }
  if (!a.given.insert(number_of_all).second) {
    violate(now, process_name(process) + " was given event " + std::to_string(number_of_all) + " of " +
                     process_name(from) + " twice");
  }
}

/// What is told to be missed was neither given nor told before.
void membership_checkers::check_gap(std::size_t process, const membership::gap& gap, time_point now) {
  process_state& p = processes_[process];
  const auto life = by_life_.find({gap.origin, p.sights[gap.origin].boot});
  if (life == by_life_.end() || gap.count == 0) {
    return violate(now, process_name(process) + " was told of a gap in nobody's events");
  }
  account& a = p.events[life->second];
  const std::uint64_t last = gap.first + gap.count - 1;
  const auto given = a.given.lower_bound(gap.first);
  const auto after = a.missed.upper_bound(last);
  const bool told_before = after != a.missed.begin() && std::prev(after)->second >= gap.first;
  if ((given != a.given.end() && *given <= last) || told_before) {
    violate(now, process_name(process) + " was told to have missed events " + std::to_string(gap.first) + " to " +
                     std::to_string(last) + " of " + process_name(life->second) + ", of which it knew some");
  }
  a.missed.insert({gap.first, last});
}

std::uint64_t membership_checkers::first_known(std::size_t process, std::size_t origin) const {
  std::uint64_t first = ~std::uint64_t{0};
  const auto found = processes_[process].events.find(origin);
  if (found == processes_[process].events.end()) return first;
  const account& a = found->second;
  if (!a.given.empty()) first = *a.given.begin();
  if (!a.missed.empty()) first = std::min(first, a.missed.begin()->first);
  return first;
}

std::string membership_checkers::unaccounted(std::size_t process, std::size_t origin, std::uint64_t last) const {
  std::uint64_t next = first_known(process, origin);
  if (next == ~std::uint64_t{0}) return {};
  const account& a = processes_[process].events.at(origin);
  while (next <= last) {
    const auto gap = a.missed.find(next);
    const bool given = a.given.contains(next) || processes_[origin].questions.contains(next);
    if (gap == a.missed.end() && !given) {
      return "event " + std::to_string(next) + " of " + process_name(origin) + " was neither given to " +
             process_name(process) + " nor told to be missed";
    }
    next = gap == a.missed.end() ? next + 1 : gap->second + 1;
  }
  return {};
}

// ---- what a process knows by what it was told ----

bool membership_checkers::reported_failed(std::size_t process, const node_id& id) const {
  const auto& sights = processes_[process].sights;
  const auto found = sights.find(id);
  return found != sights.end() && found->second.last == told::failed;
}

bool membership_checkers::reported_left(std::size_t process, const node_id& id) const {
  const auto& sights = processes_[process].sights;
  const auto found = sights.find(id);
  return found != sights.end() && found->second.last == told::left;
}

const std::vector<std::uint64_t>& membership_checkers::events_seen(std::size_t process, std::size_t origin,
                                                                   const std::string& topic) {
  return processes_[process].events[origin].by_topic[topic];
}

}  // namespace artillery::sim
