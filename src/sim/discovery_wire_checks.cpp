#include "sim/discovery_wire_checks.hpp"

#include <algorithm>

#include "discovery/answers.hpp"

namespace artillery::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// A burst says a service at 0, 250 and 1000 ms; any faster is a storm.
constexpr std::size_t announcements_per_second_max = 3;
/// docs/discovery.md, "Limits": 20 at once and then 10 a second, to one source.
constexpr std::size_t answers_per_second_max = 30;
/// At 0, 1, 3, 7, 15, 31 and 63 s.
constexpr std::size_t questions_per_minute_max = 7;
constexpr std::uint64_t announcements_per_burst = 4;
/// The longest delay of an answer, and how much later than due one may still be given.
constexpr duration answered_after_max = milliseconds{120} + milliseconds{500};
constexpr duration load_delay_max = milliseconds{40};
constexpr int goodbyes_each = 3;

std::size_t keep_last(std::deque<time_point>& times, duration length, time_point now) {
  times.push_back(now);
  while (now - times.front() >= length) times.pop_front();
  return times.size();
}

bool asks_for(const discovery::question& asked, const discovery::service& offered) {
  return (asked.type.empty() || asked.type == offered.type) &&
         (asked.instance.none() || asked.instance == offered.instance) &&
         std::find(asked.known.begin(), asked.known.end(), offered.instance.high) == asked.known.end();
}

}  // namespace

void discovery_wire_checks::started(host at) {
  for (auto& [key, said] : announced_)
    if (truth_.offers().at(key).owner == at) said.lately.clear();
  std::erase_if(dealt_with_, [at](const auto& entry) { return entry.first.first == at; });
  std::erase_if(answered_lately_, [at](const auto& entry) { return entry.first.first == at; });
  std::erase_if(asked_lately_, [at](const auto& entry) { return entry.first.first == at; });
  questions_heard_[at] = 0;
}

void discovery_wire_checks::sending(host at, const endpoint& to, bool to_all, bytes_view datagram,
                                    const discovery::frame& what, time_point now) {
  switch (what.header.kind) {
    case discovery::frame_kind::announce: return announces(at, what, now);
    case discovery::frame_kind::goodbye:
      ++goodbyes_[{what.header.node, std::get<discovery::goodbye>(what.body).instance}];
      return;
    case discovery::frame_kind::seek: return asks(at, to_all, datagram.size(), what, now);
    case discovery::frame_kind::offer: return answers(at, to, to_all, datagram.size(), what, now);
  }
}

void discovery_wire_checks::hearing(host at, const endpoint& from, const discovery::frame& what, time_point now) {
  const auto* question = std::get_if<discovery::question>(&what.body);
  if (question == nullptr) return;
  const auto [entry, is_new] = dealt_with_.try_emplace({at, what.header.query});
  dealt_with& one = entry->second;
  const std::uint64_t number = ++questions_heard_[at];
  // So many questions later a copy counts as new: what is remembered is bounded. Answers to the earlier one may still
  // be under way.
  if (!is_new && number - one.number <= discovery::answers::recent_max) return;
  if (is_new) one.first_heard = now;
  one.last_heard = now;
  one.number = number;
  one.back = from.with_port(what.header.answer_port != 0 ? what.header.answer_port : from.port());
  ++one.times;
  for (const auto& [key, offer] : truth_.offers())
    if (offer.owner == at && offer.alive && asks_for(*question, offer.versions.back()))
      one.load_min = std::min<unsigned>(one.load_min, offer.versions.back().load);
}

// --- announcements and goodbyes -------------------------------------------------------------------------------------

void discovery_wire_checks::announces(host at, const discovery::frame& what, time_point now) {
  const auto& service = std::get<discovery::announcement>(what.body).what;
  announcements& said = announced_[{what.header.node, service.instance}];
  if (said.count++ == 0) said.first = now;
  if (keep_last(said.lately, seconds{1}, now) > announcements_per_second_max)
    violations_.add("no_storms", at, now, service.name + " is announced too often");
}

void discovery_wire_checks::no_storms(time_point now) {
  for (const auto& [key, said] : announced_) {
    const true_offer& offer = truth_.offers().at(key);
    const duration own = offer.versions.back().ttl;
    const duration interval = own == duration::zero() ? interval_ : std::min(own / 3, interval_);
    const auto periods = static_cast<std::uint64_t>((now - said.first) / (interval * 4 / 5)) + 1;
    if (said.count > announcements_per_burst * offer.bursts + periods + questions_.size())
      violations_.add("no_storms", offer.owner, now,
                      short_name(key) + " was announced " + std::to_string(said.count) + " times");
  }
}

void discovery_wire_checks::bursts_are_said_in_full(const offer_key& which, time_point now) {
  const std::uint64_t said = announced_[which].count;
  if (said < announcements_per_burst)
    violations_.add("bursts_are_said_in_full", truth_.offers().at(which).owner, now,
                    short_name(which) + " was announced " + std::to_string(said) + " times");
}

void discovery_wire_checks::withdrawn(host at, const offer_key& which, time_point now) {
  if (goodbyes_[which] != goodbyes_each)
    violations_.add("goodbyes_are_said_three_times", at, now,
                    short_name(which) + ": " + std::to_string(goodbyes_[which]));
}

// --- questions and answers ------------------------------------------------------------------------------------------

void discovery_wire_checks::asks(host at, bool to_all, std::size_t size, const discovery::frame& what, time_point now) {
  const auto& question = std::get<discovery::question>(what.body);
  questions_[what.header.query] = {at, size, question};
  if (to_all && !question.first_wins) questions_grow_rare(at, question.type, now);
}

void discovery_wire_checks::questions_grow_rare(host at, const std::string& type, time_point now) {
  if (keep_last(asked_lately_[{at, type}], std::chrono::minutes{1}, now) > questions_per_minute_max)
    violations_.add("questions_grow_rare", at, now, "'" + type + "' is asked for all the time");
}

void discovery_wire_checks::answers(host at, const endpoint& to, bool to_all, std::size_t size,
                                    const discovery::frame& what, time_point now) {
  const auto question = questions_.find(what.header.query);
  const auto so_far = dealt_with_.find({at, what.header.query});
  if (question == questions_.end() || so_far == dealt_with_.end())
    return violations_.add("answers_what_was_asked", at, now, "nobody of the link has asked");
  const discovery::service& with = std::get<discovery::announcement>(what.body).what;
  dealt_with& one = so_far->second;
  if (to_all || to != one.back) violations_.add("answers_go_to_the_asker", at, now, "to " + to_string(to));
  answers_what_was_asked(at, question->second, with, now);
  answers_once(at, one, with.instance, now);
  if (one.instances.empty()) the_less_loaded_is_sooner(at, question->second, one, now);
  answers_in_time(at, one, now);
  ++one.instances[with.instance];
  one.bytes += size;
  answers_are_no_larger(at, question->second, one, now);
  sources_are_spared(at, to, now);
}

void discovery_wire_checks::answers_what_was_asked(host at, const asked& question, const discovery::service& with,
                                                   time_point now) {
  if (!asks_for(question.what, with))
    violations_.add("answers_what_was_asked", at, now, with.name + " was not asked for, or is known");
}

void discovery_wire_checks::answers_are_no_larger(host at, const asked& question, const dealt_with& so_far,
                                                  time_point now) {
  if (so_far.bytes > question.size * so_far.times)
    violations_.add("answers_are_no_larger", at, now,
                    std::to_string(so_far.bytes) + " bytes for a question of " + std::to_string(question.size));
}

void discovery_wire_checks::answers_once(host at, const dealt_with& so_far, const node_id& instance, time_point now) {
  const auto told = so_far.instances.find(instance);
  if (told != so_far.instances.end() && told->second >= so_far.times)
    violations_.add("answers_once", at, now, to_short_string(instance) + " is told twice to one question");
}

void discovery_wire_checks::answers_in_time(host at, const dealt_with& so_far, time_point now) {
  if (now - so_far.last_heard > answered_after_max)
    violations_.add("answers_in_time", at, now, "an answer that nobody waits for any more");
}

void discovery_wire_checks::the_less_loaded_is_sooner(host at, const asked& question, const dealt_with& so_far,
                                                      time_point now) {
  if (!question.what.first_wins) return;
  if (now - so_far.first_heard < load_delay_max * static_cast<std::int64_t>(so_far.load_min) / 255)
    violations_.add("the_less_loaded_is_sooner", at, now, "load " + std::to_string(so_far.load_min) + " at once");
}

void discovery_wire_checks::sources_are_spared(host at, const endpoint& to, time_point now) {
  if (keep_last(answered_lately_[{at, to}], seconds{1}, now) > answers_per_second_max)
    violations_.add("sources_are_spared", at, now, to_string(to) + " is answered too often");
}

}  // namespace artillery::sim
