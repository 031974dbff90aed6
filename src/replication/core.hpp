#pragma once

#include <cstdint>
#include <optional>
#include <system_error>

#include "artillery/bytes.hpp"
#include "artillery/clock.hpp"
#include "artillery/effects.hpp"
#include "artillery/replication/store.hpp"
#include "artillery/replication/types.hpp"
#include "base/random.hpp"
#include "replication/local_read.hpp"

namespace artillery::replication {

/// Names a call of the user's until its answer.
using request_id = std::uint64_t;

/// Where a replica's core puts what it wants done.
class core_effects : public effects<event> {
public:
  /// The outcome of `core::read`. On an error the result means nothing.
  virtual void answer(request_id request, std::error_code error, const read_result& result) = 0;
  /// The clock, sampled at this call: the last step of a strong read must not use a time taken before the read.
  [[nodiscard]] virtual time_point sample_clock() = 0;
};

/// What a step of the core works with.
struct turn {
  time_point now;
  store& objects;
  core_effects& out;
};

/// A replica as a pure state machine: positions, view, lease, sessions, log and the index of dirty objects. Objects
/// live in the store of each turn, always the same one. Copyable.
///
/// The driver: `adopt` a view; hand in frames, link changes and calls as they come; after each batch of them call
/// `flush` once and then publish `serving()`; call `expire` at `next_deadline()`, or later.
class core {
public:
  /// `check(config)` must have passed.
  core(const replica_config& config, detail::random random);

  /// What is wrong with a configuration, if anything: `errc::invalid_configuration`.
  [[nodiscard]] static std::error_code check(const replica_config& config) noexcept;

  /// A view that was chosen, with a lease of `lease` counted from `asked_at` (`duration::max()`: endless).
  void adopt(const view& chosen, duration lease, time_point asked_at, const turn& at);

  /// A frame of a stream, whole. The core keeps slices of it.
  void receive(const connection& from, const bytes& frame, const turn& at);
  void link(const connection& which, link_state state, const turn& at);
  void expire(const turn& at);
  /// Sends what the calls since the last flush gathered: records, acknowledgements, watermark questions.
  void flush(const turn& at);
  [[nodiscard]] std::optional<time_point> next_deadline() const;

  /// A read by this process. `answer(request, …)` follows, now or later: no error, `not_serving`, `busy`,
  /// `invalid_argument` (the key), or `timed_out` at `deadline`.
  void read(request_id request, const bytes& key, const consistency& level, std::optional<time_point> deadline,
            const turn& at);
  /// Forgets a read: no answer follows.
  void cancel(request_id request);

  /// What readers on other threads may know; published after every flush.
  [[nodiscard]] serving_state serving() const noexcept;
  [[nodiscard]] replica_status status() const;
  [[nodiscard]] const replica_counters& counters() const noexcept;

  /// A local read that was answered outside the core, for the counters.
  void count_local_read(const consistency& level) noexcept;

  [[nodiscard]] std::uint64_t hash(time_point now) const;
};

}  // namespace artillery::replication
