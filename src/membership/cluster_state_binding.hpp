#pragma once

#include <asio/steady_timer.hpp>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "artillery/detail/async.hpp"
#include "artillery/membership.hpp"
#include "membership/core.hpp"
#include "membership/named_seeds_binding.hpp"
#include "membership/query_streams_binding.hpp"
#include "membership/topic_streams_binding.hpp"
#include "net/datagram_socket.hpp"
#include "net/driver.hpp"
#include "net/event_queue.hpp"
#include "net/interfaces.hpp"

namespace artillery::membership {

/// What any thread may ask while the core works: copied out of it after each input. Synchronises itself.
class board {
public:
  explicit board(const core& from) { post(from, true); }

  void post(const core& from, bool all);
  void bound_to(const endpoint& at);
  [[nodiscard]] std::vector<member> members() const;
  [[nodiscard]] member self() const;
  [[nodiscard]] endpoint bound() const;
  [[nodiscard]] endpoint observed() const;
  [[nodiscard]] counters counted() const;
  [[nodiscard]] std::size_t present() const;

private:
  /// Facts are shared and immutable, so a copy of a row costs a reference.
  using rows = std::vector<member_row>;

  mutable std::mutex mutex_;
  member self_;
  std::shared_ptr<const rows> rows_;
  std::size_t present_ = 0;
  endpoint bound_;
  endpoint observed_;
  counters counters_;
};

/// The core as its driver sees it: the same inputs, and a look at the result after each.
class watched_core {
public:
  class watcher {
  public:
    virtual void after_input(core& changed) = 0;

  protected:
    ~watcher() = default;
  };

  watched_core(membership::core core, watcher& by) : core_{std::move(core)}, watcher_{&by} {}

  void receive(const connection& from, bytes_view message, time_point now, effects<event>& out) {
    core_.receive(from, message, now, out);
    watcher_->after_input(core_);
  }
  void link(const connection& which, link_state state, time_point now, effects<event>& out) {
    core_.link(which, state, now, out);
    watcher_->after_input(core_);
  }
  void expire(time_point now, effects<event>& out) {
    core_.expire(now, out);
    watcher_->after_input(core_);
  }
  [[nodiscard]] std::optional<time_point> next_deadline() const { return core_.next_deadline(); }
  /// A call of the user's.
  template <class Function>
  auto use(Function function) {
    auto result = function(core_);
    watcher_->after_input(core_);
    return result;
  }
  [[nodiscard]] const membership::core& inner() const noexcept { return core_; }

private:
  membership::core core_;
  watcher* watcher_;
};

/// A cluster's insides: the driver of its core, and what waits for it.
struct cluster::state final : private watched_core::watcher, public net::driver<watched_core, event> {
  using done = detail::completion<void(std::error_code)>;

  state(asio::any_io_executor executor, config given, identity who, detail::random random);

  void ready(std::uint64_t number, detail::completion<void(std::error_code, endpoint)> waiting);
  void join(std::uint64_t number, done waiting);
  void leave(std::uint64_t number, std::string reason, done waiting);
  /// A broadcast that is to be sent, or waits until there is room for it.
  struct waiting_broadcast {
    std::uint64_t number;
    std::string topic;
    bytes payload;
    done waiting;
  };
  void broadcast(waiting_broadcast what);
  void cancel_broadcast(std::uint64_t number);
  void send(std::uint64_t number, const node_id& to, std::string topic, bytes payload, const send_options& how,
            done waiting);
  std::error_code query(std::uint64_t number, std::string topic, bytes payload, const query_options& how);
  void drop_query(std::uint64_t number);
  std::error_code answer(const node_id& asker, std::uint64_t number, bytes payload);
  void add_seed(const endpoint& at);
  void add_seed(seed_name name);
  void set_tags(tag_map tags);
  /// Why nothing can be done any more.
  [[nodiscard]] std::error_code ended() const;

  // constant
  const config options;
  const identity who;

  // synchronises itself
  board seen;

  // on the strand
  net::event_queue<event> events;
  detail::waiting_list<void(std::error_code, endpoint)> starting;
  detail::waiting_list<void(std::error_code)> joining;
  detail::waiting_list<void(std::error_code)> leaving;
  detail::waiting_list<void(std::error_code)> sending;
  query_streams answers;
  topic_streams topics;

private:
  std::error_code on_start() override;
  void on_stop(std::error_code why) override;
  void on_event(event what) override {
    if (!topics.take(what)) events.push(std::move(what));
  }
  void after_input(membership::core& changed) override;
  // surroundings_binding.cpp: this machine's addresses, the group
  [[nodiscard]] endpoint advertised() const;
  void open_group();
  void watch_addresses();
  void look_at_address();
  /// `errc::would_overflow`: it must wait.
  std::error_code try_broadcast(const waiting_broadcast& what);
  void go_on_broadcasting();
  void look_names_up();
  void read_snapshot();
  void keep_snapshot();
  void write_snapshot();

  std::uint64_t posted_revision_ = 0;
  std::uint64_t posted_round_trips_ = 0;
  std::vector<seed_name> names_given_;  // before it ran
  std::shared_ptr<named_seeds> names_;
  std::shared_ptr<net::datagram_socket> group_;
  std::shared_ptr<net::interface_watch> addresses_;
  asio::steady_timer snapshot_timer_;
  bool snapshot_due_ = false;
  std::deque<waiting_broadcast> broadcasts_;
  bool going_on_ = false;
};

}  // namespace artillery::membership
