#pragma once

#include <cstdint>
#include <optional>
#include <system_error>
#include <vector>

#include "artillery/clock.hpp"
#include "artillery/discovery/types.hpp"
#include "base/random.hpp"
#include "base/state_hash.hpp"
#include "discovery/mutant.hpp"

namespace artillery::discovery {

/// When this node speaks of its own services, unasked: a burst when a service is new, changed, or a link came up; then
/// now and then; and three times good-bye.
class announcer {
public:
  static constexpr std::size_t services_max = 64;

  announcer(duration interval, detail::random random) : interval_{interval}, random_{random} {}

  /// Announces `what`, or its new form when the instance is known. Errors: `would_overflow`, there are `services_max`
  /// already; `already_running`, it is being withdrawn.
  std::error_code announce(const service& what, time_point now);
  /// Starts the goodbyes. False: there is no such service, or it is being withdrawn.
  bool withdraw(const node_id& instance, time_point now);
  /// A link came up: everything is announced as if it were new.
  void restart(time_point now);
  /// Somebody asked for what does not fit into an answer to him: it is announced soon, to all.
  void announce_soon(const node_id& instance, time_point now);

  enum class act : std::uint8_t { announce, goodbye, last_goodbye };
  struct step {
    act what;
    service subject;
  };
  /// The next thing to say at `now`; nothing when there is none. To be asked until there is none. `audible`: there is a
  /// link that carries it.
  [[nodiscard]] std::optional<step> due(time_point now, std::size_t services_known, bool audible);
  [[nodiscard]] std::optional<time_point> next_deadline() const noexcept;

  /// What is announced: withdrawn services are not among them.
  template <class Visit>
  void for_each_offered(Visit visit) const {
    for (const offer& o : offers_)
      if (!o.withdrawing || mutant(mutation::answers_withdrawn)) visit(o.what);
  }
  /// The ttl that goes with `what` on a link with so many services.
  [[nodiscard]] duration ttl_of(const service& what, std::size_t services_known) const noexcept;

  void add_to(detail::state_hash& hash, time_point now) const;

private:
  struct offer {
    service what;
    bool withdrawing = false;
    std::uint8_t said = 0;  ///< steps of the burst, or of the goodbyes, that are done
    time_point next;
    time_point started;  ///< when the burst started
    time_point goodbyes_started;
    std::optional<time_point> spoken;  ///< when it was last announced to anybody
  };

  /// A service that was withdrawn a moment ago: when it comes back, it counts as a change, not as new.
  struct departed {
    node_id instance;
    time_point started;
  };

  void start_burst(offer& o, time_point now);
  void forget(std::size_t position, time_point now);
  [[nodiscard]] duration pause_after(const service& what, std::size_t services_known);
  [[nodiscard]] duration interval(std::size_t services_known) const noexcept;

  duration interval_;
  detail::random random_;
  std::vector<offer> offers_;
  std::vector<departed> departed_;
};

}  // namespace artillery::discovery
