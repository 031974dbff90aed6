#pragma once

#include <asio/any_io_executor.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "artillery/bytes.hpp"
#include "artillery/detail/async.hpp"
#include "artillery/metrics.hpp"
#include "artillery/node/types.hpp"
#include "artillery/replication.hpp"

namespace artillery {

namespace discovery {
class beacon;
}
namespace membership {
class cluster;
}

/// The type under which nodes announce themselves, and its protocol.
inline constexpr std::string_view node_service_type = "artillery-node";
inline constexpr std::string_view node_service_protocol = "artillery";

/// What `node` does with what discovery finds, for those who compose the modules themselves: every endpoint that
/// `beacon` reports as found or updated, of whatever type it browses for, becomes a seed of `cluster`. It takes all
/// events of the beacon.
/// Completes: when it is cancelled, or with what the beacon ended with.  Signature: void(std::error_code).
/// Cancellation: all kinds.
/// Lifetime: both objects stay where they are until it completes: cancel it, or end the beacon's `async_run`, first.
template <class Token>
auto async_feed_seeds(discovery::beacon& beacon, membership::cluster& cluster, Token&& token);

/// Likewise from membership to replication: what `cluster` reports of a node is a hint to `replica`, whose
/// `replica_config::self` goes by the cluster's node ids. It takes all events of the cluster; who needs them too pulls
/// them and calls `give_hint` with each. Completes: when it is cancelled, or with what the cluster ended with.
/// Signature: void(std::error_code). Cancellation: all kinds. Lifetime: both objects stay where they are until it
/// completes: cancel it, or end the cluster's `async_run`, first.
template <class Token>
auto async_feed_hints(membership::cluster& cluster, replication::replica& replica, Token&& token);

/// The same for one event; one that says nothing of a node's life does nothing. Any thread.
void give_hint(const membership::event& what, replication::replica& replica);

namespace detail {

/// What a `node` is a handle of; the operations go on in src/node.
class node_impl;
[[nodiscard]] const asio::any_io_executor& executor_of(const node_impl& node) noexcept;

using done_signature = void(std::error_code);
using event_signature = void(std::error_code, node_event);
using query_signature = void(std::error_code, std::uint64_t);
using progress_signature = void(std::error_code, membership::query_progress);
using read_signature = void(std::error_code, replication::read_result);
using write_signature = void(std::error_code, replication::write_result);
using force_signature = void(std::error_code, forced_chain);

void start_run(const std::shared_ptr<node_impl>& node, completion<done_signature> done);
void start_next_event(const std::shared_ptr<node_impl>& node, completion<event_signature> done);
void start_leave(const std::shared_ptr<node_impl>& node, std::string reason, completion<done_signature> done);
void start_broadcast(const std::shared_ptr<node_impl>& node, std::string topic, bytes payload,
                     completion<done_signature> done);
void start_send(const std::shared_ptr<node_impl>& node, const node_id& to, std::string topic, bytes payload,
                const membership::send_options& how, completion<done_signature> done);
void start_query(const std::shared_ptr<node_impl>& node, std::string topic, bytes payload,
                 membership::query_options options, completion<query_signature> done);
void start_next_answer(const std::shared_ptr<node_impl>& node, std::uint64_t query,
                       completion<progress_signature> done);
void start_answer(const std::shared_ptr<node_impl>& node, membership::query asked, bytes payload,
                  completion<done_signature> done);
void start_read(const std::shared_ptr<node_impl>& node, bytes key, replication::consistency level, call_options options,
                completion<read_signature> done);
void start_write(const std::shared_ptr<node_impl>& node, replication::write what, call_options options,
                 completion<write_signature> done);
void start_change_chain(const std::shared_ptr<node_impl>& node, replication::view_change what, call_options options,
                        completion<done_signature> done);

void start_force_chain(const std::shared_ptr<node_impl>& node, completion<force_signature> done);

void start_feed_seeds(discovery::beacon& beacon, membership::cluster& cluster, completion<done_signature> done);
[[nodiscard]] asio::any_io_executor executor_of(const discovery::beacon& beacon);
[[nodiscard]] asio::any_io_executor executor_of(const membership::cluster& cluster);
void start_feed_hints(membership::cluster& cluster, replication::replica& replica, completion<done_signature> done);

}  // namespace detail

/// A ready-made cluster node: finds others (discovery), knows who is there (membership) and shares data with them
/// (replication).
///
///     artillery::node node{executor, {.cluster = "orders", .expect = 3}};
///     node.async_run(…);                                       // owns all background work
///     co_await node.async_put("limit", "100", use_awaitable);  // waits until the chain is formed
///
/// How the chain is formed, and what happens when a node dies: docs/node.md.
///
/// Thread safety: every member function may be called from any thread, at any time before the destructor begins.
/// Handlers run on their associated executor; the default is the node's.
/// Cancellation: every operation takes part in per-operation cancellation; what that means is said at each.
/// The destructor cancels all operations (`asio::error::operation_aborted`), closes all sockets, and may run at any
/// moment, also inside a handler. It does not take leave of the others; see `async_leave`. What was moved from can only
/// be destroyed or assigned to.
class node {
public:
  using executor_type = asio::any_io_executor;

  /// A wrong configuration shows when the node is run.
  node(asio::any_io_executor executor, node_config config);
  node(node&& other) noexcept;
  node& operator=(node&& other) noexcept;
  ~node();

  [[nodiscard]] executor_type get_executor() const noexcept;

  // --- life ---

  /// Binds the sockets, joins, forms or finds the chain, and goes on until it is cancelled.
  /// Completes: with `operation_aborted` when it was cancelled, by its token or by the destructor; with no error after
  /// `async_leave`; with `errc::invalid_configuration` (nothing was started; the log sink is told what is wrong) or the
  /// system's reason why a socket could not be bound; with `errc::invariant_broken`, a bug. Nothing that can pass, such
  /// as a peer or an interface that is down, ends it.  Signature: void(std::error_code).
  /// Runs once: `errc::already_running` while it runs, `errc::not_running` after it has ended.
  /// Cancellation: all kinds stop the node for good.
  template <class Token>
  auto async_run(Token&& token);

  /// The next fact, waiting for one when there is none. Facts are kept for one consumer, up to `events_max`.
  /// Completes: with the fact; with why the node ended (`operation_aborted` if it was cancelled or left) once it has
  /// and what was kept has been handed out.  Signature: void(std::error_code, node_event).
  /// Cancellation: all kinds; no fact is lost.
  template <class Token>
  auto async_next_event(Token&& token);

  /// Goes in good order: withdraws the announcement, tells the other members, with the `reason`, and ends `async_run`.
  /// Completes: when the word is out, or after `membership::config::leave_timeout`; with `errc::not_running` if the
  /// node does not run, `errc::too_large` if the reason is above `membership::leave_reason_size_max`: nothing was
  /// done.  Signature: void(std::error_code).
  /// Cancellation: all kinds; the wait is given up, the leaving is not.
  template <class Token>
  auto async_leave(std::string reason, Token&& token);
  /// Likewise, without a reason.
  template <class Token>
  auto async_leave(Token&& token);

  // --- membership ---

  /// All known members, this node included once it runs, ascending by id; the dead ones as long as they are remembered.
  [[nodiscard]] std::vector<membership::member> members() const;
  /// This node as the others know it; without an address before it is up.
  [[nodiscard]] membership::member self() const;
  /// One more address to join through, as `membership::cluster::add_seed`; before `async_run`, it waits for that.
  /// Errors: `errc::invalid_argument` (no port), `errc::not_running` (the configuration is wrong).
  std::error_code add_seed(const endpoint& seed);
  /// The same by name, as `membership::cluster::add_seed` takes it.
  std::error_code add_seed(std::string_view name);
  /// Replaces this node's own tags (`node_config::tags`); the others report `membership::updated`.
  /// Errors, with nothing changed: `errc::invalid_argument` (one of the keys that chains use), `errc::too_large` (above
  /// `node_config::tags_size_max`), `errc::not_running` (the configuration is wrong).
  std::error_code set_tags(membership::tag_map tags);

  // What members say to each other comes as `membership::user_event`, `message` and `query` through `async_next_event`.
  // Topics that begin with `node_config::own_topics` are refused (`errc::invalid_argument`). What is under way when the
  // node ends completes with `operation_aborted`.

  /// Sends an event to all other members; each delivers it at most once, see `membership::user_event`.
  /// Completes: when it is on its way; where many are under way, it waits for room, as
  /// `membership::cluster::async_broadcast` does.  Signature: void(std::error_code).  Errors: `errc::invalid_argument`
  /// (the topic), `errc::too_large`, `errc::would_overflow`, `errc::not_running`, `errc::has_left`; nothing was sent.
  /// Cancellation: all kinds, before it is on its way.
  template <class Token>
  auto async_broadcast(std::string topic, bytes payload, Token&& token);

  /// Sends a message to one other member, which is given it at most once: reliably, or as well as one datagram goes.
  /// Reliable messages to one member arrive in the order in which they were sent.
  /// Completes: a reliable one when the member has it in its queue of events, another when it is on its way.
  /// Signature: void(std::error_code).
  /// Errors: `errc::unknown_member` (nobody of that id is present; if it went meanwhile, nothing was sent to it),
  /// `errc::invalid_argument` (the topic, or to this node itself), `errc::too_large` (above
  /// `membership::config::message_size_max`, of a best-effort one above a datagram), `errc::would_overflow`,
  /// `errc::not_running`, `errc::has_left`: nothing was sent. `errc::timed_out`, `errc::outcome_unknown` (the member is
  /// gone): it may or may not have arrived.
  /// Cancellation: all kinds, of the waiting: what was to be sent still is.
  template <class Token>
  auto async_send(const node_id& to, std::string topic, bytes payload, membership::send_options how, Token&& token);

  /// Asks all other members, or those that `options` names: they are told a `membership::query` and may answer it. A
  /// query of `node_config::ping_topic` is answered by every node itself.
  /// Completes: when the question is on its way, with a number by which its answers are fetched (`async_next_answer`)
  /// to the end, or it is given up (`drop_query`).  Signature: void(std::error_code, std::uint64_t query).
  /// Errors: `errc::invalid_argument` (the topic, or a timeout out of its range), `errc::too_large` (the payload and
  /// what `options` names do not go into a datagram), `errc::would_overflow` (also above
  /// `membership::config::queries_max`), `errc::not_running`, `errc::has_left`; nothing was asked.
  /// Cancellation: none: it completes at once.
  template <class Token>
  auto async_query(std::string topic, bytes payload, membership::query_options options, Token&& token);

  /// What a query of this node's came to next.
  /// Completes: with each `membership::answer`, at most one of a member, and then with the `membership::query_end`,
  /// when all have answered or the time is over.  Signature: void(std::error_code, membership::query_progress).
  /// Errors: `errc::invalid_argument` (no such query, or its end was fetched, or it was given up), `errc::not_running`.
  /// Cancellation: all kinds; nothing is lost.
  template <class Token>
  auto async_next_answer(std::uint64_t query, Token&& token);
  /// Gives up a query: no further answers of it are kept.
  void drop_query(std::uint64_t query);

  /// Answers a query that was reported here, once.
  /// Completes: when the answer is on its way.  Signature: void(std::error_code).
  /// Errors: `errc::timed_out` (its time is over, or the answer has arrived), `errc::invalid_argument` (it is answered
  /// already), `errc::too_large` (above `membership::config::message_size_max`), `errc::unknown_member` (the asker is
  /// gone), `errc::would_overflow`, `errc::not_running`, `errc::has_left`; nothing was sent.
  /// Cancellation: none: it completes at once.
  template <class Token>
  auto async_answer(membership::query asked, bytes payload, Token&& token);

  // --- data ---
  //
  // Reads and writes made before the chain is formed wait for it, at most until their timeout. Errors of all of them:
  // errc::invalid_argument (key or timeout), errc::would_overflow (too many wait), errc::timed_out (of a write: no
  // attempt was ever sent), errc::not_serving (the chain's forming ended in a conflict), errc::not_running: nothing
  // changed. Of a read also errc::token_void. Of a write also errc::too_large (nothing changed), and
  // errc::outcome_unknown: it may or may not have happened. Cancellation: all kinds; a write that was sent may still
  // happen.

  /// Signature: void(std::error_code, replication::read_result). "Absent" is a result, not an error.
  template <class Token>
  auto async_read(bytes key, replication::consistency level, Token&& token);
  template <class Token>
  auto async_read(bytes key, replication::consistency level, call_options options, Token&& token);

  /// Completes: once every replica of the chain holds it.  Signature: void(std::error_code, replication::write_result).
  template <class Token>
  auto async_put(bytes key, bytes value, Token&& token);
  template <class Token>
  auto async_put(bytes key, bytes value, call_options options, Token&& token);

  /// Erasing what is not there succeeds.  Signature: void(std::error_code, replication::write_result).
  template <class Token>
  auto async_erase(bytes key, Token&& token);
  template <class Token>
  auto async_erase(bytes key, call_options options, Token&& token);

  /// Puts `value` if the object's newest version is `expected` (none: if it is absent). A condition that does not hold
  /// is a result, `applied == false`, not an error.  Signature: void(std::error_code, replication::write_result).
  template <class Token>
  auto async_compare_and_swap(bytes key, replication::version expected, bytes value, Token&& token);
  template <class Token>
  auto async_compare_and_swap(bytes key, replication::version expected, bytes value, call_options options,
                              Token&& token);

  /// A strong read out of this process's memory with no message and no waiting; `ask`: with `async_read` (the object is
  /// being written, or this node is no replica of a chain in force).
  [[nodiscard]] replication::local_read try_read(std::string_view key) const;

  // --- the chain ---

  /// Asks this node's replica for a change of the chain, beyond what it does to heal itself; to add and to promote, the
  /// tail's must be asked.
  /// Completes: once a view is in force here that shows it.  Signature: void(std::error_code).
  /// Errors and cancellation: as of `replication::replica::async_change`; `errc::not_serving` also when this node hosts
  /// no replica.
  template <class Token>
  auto async_change_chain(replication::view_change what, Token&& token);
  template <class Token>
  auto async_change_chain(replication::view_change what, call_options options, Token&& token);

  /// For a chain that lost the majority of its voters for good, and so can never change again: founds another one in
  /// its place, of this node alone, with all that its replica holds; nodes that run, or start, join it as they do any
  /// chain.
  ///
  /// What may be lost: what was acknowledged and is not held here. A replica of the view that was in force last holds
  /// all of it. But whether a later view was in force, without this node, only the voters that are gone could say; so
  /// choose the node that was in the chain to the end. What was not acknowledged may come true or not.
  /// What must be done: stop all other nodes that voted on the lost chain or were replicas of it, and remove their
  /// directories before they start again. Alive behind a broken network they are a chain of their own: what is written
  /// there is not here. (The two never mix: another genesis, another epoch.)
  ///
  /// The new chain's one voter is this node: while it is away that chain cannot change, so keep its `directory`.
  /// Completes: when the new chain is in force here, after some three seconds of asking the voters, and as long as a
  /// lease may last before.
  /// Signature: void(std::error_code, forced_chain).
  /// Errors: errc::has_quorum (a majority of the voters answers: the chain heals itself, or by `async_change_chain`);
  /// errc::not_serving (this node is no replica of a chain that several can form); errc::stale_epoch (a voter that
  /// answers knows of a later view without this node, whose copy may be old); errc::other_genesis, errc::busy,
  /// errc::would_overflow, errc::already_running, errc::not_running, errc::invalid_argument, and what the disk says, as
  /// of `replication::quorum_authority::async_force`: nothing changed. errc::outcome_unknown: the lost chain came back
  /// at that very moment, and dropped this node's replica; the log says more.
  /// Cancellation: none.
  template <class Token>
  auto async_force_chain(Token&& token);

  // --- how things stand ---

  /// The chain in force, as far as this node knows; nothing before there is one.
  [[nodiscard]] std::optional<replication::view> chain() const;
  [[nodiscard]] node_status status() const;
  /// The figures of all parts.
  void metrics(const metric_visitor& visit) const;

private:
  template <class Token>
  auto write(replication::write what, call_options options, Token&& token);

  std::shared_ptr<detail::node_impl> impl_;
};

template <class Token>
auto node::async_run(Token&& token) {
  return detail::initiate<detail::done_signature>(
      std::forward<Token>(token), detail::executor_of(*impl_),
      [impl = impl_](detail::completion<detail::done_signature> done) { detail::start_run(impl, std::move(done)); });
}

template <class Token>
auto node::async_next_event(Token&& token) {
  return detail::initiate<detail::event_signature>(std::forward<Token>(token), detail::executor_of(*impl_),
                                                   [impl = impl_](detail::completion<detail::event_signature> done) {
                                                     detail::start_next_event(impl, std::move(done));
                                                   });
}

template <class Token>
auto node::async_leave(std::string reason, Token&& token) {
  return detail::initiate<detail::done_signature>(
      std::forward<Token>(token), detail::executor_of(*impl_),
      [impl = impl_, reason = std::move(reason)](detail::completion<detail::done_signature> done) mutable {
        detail::start_leave(impl, std::move(reason), std::move(done));
      });
}

template <class Token>
auto node::async_leave(Token&& token) {
  return async_leave(std::string{}, std::forward<Token>(token));
}

template <class Token>
auto node::async_broadcast(std::string topic, bytes payload, Token&& token) {
  return detail::initiate<detail::done_signature>(
      std::forward<Token>(token), detail::executor_of(*impl_),
      [impl = impl_, topic = std::move(topic),
       payload = std::move(payload)](detail::completion<detail::done_signature> done) mutable {
        detail::start_broadcast(impl, std::move(topic), std::move(payload), std::move(done));
      });
}

template <class Token>
auto node::async_send(const node_id& to, std::string topic, bytes payload, membership::send_options how,
                      Token&& token) {
  return detail::initiate<detail::done_signature>(
      std::forward<Token>(token), detail::executor_of(*impl_),
      [impl = impl_, to, topic = std::move(topic), payload = std::move(payload),
       how](detail::completion<detail::done_signature> done) mutable {
        detail::start_send(impl, to, std::move(topic), std::move(payload), how, std::move(done));
      });
}

template <class Token>
auto node::async_query(std::string topic, bytes payload, membership::query_options options, Token&& token) {
  return detail::initiate<detail::query_signature>(
      std::forward<Token>(token), detail::executor_of(*impl_),
      [impl = impl_, topic = std::move(topic), payload = std::move(payload),
       options = std::move(options)](detail::completion<detail::query_signature> done) mutable {
        detail::start_query(impl, std::move(topic), std::move(payload), std::move(options), std::move(done));
      });
}

template <class Token>
auto node::async_next_answer(std::uint64_t query, Token&& token) {
  return detail::initiate<detail::progress_signature>(
      std::forward<Token>(token), detail::executor_of(*impl_),
      [impl = impl_, query](detail::completion<detail::progress_signature> done) {
        detail::start_next_answer(impl, query, std::move(done));
      });
}

template <class Token>
auto node::async_answer(membership::query asked, bytes payload, Token&& token) {
  return detail::initiate<detail::done_signature>(
      std::forward<Token>(token), detail::executor_of(*impl_),
      [impl = impl_, asked = std::move(asked),
       payload = std::move(payload)](detail::completion<detail::done_signature> done) mutable {
        detail::start_answer(impl, std::move(asked), std::move(payload), std::move(done));
      });
}

template <class Token>
auto node::async_read(bytes key, replication::consistency level, Token&& token) {
  return async_read(std::move(key), level, call_options{}, std::forward<Token>(token));
}

template <class Token>
auto node::async_read(bytes key, replication::consistency level, call_options options, Token&& token) {
  return detail::initiate<detail::read_signature>(
      std::forward<Token>(token), detail::executor_of(*impl_),
      [impl = impl_, key = std::move(key), level, options](detail::completion<detail::read_signature> done) {
        detail::start_read(impl, key, level, options, std::move(done));
      });
}

template <class Token>
auto node::async_put(bytes key, bytes value, Token&& token) {
  return async_put(std::move(key), std::move(value), call_options{}, std::forward<Token>(token));
}

template <class Token>
auto node::async_put(bytes key, bytes value, call_options options, Token&& token) {
  return write(replication::write::put(std::move(key), std::move(value)), options, std::forward<Token>(token));
}

template <class Token>
auto node::async_erase(bytes key, Token&& token) {
  return async_erase(std::move(key), call_options{}, std::forward<Token>(token));
}

template <class Token>
auto node::async_erase(bytes key, call_options options, Token&& token) {
  return write(replication::write::erase(std::move(key)), options, std::forward<Token>(token));
}

template <class Token>
auto node::async_compare_and_swap(bytes key, replication::version expected, bytes value, Token&& token) {
  return async_compare_and_swap(std::move(key), expected, std::move(value), call_options{}, std::forward<Token>(token));
}

template <class Token>
auto node::async_compare_and_swap(bytes key, replication::version expected, bytes value, call_options options,
                                  Token&& token) {
  return write(replication::write::put(std::move(key), std::move(value), replication::condition::is(expected)), options,
               std::forward<Token>(token));
}

template <class Token>
auto node::write(replication::write what, call_options options, Token&& token) {
  return detail::initiate<detail::write_signature>(
      std::forward<Token>(token), detail::executor_of(*impl_),
      [impl = impl_, what = std::move(what), options](detail::completion<detail::write_signature> done) {
        detail::start_write(impl, what, options, std::move(done));
      });
}

template <class Token>
auto node::async_change_chain(replication::view_change what, Token&& token) {
  return async_change_chain(what, call_options{}, std::forward<Token>(token));
}

template <class Token>
auto node::async_change_chain(replication::view_change what, call_options options, Token&& token) {
  return detail::initiate<detail::done_signature>(
      std::forward<Token>(token), detail::executor_of(*impl_),
      [impl = impl_, what, options](detail::completion<detail::done_signature> done) {
        detail::start_change_chain(impl, what, options, std::move(done));
      });
}

template <class Token>
auto node::async_force_chain(Token&& token) {
  return detail::initiate<detail::force_signature>(std::forward<Token>(token), detail::executor_of(*impl_),
                                                   [impl = impl_](detail::completion<detail::force_signature> done) {
                                                     detail::start_force_chain(impl, std::move(done));
                                                   });
}

template <class Token>
auto async_feed_seeds(discovery::beacon& beacon, membership::cluster& cluster, Token&& token) {
  return detail::initiate<detail::done_signature>(std::forward<Token>(token), detail::executor_of(beacon),
                                                  [&beacon, &cluster](detail::completion<detail::done_signature> done) {
                                                    detail::start_feed_seeds(beacon, cluster, std::move(done));
                                                  });
}

template <class Token>
auto async_feed_hints(membership::cluster& cluster, replication::replica& replica, Token&& token) {
  return detail::initiate<detail::done_signature>(
      std::forward<Token>(token), detail::executor_of(cluster),
      [&cluster, &replica](detail::completion<detail::done_signature> done) {
        detail::start_feed_hints(cluster, replica, std::move(done));
      });
}

}  // namespace artillery
