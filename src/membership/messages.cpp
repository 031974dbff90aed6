#include "membership/messages.hpp"

#include <algorithm>

#include "membership/mutant.hpp"

namespace artillery::membership {

// ---- at most once ----

seen_numbers::sight seen_numbers::see(std::uint64_t number) noexcept {
  const auto word = [&](std::uint64_t n) -> std::uint64_t& { return seen_[n % message_window / 64]; };
  const auto bit = [](std::uint64_t n) { return std::uint64_t{1} << n % 64; };
  if (number > highest_) {
    if (number - highest_ > message_jump_max) return sight::out_of_range;
    const std::uint64_t skipped = std::min(number - highest_, message_window);
    for (std::uint64_t i = 0; i < skipped; ++i) word(number - i) &= ~bit(number - i);
    highest_ = number;
  } else if (highest_ - number >= message_window) {
    return sight::out_of_range;
  } else if ((word(number) & bit(number)) != 0) {
    return mutant(mutation::no_message_deduplication) ? sight::fresh : sight::seen;
  }
  word(number) |= bit(number);
  return sight::fresh;
}

void seen_numbers::hash(detail::state_hash& into) const {
  into.add(highest_);
  for (const std::uint64_t word : seen_) into.add(word);
}

// ---- who is written to ----

correspondence& messages::with(const node_id& id, std::uint64_t boot) {
  correspondence* row = rows_.find(id);
  if (row == nullptr) {
    correspondence fresh;
    fresh.key = id;
    fresh.boot = boot;
    return rows_.insert(std::move(fresh));
  }
  if (row->boot != boot) {
    give_up(*row, errc::unknown_member);
    *row = {};
    row->key = id;
    row->boot = boot;
  }
  return *row;
}

correspondence* messages::on_stream(std::uint64_t stream) noexcept {
  const auto found =
      std::find_if(rows_.begin(), rows_.end(), [&](const correspondence& c) { return c.stream == stream; });
  return found == rows_.end() ? nullptr : &*found;
}

void messages::forget(const node_id& id) {
  if (correspondence* row = rows_.find(id)) give_up(*row, errc::unknown_member);
  rows_.erase(id);
}

void messages::post(correspondence& to, waiting_message what) {
  ++waiting_;
  may_be_busy_ = true;
  waiting_bytes_ += what.payload.size();
  what.number = ++to.frames_sent;
  to.waiting.push_back(std::move(what));
}

void messages::drop(correspondence& from, std::size_t position, std::error_code error) {
  const auto at = from.waiting.begin() + static_cast<std::ptrdiff_t>(position);
  if (at->call != 0) finished_.push_back({at->call, error});
  --waiting_;
  waiting_bytes_ -= at->payload.size();
  if (position < from.unheard) --from.unheard;
  from.waiting.erase(at);
}

void messages::finish(correspondence& with, std::uint64_t number, std::error_code error) {
  for (std::size_t i = 0; i < with.waiting.size(); ++i) {
    if (with.waiting[i].number == number) return drop(with, i, error);
  }
}

void messages::deny(correspondence& with, std::uint64_t number) {
  for (const waiting_message& m : with.waiting) {
    if (m.number != number) continue;
    return finish(with, number, m.said > 1 ? errc::outcome_unknown : errc::unknown_member);
  }
}

void messages::give_up(correspondence& with, std::error_code error) {
  while (!with.waiting.empty()) {
    drop(with, 0, with.waiting.front().said > 0 ? make_error_code(errc::outcome_unknown) : error);
  }
}

void messages::give_up_all(std::error_code error) {
  for (correspondence& c : rows_) give_up(c, error);
}

void messages::give_up_spoken() {
  for (correspondence& c : rows_) {
    for (std::size_t i = c.waiting.size(); i-- > 0;) {
      if (c.waiting[i].said > 0) drop(c, i, errc::outcome_unknown);
    }
  }
}

void messages::expire(time_point now) {
  if (waiting_ == 0) return;
  for (correspondence& c : rows_) {
    for (std::size_t i = c.waiting.size(); i-- > 0;) {
      if (c.waiting[i].deadline <= now) drop(c, i, errc::timed_out);
    }
  }
}

void messages::renumber(correspondence& with, std::uint64_t highest) {
  with.frames_sent = highest;
  for (waiting_message& m : with.waiting) m.number = ++with.frames_sent;
  with.unheard = 0;
}

std::vector<node_id> messages::busy() {
  std::vector<node_id> all;
  if (!may_be_busy_) return all;
  for (const correspondence& c : rows_) {
    if (!c.waiting.empty() || c.stream != 0) all.push_back(c.key);
  }
  may_be_busy_ = !all.empty();
  return all;
}

std::optional<time_point> messages::next_deadline() const noexcept {
  std::optional<time_point> first;
  if (waiting_ == 0) return first;
  const auto consider = [&](time_point when) {
    if (!first || when < *first) first = when;
  };
  for (const correspondence& c : rows_) {
    for (const waiting_message& m : c.waiting) consider(m.deadline);
    if (c.retry_at && !c.waiting.empty()) consider(*c.retry_at);
  }
  return first;
}

void messages::hash(detail::state_hash& into, time_point now) const {
  into.add(rows_.size()).add(finished_.size());
  for (const correspondence& c : rows_) {
    into.add(c.key).add(c.boot).add(c.datagrams_sent).add(c.frames_sent).add(c.unheard).add(c.stream);
    into.add(c.retry_at.has_value());
    if (c.retry_at) into.add(*c.retry_at, now);
    into.add(c.waiting.size());
    for (const waiting_message& m : c.waiting) into.add(m.number).add(m.deadline, now).add(m.said);
    c.datagrams_seen.hash(into);
    c.frames_seen.hash(into);
  }
}

}  // namespace artillery::membership
