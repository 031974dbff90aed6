#include "sim/discovery_checks.hpp"

#include <algorithm>
#include <charconv>

namespace artillery::sim {
namespace {

constexpr std::size_t violations_max = 20;

/// A burst says a service at 0, 250 and 1000 ms; any faster is a storm.
constexpr std::size_t announcements_per_second_max = 3;
/// docs/discovery.md, "Limits": 20 at once and then 10 a second, to one source.
constexpr std::size_t answers_per_second_max = 30;

std::string short_name(const offer_key& key) {
  return to_short_string(key.first) + "/" + to_short_string(key.second);
}

}  // namespace

std::uint64_t version_of(const discovery::service& what) {
  const auto text = what.attribute("v").value_or("");
  std::uint64_t version = 0;
  std::from_chars(text.data(), text.data() + text.size(), version);
  return version;
}

void discovery_checks::violate(const char* invariant, host at, time_point now, const std::string& what) {
  if (violations_.size() >= violations_max) return;
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
  violations_.push_back(std::string{invariant} + ": host " + std::to_string(at) + " at " + std::to_string(ms) +
                        " ms: " + what);
}

// --- what is true ---------------------------------------------------------------------------------------------------

std::uint64_t discovery_checks::announced(host owner, const node_id& node, const discovery::service& what,
                                          time_point now) {
  true_offer& offer = offers_[{node, what.instance}];
  if (offer.versions.empty()) offer.first_announced = now;
  offer.owner = owner;
  offer.alive = true;
  ++offer.bursts;
  offer.versions.push_back(what);
  return offer.versions.size();
}

void discovery_checks::withdrawn(const offer_key& which, time_point now) {
  true_offer& offer = offers_.at(which);
  offer.withdrawn.push_back(offer.versions.size());
  offer.alive = false;
  offer.dead_since = now;
  ++withdrawals;
}

void discovery_checks::started(host at) {
  views_[at] = {};
  for (auto& [key, offer] : offers_)
    if (offer.owner == at) offer.lately.clear();  // a new life does not know when the last one spoke
}

void discovery_checks::resumed(host at, time_point now) {
  views_[at].resumed = now;
}

void discovery_checks::died(host at, time_point now) {
  views_.erase(at);
  for (auto& [key, offer] : offers_) {
    if (offer.owner != at || !offer.alive) continue;
    offer.alive = false;
    offer.dead_since = now;
  }
}

// --- what is told ---------------------------------------------------------------------------------------------------

void discovery_checks::happened(host at, const discovery::core_event& what, time_point now) {
  if (const auto* answer = std::get_if<discovery::sought>(&what)) {
    ++(answer->found ? seeks_answered : seeks_timed_out);
    if (answer->found) ++seek_results[answer->request];
    return;
  }
  const auto* event = std::get_if<discovery::event>(&what);
  if (event == nullptr) return;
  if (const auto* fact = std::get_if<discovery::found>(event)) {
    ++found;
    told_of(at, fact->what, fact->node, true, now);
  } else if (const auto* change = std::get_if<discovery::updated>(event)) {
    ++updated;
    told_of(at, change->what, change->node, false, now);
  } else if (const auto* gone = std::get_if<discovery::lost>(event)) {
    told_lost(at, *gone, now);
  }
}

void discovery_checks::told_of(host at, const discovery::service& what, const node_id& node, bool is_new,
                               time_point now) {
  const offer_key key{node, what.instance};
  told_view::told& told = views_[at].offers[key];
  const std::uint64_t version = version_of(what);
  if (is_new != (told.version == 0))
    violate("events_follow_each_other", at, now,
            short_name(key) + (is_new ? " was found while in view" : " was updated while not in view"));
  const auto offer = offers_.find(key);
  only_what_was_announced(at, offer == offers_.end() ? nullptr : &offer->second, version, what, now);
  nothing_comes_back(at, told, version, now);
  told.version = version;
  told.version_max = std::max(told.version_max, version);
}

void discovery_checks::told_lost(host at, const discovery::lost& what, time_point now) {
  const offer_key key{what.node, what.what.instance};
  told_view::told& told = views_[at].offers[key];
  if (told.version == 0) violate("events_follow_each_other", at, now, short_name(key) + " was lost while not in view");
  switch (what.reason) {
    case discovery::loss::goodbye:
      ++lost_by_goodbye;
      goodbyes_are_true(at, key, told, now);
      break;
    case discovery::loss::expired: ++lost_by_expiry; break;
    case discovery::loss::restarted: ++lost_by_restart; break;
    case discovery::loss::evicted: violate("there_is_room", at, now, short_name(key) + " was evicted"); break;
  }
  told.version = 0;
}

void discovery_checks::goodbyes_are_true(host at, const offer_key& key, told_view::told& told, time_point now) {
  const auto offer = offers_.find(key);
  if (offer != offers_.end()) {
    // Which of several withdrawals it was is not told; the earliest that it can have been is what counts.
    const auto& versions = offer->second.withdrawn;
    const auto first = std::lower_bound(versions.begin(), versions.end(), told.version);
    if (first != versions.end()) {
      told.version_gone = *first;
      return;
    }
  }
  violate("goodbyes_are_true", at, now, short_name(key) + " was said good-bye to by nobody");
}

void discovery_checks::only_what_was_announced(host at, const true_offer* offer, std::uint64_t version,
                                               const discovery::service& what, time_point now) {
  if (offer == nullptr || version == 0 || version > offer->versions.size())
    return violate("only_what_was_announced", at, now, what.name + " was never announced");
  discovery::service truth = offer->versions[version - 1];
  for (endpoint& e : truth.endpoints)
    if (e.is_any()) e = link_.hosts.at(offer->owner).with_port(e.port());
  truth.ttl = what.ttl;
  if (truth != what) violate("only_what_was_announced", at, now, what.name + " is not what was announced");
}

void discovery_checks::nothing_comes_back(host at, const told_view::told& told, std::uint64_t version, time_point now) {
  if (version <= told.version_gone)
    violate("no_resurrection", at, now, "version " + std::to_string(version) + " came back after its goodbye");
  if (version < told.version_max)
    violate("never_backwards", at, now,
            "version " + std::to_string(version) + " was told after " + std::to_string(told.version_max));
}

void discovery_checks::sending(host at, const endpoint& to, bytes_view datagram, time_point now) {
  const auto decoded = discovery::decode(datagram, discovery::realm::of("sim"));
  if (decoded.error) return violate("frames_are_sound", at, now, "a frame of our own is refused");
  const auto& header = decoded.what.header;
  const auto keep_last_second = [&](std::deque<time_point>& times) {
    times.push_back(now);
    while (now - times.front() >= std::chrono::seconds{1}) times.pop_front();
    return times.size();
  };
  if (header.kind == discovery::frame_kind::seek) ++questions_;
  if (header.kind == discovery::frame_kind::offer && keep_last_second(answers_[{at, to}]) > answers_per_second_max)
    violate("no_storms", at, now, "answers one source too often");
  if (header.kind != discovery::frame_kind::announce) return;
  const auto& service = std::get<discovery::announcement>(decoded.what.body).what;
  true_offer& offer = offers_.at({header.node, service.instance});
  ++offer.announcements;
  if (keep_last_second(offer.lately) > announcements_per_second_max)
    violate("no_storms", at, now, service.name + " is announced too often");
}

// --- now and then ---------------------------------------------------------------------------------------------------

void discovery_checks::silent_deaths_are_noticed(host at, time_point now) {
  const told_view& view = views_[at];
  for (const auto& [key, told] : view.offers) {
    if (told.version == 0) continue;
    const auto at_offer = offers_.find(key);
    if (at_offer == offers_.end() || at_offer->second.alive) continue;
    const true_offer& offer = at_offer->second;
    // What waited while the host was paused is heard when it is resumed.
    const time_point last_heard = std::max(offer.dead_since + bounds_.transit_max, view.resumed);
    const duration own = offer.versions.back().ttl;
    const duration ttl = own == duration::zero() ? 3 * bounds_.interval : own;
    if (now > last_heard + ttl + ttl / 10)
      violate("silent_deaths_are_noticed", at, now, short_name(key) + " is still in view");
  }
}

void discovery_checks::the_picture_is_right(host at, time_point now) {
  for (const auto& [key, offer] : offers_) {
    const std::uint64_t seen = views_[at].offers[key].version;
    if (offer.owner == at && offer.alive) continue;  // nobody finds himself
    const std::uint64_t expected = offer.alive ? offer.versions.size() : 0;
    if (seen != expected)
      violate(
          "the_picture_is_right", at, now,
          short_name(key) + " is seen as version " + std::to_string(seen) + ", true is " + std::to_string(expected));
  }
}

void discovery_checks::no_storms(time_point now) {
  for (const auto& [key, offer] : offers_) {
    const duration own = offer.versions.back().ttl;
    const duration interval = own == duration::zero() ? bounds_.interval : std::min(own / 3, bounds_.interval);
    const auto periods = static_cast<std::uint64_t>((now - offer.first_announced) / (interval * 4 / 5)) + 1;
    if (offer.announcements > 4 * offer.bursts + periods + questions_)
      violate("no_storms", offer.owner, now,
              short_name(key) + " was announced " + std::to_string(offer.announcements) + " times");
  }
}

void discovery_checks::sees(host at, const offer_key& which, bool expected, const char* invariant, time_point now) {
  const bool seen = views_[at].offers[which].version != 0;
  if (seen != expected)
    violate(invariant, at, now, short_name(which) + (expected ? " is not in view" : " is still in view"));
}

}  // namespace artillery::sim
