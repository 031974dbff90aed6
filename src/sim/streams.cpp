// How messages travel between the hosts of a world: datagrams, and the framed streams on which what was sent arrives in
// order, once, or not at all.
#include "sim/world_state.hpp"

namespace artillery::sim {
namespace {
constexpr duration connect_timeout_max = std::chrono::seconds{3};
constexpr std::uint16_t ephemeral_first = 40'000;
constexpr std::uint16_t ephemeral_count = 20'000;
}  // namespace

void world::state::send_datagram(host from, const connection& to, bytes message) {
  ++counters.datagrams_sent;
  counters.datagram_bytes_sent += message.size();
  const auto found = by_endpoint.find(to.peer);
  if (found == by_endpoint.end()) {
    ++counters.datagrams_lost;
    return;
  }
  const host target = found->second;
  const bool lost = network.loses(from, target, message.size());
  const duration delay = network.delay(from, target) + network.detour(from, target);
  const bool twice = network.duplicates(from, target);
  message = network.tamper(from, target, std::move(message));
  if (lost || network.is_cut(from, target)) {
    ++counters.datagrams_lost;
    return;
  }
  event arrival{.kind = event_kind::datagram,
                .life = 0,  // a restarted host gets what was under way to its address
                .at = target,
                .from = connection::datagram(hosts[from].at, to.number),
                .message = std::move(message)};
  if (twice) {
    ++counters.datagrams_duplicated;
    queue.push(now + delay + network.echo_delay(), arrival);
  }
  queue.push(now + delay, std::move(arrival));
}

void world::state::push_link(host to, std::uint32_t life, std::uint64_t number, const endpoint& peer, link_state what,
                             time_point when) {
  queue.push(when, event{.kind = event_kind::link,
                         .state = what,
                         .life = life,
                         .at = to,
                         .from = connection::stream(number, peer),
                         .message = {}});
}

void world::state::open_stream(host from, std::uint64_t number, const endpoint& to) {
  ++counters.streams_opened;
  host_state& opener = hosts[from];
  const auto found = by_endpoint.find(to);
  const auto fail_after = [&](duration wait) {
    opener.streams[number] =
        stream_end{.peer = from, .peer_endpoint = to, .last_arrival = now, .stalled = {}, .gives_up = {}, .over = true};
    push_link(from, opener.life, number, to, link_state::down, now + wait);
  };
  if (found == by_endpoint.end()) return fail_after(network.delay(from, from));
  const host target = found->second;
  host_state& acceptor = hosts[target];
  if (acceptor.dark || network.is_cut(from, target) || network.is_cut(target, from)) {
    return fail_after(std::min(stream_timeout, connect_timeout_max));
  }
  const duration there = network.delay(from, target);
  const duration back = network.delay(target, from);
  if (acceptor.program == nullptr) return fail_after(there + back);  // refused

  const std::uint64_t accepted = acceptor.next_accepted;
  acceptor.next_accepted += 2;
  const auto ephemeral = static_cast<std::uint16_t>(ephemeral_first + next_ephemeral);
  next_ephemeral = static_cast<std::uint16_t>((next_ephemeral + 1) % ephemeral_count);
  const endpoint opener_endpoint = opener.at.with_port(ephemeral);
  opener.streams[number] = stream_end{.peer = target,
                                      .peer_life = acceptor.life,
                                      .peer_number = accepted,
                                      .peer_endpoint = to,
                                      .last_arrival = now + there,
                                      .stalled = {},
                                      .gives_up = {}};
  acceptor.streams[accepted] = stream_end{.peer = from,
                                          .peer_life = opener.life,
                                          .peer_number = number,
                                          .peer_endpoint = opener_endpoint,
                                          .last_arrival = now + there + back,
                                          .stalled = {},
                                          .gives_up = {}};
  push_link(target, acceptor.life, accepted, opener_endpoint, link_state::up, now + there);
  push_link(from, opener.life, number, to, link_state::up, now + there + back);
}

void world::state::send_frame(host from, std::uint64_t number, bytes message) {
  const auto found = hosts[from].streams.find(number);
  if (found == hosts[from].streams.end()) return;  // down, or never up: dropped
  stream_end& end = found->second;
  if (end.over) return;
  ++counters.frames_sent;
  counters.frame_bytes_sent += message.size();
  const bool reset = network.resets(from, end.peer);
  if (reset) return break_stream(from, number);
  const host_state& peer = hosts[end.peer];
  const bool is_cut = network.is_cut(from, end.peer);
  if (peer.life != end.peer_life) {
    // The process at the other end is gone and nobody said so: now its machine refuses, or the silence is noticed.
    const bool refused = !peer.dark && !is_cut && !network.is_cut(end.peer, from);
    return await_answer(from, number, end,
                        refused ? network.delay(from, end.peer) + network.delay(end.peer, from) : stream_timeout);
  }
  if (!end.stalled.empty() || is_cut) {
    end.stalled.push_back(std::move(message));
    return await_answer(from, number, end, stream_timeout);
  }
  transmit(from, end, connection::stream(end.peer_number), std::move(message));
}

void world::state::await_answer(host from, std::uint64_t number, stream_end& end, duration wait) {
  if (end.gives_up) return;
  end.gives_up = now + wait;
  queue.push(*end.gives_up, event{.kind = event_kind::stream_timeout,
                                  .life = hosts[from].life,
                                  .at = from,
                                  .from = connection::stream(number),
                                  .message = {}});
}

void world::state::transmit(host from, stream_end& end, const connection& arriving, bytes message) {
  const time_point arrival = std::max(end.last_arrival, now + network.delay(from, end.peer));
  end.last_arrival = arrival;
  queue.push(arrival, event{.kind = event_kind::frame,
                            .life = end.peer_life,
                            .at = end.peer,
                            .from = arriving,
                            .message = std::move(message)});
}

/// Tells the other end that the stream is over, behind what was sent on it.
void world::state::send_end(host from, stream_end& end, duration extra) {
  if (end.over) return;
  end.over = true;
  const time_point arrival = std::max(end.last_arrival, now + network.delay(from, end.peer)) + extra;
  push_link(end.peer, end.peer_life, end.peer_number, {}, link_state::down, arrival);
}

void world::state::close_stream(host from, std::uint64_t number) {
  const auto found = hosts[from].streams.find(number);
  if (found == hosts[from].streams.end()) return;
  stream_end& end = found->second;
  // Behind a cut neither the end nor what waits before it gets through: the other side finds out in its own time.
  const bool stuck = !end.stalled.empty() || network.is_cut(from, end.peer);
  send_end(from, end, stuck ? stream_timeout : duration::zero());
  hosts[from].streams.erase(found);
}

void world::state::break_stream(host from, std::uint64_t number) {
  const auto found = hosts[from].streams.find(number);
  if (found == hosts[from].streams.end() || found->second.over) return;
  ++counters.streams_broken;
  stream_end& end = found->second;
  const endpoint peer = end.peer_endpoint;
  send_end(from, end, duration::zero());
  push_link(from, hosts[from].life, number, peer, link_state::down, now);
}

/// The timeout of a stream whose frames have nobody to answer them.
void world::state::give_up_stream(host from, std::uint64_t number) {
  const auto found = hosts[from].streams.find(number);
  if (found == hosts[from].streams.end()) return;
  const auto gives_up = found->second.gives_up;
  if (gives_up && *gives_up <= now) break_stream(from, number);
}

void world::state::release_stalled(host from, stream_end& end) {
  if (end.stalled.empty() || network.is_cut(from, end.peer)) return;
  end.gives_up.reset();
  std::deque<bytes> frames = std::exchange(end.stalled, {});
  for (bytes& frame : frames) transmit(from, end, connection::stream(end.peer_number), std::move(frame));
}

void world::state::abandon_streams(host which, bool silent) {
  for (auto& [number, end] : hosts[which].streams) {
    const bool unheard = silent || network.is_cut(which, end.peer);
    if (!unheard) send_end(which, end, duration::zero());
  }
  hosts[which].streams.clear();
}

}  // namespace artillery::sim
