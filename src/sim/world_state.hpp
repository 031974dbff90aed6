#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "sim/disk.hpp"
#include "sim/event_queue.hpp"
#include "sim/host_clock.hpp"
#include "sim/network.hpp"
#include "sim/trace.hpp"

namespace artillery::sim {

enum class event_kind : std::uint8_t {
  none,
  datagram,
  frame,
  link,
  completed,
  timer,
  call,
  scheduled,
  stream_timeout,
  stream_drain,  // the way takes the next of the frames that wait
  wake           // a suspended machine
};

/// One thing that is going to happen. Which fields count depends on the kind.
struct event {
  event_kind kind = event_kind::none;
  link_state state = link_state::down;
  disk_error error = disk_error::none;
  std::uint32_t life = 0;  // of the host it is meant for: a later life of the same host does not get it
  host at = 0;
  connection from{};  // datagram, frame, link; number of the stream, operation, timer or call otherwise
  bytes message{};
};

/// Frames that a stream's sender still holds: the way is cut, or slower than they come.
struct stream_backlog {
  std::deque<bytes> frames;
  std::size_t size = 0;
  bool is_congested = false;      // and its program was told so
  bool is_draining = false;       // a `stream_drain` is under way
  time_point way_is_free_from{};  // when what was sent last has left
};

/// One end of a stream, as its host knows it.
struct stream_end {
  host peer = 0;
  std::uint32_t peer_life = 0;
  std::uint64_t peer_number = 0;
  endpoint peer_endpoint;
  time_point last_arrival{};  // of what this end sent: frames of a stream do not overtake each other
  std::unique_ptr<stream_backlog> backlog{};
  std::optional<time_point> gives_up{};  // when this end stops waiting for an answer
  bool over = false;                     // nothing sent from now on arrives; `link(down)` is under way
};

/// How a host dies, from the moment it is dead until its last input has been handled to its end.
enum class death : std::uint8_t { none, of_process, of_machine };

/// A host that dies in the midst of an input: how far it still gets.
struct planned_crash {
  crash_point when;
  std::function<void()> then;
  bool has_begun = false;  // its last input is being handled
};

struct host_state {
  endpoint at;
  std::unique_ptr<sim::program> program;
  std::uint32_t life = 0;
  bool paused = false;
  bool dark = false;  // powered off: it does not even refuse
  death dying = death::none;
  std::uint32_t handling = 0;  // inputs under way: an observer may call into the program that it watches
  std::optional<time_point> wakes_at;
  std::optional<time_point> armed;
  std::uint64_t timer = 0;  // the armed timer's number: older timer events are void
  std::uint64_t next_accepted = 2;
  std::map<std::uint64_t, stream_end> streams;
  std::deque<event> held;  // arrived while paused
  host_clock clock;
  duration wall_ahead{};
  std::unique_ptr<sim::disk> disk;  // none: nothing was ever persisted
  std::optional<disk_faults> own_disk_faults;
  std::unique_ptr<planned_crash> plan;
  // A core whose deadline does not move on would stop the world's time: found instead of spun on.
  time_point last_expiry;
  std::uint32_t expiries_at_once = 0;

  [[nodiscard]] bool holds_input() const noexcept { return paused || wakes_at.has_value(); }
};

struct world::state {
  state(std::uint64_t seed, const link_faults& faults);

  std::uint64_t seed;
  time_point now{};
  sim::network network;
  event_queue<event> queue;
  std::deque<host_state> hosts;
  std::map<endpoint, host> by_endpoint;
  std::map<std::pair<host, host>, std::vector<std::pair<time_point, event>>> clogged;  // with when it would arrive
  std::map<std::uint64_t, std::function<void()>> scheduled;
  std::map<std::uint64_t, std::function<void(program&, time_point, network_effects&)>> calls;
  std::uint64_t next_call = 0;
  std::uint16_t next_ephemeral = 0;
  duration stream_timeout = std::chrono::seconds{10};
  sim::stream_limits stream_limits;
  sim::disk_faults disk_faults;
  detail::random partitions;
  sim::trace trace;
  world_counters counters;
  sim::watcher watcher;

  /// The effects of one host's program, as long as one input is being handled.
  class sink;

  // hosts.cpp
  template <class Handler>
  void handle(host which, Handler&& handler);
  void happen(event what);
  void route(event what);
  void give(event what);
  void deliver(event& what);
  void expire(host which);
  void wake(host which);
  void start(host which);
  void schedule(time_point when, std::function<void()> what);
  void call(host which, std::function<void(program&, time_point, network_effects&)> what);
  void release_held(host which);
  void arm(host which);
  void die(host which, death how);
  void end_life(host which);
  void persist(host which, operation op, bytes record);
  [[nodiscard]] sim::disk& disk_of(host which);
  [[nodiscard]] const sim::disk_faults& disk_faults_of(host which) const noexcept;

  // watch.cpp
  void show(happening what);
  void show(happening::kind what, host where, std::optional<host> other = {});
  void show_input(const event& what);

  // streams.cpp
  void post(host from, host to, time_point when, event what);
  void unclog(host from, host to);
  void send_datagram(host from, const connection& to, bytes message);
  [[nodiscard]] static event link_news(host to, std::uint32_t life, std::uint64_t number, const endpoint& peer,
                                       link_state what);
  void tell(host which, std::uint64_t number, const endpoint& peer, link_state what, time_point when);
  void open_stream(host from, std::uint64_t number, const endpoint& to);
  void send_frame(host from, std::uint64_t number, bytes message);
  void close_stream(host from, std::uint64_t number);
  void transmit(host from, stream_end& end, bytes message);
  void send_end(host from, stream_end& end, duration extra);
  void break_stream(host from, std::uint64_t number);
  void give_up_stream(host from, std::uint64_t number);
  [[nodiscard]] bool stalls_at(host from, std::uint64_t number, stream_end& end);
  void await_answer(host from, std::uint64_t number, stream_end& end, duration wait);
  void abandon_streams(host which, bool silent);

  // backlog.cpp
  void enqueue(host from, std::uint64_t number, stream_end& end, bytes message);
  void drain(host from, std::uint64_t number, stream_end& end);
  void release_stalled(host from);
};

}  // namespace artillery::sim
