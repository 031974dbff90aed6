#include "sim/membership_checkers.hpp"

#include <algorithm>
#include <cstring>

namespace artillery::sim {
namespace {

constexpr std::size_t violations_max = 20;  // one bug breaks many promises; the first few tell it

struct numbered {
  std::uint64_t process;
  std::uint64_t number;
};

}  // namespace

bytes membership_checkers::payload(std::size_t process, std::uint64_t number) {
  std::byte raw[16];
  for (unsigned i = 0; i < 8; ++i) {
    raw[i] = static_cast<std::byte>(static_cast<std::uint64_t>(process) >> (8 * i));
    raw[8 + i] = static_cast<std::byte>(number >> (8 * i));
  }
  return bytes::copy(raw);
}

void membership_checkers::started(const node_id& id, std::uint64_t boot, std::size_t datagram_max) {
  process_state& p = processes_.emplace_back();
  p.id = id;
  p.boot = boot;
  p.datagram_max = datagram_max;
}

void membership_checkers::violate(time_point now, std::string what) {
  if (violations_.size() >= violations_max) return;
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
  violations_.push_back("at " + std::to_string(ms) + " ms: " + std::move(what));
}

/// M5.
void membership_checkers::sent_datagram(std::size_t process, std::size_t size) {
  const std::size_t limit = processes_[process].datagram_max;
  if (size > limit) {
    violate({}, "process " + std::to_string(process) + " sent a datagram of " + std::to_string(size) +
                    " bytes, over its limit of " + std::to_string(limit));
  }
}

void membership_checkers::saw(std::size_t process, const membership::event& event, time_point now) {
  if (const auto* e = std::get_if<membership::joined>(&event)) {
    ++totals_.joined;
    check_transition(process, told::alive, e->member, now);
    check_no_resurrection(process, e->member, now);
  } else if (const auto* s = std::get_if<membership::suspected>(&event)) {
    ++totals_.suspected;
    check_transition(process, told::suspected, s->member, now);
    if (no_suspicions_) {
      violate(now, "process " + std::to_string(process) + " suspected " + s->member.name + " with no cause");
    }
  } else if (const auto* r = std::get_if<membership::recovered>(&event)) {
    ++totals_.recovered;
    check_transition(process, told::alive, r->member, now);
    check_no_resurrection(process, r->member, now);
  } else if (const auto* f = std::get_if<membership::failed>(&event)) {
    ++totals_.failed;
    check_transition(process, told::failed, f->member, now);
    note_gone(process, f->member);
    if (no_failures_) {
      violate(now, "process " + std::to_string(process) + " reported " + f->member.name + " failed with no cause");
    }
  } else if (const auto* l = std::get_if<membership::left>(&event)) {
    ++totals_.left;
    check_transition(process, told::left, l->member, now);
    note_gone(process, l->member);
  } else if (std::holds_alternative<membership::updated>(event)) {
    ++totals_.updated;
  } else if (const auto* u = std::get_if<membership::user_event>(&event)) {
    ++totals_.user_events;
    check_event_order(process, *u, now);
  } else if (const auto* g = std::get_if<membership::gap>(&event)) {
    totals_.gaps += g->count;
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
    violate(now, "process " + std::to_string(process) + " was told " + std::to_string(static_cast<int>(next)) + " of " +
                     about.name + " after " + std::to_string(static_cast<int>(s.last)));
  }
  s.last = next;
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
    violate(now, "process " + std::to_string(process) + " saw " + about.name + " come back at incarnation " +
                     std::to_string(about.incarnation) + " at which it was gone");
  }
}

/// At most once, and per (origin, topic) in the order of sending.
void membership_checkers::check_event_order(std::size_t process, const membership::user_event& event, time_point now) {
  std::uint64_t fields[2] = {0, 0};
  if (event.payload.size() != sizeof fields) {
    return violate(now, "process " + std::to_string(process) + " was given a payload that nobody sent");
  }
  for (unsigned i = 0; i < 16; ++i) {
    fields[i / 8] |= std::to_integer<std::uint64_t>(event.payload.view()[i]) << (8 * (i % 8));
  }
  const numbered sent{fields[0], fields[1]};
  if (sent.process >= processes_.size() || processes_[sent.process].id != event.origin) {
    return violate(now, "process " + std::to_string(process) + " was given an event under another's name");
  }
  auto& seen = processes_[process].events[{sent.process, event.topic}];
  if (!seen.empty() && seen.back() >= sent.number) {
    violate(now, "process " + std::to_string(process) + " was given event " + std::to_string(sent.number) +
                     " of process " + std::to_string(sent.process) + " on " + event.topic + " after " +
                     std::to_string(seen.back()));
  }
  seen.push_back(sent.number);
}

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
  return processes_[process].events[{origin, topic}];
}

}  // namespace artillery::sim
