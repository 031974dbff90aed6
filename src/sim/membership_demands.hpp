#pragma once

#include <cstdint>
#include <vector>

#include "base/random.hpp"
#include "sim/membership_world.hpp"

namespace artillery::sim {

/// What a cluster owes once all faults have ended: one function per promise. Each lets time pass, and tells what is
/// missed to the world's checkers.
class membership_demands {
public:
  membership_demands(membership_world& world, const detail::random& random)
      : world_{world}, random_{random.fork("demands")} {}

  /// M3: all members hold the same list within the bound, counted from now; faults lasted for `faulty`.
  void convergence(const char* when, duration faulty);
  /// In sound times every event reaches every member, once; and all that was ever sent is accounted for.
  void events();
  /// An event that no datagram holds reaches every member, too.
  void large_events();
  /// Who is there gets each reliable message, and every call has ended in time.
  void messages();
  /// Who asks all has all their answers, and every question has ended in time.
  void queries();
  /// Who sends much at a time is heard all the same, however few events are kept.
  void burst();
  /// M5: a cluster that has nothing to say sends no more than its probes.
  void idle_load();
  /// Who was restarted is taken for its new life at once by whom it asks, without waiting for the old one's end.
  void restarting();
  /// Who is new is told the last events again, as many as is wished, once and in order, and no others from before.
  void replaying();
  /// Whoever come and are looked for by all at the same time, as discovery has it, miss nothing of what is said once
  /// they and the speaker know each other, nor do others of what they say; and are told nothing from before.
  void meeting();
  /// Who leaves is reported left, by all.
  void leaving();
  /// M2: the dead are reported failed by every living member, within the bound.
  void completeness();
  /// M6: nothing is left over when there is nothing to do.
  void memory();

  struct figures {
    std::uint64_t operations = 0;
    std::uint64_t restarts = 0;
    std::uint64_t deaths_detected = 0;
    std::uint64_t detection_last_ms = 0;       ///< the slowest report of a death
    std::uint64_t detection_permille_max = 0;  ///< of its bound
    std::uint64_t convergence_last_ms = 0;
    std::uint64_t convergence_permille_max = 0;  ///< of its bound
  };
  [[nodiscard]] const figures& reached() const noexcept { return figures_; }

private:
  [[nodiscard]] bool broken() { return !world_.checkers().violations().empty(); }
  [[nodiscard]] time_point now() { return world_.world().now(); }
  void violate(std::string what) { world_.checkers().violate(now(), std::move(what)); }
  void settle_health();
  std::vector<host> come_looked_for(std::size_t count);
  void speak_early(host newcomer, const std::vector<host>& to);

  membership_world& world_;
  detail::random random_;
  figures figures_;
};

}  // namespace artillery::sim
