#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "sim/discovery_checks.hpp"
#include "sim/discovery_node.hpp"
#include "sim/discovery_wire_checks.hpp"

namespace artillery::sim {

/// What is true of one host and of the life it leads.
struct discovery_host {
  node_id id;
  std::uint64_t life = 0;
  bool up = false;
  time_point up_since;
  bool paused = false;
  bool asleep = false;
  bool browses_all = false;
  std::vector<discovery::service> offers;  ///< announced and not withdrawn, as last announced
  std::vector<node_id> withdrawn;          ///< may be announced again
};

/// The users of all hosts: they announce, change, withdraw, browse and seek.
class discovery_users {
public:
  static constexpr std::array<const char*, 3> types{"alpha", "beta", "gamma"};
  static constexpr const char* late_type = "omega";  ///< browsed for from the start, announced at the end
  /// On a quiet link everything is seen by then.
  static constexpr duration quiet_enough = std::chrono::milliseconds{50};

  discovery_users(world& where, const discovery_link& link, discovery_checks& checks, discovery_wire_checks& wire,
                  discovery_violations& violations, bool quiet)
      : world_{where}, link_{link}, checks_{checks}, wire_{wire}, violations_{violations}, quiet_{quiet} {}

  std::vector<discovery_host> hosts;
  std::uint64_t operations = 0;

  void browse(host h);
  void announce_new(host h, detail::random random);
  void announce_again(host h);
  void change(host h, detail::random random);
  void withdraw(host h, detail::random random);
  void seek(host h, detail::random random);
  void seek_often(host h, detail::random random);
  void done_with(host h, const node_id& instance) { hosts[h].withdrawn.push_back(instance); }

  /// On a healed link: what one host says is seen, sought and said good-bye to, at once. `pass` lets time pass.
  template <class Pass>
  void last_words(detail::random random, Pass pass);

private:
  void call(host h, discovery_node::input what);
  void announce(host h, discovery::service s);
  void withdraw_instance(host h, const node_id& instance);
  std::uint64_t seek_type(host h, const std::string& type, duration patience);
  std::vector<std::uint64_t> everyone_seeks(host speaker, const std::string& type, duration patience);
  void answered_once(const std::vector<std::uint64_t>& requests, const char* how);
  void expect_soon(const offer_key& key, bool seen, const char* invariant);
  void expect_burst(const offer_key& key);

  world& world_;
  const discovery_link& link_;
  discovery_checks& checks_;
  discovery_wire_checks& wire_;
  discovery_violations& violations_;
  bool quiet_;
  std::uint64_t requests_ = 0;
};

template <class Pass>
void discovery_users::last_words(detail::random random, Pass pass) {
  using std::chrono::milliseconds;
  using std::chrono::seconds;
  host speaker = 0;
  while (!hosts[speaker].up) ++speaker;
  if (hosts[speaker].offers.size() > 4) hosts[speaker].offers.resize(4);
  announce_new(speaker, random.fork("first"));
  const discovery::service said = hosts[speaker].offers.back();
  const offer_key key{hosts[speaker].id, said.instance};
  expect_soon(key, true, "announcements_are_seen_at_once");
  // Seeks end between the last announcement of the burst and the next at the interval: nothing but the table can
  // answer.
  pass(milliseconds{3100});
  const auto from_the_table = everyone_seeks(speaker, said.type, milliseconds{300});
  pass(seconds{2});
  const auto from_the_link = everyone_seeks(speaker, late_type, seconds{1});
  pass(milliseconds{100});
  discovery::service late = said;
  late.type = late_type;
  late.instance = random.identity();
  announce(speaker, late);
  pass(seconds{2});
  answered_once(from_the_table, "not from what is known");
  answered_once(from_the_link, "not by a later announcement");
  withdraw_instance(speaker, said.instance);
  expect_soon(key, false, "goodbyes_are_seen_at_once");
  pass(seconds{5});
}

}  // namespace artillery::sim
