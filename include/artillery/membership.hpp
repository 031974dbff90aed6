#pragma once

#include <asio/any_io_executor.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "artillery/bytes.hpp"
#include "artillery/detail/async.hpp"
#include "artillery/endpoint.hpp"
#include "artillery/membership/subscription.hpp"
#include "artillery/membership/types.hpp"
#include "artillery/metrics.hpp"
#include "artillery/node_id.hpp"

namespace artillery::membership {

/// One node of a cluster: finds the others through seeds, tells who is there, and carries events to all of them.
///
///     membership::cluster cluster{context.get_executor(), membership::config::lan()};
///     cluster.add_seed(*parse_endpoint("192.0.2.1:7946"));
///     cluster.async_run(…);                   // owns the sockets; until cancelled
///     cluster.async_next_event(…);            // joined, failed, user_event …
///
/// Move-only; destroying it at any moment cancels what is under way without a word, and the others report it failed:
/// complete `async_leave` first if they should not. Thread safety: all members may be called from any thread, one
/// object at a time like any other; the const ones alongside everything else. Completions run on their handlers'
/// executors, never within the call.
class cluster {
public:
  /// Starts nothing yet. The executor's context must outlive the cluster and its subscriptions.
  cluster(asio::any_io_executor executor, config options);
  ~cluster();
  cluster(cluster&& other) noexcept;
  cluster& operator=(cluster&& other) noexcept;

  /// Runs this node: binds its sockets, joins through the seeds, probes and gossips.
  /// Completes: when it is cancelled, or cannot go on.  Signature: void(std::error_code).
  /// Errors: asio::error::operation_aborted (cancelled, or the cluster destroyed); errc::invalid_configuration (the log
  /// says what is wrong, as does `config::validate`); errc::already_running; errc::not_running (it has run before);
  /// errc::invariant_broken; what the system says when it does not let us listen at `config::bind`, such as
  /// std::errc::address_in_use or std::errc::address_not_available. That nobody answers is no error: seeds are retried.
  /// Cancellation: total; this node has then stopped for good, without leaving.
  template <class Token>
  auto async_run(Token&& token) {
    return detail::initiate<void(std::error_code)>(
        std::forward<Token>(token), executor_,
        [state = state_](detail::completion<void(std::error_code)> done) { start_run(state, std::move(done)); });
  }

  /// Waits until this node listens.
  /// Completes: with where, once `async_run` has bound its sockets.  Signature: void(std::error_code, endpoint).
  /// Errors: what `async_run` ended with, once it has ended; asio::error::operation_aborted.
  /// Cancellation: total.
  template <class Token>
  auto async_ready(Token&& token) {
    return detail::initiate<void(std::error_code, endpoint)>(
        std::forward<Token>(token), executor_,
        [state = state_](detail::completion<void(std::error_code, endpoint)> done) {
          start_ready(state, std::move(done));
        });
  }

  /// The next fact: see `event`. This node itself is not reported.
  /// Completes: with an event, in the order in which they happened.  Signature: void(std::error_code, event).
  /// Errors: what `async_run` ended with, once it has ended and the queue is empty; asio::error::operation_aborted;
  /// errc::would_overflow (over a thousand of these wait).
  /// Cancellation: total, nothing is lost.
  template <class Token>
  auto async_next_event(Token&& token) {
    return detail::initiate<void(std::error_code, event)>(
        std::forward<Token>(token), executor_, [state = state_](detail::completion<void(std::error_code, event)> done) {
          start_next_event(state, std::move(done));
        });
  }

  /// Gives this node a place to look for its cluster, from discovery or configuration. It is tried at once and, with
  /// back-off, until somebody there is a member; before `async_run`, it waits for that. Known ones and this node's own
  /// are ignored.
  /// Returns: errc::invalid_argument (no port). Seeds above `config::seeds_max`, and any given after leaving or
  /// stopping, are dropped with a remark in the log.
  std::error_code add_seed(const endpoint& at);
  /// The same by name: "host", "host:port" or "[address]:port", `config::default_port` without one. Each address of the
  /// name is a seed; it is looked up until there is one, and again every ten `config::seed_retry_max`, for what it
  /// stands for may change. (Asio looks names up on a thread of its own.) Returns: errc::invalid_argument (none of
  /// these forms). That nobody knows the name is said in the log.
  std::error_code add_seed(std::string_view name);

  /// Waits for company.
  /// Completes: when at least one other member is present, at once if one is.  Signature: void(std::error_code).
  /// Errors: errc::has_left; what `async_run` ended with, once it has ended; asio::error::operation_aborted.
  /// Cancellation: total.
  template <class Token>
  auto async_join(Token&& token) {
    return detail::initiate<void(std::error_code)>(
        std::forward<Token>(token), executor_,
        [state = state_](detail::completion<void(std::error_code)> done) { start_join(state, std::move(done)); });
  }

  /// Says good-bye, so that the others report `left` rather than `failed`. `async_run` goes on until it is cancelled,
  /// but this node is no member any more. The others are told the `reason`: "upgrade", "too hot".
  /// Completes: when the word is out, or after `config::leave_timeout`.  Signature: void(std::error_code).
  /// Errors: errc::has_left (it has, or is about to); errc::too_large (reason above `leave_reason_size_max`: it stays);
  /// errc::not_running; what `async_run` ended with, once it has ended; asio::error::operation_aborted. Cancellation:
  /// total, of the waiting: leaving goes on.
  template <class Token>
  auto async_leave(std::string reason, Token&& token) {
    return detail::initiate<void(std::error_code)>(
        std::forward<Token>(token), executor_,
        [state = state_, reason = std::move(reason)](detail::completion<void(std::error_code)> done) mutable {
          start_leave(state, std::move(reason), std::move(done));
        });
  }
  /// Likewise, without a reason.
  template <class Token>
  auto async_leave(Token&& token) {
    return async_leave(std::string{}, std::forward<Token>(token));
  }

  /// Sends an event to all other members: each is given it at most once, and in order with this node's other events of
  /// that topic. Members that come later do not get it.
  /// Completes: when it is on its way; that it arrives is not waited for. Where `config::broadcasts_max` events, or
  /// `broadcast_bytes_max`, are still under way, it waits for room: who sends one after the other is slowed down to
  /// what this node may send.  Signature: void(std::error_code). Errors: errc::too_large (above
  /// `config::event_size_max`); errc::invalid_argument (topic empty or above `topic_size_max`); errc::would_overflow
  /// (over a thousand wait for room); errc::has_left; errc::not_running; what `async_run` ended with;
  /// asio::error::operation_aborted. None of them sent anything. Cancellation: total, before it is on its way.
  /// Lifetime: the topic is copied, the payload is a shared slice.
  template <class Token>
  auto async_broadcast(std::string topic, bytes payload, Token&& token) {
    return detail::initiate<void(std::error_code)>(
        std::forward<Token>(token), executor_,
        [state = state_, topic = std::move(topic),
         payload = std::move(payload)](detail::completion<void(std::error_code)> done) mutable {
          start_broadcast(state, std::move(topic), std::move(payload), std::move(done));
        });
  }

  /// Sends a message to one member, which is given it at most once: reliably, or as well as one datagram goes. Reliable
  /// messages to one member arrive in the order in which they were sent, whatever becomes of connections between.
  /// Completes: a reliable one when the member has it in its queue of events, another when it is on its way.
  /// Signature: void(std::error_code).
  /// Errors: errc::unknown_member (nobody of that id is present; if it went meanwhile, nothing was sent to it);
  /// errc::too_large (above `config::message_size_max`, of a best-effort one above `datagram_message_size_max`);
  /// errc::invalid_argument (topic above `topic_size_max`, or to this node itself); errc::would_overflow (above
  /// `config::messages_max` or `messages_bytes_max`); errc::has_left; errc::not_running: nothing was sent.
  /// errc::timed_out: it may or may not have arrived. errc::outcome_unknown: likewise, the member is gone.
  /// asio::error::operation_aborted. Cancellation: total, of the waiting: what was to be sent still is.
  /// Lifetime: the topic is copied, the payload is a shared slice.
  template <class Token>
  auto async_send(const node_id& to, std::string topic, bytes payload, send_options how, Token&& token) {
    return detail::initiate<void(std::error_code)>(
        std::forward<Token>(token), executor_,
        [state = state_, to, topic = std::move(topic), payload = std::move(payload),
         how](detail::completion<void(std::error_code)> done) mutable {
          start_send(state, to, std::move(topic), std::move(payload), how, std::move(done));
        });
  }

  /// Asks all other members, or those that `options` names: they are told a `query` and may answer it.
  /// Completes: when the question is on its way, with a number by which its answers are fetched (`async_next_answer`)
  /// to the end, or it is given up (`drop_query`).  Signature: void(std::error_code, std::uint64_t query). Errors:
  /// those of `async_broadcast`, of a payload above `query_size_max`; errc::invalid_argument (a timeout out of its
  /// range); errc::too_large (names above `query_filter_size_max`); errc::would_overflow (also above
  /// `config::queries_max`). Nothing was asked. Cancellation: none: it completes at once.
  template <class Token>
  auto async_query(std::string topic, bytes payload, query_options options, Token&& token) {
    return detail::initiate<void(std::error_code, std::uint64_t)>(
        std::forward<Token>(token), executor_,
        [state = state_, topic = std::move(topic), payload = std::move(payload),
         options = std::move(options)](detail::completion<void(std::error_code, std::uint64_t)> done) mutable {
          start_query(state, std::move(topic), std::move(payload), std::move(options), std::move(done));
        });
  }

  /// What a query of this node's came to next.
  /// Completes: with each `answer`, at most one of a member, and then with the `query_end`, when all have answered or
  /// the time is over.  Signature: void(std::error_code, query_progress).
  /// Errors: errc::invalid_argument (no such query, or its end was fetched, or it was given up); what `async_run` ended
  /// with; asio::error::operation_aborted. Cancellation: total, nothing is lost.
  template <class Token>
  auto async_next_answer(std::uint64_t query, Token&& token) {
    return detail::initiate<void(std::error_code, query_progress)>(
        std::forward<Token>(token), executor_,
        [state = state_, query](detail::completion<void(std::error_code, query_progress)> done) {
          start_next_answer(state, query, std::move(done));
        });
  }
  /// Gives up a query: no further answers of it are kept.
  void drop_query(std::uint64_t query);

  /// Answers a query that was reported here, once: by datagrams that are sent again until the asker has it, or over TCP
  /// where it is larger.
  /// Completes: when it is on its way.  Signature: void(std::error_code).
  /// Errors: errc::timed_out (its time is over, or it was answered); errc::invalid_argument (it is answered already);
  /// errc::too_large (above `config::message_size_max`); errc::unknown_member (the asker is gone; one that is only held
  /// for failed has an answer that fits a datagram once it is back); errc::would_overflow (too large messages wait);
  /// errc::has_left; errc::not_running. Nothing was sent. Cancellation: none: it completes at once.
  template <class Token>
  auto async_answer(const query& asked, bytes payload, Token&& token) {
    return detail::initiate<void(std::error_code)>(
        std::forward<Token>(token), executor_,
        [state = state_, origin = asked.origin, number = asked.number,
         payload = std::move(payload)](detail::completion<void(std::error_code)> done) mutable {
          start_answer(state, origin, number, std::move(payload), std::move(done));
        });
  }

  /// What others say under one topic, apart from all else, until the result is destroyed. Of what came before this call
  /// nothing is told. Topics are compared whole; of one above `topic_size_max` nothing ever comes, of an empty one only
  /// messages.
  [[nodiscard]] subscription subscribe(std::string topic);

  /// Replaces this node's tags; the others report `updated`.
  /// Returns: errc::too_large (above `tags_size_max`), and then nothing changed. After leaving it does nothing.
  std::error_code set_tags(tag_map tags);

  /// All members known, this node first, dead ones included until they are forgotten. A snapshot.
  [[nodiscard]] std::vector<member> members() const;
  [[nodiscard]] member self() const;
  [[nodiscard]] node_id id() const noexcept;
  /// Where this node listens, with the port that the system chose; `none()` before it runs.
  [[nodiscard]] endpoint local_endpoint() const;
  /// Where others see this node's datagrams come from, as most of the last eight that answered say: another address
  /// than the advertised one where there is translation (NAT) between. `none()` before the first answer.
  [[nodiscard]] endpoint observed_endpoint() const;
  [[nodiscard]] asio::any_io_executor get_executor() const noexcept { return executor_; }

  /// Figures as they were after the last datagram, timer or call.
  void metrics(const metric_visitor& visit) const;

private:
  friend class subscription;
  struct state;

  static void start_run(const std::shared_ptr<state>& self, detail::completion<void(std::error_code)> done);
  static void start_next_event(const std::shared_ptr<state>& self,
                               detail::completion<void(std::error_code, event)> done);
  static void start_ready(const std::shared_ptr<state>& self, detail::completion<void(std::error_code, endpoint)> done);
  static void start_join(const std::shared_ptr<state>& self, detail::completion<void(std::error_code)> done);
  static void start_leave(const std::shared_ptr<state>& self, std::string reason,
                          detail::completion<void(std::error_code)> done);
  static void start_broadcast(const std::shared_ptr<state>& self, std::string topic, bytes payload,
                              detail::completion<void(std::error_code)> done);
  static void start_send(const std::shared_ptr<state>& self, const node_id& to, std::string topic, bytes payload,
                         const send_options& how, detail::completion<void(std::error_code)> done);
  static void start_query(const std::shared_ptr<state>& self, std::string topic, bytes payload, query_options options,
                          detail::completion<void(std::error_code, std::uint64_t)> done);
  static void start_next_answer(const std::shared_ptr<state>& self, std::uint64_t query,
                                detail::completion<void(std::error_code, query_progress)> done);
  static void start_answer(const std::shared_ptr<state>& self, const node_id& asker, std::uint64_t number,
                           bytes payload, detail::completion<void(std::error_code)> done);

  asio::any_io_executor executor_;
  std::shared_ptr<state> state_;
};

}  // namespace artillery::membership
