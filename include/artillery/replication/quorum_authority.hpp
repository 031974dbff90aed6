#pragma once

#include <asio/any_io_executor.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#include "artillery/detail/async.hpp"
#include "artillery/endpoint.hpp"
#include "artillery/logging.hpp"
#include "artillery/metrics.hpp"
#include "artillery/node_id.hpp"
#include "artillery/replication/authority.hpp"
#include "artillery/replication/types.hpp"

namespace artillery::replication {

/// A voter: a node, and where its `quorum_authority` listens.
struct voter_place {
  node_id node;
  endpoint at;

  friend bool operator==(const voter_place&, const voter_place&) = default;
};

/// How a node takes part in the register of a chain's views. What has a default needs no thought on a local network.
struct quorum_config {
  // --- who ---
  std::string cluster = "default";
  std::uint64_t chain = 1;
  node_id node;  ///< this node, whether it votes or not; no other process may go by it
  /// All voters, this node among them if it is one, in any order; 1 to `view_replicas_max`, best an odd number: of
  /// 2f + 1 voters f may be away. Empty (default): those that the directory knows, or not known yet: then `use_voters`
  /// tells, and the voter here, if there is one, answers all the same. They are fixed when the chain is founded.
  std::vector<voter_place> voters;

  // --- where ---
  /// Where the voter here keeps what it must never forget: a directory of its own, which is made when it is not there.
  /// A chain that keeps its objects in memory needs one, too. Empty (default): this node does not vote.
  std::string directory;
  /// Where this node listens, UDP; port 0 (default): a free one, or, when the directory knows with which port the voter
  /// here was founded, that one: the others look for it there.
  endpoint bind = endpoint::v4(127, 0, 0, 1, 0);
  /// Where the voter's file is written and synced, which blocks for as long as the disk takes (some milliseconds, for
  /// each new ballot): a thread pool's executor, say. None (default): this object's own executor.
  asio::any_io_executor disk;

  // --- how soon ---
  /// What was not answered is said again after this, and then ever more seldom; a round trip and a voter's sync have to
  /// fit in.
  duration resend = std::chrono::milliseconds{30};
  duration resend_max = std::chrono::milliseconds{500};
  /// How long to stay away, about, when another node's attempt came between; longer each time it happens again.
  duration contention = std::chrono::milliseconds{10};
  duration contention_max = std::chrono::milliseconds{500};
  /// When a question to the voters is given up.
  duration patience = std::chrono::seconds{3};

  /// Events kept for a slow consumer; further ones are dropped and counted in one `quorum_overflow`.
  std::size_t events_max = 256;
  log_sink log;

  /// What is wrong, naming the option and its fault; empty when it can be used.
  [[nodiscard]] std::string validate() const;
};

/// The view with which a chain is founded: these replicas, head first, with leases of `lease`. Every node founds with
/// the same.
[[nodiscard]] view first_view(std::uint64_t chain, std::vector<member> replicas,
                              duration lease = std::chrono::seconds{1});

// --- events ---

/// The register cannot be counted on as it is configured. Said once for each voter and reason, and logged as an error.
struct quorum_alarm {
  enum class reason : std::uint8_t {
    other_genesis,    ///< this voter was founded with another first view: the chain was founded twice
    voter_lost,       ///< it is not the voter that was founded: its directory was lost. It never votes again
    voters_disagree,  ///< it was founded with other voters than are configured here
    wrong_node,       ///< the process at a voter's place is another node than is configured there
    disk_failed       ///< this node's own voter could not write: it is silent until this process is started again
  };

  reason why{};
  node_id voter;
  /// A sentence or two for people: what is the matter, and what to do.
  std::string explanation;
};

[[nodiscard]] std::string_view to_string(quorum_alarm::reason reason) noexcept;

/// `lost` events were dropped, because nobody fetched them.
struct quorum_overflow {
  std::uint64_t lost = 0;
};

using quorum_event = std::variant<quorum_alarm, quorum_overflow>;

/// How a node's part in the register stands, at a moment.
struct quorum_status {
  bool is_running = false;
  bool votes = false;         ///< there is a voter here, and its disk has not failed
  std::uint64_t genesis = 0;  ///< which first view the voters hold, as far as this node knows; 0: none yet
  std::uint64_t epoch = 0;    ///< of the view that the voter here accepted last
  /// While it founds: the voters that have not answered yet.
  std::vector<node_id> missing;
};

/// What became of a register that was forced.
struct forced_register {
  view first;        ///< the view with which the new register began: one replica, and one voter, this node
  std::string kept;  ///< the path of what the voter here had to keep for the lost register; empty: nothing

  // A constructor, because g++ 12 destroys owning aggregates twice in the full expression of a `co_await`.
  forced_register() = default;
  forced_register(view begun, std::string beside) : first{std::move(begun)}, kept{std::move(beside)} {}
};

/// What the handle below is a handle of.
class quorum_binding;

/// The authority over a chain's views that needs no other system: a register on 2f + 1 voters (CASPaxos, Rystsov, arXiv
/// 1802.07000), which goes on while f of them are away. Each node of a chain has one; one with a directory votes, and a
/// witness is nothing but that. docs/register.md has the whole of it.
///
///     replication::quorum_authority decides{context.get_executor(), config};
///     decides.async_run(…);                  // owns the socket; until cancelled
///     decides.async_found(first_view(1, replicas), …);   // every time, at every node: it is founded once
///     replication::replica replica{context.get_executor(), replica_config, {}, decides};
///
/// Thread safety: all members may be called from any thread until the destructor begins. Completions run on their
/// handlers' executors, never within the call; the handlers of `read`, `compare_and_swap`, `renew` and `quiet` on this
/// object's strand.
/// Lifetime: it outlives the replica that it was given to. The destructor cancels what is under way, without a word,
/// and gives the directory free as soon as a write under way has ended.
class quorum_authority final : public authority {
public:
  /// Starts nothing yet.
  quorum_authority(asio::any_io_executor executor, quorum_config config);
  ~quorum_authority() override;
  quorum_authority(quorum_authority&& other) noexcept;
  quorum_authority& operator=(quorum_authority&& other) noexcept;

  /// Takes the directory, opens the socket, votes, and asks what it is asked to. After a restart of the process its
  /// voter goes on where it was; one whose directory is empty is new, and takes part in a founding only. Runs once.
  /// Completes: when it is cancelled, or cannot begin.  Signature: void(std::error_code).
  /// Errors: asio::error::operation_aborted (cancelled, or destroyed); errc::invalid_configuration; of the directory,
  /// with nothing changed there and the log saying what to do: errc::directory_in_use, errc::damaged_data (cut short,
  /// edited or rotten), errc::newer_format, errc::foreign_data (another chain's or another node's),
  /// errc::voters_disagree (founded with others than are configured), or what the system says; likewise for the socket,
  /// such as std::errc::address_in_use; errc::already_running; errc::not_running (it has run before);
  /// errc::invariant_broken. That voters do not answer is no error.
  /// Cancellation: total; this node has then stopped voting.
  template <class Token>
  auto async_run(Token&& token) {
    return detail::initiate<void(std::error_code)>(
        std::forward<Token>(token), get_executor(),
        [self = binding_](detail::completion<void(std::error_code)> done) { start_run(self, std::move(done)); });
  }

  /// Waits until this node listens.
  /// Completes: with where, once `async_run` has bound its socket.  Signature: void(std::error_code, endpoint).
  /// Errors: what `async_run` ended with, once it has ended; asio::error::operation_aborted.  Cancellation: total.
  template <class Token>
  auto async_ready(Token&& token) {
    return detail::initiate<void(std::error_code, endpoint)>(
        std::forward<Token>(token), get_executor(),
        [self = binding_](detail::completion<void(std::error_code, endpoint)> done) {
          start_ready(self, std::move(done));
        });
  }

  /// Founds the chain with `first`: every voter must answer, and take it; then it is in force for good. Any number of
  /// nodes do so with the same view, at the same time or at any later one; once founded, a majority of voters suffices.
  /// `first.voters` is filled in.
  /// Completes: with the first view, its voters named in the lives in which they took it.
  /// Signature: void(std::error_code, view).
  /// Errors, with nothing changed at any voter: errc::invalid_argument (no first view of this chain, or it has voters
  /// of its own); errc::other_genesis: voters hold another first view, so somebody founds this chain otherwise (the log
  /// says what to do); errc::already_running (one founding at a time); what `async_run` ended with;
  /// asio::error::operation_aborted.
  /// Cancellation: total, of the waiting: the founding goes on.
  template <class Token>
  auto async_found(view first, Token&& token) {
    return detail::initiate<void(std::error_code, view)>(
        std::forward<Token>(token), get_executor(),
        [self = binding_, first = std::move(first)](detail::completion<void(std::error_code, view)> done) mutable {
          start_found(self, std::move(first), std::move(done));
        });
  }

  /// Founds the register anew, on the vote of this node alone, for a chain whose voters are gone for good but for less
  /// than half: nothing else makes such a chain change again. It is another chain, of another genesis and a far higher
  /// epoch, and begins with what one replica, `survivor`, holds; it is the caller's to know that nobody of the lost
  /// chain holds more, and to see to it that nobody of it serves any more. `known`: the last view of which `survivor`
  /// knew. `reached_at`: where others find the voter here.
  /// First the voters are asked for the newest view, for as long as `quorum_config::patience`.
  /// Completes: when the vote of the new register is on the disk; what the voter had for the lost one stays in a file
  /// beside. Signature: void(std::error_code, forced_register).
  /// Errors, with nothing changed: errc::has_quorum (a majority of the voters answers: there is nothing to force);
  /// errc::stale_epoch (`survivor` is no replica of `known`, or a voter that answered has accepted a later view without
  /// it: its copy may be old); errc::not_serving (no voter here, or this node never knew the register);
  /// errc::other_genesis (the voter here voted on another chain); errc::invalid_argument (no view fits); errc::busy and
  /// errc::would_overflow (try again); errc::already_running (one at a time, and not while it founds); what the disk
  /// says; what `async_run` ended with; errc::not_running. Cancellation: none.
  template <class Token>
  auto async_force(view known, const replica_id& survivor, const endpoint& reached_at, Token&& token) {
    return detail::initiate<void(std::error_code, forced_register)>(
        std::forward<Token>(token), get_executor(),
        [self = binding_, known = std::move(known), survivor,
         reached_at](detail::completion<void(std::error_code, forced_register)> done) mutable {
          start_force(self, std::move(known), survivor, reached_at, std::move(done));
        });
  }

  /// The next event, waiting for one if need be. Each is told to one consumer.
  /// Completes: with it; with the error that `async_run` ended with, once all events were handed out.
  /// Signature: void(std::error_code, quorum_event).  Cancellation: total, nothing is lost.
  template <class Token>
  auto async_next_event(Token&& token) {
    return detail::initiate<void(std::error_code, quorum_event)>(
        std::forward<Token>(token), get_executor(),
        [self = binding_](detail::completion<void(std::error_code, quorum_event)> done) {
          start_next_event(self, std::move(done));
        });
  }

  /// Who the voters are, for an object that was configured without.
  /// Returns: errc::invalid_argument for a list that `quorum_config` does not allow, and nothing has changed. A second
  /// list that differs from the first is dropped with a remark in the log.
  std::error_code use_voters(std::vector<voter_place> voters);
  /// Likewise, but a list that differs replaces the one before: another chain has taken the place of the one it was for
  /// (`async_force`). Only where no replica of the former goes by this object; dropped, with a remark, by a voter that
  /// was founded, which belongs to its chain for ever.
  std::error_code change_voters(std::vector<voter_place> voters);

  // --- authority ---
  /// Beside what `authority` says: errc::timed_out after `quorum_config::patience`, when no majority of voters has
  /// answered; errc::would_overflow when too many questions wait; errc::not_running once it has ended.
  void read(read_handler done) override;
  /// errc::outcome_unknown: no majority has answered in time, or it is not known which attempt of two was chosen.
  void compare_and_swap(std::uint64_t expected, view next, view_handler done) override;
  void renew(const replica_id& who, std::uint64_t epoch, done_handler done) override;
  void quiet(std::uint64_t epoch, const ballot& chosen_in, duration length, std::vector<replica_id> whom,
             quiet_handler done) override;

  [[nodiscard]] quorum_status status() const;
  /// Where this node listens; `none()` before it runs.
  [[nodiscard]] endpoint local_endpoint() const;
  [[nodiscard]] const asio::any_io_executor& get_executor() const noexcept;
  /// Figures as they were after the last datagram, timer or call.
  void metrics(const metric_visitor& visit) const;

private:
  using binding = std::shared_ptr<quorum_binding>;

  static void start_run(const binding& self, detail::completion<void(std::error_code)> done);
  static void start_ready(const binding& self, detail::completion<void(std::error_code, endpoint)> done);
  static void start_found(const binding& self, view first, detail::completion<void(std::error_code, view)> done);
  static void start_force(const binding& self, view known, const replica_id& survivor, const endpoint& reached_at,
                          detail::completion<void(std::error_code, forced_register)> done);
  static void start_next_event(const binding& self, detail::completion<void(std::error_code, quorum_event)> done);

  binding binding_;
};

}  // namespace artillery::replication
