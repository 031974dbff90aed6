#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "artillery/bytes.hpp"
#include "artillery/clock.hpp"
#include "artillery/effects.hpp"
#include "replication/register_message.hpp"
#include "replication/voter_state.hpp"

namespace artillery::replication {

struct acceptor_counters {
  std::uint64_t promises = 0;
  std::uint64_t accepts = 0;
  std::uint64_t refusals = 0;  ///< of a ballot below the promise
  std::uint64_t renewals = 0;  ///< yeses
  std::uint64_t renewals_refused = 0;
  std::uint64_t reports = 0;
  std::uint64_t strangers = 0;  ///< questions to another voter, or of another genesis
  std::uint64_t malformed = 0;
  std::uint64_t other_chain = 0;
  std::uint64_t overflows = 0;  ///< questions dropped, since too many waited for the disk
};

/// A voter of the register (the acceptor of CASPaxos, arXiv 1802.07000) as a pure state machine. Copyable.
///
/// It holds one promise and one accepted view. Nothing that tells of either leaves before the disk has it: each change
/// goes out as a `persist` of the whole voter's file (`encode_voter`), and the answers wait for its `completed`. After
/// a persist that failed it is silent for good, since what the disk holds is not known any more (R13).
///
/// Beside that it says to replicas whether their epoch is still the one that it accepted (R6), and to a new tail how
/// long it has said so to nobody of an older epoch (R8). Moments are those of its own clock, which must count suspended
/// time.
class acceptor {
public:
  /// Questions that may wait for the disk; further ones are dropped, and asked again by who needs them.
  static constexpr std::size_t waiting_max = 256;

  /// `durable` is what the disk holds for certain; the process started at `started`.
  acceptor(std::uint32_t cluster, voter_state durable, time_point started);

  void receive(const connection& from, bytes_view datagram, time_point now, network_effects& out);
  /// Persists complete in the order in which they were asked for.
  void completed(operation op, std::error_code error, time_point now, network_effects& out);

  /// The newest state, which the disk may not have yet.
  [[nodiscard]] const voter_state& state() const noexcept { return state_; }
  [[nodiscard]] bool is_silent() const noexcept { return is_silent_; }
  /// All that was persisted has completed.
  [[nodiscard]] bool is_settled() const noexcept { return durable_ == last_; }
  [[nodiscard]] std::size_t waiting() const noexcept { return waiting_.size(); }
  [[nodiscard]] const acceptor_counters& counters() const noexcept { return counters_; }
  [[nodiscard]] std::uint64_t hash(time_point now) const;

private:
  /// Something to say once the disk has all up to `after`: an answer, or one that is still to be made then.
  struct waiting_answer {
    operation after = 0;
    connection to;
    register_request question;
    std::optional<register_reply> answer;  // none: the question is answered then, as if it came then
  };
  /// When it last said yes to a replica, of `epoch`.
  struct last_yes {
    replica_id who;
    std::uint64_t epoch = 0;
    time_point at;
  };
  /// Replicas and epochs that are told apart; what is older counts as said to everybody.
  static constexpr std::size_t yeses_max = 2 * view_replicas_max;

  void take(const connection& from, register_request question, time_point now, network_effects& out);
  [[nodiscard]] voter_verdict fence(const register_request& question) const noexcept;
  void found(const register_request& question, register_reply& answer);
  void prepare(const register_request& question, register_reply& answer);
  void accept(const register_request& question, register_reply& answer);
  void renew(const register_request& question, register_reply& answer, time_point now);
  void report(const register_request& question, register_reply& answer, time_point now);
  void note_yes(const replica_id& who, std::uint64_t epoch, time_point now);
  [[nodiscard]] duration quiet_before(std::uint64_t epoch, const std::vector<replica_id>& whom,
                                      time_point now) const noexcept;
  [[nodiscard]] register_reply reply_to(const register_request& question) const;
  void changed() noexcept { is_changed_ = true; }
  void persist(network_effects& out);
  void send(const connection& to, const register_reply& answer, network_effects& out);

  std::uint32_t cluster_;
  voter_state state_;
  time_point started_;
  std::vector<last_yes> yeses_;               // moments ascend
  time_point forgotten_ = time_point::min();  // the latest yes that is not among them any more
  operation last_ = 0;                        // newest persist asked for
  operation durable_ = 0;                     // newest that completed
  std::deque<waiting_answer> waiting_;
  bool is_changed_ = false;  // in the question at hand
  bool is_silent_ = false;
  acceptor_counters counters_;
  std::vector<std::byte> scratch_;  // no state: memory for the datagram being made
};

}  // namespace artillery::replication
