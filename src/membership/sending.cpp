// What one member says to another alone: best effort by a datagram, reliably by frames with receipts.
#include <algorithm>

#include "membership/core.hpp"
#include "membership/mutant.hpp"

namespace artillery::membership {

std::size_t datagram_message_size_max(const config& config, std::string_view topic) noexcept {
  const std::size_t taken = detail::datagram_header_size + direct_overhead_max + topic.size();
  return config.datagram_max > taken ? config.datagram_max - taken : 0;
}

std::error_code core::send(std::uint64_t call, const node_id& to, std::string topic, bytes payload,
                           const send_options& how, time_point now, effects_type& out) {
  if (phase_ == phase::idle) return errc::not_running;
  if (phase_ != phase::running) return errc::has_left;
  if (topic.size() > topic_size_max || to == self_.id) return errc::invalid_argument;
  const bool reliable = how.delivery == delivery::reliable;
  if (payload.size() > (reliable ? config_.message_size_max : datagram_message_size_max(config_, topic))) {
    return errc::too_large;
  }
  const member_row* row = members_.find(to);
  if (row == nullptr || !row->present()) return errc::unknown_member;
  if (reliable) {
    const auto error = post_to(*row, {.call = call,
                                      .number = 0,
                                      .question = 0,
                                      .topic = std::move(topic),
                                      .payload = std::move(payload),
                                      .deadline = now + std::max(how.timeout, duration::zero()),
                                      .said = 0});
    if (error) return error;
  } else {
    budget_.refill(now);
    if (!budget_.allows_events(config_.datagram_max)) return errc::would_overflow;
    const std::uint64_t number = ++messages_.with(to, row->standing.boot).datagrams_sent;
    datagram_writer writer = begin_datagram(direct_to(*row, number, 0, std::move(topic), payload));
    piggyback(writer, 1);
    send_datagram(row->facts->at, writer, out);
    messages_.end(call, {});
  }
  ++counters_.messages_sent;
  finish_input(now, out);
  return {};
}

/// Takes on what is to be said by a stream.
std::error_code core::post_to(const member_row& row, waiting_message what) {
  correspondence& with = messages_.with(row.key, row.standing.boot);
  const bool window_full =
      !with.waiting.empty() && with.frames_sent + 1 - with.waiting.front().number >= message_window;
  if (window_full || messages_.waiting() >= config_.messages_max ||
      messages_.waiting_bytes() + what.payload.size() > config_.messages_bytes_max) {
    return errc::would_overflow;
  }
  messages_.post(with, std::move(what));
  return {};
}

direct core::direct_to(const member_row& to, std::uint64_t number, std::uint64_t question, std::string topic,
                       bytes payload) const {
  return {.sender = shorten(self_.id),
          .boot = self_.boot,
          .addressee = to.tag(),
          .number = number,
          .question = question,
          .topic = std::move(topic),
          .payload = std::move(payload)};
}

/// After every input, whatever it was: ends what cannot arrive any more, and says what can be said.
void core::tend_messages(time_point now, effects_type& out) {
  messages_.expire(now);
  for (const node_id& id : messages_.busy()) {
    correspondence& with = *messages_.find(id);
    const member_row* row = members_.find(id);
    if (row == nullptr || !row->present() || row->standing.boot != with.boot) {
      messages_.give_up(with, errc::unknown_member);
    }
    const bool lost = with.stream != 0 && std::none_of(streams_.begin(), streams_.end(),
                                                       [&](const stream& s) { return s.number == with.stream; });
    if (lost) {
      with.stream = 0;
      with.unheard = 0;
      with.retry_at = now + (mutant(mutation::no_message_retry) ? query_timeout_max : config_.gossip_interval);
    }
    if (!with.waiting.empty()) speak(with, *row, now, out);
  }
}

void core::speak(correspondence& with, const member_row& to, time_point now, effects_type& out) {
  if (with.stream == 0) {
    if (with.retry_at && now < *with.retry_at) return;
    const stream* opened = open_stream(stream_purpose::messages, to.facts->at, now, out);
    with.retry_at.reset();
    if (opened == nullptr) with.retry_at = now + config_.gossip_interval;
    if (opened != nullptr) with.stream = opened->number;
    return;
  }
  const auto by =
      std::find_if(streams_.begin(), streams_.end(), [&](const stream& s) { return s.number == with.stream; });
  if (!by->up) return;
  std::size_t unheard_bytes = 0;
  for (std::size_t i = 0; i < with.unheard; ++i) unheard_bytes += with.waiting[i].payload.size();
  while (with.unheard < with.waiting.size()) {
    waiting_message& next = with.waiting[with.unheard];
    unheard_bytes += next.payload.size();
    if (with.unheard > 0 && unheard_bytes > message_bytes_unheard_max) return;
    ++next.said;
    ++with.unheard;
    write_direct_head(buffer_, cluster_, !by->spoken,
                      direct_to(to, next.number, next.question, next.topic, next.payload));
    by->spoken = true;
    by->deadline = now + config_.stream_timeout;
    ++counters_.frames_sent;
    out.send(connection::stream(by->number, by->peer), buffer_, {&next.payload, 1});
  }
}

/// What becomes of a message that came here.
verdict core::take_message(const direct& m, bool by_stream, std::uint64_t& highest, effects_type& out) {
  if (phase_ != phase::running || m.addressee != address_tag(self_.id, self_.boot)) return verdict::not_addressee;
  const member_row* sender = members_.find(m.sender);
  if (sender == nullptr || sender->standing.boot != m.boot || !sender->introduced) {
    ++counters_.dropped_unknown_origin;
    return mutant(mutation::receipts_unseen) ? verdict::taken : verdict::unknown_sender;
  }
  correspondence& with = messages_.with(sender->key, m.boot);
  seen_numbers& seen = by_stream ? with.frames_seen : with.datagrams_seen;
  const seen_numbers::sight sight = seen.see(m.number);
  highest = seen.highest();
  if (sight == seen_numbers::sight::out_of_range) {
    ++counters_.refused_forged;
    return verdict::renumber;
  }
  if (sight == seen_numbers::sight::seen) {
    ++counters_.messages_duplicate;
    return verdict::taken;
  }
  if (m.question != 0) {
    take_answer(*sender, m.question, &m.payload);
    return verdict::taken;
  }
  ++counters_.messages_received;
  out.deliver(message{sender->key, m.topic, m.payload});
  return verdict::taken;
}

void core::on_direct(const endpoint& from, const direct& m, effects_type& out) {
  std::uint64_t highest = 0;
  if (take_message(m, false, highest, out) != verdict::renumber) return;
  datagram_writer writer = begin_datagram(receipt{m.number, verdict::renumber, highest});
  send_datagram(from, writer, out);
}

void core::on_direct(stream& by, const direct& m, time_point now, effects_type& out) {
  std::uint64_t highest = 0;
  const verdict what = take_message(m, true, highest, out);
  by.deadline = now + config_.stream_timeout;
  send_frame(by, receipt{m.number, what, highest}, out);
  // What comes behind one that was not taken would overtake it.
  if (what != verdict::taken) end_stream(by.number, out);
}

/// Of a datagram: its numbers here are no use to the other.
void core::on_receipt(const endpoint& from, const receipt& m) {
  const member_row* row = members_.present_at(from);
  correspondence* with = row == nullptr ? nullptr : messages_.find(row->key);
  if (with != nullptr && with->boot == row->standing.boot && m.verdict == verdict::renumber) {
    with->datagrams_sent = m.highest;
  }
}

void core::on_receipt(stream& by, const receipt& m, time_point now, effects_type& out) {
  by.deadline = now + config_.stream_timeout;
  const std::uint64_t number = by.number;
  correspondence* with = messages_.on_stream(number);
  if (with == nullptr) return end_stream(number, out);
  switch (m.verdict) {
    case verdict::taken:
      messages_.finish(*with, m.number, {});
      // The other accepts a limited number of streams.
      if (with->waiting.empty()) by.deadline = now + config_.gossip_interval;
      return;
    case verdict::not_addressee: messages_.deny(*with, m.number); break;
    case verdict::renumber: messages::renumber(*with, m.highest); break;
    case verdict::unknown_sender: break;
  }
  end_stream(number, out);
}

}  // namespace artillery::membership
