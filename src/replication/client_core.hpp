#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <system_error>
#include <vector>

#include "artillery/bytes.hpp"
#include "artillery/clock.hpp"
#include "artillery/effects.hpp"
#include "artillery/replication/types.hpp"
#include "base/backoff.hpp"
#include "base/indexed.hpp"
#include "base/random.hpp"
#include "replication/links.hpp"
#include "replication/message.hpp"

namespace artillery::replication {

/// Names a call of the user's until its answer.
using request_id = std::uint64_t;

/// The client's own request for a session; no call of the user's has this id.
inline constexpr request_id session_request = static_cast<request_id>(-1);

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
            const session_token& after, std::optional<time_point> deadline, time_point now, client_effects& out);
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

private:
  enum class phase : std::uint8_t {
    queued,   // waits for a place in flight
    sent,     // until the answer or `act_at`
    resting,  // until `act_at`, then sent again
    parked    // until a link that it can use opens, or (a write) until there is room: see `unsent_`
  };
  /// A call of the user's that is not answered yet.
  struct operation {
    request_id key = 0;
    bool is_read = false;
    phase state = phase::queued;
    bytes object;
    consistency level;             // of a read
    routing where;                 // of a read
    session_token after;           // of a read
    bool only_head_knows = false;  // of a read: whether its token is void
    replication::write what;       // of a write
    std::uint32_t checksum = 0;    // of its value
    std::uint64_t session = 0;     // of a write that was sent
    std::uint64_t number = 0;      // likewise; 0: never sent
    std::uint32_t attempts = 0;
    std::uint64_t stream = 0;  // of the last attempt
    std::optional<time_point> deadline;
    time_point act_at = time_point::max();
    detail::backoff rest;
  };
  struct peer {
    node_id node;  // none before the view is known, and of a contact
    outgoing_link link;
    replica_id greeted;  // who welcomed it, while it is open
  };
  struct alarm {
    time_point when;
    request_id request = 0;
  };

  // client_core.cpp: links, view, session
  [[nodiscard]] peer* peer_of(std::uint64_t stream) noexcept;
  [[nodiscard]] peer* head() noexcept;
  void tend(peer& which, time_point now, client_effects& out);
  void lost(peer& which, time_point now, client_effects& out);
  void drop(peer& which, time_point now, client_effects& out);
  void malformed(peer& which, time_point now, client_effects& out);
  void welcomed(peer& which, const bytes& frame, time_point now, client_effects& out);
  /// The chain is not the one that was known: its view, and the session with it, mean nothing any more.
  void forget_chain(time_point now, client_effects& out);
  void replace_peers(std::vector<peer> next, time_point now, client_effects& out);
  void ask_view(const peer& which, client_effects& out);
  /// Something is not as the view says: whoever can be asked for a newer one is asked, if views change at all.
  void doubt_view(time_point now, client_effects& out);
  [[nodiscard]] bool is_idle_contact(const peer& which) const noexcept;
  void adopt(const bytes& frame, time_point now, client_effects& out);
  void open_session(time_point now, client_effects& out);
  void session_answered(const write_reply& reply, time_point now);
  [[nodiscard]] bool watched() const noexcept;
  void send(const peer& to, client_effects& out);

  // client_requests.cpp: operations
  void submit(operation op, time_point now, client_effects& out);
  void pump(time_point now, client_effects& out);
  void pump_reads(time_point now, client_effects& out);
  void pump_writes(time_point now, client_effects& out);
  [[nodiscard]] peer* route(const operation& op);
  [[nodiscard]] bool has_room(const operation& write) const noexcept;
  void become(operation& op, phase next) noexcept;
  [[nodiscard]] bool is_unlisted(const operation& op) const noexcept;
  void send_read(operation& op, time_point now, client_effects& out);
  void send_write(operation& op, time_point now, client_effects& out);
  void sent(operation& op, const peer& to, time_point now);
  void read_answered(peer& from, const bytes& frame, time_point now, client_effects& out);
  void write_answered(peer& from, const bytes& frame, time_point now, client_effects& out);
  void only_head_knows(operation& op, time_point now, client_effects& out);
  void refused(operation& op, reply_status status, const peer& from, time_point now, client_effects& out);
  void session_gone(operation& op, time_point now, client_effects& out);
  void requeue(operation& op);
  void unpark(time_point now, client_effects& out);
  void act(operation& op, time_point now, client_effects& out);
  void arm(operation& op, time_point when);
  void give_up(operation& op, client_effects& out);
  void finish(request_id request);
  void settle(std::uint64_t session, std::uint64_t number);
  void tidy(std::deque<request_id>& queue, bool of_reads);

  client_config config_;
  std::uint32_t cluster_;
  detail::random random_;

  replication::view view_;
  std::vector<peer> peers_;  // of the view, head first; then contacts: those of the configuration that are not in it
  time_point views_asked_at_ = time_point::min();
  bool doubts_view_ = false;  // it is asked for again and again, until something is answered
  std::uint64_t next_stream_ = 1;
  std::size_t next_turn_ = 0;  // of routing::round_robin
  bool running_ = false;

  enum class session_state : std::uint8_t { none, opening, open };
  session_state session_state_ = session_state::none;
  std::uint64_t session_ = 0;
  time_point session_act_at_ = time_point::min();  // none: may be opened from then on
  detail::backoff session_rest_;
  std::uint64_t next_number_ = 1;
  std::uint64_t lowest_ = 1;  // lowest number that is not settled
  std::deque<bool> settled_;  // of numbers from `lowest_` on

  detail::indexed<operation, detail::number_hash> operations_;
  std::deque<request_id> read_queue_;  // may hold ids that are no longer queued: see tidy
  std::deque<request_id> write_queue_;
  std::deque<request_id> unsent_;  // parked writes that only lack room; may hold ids of what is over
  std::size_t queued_ = 0;
  std::size_t reads_in_flight_ = 0;
  std::size_t writes_in_flight_ = 0;
  std::size_t write_bytes_in_flight_ = 0;  // of writes in phase `sent`
  std::vector<alarm> alarms_;              // a heap; may hold alarms that no longer count

  client_counters counters_;
  frame scratch_;  // no state: memory for the frame being made
};

}  // namespace artillery::replication
