#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <system_error>
#include <vector>

#include "artillery/bytes.hpp"
#include "artillery/clock.hpp"
#include "artillery/effects.hpp"
#include "artillery/endpoint.hpp"
#include "artillery/sim/faults.hpp"
#include "artillery/sim/happening.hpp"

/// A deterministic world for pure programs: virtual time, a network, disks and clocks with faults, crashes and pauses,
/// all from one seed. The same seed gives the same run, event for event, on every machine and compiler;
/// `world::trace_hash` proves it.
/// Thread safety: none; a world belongs to one thread, and it starts none.
namespace artillery::sim {

/// What runs on a host: a pure program, driven by messages and time. Each of artillery's cores is run through a small
/// adapter of this shape; a user's own protocol can be, too.
///
/// Every `now`, and the deadline, are times of the host's own clock (`world::local_time`).
class program {
public:
  virtual ~program() = default;
  /// Once, before `start`: what the host's disk gives back, one record per `persist` in order; their bytes, one after
  /// another, are those of the file. Empty when nothing was ever persisted. Records that had not completed before a
  /// crash may come back whole, cut short, with sectors of zeros in them, empty, or not at all; any may have rotted: a
  /// program that means it keeps a checksum in each.
  /// Returns how many of them it goes on from: the rest is cut off, and what it persists follows.
  virtual std::size_t recover(const std::vector<bytes>& records) { return records.size(); }
  /// Once, when its host comes up (again).
  virtual void start(time_point now, network_effects& out) = 0;
  virtual void receive(const connection& from, const bytes& message, time_point now, network_effects& out) = 0;
  virtual void link(const connection& /*which*/, link_state /*state*/, time_point /*now*/, network_effects& /*out*/) {}
  /// The end of a `persist`, in the order in which they were asked for. No error: it is durable.
  virtual void completed(artillery::operation /*op*/, std::error_code /*error*/, time_point /*now*/,
                         network_effects& /*out*/) {}
  /// At or after `next_deadline()`; an early call does nothing.
  virtual void expire(time_point /*now*/, network_effects& /*out*/) {}
  [[nodiscard]] virtual std::optional<time_point> next_deadline() const { return std::nullopt; }
};

class world {
public:
  explicit world(std::uint64_t seed, const link_faults& faults = {});
  ~world();
  world(world&&) noexcept;
  world& operator=(world&&) noexcept;

  /// The true time: no host's clock, which may drift.
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

  // --- faults of processes and machines ---
  /// The process dies: everything in it is lost, its streams break at the other ends after the usual delay, its disk
  /// keeps what `disk_faults` says.
  void crash(host which);
  /// The machine dies: as `crash`, but the other ends hear nothing and find out by themselves.
  void power_off(host which);
  /// The process dies in the midst of its work: what it does from that point on has no effect, and `is_up` is false
  /// from then on, while its last input is still being handled, too. `then` runs right after it. Void when the host
  /// goes down before; another call replaces it.
  void crash_at_event(host which, const crash_point& when, std::function<void()> then = {});
  /// A crashed host comes back with a new program, at the same endpoint, with its disk.
  void restart(host which, std::unique_ptr<program> what);
  /// The process is stopped (SIGSTOP): nothing reaches it; all that was held arrives, in order, when it is resumed.
  void pause(host which);
  void resume(host which);
  /// The machine sleeps for `length`: nothing runs on it while its clock goes on, and all that came meanwhile arrives
  /// afterwards. A longer one replaces a shorter one; `resume` does not end it.
  void suspend(host which, duration length);
  [[nodiscard]] bool is_up(host which) const noexcept;
  /// Paused or suspended.
  [[nodiscard]] bool is_paused(host which) const noexcept;

  // --- faults of clocks ---
  /// From now on the host's clock gains `ppm` millionths (negative: loses), at most 1,000. It never jumps.
  void set_clock_drift(host which, std::int32_t ppm);
  /// What the host's clock shows now: `now()` as long as none drifts.
  [[nodiscard]] time_point local_time(host which) const noexcept;
  /// What the host takes for the time of day; it is as fast as the host's clock, and unlike that may be stepped.
  [[nodiscard]] std::chrono::sys_time<duration> wall_clock(host which) const noexcept;
  void step_wall_clock(host which, duration by);

  // --- faults of the network ---
  /// Nothing from `from` reaches `to` (one way) until healed. Datagrams are lost; streams stall, and break after
  /// `stream_timeout`.
  void cut(host from, host to);
  void mend(host from, host to);
  /// Cuts both ways between every host of `one_side` and every other host, `bridge` excepted, who sees both sides.
  void partition(const std::vector<host>& one_side, std::optional<host> bridge = {});
  /// Cuts both ways between a host and every other.
  void isolate(host which);
  /// Draws for every host on which side of a partition it is; returns one side (which may be empty, or all).
  std::vector<host> split();
  /// Holds back everything from `from` to `to` (one way); `unclog` lets it arrive at once and in order.
  void clog(host from, host to);
  void unclog(host from, host to);
  /// Mends every cut, and unclogs everything.
  void heal();
  /// Replaces the faults of every link that has none of its own.
  void set_faults(const link_faults& faults);
  /// Replaces the faults of one directed link.
  void set_faults(host from, host to, const link_faults& faults);
  /// How long a stream may stall behind a cut or a dead machine before it breaks. Default 10 s.
  void set_stream_timeout(duration timeout);
  void set_stream_limits(const stream_limits& limits);
  /// A message that nobody sent reaches `to` now: a datagram from any endpoint, or a frame of a stream that it has.
  void inject(host to, const connection& from, bytes message);

  // --- disks ---
  /// Replaces the faults of every disk that has none of its own.
  void set_disk_faults(const disk_faults& faults);
  void set_disk_faults(host which, const disk_faults& faults);
  /// What is durable on a host's disk, record by record: a copy to put back later.
  [[nodiscard]] std::vector<bytes> disk(host which) const;
  /// Gives a host that is down another disk: an older copy, somebody else's, or (with no records) an empty one.
  void set_disk(host which, const std::vector<bytes>& records);

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
  /// Tells `watch` of all that happens from now on, to be printed, say. It must not touch the world, and the run is the
  /// same with it or without; an empty one ends it.
  void watch(watcher watch);

private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace artillery::sim
