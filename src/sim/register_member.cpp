#include "sim/register_member.hpp"

#include <algorithm>
#include <utility>

namespace artillery::sim {

using namespace std::chrono_literals;
using replication::authority_cas_done;
using replication::register_event;
using replication::replica_id;

namespace {

constexpr std::int64_t million = 1'000'000;
/// A gate ends a little later than arithmetic says, for the nanosecond that roundings may be off.
constexpr duration gate_slack = 1us;
/// Renewals of which an answer may still come.
constexpr std::size_t renewals_max = 8;

std::vector<replica_id> ids_of(const std::vector<replication::member>& members) {
  std::vector<replica_id> ids;
  for (const replication::member& one : members) ids.push_back(one.id);
  return ids;
}

bool has(const std::vector<replica_id>& all, const replica_id& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

}  // namespace

/// Collects what the proposer tells, to be dealt with when it is done.
class member_program::sink final : public effects<register_event> {
public:
  sink(member_program& self, network_effects& out) : self_{self}, out_{out} {}
  using network_effects::send;
  void send(const connection& to, bytes_view header, std::span<const bytes> body) override {
    out_.send(to, header, body);
  }
  void open(std::uint64_t, const endpoint&) override {}
  void close(std::uint64_t) override {}
  void persist(artillery::operation, std::span<const bytes>) override {}
  void deliver(register_event event) override { self_.events_.push_back(std::move(event)); }

private:
  member_program& self_;
  network_effects& out_;
};

member_program::member_program(const identity& self, const replication::proposer_config& config,
                               const member_driving& driving, std::uint64_t seed, register_checks& checks,
                               register_figures& figures, const world& around, places others)
    : self_{self},
      driving_{driving},
      proposer_{config, detail::random{seed}.fork("proposer")},
      random_{detail::random{seed}.fork("member")},
      checks_{checks},
      figures_{figures},
      world_{around},
      others_{std::move(others)} {}

member_program::~member_program() {
  count_into(figures_);
}

void member_program::count_into(register_figures& figures) const {
  figures.ballots += proposer_.counters().ballots;
  figures.contentions += proposer_.counters().contentions;
  figures.short_reads += proposer_.counters().short_reads;
}

template <class Call>
void member_program::with_sink(time_point now, network_effects& out, Call call) {
  sink collected{*this, out};
  call(collected);
  handle_events(now, out);
}

void member_program::start(time_point now, network_effects& out) {
  acts_at_ = now;
  renews_at_ = now;
  expire(now, out);
}

void member_program::receive(const connection& from, const bytes& message, time_point now, network_effects& out) {
  with_sink(now, out, [&](auto& collected) { proposer_.receive(from, message, now, collected); });
}

void member_program::found(const replication::view& first, time_point now, network_effects& out) {
  with_sink(now, out, [&](auto& collected) { proposer_.found(first, now, collected); });
}

void member_program::settle(bool proposes, time_point now, network_effects& out) {
  is_settling_ = true;
  proposes_last_ = proposes;
  settling_id_ = last_id_;
  acts_at_ = now;
  expire(now, out);
}

void member_program::expire(time_point now, network_effects& out) {
  with_sink(now, out, [&](auto& collected) {
    proposer_.expire(now, collected);
    if (gate_until_ && now >= *gate_until_) {
      ++figures_.gates_waited;
      open(now);
    }
    if (now >= renews_at_) renew(now, collected);
    if (now >= acts_at_) act(now, collected);
  });
}

std::optional<time_point> member_program::next_deadline() const {
  time_point next = std::min(acts_at_, renews_at_);
  if (gate_until_) next = std::min(next, *gate_until_);
  if (const auto asked = proposer_.next_deadline()) next = std::min(next, *asked);
  return next;
}

// --- what it does of its own ---

void member_program::act(time_point now, effects<register_event>& out) {
  const auto pace = static_cast<std::uint64_t>(driving_.pace_max.count());
  acts_at_ = now + duration{static_cast<duration::rep>(random_.below(pace) + 1)};
  const bool swaps = random_.chance(driving_.swaps, 100);
  const bool forgets = random_.chance(driving_.forgets, 100);
  if (is_settling_) {
    acts_at_ = now + 200ms;
    if (!has_read_) return read(now, out);
    if (proposes_last_) swap(false, now, out);
    return;
  }
  if (forgets && last_id_ != 0) proposer_.forget(last_id_);
  swaps&& view_.epoch != 0 ? swap(true, now, out) : read(now, out);
}

void member_program::ask(const replication::authority_question& question, time_point now,
                         effects<register_event>& out) {
  proposer_.ask(self_.self, question, now, out);
}

void member_program::read(time_point now, effects<register_event>& out) {
  const replication::authority_read question{++last_id_};
  checks_.asked_read(self_.who, question.id);
  ask(question, now, out);
}

void member_program::swap(bool drops, time_point now, effects<register_event>& out) {
  auto next = next_view(drops);
  if (!next) return;
  const replication::authority_cas question{++last_id_, view_.epoch, std::move(*next)};
  checks_.asked_cas(self_.who, question);
  ask(question, now, out);
}

/// R1: drops members, or (the open tail) appends one. Each proposal is like no other, by a learner of its own.
std::optional<replication::view> member_program::next_view(bool drops) {
  replication::view next = view_;
  ++next.epoch;
  const std::vector<replication::member> all = others_();
  const std::uint64_t fate = random_.below(4);
  const std::uint64_t draw = random_.next();
  const bool is_open_tail = is_tail() && opened_ == view_.epoch;
  if (drops && is_open_tail && fate != 0) {
    const replication::member& one = all[static_cast<std::size_t>(draw % all.size())];
    const bool is_in = std::any_of(next.replicas.begin(), next.replicas.end(),
                                   [&one](const replication::member& r) { return r.id.node == one.id.node; });
    if (!is_in) next.replicas.push_back(one);
  } else if (drops) {
    std::size_t place = 0;
    std::erase_if(next.replicas, [&](const replication::member&) { return (draw >> place++ & 1U) != 0; });
    if (next.replicas.empty()) return std::nullopt;
  }
  next.readers = is_open_tail ? ids_of(view_.replicas) : view_.readers;
  for (const replica_id& one : ids_of(next.replicas)) {
    if (!has(next.readers, one)) next.readers.push_back(one);
  }
  if (next.readers.size() > replication::view_replicas_max) return std::nullopt;
  next.learners = {{{{9, self_.who.member + 1}, self_.who.life << 32U | last_id_}, self_.at}};
  return next;
}

void member_program::renew(time_point now, effects<register_event>& out) {
  renews_at_ = now + view_.lease / 3 + 1ms;
  if (lease_until_ != time_point::min() && now >= lease_until_) {
    ++figures_.leases_ended;
    lease_until_ = time_point::min();
  }
  // One who is not in the view asks now and then, too, as if it had not understood.
  const bool asks_in_vain = random_.chance(1, 4);
  if (view_.epoch == 0 || (!is_member() && !asks_in_vain)) return;
  if (renewals_.size() == renewals_max) renewals_.erase(renewals_.begin());
  renewals_.push_back({++last_id_, view_.epoch, now});
  ask(replication::authority_renew{last_id_, view_.epoch}, now, out);
}

// --- what it is told ---

void member_program::handle_events(time_point now, network_effects& out) {
  while (!events_.empty()) {
    const register_event event = std::move(events_.front());
    events_.pop_front();
    if (const auto* answer = std::get_if<replication::authority_answer>(&event)) {
      checks_.told(self_.who, *answer, world_.now());
      told(*answer, now, out);
    } else if (const auto* founded = std::get_if<replication::founding>(&event)) {
      const bool is_founded = founded->what == replication::founding::outcome::founded;
      ++(is_founded ? figures_.foundings : figures_.foundings_refused);
      if (is_founded) checks_.told_founded(founded->first, world_.now());
    } else if (std::holds_alternative<replication::voter_alarm>(event)) {
      ++figures_.alarms;
    }
  }
}

void member_program::told(const replication::authority_answer& answer, time_point now, network_effects& out) {
  if (const auto* newest = std::get_if<replication::authority_view>(&answer)) {
    ++figures_.reads;
    if (is_settling_ && newest->id > settling_id_) has_read_ = true;
    adopt(newest->newest, now, out);
  } else if (const auto* done = std::get_if<authority_cas_done>(&answer)) {
    using outcome = authority_cas_done::outcome;
    if (done->what == outcome::chosen) ++figures_.swaps_chosen;
    if (done->what == outcome::refused) ++figures_.swaps_refused;
    if (done->what == outcome::unknown) ++figures_.swaps_unknown;
    if (done->what == outcome::chosen && is_settling_ && done->id > settling_id_) proposes_last_ = false;
    if (done->now) adopt(*done->now, now, out);
  } else if (const auto* renewed = std::get_if<replication::authority_renewed>(&answer)) {
    const auto asked = std::find_if(renewals_.begin(), renewals_.end(),
                                    [renewed](const renewal& one) { return one.id == renewed->id; });
    if (asked == renewals_.end()) return;
    const renewal one = *asked;
    renewals_.erase(asked);
    ++(renewed->yes ? figures_.renewals : figures_.renewals_refused);
    if (!renewed->yes || one.epoch != view_.epoch) return;
    lease_until_ = std::max(lease_until_, one.asked_at + view_.lease);
    if (const auto held = lease(now)) checks_.no_lease_outlives_gate(*held, world_.now());
  } else if (const auto* quiet = std::get_if<replication::authority_quieted>(&answer)) {
    // An answer to what was asked in an earlier epoch says nothing of this one.
    if (!gate_until_ || quiet->id != quiet_id_) return;
    if (quiet->yes) {
      ++figures_.gates_early;
      return open(now);
    }
    sink collected{*this, out};
    ask_quiet(now, collected);
  }
}

/// R2, R8: drops what it could do in the older epoch, and as the tail opens when nobody can read there any more.
void member_program::adopt(const replication::chosen_view& chosen, time_point now, network_effects& out) {
  if (chosen.view.epoch <= view_.epoch) return;
  if (lease(now)) ++figures_.leases_ended;
  view_ = chosen.view;
  chosen_in_ = chosen.chosen_in;
  lease_until_ = time_point::min();
  gate_until_.reset();
  renews_at_ = now;
  if (!is_tail()) return;
  const std::vector<replica_id> kept = ids_of(view_.replicas);
  if (std::all_of(view_.readers.begin(), view_.readers.end(), [&kept](const replica_id& r) { return has(kept, r); })) {
    ++figures_.gates_none;
    return open(now);
  }
  gate_until_ = now + gate();
  sink collected{*this, out};
  if (driving_.asks_for_early_end) ask_quiet(now, collected);
}

void member_program::ask_quiet(time_point now, effects<register_event>& out) {
  quiet_id_ = ++last_id_;
  const std::vector<replica_id> kept = ids_of(view_.replicas);
  std::vector<replica_id> excluded = view_.readers;
  std::erase_if(excluded, [&kept](const replica_id& reader) { return has(kept, reader); });
  ask(replication::authority_quiet{quiet_id_, view_.epoch, chosen_in_, gate(), std::move(excluded)}, now, out);
}

void member_program::open(time_point /*now*/) {
  gate_until_.reset();
  opened_ = view_.epoch;
  checks_.opened(view_, world_.now());
}

duration member_program::gate() const noexcept {
  const std::int64_t drift = view_.drift_ppm;
  return view_.lease * (million + drift) / (million - drift) + gate_slack;
}

bool member_program::is_member() const noexcept {
  return has(ids_of(view_.replicas), self_.self);
}

bool member_program::is_tail() const noexcept {
  return !view_.replicas.empty() && view_.replicas.back().id == self_.self;
}

std::optional<register_checks::lease> member_program::lease(time_point local_now) const {
  if (local_now >= lease_until_) return std::nullopt;
  return register_checks::lease{self_.self, view_.epoch, "member " + std::to_string(self_.who.member)};
}

}  // namespace artillery::sim
