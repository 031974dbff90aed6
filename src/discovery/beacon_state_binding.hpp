#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "artillery/detail/async.hpp"
#include "artillery/discovery.hpp"
#include "base/random.hpp"
#include "discovery/core.hpp"
#include "discovery/links_binding.hpp"
#include "net/driver.hpp"
#include "net/event_queue.hpp"

namespace artillery::discovery {

/// `core` alone is the driver's accessor, inside of what derives from it.
using core_type = core;

/// What the user's threads may ask without the strand: which calls are sound. Guarded by its own mutex.
class promises {
public:
  explicit promises(std::uint64_t seed) : random_{seed} {}

  /// Draws the instance id if there is none.
  std::error_code announce(service& what);
  std::error_code withdraw(const node_id& instance);
  void withdrawn(const node_id& instance);
  std::error_code browse(std::string_view type);
  void stop_browse(std::string_view type);
  void stop();

private:
  std::mutex mutex_;
  detail::random random_;
  bool stopped_ = false;
  std::map<node_id, bool> announced_;  // true: being withdrawn
  std::set<std::string, std::less<>> browsed_;
};

/// A beacon's insides: the driver of its core, and what waits for events of it.
struct beacon::state final : net::driver<core, core_event> {
  using run_done = detail::completion<void(std::error_code)>;
  using seek_done = detail::completion<void(std::error_code, service)>;

  state(asio::any_io_executor executor, config given, core_config of_core, std::uint64_t seed);

  void announce(const service& what);
  void withdraw(const node_id& instance, std::uint64_t number, run_done done);
  void browse(const std::string& type);
  void seek(const std::string& type, duration timeout, std::uint64_t number, seek_done done);
  void cancel_seek(std::uint64_t number);
  void publish();
  void visit_figures(const metric_visitor& visit) const;

  // constant
  const config options;
  const node_id node;

  // synchronise themselves
  promises sound;
  mutable std::mutex figures_mutex;

  // on the strand
  net::event_queue<event> events;
  detail::waiting_list<void(std::error_code)> withdrawing;
  detail::waiting_list<void(std::error_code, service)> seeking;
  std::map<node_id, std::uint64_t> withdraw_numbers;  // the operation that waits for that instance's last goodbye
  std::optional<links> sockets;

  // guarded by figures_mutex
  struct figures {
    core_counters core;
    std::uint64_t services_known = 0;
    std::uint64_t nodes_known = 0;
    std::uint64_t interfaces = 0;
    std::uint64_t send_errors = 0;
    std::uint64_t truncated = 0;
    std::uint64_t events_lost = 0;
  } published;

private:
  std::error_code on_start() override;
  void on_stop(std::error_code why) override;
  void on_event(core_event what) override;
  void report_static_peers(std::string_view type);

  std::uint64_t events_lost_ = 0;
};

}  // namespace artillery::discovery
