// What is believed of whom: how claims are weighed (SWIM, section 4.2), and what a node does about claims of itself.
#include <algorithm>

#include "base/assert.hpp"
#include "membership/core.hpp"
#include "membership/mutant.hpp"

namespace artillery::membership {
namespace {

/// A death heard of in an exchange is looked into for so many probe intervals before it is believed.
constexpr int look_into_intervals = 2;

/// Members that failed long ago and are not forgotten.
constexpr std::size_t buried_max = 256;

/// What a claim says of its member, its last word included.
std::shared_ptr<const facts> facts_of(const claim& heard, std::shared_ptr<const facts> known) {
  if (heard.reason.empty() || known == nullptr) return known;
  auto last = std::make_shared<facts>(*known);
  last->reason = heard.reason;
  return last;
}

/// What the application is shown of a member differs.
bool says_other(const facts& now, const facts& before) {
  return now.tags != before.tags || now.name != before.name || now.at != before.at;
}

}  // namespace

bool core::is_forged(const claim& heard, std::uint64_t known_boot) const noexcept {
  if (mutant(mutation::believes_forgeries)) return false;
  const std::uint64_t known = std::max(known_boot, self_.boot);
  const bool far = heard.boot > known && heard.boot - known > boot_jump_max;
  return far || heard.boot == ~std::uint64_t{0} || heard.incarnation > incarnation_max;
}

/// Tombstones are nobody's business.
bool core::may_be_known(const claim& heard) const {
  if (!config_.accept || heard.facts == nullptr || heard.state >= member_state::failed) return true;
  return config_.accept({.id = heard.about,
                         .name = heard.facts->name,
                         .at = heard.facts->at,
                         .boot = heard.boot,
                         .incarnation = heard.incarnation,
                         .state = heard.state,
                         .tags = heard.facts->tags});
}

bool core::may_become(const member_row& row, const claim& heard) const {
  if (!config_.accept || heard.facts == nullptr) return true;
  const bool as_before = row.present() && row.standing.boot == heard.boot && !says_other(*heard.facts, *row.facts);
  return as_before || may_be_known(heard);
}

/// A member is now what may not be known. It answers as ever, so nothing but this ends it here.
void core::turn_out(member_row& row, time_point now, effects_type& out) {
  ++counters_.refused_by_application;
  row.introduced = false;
  if (row.present()) declare_failed(node_id{row.key}, now, out);
}

void core::apply(const claim& heard, path how, time_point now, effects_type& out) {
  if (heard.about == self_.id) return hear_of_self(heard, now, out);
  member_row* row = members_.find(heard.about);
  if (row == nullptr) {
    // News of the death of somebody never heard of is of no use, unless it comes with a whole view: then it keeps the
    // old news of others from introducing a dead member.
    if (heard.facts != nullptr) meet(heard, how, now, out);
    return;
  }
  if (is_forged(heard, row->standing.boot)) {
    ++counters_.refused_forged;
    return;
  }
  standing next{heard.boot, heard.incarnation, heard.state};
  if (mutant(mutation::equal_incarnation_wins) && next.state == member_state::alive && !row->present() &&
      next.boot == row->standing.boot && next.incarnation == row->standing.incarnation) {
    ++next.incarnation;
  }
  if (mutant(mutation::earlier_life_wins) && next.boot < row->standing.boot) next.boot = row->standing.boot;
  if (mutant(mutation::leave_is_failure) && next.state == member_state::left) next.state = member_state::failed;
  const bool dead = next.state == member_state::failed;
  const bool look_into = how != path::gossip && dead && row->present() && next.boot == row->standing.boot;
  if (look_into) next.state = member_state::suspect;
  if (next.state == member_state::suspect && next == row->standing) {
    if (mutant(mutation::renews_suspicions)) {
      suspicions_.end(row->key);
      return begin_suspicion(*row, heard.accuser, false, now);
    }
    if (suspicions_.confirm(row->key, heard.accuser)) tell(row->key);
    return;
  }
  if (next <= row->standing) return;
  if (!may_become(*row, heard)) return turn_out(*row, now, out);
  if (next.boot != row->standing.boot && row->present() && mutant(mutation::refuses_restarts)) return;
  if (next.boot != row->standing.boot) return restart_of(*row, heard, now, out);
  change(*row, next, heard, now, out);
  if (look_into) {
    // Its own word, asked for at once, is better than either side's belief: so two halves of a split merge without
    // burying each other.
    suspicions_.end(row->key);
    begin_suspicion(*row, heard.accuser, true, now);
    check_on(*row, out);
  }
}

/// A claim about somebody not known here.
void core::meet(const claim& heard, path how, time_point now, effects_type& out) {
  if (is_forged(heard, 0)) {
    ++counters_.refused_forged;
    return;
  }
  if (!may_be_known(heard)) {
    ++counters_.refused_by_application;
    return;
  }
  if (members_.size() >= config_.members_max) {
    ++counters_.dropped_over_limit;
    return;
  }
  const member_row* before = members_.present_at(heard.facts->at);
  const node_id replaced = before == nullptr ? node_id{} : before->key;
  standing first{heard.boot, heard.incarnation, heard.state};
  // Whoever was at our address before us is gone: nobody knows better than we do.
  const bool displaced = heard.facts->at == facts_->at && first.state < member_state::failed;
  if (displaced) first.state = member_state::failed;
  const bool due = counts_from_facts(1);
  member_row& row = members_.insert(heard.about, first, facts_of(heard, heard.facts), now);
  row.due = due;
  user_events_.begin_life(row.key, heard.boot, heard.facts->events_sent);
  ++revision_;
  if (displaced) tell(row.key);
  if (!row.present()) return;  // a tombstone: not news for the application
  announce_joined(row, out);
  if (row.standing.state == member_state::suspect) {
    begin_suspicion(row, heard.accuser, false, now);
    out.deliver(suspected{to_member(row)});
  }
  // A newcomer that told on its whole first view would tell a large cluster for minutes what all of it knows.
  if (how != path::introduction) tell(row.key);
  // An address has one owner. Whoever had it is asked by name; if the newcomer answers instead, the old one is gone.
  if (replaced.none()) return;
  if (const member_row* old = members_.find(replaced)) check_on(*old, out);
}

void core::announce_joined(member_row& row, effects_type& out) {
  row.announced = true;
  row.introduced = true;
  row.sent_before = user_events_.sent();
  ring_.add(row, random_);
  member told = to_member(row);
  told.state = member_state::alive;
  out.deliver(joined{told});
  if (told.name == facts_->name) tell_conflict(self(), told, out);
  if (const member_row* namesake = members_.namesake_of(row)) tell_conflict(to_member(*namesake), told, out);
}

void core::tell_conflict(member one, member other, effects_type& out) {
  ++counters_.conflicts;
  if (other.boot < one.boot) std::swap(one, other);
  out.deliver(conflict{std::move(one), std::move(other)});
}

/// A later process under the same id.
void core::restart_of(member_row& row, const claim& heard, time_point now, effects_type& out) {
  if (heard.state == member_state::suspect && heard.facts == nullptr) return;  // its own word will come
  if (row.announced) {
    row.announced = false;
    member old = to_member(row);
    old.state = member_state::failed;
    out.deliver(failed{std::move(old)});
  }
  row.introduced = false;
  row.due = counts_from_facts(2);  // one of these may be the member itself
  suspicions_.end(row.key);
  if (heard.facts != nullptr) members_.set_facts(row, facts_of(heard, heard.facts));
  members_.set_standing(row, {heard.boot, heard.incarnation, heard.state}, now);
  row.since = now;
  user_events_.begin_life(row.key, heard.boot, heard.facts == nullptr ? 0 : heard.facts->events_sent);
  ++revision_;
  tell(row.key);
  if (!row.present()) return;
  announce_joined(row, out);
  if (row.standing.state == member_state::suspect) {
    begin_suspicion(row, heard.accuser, false, now);
    out.deliver(suspected{to_member(row)});
  }
}

/// A newer claim about a known life.
void core::change(member_row& row, const standing& next, const claim& heard, time_point now, effects_type& out) {
  const member_state before = row.standing.state;
  const bool was_gone = !row.present();
  suspicions_.end(row.key);
  members_.set_standing(row, next, now);
  const bool changed = heard.facts != nullptr && !was_gone && says_other(*heard.facts, *row.facts);
  const auto said = facts_of(heard, heard.facts == nullptr ? row.facts : heard.facts);
  if (said != row.facts) members_.set_facts(row, said);
  ++revision_;
  tell(row.key);
  if (row.present() && was_gone) {
    announce_joined(row, out);
    // The network was split, or one of us was away: the rest is made good in one exchange.
    if (phase_ == phase::running && now >= heal_allowed_at_) {
      heal_allowed_at_ = now + config_.probe_interval;
      open_stream(stream_purpose::exchange, row.facts->at, now, out);
    }
  }
  switch (next.state) {
    case member_state::alive:
      if (before == member_state::suspect) out.deliver(recovered{to_member(row)});
      break;
    case member_state::suspect:
      begin_suspicion(row, heard.accuser, false, now);
      if (before != member_state::suspect) out.deliver(suspected{to_member(row)});
      break;
    case member_state::failed:
      if (std::exchange(row.announced, false)) out.deliver(failed{to_member(row)});
      break;
    case member_state::left:
      if (std::exchange(row.announced, false)) out.deliver(left{to_member(row), row.facts->reason});
      break;
  }
  if (changed && row.present()) out.deliver(updated{to_member(row)});
}

void core::begin_suspicion(const member_row& row, short_name accuser, bool look_into, time_point now) {
  ++counters_.suspicions;
  const std::size_t members = members_.present() + 1;
  suspicion s{.about = row.key, .started = now};
  s.accusers[0] = accuser;
  if (look_into) {
    s.least = s.most = config_.probe_interval * look_into_intervals;
  } else {
    s.least = suspicion_timeout_min(config_.suspicion_mult, members, config_.probe_interval);
    s.most = s.least * config_.suspicion_max_mult;
    // Whoever cannot hear enough others must not wait for them (Lifeguard).
    const std::size_t others = members > 2 ? members - 2 : 0;
    const std::size_t needed = std::min<std::size_t>(confirmations_max, config_.suspicion_mult);
    s.needed = static_cast<std::uint8_t>(others < needed ? 0 : needed);
  }
  if (mutant(mutation::no_suspicion)) s.least = s.most = duration::zero();
  suspicions_.start(s);
}

/// Own evidence: nobody got an answer out of it.
void core::suspect(const node_id& id, time_point now, effects_type& out) {
  const member_row* row = members_.find(id);
  if (row == nullptr || !row->present()) return;
  if (row->standing.state == member_state::alive) tell_group_of(id);
  apply({.about = id,
         .boot = row->standing.boot,
         .incarnation = row->standing.incarnation,
         .state = member_state::suspect,
         .accuser = shorten(self_.id),
         .facts = nullptr},
        path::gossip, now, out);
}

void core::declare_failed(const node_id& id, time_point now, effects_type& out) {
  member_row* row = members_.find(id);
  ARTILLERY_INVARIANT(row != nullptr && row->present());
  ++counters_.failures_declared;
  tell_group_of(id);
  claim verdict{.about = id,
                .boot = row->standing.boot,
                .incarnation = row->standing.incarnation,
                .state = member_state::failed,
                .accuser = shorten(self_.id),
                .facts = nullptr};
  change(*row, {verdict.boot, verdict.incarnation, verdict.state}, verdict, now, out);
}

/// Others are wrong about this node, or know more of it than it does itself: whoever says anything that would overrule
/// its own word is answered with a higher one.
void core::hear_of_self(const claim& heard, time_point now, effects_type& out) {
  if (heard.boot < self_.boot) return;  // an earlier life
  if (is_forged(heard, self_.boot)) {
    ++counters_.refused_forged;
    return;
  }
  if (heard.boot > self_.boot) {
    // A process that came after this one under the same id, or a forgery. Told at most once an interval, so that two
    // living owners of one id do not shout each other down.
    ++counters_.id_conflicts;
    if (now < conflict_allowed_at_ || phase_ != phase::running) return;
    conflict_allowed_at_ = now + config_.probe_interval;
    if (heard.facts != nullptr && heard.facts->at != facts_->at) {
      const member_row other{.key = self_.id,
                             .standing = {heard.boot, heard.incarnation, heard.state},
                             .facts = heard.facts,
                             .since = now};
      tell_conflict(self(), to_member(other), out);
    }
    // The answer must be one that others believe, even those who have not heard what it answers.
    const bool last = heard.boot - self_.boot == boot_jump_max && heard.incarnation < incarnation_max;
    return last ? begin_next_life(heard.boot, heard.incarnation + 1) : begin_next_life(heard.boot + 1, 0);
  }
  const bool overrules =
      heard.incarnation > incarnation_ || (heard.incarnation == incarnation_ && heard.state != member_state::alive);
  if (!overrules) return;
  if (phase_ == phase::leaving && heard.incarnation == incarnation_) return;  // "left" overrules it as it is
  if (mutant(mutation::no_refutation)) return;
  ++counters_.refutations;
  awareness_.worse();
  overrule(heard.incarnation);
}

/// Says anew what this node says of itself, above `incarnation`.
void core::overrule(std::uint64_t incarnation) {
  if (incarnation >= incarnation_max) return begin_next_life(self_.boot + 1, 0);
  incarnation_ = mutant(mutation::weak_refutation) ? incarnation : incarnation + 1;
  renew_facts(user_events_.sent());
}

/// Goes on as a later process would: what the others keep about this one's incarnations and events begins anew.
void core::begin_next_life(std::uint64_t boot, std::uint64_t incarnation) {
  self_.boot = boot;
  incarnation_ = incarnation;
  user_events_.restamp(boot);
  messages_.give_up_spoken();
  renew_facts(user_events_.sent());
}

void core::renew_facts(std::uint64_t events_sent) {
  auto next = std::make_shared<facts>(*facts_);
  next->events_sent = events_sent;
  facts_ = std::move(next);
  ++revision_;
  tell(self_.id);
  tell_group_of(self_.id);
}

void core::tell(const node_id& about) {
  claims_.push(about);
  push_wanted_ = true;
}

claim core::own_claim() const {
  return {.about = self_.id,
          .boot = self_.boot,
          .incarnation = incarnation_,
          .state = own_standing().state,
          .accuser = {},
          .facts = facts_,
          .reason = facts_->reason};
}

claim core::claim_about(const member_row& row) const {
  claim c{.about = row.key,
          .boot = row.standing.boot,
          .incarnation = row.standing.incarnation,
          .state = row.standing.state,
          .accuser = shorten(self_.id),
          .facts = row.standing.state == member_state::alive ? row.facts : nullptr,
          .reason = row.standing.state == member_state::left ? row.facts->reason : std::string{}};
  if (const suspicion* s = suspicions_.find(row.key)) c.accuser = s->accusers[s->had];
  return c;
}

std::optional<claim> core::claim_about(const node_id& id) const {
  if (id == self_.id) return own_claim();
  const member_row* row = members_.find(id);
  if (row == nullptr) return std::nullopt;
  return claim_about(*row);
}

duration core::tombstone() const noexcept {
  return mutant(mutation::no_tombstones) ? config_.gossip_interval : config_.tombstone;
}

/// Forgets the dead whose tombstones are old enough.
/// Of those who failed long ago the last are not forgotten, though nobody is told of them any more: they may be on the
/// other side of a split, and both sides must find each other again, however long it lasts.
void core::reap(time_point now) {
  reap_at_.reset();
  std::vector<node_id> forgotten;
  std::vector<member_row*> failed;
  for (member_row& row : members_) {
    if (row.present() || now - row.since < tombstone()) continue;
    if (row.standing.state == member_state::left || mutant(mutation::no_tombstones)) {
      forgotten.push_back(row.key);
    } else {
      failed.push_back(&row);
    }
  }
  std::sort(failed.begin(), failed.end(), [](const auto* a, const auto* b) { return a->since > b->since; });
  // In a small table they leave room for others.
  const std::size_t kept_max = std::min(buried_max, config_.members_max / 2);
  for (std::size_t i = 0; i < failed.size(); ++i) {
    if (i >= kept_max) {
      forgotten.push_back(failed[i]->key);
    } else if (!std::exchange(failed[i]->buried, true)) {
      say_no_more_of(failed[i]->key);
      ++revision_;
    }
  }
  for (const node_id& id : forgotten) {
    say_no_more_of(id);
    user_events_.forget(id);
    messages_.forget(id);
    members_.erase(id);
  }
  if (!forgotten.empty()) ++revision_;
}

/// How far its events and messages are here is kept as long as it is: if it comes back, none of them is new.
void core::say_no_more_of(const node_id& id) {
  claims_.remove(id);
  ring_.remove(*members_.find(id));
}

}  // namespace artillery::membership
