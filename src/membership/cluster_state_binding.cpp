#include "membership/cluster_state_binding.hpp"

#include <algorithm>
#include <asio/error.hpp>
#include <asio/post.hpp>
#include <filesystem>

#include "membership/member_snapshot_binding.hpp"

namespace artillery::membership {
namespace {

/// Larger than any frame the core makes but those of messages: a push-pull part and its last entry.
constexpr std::size_t frame_size_max = 4 * push_pull_frame_size;
/// Broadcasts that wait for room; further ones are refused.
constexpr std::size_t broadcasts_waiting_max = 1'024;
/// Of a message's frame beside its payload.
constexpr std::size_t message_frame_overhead_max = 256;

net::driver_options driver_options_of(const config& options) {
  net::driver_options result;
  result.component = "membership";
  result.log = options.log;
  result.streams.frame_size_max =
      std::max(frame_size_max, std::max(options.message_size_max, options.event_size_max) + message_frame_overhead_max);
  result.streams.connections_max = options.streams_max * 3;
  result.streams.connect_timeout = options.stream_timeout;
  result.streams.linger_timeout = options.stream_timeout;
  return result;
}

net::datagram_options datagram_options_of(const config& options) {
  net::datagram_options result;
  if (options.group.none()) return result;
  result.broadcast = !options.group.is_multicast();
  result.multicast_interface = net::interface_of(options.bind);
  return result;
}

}  // namespace

// ---- board ----

void board::post(const core& from, bool all) {
  std::shared_ptr<const rows> fresh;
  if (all) fresh = std::make_shared<const rows>(from.table().begin(), from.table().end());
  const std::lock_guard lock{mutex_};
  counters_ = from.counted();
  if (!all) return;
  self_ = from.self();
  present_ = from.present();
  observed_ = from.observed();
  rows_.swap(fresh);
}

void board::bound_to(const endpoint& at) {
  const std::lock_guard lock{mutex_};
  bound_ = at;
}

std::vector<member> board::members() const {
  std::vector<member> all;
  std::shared_ptr<const rows> shared;
  {
    const std::lock_guard lock{mutex_};
    all.push_back(self_);
    shared = rows_;
  }
  all.reserve(shared->size() + 1);
  for (const member_row& row : *shared) {
    if (!row.buried) all.push_back(to_member(row));
  }
  return all;
}

member board::self() const {
  const std::lock_guard lock{mutex_};
  return self_;
}

endpoint board::bound() const {
  const std::lock_guard lock{mutex_};
  return bound_;
}

endpoint board::observed() const {
  const std::lock_guard lock{mutex_};
  return observed_;
}

counters board::counted() const {
  const std::lock_guard lock{mutex_};
  return counters_;
}

std::size_t board::present() const {
  const std::lock_guard lock{mutex_};
  return present_;
}

// ---- state ----

cluster::state::state(asio::any_io_executor executor, config given, identity identity, detail::random random)
    : driver{std::move(executor), driver_options_of(given),
             watched_core{membership::core{given, identity, random}, *this}},
      options{std::move(given)},
      who{identity},
      seen{driver::core().inner()},
      events{options.event_queue_max, [](std::uint64_t lost) { return event{overflow{lost}}; }},
      snapshot_timer_{driver::executor()} {}

std::error_code cluster::state::on_start() {
  if (const std::string problem = options.validate(); !problem.empty()) {
    log(log_level::error, "invalid configuration: " + problem);
    return errc::invalid_configuration;
  }
  if (const auto error = open_both(options.bind, datagram_options_of(options))) {
    log(log_level::error, "cannot listen at " + to_string(options.bind) + ": " + error.message());
    return error;
  }
  seen.bound_to(datagrams_bound());
  open_group();
  const endpoint at = advertised();
  log(log_level::info, "listening at " + to_string(datagrams_bound()) + ", advertised as " + to_string(at));
  call([&](watched_core& core, time_point now, effects<event>& out) {
    core.use([&](membership::core& c) {
      c.start(at, now, out);
      return true;
    });
  });
  watch_addresses();
  read_snapshot();
  look_names_up();
  starting.complete_all({}, datagrams_bound());
  return {};
}

void cluster::state::on_stop(std::error_code why) {
  events.close(why);
  starting.close(why);
  joining.close(why);
  leaving.close(why);
  sending.close(why);
  answers.close(why);
  topics.close(why);
  if (group_ != nullptr) group_->close();
  if (addresses_ != nullptr) addresses_->close();
  if (names_ != nullptr) names_->stop();
  snapshot_timer_.cancel();
  if (snapshot_due_) write_snapshot();
  for (waiting_broadcast& one : std::exchange(broadcasts_, {})) one.waiting(why);
}

void cluster::state::after_input(membership::core& changed) {
  for (const finished_call& one : changed.take_finished()) sending.complete(one.call, one.error);
  for (query_news& one : changed.take_news()) answers.push(std::move(one));
  const bool may_go_on =
      !broadcasts_.empty() && (changed.has_left() || changed.has_room(broadcasts_.front().payload.size()));
  if (may_go_on && !std::exchange(going_on_, true)) {
    // Not within this input.
    asio::post(executor(), [weak = weak_from_this()] {
      if (const auto self = weak.lock()) static_cast<state&>(*self).go_on_broadcasting();
    });
  }
  const bool changes = changed.revision() != std::exchange(posted_revision_, changed.revision());
  const bool measures = changed.round_trips() != std::exchange(posted_round_trips_, changed.round_trips());
  seen.post(changed, changes || measures);
  if (!changes) return;
  if (changed.present() > 0) joining.complete_all({});
  if (changed.has_left()) {
    leaving.complete_all({});
    joining.complete_all(errc::has_left);
  }
  keep_snapshot();
}

std::error_code cluster::state::ended() const {
  return stopped() ? stopped() : make_error_code(errc::not_running);
}

void cluster::state::ready(std::uint64_t number, detail::completion<void(std::error_code, endpoint)> waiting) {
  if (running()) return waiting({}, datagrams_bound());
  starting.add(number, std::move(waiting));
}

void cluster::state::join(std::uint64_t number, done waiting) {
  if (core().inner().has_left()) return waiting(errc::has_left);
  if (running() && core().inner().present() > 0) return waiting({});
  joining.add(number, std::move(waiting));
}

void cluster::state::leave(std::uint64_t number, std::string reason, done waiting) {
  std::error_code error;
  const bool ran = call([&](watched_core& core, time_point now, effects<event>& out) {
    error = core.use([&](membership::core& c) { return c.leave(now, out, std::move(reason)); });
  });
  if (!ran) return waiting(ended());
  if (error) return waiting(error);
  if (core().inner().has_left()) return waiting({});
  leaving.add(number, std::move(waiting));
}

std::error_code cluster::state::try_broadcast(const waiting_broadcast& what) {
  std::error_code error;
  const bool ran = call([&](watched_core& core, time_point now, effects<event>& out) {
    error = core.use([&](membership::core& c) { return c.broadcast(what.topic, what.payload, now, out); });
  });
  return ran ? error : ended();
}

/// In order: none overtakes one that waits.
void cluster::state::broadcast(waiting_broadcast what) {
  std::error_code error = errc::would_overflow;
  if (broadcasts_.empty()) error = try_broadcast(what);
  if (error != errc::would_overflow || broadcasts_.size() >= broadcasts_waiting_max) return what.waiting(error);
  broadcasts_.push_back(std::move(what));
}

void cluster::state::go_on_broadcasting() {
  going_on_ = false;
  while (!broadcasts_.empty()) {
    const std::error_code error = try_broadcast(broadcasts_.front());
    if (error == errc::would_overflow || broadcasts_.empty()) return;
    broadcasts_.front().waiting(error);
    broadcasts_.pop_front();
  }
}

void cluster::state::cancel_broadcast(std::uint64_t number) {
  const auto found = std::find_if(broadcasts_.begin(), broadcasts_.end(),
                                  [&](const waiting_broadcast& one) { return one.number == number; });
  if (found == broadcasts_.end()) return;
  found->waiting(asio::error::operation_aborted);
  broadcasts_.erase(found);
}

/// It waits before it is sent: it may have ended when the call returns.
void cluster::state::send(std::uint64_t number, const node_id& to, std::string topic, bytes payload,
                          const send_options& how, done waiting) {
  sending.add(number, std::move(waiting));
  std::error_code error;
  const bool ran = call([&](watched_core& core, time_point now, effects<event>& out) {
    error = core.use(
        [&](membership::core& c) { return c.send(number, to, std::move(topic), std::move(payload), how, now, out); });
  });
  if (!ran) error = ended();
  if (error) sending.complete(number, error);
}

/// Its answers have a place before it is asked: it may have ended when the call returns.
std::error_code cluster::state::query(std::uint64_t number, std::string topic, bytes payload,
                                      const query_options& how) {
  if (answers.size() >= options.queries_max) return errc::would_overflow;
  answers.open(number);
  std::error_code error;
  const bool ran = call([&](watched_core& core, time_point now, effects<event>& out) {
    error = core.use(
        [&](membership::core& c) { return c.query(number, std::move(topic), std::move(payload), how, now, out); });
  });
  if (!ran) error = ended();
  if (error) answers.drop(number);
  return error;
}

void cluster::state::drop_query(std::uint64_t number) {
  answers.drop(number);
  call([&](watched_core& core, time_point, effects<event>&) {
    core.use([&](membership::core& c) {
      c.drop_query(number);
      return true;
    });
  });
}

std::error_code cluster::state::answer(const node_id& asker, std::uint64_t number, bytes payload) {
  std::error_code error;
  const bool ran = call([&](watched_core& core, time_point now, effects<event>& out) {
    error = core.use([&](membership::core& c) { return c.answer(asker, number, std::move(payload), now, out); });
  });
  return ran ? error : ended();
}

void cluster::state::add_seed(const endpoint& at) {
  std::error_code error;
  call([&](watched_core& core, time_point now, effects<event>& out) {
    error = core.use([&](membership::core& c) { return c.add_seed(at, now, out); });
  });
  if (error) log(log_level::warning, "seed " + to_string(at) + " dropped: " + error.message());
}

void cluster::state::set_tags(tag_map tags) {
  std::error_code error;
  call([&](watched_core& core, time_point now, effects<event>& out) {
    error = core.use([&](membership::core& c) { return c.set_tags(std::move(tags), now, out); });
  });
  if (error) log(log_level::warning, "tags not changed: " + error.message());
}

// ---- seeds that have names, and those of the run before ----

void cluster::state::add_seed(seed_name name) {
  if (!running()) return names_given_.push_back(std::move(name));
  const std::string host = name.host;
  if (names_ != nullptr && !names_->add(std::move(name), options.seeds_max)) {
    log(log_level::warning, "seed " + host + " dropped: there are too many");
  }
}

void cluster::state::look_names_up() {
  // Not to be kept alive by what it keeps.
  const std::weak_ptr<state> self = std::static_pointer_cast<state>(shared_from_this());
  names_ = std::make_shared<named_seeds>(
      executor(), options.seed_retry, options.seed_retry_max,
      named_seeds::listener{.found =
                                [self](const endpoint& at) {
                                  if (const auto here = self.lock()) here->add_seed(at);
                                },
                            .failed =
                                [self](const std::string& name, std::error_code error) {
                                  const auto here = self.lock();
                                  if (here == nullptr) return;
                                  here->log(log_level::warning, "there is no address for the seed " + name + " (" +
                                                                    error.message() + "); it is looked up again");
                                }});
  for (seed_name& name : std::exchange(names_given_, {})) add_seed(std::move(name));
}

void cluster::state::read_snapshot() {
  if (options.snapshot.empty()) return;
  std::vector<endpoint> members;
  const std::error_code error = membership::read_snapshot(options.snapshot, options.cluster, members);
  for (const endpoint& at : members) add_seed(at);
  if (!error || error == std::errc::no_such_file_or_directory) return;
  const std::string aside = options.snapshot + ".unread";
  std::error_code renamed;
  std::filesystem::rename(options.snapshot, aside, renamed);
  log(log_level::warning, "the snapshot " + options.snapshot + " cannot be used (" + error.message() + ")" +
                              (renamed ? "" : " and is set aside as " + aside));
}

void cluster::state::keep_snapshot() {
  if (options.snapshot.empty() || snapshot_due_ || !running()) return;
  snapshot_due_ = true;
  snapshot_timer_.expires_after(std::chrono::seconds{1});
  const std::weak_ptr<state> self = std::static_pointer_cast<state>(shared_from_this());
  snapshot_timer_.async_wait([self](std::error_code error) {
    const auto here = self.lock();
    if (!error && here != nullptr && here->snapshot_due_) here->write_snapshot();
  });
}

/// Nobody left to know: what was known before is the better seed.
void cluster::state::write_snapshot() {
  snapshot_due_ = false;
  const membership::core& now = driver::core().inner();
  std::error_code error;
  if (now.has_left()) {
    std::filesystem::remove(options.snapshot, error);
  } else if (now.present() > 0) {
    std::vector<endpoint> members;
    for (const member_row& row : now.table()) {
      if (row.present()) members.push_back(row.facts->at);
    }
    error = membership::write_snapshot(options.snapshot, options.cluster, members);
  }
  if (error) log(log_level::warning, "the snapshot " + options.snapshot + " was not written: " + error.message());
}

}  // namespace artillery::membership
