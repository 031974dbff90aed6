// Which view is in force, and what it lets this replica do: rules R1 to R3, R6, R8 and R9 of docs/replication.md.
#include <algorithm>
#include <utility>

#include "base/assert.hpp"
#include "replication/core.hpp"
#include "replication/mutant.hpp"
#include "replication/next_view.hpp"

namespace artillery::replication {

// --- one view for ever ---

void core::adopt(const view& chosen, duration lease, time_point asked_at, const turn& at) {
  ARTILLERY_INVARIANT(chosen.chain == config_.chain && !check_view(chosen));
  ARTILLERY_INVARIANT(view_.epoch == 0 && !managed_);
  if (mutant(mutation::lease_from_answer)) asked_at = at.now;
  put_in_force({.view = chosen, .chosen_in = {}}, at);
  if (position_ != nowhere) lease_.hold(asked_at, lease);
}

// --- views that change ---

void core::start(const endpoint& listens_at, const turn& at) {
  ARTILLERY_INVARIANT(view_.epoch == 0 && !managed_);
  managed_ = true;
  listens_at_ = listens_at;
  ask_newest(at);
}

void core::answered(const authority_answer& answer, const turn& at) {
  std::visit([&](const auto& told) { hear(told, at); }, answer);
}

void core::begin_anew(std::uint64_t incarnation, const turn& at) {
  ARTILLERY_INVARIANT(removed_ && incarnation != config_.self.incarnation);
  former_ = std::exchange(config_.self.incarnation, incarnation);
  removed_ = false;
  passive_ = false;
  keep(kept_name{incarnation}, at);
  if (!disk_.on_disk()) forget_all(at);
  // A stream has the same replica at its ends for all its life.
  std::vector<std::uint64_t> streams;
  for (const accepted_link& link : accepted_) streams.push_back(link.key);
  for (const std::uint64_t number : streams) drop(connection::stream(number), at);
  become_outsider(false, at);
  ask_newest(at);
}

// --- R2 ---

void core::put_in_force(const chosen_view& chosen, const turn& at) {
  const bool was_tail = is_tail();
  const bool was_learner = is_learner();
  // A stranger to whom an epoch was not told may have been in its view: its name is used up.
  const bool skips = managed_ && chosen.view.epoch > view_.epoch + 1;
  const bool was_listed = position_ != nowhere || was_learner || skips || passive_;
  const bool had_right = was_tail && (opening_.keeps_right() || mutant(mutation::right_by_position));
  lease_.drop();
  close_member_links(at);
  const view before = std::exchange(view_, chosen.view);
  chosen_in_ = chosen.chosen_in;
  ++counters_.views;
  keep(kept_epoch{view_.epoch}, at);
  disk_.epoch_begins();
  last_at_adoption_ = log_.last_seq();
  told_durable_ = 0;
  if (is_own_restart() || resumes_by_mistake()) passive_ = false;
  const auto own = std::find_if(view_.replicas.begin(), view_.replicas.end(),
                                [&](const member& m) { return same_replica(m.id, config_.self); });
  const bool takes_part = own != view_.replicas.end() && !passive_;
  position_ = takes_part ? static_cast<std::size_t>(own - view_.replicas.begin()) : nowhere;
  proposal_.reset();
  promoting_.reset();
  if (!mutant(mutation::early_before_adoption)) asking_quiet_.reset();
  said_to_have_failed_.clear();
  missed_.clear();
  repair_.followed(before, view_, at.now);
  tail_opened_ = false;
  fenced_ = false;
  sent_ = log_.dropped().seq;
  sent_weight_ = 0;
  progress_at_ = at.now;
  adopted_at_ = at.now;
  tell_lapse_at_ = at.now;
  predecessor_gone_since_.reset();
  if (has_predecessor()) predecessor_gone_since_ = at.now;
  if (position_ == nowhere) {
    become_outsider(was_listed, at);
  } else {
    become_replica(had_right, was_learner, at);
  }
  tell_clients(at);
  serve_waiting_again(at);
  settle_changes(at);
}

/// A client whose head is gone without a word would find out only when it has waited long enough.
void core::tell_clients(const turn& at) {
  for (const accepted_link& link : accepted_) {
    if (link.role != link_role::client) continue;
    encode_view(scratch_, view_.epoch, view_);
    send(link.key, at);
  }
}

/// Links of an epoch end with it. Those of clients stay: each of their requests says its epoch.
void core::close_member_links(const turn& at) {
  if (has_successor()) successor_.close(at.now, random_, at.out);
  if (has_tail_link()) to_tail_.close(at.now, random_, at.out);
  queries_.lost();
  if (mutant(mutation::takes_other_epochs)) return;
  std::vector<std::uint64_t> streams;
  for (const accepted_link& link : accepted_) {
    if (link.role != link_role::client) streams.push_back(link.key);
  }
  for (const std::uint64_t number : streams) drop(connection::stream(number), at);
}

outgoing_link core::link_to(const member& other) const {
  return {other.at, {config_.reconnect_min, config_.reconnect_max}, config_.silence_max};
}

void core::become_replica(bool had_right, bool was_learner, const turn& at) {
  if (has_successor()) {
    successor_ = link_to(view_.replicas[position_ + 1]);
    to_tail_ = link_to(view_.replicas.back());
    tend(successor_, at);
    tend(to_tail_, at);
  }
  if (is_tail()) {
    begin_opening(had_right, was_learner, at);
  } else {
    opening_.end();
    stop_feeding();
  }
  at.out.deliver({event::kind::serving, view_.epoch, {}});
  if (managed_ && view_.leases == lease_mode::endless) lease_.hold(at.now, duration::max());
  if (managed_ && view_.leases == lease_mode::timed) ask_lease(at);
}

void core::become_outsider(bool was_listed, const turn& at) {
  opening_.end();
  stop_feeding();
  // Whoever waits for a record here is told to look elsewhere; that says nothing of what becomes of it.
  for (std::uint64_t seq = log_.dropped().seq + 1; seq <= log_.last_seq(); ++seq) {
    for (const asker& who : std::exchange(log_.at(seq).waiting, {})) {
      answer_write(who, reply_status::not_serving, {}, at);
    }
  }
  const bool is_listed = replication::is_replica(view_, config_.self) || replication::is_learner(view_, config_.self);
  if (passive_ && (is_listed || mutant(mutation::reopens_when_dropped))) return become_passive(at);
  const bool learns = is_learner();
  if (removed_) return;
  if (!learns && is_displaced()) {
    removed_ = true;
    return at.out.deliver({event::kind::displaced, view_.epoch, {}});
  }
  if (was_listed && !learns) {
    removed_ = true;
    return at.out.deliver({event::kind::removed, view_.epoch, {}});
  }
  at.out.deliver({learns ? event::kind::learning : event::kind::not_serving, view_.epoch, {}});
  if (!wants_feed()) return;
  to_tail_ = link_to(view_.replicas.back());
  tend(to_tail_, at);
}

void core::serve_waiting_again(const turn& at) {
  for (waiting_read& read : queries_.take_all()) serve_read(std::move(read), strong, {}, at);
  for (held_back_read& held : held_back_.take_all()) serve_read(std::move(held.read), held.level, held.after, at);
  for (const found_read& read : stills_.take_all()) refuse_read(read.who, reply_status::not_serving, at);
}

/// Somebody has taken this node's place who is not one of its earlier lives.
bool core::is_displaced() const noexcept {
  const auto is_later = [&](const member& m) {
    return m.id.node == config_.self.node && m.id.incarnation > config_.self.incarnation;
  };
  return follows_views() && (std::any_of(view_.replicas.begin(), view_.replicas.end(), is_later) ||
                             std::any_of(view_.learners.begin(), view_.learners.end(), is_later));
}

bool core::is_learner() const noexcept {
  return wants_feed() && replication::is_learner(view_, config_.self);
}

// --- R8: opening ---

void core::begin_opening(bool had_right, bool was_learner, const turn& at) {
  const bool left_out = mutant(mutation::no_gate) || (was_learner && mutant(mutation::append_without_gate));
  const bool gated = has_gate(view_) && !left_out;
  opening_.begin(had_right, gated ? at.now + gate_length(view_.lease, view_.drift_ppm) : at.now);
  begin_feeding(at.now);
  awaited_.clear();
  if (!gated) return open(at);
  ++counters_.gates_waited;
  awaited_ = view_.readers;
  std::erase_if(awaited_, [&](const replica_id& reader) { return is_replica(view_, reader); });
  if (mutant(mutation::early_before_adoption) && asking_quiet_) return;
  ask_quiet(at);
}

void core::open(const turn& at) {
  if (!may_open()) return;  // `commit_durable` goes on
  opening_.open();
  tail_opened_ = true;
  if (!mutant(mutation::opens_without_committing)) advance_commit(committable(), at);
}

void core::thaw(const turn& at) {
  opening_.thaw();
  promoting_.reset();
  promote_at_ = at.now + 2 * config_.freeze_max;
  if (opening_.commits()) return advance_commit(committable(), at);
  if (opening_.is_due(at.now)) open(at);
}

// --- questions ---

void core::heard_of(std::uint64_t epoch, const turn& at) {
  if (!managed_ || epoch <= view_.epoch) return;
  heard_epoch_ = std::max(heard_epoch_, epoch);
  if (!reading_) ask_newest(at);
}

void core::ask_newest(const turn& at) {
  reading_ = inquiry{next_question_++, at.now};
  read_at_ = at.now + config_.authority_timeout;
  at.out.ask(authority_read{reading_->id});
}

void core::ask_lease(const turn& at) {
  const question_id id = next_question_++;
  lease_.asked(id, at.now, view_.lease);
  at.out.ask(authority_renew{id, view_.epoch});
}

void core::ask_quiet(const turn& at) {
  asking_quiet_ = inquiry{next_question_++, at.now};
  quiet_at_ = at.now + config_.authority_timeout;
  at.out.ask(
      authority_quiet{asking_quiet_->id, view_.epoch, chosen_in_, gate_length(view_.lease, view_.drift_ppm), awaited_});
}

void core::propose(view next, const turn& at) {
  proposal_ = proposal{.cas = {next_question_++, at.now}};
  ++counters_.proposals;
  if (mutant(mutation::early_before_adoption)) {
    asking_quiet_ = inquiry{next_question_++, at.now};
    quiet_at_ = at.now + config_.authority_timeout;
    at.out.ask(authority_quiet{asking_quiet_->id, next.epoch, {}, gate_length(view_.lease, view_.drift_ppm), {}});
  }
  at.out.ask(authority_cas{proposal_->cas.id, view_.epoch, next});
  if (mutant(mutation::adopts_unchosen)) put_in_force({std::move(next), {}}, at);
}

// --- answers ---

void core::hear(const authority_view& told, const turn& at) {
  if (reading_ && reading_->id == told.id) {
    reading_.reset();
    // Who is in the view hears by its renewals that it changed; everybody else by asking.
    read_at_ = at.now + (position_ == nowhere ? config_.silence_max / 4 : config_.silence_max);
  }
  const view& newest = told.newest.view;
  if (newest.chain != config_.chain || check_view(newest)) return;
  if (newest.epoch > view_.epoch) {
    put_in_force(told.newest, at);
  } else if (newest.epoch == view_.epoch) {
    settle_proposal(told, at);
  }
  const bool is_behind = heard_epoch_ > view_.epoch;
  heard_epoch_ = 0;
  // What was heard of may not have been chosen yet when the question was answered; or it is a lie.
  if (is_behind) read_at_ = std::min(read_at_, at.now + config_.authority_timeout / 4);
}

/// The epoch of a proposal whose fate is unknown is still in force.
void core::settle_proposal(const authority_view& told, const turn& at) {
  if (!proposal_ || !proposal_->unresolved || told.id < proposal_->cas.id) return;
  const bool was_to_promote = promoting_.has_value();
  if (!told.fences && was_to_promote && !mutant(mutation::thaws_unfenced)) {
    // It may still be chosen. Only a newer view ends this, so one is proposed: without the learner.
    const replica_id learner = *promoting_;
    if (auto next = without(view_, {&learner, 1}, tail_opened_)) propose(std::move(*next), at);
    return;
  }
  proposal_.reset();
  propose_at_ = at.now + propose_pause_.next(random_);
  if (was_to_promote) thaw(at);
}

void core::hear(const authority_cas_done& told, const turn& at) {
  if (!proposal_ || proposal_->cas.id != told.id) return;
  if (told.what == authority_cas_done::outcome::unknown || !told.now) {
    proposal_->unresolved = true;
    return ask_newest(at);
  }
  const bool is_newer = told.now->view.epoch > view_.epoch && !check_view(told.now->view);
  if (!is_newer) return;
  if (told.what == authority_cas_done::outcome::chosen && promoting_) ++counters_.learners_promoted;
  propose_pause_.reset();
  put_in_force(*told.now, at);
}

void core::hear(const authority_renewed& told, const turn& at) {
  if (view_.leases == lease_mode::none) return still_told(told, at);
  if (told.yes) return lease_.granted(told.id, view_.lease, at.now);
  if (!reading_) ask_newest(at);
}

void core::hear(const authority_quieted& told, const turn& at) {
  if (!asking_quiet_ || asking_quiet_->id != told.id) return;
  asking_quiet_.reset();
  if (!is_tail() || opening_.is_open()) return;
  if (!told.yes) {
    quiet_at_ = at.now + view_.lease / 4 + duration{1};
    return;
  }
  ++counters_.gates_ended_early;
  opening_.hurry(at.now);
  if (opening_.is_due(at.now)) open(at);
}

/// R8, the early end: whoever begins anew has adopted the view that it tells, and its lease with it is gone.
void core::heard_of_former(const hello& peer, const turn& at) {
  if (!is_tail() || awaited_.empty() || peer.former == 0 || peer.epoch < view_.epoch) return;
  std::erase(awaited_, replica_id{peer.from.node, peer.former});
  if (mutant(mutation::one_confirms_for_all)) awaited_.clear();
  if (!awaited_.empty() || opening_.is_open()) return;
  ++counters_.gates_confirmed;
  opening_.hurry(at.now);
  if (opening_.is_due(at.now)) open(at);
}

// --- time ---

void core::tend_view(const turn& at) {
  if (!managed_) return;
  const bool is_replica = position_ != nowhere;
  if (is_replica && view_.leases == lease_mode::timed && lease_.next_question() <= at.now) ask_lease(at);
  if (proposal_ && !proposal_->unresolved && proposal_->cas.asked_at + config_.authority_timeout <= at.now) {
    proposal_->unresolved = true;
    ask_newest(at);
  }
  if (read_at_ <= at.now) ask_newest(at);
  if (const auto asked = stills_.asked_at(); asked && *asked + config_.authority_timeout <= at.now) stills_.lost();
  if (is_tail() && opening_.is_due(at.now) && !opening_.is_open()) open(at);
  if (is_tail() && !opening_.is_open() && !awaited_.empty() && quiet_at_ <= at.now) ask_quiet(at);
  tend_restart(at);
  tend_promotion(at);
  tend_repair(at);
  tend_lapse(at);
  settle_changes(at);
}

std::optional<time_point> core::next_view_deadline() const {
  if (!managed_) return std::nullopt;
  time_point next = read_at_;
  const auto consider = [&next](std::optional<time_point> when) {
    if (when) next = std::min(next, *when);
  };
  const bool is_replica = position_ != nowhere;
  if (is_replica && view_.leases == lease_mode::timed) consider(lease_.next_question());
  if (proposal_ && !proposal_->unresolved) consider(proposal_->cas.asked_at + config_.authority_timeout);
  if (const auto asked = stills_.asked_at()) consider(*asked + config_.authority_timeout);
  if (is_tail() && !opening_.is_open()) {
    if (!awaited_.empty()) consider(quiet_at_);
    if (!opening_.is_frozen() && may_open()) consider(opening_.opens_at());
  }
  if (opening_.is_frozen() && !proposal_) consider(opening_.frozen_at() + config_.freeze_max);
  if (is_replica) consider(next_look_);
  consider(next_change_deadline());
  consider(lapse_told_at());
  consider(stands_alone_at());
  return next;
}

// --- the state ---

void core::hash_views(detail::state_hash& into, time_point now) const {
  into.add(managed_).add(removed_).add(tail_opened_).add(told_opened_);
  opening_.hash(into, now);
  if (!managed_) return;
  into.add_name(next_question_).add(reading_.has_value()).add(read_at_, now).add(heard_epoch_);
  into.add(asking_quiet_.has_value()).add(quiet_at_, now).add(proposal_.has_value()).add(propose_at_, now);
  if (proposal_) into.add_name(proposal_->cas.id).add(proposal_->cas.asked_at, now).add(proposal_->unresolved);
  into.add(changes_.size()).add(adopted_at_, now).add(tell_lapse_at_, now);
  into.add(next_look_, now).add(promote_at_, now).add(promoting_.has_value()).add(said_to_have_failed_.size());
  for (const node_id& each : said_to_have_failed_) into.add(each);
  if (promoting_) into.add(promoting_->node).add(promoting_->incarnation);
  into.add(former_).add(awaited_.size());
  for (const replica_id& each : awaited_) into.add(each.node).add(each.incarnation);
  for (const accusation& of : missed_) into.add(of.who).add(of.since, now);
  repair_.hash(into, now);
  stills_.hash(into, now);
  backlog_.hash(into);
  into.add(feeds_.size()).add(candidates_.size());
  for (const learner_feed& feed : feeds_) {
    into.add(feed.id.node).add(feed.stream).add(feed.state).add(feed.congested).add(feed.lags).add(feed.next_part);
    into.add(feed.sessions.size())
        .add(feed.objects.size())
        .add(feed.parts_sent)
        .add(feed.parts_taken)
        .add(feed.sent)
        .add(feed.position)
        .add(feed.told)
        .add(feed.synced);
  }
  disk_.hash(into);
  if (disk_.on_disk())
    into.add(last_at_adoption_).add(told_durable_).add(passive_).add(alone_epoch_).add(read_back_).add(alone_at_, now);
  into.add(is_whole_).add(checkpoint_base_.epoch).add(checkpoint_base_.seq);
  into.add(reported_.last.epoch).add(reported_.last.seq).add(reported_.parts).add(parts_taken_);
}

std::uint64_t core::hash_of(const authority_question& asked) const {
  detail::state_hash into;
  into.add(asked.index());
  if (const auto* read = std::get_if<authority_read>(&asked)) {
    into.add(reading_ && reading_->id == read->id).add(proposal_ && proposal_->cas.id <= read->id);
  } else if (const auto* cas = std::get_if<authority_cas>(&asked)) {
    into.add(proposal_ && proposal_->cas.id == cas->id);
  } else if (const auto* renewal = std::get_if<authority_renew>(&asked)) {
    into.add(lease_.awaits(renewal->id)).add(stills_.awaits(renewal->id));
  } else {
    into.add(asking_quiet_ && asking_quiet_->id == std::get<authority_quiet>(asked).id);
  }
  return into.value();
}

}  // namespace artillery::replication
