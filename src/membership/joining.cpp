// How a node finds its cluster and keeps its view whole: seeds, and full exchanges of state over streams.
#include <algorithm>

#include "base/assert.hpp"
#include "membership/core.hpp"
#include "membership/mutant.hpp"

namespace artillery::membership {
namespace {

/// Members beyond which anti-entropy gets rarer, so that its cost per node grows with the logarithm only.
constexpr std::size_t push_pull_full_rate_members = 32;

/// A generous estimate of an entry's bytes beside its facts' text.
constexpr std::size_t push_pull_entry_size = 80;

std::size_t size_estimate(const facts& f) {
  std::size_t size = push_pull_entry_size + f.name.size();
  for (const auto& [key, value] : f.tags) size += key.size() + value.size() + 4;
  return size;
}

}  // namespace

// ---- seeds ----

std::error_code core::add_seed(const endpoint& at, time_point now, effects_type& out) {
  if (at.none()) return errc::invalid_argument;
  if (phase_ == phase::leaving || phase_ == phase::left) return errc::has_left;
  if (facts_ != nullptr && at == facts_->at) return {};  // this node itself
  const bool known = std::any_of(seeds_.begin(), seeds_.end(), [&](const seed& s) { return s.at == at; });
  if (known) return {};
  if (seeds_.size() >= config_.seeds_max) return errc::would_overflow;
  seeds_.push_back({.at = at, .next_try = now, .wait = config_.seed_retry});
  if (phase_ == phase::running) expire_seeds(now, out);
  return {};
}

void core::expire_seeds(time_point now, effects_type& out) {
  if (phase_ != phase::running) return;
  std::erase_if(seeds_, [&](const seed& s) { return s.at == facts_->at; });
  for (seed& s : seeds_) {
    if (s.next_try > now) continue;
    if (members_.present_at(s.at) != nullptr) {
      // Nothing to find there now; looked at again later, in case it is lost meanwhile.
      s.wait = config_.seed_retry;
      s.next_try = now + config_.seed_retry_max;
      continue;
    }
    const auto jitter = static_cast<duration::rep>(random_.below(static_cast<std::uint64_t>(s.wait.count()) / 4 + 1));
    s.next_try = now + (mutant(mutation::no_seed_retry) ? duration{std::chrono::hours{24}} : s.wait) + duration{jitter};
    s.wait = std::min(s.wait * 2, config_.seed_retry_max);
    const bool trying = std::any_of(streams_.begin(), streams_.end(), [&](const stream& open) {
      return open.purpose == stream_purpose::join && open.peer == s.at;
    });
    if (!trying) open_stream(stream_purpose::join, s.at, now, out);
  }
}

/// Where no stream gets through, a datagram may.
void core::announce_to(const endpoint& to, effects_type& out) {
  datagram_writer writer = begin_datagram(announce{});
  writer.add(own_claim());
  send_datagram(to, writer, out);
}

/// Whoever may not be known is told nothing. One whose word is behind what is known of it is told: that is how it
/// learns what it has to overrule.
bool core::is_admitted(const claim& sender) const {
  return !config_.accept || (members_.find(sender.about) != nullptr && may_be_known(sender));
}

void core::on_announce(const endpoint& from, const items& with, effects_type& out) {
  if (phase_ != phase::running || with.claims.empty() || !is_admitted(with.claims.front())) return;
  datagram_writer writer = begin_datagram(gossip{});
  writer.add(own_claim());
  for (const member_row& row : members_) {
    if (row.standing.state == member_state::alive && !writer.add(claim_about(row))) break;
  }
  send_datagram(from, writer, out);
}

// ---- streams ----

stream* core::open_stream(stream_purpose purpose, const endpoint& to, time_point now, effects_type& out) {
  // What the application waits for is not kept waiting by streams to those who may be dead.
  const bool for_application = purpose == stream_purpose::messages || purpose == stream_purpose::fetch;
  if (streams_.size() >= config_.streams_max * (for_application ? 3 : 2)) {
    ++counters_.dropped_over_limit;
    return nullptr;
  }
  const std::uint64_t number = next_stream_;
  next_stream_ += 2;
  const bool joining = members_.present() == 0;
  if (joining) introducer_ = 0;
  streams_.push_back({.number = number,
                      .purpose = purpose,
                      .peer = to,
                      .deadline = now + config_.stream_timeout,
                      .joining = joining,
                      .introduces = joining});
  out.open(number, to);
  return &streams_.back();
}

void core::link(const connection& which, link_state state, time_point now, effects_type& out) {
  // Whoever connects to one that has left is not to wait for it.
  if (phase_ == phase::left && state == link_state::up) return out.close(which.number);
  if (!active() || !which.is_stream) return;
  note_pause(now, out);
  const auto found =
      std::find_if(streams_.begin(), streams_.end(), [&](const stream& s) { return s.number == which.number; });
  if (state == link_state::down) {
    if (found == streams_.end()) return;
    const stream lost = *found;
    streams_.erase(found);
    if (lost.purpose == stream_purpose::ping && !lost.up) hear_refusal(lost.peer, now);
    if (lost.purpose == stream_purpose::join && !lost.greeted && phase_ == phase::running) announce_to(lost.peer, out);
  } else if (state == link_state::up && found == streams_.end()) {
    const auto served = std::count_if(streams_.begin(), streams_.end(),
                                      [](const stream& s) { return s.purpose == stream_purpose::serve; });
    if (which.outgoing() || static_cast<std::size_t>(served) >= config_.streams_max) {
      ++counters_.dropped_over_limit;
      out.close(which.number);
      return;
    }
    streams_.push_back({.number = which.number,
                        .purpose = stream_purpose::serve,
                        .peer = which.peer,
                        .deadline = now + config_.stream_timeout,
                        .up = true});
  } else if (state == link_state::up) {
    found->up = true;
    const auto ask = [&](std::uint32_t sequence, std::uint32_t addressee) {
      send_frame(
          *found,
          ping{.sequence = sequence, .addressee = addressee, .sender = shorten(self_.id), .digests = own_digests()},
          out);
    };
    const member_row* partner = members_.present_at(found->peer);
    if (found->purpose == stream_purpose::messages || found->purpose == stream_purpose::fetch) {
      found->deadline = now + config_.stream_timeout;  // what is to be said is said at the end of this input
    } else if (found->purpose == stream_purpose::ping) {
      if (probe_ && !probe_->answered && probe_->at == found->peer) {
        ask(probe_->sequence, probe_->addressee);
      } else {
        end_stream(found->number, out);
      }
    } else if (found->purpose == stream_purpose::compare && partner != nullptr) {
      ask(++last_sequence_, partner->tag());
    } else {
      ++counters_.push_pulls;
      send_state(*found, false, out);
    }
  }
  finish_input(now, out);
}

void core::end_stream(std::uint64_t number, effects_type& out) {
  std::erase_if(streams_, [&](const stream& s) { return s.number == number; });
  out.close(number);
}

void core::expire_streams(time_point now, effects_type& out) {
  std::vector<stream> late;
  for (const stream& s : streams_) {
    if (s.deadline <= now) late.push_back(s);
  }
  for (const stream& s : late) {
    end_stream(s.number, out);
    if (s.purpose == stream_purpose::join && !s.greeted && phase_ == phase::running) announce_to(s.peer, out);
  }
}

void core::send_frame(stream& to, const message_body& body, effects_type& out) {
  write_frame(buffer_, cluster_, !to.spoken, body);
  to.spoken = true;
  ++counters_.frames_sent;
  out.network_effects::send(connection::stream(to.number, to.peer), buffer_);
}

void core::receive_frame(const connection& from, bytes_view frame, time_point now, effects_type& out) {
  const auto found =
      std::find_if(streams_.begin(), streams_.end(), [&](const stream& s) { return s.number == from.number; });
  if (found == streams_.end()) return;  // given up here
  ++counters_.frames_received;
  auto read = read_frame(frame, cluster_, !found->greeted);
  if (read.error) {
    drop(read.error);
    return end_stream(from.number, out);
  }
  found->greeted = true;
  packet& m = read.value;
  if (auto* exchange = std::get_if<push_pull>(&m.body)) return on_push_pull(from.number, *exchange, now, out);
  if (const auto* p = std::get_if<ping>(&m.body); p != nullptr && found->purpose == stream_purpose::serve) {
    if (p->addressee == address_tag(self_.id, self_.boot)) {
      send_frame(*found, ack{p->sequence, own_digests()}, out);
    } else {
      send_frame(*found, stranger{p->sequence}, out);
    }
    return;
  }
  if (const auto* d = std::get_if<direct>(&m.body); d != nullptr && found->purpose == stream_purpose::serve) {
    return on_direct(*found, *d, now, out);
  }
  if (const auto* r = std::get_if<receipt>(&m.body); r != nullptr && found->purpose == stream_purpose::messages) {
    return on_receipt(*found, *r, now, out);
  }
  if (const auto* q = std::get_if<event_request>(&m.body); q != nullptr && found->purpose == stream_purpose::serve) {
    return on_event_request(*found, *q, now, out);
  }
  if (std::holds_alternative<event_reply>(m.body) && found->purpose == stream_purpose::fetch) {
    const endpoint peer = found->peer;
    return on_event_reply(from.number, m.items, peer, now, out);
  }
  if (found->purpose == stream_purpose::ping && probe_ && probe_->at == found->peer) {
    const auto* a = std::get_if<ack>(&m.body);
    const auto* s = std::get_if<stranger>(&m.body);
    const endpoint peer = found->peer;
    end_stream(from.number, out);
    if (a != nullptr) on_ack(peer, *a, now, out);
    if (s != nullptr) on_stranger(peer, *s, now, out);
    return;
  }
  if (const auto* b = std::get_if<view_buckets>(&m.body);
      b != nullptr && (found->purpose == stream_purpose::serve || found->purpose == stream_purpose::compare)) {
    return on_view_buckets(*found, *b, out);
  }
  if (found->purpose == stream_purpose::compare) {
    // Whoever else listens there has a view, too.
    const auto* a = std::get_if<ack>(&m.body);
    if (a != nullptr || std::holds_alternative<stranger>(m.body)) {
      return on_compared(from.number, a == nullptr ? membership::digests{} : a->digests, now, out);
    }
  }
  end_stream(from.number, out);  // nothing that belongs here, or too late
}

// ---- push-pull ----

/// While it is, others' words move the beginnings of what it counts.
bool core::is_introduced_now() const {
  return std::any_of(streams_.begin(), streams_.end(), [](const stream& s) { return s.introduces; });
}

/// Whoever knows so many and is not being introduced begins with what a member's own facts say that it has sent.
bool core::counts_from_facts(std::size_t known) const {
  return members_.present() >= known && !is_introduced_now();
}

/// Whom a stream goes to was a member here when so many events had been sent: all later ones are for it.
std::uint64_t core::sent_before(const stream& to) const {
  const member_row* partner = to.who.none() ? members_.present_at(to.peer) : members_.find(to.who);
  const bool known = partner != nullptr && partner->present() && !mutant(mutation::answers_as_of_now);
  return known ? partner->sent_before : user_events_.sent();
}

void core::send_state(stream& to, bool answer, effects_type& out) {
  push_pull part{.joining = to.joining && !answer,
                 .answer = answer,
                 .last = false,
                 .before_you = 0,
                 .buckets = to.buckets,
                 .entries = {}};
  // Whoever joins is to be told some events again: it is said to be as far as before them.
  const bool replays = answer && to.joining && config_.events_replayed > 0 && !mutant(mutation::no_replay);
  const auto replayed =
      replays ? user_events_.bases_before_last(config_.events_replayed) : std::map<std::uint64_t, std::uint64_t>{};
  const auto base_for = [&](short_name origin, std::uint64_t base) {
    const auto found = replayed.find(origin.value);
    return found == replayed.end() ? base : std::min(base, found->second);
  };
  part.before_you = base_for(shorten(self_.id), sent_before(to));
  part.entries.push_back({own_claim(), user_events_.sent(), true});
  const bool settled = !is_introduced_now();
  std::size_t size = size_estimate(*facts_);
  for (const member_row& row : members_) {
    if ((to.buckets >> bucket_of(row.name()) & 1U) == 0) continue;
    if (size >= push_pull_frame_size) {
      send_frame(to, part, out);
      part.entries.clear();
      size = 0;
    }
    push_pull_entry entry{claim_about(row), base_for(row.name(), user_events_.base_of(row.key)), row.due || settled};
    entry.claim.facts = row.facts;
    size += size_estimate(*row.facts);
    part.entries.push_back(std::move(entry));
  }
  part.last = true;
  send_frame(to, part, out);
}

/// Entries are worth their bytes only where views differ: an exchange of two that agree costs the same however many
/// members there are, and of two that differ in a few members as much as the buckets of these.
void core::on_compared(std::uint64_t number, const membership::digests& theirs, time_point now, effects_type& out) {
  const auto found =
      std::find_if(streams_.begin(), streams_.end(), [&](const stream& s) { return s.number == number; });
  if (theirs.view != own_digests().view) {
    if (members_.size() > exchange_whole_max) {
      return send_frame(*found, view_buckets{shorten(self_.id), own_buckets()}, out);
    }
    ++counters_.push_pulls;
    found->purpose = stream_purpose::exchange;
    return send_state(*found, false, out);
  }
  const endpoint peer = found->peer;
  end_stream(number, out);
  compare(theirs, peer, now, out);
}

void core::on_view_buckets(stream& by, const view_buckets& m, effects_type& out) {
  if (by.purpose == stream_purpose::serve) {
    return send_frame(by, view_buckets{shorten(self_.id), own_buckets()}, out);
  }
  by.buckets = differing(m.sums);
  if (by.buckets == 0) return end_stream(by.number, out);  // what differed has come meanwhile
  ++counters_.push_pulls;
  by.purpose = stream_purpose::exchange;
  send_state(by, false, out);
}

void core::on_push_pull(std::uint64_t number, push_pull& m, time_point now, effects_type& out) {
  const auto find = [&] {
    return std::find_if(streams_.begin(), streams_.end(), [&](const stream& s) { return s.number == number; });
  };
  const bool serving = find()->purpose == stream_purpose::serve;
  if (serving) {
    find()->joining = m.joining;
    find()->buckets = m.buckets;
  }
  const bool joining = find()->joining;
  if (joining && !serving && introducer_ == 0) introducer_ = number;
  const path how = introducer_ == number ? path::introduction : path::exchange;
  const bool foreign = find()->purpose == stream_purpose::ping || find()->purpose == stream_purpose::messages ||
                       find()->purpose == stream_purpose::fetch;
  if (m.answer == serving || foreign) return end_stream(number, out);
  // The sender comes first of all, in its first part.
  if (!find()->introduced && !m.entries.empty()) {
    find()->introduces |= members_.present() == 0;
    const claim& sender = m.entries.front().claim;
    apply(sender, how, now, out);
    if (!is_admitted(sender)) return end_stream(number, out);
    find()->introduced = true;
    find()->who = sender.about;
  }
  const bool introduces = is_introduced_now();
  const node_id speaks = find()->who;
  for (const push_pull_entry& entry : m.entries) {
    apply(entry.claim, how, now, out);
    learn_base(entry, entry.claim.about == speaks ? m.before_you : entry.events_base, introduces, now);
  }
  if (!m.last) return;
  // Applying the claims may have opened streams: the place is looked up again.
  const auto current = find();
  if (current == streams_.end()) return;
  if (!serving) return end_stream(number, out);
  if (phase_ == phase::running) return send_state(*current, true, out);
  end_stream(number, out);
}

/// How far an origin is. A newcomer begins there, at `base`; but once somebody has told it who knows, no later word
/// moves that: what was said meanwhile is for the newcomer.
void core::learn_base(const push_pull_entry& entry, std::uint64_t base, bool introduces, time_point now) {
  const claim& c = entry.claim;
  if (c.about == self_.id && c.boot == self_.boot) user_events_.raise_sent(entry.events_base);
  member_row* row = members_.find(c.about);
  if (row == nullptr || row->standing.boot != c.boot) return;
  if (!user_events_.may_have_sent(*row, base)) {
    ++counters_.refused_forged;
    return;
  }
  const bool firm = entry.firm || mutant(mutation::believes_any_beginning);
  const bool lower = row->introduced && (firm || config_.events_replayed > 0);
  const bool moves =
      !row->due || mutant(mutation::moves_the_beginning) || (lower && base < user_events_.base_of(c.about));
  if (!row->introduced || (introduces && moves)) {
    user_events_.adopt_base(c.about, c.boot, base, lower, now);
    row->due |= firm;
  }
  if (!row->introduced || mutant(mutation::no_digest_repair)) return;
  user_events_.hear_of(*row, {.origin = shorten(c.about), .boot = c.boot, .base = entry.events_base}, now);
}

duration core::push_pull_interval() const noexcept {
  duration interval = config_.push_pull_interval;
  for (std::size_t n = push_pull_full_rate_members; n < members_.present(); n *= 2)
    interval += config_.push_pull_interval;
  return interval;
}

void core::exchange_periodically(time_point now, effects_type& out) {
  push_pull_at_ = now + push_pull_interval();
  const auto partner = members_.draw_alive(1, self_.id, random_);
  if (!partner.empty()) open_stream(stream_purpose::compare, partner.front()->facts->at, now, out);
}

}  // namespace artillery::membership
