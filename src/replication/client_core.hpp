#pragma once

#include <cstdint>
#include <optional>
#include <system_error>

#include "artillery/bytes.hpp"
#include "artillery/clock.hpp"
#include "artillery/effects.hpp"
#include "artillery/replication/types.hpp"
#include "base/random.hpp"

namespace artillery::replication {

/// Names a call of the user's until its answer.
using request_id = std::uint64_t;

/// Where a client's core puts what it wants done.
class client_effects : public network_effects {
public:
  /// The outcome of a read. On an error the result means nothing.
  virtual void answer(request_id request, std::error_code error, const read_result& result) = 0;
  /// The outcome of a write, likewise.
  virtual void answer(request_id request, std::error_code error, const write_result& result) = 0;
};

/// A client of a chain as a pure state machine: it finds the view, opens a session, numbers and pipelines writes to the
/// head, routes reads, and tries again until the deadline. Copyable.
///
/// Operations under way at the same time have no order among them, also when one client asks for them one after the
/// other. Errors of both kinds of operation: `invalid_argument` (an empty or too long key), `too_large`,
/// `would_overflow` (the queue is full): at once, and nothing changed. `timed_out`: no answer by the deadline; of a
/// write it says that no attempt was ever sent. Of a write also `outcome_unknown`: it may or may not have happened.
class client_core {
public:
  /// `check(config)` must have passed.
  client_core(const client_config& config, detail::random random);
  [[nodiscard]] static std::error_code check(const client_config& config) noexcept;

  /// Begins to look for the view. Calls made before wait.
  void start(time_point now, client_effects& out);

  void read(request_id request, const bytes& key, const consistency& level, const routing& where,
            std::optional<time_point> deadline, time_point now, client_effects& out);
  void write(request_id request, const replication::write& what, std::optional<time_point> deadline, time_point now,
             client_effects& out);
  /// Forgets a call: no answer follows; a write that was sent may still happen.
  void cancel(request_id request, time_point now, client_effects& out);
  /// Gives up all calls (`timed_out`, or `outcome_unknown`), ends the session if there is one, and closes all links.
  void stop(time_point now, client_effects& out);

  void receive(const connection& from, const bytes& frame, time_point now, client_effects& out);
  void link(const connection& which, link_state state, time_point now, client_effects& out);
  void expire(time_point now, client_effects& out);
  [[nodiscard]] std::optional<time_point> next_deadline() const;

  [[nodiscard]] const client_counters& counters() const noexcept;
  /// The view that operations go by; epoch 0 before the first one was heard of.
  [[nodiscard]] const replication::view& view() const noexcept;
  [[nodiscard]] std::uint64_t hash(time_point now) const;
};

}  // namespace artillery::replication
