#include "replication/replica_binding.hpp"

#include <algorithm>
#include <asio/post.hpp>
#include <random>
#include <string>

#include "base/assert.hpp"
#include "replication/authority_calls.hpp"
#include "replication/deadline.hpp"

namespace artillery::replication {
namespace {

constexpr std::size_t early_adoptions_max = 16;
/// Room for what surrounds keys and values in a frame.
constexpr std::size_t frame_overhead_max = std::size_t{64} << 10U;
/// Reads of one call to `try_read` are looked up this many at a time.
constexpr std::size_t batch_max = 64;

net::driver_options driver_options_for(const replica_config& config, const log_sink& log) {
  net::driver_options options{.component = "replication", .log = log, .streams = {}, .persister = nullptr};
  options.streams.frame_size_max = config.value_size_max + config.append_bytes_max + frame_overhead_max;
  options.streams.queue_bytes_max =
      std::max({options.streams.queue_bytes_max, 2 * config.link_bytes_max, 4 * options.streams.frame_size_max});
  return options;
}

detail::random fresh_random() {
  std::random_device device;
  const std::uint64_t high = device();
  return detail::random{high << 32U | device()};
}

}  // namespace

replica_binding::replica_binding(asio::any_io_executor executor, replica_config config, replica_options options,
                                 authority* decides, store* objects)
    : driver_base{std::move(executor), driver_options_for(config, options.log)},
      config_{std::move(config)},
      options_{std::move(options)},
      fault_{core::check(config_)},
      has_authority_{decides != nullptr},
      own_objects_{objects == nullptr ? std::make_unique<memory_store>() : nullptr},
      readable_{objects == nullptr ? own_objects_.get() : objects},
      inbox_{config_.waiting_reads_max},
      objects_{objects == nullptr ? own_objects_.get() : objects},
      decides_{decides},
      core_{config_, fresh_random()},
      sink_{*this},
      events_{options_.events_max, [](std::uint64_t lost) { return event{event::kind::overflow, 0, {}, lost}; }} {}

void replica_binding::let_go() noexcept {
  {
    const std::lock_guard guard{mutex_};
    objects_ = nullptr;
    decides_ = nullptr;
    published_.publish({});
  }
  shut_down();
}

// --- the core's turn ---

template <class Function>
void replica_binding::with_core(time_point now, Function&& function) {
  const std::lock_guard guard{mutex_};
  if (objects_ == nullptr) return;
  function(core_, turn{now, *objects_, sink_});
}

template <class Function>
bool replica_binding::step(Function&& function) {
  struct context {
    replica_binding& self;
    Function& function;
  } both{*this, function};
  return input(
      [](void* opaque, time_point now) {
        auto& [self, what] = *static_cast<context*>(opaque);
        self.with_core(now, what);
        self.flush_soon();
      },
      &both);
}

/// After whatever else is ready now: many frames then leave as one, and readers are told once.
void replica_binding::flush_soon() {
  if (is_flush_posted_) return;
  is_flush_posted_ = true;
  asio::post(executor(), [weak = weak_from_this()] {
    const auto alive = weak.lock();
    if (!alive) return;
    auto& self = static_cast<replica_binding&>(*alive);
    self.is_flush_posted_ = false;
    self.input(
        [](void* opaque, time_point now) {
          auto& own = *static_cast<replica_binding*>(opaque);
          own.with_core(now, [&own](core& c, const turn& at) {
            c.flush(at);
            own.published_.publish(c.serving());
          });
          own.transport_figures_.refresh(own, now);
        },
        &self);
  });
}

void replica_binding::core_receive(const connection& from, const bytes& message, time_point now) {
  with_core(now, [&](core& c, const turn& at) { c.receive(from, message, at); });
  flush_soon();
}

void replica_binding::core_link(const connection& which, link_state became, time_point now) {
  with_core(now, [&](core& c, const turn& at) { c.link(which, became, at); });
  flush_soon();
}

void replica_binding::core_completed(operation /*op*/, std::error_code /*error*/, time_point /*now*/) {}

void replica_binding::core_expire(time_point now) {
  with_core(now, [](core& c, const turn& at) { c.expire(at); });
  flush_soon();
}

// --- life ---

std::error_code replica_binding::on_start() {
  if (fault_) return fault_;
  if (const auto error = listen_streams(options_.listen)) return error;
  {
    const std::lock_guard guard{mutex_};
    bound_ = streams_bound();
  }
  events_.push({event::kind::listening, 0, {}, 0});
  for (adoption& each : std::exchange(early_adoptions_, {})) adopt_here(std::move(each));
  if (has_authority_ && reached_at().is_any()) return errc::invalid_configuration;
  if (has_authority_) step([this](core& c, const turn& at) { c.start(reached_at(), at); });
  return {};
}

void replica_binding::on_stop(std::error_code why) {
  {
    const std::lock_guard guard{mutex_};
    is_over_ = true;
    published_.publish({});
  }
  events_.close(why);
  reads_.complete_all(why, read_result{});
  changes_.complete_all(why);
  for (adoption& each : std::exchange(early_adoptions_, {})) each.done(why);
}

// --- the view ---

void replica_binding::adopt(view chosen, detail::completion<run_signature> done) {
  submit(std::static_pointer_cast<replica_binding>(shared_from_this()),
         [asked = adoption{std::move(chosen), std::move(done)}](replica_binding& self) mutable {
           self.adopt_here(std::move(asked));
         });
}

void replica_binding::adopt_here(adoption asked) {
  if (is_over_) return asked.done(errc::not_running);
  if (running()) return asked.done(put_in_force(asked.chosen));
  // A view needs links, and only a driver that runs opens them.
  if (early_adoptions_.size() >= early_adoptions_max) return asked.done(errc::would_overflow);
  early_adoptions_.push_back(std::move(asked));
}

std::error_code replica_binding::put_in_force(const view& chosen) {
  const view& known = has_authority_ ? core_.in_force() : view_;
  if (has_authority_ || known.epoch != 0)
    return known == chosen ? std::error_code{} : make_error_code(errc::stale_epoch);
  if (chosen.chain != config_.chain || check_view(chosen)) return errc::invalid_configuration;
  view_ = chosen;
  const time_point asked_at = clock::now();
  const bool begun = step([&](core& c, const turn& at) { c.adopt(chosen, duration::max(), asked_at, at); });
  return begun ? std::error_code{} : stopped();
}

// --- views that change ---

/// In a step of the core, under the mutex. The answer comes on any thread, perhaps before this returns.
void replica_binding::put_to_authority(const authority_question& question) {
  if (decides_ == nullptr) return;
  put_question(*decides_, core_.self(), question,
               [weak = weak_from_this()](std::error_code fault, const authority_answer& answer) {
                 const auto alive = weak.lock();
                 if (!alive) return;
                 asio::post(alive->executor(),
                            [alive, fault, answer] { static_cast<replica_binding&>(*alive).told(fault, answer); });
               });
}

void replica_binding::told(std::error_code fault, const authority_answer& answer) {
  if (!running()) return;
  const auto* read = std::get_if<authority_view>(&answer);
  const bool is_ours = read == nullptr || (read->newest.view.chain == config_.chain && !check_view(read->newest.view));
  if (fault || !is_ours) return stop(make_error_code(errc::invalid_configuration));
  step([&](core& c, const turn& at) {
    c.answered(answer, at);
    published_.publish(c.serving());  // no reader goes by a lease of the epoch before from now on
  });
}

void replica_binding::heard(const event& what) {
  events_.push(what);
  const bool is_displaced = what.what == event::kind::displaced;
  if (what.what != event::kind::removed && !is_displaced) return;
  asio::post(executor(), [weak = weak_from_this(), is_displaced] {
    const auto alive = weak.lock();
    if (!alive) return;
    auto& self = static_cast<replica_binding&>(*alive);
    if (is_displaced) return self.stop(make_error_code(errc::node_id_in_use));
    self.begin_anew();
  });
}

/// Readers on other threads have been told before what they read goes.
void replica_binding::begin_anew() {
  step([](core& c, const turn& at) { c.begin_anew(c.self().incarnation + 1, at); });
}

// --- reads through the core ---

void replica_binding::read(bytes key, consistency level, const session_token& after, duration timeout,
                           detail::completion<read_signature> done) {
  if (timeout <= duration{0}) return done(errc::invalid_argument, read_result{});
  const request_id number = next_request_.fetch_add(1, std::memory_order_relaxed);
  const auto self = std::static_pointer_cast<replica_binding>(shared_from_this());
  detail::on_cancel(done.slot(), self, [number](replica_binding& own) { own.cancel_read(number); });
  read_call call{number, std::move(key), level, after, timeout, std::move(done)};
  switch (inbox_.put(call)) {
    case inbox<read_call>::taken::full: return call.done(errc::busy, read_result{});
    case inbox<read_call>::taken::joined: return;
    case inbox<read_call>::taken::first: asio::post(executor(), [self] { self->take_reads(); });
  }
}

void replica_binding::take_reads() {
  inbox_.take(taken_);
  if (is_over_) {
    for (read_call& call : taken_) call.done(errc::not_running, read_result{});
    return taken_.clear();
  }
  for (read_call& call : taken_) reads_.add(call.number, std::move(call.done));
  step([this](core& c, const turn& at) {
    for (const read_call& call : taken_)
      c.read(call.number, call.key.compact(), call.level, call.after, deadline_after(at.now, call.timeout), at);
  });
  taken_.clear();
}

void replica_binding::cancel_read(request_id number) {
  auto done = reads_.take(number);
  if (!done) return;
  step([number](core& c, const turn&) { c.cancel(number); });
  done(asio::error::operation_aborted, read_result{});
}

void replica_binding::answered(request_id request, std::error_code error, const read_result& result) {
  reads_.take(request)(error, result);
}

// --- changes of the chain ---

void replica_binding::change(const view_change& what, duration timeout, detail::completion<change_signature> done) {
  if (timeout <= duration{0}) return done(errc::invalid_argument);
  const request_id number = next_request_.fetch_add(1, std::memory_order_relaxed);
  const auto self = std::static_pointer_cast<replica_binding>(shared_from_this());
  detail::on_cancel(done.slot(), self, [number](replica_binding& own) { own.cancel_change(number); });
  submit(self, [number, what, timeout, done = std::move(done)](replica_binding& own) mutable {
    own.change_here(number, what, timeout, std::move(done));
  });
}

void replica_binding::change_here(request_id number, const view_change& what, duration timeout,
                                  detail::completion<change_signature> done) {
  if (!running()) return done(errc::not_running);
  changes_.add(number, std::move(done));
  step([&](core& c, const turn& at) { c.change(number, what, deadline_after(at.now, timeout), at); });
}

void replica_binding::cancel_change(request_id number) {
  auto done = changes_.take(number);
  if (!done) return;
  step([number](core& c, const turn&) { c.forget_change(number); });
  done(asio::error::operation_aborted);
}

void replica_binding::retire() {
  submit(std::static_pointer_cast<replica_binding>(shared_from_this()),
         [](replica_binding& self) { self.step([](core& c, const turn&) { c.retire(); }); });
}

void replica_binding::hint(const node_id& about, peer_hint what) {
  submit(std::static_pointer_cast<replica_binding>(shared_from_this()), [about, what](replica_binding& self) {
    self.step([&](core& c, const turn& at) { c.hint(about, what, at); });
  });
}

// --- other threads ---

void replica_binding::next_event(detail::completion<event_signature> done) {
  const auto number = events_.reserve();
  const auto self = std::static_pointer_cast<replica_binding>(shared_from_this());
  detail::on_cancel(done.slot(), self, [number](replica_binding& own) { own.events_.cancel(number); });
  submit(self,
         [number, done = std::move(done)](replica_binding& own) mutable { own.events_.next(number, std::move(done)); });
}

local_read replica_binding::try_read(std::string_view key) const {
  const read_note noted = note(published_);
  if (noted.epoch == 0) return {};
  stored found = fetch(*readable_, key);
  const serving_state serving = published_.load();
  local_read result = answer_of(serving, noted, found, clock::now());
  if (result.what != local_read::outcome::ask) local_reads_.add(1);
  return result;
}

void replica_binding::try_read(std::span<const std::string_view> keys, std::span<local_read> into) const {
  const std::size_t wanted = std::min(keys.size(), into.size());
  std::array<stored, batch_max> found;
  std::uint64_t answered = 0;
  for (std::size_t start = 0; start < wanted; start += batch_max) {
    const std::size_t count = std::min(batch_max, wanted - start);
    const read_note noted = note(published_);
    readable_->fetch(keys.subspan(start, count), std::span{found}.first(count));
    const serving_state serving = published_.load();
    const time_point now = clock::now();  // after all of these fetches
    for (std::size_t i = 0; i < count; ++i) {
      into[start + i] = answer_of(serving, noted, found[i], now);
      if (into[start + i].what != local_read::outcome::ask) ++answered;
    }
  }
  if (answered != 0) local_reads_.add(answered);
}

endpoint replica_binding::reached_at() const {
  if (options_.advertise == endpoint{}) return bound_;
  return options_.advertise.none() ? options_.advertise.with_port(bound_.port()) : options_.advertise;
}

endpoint replica_binding::local_endpoint() const {
  const std::lock_guard guard{mutex_};
  return bound_;
}

replica_status replica_binding::status() const {
  const std::lock_guard guard{mutex_};
  replica_status now = core_.status();
  if (is_over_) {
    now.epoch = 0;
    now.role = role::none;
    now.successor_up = false;
  }
  return now;
}

replica_counters replica_binding::counters() const {
  const std::lock_guard guard{mutex_};
  replica_counters all = core_.counters();
  all.local_reads += local_reads_.sum();
  return all;
}

void replica_binding::metrics(const metric_visitor& visit) const {
  const replica_counters all = counters();
  const replica_status now = status();
  visit("replication.writes", all.writes);
  visit("replication.duplicate_writes", all.duplicate_writes);
  visit("replication.failed_conditions", all.failed_conditions);
  visit("replication.refused_busy", all.refused_busy);
  visit("replication.refused_epoch", all.refused_epoch);
  visit("replication.local_reads", all.local_reads);
  visit("replication.dirty_reads", all.dirty_reads);
  visit("replication.stale_reads", all.stale_reads);
  visit("replication.held_back_reads", all.held_back_reads);
  visit("replication.void_tokens", all.void_tokens);
  visit("replication.watermark_queries", all.watermark_queries);
  visit("replication.watermark_answers", all.watermark_answers);
  visit("replication.appended_records", all.appended_records);
  visit("replication.append_frames", all.append_frames);
  visit("replication.resent_records", all.resent_records);
  visit("replication.acks", all.acks);
  visit("replication.links_opened", all.links_opened);
  visit("replication.links_lost", all.links_lost);
  visit("replication.hints", all.hints);
  visit("replication.views", all.views);
  visit("replication.proposals", all.proposals);
  visit("replication.gates_waited", all.gates_waited);
  visit("replication.gates_ended_early", all.gates_ended_early);
  visit("replication.gates_confirmed", all.gates_confirmed);
  visit("replication.freezes", all.freezes);
  visit("replication.learners_promoted", all.learners_promoted);
  visit("replication.learners_expelled", all.learners_expelled);
  visit("replication.checkpoints", all.checkpoints);
  visit("replication.malformed", all.malformed);
  visit("replication.checksum_mismatches", all.checksum_mismatches);
  visit("replication.objects", readable_->size());
  visit("replication.epoch", now.epoch);
  visit("replication.last", now.last);
  visit("replication.commit", now.commit);
  visit("replication.dirty_objects", now.dirty_objects);
  visit("replication.window_bytes", now.window_bytes);
  visit("replication.sessions", now.sessions);
  visit("replication.stopped", now.stopped ? 1 : 0);
  transport_figures_.visit(visit);
}

}  // namespace artillery::replication
