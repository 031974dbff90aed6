#pragma once

#include <deque>
#include <map>
#include <string>

#include "base/state_hash.hpp"
#include "sim/event_queue.hpp"
#include "sim/network.hpp"

namespace artillery::sim {

enum class event_kind : std::uint8_t { none, datagram, frame, link, completed, timer, call, scheduled, stream_timeout };

/// One thing that is going to happen. Which fields count depends on the kind.
struct event {
  event_kind kind = event_kind::none;
  link_state state = link_state::down;
  std::uint32_t life = 0;  // of the host it is meant for: a later life of the same host does not get it
  host at = 0;
  connection from;  // datagram, frame, link; number of the operation, timer or call otherwise
  bytes message;
};

/// One end of a stream, as its host knows it.
struct stream_end {
  host peer = 0;
  std::uint32_t peer_life = 0;
  std::uint64_t peer_number = 0;
  endpoint peer_endpoint;
  time_point last_arrival;             // of what this end sent: frames of a stream do not overtake each other
  std::deque<bytes> stalled;           // sent behind a cut
  std::optional<time_point> gives_up;  // when this end stops waiting for an answer
  bool over = false;                   // nothing sent from now on arrives; `link(down)` is under way
};

struct host_state {
  endpoint at;
  std::unique_ptr<sim::program> program;
  std::uint32_t life = 0;
  bool paused = false;
  bool dark = false;  // powered off: it does not even refuse
  std::optional<time_point> armed;
  std::uint64_t timer = 0;  // the armed timer's number: older timer events are void
  std::uint64_t next_accepted = 2;
  std::map<std::uint64_t, stream_end> streams;
  std::deque<event> held;  // arrived while paused
  // A core whose deadline does not move on would stop the world's time: found instead of spun on.
  time_point last_expiry;
  std::uint32_t expiries_at_once = 0;
};

struct world::state {
  state(std::uint64_t seed, const link_faults& faults);

  std::uint64_t seed;
  time_point now{};
  sim::network network;
  event_queue<event> queue;
  std::deque<host_state> hosts;
  std::map<endpoint, host> by_endpoint;
  std::map<std::uint64_t, std::function<void()>> scheduled;
  std::map<std::uint64_t, std::function<void(program&, time_point, network_effects&)>> calls;
  std::uint64_t next_call = 0;
  std::uint16_t next_ephemeral = 0;
  duration stream_timeout = std::chrono::seconds{10};
  detail::state_hash trace;
  world_counters counters;

  /// The effects of one host's program, as long as one input is being handled.
  class sink;

  void happen(event what);
  void deliver(host_state& to, event& what);
  void input(host which, const std::function<void(program&, time_point, network_effects&)>& what);
  void arm(host which);
  void end_life(host which, bool dark);

  // streams.cpp
  void send_datagram(host from, const connection& to, bytes message);
  void open_stream(host from, std::uint64_t number, const endpoint& to);
  void send_frame(host from, std::uint64_t number, bytes message);
  void close_stream(host from, std::uint64_t number);
  void transmit(host from, stream_end& end, const connection& arriving, bytes message);
  void send_end(host from, stream_end& end, duration extra);
  void break_stream(host from, std::uint64_t number);
  void give_up_stream(host from, std::uint64_t number);
  void await_answer(host from, std::uint64_t number, stream_end& end, duration wait);
  void release_stalled(host from, stream_end& end);
  void abandon_streams(host which, bool silent);
  void push_link(host to, std::uint32_t life, std::uint64_t number, const endpoint& peer, link_state what,
                 time_point when);
};

}  // namespace artillery::sim
