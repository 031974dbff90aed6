#include "sim/discovery_users.hpp"

namespace artillery::sim {

using std::chrono::milliseconds;
using std::chrono::seconds;

void discovery_users::call(host h, discovery_node::input what) {
  world_.call(h, [what = std::move(what)](program& on, time_point now, network_effects& out) {
    static_cast<discovery_node&>(on).call(what, now, out);
  });
}

void discovery_users::browse(host h) {
  const auto type = [&](const char* wanted) {
    call(h, [wanted](discovery::core& c, time_point now, discovery::core_effects& out) {
      [[maybe_unused]] const auto error = c.browse(wanted, now, out);
    });
  };
  if (hosts[h].browses_all) return type("");
  for (const char* each : types) type(each);
  type(late_type);
}

void discovery_users::announce_new(host h, detail::random random) {
  if (hosts[h].offers.size() >= 5) return;
  discovery::service s;
  s.type = types[static_cast<std::size_t>(random.below(types.size()))];
  s.protocol = "udp";
  s.name = "service of host " + std::to_string(h);
  s.instance = random.identity();
  s.load = static_cast<std::uint8_t>(random.below(256));
  const bool again = random.chance(1, 2);
  if (again && !hosts[h].withdrawn.empty()) {
    s.instance = hosts[h].withdrawn.back();
    hosts[h].withdrawn.pop_back();
  }
  const bool wildcard = random.chance(1, 2);
  s.endpoints = {wildcard ? endpoint::v4(0, 0, 0, 0, 9000) : link_.hosts[h].with_port(9000)};
  if (random.chance(1, 4)) s.ttl = seconds{random.between(3, 12)};
  hosts[h].offers.push_back(s);
  announce(h, s);
}

void discovery_users::announce_again(host h) {
  for (const discovery::service& s : hosts[h].offers) announce(h, s);
}

void discovery_users::change(host h, detail::random random) {
  if (hosts[h].offers.empty()) return;
  discovery::service& s = hosts[h].offers[static_cast<std::size_t>(random.below(hosts[h].offers.size()))];
  s.load = static_cast<std::uint8_t>(random.below(256));
  announce(h, s);
}

void discovery_users::announce(host h, discovery::service s) {
  ++operations;
  const auto key = offer_key{hosts[h].id, s.instance};
  call(h, [this, h, key, s](discovery::core& c, time_point now, discovery::core_effects& out) {
    discovery::service announced = s;
    const auto known = checks_.offers().find(key);
    const std::size_t version = known == checks_.offers().end() ? 1 : known->second.versions.size() + 1;
    announced.txt = {{"v", std::to_string(version)}};
    // Before the call: its first announcement is out when it returns.
    checks_.announced(h, key.first, announced);
    [[maybe_unused]] const auto error = c.announce(announced, now, out);
    if (!quiet_ || version != 1) return;
    expect_soon(key, true, "announcements_are_seen_at_once");
    expect_burst(key);
  });
}

void discovery_users::withdraw(host h, detail::random random) {
  auto& offers = hosts[h].offers;
  if (offers.empty()) return;
  const auto at = static_cast<std::ptrdiff_t>(random.below(offers.size()));
  const node_id instance = offers[static_cast<std::size_t>(at)].instance;
  offers.erase(offers.begin() + at);
  withdraw_instance(h, instance);
}

void discovery_users::withdraw_instance(host h, const node_id& instance) {
  ++operations;
  const offer_key key{hosts[h].id, instance};
  call(h, [this, key](discovery::core& c, time_point now, discovery::core_effects& out) {
    if (checks_.offers().contains(key)) checks_.withdrawn(key, world_.now());
    wire_.withdraws(key);
    [[maybe_unused]] const auto error = c.withdraw(key.second, now, out);
    if (quiet_) expect_soon(key, false, "goodbyes_are_seen_at_once");
  });
}

void discovery_users::seek(host h, detail::random random) {
  const std::string type = types[static_cast<std::size_t>(random.below(types.size()))];
  seek_type(h, type, milliseconds{random.between(10, 2000)});
}

void discovery_users::seek_often(host h, detail::random random) {
  const std::uint64_t seeks = random.between(20, 60);
  const std::string type = types[static_cast<std::size_t>(random.below(types.size()))];
  for (std::uint64_t i = 0; i < seeks; ++i) seek_type(h, type, milliseconds{300});
}

std::uint64_t discovery_users::seek_type(host h, const std::string& type, duration patience) {
  ++operations;
  const std::uint64_t request = ++requests_;
  call(h, [=](discovery::core& c, time_point now, discovery::core_effects& out) {
    [[maybe_unused]] const auto error = c.seek(request, type, now + patience, now, out);
  });
  return request;
}

std::vector<std::uint64_t> discovery_users::everyone_seeks(host speaker, const std::string& type, duration patience) {
  std::vector<std::uint64_t> requests;
  for (host h = 0; h < hosts.size(); ++h)
    if (hosts[h].up && h != speaker) requests.push_back(seek_type(h, type, patience));
  return requests;
}

void discovery_users::answered_once(const std::vector<std::uint64_t>& requests, const char* how) {
  for (const std::uint64_t request : requests)
    if (checks_.seek_results[request] != 1) violations_.add("seeks_are_answered", 0, world_.now(), how);
}

void discovery_users::expect_soon(const offer_key& key, bool seen, const char* invariant) {
  const time_point said = world_.now();
  world_.schedule(said + quiet_enough, [this, key, seen, invariant, said] {
    const true_offer& offer = checks_.offers().at(key);
    if (offer.alive != seen) return;  // changed again meanwhile
    for (host h = 0; h < hosts.size(); ++h)
      if (hosts[h].up && hosts[h].up_since <= said && h != offer.owner)
        checks_.sees(h, key, seen, invariant, world_.now());
  });
}

void discovery_users::expect_burst(const offer_key& key) {
  constexpr duration burst = seconds{3};
  const auto announced = checks_.offers().at(key).versions.size();
  world_.schedule(world_.now() + burst + quiet_enough, [this, key, announced] {
    const true_offer& offer = checks_.offers().at(key);
    if (offer.alive && offer.versions.size() == announced) wire_.bursts_are_said_in_full(key, world_.now());
  });
}

}  // namespace artillery::sim
