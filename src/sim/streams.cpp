// How messages travel between the hosts of a world: datagrams, and the framed streams on which what was sent arrives in
// order, once, or not at all.
#include "sim/world_state.hpp"

namespace artillery::sim {
namespace {
constexpr duration connect_timeout_max = std::chrono::seconds{3};
constexpr std::uint16_t ephemeral_first = 40'000;
constexpr std::uint16_t ephemeral_count = 20'000;
}  // namespace

/// Everything that comes from another host passes here: a clogged way holds it back.
void world::state::post(host from, host to, time_point when, event what) {
  if (network.is_clogged(from, to)) {
    clogged[{from, to}].emplace_back(when, std::move(what));
  } else {
    queue.push(when, std::move(what));
  }
}

void world::state::unclog(host from, host to) {
  network.unclog(from, to);
  const auto found = clogged.find({from, to});
  if (found == clogged.end()) return;
  std::vector<std::pair<time_point, event>> held = std::move(found->second);
  clogged.erase(found);
  for (auto& [when, what] : held) queue.push(std::max(when, now), std::move(what));
  // Both ends hear of each other again.
  for (const auto& [one, other] : {std::pair{from, to}, std::pair{to, from}}) {
    for (auto& [number, end] : hosts[one].streams) {
      const bool stalls = end.backlog && !end.backlog->frames.empty();
      if (end.peer == other && end.peer_life == hosts[other].life && !stalls) end.gives_up.reset();
    }
  }
}

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
  std::optional<bytes> garbage = network.garbage(network.of(from, target).garbage, message);
  message = network.tamper(from, target, std::move(message));
  const bool cut = network.is_cut(from, target);
  event arrival{.kind = event_kind::datagram,
                .life = 0,  // a restarted host gets what was under way to its address
                .at = target,
                .from = connection::datagram(hosts[from].at, to.number),
                .message = std::move(message)};
  if (garbage && !cut) {
    ++counters.garbage;
    event nonsense = arrival;
    nonsense.message = std::move(*garbage);
    post(from, target, now + delay, std::move(nonsense));
  }
  if (lost || cut) {
    ++counters.datagrams_lost;
    show({.what = happening::kind::lost, .where = from, .other = target, .message = arrival.message.view()});
    return;
  }
  if (twice) {
    ++counters.datagrams_duplicated;
    post(from, target, now + delay + network.echo_delay(), arrival);
  }
  post(from, target, now + delay, std::move(arrival));
}

/// News of a stream for the program of one of its ends.
event world::state::link_news(host to, std::uint32_t life, std::uint64_t number, const endpoint& peer,
                              link_state what) {
  return event{
      .kind = event_kind::link, .state = what, .life = life, .at = to, .from = connection::stream(number, peer)};
}

/// What an end finds out by itself.
void world::state::tell(host which, std::uint64_t number, const endpoint& peer, link_state what, time_point when) {
  queue.push(when, link_news(which, hosts[which].life, number, peer, what));
}

void world::state::open_stream(host from, std::uint64_t number, const endpoint& to) {
  ++counters.streams_opened;
  host_state& opener = hosts[from];
  const auto found = by_endpoint.find(to);
  const auto fail_after = [&](duration wait) {
    opener.streams[number] = stream_end{.peer = from, .peer_endpoint = to, .last_arrival = now, .over = true};
    tell(from, number, to, link_state::down, now + wait);
  };
  if (found == by_endpoint.end()) return fail_after(network.delay(from, from));
  const host target = found->second;
  host_state& acceptor = hosts[target];
  const duration patience = std::min(stream_timeout, connect_timeout_max);
  if (acceptor.dark || network.is_cut(from, target) || network.is_cut(target, from)) return fail_after(patience);
  const duration there = network.delay(from, target);
  const duration back = network.delay(target, from);
  if (acceptor.program == nullptr) return fail_after(there + back);  // refused

  const std::uint64_t accepted = acceptor.next_accepted;
  acceptor.next_accepted += 2;
  const auto ephemeral = static_cast<std::uint16_t>(ephemeral_first + next_ephemeral);
  next_ephemeral = static_cast<std::uint16_t>((next_ephemeral + 1) % ephemeral_count);
  const endpoint opener_endpoint = opener.at.with_port(ephemeral);
  stream_end& mine = opener.streams[number] = stream_end{.peer = target,
                                                         .peer_life = acceptor.life,
                                                         .peer_number = accepted,
                                                         .peer_endpoint = to,
                                                         .last_arrival = now + there};
  acceptor.streams[accepted] = stream_end{.peer = from,
                                          .peer_life = opener.life,
                                          .peer_number = number,
                                          .peer_endpoint = opener_endpoint,
                                          .last_arrival = now + there + back};
  // The answer cannot overtake the question: a clog of either way holds it back.
  const bool never_asked = network.is_clogged(from, target);
  post(from, target, now + there, link_news(target, acceptor.life, accepted, opener_endpoint, link_state::up));
  event answer = link_news(from, opener.life, number, to, link_state::up);
  post(never_asked ? from : target, never_asked ? target : from, now + there + back, std::move(answer));
  if (never_asked || network.is_clogged(target, from)) await_answer(from, number, mine, patience);
}

void world::state::send_frame(host from, std::uint64_t number, bytes message) {
  const auto found = hosts[from].streams.find(number);
  if (found == hosts[from].streams.end()) return;  // down, or never up: dropped
  stream_end& end = found->second;
  if (end.over) return;
  ++counters.frames_sent;
  counters.frame_bytes_sent += message.size();
  if (network.resets(from, end.peer) || message.size() > stream_limits.frame_size_max) {
    return break_stream(from, number);
  }
  if (end.backlog || network.is_cut(from, end.peer) || network.of(from, end.peer).stream_bytes_per_ms != 0) {
    return enqueue(from, number, end, std::move(message));
  }
  if (stalls_at(from, number, end)) return;
  transmit(from, end, std::move(message));
}

/// Whether nothing that is sent on the stream now gets an answer; then the end waits for one, but not for ever.
bool world::state::stalls_at(host from, std::uint64_t number, stream_end& end) {
  const host_state& peer = hosts[end.peer];
  const bool is_cut = network.is_cut(from, end.peer);
  if (peer.life != end.peer_life) {
    // The process at the other end is gone and nobody said so: now its machine refuses, or the silence is noticed.
    const bool refused = !peer.dark && !is_cut && !network.is_cut(end.peer, from);
    await_answer(from, number, end,
                 refused ? network.delay(from, end.peer) + network.delay(end.peer, from) : stream_timeout);
    return true;
  }
  if (is_cut || network.is_clogged(from, end.peer)) await_answer(from, number, end, stream_timeout);
  return is_cut;
}

void world::state::await_answer(host from, std::uint64_t number, stream_end& end, duration wait) {
  if (end.gives_up) return;
  end.gives_up = now + wait;
  queue.push(*end.gives_up, event{.kind = event_kind::stream_timeout,
                                  .life = hosts[from].life,
                                  .at = from,
                                  .from = connection::stream(number)});
}

void world::state::transmit(host from, stream_end& end, bytes message) {
  const time_point arrival = std::max(end.last_arrival, now + network.delay(from, end.peer));
  end.last_arrival = arrival;
  std::optional<bytes> garbage = network.garbage(network.of(from, end.peer).stream_garbage, message);
  event frame{.kind = event_kind::frame,
              .life = end.peer_life,
              .at = end.peer,
              .from = connection::stream(end.peer_number),
              .message = std::move(message)};
  if (garbage) {
    ++counters.garbage;
    event nonsense = frame;
    nonsense.message = std::move(*garbage);
    post(from, end.peer, arrival, std::move(nonsense));
  }
  post(from, end.peer, arrival, std::move(frame));
}

/// Tells the other end that the stream is over, behind what was sent on it.
void world::state::send_end(host from, stream_end& end, duration extra) {
  if (end.over) return;
  end.over = true;
  const time_point arrival = std::max(end.last_arrival, now + network.delay(from, end.peer)) + extra;
  post(from, end.peer, arrival, link_news(end.peer, end.peer_life, end.peer_number, {}, link_state::down));
}

void world::state::close_stream(host from, std::uint64_t number) {
  const auto found = hosts[from].streams.find(number);
  if (found == hosts[from].streams.end()) return;
  stream_end& end = found->second;
  // Behind a cut neither the end nor what waits before it gets through: the other side finds out in its own time.
  const bool stuck = network.is_cut(from, end.peer);
  if (!stuck && end.backlog) {
    // Nobody is left here to be told how fast the way takes it.
    for (bytes& frame : end.backlog->frames) transmit(from, end, std::move(frame));
  }
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
  end.backlog.reset();
  tell(from, number, peer, link_state::down, now);
}

/// The timeout of a stream whose frames have nobody to answer them.
void world::state::give_up_stream(host from, std::uint64_t number) {
  const auto found = hosts[from].streams.find(number);
  if (found == hosts[from].streams.end()) return;
  const auto gives_up = found->second.gives_up;
  if (gives_up && *gives_up <= now) break_stream(from, number);
}

void world::state::abandon_streams(host which, bool silent) {
  for (auto& [number, end] : hosts[which].streams) {
    const bool unheard = silent || network.is_cut(which, end.peer);
    if (!unheard) send_end(which, end, duration::zero());
  }
  hosts[which].streams.clear();
}

}  // namespace artillery::sim
