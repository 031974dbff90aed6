#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "artillery/sim.hpp"
#include "base/random.hpp"
#include "sim/membership_host.hpp"
#include "sim/membership_scale.hpp"

// How often members that live are reported as failed, and how soon those that died are, where datagrams are lost and
// some members are slow. No checker runs along: what goes wrong here is counted.

namespace artillery::sim {

/// The circumstances of a cluster. Slow members are stopped and run by turns, like processes on a machine that has no
/// time for them; or what they send and are sent takes longer, as where they wait in a queue for each turn.
struct study_plan {
  std::size_t members = 32;
  std::size_t slow = 0;           ///< so many of them; never the first three, by which the others find the cluster
  std::uint32_t loss = 0;         ///< thousandths of all datagrams
  std::uint32_t stream_loss = 0;  ///< thousandths of the frames of streams, which break at them
  duration stopped_most = std::chrono::seconds{8};  ///< a slow member is stopped for up to this long,
  duration running_most = std::chrono::seconds{1};  ///< then runs for up to this long; uniformly drawn
  duration late_mean{};  ///< above 0: they run all the time, but each message takes so much longer, on average
  duration length = std::chrono::hours{1};             ///< for so long it is watched
  duration between_deaths = std::chrono::seconds{30};  ///< of a healthy member, which comes back once all know
  duration patience = std::chrono::minutes{3};         ///< a death that is not known to all by then never will be
  membership::config settings = membership::config::lan();
};

struct study_figures {
  /// Times that a member was held for dead by anybody while it lived, until nobody did any more.
  std::uint64_t false_deaths_of_healthy = 0;
  std::uint64_t false_deaths_of_slow = 0;
  std::uint64_t false_reports = 0;  ///< what members told of those, all together
  /// Of healthy members, as the other healthy ones reported them.
  std::vector<scale_detection> deaths;
  std::uint64_t datagrams = 0;
  duration watched{};
  std::uint64_t trace_hash = 0;
};

class membership_study final : private membership_observer {
public:
  membership_study(std::uint64_t seed, study_plan plan);

  [[nodiscard]] study_figures run();

private:
  struct node {
    membership::identity who;
    bool is_slow = false;
    std::set<host> believers;  ///< that hold it for dead though it lives
  };
  struct death {
    host which = 0;
    time_point at;
    std::set<host> reporters;
    time_point first;
    time_point last;
  };

  void delivered(std::size_t process, const membership::event& event, time_point now) override;
  void sent_datagram(std::size_t /*process*/, std::size_t /*size*/, time_point /*now*/) override {}

  [[nodiscard]] std::unique_ptr<membership_host> make(host which);
  void start_all();
  void slow_down();
  void make_late(host which);
  void stop(host which);
  void go_on(host which);
  void kill_one();
  void reported(host by, host about, std::uint64_t boot, time_point now);
  [[nodiscard]] std::size_t healthy_others() const noexcept { return plan_.members - plan_.slow - 1; }
  [[nodiscard]] static duration drawn(detail::random& from, duration most);

  study_plan plan_;
  sim::world world_;
  detail::random identities_;
  detail::random victims_;
  detail::random slowness_;
  std::vector<node> nodes_;
  std::map<node_id, host> host_of_;
  std::optional<death> death_;
  study_figures figures_;
};

}  // namespace artillery::sim
