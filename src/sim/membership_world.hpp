#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "artillery/sim.hpp"
#include "base/random.hpp"
#include "sim/membership_bounds.hpp"
#include "sim/membership_checkers.hpp"
#include "sim/membership_host.hpp"
#include "sim/membership_messages.hpp"
#include "sim/membership_queries.hpp"

namespace artillery::sim {

/// A cluster of real cores in one simulated world: starts, stops and looks at them. Tests build scenarios with it; the
/// seeds are run on it, too.
class membership_world final : private membership_observer {
public:
  explicit membership_world(std::uint64_t seed, membership::config settings = membership::config::lan(),
                            const link_faults& faults = {}, bool is_ipv6 = false);

  /// A new node; `seeds` are hosts whose endpoints it is given.
  host add(const std::vector<host>& seeds);
  /// A crashed node comes back: under its old id, or as somebody new at the same address.
  void restart(host which, const std::vector<host>& seeds, bool same_id = true);
  void crash(host which) { world_.crash(which); }
  void power_off(host which) { world_.power_off(which); }
  /// A user's call. Does nothing when the host is down.
  void call(host which, const membership_host::call& what);
  /// Sends the next numbered test event, with so many bytes more than it needs.
  void broadcast(host from, const std::string& topic, std::size_t more = 0);
  /// Sends a message of its own to another host's present life, with so many bytes more than it needs. Returns its
  /// call.
  std::uint64_t send(host from, host to, bool reliable, std::size_t more = 0);
  /// Asks a question of its own of all, or of those named; whoever hears it answers soon. Returns its call.
  std::uint64_t query(host from, const std::vector<host>& named, duration timeout);
  void leave(host which);
  /// The machine sleeps; `deaf`: what is sent to it meanwhile is lost.
  void suspend(host which, duration length, bool deaf);
  /// Of all hosts from now on, in millionths.
  void set_clock_drift(const std::vector<std::int32_t>& of_hosts);
  /// How long a bound of the configuration's timers may take where clocks drift.
  [[nodiscard]] duration stretched(duration bound) const noexcept;
  /// A datagram that nobody sent arrives, as if from `from`.
  void inject(host at, const endpoint& from, const bytes& datagram);

  /// Until `until` (and for as long afterwards as doubt lasts) the host, or every way in the network, gives reason to
  /// doubt others.
  void disturb(host which, time_point until);
  /// Likewise, and nothing of it runs meanwhile: what it holds back, or missed, is that old when it goes on.
  void disturb_by_stop(host which, duration length);
  void disturb_network(time_point until);
  /// The host stays broken for good: nothing is demanded of it, and others must hold it for dead.
  void give_up(host which) { given_up_.insert(which); }

  [[nodiscard]] bool is_given_up(host which) const { return given_up_.contains(which); }

  [[nodiscard]] const membership::core* core(host which);
  [[nodiscard]] std::size_t process(host which) const { return nodes_[which].process; }
  [[nodiscard]] const node_id& id(host which) const { return nodes_[which].who.id; }
  [[nodiscard]] std::uint64_t boot(host which) const { return nodes_[which].who.boot; }
  [[nodiscard]] std::size_t hosts() const noexcept { return nodes_.size(); }
  /// Up, sound, and not on its way out.
  [[nodiscard]] bool is_member(host which);
  [[nodiscard]] std::vector<host> members();
  /// What the bounds depend on, now.
  [[nodiscard]] cluster_size size();
  /// Every member holds exactly the others for alive.
  [[nodiscard]] bool converged();
  /// The first difference between what a member believes and what is so; empty when there is none.
  [[nodiscard]] std::string difference();
  bool run_until_converged(duration limit);
  void run_for(duration length) { world_.run_for(length); }
  [[nodiscard]] sim::world& world() noexcept { return world_; }
  [[nodiscard]] membership_checkers& checkers() noexcept { return checkers_; }
  [[nodiscard]] const message_book& messages() const noexcept { return messages_; }
  [[nodiscard]] const query_book& queries() const noexcept { return queries_; }
  [[nodiscard]] const membership::config& settings() const noexcept { return settings_; }
  /// Number of test events that a process sent on a topic.
  [[nodiscard]] std::uint64_t sent_on(std::size_t process, const std::string& topic) const;
  [[nodiscard]] endpoint at(host which) const { return address_of(which, is_ipv6_); }
  [[nodiscard]] static endpoint address_of(host which, bool is_ipv6 = false);

private:
  struct node {
    membership::identity who;
    std::size_t process = 0;
    time_point disturbed_until;
    std::optional<time_point> leaves_by;  // when it gives up to be heard
    std::uint64_t goings_before_leaving = 0;
    bool left_heard = false;
    bool deaf = false;  // nothing reaches it
  };

  void delivered(std::size_t process, const membership::event& event, time_point now) override;
  void sent_datagram(std::size_t process, std::size_t size, time_point now) override {
    checkers_.sent_datagram(process, size, now);
  }
  void heard_datagram(std::size_t process, bytes_view datagram, time_point now) override {
    checkers_.heard_datagram(process, datagram, now);
  }
  void gone(std::size_t process, time_point now) override;
  void ended(std::size_t process, const membership::finished_call& what, time_point now) override;
  void came(std::size_t process, const membership::query_news& what, time_point now) override;
  void answer(host by, std::size_t process, const membership::query& asked);
  void complain(time_point now, const std::string& what);
  void look_at(std::size_t process, const membership::core& core, time_point now) override {
    checkers_.holds(process, core, now);
  }
  void hear_again(host which);
  [[nodiscard]] std::unique_ptr<membership_host> make(host which, const std::vector<host>& seeds);
  [[nodiscard]] bool somebody_knows_that_left(const node& who);
  [[nodiscard]] bool somebody_heard_leaving(host which);
  [[nodiscard]] membership_truth truth_of(const membership::event& event);
  /// Processes that have died or left.
  [[nodiscard]] std::uint64_t goings() const noexcept { return world_.counters().crashes + left_; }
  [[nodiscard]] duration doubt();

  membership::config settings_;
  bool is_ipv6_;
  sim::world world_;
  detail::random random_;
  membership_checkers checkers_;
  message_book messages_;
  query_book queries_;
  std::uint64_t calls_ = 0;
  std::vector<node> nodes_;
  std::vector<host> host_of_process_;
  std::map<std::pair<std::size_t, std::string>, std::uint64_t> sent_;
  std::set<host> given_up_;
  std::uint64_t left_ = 0;  // processes that have
  time_point network_disturbed_until_;
  duration longest_stop_{};
  std::uint32_t drift_max_ = 0;  // in millionths
};

}  // namespace artillery::sim
