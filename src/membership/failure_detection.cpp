// Who answers: probes, direct, through others and over TCP (SWIM, section 3.1; Lifeguard's nacks and local health).
#include <algorithm>

#include "membership/core.hpp"
#include "membership/mutant.hpp"

namespace artillery::membership {
namespace {

/// A helper says "no answer" when so much of what the asker's patience had left is used up: in time to be heard.
constexpr int nack_at_percent = 80;
/// Every so many attempts to reach a failed member go over TCP.
constexpr std::uint32_t reconnects_per_exchange = 4;
/// Those who failed long ago are tried so much more seldom, each time by an exchange, too.
constexpr std::uint32_t rounds_between_searches = 3 * reconnects_per_exchange;

}  // namespace

void core::expire_probes(time_point now, effects_type& out) {
  if (probe_ && !probe_->answered && !probe_->asked && probe_->timeout_at <= now) ask_helpers(now, out);
  if (probe_ && !probe_->answered && probe_->given_up_at && *probe_->given_up_at <= now) {
    probe_->given_up_at.reset();
    suspect_probed(*probe_, now, out);
  }
  if (!probe_at_ || *probe_at_ > now) return;
  end_probe(now, out);
  start_probe(now, out);
}

void core::start_probe(time_point now, effects_type& out) {
  const duration interval = awareness_.scale(config_.probe_interval);
  probe_at_ = now + interval;
  checks_.clear();  // what was not answered in a whole interval is not waited for
  const member_row* target = ring_.next(members_, random_);
  if (target == nullptr) return;
  ++counters_.probes;
  // The longer timeout of an unwell node leaves its helpers time, too.
  const duration patience = target->round_trip.patience(config_.probe_timeout);
  const duration timeout = std::min(awareness_.scale(patience), interval - interval / 4);
  probe_ = probe{.sequence = ++last_sequence_,
                 .target = target->key,
                 .addressee = target->tag(),
                 .incarnation = target->standing.incarnation,
                 .at = target->facts->at,
                 .sent_at = now,
                 .timeout_at = now + timeout,
                 .given_up_at = {},
                 .helpers = {}};
  send_ping(probe_->at, probe_->sequence, probe_->addressee, target, out);
}

void core::ask_helpers(time_point now, effects_type& out) {
  probe_->asked = true;
  ++counters_.probes_indirect;
  const member_row* target = members_.find(probe_->target);
  if (target == nullptr || !probe_at_) return;
  const duration left = std::max(*probe_at_ - now, duration::zero());
  const ping_request request{
      .sequence = probe_->sequence,
      .target = target->name(),
      .addressee = probe_->addressee,
      .left_ms = static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::milliseconds>(left).count())};
  for (const member_row* helper : members_.draw_alive(config_.indirect_probes, target->key, random_)) {
    probe_->helpers.push_back(helper->facts->at);
    datagram_writer writer = begin_datagram(request);
    piggyback(writer, 1);
    send_datagram(helper->facts->at, writer, out);
  }
  if (stream* over_tcp = open_stream(stream_purpose::ping, probe_->at, now, out)) over_tcp->deadline = *probe_at_;
}

void core::end_probe(time_point now, effects_type& out) {
  if (!probe_) return;
  const probe ended = *std::exchange(probe_, std::nullopt);
  if (ended.answered) return;
  ++counters_.probes_unanswered;
  // Helpers that say nothing at all hint that it is this node that is not heard (Lifeguard, section IV.A).
  const auto silent = static_cast<std::uint32_t>(ended.helpers.size()) - ended.nacks;
  awareness_.worse(ended.helpers.empty() ? 1 : silent);
  suspect_probed(ended, now, out);
}

void core::suspect_probed(const probe& what, time_point now, effects_type& out) {
  const member_row* row = members_.find(what.target);
  if (row == nullptr || row->tag() != what.addressee || row->standing.incarnation != what.incarnation) return;
  suspect(node_id{what.target}, now, out);
}

/// A stream to whoever is probed was refused: as far as this node can see no process listens there. Its helpers get
/// the time in which two of its answers would have come, not the whole interval.
void core::hear_refusal(const endpoint& by, time_point now) {
  if (!probe_ || probe_->answered || !probe_->asked || probe_->at != by) return;
  probe_->given_up_at = now + 2 * (probe_->timeout_at - probe_->sent_at);
}

/// Answers that come over TCP or by a helper tell nothing of it.
void core::measure_round_trip(const endpoint& from, const ack& m, time_point now) {
  if (!probe_ || probe_->timed || probe_->sequence != m.sequence || probe_->at != from) return;
  probe_->timed = true;
  member_row* row = members_.find(probe_->target);
  if (row == nullptr || row->tag() != probe_->addressee) return;
  row->round_trip.measure(now - probe_->sent_at);
  ++round_trips_;
  hear_observed(*row, m.seen_at);
}

void core::send_ping(const endpoint& to, std::uint32_t sequence, std::uint32_t addressee, const member_row* suspect,
                     effects_type& out) {
  datagram_writer writer = begin_datagram(
      ping{.sequence = sequence, .addressee = addressee, .sender = shorten(self_.id), .digests = own_digests()});
  // Lifeguard's buddy: the first to hear of a suspicion is the suspect.
  const bool told =
      suspect != nullptr && suspect->standing.state != member_state::alive && writer.add(claim_about(*suspect));
  piggyback(writer, 1, told ? suspect->key : node_id{});
  send_datagram(to, writer, out);
}

/// One ping now, beside the regular probe.
void core::check_on(const member_row& row, effects_type& out) {
  if (checks_.size() >= checks_max) {
    ++counters_.dropped_over_limit;
    return;
  }
  checks_.push_back({.sequence = ++last_sequence_, .target = row.key, .addressee = row.tag(), .at = row.facts->at});
  send_ping(row.facts->at, last_sequence_, row.tag(), &row, out);
}

/// While it leaves, a node tells a few others so by pings of their own until one of them is answered.
void core::say_farewell(time_point now, effects_type& out) {
  farewell_at_.reset();
  if (phase_ != phase::leaving || farewell_heard_) return;
  farewell_at_ = now + config_.gossip_interval;
  std::vector<const member_row*> present;
  for (const member_row& row : members_) {
    if (row.present()) present.push_back(&row);
  }
  random_.shuffle(present);
  present.resize(std::min<std::size_t>(present.size(), config_.gossip_fanout));
  for (const member_row* row : present) {
    if (checks_.size() >= checks_max) checks_.erase(checks_.begin());
    checks_.push_back({.sequence = ++last_sequence_,
                       .target = row->key,
                       .addressee = row->tag(),
                       .at = row->facts->at,
                       .farewell = true});
    datagram_writer writer = begin_datagram(ping{
        .sequence = last_sequence_, .addressee = row->tag(), .sender = shorten(self_.id), .digests = own_digests()});
    const bool told = writer.add(own_claim());
    piggyback(writer, 1, told ? self_.id : node_id{});
    send_datagram(row->facts->at, writer, out);
  }
}

/// Whoever still asks after a node that has left is told so, as long as its process is there.
void core::answer_as_gone(const connection& from, bytes_view datagram, effects_type& out) {
  ++counters_.datagrams_received;
  const auto read = read_datagram(datagram, cluster_);
  if (read.error) return drop(read.error);
  const auto* asked = std::get_if<ping>(&read.value.body);
  if (asked == nullptr) return;
  const bool meant = asked->addressee == address_tag(self_.id, self_.boot);
  datagram_writer writer =
      meant ? begin_datagram(ack{asked->sequence, own_digests()}) : begin_datagram(stranger{asked->sequence});
  writer.add(own_claim());
  send_datagram(from.peer, writer, out);
}

void core::on_ping(const endpoint& from, const ping& m, time_point now, effects_type& out) {
  if (m.addressee != address_tag(self_.id, self_.boot) && !mutant(mutation::answers_for_anybody)) {
    datagram_writer writer = begin_datagram(stranger{m.sequence});
    writer.add(own_claim());
    return send_datagram(from, writer, out);
  }
  const member_row* sender = members_.find(m.sender);
  const bool as_said = sender == nullptr || sender->facts->at == from;
  datagram_writer writer =
      begin_datagram(ack{.sequence = m.sequence, .digests = own_digests(), .seen_at = as_said ? endpoint{} : from});
  // Whoever is held for suspect or dead here should know.
  const bool told =
      sender != nullptr && sender->standing.state != member_state::alive && writer.add(claim_about(*sender));
  piggyback(writer, 1, told ? sender->key : node_id{});
  send_datagram(from, writer, out);
  if (sender != nullptr) compare(m.digests, from, now, out);
}

void core::on_ack(const endpoint& from, const ack& m, time_point now, effects_type& out) {
  if (mutant(mutation::any_ack_counts) && probe_) probe_->answered = true;
  const auto asked_for = std::find_if(relays_.begin(), relays_.end(),
                                      [&](const relay& r) { return r.sequence == m.sequence && r.target == from; });
  if (asked_for != relays_.end()) {
    datagram_writer writer = begin_datagram(ack{asked_for->asker_sequence, own_digests()});
    piggyback(writer, 1);
    const endpoint asker = asked_for->asker;
    relays_.erase(asked_for);
    return send_datagram(asker, writer, out);
  }
  const auto checked = std::find_if(checks_.begin(), checks_.end(),
                                    [&](const check& c) { return c.sequence == m.sequence && c.at == from; });
  if (checked != checks_.end()) {
    // One that has left itself says so in its answer, and passes nothing on.
    const member_row* row = members_.find(checked->target);
    farewell_heard_ |= checked->farewell && row != nullptr && row->present();
    return compare(m.digests, from, now, out);
  }
  if (!probe_ || probe_->answered || probe_->sequence != m.sequence) return;
  const bool direct = probe_->at == from;
  const bool helped = std::find(probe_->helpers.begin(), probe_->helpers.end(), from) != probe_->helpers.end();
  if (!direct && !helped) return;
  probe_->answered = true;
  if (!probe_->asked) awareness_.better();
  compare(m.digests, from, now, out);
}

void core::on_ping_request(const endpoint& from, const ping_request& m, time_point now, effects_type& out) {
  const member_row* target = members_.find(m.target);
  const bool full = relays_.size() >= relays_max && !mutant(mutation::unbounded_relays);
  if (target == nullptr || full) {
    ++counters_.dropped_over_limit;
    datagram_writer writer = begin_datagram(nack{m.sequence});
    return send_datagram(from, writer, out);
  }
  const duration left =
      std::min<duration>(std::chrono::milliseconds{m.left_ms}, awareness_.scale(config_.probe_interval));
  relays_.push_back({.sequence = ++last_sequence_,
                     .target = target->facts->at,
                     .asker = from,
                     .asker_sequence = m.sequence,
                     .nack_at = now + left * nack_at_percent / 100,
                     .ends_at = now + left});
  send_ping(target->facts->at, last_sequence_, m.addressee, target, out);
}

void core::expire_relays(time_point now, effects_type& out) {
  for (relay& r : relays_) {
    if (r.nacked || r.nack_at > now) continue;
    r.nacked = true;
    datagram_writer writer = begin_datagram(nack{r.asker_sequence});
    send_datagram(r.asker, writer, out);
  }
  std::erase_if(relays_, [&](const relay& r) { return r.nacked && r.ends_at <= now; });
}

void core::on_nack(const endpoint& from, const nack& m) {
  if (!probe_ || probe_->sequence != m.sequence) return;
  const auto helper = std::find(probe_->helpers.begin(), probe_->helpers.end(), from);
  if (helper == probe_->helpers.end()) return;
  ++probe_->nacks;
  // Each helper counts once; it may still come up with an answer.
  if (probe_->nacks > probe_->helpers.size()) probe_->nacks = static_cast<std::uint32_t>(probe_->helpers.size());
}

/// Another process answers at the address of the one that was pinged, so that one is gone.
void core::on_stranger(const endpoint& from, const stranger& m, time_point now, effects_type& out) {
  node_id gone;
  std::uint32_t addressee = 0;
  if (probe_ && probe_->sequence == m.sequence && probe_->at == from) {
    gone = probe_->target;
    addressee = probe_->addressee;
    probe_->answered = true;  // by a process that lives; nothing to suspect
  }
  for (const check& c : checks_) {
    if (c.sequence != m.sequence || c.at != from) continue;
    gone = c.target;
    addressee = c.addressee;
  }
  const member_row* row = gone.none() ? nullptr : members_.find(gone);
  // A later life of the same member has introduced itself in this very message, and its tag is another.
  if (row != nullptr && row->present() && row->tag() == addressee) declare_failed(gone, now, out);
}

/// Tries one of the failed again: it may have been the network.
void core::reconnect(time_point now, effects_type& out) {
  reconnect_at_.reset();
  std::vector<const member_row*> failed_ones = members_.gone_rows();
  const bool searches = ++reconnect_round_ % rounds_between_searches == 0;
  std::erase_if(failed_ones, [searches](const member_row* row) {
    return row->standing.state != member_state::failed || row->buried != searches;
  });
  if (failed_ones.empty() || mutant(mutation::no_reconnect)) return;
  const member_row& row = *failed_ones[static_cast<std::size_t>(random_.below(failed_ones.size()))];
  if (members_.present() == 0) checks_.clear();  // with nobody to probe, nothing else does
  check_on(row, out);
  if (reconnect_round_ % reconnects_per_exchange == 0) {
    open_stream(stream_purpose::exchange, row.facts->at, now, out);
  }
}

}  // namespace artillery::membership
