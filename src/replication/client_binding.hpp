#pragma once

#include <asio/any_io_executor.hpp>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <system_error>
#include <variant>
#include <vector>

#include "artillery/replication.hpp"
#include "net/driver.hpp"
#include "replication/client_core.hpp"
#include "replication/figures_binding.hpp"
#include "replication/inbox_binding.hpp"
#include "replication/pending_binding.hpp"

namespace artillery::replication {

/// What a `client` is a handle of: its core on sockets. The strand owns everything; `mutex_` is held whenever the core
/// changes, so that other threads can look.
class client_binding final : public net::driver_base {
public:
  client_binding(asio::any_io_executor executor, client_config config, const client_options& options);

  // --- any thread ---
  void read(bytes key, consistency level, const read_options& options, detail::completion<read_signature> done);
  void write(replication::write what, const write_options& options, detail::completion<write_signature> done);
  [[nodiscard]] replication::view view() const;
  [[nodiscard]] client_counters counters() const;
  void metrics(const metric_visitor& visit) const;

private:
  struct read_call {
    bytes key;
    consistency level;
    routing where;
    session_token after;
    detail::completion<read_signature> done;
  };
  struct write_call {
    replication::write what;
    detail::completion<write_signature> done;
  };
  struct call {
    request_id number = 0;
    duration timeout{};
    std::variant<read_call, write_call> what;
  };

  class sink final : public client_effects {
  public:
    explicit sink(client_binding& owner) noexcept : owner_{owner} {}
    using network_effects::send;
    void send(const connection& to, bytes_view header, std::span<const bytes> body) override {
      owner_.driver_base::send(to, header, body);
    }
    void open(std::uint64_t number, const endpoint& to) override { owner_.driver_base::open(number, to); }
    void close(std::uint64_t number) override { owner_.driver_base::close(number); }
    void persist(operation op, std::span<const bytes> slices) override { owner_.driver_base::persist(op, slices); }
    void answer(request_id request, std::error_code error, const read_result& result) override;
    void answer(request_id request, std::error_code error, const write_result& result) override;

  private:
    client_binding& owner_;
  };

  std::error_code on_start() override;
  void on_stop(std::error_code why) override;
  void core_receive(const connection& from, const bytes& message, time_point now) override;
  void core_link(const connection& which, link_state became, time_point now) override;
  void core_completed(operation op, std::error_code error, time_point now) override;
  void core_expire(time_point now) override;
  [[nodiscard]] std::optional<time_point> core_deadline() const override { return core_.next_deadline(); }
  void hand_on_events() override {}  // the core has none
  void drop_events() noexcept override {}

  template <class Function>
  bool step(Function&& function);
  void put(call& asked);
  void take_calls();
  void begin(call& asked, time_point now);
  void cancel(request_id number);

  const client_config config_;
  const std::error_code fault_;
  std::atomic<request_id> next_request_{1};
  inbox<call> inbox_;
  transport_figures transport_figures_;

  mutable std::mutex mutex_;
  client_core core_;

  // the strand's
  sink sink_;
  pending_operations<read_signature> reads_;
  pending_operations<write_signature> writes_;
  std::vector<call> taken_;
  bool is_over_ = false;
};

}  // namespace artillery::replication
