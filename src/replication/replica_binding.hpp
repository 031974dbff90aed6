#pragma once

#include <array>
#include <asio/any_io_executor.hpp>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "artillery/replication.hpp"
#include "base/backoff.hpp"
#include "net/driver.hpp"
#include "net/event_queue.hpp"
#include "net/framed_stream.hpp"
#include "replication/core.hpp"
#include "replication/figures_binding.hpp"
#include "replication/inbox_binding.hpp"
#include "replication/local_read.hpp"
#include "replication/pending_binding.hpp"
#include "replication/reader_stripe_binding.hpp"

namespace artillery::replication {

/// A count that many threads add to without meeting, mostly.
class striped_counter {
public:
  void add(std::uint64_t count) noexcept {
    stripes_[reader_stripe()].count.fetch_add(count, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t sum() const noexcept {
    std::uint64_t all = 0;
    for (const stripe& one : stripes_) all += one.count.load(std::memory_order_relaxed);
    return all;
  }

private:
  struct alignas(64) stripe {
    std::atomic<std::uint64_t> count{0};
  };
  std::array<stripe, reader_stripes> stripes_;
};

/// What a `replica` is a handle of: its core on sockets, and the readers beside it.
///
/// The strand owns everything; `mutex_` is held whenever the core or what is marked so changes, so that other threads
/// can look, and so that the handle's destructor can take the store and the authority away at any moment.
class replica_binding final : public net::driver_base {
public:
  /// Without `objects` it makes a store of its own; `decides` may be null.
  replica_binding(asio::any_io_executor executor, replica_config config, replica_options options, authority* decides,
                  store* objects);

  // --- any thread ---
  void adopt(view chosen, detail::completion<run_signature> done);
  void next_event(detail::completion<event_signature> done);
  void read(bytes key, consistency level, const session_token& after, duration timeout,
            detail::completion<read_signature> done);
  void change(const view_change& what, duration timeout, detail::completion<change_signature> done);
  void retire();
  void hint(const node_id& about, peer_hint what);
  [[nodiscard]] local_read try_read(std::string_view key) const;
  void try_read(std::span<const std::string_view> keys, std::span<local_read> into) const;
  [[nodiscard]] endpoint local_endpoint() const;
  [[nodiscard]] replica_status status() const;
  [[nodiscard]] replica_counters counters() const;
  void metrics(const metric_visitor& visit) const;
  /// The handle goes: the store and the authority are not touched after this.
  void let_go() noexcept;

private:
  struct read_call {
    request_id number = 0;
    bytes key;
    consistency level;
    session_token after;
    duration timeout{};
    detail::completion<read_signature> done;
  };
  struct adoption {
    view chosen;
    detail::completion<run_signature> done;
  };

  class sink final : public core_effects {
  public:
    explicit sink(replica_binding& owner) noexcept : owner_{owner} {}
    using network_effects::send;
    void send(const connection& to, bytes_view header, std::span<const bytes> body) override {
      owner_.driver_base::send(to, header, body);
    }
    void open(std::uint64_t number, const endpoint& to) override { owner_.driver_base::open(number, to); }
    void close(std::uint64_t number) override { owner_.driver_base::close(number); }
    void persist(operation op, std::span<const bytes> slices) override { owner_.driver_base::persist(op, slices); }
    void deliver(event what) override { owner_.heard(what); }
    void answer(request_id request, std::error_code error, const read_result& result) override {
      owner_.answered(request, error, result);
    }
    void changed(request_id request, std::error_code error) override { owner_.changes_.take(request)(error); }
    void ask(const authority_question& question) override { owner_.put_to_authority(question); }
    [[nodiscard]] time_point sample_clock() override { return clock::now(); }

  private:
    replica_binding& owner_;
  };

  std::error_code on_start() override;
  void on_stop(std::error_code why) override;
  void core_receive(const connection& from, const bytes& message, time_point now) override;
  void core_link(const connection& which, link_state state, time_point now) override;
  void core_completed(operation op, std::error_code error, time_point now) override;
  void core_expire(time_point now) override;
  [[nodiscard]] std::optional<time_point> core_deadline() const override { return core_.next_deadline(); }
  void hand_on_events() override {}  // they are handed on as they come: a completion posts
  void drop_events() noexcept override {}

  template <class Function>
  void with_core(time_point now, Function&& function);
  template <class Function>
  bool step(Function&& function);
  void flush_soon();
  void take_reads();
  void cancel_read(request_id number);
  void change_here(request_id number, const view_change& what, duration timeout,
                   detail::completion<change_signature> done);
  void cancel_change(request_id number);
  void answered(request_id request, std::error_code error, const read_result& result);

  void adopt_here(adoption asked);
  [[nodiscard]] std::error_code put_in_force(const view& chosen);
  [[nodiscard]] endpoint reached_at() const;
  void put_to_authority(const authority_question& question);
  void told(std::error_code fault, const authority_answer& answer);
  void heard(const event& what);
  void begin_anew();

  // constant
  const replica_config config_;
  const replica_options options_;
  const std::error_code fault_;
  const bool has_authority_;
  const std::unique_ptr<memory_store> own_objects_;

  // any thread
  const store* readable_;  // what `try_read` reads; as long as there is a handle
  published published_;
  mutable striped_counter local_reads_;
  std::atomic<request_id> next_request_{1};
  inbox<read_call> inbox_;
  transport_figures transport_figures_;

  // changed on the strand under the mutex, by `let_go` too
  mutable std::mutex mutex_;
  store* objects_;      // null once let go
  authority* decides_;  // null: none, or let go
  core core_;
  endpoint bound_;
  bool is_over_ = false;

  // the strand's
  sink sink_;
  net::event_queue<event> events_;
  pending_operations<read_signature> reads_;
  pending_operations<change_signature> changes_;
  std::vector<read_call> taken_;
  std::vector<adoption> early_adoptions_;
  view view_;
  bool is_flush_posted_ = false;
};

}  // namespace artillery::replication
