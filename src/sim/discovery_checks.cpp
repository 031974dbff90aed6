#include "sim/discovery_checks.hpp"

#include <algorithm>
#include <charconv>

namespace artillery::sim {

std::string short_name(const offer_key& key) {
  return to_short_string(key.first) + "/" + to_short_string(key.second);
}

std::uint64_t version_of(const discovery::service& what) {
  const auto text = what.attribute("v").value_or("");
  std::uint64_t version = 0;
  std::from_chars(text.data(), text.data() + text.size(), version);
  return version;
}

// --- what is true ---------------------------------------------------------------------------------------------------

void discovery_checks::announced(host owner, const node_id& node, const discovery::service& what) {
  true_offer& offer = offers_[{node, what.instance}];
  offer.owner = owner;
  offer.alive = true;
  ++offer.bursts;
  offer.versions.push_back(what);
}

void discovery_checks::withdrawn(const offer_key& which, time_point now) {
  true_offer& offer = offers_.at(which);
  offer.withdrawn.push_back(offer.versions.size());
  offer.alive = false;
  offer.dead_since = now;
  ++withdrawals;
}

void discovery_checks::started(host at, const node_id& as) {
  views_[at] = {};
  names_[at] = as;
}

void discovery_checks::resumed(host at, time_point now) {
  views_[at].resumed = now;
}

void discovery_checks::unclogged(host at, time_point now) {
  views_[at].released = now;
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

void discovery_checks::hearing(host at, const discovery::frame& what) {
  hearing_ = what.header.node == names_[at] ? nullptr : &what;
}

void discovery_checks::heard(host at, time_point now) {
  const discovery::frame* what = std::exchange(hearing_, nullptr);
  if (what == nullptr) return;
  const auto* said = std::get_if<discovery::announcement>(&what->body);
  if (said == nullptr) return;
  const discovery::frame_header& header = what->header;
  auto& offers = views_[at].offers;
  const auto known = offers.find({header.node, said->what.instance});
  if (known == offers.end() || known->second.version == 0 || header.at < known->second.at) return;
  if (header.at > known->second.at) believe(known->second, header.at, now);
  if (!set_back_.contains(header.node)) a_new_life_ends_the_old(at, header.node, header.at.epoch, now);
}

void discovery_checks::believe(told_view::told& told, const discovery::position& said, time_point now) {
  told.at = said;
  told.heard = now;
  told.asked_after.reset();
}

void discovery_checks::asks_after(host at, const node_id& instance, time_point now) {
  for (auto& [key, told] : views_[at].offers)
    if (key.second == instance) told.asked_after = now;
}

void discovery_checks::happened(host at, const discovery::core_event& what, time_point now) {
  if (const auto* answer = std::get_if<discovery::sought>(&what)) return told_sought(at, *answer, now);
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

void discovery_checks::told_sought(host at, const discovery::sought& what, time_point now) {
  ++(what.found ? seeks_answered : seeks_timed_out);
  if (what.found) ++seek_results[what.request];
  seeks_complete_once(at, what.request, now);
}

void discovery_checks::seeks_complete_once(host at, std::uint64_t request, time_point now) {
  if (++seeks_over_[request] > 1) violations_.add("seeks_complete_once", at, now, std::to_string(request));
}

void discovery_checks::told_of(host at, const discovery::service& what, const node_id& node, bool is_new,
                               time_point now) {
  const offer_key key{node, what.instance};
  told_view::told& told = views_[at].offers[key];
  const std::uint64_t version = version_of(what);
  if (is_new != (told.version == 0))
    violations_.add("events_follow_each_other", at, now,
                    short_name(key) + (is_new ? " was found while in view" : " was updated while not in view"));
  nobody_finds_himself(at, key, now);
  const auto offer = offers_.find(key);
  only_what_was_announced(at, offer == offers_.end() ? nullptr : &offer->second, version, what, now);
  if (!set_back_.contains(node)) {
    nothing_comes_back(at, told, version, now);
    only_later_frames_are_believed(at, key, told, now);
  }
  told.version = version;
  told.version_max = std::max(told.version_max, version);
  if (hearing_ != nullptr && hearing_->header.node == node) believe(told, hearing_->header.at, now);
}

void discovery_checks::told_lost(host at, const discovery::lost& what, time_point now) {
  const offer_key key{what.node, what.what.instance};
  told_view::told& told = views_[at].offers[key];
  if (told.version == 0)
    violations_.add("events_follow_each_other", at, now, short_name(key) + " was lost while not in view");
  switch (what.reason) {
    case discovery::loss::goodbye:
      ++lost_by_goodbye;
      if (set_back_.contains(what.node)) break;
      goodbyes_are_true(at, key, told, now);
      only_later_frames_are_believed(at, key, told, now);
      break;
    case discovery::loss::expired:
      ++lost_by_expiry;
      silence_is_asked_about(at, key, told, now);
      break;
    case discovery::loss::restarted: ++lost_by_restart; break;
    case discovery::loss::evicted: violations_.add("there_is_room", at, now, short_name(key) + " was evicted"); break;
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
  violations_.add("goodbyes_are_true", at, now, short_name(key) + " was said good-bye to by nobody");
}

void discovery_checks::only_what_was_announced(host at, const true_offer* offer, std::uint64_t version,
                                               const discovery::service& what, time_point now) {
  if (offer == nullptr || version == 0 || version > offer->versions.size())
    return violations_.add("only_what_was_announced", at, now, what.name + " was never announced");
  discovery::service truth = offer->versions[version - 1];
  for (endpoint& e : truth.endpoints)
    if (e.is_any()) e = link_.hosts.at(offer->owner).with_port(e.port());
  truth.ttl = what.ttl;
  if (truth != what) violations_.add("only_what_was_announced", at, now, what.name + " is not what was announced");
}

void discovery_checks::nobody_finds_himself(host at, const offer_key& key, time_point now) {
  if (key.first == names_[at]) violations_.add("nobody_finds_himself", at, now, short_name(key));
}

void discovery_checks::nothing_comes_back(host at, const told_view::told& told, std::uint64_t version, time_point now) {
  if (version <= told.version_gone)
    violations_.add("no_resurrection", at, now, "version " + std::to_string(version) + " came back after its goodbye");
  if (version < told.version_max)
    violations_.add("never_backwards", at, now,
                    "version " + std::to_string(version) + " was told after " + std::to_string(told.version_max));
}

/// Also what merely ran out must not come back by a copy of what was heard before.
void discovery_checks::only_later_frames_are_believed(host at, const offer_key& key, const told_view::told& told,
                                                      time_point now) {
  if (hearing_ == nullptr || hearing_->header.node != key.first || hearing_->header.at > told.at) return;
  violations_.add("only_later_frames_are_believed", at, now,
                  short_name(key) + " by frame " + std::to_string(hearing_->header.at.sequence) + " after " +
                      std::to_string(told.at.sequence));
}

void discovery_checks::a_new_life_ends_the_old(host at, const node_id& node, std::uint64_t epoch, time_point now) {
  for (const auto& [key, told] : views_[at].offers)
    if (key.first == node && told.version != 0 && told.at.epoch < epoch)
      violations_.add("a_new_life_ends_the_old", at, now, short_name(key) + " is still in view");
}

/// Unless the host was stopped meanwhile, it asked before it gave up a service.
void discovery_checks::silence_is_asked_about(host at, const offer_key& key, const told_view::told& told,
                                              time_point now) {
  const bool was_stopped = views_[at].resumed >= told.heard;
  if (!was_stopped && !told.asked_after)
    violations_.add("silence_is_asked_about", at, now, short_name(key) + " was given up unasked");
}

// --- now and then ---------------------------------------------------------------------------------------------------

/// How long one who heard this version last believes in it: a later one, which may say otherwise, was never heard
/// there.
duration discovery_checks::ttl_of(const true_offer& offer, std::uint64_t version) const {
  // One that was never announced is complained about elsewhere.
  const auto which = std::min(static_cast<std::size_t>(version), offer.versions.size()) - 1;
  const duration own = offer.versions[which].ttl;
  return own == duration::zero() ? 3 * bounds_.interval : own;
}

void discovery_checks::silent_deaths_are_noticed(host at, time_point now) {
  const told_view& view = views_[at];
  for (const auto& [key, told] : view.offers) {
    if (told.version == 0) continue;
    const auto at_offer = offers_.find(key);
    if (at_offer == offers_.end() || at_offer->second.alive) continue;
    const true_offer& offer = at_offer->second;
    // What waited while the host was stopped, or a way to it clogged, is heard when it goes on.
    const time_point last_heard = std::max({offer.dead_since + bounds_.transit_max, view.resumed, view.released});
    const duration ttl = ttl_of(offer, told.version);
    if (now > last_heard + ttl + ttl / 10)
      violations_.add("silent_deaths_are_noticed", at, now, short_name(key) + " is still in view");
  }
}

void discovery_checks::the_picture_is_right(host at, time_point now) {
  for (const auto& [key, offer] : offers_) {
    const std::uint64_t seen = views_[at].offers[key].version;
    if (offer.owner == at && offer.alive) continue;  // nobody finds himself
    const std::uint64_t expected = offer.alive ? offer.versions.size() : 0;
    if (seen != expected)
      violations_.add(
          "the_picture_is_right", at, now,
          short_name(key) + " is seen as version " + std::to_string(seen) + ", true is " + std::to_string(expected));
  }
}

void discovery_checks::sees(host at, const offer_key& which, bool expected, const char* invariant, time_point now) {
  const bool seen = views_[at].offers[which].version != 0;
  if (seen != expected)
    violations_.add(invariant, at, now, short_name(which) + (expected ? " is not in view" : " is still in view"));
}

}  // namespace artillery::sim
