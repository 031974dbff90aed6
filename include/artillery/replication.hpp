#pragma once

#include <asio/any_io_executor.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

#include "artillery/bytes.hpp"
#include "artillery/detail/async.hpp"
#include "artillery/endpoint.hpp"
#include "artillery/logging.hpp"
#include "artillery/metrics.hpp"
#include "artillery/replication/authority.hpp"
#include "artillery/replication/memory_store.hpp"
#include "artillery/replication/session_token.hpp"
#include "artillery/replication/store.hpp"
#include "artillery/replication/types.hpp"

/// Chain replication with apportioned queries: objects that every replica of a chain holds, that any of them answers
/// strong (linearizable) reads of, most of them out of its own memory. CRAQ: Terrace & Freedman, USENIX ATC 2009.
namespace artillery::replication {

/// How long an operation waits for its outcome unless told otherwise.
inline constexpr duration default_timeout = std::chrono::seconds{5};

/// What a replica needs besides its place in the protocol.
struct replica_options {
  /// Where it listens, TCP; port 0 (default): a free one.
  endpoint listen = endpoint::v4(127, 0, 0, 1, 0);
  /// Where the other replicas and clients reach it, for the views it is admitted to; none (default): where it listens.
  /// Without a port: this address and the port it listens at. Needed with an authority when `listen` is a wildcard.
  endpoint advertise;
  /// Events kept for a slow consumer; further ones are dropped and counted in one `event::kind::overflow`.
  std::size_t events_max = 1024;
  log_sink log;
};

// What the two handles below are handles of.
class replica_binding;
class client_binding;

using run_signature = void(std::error_code);
using event_signature = void(std::error_code, event);
using read_signature = void(std::error_code, read_result);
using write_signature = void(std::error_code, write_result);
using change_signature = void(std::error_code);

/// One replica of a chain: holds the objects, passes writes down the chain, answers reads.
///
/// It serves nothing before it knows its view, from an authority or by `async_adopt`. With an authority it follows the
/// views that are chosen: it renews its lease, proposes views without replicas that have failed, and, when it is in no
/// view, asks the tail to be fed and admitted. A replica that was dropped (`event::kind::removed`) forgets what it held
/// and does so, too, under the next incarnation.
///
/// Thread safety: all member functions may be called from any thread until the destructor begins. Handlers run on their
/// associated executor, by default the replica's; never inside a call of the replica's.
/// Lifetime: a store or authority that was given to it must outlive the replica, not its handlers. The destructor
/// cancels all operations and may run at any moment, also in a handler, but not in a call of the store, the authority
/// or the log sink.
class replica {
public:
  using executor_type = asio::any_io_executor;

  /// With a `memory_store` of its own.
  replica(asio::any_io_executor executor, replica_config config, replica_options options = {});
  replica(asio::any_io_executor executor, replica_config config, replica_options options, authority& decides);
  replica(asio::any_io_executor executor, replica_config config, replica_options options, store& objects);
  replica(asio::any_io_executor executor, replica_config config, replica_options options, authority& decides,
          store& objects);
  replica(replica&& other) noexcept;
  replica& operator=(replica&& other) noexcept;
  ~replica();

  [[nodiscard]] const executor_type& get_executor() const noexcept;

  /// Opens the port, learns the view if there is an authority, and takes part in the chain until it is cancelled. Runs
  /// once.
  /// Completes: with `asio::error::operation_aborted` when cancelled; with the system's reason when it cannot listen;
  /// `errc::invalid_configuration` for the configuration or the authority's view; `errc::invariant_broken`, a bug;
  /// `errc::node_id_in_use`; `errc::already_running`, or `errc::not_running` after it has ended.
  /// Signature: void(std::error_code).
  /// Peers that are down and an authority that does not answer end nothing: they are tried again.
  /// Cancellation: all types; the replica stops for good and serves nothing from then on.
  template <class Token>
  auto async_run(Token&& token);

  /// Puts a view in force that was agreed upon elsewhere and never changes, as if by a `static_authority`.
  /// Completes: with no error once it is in force here, also when this very view was before and when it does not list
  /// this replica (`event::kind::not_serving` tells).  Signature: void(std::error_code).
  /// Errors, with nothing changed: `errc::invalid_configuration` (see `check_view`; or another chain's),
  /// `errc::stale_epoch` (another view is in force, or an authority decides), `errc::not_running` (it has ended).
  /// Cancellation: none; it waits for nothing.
  template <class Token>
  auto async_adopt(view chosen, Token&& token);

  /// The next event, waiting for one if need be. Each is told to one consumer.
  /// Completes: with it; with the error that `async_run` ended with, once all events were handed out.
  /// Signature: void(std::error_code, event).
  /// Cancellation: all types; no event is lost.
  template <class Token>
  auto async_next_event(Token&& token);

  /// A strong read out of this replica's memory: one look-up, no message, no waiting. Section 2.3 of the paper, with a
  /// lease in place of its assumption that nodes never leave.
  [[nodiscard]] local_read try_read(std::string_view key) const;
  /// The same for many keys, `into` being as long as `keys`: cheaper than one by one. Each answer is exact at some
  /// moment during the call; they need not be exact at the same one.
  void try_read(std::span<const std::string_view> keys, std::span<local_read> into) const;

  /// A read that asks the tail when it must.
  /// Completes: with the result; "absent" is one.  Signature: void(std::error_code, read_result).
  /// Errors: `errc::invalid_argument` (the key is empty or too long, or the timeout not above 0), `errc::not_serving`,
  /// `errc::busy` (too many reads wait), `errc::timed_out`, `errc::not_running` (it has ended).
  /// `after`: the answer counts at least what this session token does, for which it may have to wait. Errors of that:
  /// `errc::token_void`; `errc::not_head`: it counts what only the head can tell of, whether it was lost.
  /// Cancellation: all types; total.
  template <class Token>
  auto async_read(bytes key, consistency level, Token&& token);
  template <class Token>
  auto async_read(bytes key, consistency level, duration timeout, Token&& token);
  template <class Token>
  auto async_read(bytes key, consistency level, const session_token& after, duration timeout, Token&& token);

  /// Asks for a change of the chain, beyond what it does to heal itself. `add` and `promote` are asked of the tail.
  /// Completes: once a view is in force here that shows it.  Signature: void(std::error_code).
  /// Errors: `errc::not_serving` (it is no replica, or no longer, or its view never changes; a replica may be asked to
  /// drop itself), `errc::not_tail`, `errc::invalid_argument` (no such node, or it is the last replica), `errc::busy`
  /// (too many wait), `errc::timed_out` (it may still happen), `errc::not_running`.
  /// Cancellation: all types; it may still happen.
  template <class Token>
  auto async_change(view_change what, Token&& token);
  template <class Token>
  auto async_change(view_change what, duration timeout, Token&& token);

  /// Tells it what somebody else, membership say, knows of a node. Never needed and never believed: a wrong hint costs
  /// a probe, or a view too many. Of nodes that are not in its view it is ignored, and after the end.
  void hint(const node_id& about, peer_hint what);

  /// It is about to end: once the chain goes on without it (`event::kind::removed`) it does not ask to come back. Until
  /// then it serves as before, and afterwards it tells the others at once that it reads no more, so that nobody has to
  /// wait for its lease to end.
  void retire();

  /// Where it listens, with the port that the system chose; none before `event::kind::listening`.
  [[nodiscard]] endpoint local_endpoint() const;
  [[nodiscard]] replica_status status() const;
  [[nodiscard]] replica_counters counters() const;
  /// All figures, named "replication.…". Those of the sockets may be a moment old.
  void metrics(const metric_visitor& visit) const;

private:
  static void start_run(const std::shared_ptr<replica_binding>& self, detail::completion<run_signature> done);
  static void start_adopt(const std::shared_ptr<replica_binding>& self, view chosen,
                          detail::completion<run_signature> done);
  static void start_next_event(const std::shared_ptr<replica_binding>& self, detail::completion<event_signature> done);
  static void start_read(const std::shared_ptr<replica_binding>& self, bytes key, consistency level,
                         const session_token& after, duration timeout, detail::completion<read_signature> done);
  static void start_change(const std::shared_ptr<replica_binding>& self, view_change what, duration timeout,
                           detail::completion<change_signature> done);

  std::shared_ptr<replica_binding> binding_;
};

/// How one read of a client's is done.
class read_options {
public:
  read_options() noexcept {}
  explicit read_options(duration timeout) noexcept : timeout_{timeout} {}
  explicit read_options(const routing& where) noexcept : where_{where} {}

  /// How long to try. Above 0.
  read_options& timeout(duration value) noexcept {
    timeout_ = value;
    return *this;
  }
  /// Which replica to ask.
  read_options& where(const routing& value) noexcept {
    where_ = value;
    return *this;
  }
  /// The answer counts at least what this session token does: the read waits at a replica that has not come so far.
  /// Where only the head can tell whether what it counts was lost, the head is asked; a read that names another replica
  /// then fails with `errc::not_head`.
  read_options& after(const session_token& value) noexcept {
    after_ = value;
    return *this;
  }
  [[nodiscard]] duration timeout() const noexcept { return timeout_; }
  [[nodiscard]] const routing& where() const noexcept { return where_; }
  [[nodiscard]] const session_token& after() const noexcept { return after_; }

private:
  duration timeout_ = default_timeout;
  routing where_;
  session_token after_;
};

/// How one write of a client's is done.
class write_options {
public:
  write_options() noexcept {}
  explicit write_options(duration timeout) noexcept : timeout_{timeout} {}

  /// How long to try. Above 0.
  write_options& timeout(duration value) noexcept {
    timeout_ = value;
    return *this;
  }
  [[nodiscard]] duration timeout() const noexcept { return timeout_; }

private:
  duration timeout_ = default_timeout;
};

struct client_options {
  log_sink log;
};

/// A client of a chain: finds the view, pipelines writes to the head under one session, so that each happens at most
/// once however often it is tried, and spreads reads over the replicas.
///
/// Operations may be begun before `async_run`: they wait for it. Those under way at the same time have no order among
/// them.
///
/// Reads complete with: the result ("absent" is one).  Signature: void(std::error_code, read_result).
/// Writes complete: once every replica holds them, with their version, or with `applied == false` when the condition
/// did not hold; that is no error.  Signature: void(std::error_code, write_result).
/// Errors of both, with nothing changed: `errc::invalid_argument` (the key is empty or longer than `key_size_max`, or
/// the timeout not above 0), `errc::would_overflow` (too many wait), `errc::timed_out` (of a write: no attempt was ever
/// sent), `errc::not_running` (`async_run` has ended). Of reads also `errc::token_void`. Of writes also
/// `errc::too_large` (nothing changed) and `errc::outcome_unknown`: it may or may not have happened. Cancellation of
/// both: all types. A read: total. A write: total as long as no attempt was sent; after that the operation ends, and
/// whether the write happens is unknown.
///
/// Thread safety, lifetime and the destructor: as of `replica`.
class client {
public:
  using executor_type = asio::any_io_executor;

  client(asio::any_io_executor executor, client_config config, client_options options = {});
  client(client&& other) noexcept;
  client& operator=(client&& other) noexcept;
  ~client();

  [[nodiscard]] const executor_type& get_executor() const noexcept;

  /// Keeps the connections until it is cancelled. Runs once.
  /// Completes: with `asio::error::operation_aborted` when cancelled, `errc::invalid_configuration`,
  /// `errc::invariant_broken` (a bug), `errc::already_running`, `errc::not_running` after it has ended.
  /// Signature: void(std::error_code).
  /// Cancellation: all types; operations under way end, sent writes with `errc::outcome_unknown`.
  template <class Token>
  auto async_run(Token&& token);

  template <class Token>
  auto async_read(bytes key, consistency level, Token&& token);
  template <class Token>
  auto async_read(bytes key, consistency level, read_options options, Token&& token);

  template <class Token>
  auto async_put(bytes key, bytes value, Token&& token);
  template <class Token>
  auto async_put(bytes key, bytes value, write_options options, Token&& token);

  /// Only if there is no such object.
  template <class Token>
  auto async_put_if_absent(bytes key, bytes value, Token&& token);
  template <class Token>
  auto async_put_if_absent(bytes key, bytes value, write_options options, Token&& token);

  /// Only if `expected` is the object's newest version; none: only if there is no such object.
  template <class Token>
  auto async_compare_and_swap(bytes key, version expected, bytes value, Token&& token);
  template <class Token>
  auto async_compare_and_swap(bytes key, version expected, bytes value, write_options options, Token&& token);

  /// Erasing what is not there succeeds.
  template <class Token>
  auto async_erase(bytes key, Token&& token);
  template <class Token>
  auto async_erase(bytes key, write_options options, Token&& token);

  /// Any write, with any condition.
  template <class Token>
  auto async_write(write what, Token&& token);
  template <class Token>
  auto async_write(write what, write_options options, Token&& token);

  /// The view that operations go by; epoch 0 before the first one was heard of.
  [[nodiscard]] replication::view view() const;
  [[nodiscard]] client_counters counters() const;
  /// All figures, named "replication.client.…". Those of the sockets may be a moment old.
  void metrics(const metric_visitor& visit) const;

private:
  static void start_run(const std::shared_ptr<client_binding>& self, detail::completion<run_signature> done);
  static void start_read(const std::shared_ptr<client_binding>& self, bytes key, consistency level,
                         const read_options& options, detail::completion<read_signature> done);
  static void start_write(const std::shared_ptr<client_binding>& self, write what, const write_options& options,
                          detail::completion<write_signature> done);

  std::shared_ptr<client_binding> binding_;
};

// ---- how the operations begin: the handler is erased, and the operation goes on in src/replication ------------------

template <class Token>
auto replica::async_run(Token&& token) {
  return detail::initiate<run_signature>(
      std::forward<Token>(token), get_executor(),
      [self = binding_](detail::completion<run_signature> done) { start_run(self, std::move(done)); });
}

template <class Token>
auto replica::async_adopt(view chosen, Token&& token) {
  return detail::initiate<run_signature>(
      std::forward<Token>(token), get_executor(),
      [self = binding_, chosen = std::move(chosen)](detail::completion<run_signature> done) mutable {
        start_adopt(self, std::move(chosen), std::move(done));
      });
}

template <class Token>
auto replica::async_next_event(Token&& token) {
  return detail::initiate<event_signature>(
      std::forward<Token>(token), get_executor(),
      [self = binding_](detail::completion<event_signature> done) { start_next_event(self, std::move(done)); });
}

template <class Token>
auto replica::async_read(bytes key, consistency level, Token&& token) {
  return async_read(std::move(key), level, default_timeout, std::forward<Token>(token));
}

template <class Token>
auto replica::async_read(bytes key, consistency level, duration timeout, Token&& token) {
  return async_read(std::move(key), level, session_token{}, timeout, std::forward<Token>(token));
}

template <class Token>
auto replica::async_read(bytes key, consistency level, const session_token& after, duration timeout, Token&& token) {
  return detail::initiate<read_signature>(
      std::forward<Token>(token), get_executor(),
      [self = binding_, key = std::move(key), level, after, timeout](detail::completion<read_signature> done) mutable {
        start_read(self, std::move(key), level, after, timeout, std::move(done));
      });
}

template <class Token>
auto replica::async_change(view_change what, Token&& token) {
  return async_change(what, default_timeout, std::forward<Token>(token));
}

template <class Token>
auto replica::async_change(view_change what, duration timeout, Token&& token) {
  return detail::initiate<change_signature>(
      std::forward<Token>(token), get_executor(),
      [self = binding_, what, timeout](detail::completion<change_signature> done) {
        start_change(self, what, timeout, std::move(done));
      });
}

template <class Token>
auto client::async_run(Token&& token) {
  return detail::initiate<run_signature>(
      std::forward<Token>(token), get_executor(),
      [self = binding_](detail::completion<run_signature> done) { start_run(self, std::move(done)); });
}

template <class Token>
auto client::async_read(bytes key, consistency level, Token&& token) {
  return async_read(std::move(key), level, read_options{}, std::forward<Token>(token));
}

template <class Token>
auto client::async_read(bytes key, consistency level, read_options options, Token&& token) {
  return detail::initiate<read_signature>(
      std::forward<Token>(token), get_executor(),
      [self = binding_, key = std::move(key), level, options](detail::completion<read_signature> done) mutable {
        start_read(self, std::move(key), level, options, std::move(done));
      });
}

template <class Token>
auto client::async_put(bytes key, bytes value, Token&& token) {
  return async_put(std::move(key), std::move(value), write_options{}, std::forward<Token>(token));
}

template <class Token>
auto client::async_put(bytes key, bytes value, write_options options, Token&& token) {
  return async_write(write::put(std::move(key), std::move(value)), options, std::forward<Token>(token));
}

template <class Token>
auto client::async_put_if_absent(bytes key, bytes value, Token&& token) {
  return async_put_if_absent(std::move(key), std::move(value), write_options{}, std::forward<Token>(token));
}

template <class Token>
auto client::async_put_if_absent(bytes key, bytes value, write_options options, Token&& token) {
  return async_write(write::put(std::move(key), std::move(value), condition::absent()), options,
                     std::forward<Token>(token));
}

template <class Token>
auto client::async_compare_and_swap(bytes key, version expected, bytes value, Token&& token) {
  return async_compare_and_swap(std::move(key), expected, std::move(value), write_options{},
                                std::forward<Token>(token));
}

template <class Token>
auto client::async_compare_and_swap(bytes key, version expected, bytes value, write_options options, Token&& token) {
  return async_write(write::put(std::move(key), std::move(value), condition::is(expected)), options,
                     std::forward<Token>(token));
}

template <class Token>
auto client::async_erase(bytes key, Token&& token) {
  return async_erase(std::move(key), write_options{}, std::forward<Token>(token));
}

template <class Token>
auto client::async_erase(bytes key, write_options options, Token&& token) {
  return async_write(write::erase(std::move(key)), options, std::forward<Token>(token));
}

template <class Token>
auto client::async_write(write what, Token&& token) {
  return async_write(std::move(what), write_options{}, std::forward<Token>(token));
}

template <class Token>
auto client::async_write(write what, write_options options, Token&& token) {
  return detail::initiate<write_signature>(
      std::forward<Token>(token), get_executor(),
      [self = binding_, what = std::move(what), options](detail::completion<write_signature> done) mutable {
        start_write(self, std::move(what), options, std::move(done));
      });
}

}  // namespace artillery::replication
