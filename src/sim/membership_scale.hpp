#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "artillery/sim.hpp"
#include "base/random.hpp"
#include "sim/membership_host.hpp"

// How a cluster of a given size does when nothing is wrong but that members die: how soon it is whole, what it costs
// when it has nothing to say, and how soon a death is known. No checker runs along: one look at all views would cost
// more than the cluster itself.

namespace artillery::sim {

/// What is done to the cluster.
struct scale_plan {
  std::size_t members = 8;
  std::size_t seeds = 3;                                  ///< members whose endpoints every other is given
  duration start_spacing = std::chrono::milliseconds{5};  ///< from one member's start to the next one's
  duration idle = std::chrono::seconds{60};               ///< for so long the load is measured
  duration busy{};                 ///< for so long it is measured while members have something to say; see `scale_news`
  std::size_t single_deaths = 10;  ///< one after another, each followed by a restart, so that the size stays
  std::size_t joint_deaths = 10;   ///< at once, at the end; at most a quarter of the members
  /// A cluster that is not whole, or quiet, or has not noticed a death after this never will be.
  duration patience = std::chrono::minutes{20};
  bool restarts_all = false;  ///< at last, one process after the other, as they were started
  membership::config settings = membership::config::lan();
};

/// What goes on in a cluster that is busy, as much of it whatever its size: events from members drawn, and now and then
/// one that leaves, and comes back as a new life once it is gone.
struct scale_news {
  static constexpr duration event_spacing = std::chrono::milliseconds{500};
  static constexpr std::size_t event_size = 64;
  static constexpr duration leave_spacing = std::chrono::seconds{10};
};

/// What the members sent in a time, all together.
struct scale_load {
  std::uint64_t datagrams = 0;
  std::uint64_t datagram_bytes = 0;
  std::uint64_t frames = 0;
  std::uint64_t frame_bytes = 0;
  std::uint64_t datagrams_of_busiest = 0;  ///< of the one member that sent most
};

/// From a death until the first, and until the last, of the others has reported it. No last: somebody never did.
struct scale_detection {
  duration first{};
  duration last{};
  bool complete = false;
};

struct scale_figures {
  std::size_t members = 0;
  bool is_whole = false;  ///< every view was complete; without that nothing else was measured
  duration joined{};      ///< from the last start until every view was complete
  duration quiet{};       ///< from then until nobody had news to tell
  scale_load joining;     ///< from the first start until then
  duration idle{};
  scale_load idle_load;
  duration busy{};
  scale_load busy_load;
  std::uint64_t events_sent = 0;
  std::uint64_t events_delivered = 0;
  std::uint64_t leaves = 0;
  std::vector<scale_detection> single_deaths;
  std::vector<scale_detection> joint_deaths;
  std::optional<duration> restarted;  ///< from the last restart until every view was of the new lives, complete
  duration first_expected{};  ///< when the first report of a death is due, on average (SWIM, sections 3.1 and 4.2)
  duration last_bound{};      ///< when the last one is due (`completeness_bound`)
  std::uint64_t false_reports = 0;  ///< of deaths of members that live
  duration simulated{};
  std::uint64_t events = 0;
  std::uint64_t trace_hash = 0;
};

class membership_scale final : private membership_observer {
public:
  membership_scale(std::uint64_t seed, scale_plan plan);

  /// Runs it all. `look` is called now and then with the time simulated and what is going on.
  [[nodiscard]] scale_figures run(const std::function<void(duration, const char*)>& look);

private:
  struct node {
    membership::identity who;
    std::uint64_t sent_before = 0;  // datagrams, when the load began to be measured
    bool has_left = false;
  };
  /// A death that is being noticed.
  struct death {
    host which = 0;
    std::uint64_t boot = 0;
    time_point at;
    std::size_t reports = 0;
    time_point first;
    time_point last;
  };

  void delivered(std::size_t process, const membership::event& event, time_point now) override;
  void sent_datagram(std::size_t /*process*/, std::size_t /*size*/, time_point /*now*/) override {}
  void gone(std::size_t process, time_point now) override;

  [[nodiscard]] std::unique_ptr<membership_host> make(host which);
  [[nodiscard]] const membership::core& core(host which);
  void start_all();
  void measure_idle(scale_figures& into);
  void measure_busy(scale_figures& into);
  void make_news(scale_figures& into, time_point begin);
  void send_event();
  void leave_and_return();
  void note_sent();
  [[nodiscard]] scale_load sent_since(const scale_load& before);
  [[nodiscard]] host drawn_member();
  [[nodiscard]] std::vector<scale_detection> kill(std::size_t count);
  void restart_dead();
  void restart_all(scale_figures& into);
  /// Until `reached`; false when patience ends before.
  template <class Reached>
  bool run_until(const char* what, Reached reached);
  void look(const char* at) const;
  [[nodiscard]] bool is_whole();
  [[nodiscard]] bool knows_no_old_life();
  [[nodiscard]] bool is_quiet();
  [[nodiscard]] scale_load sent_so_far() const;

  scale_plan plan_;
  sim::world world_;
  detail::random identities_;
  detail::random victims_;
  detail::random talkers_;
  std::vector<node> nodes_;
  std::map<node_id, host> host_of_;
  std::map<host, death> deaths_;
  std::size_t living_ = 0;
  std::uint64_t false_reports_ = 0;
  std::uint64_t events_delivered_ = 0;
  time_point begin_;
  time_point last_joined_;  // when a view last grew
  std::function<void(duration, const char*)> look_;
};

}  // namespace artillery::sim
