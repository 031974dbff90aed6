#include "discovery/announcer.hpp"

#include <algorithm>
#include <array>

#include "artillery/error.hpp"
#include "discovery/mutant.hpp"

namespace artillery::discovery {
namespace {

using std::chrono::milliseconds;

/// Since the start of the burst: close together at first against single losses, then apart against bursts of them.
constexpr std::array<duration, 4> burst_at{milliseconds{0}, milliseconds{250}, milliseconds{1000}, milliseconds{3000}};
constexpr std::array<duration, 3> goodbye_at{milliseconds{0}, milliseconds{100}, milliseconds{300}};

/// Bursts of one service start this far apart at least, and what is announced on demand comes this long after the last
/// time: a service that changes all the time, a flapping link or a curious neighbour must not fill the link.
constexpr duration announcements_apart_min = milliseconds{1000};

/// A burst starts so long after the last announcement: the end of an earlier burst may have been late.
constexpr duration burst_after_min = milliseconds{500};

/// All announcers of a link together send about so many announcements a second, once they are many.
constexpr std::int64_t link_announcements_per_second = 20;

/// Three announcements in a row must be lost before a living service is forgotten.
constexpr int intervals_per_ttl = 3;

}  // namespace

std::error_code announcer::announce(const service& what, time_point now) {
  for (offer& o : offers_) {
    if (o.what.instance != what.instance) continue;
    if (o.withdrawing) return errc::already_running;
    if (o.what == what) return {};
    o.what = what;
    start_burst(o, now);
    return {};
  }
  if (offers_.size() >= services_max) return errc::would_overflow;
  offer fresh;
  fresh.what = what;
  for (const departed& d : departed_) {
    if (d.instance != what.instance) continue;
    fresh.started = d.started;
    fresh.spoken = d.started;
  }
  start_burst(fresh, now);
  offers_.push_back(std::move(fresh));
  return {};
}

bool announcer::withdraw(const node_id& instance, time_point now) {
  for (offer& o : offers_) {
    if (o.what.instance != instance || o.withdrawing) continue;
    o.withdrawing = true;
    o.said = 0;
    o.goodbyes_started = now;
    o.next = now;
    return true;
  }
  return false;
}

void announcer::restart(time_point now) {
  for (offer& o : offers_)
    if (!o.withdrawing) start_burst(o, now);
}

void announcer::announce_soon(const node_id& instance, time_point now) {
  for (offer& o : offers_) {
    if (o.what.instance != instance || o.withdrawing) continue;
    o.next = std::min(o.next, o.spoken ? std::max(now, *o.spoken + announcements_apart_min) : now);
  }
}

void announcer::start_burst(offer& o, time_point now) {
  // A burst that waits for its time takes the newest form along. Were it put off by each change, a service that changes
  // all the time would not be announced any more.
  const bool waits = o.said == 0 && o.started > now;
  if (!waits) {
    const time_point before = o.started;
    o.started = now;
    if (o.spoken && !mutant(mutation::bursts_unspaced))
      o.started = std::max({now, before + announcements_apart_min, *o.spoken + burst_after_min});
  }
  o.said = 0;
  o.next = o.started;
}

std::optional<announcer::step> announcer::due(time_point now, std::size_t services_known, bool audible) {
  for (std::size_t i = 0; i < offers_.size(); ++i) {
    offer& o = offers_[i];
    if (now < o.next) continue;
    if (!o.withdrawing) {
      if (audible) o.spoken = now;
      if (o.said == 0) o.started = now;  // the burst may start late: a busy process, a suspended machine
      if (o.said < burst_at.size()) ++o.said;
      if (mutant(mutation::one_announcement)) o.said = burst_at.size();
      // Not from `started` alone: after a pause all that was missed would be said at once.
      const duration least = mutant(mutation::bursts_caught_up) ? duration::zero() : burst_at[1];
      o.next = o.said < burst_at.size() ? std::max(o.started + burst_at[o.said], now + least)
                                        : now + pause_after(o.what, services_known);
      return step{act::announce, o.what};
    }
    if (++o.said < goodbye_at.size() && !mutant(mutation::one_goodbye)) {
      o.next = std::max(o.goodbyes_started + goodbye_at[o.said], now + goodbye_at[1]);
      return step{act::goodbye, o.what};
    }
    step last{act::last_goodbye, o.what};
    forget(i, now);
    return last;
  }
  return std::nullopt;
}

void announcer::forget(std::size_t position, time_point now) {
  const offer& o = offers_[position];
  std::erase_if(departed_, [&](const departed& d) { return now - d.started >= announcements_apart_min; });
  if (o.spoken && departed_.size() < services_max) departed_.push_back({o.what.instance, o.started});
  offers_.erase(offers_.begin() + static_cast<std::ptrdiff_t>(position));
}

std::optional<time_point> announcer::next_deadline() const noexcept {
  std::optional<time_point> next;
  for (const offer& o : offers_)
    if (!next || o.next < *next) next = o.next;
  return next;
}

duration announcer::interval(std::size_t services_known) const noexcept {
  const auto crowded =
      std::chrono::milliseconds{static_cast<std::int64_t>(services_known) * 1000 / link_announcements_per_second};
  return std::max<duration>(interval_, crowded);
}

duration announcer::ttl_of(const service& what, std::size_t services_known) const noexcept {
  const duration crowded =
      std::chrono::milliseconds{static_cast<std::int64_t>(services_known) * 1000 / link_announcements_per_second};
  if (what.ttl == duration::zero()) return interval(services_known) * intervals_per_ttl;
  return std::min<duration>(std::max(what.ttl, crowded * intervals_per_ttl), service::ttl_max);
}

duration announcer::pause_after(const service& what, std::size_t services_known) {
  const duration mean = ttl_of(what, services_known) / intervals_per_ttl;
  // ± 20 %, so that announcers that started together drift apart.
  const auto spread = static_cast<std::uint64_t>((mean / 5).count());
  return mean - mean / 5 + duration{static_cast<std::int64_t>(random_.below(2 * spread + 1))};
}

void announcer::add_to(detail::state_hash& hash, time_point now) const {
  for (const offer& o : offers_) {
    hash.add(o.what.instance).add(o.withdrawing).add(o.said).add(o.next - now).add(o.started - now);
    hash.add(o.what.type).add(o.what.name).add(o.what.load);
  }
  for (const departed& d : departed_) hash.add(d.instance).add(d.started - now);
}

}  // namespace artillery::discovery
