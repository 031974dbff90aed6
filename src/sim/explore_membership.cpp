#include "sim/explore_membership.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "base/assert.hpp"

namespace artillery::sim {

using namespace std::chrono_literals;

namespace {

constexpr time_point beginning{1h};
/// Until everybody knows everybody and has said all that there was to say.
constexpr duration warming_up = 20s;

explore_choice cluster_choice(explore_choice::kind what, std::size_t place, std::size_t first = 0) {
  return {what, static_cast<std::uint8_t>(place), static_cast<std::uint8_t>(first), 0};
}

constexpr std::uint8_t by_datagram = 2;  // `first` of a delivery; else the end of a stream
constexpr std::uint8_t by_echo = 3;

}  // namespace

class cluster_setup::sink final : public membership::core::effects_type {
public:
  sink(state& at, std::size_t node, membership_checkers& checkers)
      : at_{at}, node_{static_cast<std::uint8_t>(node)}, checkers_{checkers} {}

  using network_effects::send;
  void send(const connection& to, bytes_view header, std::span<const bytes> body) override {
    std::string whole{as_text(header)};
    for (const bytes& slice : body) whole += slice.text();
    if (!to.is_stream) checkers_.sent_datagram(node_, whole.size(), at_.now);
    at_.network.send(node_, to, bytes{whole});
  }
  void open(std::uint64_t number, const endpoint& to) override {
    if (!at_.streams_fail) at_.network.open(node_, number, explore_network::node_at(to));
  }
  void close(std::uint64_t number) override {
    if (!at_.streams_fail) at_.network.close(node_, number);
  }
  void persist(operation, std::span<const bytes>) override {}
  void deliver(membership::event event) override {
    const auto* failed = std::get_if<membership::failed>(&event);
    const bool living = failed != nullptr && !(at_.crashed && failed->member.id == id_of(*at_.crashed));
    checkers_.saw(node_, event, {.living = living, .undisturbed = true}, at_.now);
  }
  void heard_datagram(bytes_view datagram) { checkers_.heard_datagram(node_, datagram, at_.now); }

private:
  state& at_;
  std::uint8_t node_;
  membership_checkers& checkers_;
};

template <class Call>
std::optional<std::string> cluster_setup::run(state& at, std::size_t node, Call call) const {
  if (at.members[node] == nullptr) return std::nullopt;
  const auto actor = std::make_shared<member_actor>(*at.members[node]);
  sink effects{at, node, actor->checkers};
  call(actor->core, effects);
  actor->core.check_invariants();
  at.members[node] = actor;
  if (actor->checkers.violations().empty()) return std::nullopt;
  return actor->checkers.violations().front();
}

cluster_setup::state cluster_setup::initial() const {
  state at;
  at.now = beginning;
  for (std::size_t i = 0; i < scope_.members; ++i) {
    membership::config config = membership::config::lan();
    config.push_pull_interval = 24h;
    if (!scope_.helped) config.indirect_probes = 0;
    auto actor = std::make_shared<member_actor>(
        member_actor{.core = membership::core{config, {id_of(i), 1}, detail::random{i + 1}}, .checkers = {}});
    for (std::size_t k = 0; k < scope_.members; ++k) actor->checkers.started(id_of(k), 1, config);
    actor->checkers.expect_no_false_positives(true);
    at.members.push_back(std::move(actor));
  }
  for (std::size_t i = 0; i < scope_.members; ++i) {
    const auto fault = run(at, i, [&](membership::core& core, membership::core::effects_type& effects) {
      core.start(explore_network::address_of(i), at.now, effects);
      core.add_seed(explore_network::address_of(0), at.now, effects);
    });
    ARTILLERY_INVARIANT(!fault);
  }
  std::vector<explore_choice> next;
  for (add_ordinary(at, next); at.now < beginning + warming_up || !at.network.quiet(); add_ordinary(at, next)) {
    const auto fault = apply(at, next.front());
    ARTILLERY_INVARIANT(!fault);
    next.clear();
  }
  for (const auto& member : at.members) ARTILLERY_INVARIANT(member->core.present() + 1 == scope_.members);
  at.now = std::max(at.now, beginning + warming_up);
  at.crashes_left = scope_.crashes;
  at.losses_left = scope_.losses;
  at.echoes_left = scope_.echoes;
  at.changes_left = scope_.changes;
  at.streams_fail = !scope_.helped;
  return at;
}

std::optional<time_point> cluster_setup::next_deadline(const state& at) {
  std::optional<time_point> first;
  for (const auto& member : at.members) {
    const auto due = member == nullptr ? std::nullopt : member->core.next_deadline();
    if (due) first = first ? std::min(*first, *due) : *due;
  }
  return first;
}

void cluster_setup::add_ordinary(const state& at, std::vector<explore_choice>& out) const {
  const auto& datagrams = at.network.datagrams();
  for (std::size_t i = 0; i < datagrams.size(); ++i) {
    out.push_back(cluster_choice(explore_choice::kind::deliver, i, by_datagram));
  }
  const auto& streams = at.network.streams();
  for (std::size_t i = 0; i < streams.size(); ++i) {
    for (const std::size_t end : {std::size_t{0}, std::size_t{1}}) {
      if (!streams[i].to[end].empty()) out.push_back(cluster_choice(explore_choice::kind::deliver, i, end));
    }
  }
  if (!out.empty()) return;
  const auto due = next_deadline(at);
  for (std::size_t node = 0; due && node < at.members.size(); ++node) {
    if (at.members[node] != nullptr && at.members[node]->core.next_deadline() == due) {
      out.push_back(cluster_choice(explore_choice::kind::expire, node));
    }
  }
}

void cluster_setup::choices(const state& at, std::vector<explore_choice>& out) const {
  const time_point start = beginning + warming_up;
  if (at.network.quiet() && at.now >= start + scope_.length) return;
  add_ordinary(at, out);
  for (std::size_t i = 0; i < at.echoes.size(); ++i) {
    out.push_back(cluster_choice(explore_choice::kind::deliver, i, by_echo));
  }
  if (at.now >= start + scope_.window) return;
  for (std::size_t node = 0; at.changes_left > 0 && node < at.members.size(); ++node) {
    if (at.members[node] != nullptr) out.push_back(cluster_choice(explore_choice::kind::ask, node));
  }
  for (std::size_t i = 0; at.echoes_left > 0 && i < at.network.datagrams().size(); ++i) {
    out.push_back(cluster_choice(explore_choice::kind::duplicate, i));
  }
  for (std::size_t i = 0; at.losses_left > 0 && i < at.network.datagrams().size(); ++i) {
    out.push_back(cluster_choice(explore_choice::kind::lose, i));
  }
  for (std::size_t node = 0; at.crashes_left > 0 && node < at.members.size(); ++node) {
    if (at.members[node] != nullptr) out.push_back(cluster_choice(explore_choice::kind::crash, node));
  }
}

std::optional<std::string> cluster_setup::receive(state& at, const explore_network::datagram& arrived) const {
  const connection from = connection::datagram(explore_network::address_of(arrived.from));
  return run(at, arrived.to, [&](auto& core, sink& out) {
    out.heard_datagram(arrived.content);
    core.receive(from, arrived.content, at.now, out);
  });
}

/// A deadline that is met moves on: a run that stood still would otherwise just look like one that was seen.
std::optional<std::string> cluster_setup::expire(state& at, std::size_t node) const {
  at.now = std::max(at.now, *at.members[node]->core.next_deadline());
  const std::uint64_t before = at.members[node]->core.hash(at.now);
  if (auto fault = run(at, node, [&](auto& core, auto& out) { core.expire(at.now, out); })) return fault;
  const membership::core& after = at.members[node]->core;
  const auto next = after.next_deadline();
  if (!next || *next > at.now || after.hash(at.now) != before) return std::nullopt;
  return "a deadline of member " + std::to_string(node) + " does not move on";
}

std::optional<std::string> cluster_setup::apply(state& at, const explore_choice& choice) const {
  using kind = explore_choice::kind;
  switch (choice.what) {
    case kind::deliver: {
      if (choice.first == by_datagram) return receive(at, at.network.take_datagram(choice.place));
      if (choice.first == by_echo) {
        const explore_network::datagram late = at.echoes[choice.place];
        at.echoes.erase(at.echoes.begin() + choice.place);
        return receive(at, late);
      }
      const explore_network::stream& stream = at.network.streams()[choice.place];
      const std::size_t node = stream.node(choice.first);
      const connection from = stream.as_seen_at(choice.first);
      const explore_network::arrival first = at.network.take(choice.place, choice.first);
      return run(at, node, [&](auto& core, auto& out) {
        using arrived = explore_network::arrival::kind;
        if (first.what == arrived::frame) return core.receive(from, first.content, at.now, out);
        core.link(from, first.what == arrived::up ? link_state::up : link_state::down, at.now, out);
      });
    }
    case kind::expire: return expire(at, choice.place);
    case kind::ask:
      --at.changes_left;
      return run(at, choice.place,
                 [&](auto& core, auto& out) { static_cast<void>(core.set_tags({{"changed", "once"}}, at.now, out)); });
    case kind::duplicate:
      --at.echoes_left;
      at.echoes.push_back(at.network.datagrams()[choice.place]);
      break;
    case kind::lose:
      --at.losses_left;
      at.network.take_datagram(choice.place);
      break;
    case kind::crash:
      --at.crashes_left;
      at.crashed = choice.place;
      at.members[choice.place].reset();
      at.network.crash(choice.place, true);
      at.network.set_down(choice.place, true, false);
      break;
    default: break;
  }
  return std::nullopt;
}

std::optional<std::string> cluster_setup::check_end(const state& at) const {
  for (std::size_t node = 0; node < at.members.size(); ++node) {
    if (at.members[node] == nullptr) continue;
    const std::string who = "member " + std::to_string(node);
    if (at.crashed && !at.members[node]->checkers.reported_failed(node, id_of(*at.crashed))) {
      return who + " never reports the crashed one failed";
    }
    const std::size_t living = scope_.members - (at.crashed ? 1 : 0);
    if (at.members[node]->core.present() + 1 != living) return who + " does not see all that live";
  }
  return std::nullopt;
}

/// What the checkers remember is what the cores believe, until the dead are forgotten: later than any run here ends.
std::uint64_t cluster_setup::hash(const state& at) const {
  detail::state_hash into;
  for (const auto& member : at.members) into.add(member == nullptr ? 0 : member->core.hash(at.now));
  at.network.hash(into);
  into.add(at.echoes.size()).add(at.echoes_left).add(at.changes_left);
  for (const explore_network::datagram& echo : at.echoes) into.add(echo.hash);
  return into.add(at.now.time_since_epoch())
      .add(at.crashed.value_or(255))
      .add(at.crashes_left)
      .add(at.losses_left)
      .value();
}

std::string cluster_setup::describe(const state& at, const explore_choice& choice) const {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(at.now - beginning - warming_up).count();
  const std::string when = "at " + std::to_string(ms) + " ms: ";
  const auto name = [](std::size_t node) { return "member " + std::to_string(node); };
  using kind = explore_choice::kind;
  switch (choice.what) {
    case kind::expire: return when + "time passes to the deadline of " + name(choice.place);
    case kind::crash: return when + name(choice.place) + " crashes";
    case kind::ask: return when + name(choice.place) + " changes its tags";
    case kind::lose:
    case kind::duplicate:
    case kind::deliver: {
      if (choice.what == kind::deliver && choice.first == by_echo) {
        return when + "the copy of a datagram to " + name(at.echoes[choice.place].to) + " arrives";
      }
      if (choice.what == kind::deliver && choice.first != by_datagram) {
        const explore_network::stream& stream = at.network.streams()[choice.place];
        return when + "something arrives at " + name(stream.node(choice.first)) + " on a stream of " +
               name(stream.opener) + " to " + name(stream.acceptor);
      }
      const explore_network::datagram& datagram = at.network.datagrams()[choice.place];
      const char* fate = choice.what == kind::lose        ? " is lost"
                         : choice.what == kind::duplicate ? " is copied"
                                                          : " arrives";
      return when + "a datagram of " + name(datagram.from) + " to " + name(datagram.to) + fate;
    }
    default: return when;
  }
}

}  // namespace artillery::sim
