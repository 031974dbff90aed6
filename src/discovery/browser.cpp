#include "discovery/browser.hpp"

#include <algorithm>
#include <array>

#include "discovery/mutant.hpp"

namespace artillery::discovery {
namespace {

using std::chrono::milliseconds;

/// Hosts that boot together must not ask in the same instant.
constexpr duration first_delay_max = milliseconds{20};

/// Pauses between the questions of a browser: 1, 2, 4 … 60 s.
constexpr duration browse_pause(unsigned asked) noexcept {
  return std::min<duration>(std::chrono::seconds{1} * (std::int64_t{1} << std::min(asked, 6U)),
                            std::chrono::seconds{60});
}

/// Somebody waits for a seek, and it ends soon: these pauses, then the last of them over again.
constexpr std::array<duration, 5> seek_pauses{milliseconds{60}, milliseconds{120}, milliseconds{250}, milliseconds{500},
                                              milliseconds{1000}};

}  // namespace

time_point browser::first_question(time_point now) {
  return now + duration{static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(first_delay_max.count())))};
}

bool browser::browse(std::string_view type, time_point now) {
  for (schedule& b : browses_) {
    if (b.type != type) continue;
    b.asked = 0;
    b.next = first_question(now);
    return true;
  }
  if (browses_.size() >= browses_max) return false;
  browses_.push_back({std::string{type}, 0, first_question(now)});
  return true;
}

bool browser::stop_browse(std::string_view type) {
  return std::erase_if(browses_, [&](const schedule& b) { return b.type == type; }) != 0;
}

bool browser::browses(std::string_view type) const noexcept {
  return std::any_of(browses_.begin(), browses_.end(),
                     [&](const schedule& b) { return b.type.empty() || b.type == type; });
}

bool browser::seek(std::uint64_t request, std::string_view type, time_point deadline, time_point now) {
  if (seeks_.size() >= seeks_max) return false;
  // The first question at once: one who seeks waits for it.
  seeks_.push_back({{std::string{type}, 0, now}, request, deadline});
  return true;
}

bool browser::stop_seek(std::uint64_t request) {
  return std::erase_if(seeks_, [&](const sought& s) { return s.request == request; }) != 0;
}

void browser::restart(time_point now) {
  for (schedule& b : browses_) {
    b.asked = 0;
    b.next = first_question(now);
  }
  for (sought& s : seeks_) {
    s.asked = 0;
    s.next = now;
  }
}

std::optional<browser::asking> browser::due(time_point now) {
  for (schedule& b : browses_) {
    if (now < b.next) continue;
    b.next = now + browse_pause(b.asked);
    if (b.asked < 6 && !mutant(mutation::questions_at_one_pace)) ++b.asked;
    return asking{b.type, false};
  }
  for (sought& s : seeks_) {
    if (now < s.next || now >= s.deadline) continue;
    s.next = now + seek_pauses[s.asked];
    if (s.asked + 1U < seek_pauses.size()) ++s.asked;
    return asking{s.type, true};
  }
  return std::nullopt;
}

std::optional<std::uint64_t> browser::timed_out(time_point now) {
  const auto at = std::find_if(seeks_.begin(), seeks_.end(), [&](const sought& s) { return now >= s.deadline; });
  if (at == seeks_.end()) return std::nullopt;
  const std::uint64_t request = at->request;
  seeks_.erase(at);
  return request;
}

std::optional<std::uint64_t> browser::answered_by(const service& found) {
  const auto at = std::find_if(seeks_.begin(), seeks_.end(), [&](const sought& s) { return s.type == found.type; });
  if (at == seeks_.end()) return std::nullopt;
  const std::uint64_t request = at->request;
  seeks_.erase(at);
  return request;
}

std::optional<time_point> browser::next_deadline() const noexcept {
  std::optional<time_point> next;
  const auto earlier = [&](time_point t) {
    if (!next || t < *next) next = t;
  };
  for (const schedule& b : browses_) earlier(b.next);
  for (const sought& s : seeks_) earlier(std::min(s.next, s.deadline));
  return next;
}

void browser::add_to(detail::state_hash& hash, time_point now) const {
  for (const schedule& b : browses_) hash.add(b.type).add(b.asked).add(b.next - now);
  for (const sought& s : seeks_) hash.add(s.type).add(s.asked).add(s.next - now).add(s.request).add(s.deadline - now);
}

}  // namespace artillery::discovery
