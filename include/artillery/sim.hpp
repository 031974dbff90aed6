#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "artillery/bytes.hpp"
#include "artillery/clock.hpp"
#include "artillery/effects.hpp"
#include "artillery/endpoint.hpp"

/// A deterministic world for pure programs: virtual time, a network with faults, crashes and pauses, all from one seed.
/// The same seed gives the same run, event for event, on every machine and compiler; `world::trace_hash` proves it.
/// Thread safety: none; a world belongs to one thread, and it starts none.
namespace artillery::sim {

/// What runs on a host: a pure program, driven by messages and time. Each of artillery's cores is run through a small
/// adapter of this shape; a user's own protocol can be, too.
class program {
public:
  virtual ~program() = default;
  /// Once, when its host comes up (again).
  virtual void start(time_point now, network_effects& out) = 0;
  virtual void receive(const connection& from, const bytes& message, time_point now, network_effects& out) = 0;
  virtual void link(const connection& /*which*/, link_state /*state*/, time_point /*now*/, network_effects& /*out*/) {}
  virtual void completed(operation /*op*/, time_point /*now*/, network_effects& /*out*/) {}
  /// At or after `next_deadline()`; an early call does nothing.
  virtual void expire(time_point /*now*/, network_effects& /*out*/) {}
  [[nodiscard]] virtual std::optional<time_point> next_deadline() const { return std::nullopt; }
};

/// How one directed way between two hosts behaves. Shares are in thousandths.
struct link_faults {
  duration delay_min = std::chrono::microseconds{100};  ///< every message takes at least this
  duration delay_mean =
      std::chrono::microseconds{200};  ///< and on top of it an exponentially distributed time of this mean
  std::uint32_t loss = 0;              ///< datagrams lost
  std::uint32_t duplication = 0;       ///< datagrams that arrive twice
  std::uint32_t reorder = 0;           ///< datagrams that take `reorder_delay` longer (at most; uniform)
  duration reorder_delay = std::chrono::milliseconds{20};
  std::uint32_t stream_reset = 0;     ///< stream frames at which the stream breaks instead
  std::uint32_t corruption = 0;       ///< datagrams in which one bit is flipped
  std::size_t datagram_max = 65'507;  ///< larger datagrams are dropped
};

/// Figures of a run: what was reached. They only grow.
struct world_counters {
  std::uint64_t events = 0;  ///< steps of the world: deliveries, timers, calls, faults
  std::uint64_t datagrams_sent = 0;
  std::uint64_t datagram_bytes_sent = 0;
  std::uint64_t datagrams_lost = 0;  ///< by loss, partition, crash or size
  std::uint64_t datagrams_duplicated = 0;
  std::uint64_t frames_sent = 0;
  std::uint64_t frame_bytes_sent = 0;
  std::uint64_t streams_opened = 0;
  std::uint64_t streams_broken = 0;
  std::uint64_t crashes = 0;
  std::uint64_t pauses = 0;
};

/// Names a host of a world, in the order in which they were added.
using host = std::size_t;

class world {
public:
  explicit world(std::uint64_t seed, const link_faults& faults = {});
  ~world();
  world(world&&) noexcept;
  world& operator=(world&&) noexcept;

  [[nodiscard]] time_point now() const noexcept;

  /// Adds a host that listens at `at` (which must be free) and starts `what` on it at once. The world keeps the
  /// program.
  host add(const endpoint& at, std::unique_ptr<program> what);
  /// The program on a host; null while the host is down. For looking at it; to give it input use `call`.
  [[nodiscard]] program* running(host which) noexcept;
  [[nodiscard]] const endpoint& at(host which) const noexcept;
  [[nodiscard]] std::size_t hosts() const noexcept;

  /// Runs `input` on a host's program now, as its user would call it. Does nothing, and says so by false, when the host
  /// is down. While it is paused the call waits with the rest of its input.
  bool call(host which, std::function<void(program&, time_point, network_effects&)> input);

  // --- faults ---
  /// The process dies: everything in it is lost, its streams break at the other ends after the usual delay.
  void crash(host which);
  /// The machine dies: as `crash`, but the other ends hear nothing and find out by themselves.
  void power_off(host which);
  /// A crashed host comes back with a new program, at the same endpoint.
  void restart(host which, std::unique_ptr<program> what);
  /// The process is stopped (SIGSTOP): nothing reaches it; all that was held arrives, in order, when it is resumed.
  void pause(host which);
  void resume(host which);
  [[nodiscard]] bool is_up(host which) const noexcept;
  [[nodiscard]] bool is_paused(host which) const noexcept;

  /// Nothing from `from` reaches `to` (one way) until healed. Datagrams are lost; streams stall, and break after
  /// `stream_timeout`.
  void cut(host from, host to);
  void mend(host from, host to);
  /// Cuts both ways between every host of `one_side` and every other host.
  void partition(const std::vector<host>& one_side);
  /// Mends every cut.
  void heal();
  /// Replaces the faults of every link that has none of its own.
  void set_faults(const link_faults& faults);
  /// Replaces the faults of one directed link.
  void set_faults(host from, host to, const link_faults& faults);
  /// How long a stream may stall behind a cut or a dead machine before it breaks. Default 10 s.
  void set_stream_timeout(duration timeout);

  // --- time ---
  /// Runs `what` at `when` (now, if that is past): for faults and load that come at a time.
  void schedule(time_point when, std::function<void()> what);
  /// The next event; false when there is none.
  bool step();
  /// Runs all events up to now + `length` and moves the time there.
  void run_for(duration length);
  /// Runs until `done` holds after an event, or until `deadline` has passed since now; whether it holds.
  bool run_until(const std::function<bool()>& done, duration deadline);

  // --- determinism ---
  /// A seed of its own for every name: new draws under one name do not shift another's.
  [[nodiscard]] std::uint64_t seed_for(std::string_view name) const noexcept;
  /// Folds every event so far (time, kind, host, bytes). Equal seeds give equal hashes.
  [[nodiscard]] std::uint64_t trace_hash() const noexcept;
  /// Folds a fact of the user's (an operation's result, say) into the trace.
  void note(std::string_view what, std::uint64_t value);
  [[nodiscard]] const world_counters& counters() const noexcept;

private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace artillery::sim
