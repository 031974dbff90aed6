#include "sim/explore_network.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace artillery::sim {

bytes joined(bytes_view header, std::span<const bytes> body) {
  std::vector<std::byte> whole{header.begin(), header.end()};
  for (const bytes& part : body) whole.insert(whole.end(), part.view().begin(), part.view().end());
  return bytes::copy(whole);
}

namespace {

constexpr std::uint16_t port = 7000;

/// Even, as the numbers of accepted streams are, and the same in whatever order they are accepted: states that differ
/// in nothing else stay the same.
std::uint64_t accepted_number(std::uint8_t opener, std::uint64_t number) noexcept {
  return (number << 8U | opener) << 1U;
}

}  // namespace

endpoint explore_network::address_of(std::size_t node) noexcept {
  return endpoint::v4(10, 0, 0, static_cast<std::uint8_t>(node), port);
}

std::uint8_t explore_network::node_at(const endpoint& at) noexcept {
  return at.address()[3];
}

connection explore_network::stream::as_seen_at(std::size_t end) const noexcept {
  return end == 0 ? connection::stream(number, address_of(acceptor)) : connection::stream(accepted, address_of(opener));
}

std::uint64_t explore_network::name_for_acceptor(std::uint8_t opener, std::uint64_t number) const noexcept {
  if (!reuses_names_) return accepted_number(opener, number);
  const auto is_taken = [&](std::uint64_t name) {
    return std::any_of(streams_.begin(), streams_.end(), [name](const stream& s) { return s.accepted == name; });
  };
  std::uint64_t free = 1;
  while (is_taken(accepted_number(opener, free))) ++free;
  return accepted_number(opener, free);
}

explore_network::end_of_stream explore_network::find(std::uint8_t node, std::uint64_t number) noexcept {
  for (stream& each : streams_) {
    for (const std::size_t end : {std::size_t{0}, std::size_t{1}}) {
      if (each.node(end) == node && each.as_seen_at(end).number == number) return {&each, end};
    }
  }
  return {};
}

void explore_network::open(std::uint8_t opener, std::uint64_t number, std::uint8_t acceptor) {
  stream opened{.number = number,
                .accepted = name_for_acceptor(opener, number),
                .opener = opener,
                .acceptor = acceptor,
                .to = {},
                .over = {}};
  if ((down_ >> acceptor & 1U) != 0) {
    opened.over[1] = true;
    if ((silent_ >> acceptor & 1U) == 0) end_way(opened.to[0]);
  } else {
    opened.to[0].push_back({.what = arrival::kind::up, .content = {}});
    opened.to[1].push_back({.what = arrival::kind::up, .content = {}});
  }
  const auto place = std::find_if(streams_.begin(), streams_.end(), [&](const stream& s) {
    return std::tie(s.opener, s.number) > std::tie(opener, number);
  });
  streams_.insert(place, std::move(opened));
}

void explore_network::end_way(std::vector<arrival>& way) {
  const bool ends = !way.empty() && way.back().what == arrival::kind::down;
  if (!ends) way.push_back({.what = arrival::kind::down, .content = {}});
}

void explore_network::hang_up(stream& at, std::size_t end) {
  at.over[end] = true;
  at.to[end].clear();
  if (!at.over[1 - end]) end_way(at.to[1 - end]);
}

void explore_network::close(std::uint8_t node, std::uint64_t number) {
  const end_of_stream own = find(node, number);
  if (own.at == nullptr || own.at->over[own.end]) return;
  hang_up(*own.at, own.end);
  forget_ended();
}

void explore_network::send(std::uint8_t node, const connection& to, bytes message) {
  if (!to.is_stream) {
    const std::uint8_t target = node_at(to.peer);
    if ((down_ >> target & 1U) != 0) return;
    const std::uint64_t hash = detail::state_hash{}.add(node).add(target).add(message.view()).value();
    datagrams_.push_back({node, target, std::move(message), hash});
    return;
  }
  const end_of_stream own = find(node, to.number);
  if (own.at == nullptr || own.at->over[own.end]) return;
  const std::size_t other = 1 - own.end;
  const bool ending = !own.at->to[other].empty() && own.at->to[other].back().what == arrival::kind::down;
  if (own.at->over[other] || ending) return;
  const std::uint64_t hash = detail::state_hash{}.add(message.view()).value();
  own.at->to[other].push_back({arrival::kind::frame, std::move(message), hash});
}

explore_network::arrival explore_network::take(std::size_t which, std::size_t end) {
  stream& at = streams_[which];
  arrival first = std::move(at.to[end].front());
  at.to[end].erase(at.to[end].begin());
  if (first.what == arrival::kind::down) {
    at.over[end] = true;
    forget_ended();
  }
  return first;
}

explore_network::datagram explore_network::take_datagram(std::size_t which) {
  datagram taken = std::move(datagrams_[which]);
  datagrams_.erase(datagrams_.begin() + static_cast<std::ptrdiff_t>(which));
  return taken;
}

void explore_network::cut(std::size_t which, std::size_t kept_to_opener, std::size_t kept_to_acceptor) {
  stream& at = streams_[which];
  for (const auto& [end, kept] :
       {std::pair{std::size_t{0}, kept_to_opener}, std::pair{std::size_t{1}, kept_to_acceptor}}) {
    if (at.over[end]) continue;
    at.to[end].resize(std::min(at.to[end].size(), kept));
    end_way(at.to[end]);
  }
}

void explore_network::crash(std::uint8_t node, bool keeps_sent) {
  for (stream& each : streams_) {
    for (const std::size_t end : {std::size_t{0}, std::size_t{1}}) {
      if (each.node(end) != node || each.over[end]) continue;
      if (!keeps_sent) each.to[1 - end].clear();
      hang_up(each, end);
    }
  }
  std::erase_if(datagrams_, [&](const datagram& d) { return d.to == node; });
  forget_ended();
}

void explore_network::set_down(std::uint8_t node, bool down, bool silent) noexcept {
  const std::uint32_t bit = std::uint32_t{1} << node;
  down_ = down ? down_ | bit : down_ & ~bit;
  silent_ = silent ? silent_ | bit : silent_ & ~bit;
}

void explore_network::forget_ended() {
  std::erase_if(streams_, [](const stream& s) { return s.over[0] && s.over[1]; });
}

bool explore_network::quiet() const noexcept {
  return datagrams_.empty() && std::all_of(streams_.begin(), streams_.end(),
                                           [](const stream& s) { return s.to[0].empty() && s.to[1].empty(); });
}

void explore_network::hash(const stream& one, detail::state_hash& into) {
  into.add(one.opener).add(one.acceptor).add(one.over[0]).add(one.over[1]);
  for (const std::vector<arrival>& way : one.to) {
    into.add(way.size());
    for (const arrival& next : way) into.add(next.what).add(next.hash);
  }
}

void explore_network::hash(detail::state_hash& into) const {
  into.add(streams_.size()).add(down_).add(silent_);
  std::uint64_t sum = 0;  // of what is the same in any order
  for (const stream& each : streams_) {
    if (!reuses_names_) {
      hash(each, into.add(each.number));
    } else if (!each.over[0]) {
      hash(each, into.add(each.accepted));
    } else {
      detail::state_hash alone;
      hash(each, alone.add(each.accepted));
      sum += alone.value();
    }
  }
  for (const datagram& each : datagrams_) sum += detail::mix64(each.hash);
  into.add(datagrams_.size()).add(sum);
}

}  // namespace artillery::sim
