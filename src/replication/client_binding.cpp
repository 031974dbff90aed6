#include "replication/client_binding.hpp"

#include <algorithm>
#include <asio/post.hpp>
#include <random>
#include <utility>

#include "replication/deadline.hpp"

namespace artillery::replication {
namespace {

/// Room for what surrounds keys and values in a frame.
constexpr std::size_t frame_overhead_max = std::size_t{64} << 10U;

net::driver_options driver_options_for(const client_config& config, const log_sink& log) {
  net::driver_options options{.component = "replication.client", .log = log, .streams = {}, .persister = nullptr};
  options.streams.frame_size_max = config.value_size_max + frame_overhead_max;
  options.streams.queue_bytes_max = std::max(options.streams.queue_bytes_max, 4 * options.streams.frame_size_max);
  return options;
}

detail::random fresh_random() {
  std::random_device device;
  const std::uint64_t high = device();
  return detail::random{high << 32U | device()};
}

}  // namespace

client_binding::client_binding(asio::any_io_executor executor, client_config config, const client_options& options)
    : driver_base{std::move(executor), driver_options_for(config, options.log)},
      config_{std::move(config)},
      fault_{client_core::check(config_)},
      inbox_{config_.queue_max},
      core_{config_, fresh_random()},
      sink_{*this} {}

// --- the core's turn ---

template <class Function>
bool client_binding::step(Function&& function) {
  struct context {
    client_binding& self;
    Function& function;
  } both{*this, function};
  return input(
      [](void* opaque, time_point now) {
        auto& [self, what] = *static_cast<context*>(opaque);
        const std::lock_guard guard{self.mutex_};
        what(now);
      },
      &both);
}

void client_binding::core_receive(const connection& from, const bytes& message, time_point now) {
  const std::lock_guard guard{mutex_};
  core_.receive(from, message, now, sink_);
}

void client_binding::core_link(const connection& which, link_state became, time_point now) {
  const std::lock_guard guard{mutex_};
  core_.link(which, became, now, sink_);
  transport_figures_.refresh(*this, now);
}

void client_binding::core_completed(operation /*op*/, std::error_code /*error*/, time_point /*now*/) {}

void client_binding::core_expire(time_point now) {
  const std::lock_guard guard{mutex_};
  core_.expire(now, sink_);
  transport_figures_.refresh(*this, now);
}

void client_binding::sink::answer(request_id request, std::error_code error, const read_result& result) {
  read_result own = result;
  // A slice of what the socket read at once: the user may keep it for long, and keep that alive.
  if (own.value) own.value = own.value->compact();
  owner_.reads_.take(request)(error, std::move(own));
}

void client_binding::sink::answer(request_id request, std::error_code error, const write_result& result) {
  owner_.writes_.take(request)(error, result);
}

// --- life ---

std::error_code client_binding::on_start() {
  if (fault_) return fault_;
  step([this](time_point now) { core_.start(now, sink_); });
  return {};
}

void client_binding::on_stop(std::error_code why) {
  is_over_ = true;
  if (!fault_ && why != errc::invariant_broken) {
    // The core knows which writes were sent: of those the outcome is unknown. Of all others nothing happened.
    const std::lock_guard guard{mutex_};
    class ending final : public client_effects {
    public:
      ending(client_binding& owner, std::error_code why) noexcept : owner_{owner}, why_{why} {}
      void send(const connection& /*to*/, bytes_view /*header*/, std::span<const bytes> /*body*/) override {}
      void open(std::uint64_t /*number*/, const endpoint& /*to*/) override {}
      void close(std::uint64_t /*number*/) override {}
      void persist(operation /*op*/, std::span<const bytes> /*slices*/) override {}
      void answer(request_id request, std::error_code /*error*/, const read_result& /*result*/) override {
        owner_.reads_.take(request)(why_, read_result{});
      }
      void answer(request_id request, std::error_code error, const write_result& /*result*/) override {
        owner_.writes_.take(request)(error == errc::outcome_unknown ? error : why_, write_result{});
      }

    private:
      client_binding& owner_;
      std::error_code why_;
    } out{*this, why};
    core_.stop(clock::now(), out);
  }
  reads_.complete_all(why, read_result{});
  writes_.complete_all(why == errc::invariant_broken ? make_error_code(errc::outcome_unknown) : why, write_result{});
}

// --- operations ---

void client_binding::read(bytes key, consistency level, const read_options& options,
                          detail::completion<read_signature> done) {
  if (options.timeout() <= duration{0}) return done(errc::invalid_argument, read_result{});
  const request_id number = next_request_.fetch_add(1, std::memory_order_relaxed);
  detail::on_cancel(done.slot(), std::static_pointer_cast<client_binding>(shared_from_this()),
                    [number](client_binding& self) { self.cancel(number); });
  call asked{number, options.timeout(),
             read_call{std::move(key), level, options.where(), options.after(), std::move(done)}};
  put(asked);
}

void client_binding::write(replication::write what, const write_options& options,
                           detail::completion<write_signature> done) {
  // At the call, so that a queue of what cannot be sent does not form.
  if (what.value.size() > config_.value_size_max) return done(errc::too_large, write_result{});
  if (options.timeout() <= duration{0}) return done(errc::invalid_argument, write_result{});
  const request_id number = next_request_.fetch_add(1, std::memory_order_relaxed);
  detail::on_cancel(done.slot(), std::static_pointer_cast<client_binding>(shared_from_this()),
                    [number](client_binding& self) { self.cancel(number); });
  call asked{number, options.timeout(), write_call{std::move(what), std::move(done)}};
  put(asked);
}

void client_binding::put(call& asked) {
  switch (inbox_.put(asked)) {
    case inbox<call>::taken::joined: return;
    case inbox<call>::taken::first:
      asio::post(executor(),
                 [self = std::static_pointer_cast<client_binding>(shared_from_this())] { self->take_calls(); });
      return;
    case inbox<call>::taken::full: break;
  }
  if (auto* reading = std::get_if<read_call>(&asked.what)) return reading->done(errc::would_overflow, read_result{});
  std::get<write_call>(asked.what).done(errc::would_overflow, write_result{});
}

void client_binding::take_calls() {
  inbox_.take(taken_);
  const bool begun = !is_over_ && step([this](time_point now) {
    for (call& each : taken_) begin(each, now);
  });
  if (!begun) {
    for (call& each : taken_) {
      if (auto* reading = std::get_if<read_call>(&each.what))
        reading->done(errc::not_running, read_result{});
      else
        std::get<write_call>(each.what).done(errc::not_running, write_result{});
    }
  }
  taken_.clear();
}

void client_binding::begin(call& asked, time_point now) {
  if (auto* reading = std::get_if<read_call>(&asked.what)) {
    reads_.add(asked.number, std::move(reading->done));
    core_.read(asked.number, reading->key, reading->level, reading->where, reading->after,
               deadline_after(now, asked.timeout), now, sink_);
    return;
  }
  auto& writing = std::get<write_call>(asked.what);
  writes_.add(asked.number, std::move(writing.done));
  core_.write(asked.number, writing.what, deadline_after(now, asked.timeout), now, sink_);
}

void client_binding::cancel(request_id number) {
  auto reading = reads_.take(number);
  auto writing = writes_.take(number);
  if (!reading && !writing) return;
  step([this, number](time_point now) { core_.cancel(number, now, sink_); });
  reading(asio::error::operation_aborted, read_result{});  // one of them does nothing
  writing(asio::error::operation_aborted, write_result{});
}

// --- other threads ---

replication::view client_binding::view() const {
  const std::lock_guard guard{mutex_};
  return core_.view();
}

client_counters client_binding::counters() const {
  const std::lock_guard guard{mutex_};
  return core_.counters();
}

void client_binding::metrics(const metric_visitor& visit) const {
  const client_counters all = counters();
  visit("replication.client.reads", all.reads);
  visit("replication.client.writes", all.writes);
  visit("replication.client.local_reads", all.local_reads);
  visit("replication.client.retries", all.retries);
  visit("replication.client.refused_busy", all.refused_busy);
  visit("replication.client.outcomes_unknown", all.outcomes_unknown);
  visit("replication.client.timed_out", all.timed_out);
  visit("replication.client.sessions", all.sessions);
  visit("replication.client.views", all.views);
  visit("replication.client.links_opened", all.links_opened);
  visit("replication.client.links_lost", all.links_lost);
  visit("replication.client.malformed", all.malformed);
  visit("replication.client.checksum_mismatches", all.checksum_mismatches);
  transport_figures_.visit(visit);
}

}  // namespace artillery::replication
