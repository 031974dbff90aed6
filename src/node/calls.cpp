#include "node/calls.hpp"

#include <algorithm>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/bind_executor.hpp>
#include <asio/error.hpp>
#include <utility>

namespace artillery::detail {

namespace {

/// How a call is completed, whatever its result is called.
template <class Result>
class call_of : public call {
public:
  using done = completion<void(std::error_code, Result)>;

  call_of(duration timeout, done when_over) : call{deadline_after(timeout)}, done_{std::move(when_over)} {}

  void fail(std::error_code why) override { done_(why, {}); }

protected:
  /// The handler of an operation that carries out this call: `next(error, result)` on the strand, with cancellation.
  template <class Next>
  auto handler(const std::shared_ptr<call_table>& table, Next next) {
    return asio::bind_executor(asio::any_io_executor{table->executor()},
                               asio::bind_cancellation_slot(slot(), std::move(next)));
  }
  void finish(const std::weak_ptr<call_table>& table, std::uint64_t number, std::error_code error, Result result) {
    const auto alive = table.lock();
    // The client is gone, since another chain has taken the place of the one that it was one of.
    const bool is_orphan = error == asio::error::operation_aborted && !is_cancelled();
    if (is_orphan && alive != nullptr && alive->start_over(number)) return;
    done_(error, std::move(result));
    if (alive != nullptr) alive->forget(number);
  }

private:
  static time_point deadline_after(duration timeout) noexcept {
    const time_point now = clock::now();
    return timeout > time_point::max() - now ? time_point::max() : now + timeout;
  }

  done done_;
};

class read_call final : public call_of<replication::read_result> {
public:
  read_call(bytes key, replication::consistency level, const call_options& options, done when_over)
      : call_of{options.timeout(), std::move(when_over)},
        key_{std::move(key)},
        level_{level},
        after_{options.after()} {}

  void begin(const call_targets& with, const std::shared_ptr<call_table>& table, std::uint64_t number) override {
    if (with.own == nullptr) return ask_others(with, table, number);
    // The handler holds neither the replica nor the table: what they hold must not hold them.
    with.own->async_read(key_, level_, after_, time_left(),
                         handler(table, [this, self = shared_from_this(), weak = std::weak_ptr{table}, number](
                                            std::error_code error, replication::read_result result) {
                           const auto alive = weak.lock();
                           const bool elsewhere =
                               error == errc::not_serving || error == errc::busy || error == errc::not_head;
                           if (elsewhere && alive != nullptr && alive->targets().client != nullptr)
                             return ask_others(alive->targets(), alive, number);
                           finish(weak, number, error, std::move(result));
                         }));
  }

private:
  void ask_others(const call_targets& with, const std::shared_ptr<call_table>& table, std::uint64_t number) {
    auto options = replication::read_options{time_left()};
    options.where(with.reads).after(after_);
    with.client->async_read(key_, level_, options,
                            handler(table, [this, self = shared_from_this(), weak = std::weak_ptr{table}, number](
                                               std::error_code error, replication::read_result result) {
                              finish(weak, number, error, std::move(result));
                            }));
  }

  bytes key_;
  replication::consistency level_;
  replication::session_token after_;
};

class write_call final : public call_of<replication::write_result> {
public:
  write_call(replication::write what, duration timeout, done when_over)
      : call_of{timeout, std::move(when_over)}, what_{std::move(what)} {}

  void begin(const call_targets& with, const std::shared_ptr<call_table>& table, std::uint64_t number) override {
    with.client->async_write(what_, replication::write_options{time_left()},
                             handler(table, [this, self = shared_from_this(), weak = std::weak_ptr{table}, number](
                                                std::error_code error, replication::write_result result) {
                               finish(weak, number, error, result);
                             }));
  }

private:
  replication::write what_;
};

}  // namespace

duration call::time_left() const noexcept {
  // An operation of no time at all is a wrong argument; one that is late only times out.
  return std::max<duration>(deadline_ - clock::now(), std::chrono::nanoseconds{1});
}

std::shared_ptr<call> make_read(bytes key, replication::consistency level, const call_options& options,
                                completion<void(std::error_code, replication::read_result)> done) {
  return std::make_shared<read_call>(std::move(key), level, options, std::move(done));
}

std::shared_ptr<call> make_write(replication::write what, duration timeout,
                                 completion<void(std::error_code, replication::write_result)> done) {
  return std::make_shared<write_call>(std::move(what), timeout, std::move(done));
}

call_table::call_table(net::strand strand, std::size_t waiting_max)
    : strand_{std::move(strand)}, waiting_max_{waiting_max}, timer_{strand_} {}

void call_table::start(std::uint64_t number, std::shared_ptr<call> what) {
  if (refusal_) return what->fail(refusal_);
  if (targets_.client != nullptr) {
    call& begun = *under_way_.emplace(number, std::move(what)).first->second;
    begun.begin(targets_, shared_from_this(), number);
    return;
  }
  if (waiting_.size() >= waiting_max_) return what->fail(errc::would_overflow);
  deadlines_.emplace(what->deadline(), number);
  waiting_.emplace(number, std::move(what));
  arm();
}

void call_table::cancel(std::uint64_t number) {
  if (const auto waits = waiting_.extract(number)) {
    waits.mapped()->fail(asio::error::operation_aborted);
    return;
  }
  const auto runs = under_way_.find(number);
  if (runs == under_way_.end()) return;
  const auto kept = runs->second;
  kept->cancel();
}

bool call_table::start_over(std::uint64_t number) {
  if (closed_) return false;
  if (const auto runs = under_way_.extract(number)) start(number, runs.mapped());
  return true;
}

void call_table::serve(call_targets with) {
  if (closed_) return;
  targets_ = std::move(with);
  if (targets_.client == nullptr) return;
  refusal_.clear();
  for (auto& [number, what] : std::exchange(waiting_, {})) {
    call& begun = *under_way_.emplace(number, std::move(what)).first->second;
    begun.begin(targets_, shared_from_this(), number);
  }
  arm();
}

void call_table::refuse(std::error_code why) {
  if (closed_) return;
  refusal_ = why;
  fail_waiting(why);
}

void call_table::close(std::error_code why) {
  if (closed_) return;
  closed_ = true;
  refusal_ = why;
  targets_ = {};
  fail_waiting(why);
}

void call_table::fail_waiting(std::error_code why) {
  for (auto& [number, what] : std::exchange(waiting_, {})) what->fail(why);
  arm();
}

void call_table::arm() {
  while (!deadlines_.empty() && !waiting_.contains(deadlines_.begin()->second)) deadlines_.erase(deadlines_.begin());
  if (deadlines_.empty()) {
    timer_.cancel();
    return;
  }
  timer_.expires_after(std::max<duration>(deadlines_.begin()->first - clock::now(), duration{0}));
  timer_.async_wait([weak = weak_from_this()](std::error_code error) {
    const auto self = weak.lock();
    if (!error && self != nullptr) self->expire();
  });
}

void call_table::expire() {
  const time_point now = clock::now();
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    if (const auto late = waiting_.extract(deadlines_.begin()->second)) late.mapped()->fail(errc::timed_out);
    deadlines_.erase(deadlines_.begin());
  }
  arm();
}

}  // namespace artillery::detail
