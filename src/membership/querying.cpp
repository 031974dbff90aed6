// Questions to all members, and what they say to them.
#include <algorithm>

#include "membership/core.hpp"
#include "membership/mutant.hpp"

namespace artillery::membership {
namespace {

std::size_t filter_size(const query_options& options) {
  return size_of(options.tags) + options.members.size() * sizeof(short_name);
}

bool has_all(const tag_map& tags, const tag_map& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto& one) {
    const auto found = tags.find(one.first);
    return found != tags.end() && found->second == one.second;
  });
}

bool is_asked(const question& by, short_name name, const tag_map& tags) {
  if (mutant(mutation::asks_everybody)) return true;
  const bool named = by.members.empty() || std::find(by.members.begin(), by.members.end(), name) != by.members.end();
  return named && has_all(tags, by.tags);
}

/// A longer answer goes by a stream.
std::size_t reply_size_max(const config& config) noexcept {
  return config.datagram_max - detail::datagram_header_size - reply_overhead_max;
}

}  // namespace

std::size_t query_size_max(const config& config, std::string_view topic, const query_options& options) noexcept {
  const std::size_t most = payload_size_max(config, topic);
  const std::size_t taken = question_overhead_max + filter_size(options);
  return most > taken ? most - taken : 0;
}

// ---- asking ----

std::error_code core::query(std::uint64_t call, std::string topic, bytes payload, const query_options& options,
                            time_point now, effects_type& out) {
  if (const auto error = may_say(topic)) return error;
  if (options.timeout < std::chrono::milliseconds{1} || options.timeout > query_timeout_max) {
    return errc::invalid_argument;
  }
  if (filter_size(options) > query_filter_size_max) return errc::too_large;
  if (payload.size() > query_size_max(config_, topic, options)) return errc::too_large;
  if (queries_.open() >= config_.queries_max) return errc::would_overflow;
  auto asks = std::make_shared<question>();
  asks->timeout_ms =
      static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::milliseconds>(options.timeout).count());
  asks->tags = options.tags;
  for (const node_id& id : options.members) asks->members.push_back(shorten(id));
  open_query open{.call = call,
                  .number = user_events_.sent() + 1,
                  .deadline = now + options.timeout,
                  .asked = 0,
                  .heard = {},
                  .answered = {}};
  for (const member_row& row : members_) {
    if (row.present() && is_asked(*asks, row.name(), row.facts->tags)) ++open.asked;
  }
  ++counters_.queries_asked;
  say_own(std::move(topic), std::move(payload), std::move(asks), now, out);
  queries_.ask(std::move(open));
  return {};
}

/// What somebody says to a question of this node's; `payload` is null when it says only that it has it.
void core::take_answer(const member_row& from, std::uint64_t number, const bytes* payload) {
  if (payload != nullptr) ++counters_.answers_received;
  queries_.take(number, from.key, payload);
}

void core::on_reply(const endpoint& from, const reply& m, effects_type& out) {
  if (m.addressee != address_tag(self_.id, self_.boot)) return;
  const member_row* sender = members_.find(m.sender);
  if (sender == nullptr || sender->standing.boot != m.boot || !sender->introduced) {
    ++counters_.dropped_unknown_origin;
    return;  // it says so again
  }
  take_answer(*sender, m.question, m.answers ? &m.payload : nullptr);
  datagram_writer writer = begin_datagram(reply_receipt{.question = m.question, .answers = m.answers});
  send_datagram(from, writer, out);
}

// ---- being asked ----

bool core::is_for_us(const event_record& record) const {
  return record.question == nullptr || is_asked(*record.question, shorten(self_.id), facts_->tags);
}

/// False: it is not told to the application, which has enough to answer.
bool core::hear_query(const membership::query& asked, time_point now) {
  const member_row* asker = members_.find(asked.origin);
  if (phase_ != phase::running || asker == nullptr) return false;
  const bool taken = queries_.hear({.asker = asked.origin,
                                    .boot = asker->standing.boot,
                                    .number = asked.number,
                                    .deadline = now + asked.timeout,
                                    .answer = std::nullopt,
                                    .say_at = now});
  ++(taken ? counters_.queries_heard : counters_.dropped_over_limit);
  return taken;
}

std::error_code core::answer(const node_id& asker_id, std::uint64_t number, bytes payload, time_point now,
                             effects_type& out) {
  if (phase_ == phase::idle) return errc::not_running;
  if (phase_ != phase::running) return errc::has_left;
  if (payload.size() > config_.message_size_max) return errc::too_large;
  heard_query* heard = queries_.find(asker_id, number);
  if (heard == nullptr) return errc::timed_out;
  if (heard->answer) return errc::invalid_argument;
  const member_row* asker = members_.find(asker_id);
  if (asker == nullptr || asker->standing.boot != heard->boot || asker->standing.state == member_state::left) {
    return errc::unknown_member;
  }
  if (payload.size() > reply_size_max(config_)) {
    if (!asker->present()) return errc::unknown_member;
    const auto error = post_to(*asker, {.call = 0,
                                        .number = 0,
                                        .question = number,
                                        .topic = {},
                                        .payload = std::move(payload),
                                        .deadline = heard->deadline,
                                        .said = 0});
    if (error) return error;
    queries_.forget(asker_id, number);
  } else {
    heard->answer = std::move(payload);
    heard->say_at = now;
  }
  ++counters_.answers_sent;
  finish_input(now, out);
  return {};
}

/// After every input: says what is to be said, again where nobody said that it was heard.
void core::tend_queries(time_point now, effects_type& out) {
  queries_.expire(now);
  for (heard_query& q : queries_.heard()) {
    if (!q.say_at || *q.say_at > now) continue;
    q.say_at = now + config_.gossip_interval;
    if (!budget_.allows_events(config_.datagram_max)) continue;
    const member_row* asker = members_.find(q.asker);
    if (asker == nullptr || asker->standing.boot != q.boot || asker->standing.state == member_state::left) {
      q.say_at.reset();
      continue;
    }
    if (!asker->present()) continue;  // it may only be cut off: said once it is back, within the time of its question
    datagram_writer writer = begin_datagram(reply{.sender = shorten(self_.id),
                                                  .boot = self_.boot,
                                                  .addressee = asker->tag(),
                                                  .question = q.number,
                                                  .answers = q.answer.has_value(),
                                                  .payload = q.answer.value_or(bytes{})});
    send_datagram(asker->facts->at, writer, out);
  }
}

void core::on_reply_receipt(const endpoint& from, const reply_receipt& m) {
  const member_row* asker = members_.present_at(from);
  heard_query* heard = asker == nullptr ? nullptr : queries_.find(asker->key, m.question);
  if (heard == nullptr || heard->answer.has_value() != m.answers) return;
  if (m.answers) return queries_.forget(asker->key, m.question);
  heard->say_at.reset();
}

}  // namespace artillery::membership
