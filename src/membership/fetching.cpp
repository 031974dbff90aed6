// Events that no datagram holds: told by a notice, and fetched by a stream from whoever told of them.
#include <algorithm>

#include "membership/core.hpp"
#include "membership/mutant.hpp"

namespace artillery::membership {

std::size_t core::event_size_max(std::string_view topic) const noexcept {
  return std::max(config_.event_size_max, payload_size_max(config_, topic));
}

/// `notice` says that an event is at `from`, and the rest of it must be fetched.
void core::hear_notice(const member_row& origin, const event_record& notice, const endpoint& from, time_point now) {
  if (!user_events_.is_missing(origin, notice.sequence)) {
    ++counters_.events_duplicate;
    return;
  }
  // Whether or not it can be had: if not, the gap is told.
  user_events_.hear_of(origin, {.origin = notice.origin, .boot = notice.boot, .base = notice.sequence}, now);
  const bool small = notice.fetch_size <= event_size_max(notice.topic);
  // A stream is opened to members only.
  const endpoint source = members_.present_at(from) == nullptr ? origin.facts->at : from;
  if (!small || !fetches_.want(origin.key, notice.boot, notice.sequence, source)) ++counters_.dropped_over_limit;
}

/// After every input: what came, or is no longer missing, is not fetched any more; what a stream did not bring is
/// fetched from the next that has it, and from its origin.
void core::tend_fetches(time_point now, effects_type& out) {
  std::vector<std::uint64_t> done;
  std::erase_if(fetches_.all(), [&](const fetch& f) {
    const member_row* origin = members_.find(f.origin);
    const bool wanted =
        origin != nullptr && origin->standing.boot == f.boot && user_events_.is_missing(*origin, f.number);
    if (!wanted && f.stream != 0) done.push_back(f.stream);
    return !wanted;
  });
  for (const std::uint64_t number : done) {
    const bool open =
        std::any_of(streams_.begin(), streams_.end(), [&](const stream& s) { return s.number == number; });
    if (open) end_stream(number, out);
  }
  const auto stream_of = [&](const fetch& f) {
    return std::find_if(streams_.begin(), streams_.end(), [&](const stream& s) { return s.number == f.stream; });
  };
  for (fetch& f : fetches_.all()) {
    if (f.stream != 0 && stream_of(f) == streams_.end()) {
      f.stream = 0;
      // Ever later: whoever has it may serve only a few at a time.
      f.next_at = now + config_.gossip_interval * static_cast<int>(f.attempts);
    }
    if (f.stream == 0) {
      begin_fetch(f, now, out);
    } else if (const auto by = stream_of(f); by->up && !f.asked) {
      f.asked = true;
      send_frame(*by, event_request{.origin = shorten(f.origin), .boot = f.boot, .number = f.number}, out);
    }
  }
}

void core::begin_fetch(fetch& f, time_point now, effects_type& out) {
  if (f.given_up() || fetches_.under_way() >= fetches_at_once || (f.next_at && now < *f.next_at)) return;
  if (mutant(mutation::notices_suffice)) return;
  f.next_at.reset();
  std::vector<endpoint> sources = f.sources;
  const member_row* origin = members_.find(f.origin);
  if (origin->present()) sources.push_back(origin->facts->at);
  if (sources.empty()) {
    f.attempts = fetch_attempts_max;
    return;
  }
  const endpoint from = sources[f.attempts % sources.size()];
  const stream* opened = open_stream(stream_purpose::fetch, from, now, out);
  if (opened == nullptr) {
    f.next_at = now + config_.gossip_interval;
    return;
  }
  ++f.attempts;
  ++counters_.events_fetched;
  f.stream = opened->number;
  f.asked = false;
}

/// While it is being fetched, what comes behind an event waits for it.
void core::hold_fetched(time_point now) {
  for (const fetch& f : fetches_.all()) {
    if (!f.given_up()) user_events_.be_patient(f.origin, now);
  }
}

void core::on_event_request(stream& by, const event_request& m, time_point now, effects_type& out) {
  by.deadline = now + config_.stream_timeout;
  const event_record* found = user_events_.kept(m.origin, m.boot, m.number);
  if (found == nullptr) return send_frame(by, event_reply{.found = false}, out);
  write_event_reply_head(buffer_, cluster_, !by.spoken, *found);
  by.spoken = true;
  ++counters_.frames_sent;
  out.send(connection::stream(by.number, by.peer), buffer_, {&found->payload, 1});
}

void core::on_event_reply(std::uint64_t number, items& what, const endpoint& from, time_point now, effects_type& out) {
  const fetch* wanted = fetches_.on_stream(number);
  end_stream(number, out);
  if (wanted == nullptr) return;
  const fetch asked = *wanted;
  for (event_record& e : what.events) {
    const bool is_it = e.origin == shorten(asked.origin) && e.boot == asked.boot && e.sequence == asked.number;
    const bool fits = e.fetch_size == 0 && e.payload.size() <= event_size_max(e.topic);
    if (is_it && fits) return hear_event(e, from, now, out);
    ++counters_.dropped_over_limit;
  }
}

}  // namespace artillery::membership
