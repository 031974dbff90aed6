#include "sim/explore_register.hpp"

#include <algorithm>
#include <bit>
#include <span>
#include <utility>

#include "base/wire.hpp"

namespace artillery::sim {

using namespace std::chrono_literals;
using replication::authority_cas_done;
using replication::ballot;
using replication::register_event;
using replication::view;

namespace {

constexpr time_point register_beginning{1h};
constexpr const char* explored_cluster = "explored";
constexpr std::uint64_t explored_chain = 1;
constexpr std::uint8_t write_survives = 1;  // `first` of a crash: what was being written is there
constexpr duration unlimited_patience = 24h;
constexpr duration little_patience = 1ms;  // less than a proposer waits before it says a question again

explore_choice register_choice(explore_choice::kind what, std::size_t place, std::uint8_t first = 0) {
  return {what, static_cast<std::uint8_t>(place), first, 0};
}

/// Which proposal a view is, as its one replica says; 0: the first view.
std::uint64_t proposal_of(const view& value) {
  return value.replicas.front().id.incarnation;
}

/// Names what a life of a proposer asks: nobody else, and no other life, asks for the same.
std::uint64_t name_of_proposal(std::size_t proposer, std::uint64_t life, std::size_t asked) {
  return (proposer + 1) << 16U | life << 8U | asked;
}

}  // namespace

/// What a voter says and writes. An acceptance counts from when the disk has it: whoever reads it there goes by it.
class register_setup::voter_sink final : public network_effects {
public:
  voter_sink(state& at, std::size_t node, voter_actor& self) : at_{at}, node_{node}, self_{self} {}
  using network_effects::send;
  void send(const connection& to, bytes_view header, std::span<const bytes>) override {
    at_.network.send(static_cast<std::uint8_t>(node_), to, bytes::copy(header));
  }
  void open(std::uint64_t, const endpoint&) override {}
  void close(std::uint64_t) override {}
  void persist(operation op, std::span<const bytes> slices) override {
    self_.writes.emplace_back(op, replication::decode_voter(slices.front()).state);
  }

private:
  state& at_;
  std::size_t node_;
  voter_actor& self_;
};

class register_setup::proposer_sink final : public effects<register_event> {
public:
  proposer_sink(state& at, std::size_t node, std::vector<register_event>& events)
      : at_{at}, node_{node}, events_{events} {}
  using network_effects::send;
  void send(const connection& to, bytes_view header, std::span<const bytes>) override {
    at_.network.send(static_cast<std::uint8_t>(node_), to, bytes::copy(header));
  }
  void open(std::uint64_t, const endpoint&) override {}
  void close(std::uint64_t) override {}
  void persist(operation, std::span<const bytes>) override {}
  void deliver(register_event event) override { events_.push_back(std::move(event)); }

private:
  state& at_;
  std::size_t node_;
  std::vector<register_event>& events_;
};

replication::member register_setup::voter(std::size_t i) const {
  return {{{1, i + 1}, 1}, explore_network::address_of(i)};
}

view register_setup::view_of(std::uint64_t epoch, std::uint64_t proposal) const {
  view v;
  v.chain = explored_chain;
  v.epoch = epoch;
  v.replicas = {{{{2, 1}, proposal}, explore_network::address_of(scope_.voters)}};
  for (std::size_t i = 0; i < scope_.voters; ++i) v.voters.push_back(voter(i));
  return v;
}

replication::proposer register_setup::proposer(std::size_t index, std::uint64_t life) const {
  const view first = view_of(1, 0);
  replication::proposer_config config;
  config.cluster = explored_cluster;
  config.chain = explored_chain;
  config.node = {2, index + 1};
  config.voters = first.voters;
  config.genesis = replication::genesis_of(first);
  config.patience = index < scope_.hasty ? little_patience : unlimited_patience;
  return replication::proposer{config, detail::random{life << 8U | (index + 1)}};
}

register_setup::state register_setup::initial() const {
  state at;
  const view first = view_of(1, 0);
  for (std::size_t i = 0; i < scope_.voters; ++i) {
    replication::voter_state founded;
    founded.chain = explored_chain;
    founded.self = voter(i).id;
    founded.genesis = replication::genesis_of(first);
    founded.value = first;
    at.voters.push_back(std::make_shared<voter_actor>(voter_actor{
        replication::acceptor{detail::cluster_tag(explored_cluster), founded, register_beginning}, founded, {}}));
  }
  for (std::size_t i = 0; i < scope_.swaps.size(); ++i) {
    at.proposers.push_back(
        std::make_shared<proposer_actor>(proposer_actor{.core = proposer(i, 1), .now = register_beginning}));
  }
  at.hastened_left = scope_.hastened;
  at.crashes_left = scope_.crashes;
  at.restarts_left = scope_.restarts;
  at.losses_left = scope_.losses;
  return at;
}

/// It has begun as many ballots as it may: time passes for it no more.
bool register_setup::is_over(const proposer_actor& one) const noexcept {
  return one.core.counters().ballots >= scope_.rounds;
}

void register_setup::choices(const state& at, std::vector<explore_choice>& out) const {
  using kind = explore_choice::kind;
  for (std::size_t i = 0; i < at.network.datagrams().size(); ++i) out.push_back(register_choice(kind::deliver, i));
  for (std::size_t i = 0; i < at.voters.size(); ++i) {
    if (!at.voters[i]->writes.empty()) out.push_back(register_choice(kind::step, i));
  }
  const bool is_quiet = out.empty();
  for (std::size_t i = 0; i < at.proposers.size(); ++i) {
    const proposer_actor& one = *at.proposers[i];
    if (!one.waits && one.asked < scope_.swaps[i].size()) out.push_back(register_choice(kind::ask, i));
  }
  for (std::size_t i = 0; i < at.proposers.size(); ++i) {
    const proposer_actor& one = *at.proposers[i];
    if (!one.waits || is_over(one) || !one.core.next_deadline()) continue;
    if (is_quiet) out.push_back(register_choice(kind::expire, i));
    if (!is_quiet && at.hastened_left > 0) out.push_back(register_choice(kind::hasten, i));
  }
  for (std::size_t i = 0; at.losses_left > 0 && i < at.network.datagrams().size(); ++i) {
    out.push_back(register_choice(kind::lose, i));
  }
  for (std::size_t i = 0; at.crashes_left > 0 && i < at.voters.size(); ++i) {
    out.push_back(register_choice(kind::crash, i));
    if (!at.voters[i]->writes.empty()) out.push_back(register_choice(kind::crash, i, write_survives));
  }
  for (std::size_t i = 0; at.restarts_left > 0 && i < at.proposers.size(); ++i) {
    if (at.proposers[i]->waits) out.push_back(register_choice(kind::restart, i));
  }
}

template <class Call>
void register_setup::run_voter(state& at, std::size_t node, Call call) const {
  const auto actor = std::make_shared<voter_actor>(*at.voters[node]);
  voter_sink out{at, node, *actor};
  call(*actor, out);
  const replication::voter_state& durable = actor->durable;
  if (durable.accepted != at.voters[node]->durable.accepted) accepted(at, node, durable.accepted, durable.value);
  at.voters[node] = actor;
}

template <class Call>
void register_setup::run_proposer(state& at, std::size_t index, Call call) const {
  const auto actor = std::make_shared<proposer_actor>(*at.proposers[index]);
  std::vector<register_event> events;
  proposer_sink out{at, scope_.voters + index, events};
  call(*actor, out);
  for (const register_event& event : events) {
    if (const auto* answer = std::get_if<replication::authority_answer>(&event)) told(at, *actor, *answer);
    if (std::holds_alternative<replication::given_up>(event)) actor->waits = false;
  }
  at.proposers[index] = actor;
}

void register_setup::ask(state& at, std::size_t index) const {
  const std::uint64_t newest = at.chosen.back().first;
  run_proposer(at, index, [&](proposer_actor& self, auto& out) {
    const bool swaps = scope_.swaps[index][self.asked++];
    self.waits = true;
    self.newest_when_asked = newest;
    replication::authority_question question = replication::authority_read{self.asked};
    if (swaps) {
      const std::uint64_t proposal = name_of_proposal(index, self.life, self.asked);
      self.open.emplace_back(self.known + 1, proposal);
      question = replication::authority_cas{self.asked, self.known, view_of(self.known + 1, proposal)};
    }
    self.core.ask({{2, index + 1}, 1}, question, self.now, out);
  });
}

std::optional<std::string> register_setup::apply(state& at, const explore_choice& choice) const {
  using kind = explore_choice::kind;
  switch (choice.what) {
    case kind::deliver: {
      const explore_network::datagram taken = at.network.take_datagram(choice.place);
      const connection from = connection::datagram(explore_network::address_of(taken.from));
      if (taken.to < scope_.voters) {
        run_voter(at, taken.to, [&](voter_actor& self, auto& out) {
          self.core.receive(from, taken.content, register_beginning, out);
        });
      } else {
        run_proposer(at, taken.to - scope_.voters,
                     [&](proposer_actor& self, auto& out) { self.core.receive(from, taken.content, self.now, out); });
      }
      break;
    }
    case kind::step:
      run_voter(at, choice.place, [](voter_actor& self, auto& out) {
        const auto [op, written] = self.writes.front();
        self.writes.erase(self.writes.begin());
        self.durable = written;
        self.core.completed(op, {}, register_beginning, out);
      });
      break;
    case kind::ask: ask(at, choice.place); break;
    case kind::hasten: --at.hastened_left; [[fallthrough]];
    case kind::expire:
      run_proposer(at, choice.place, [](proposer_actor& self, auto& out) {
        self.now = std::max(self.now, *self.core.next_deadline());
        self.core.expire(self.now, out);
      });
      break;
    case kind::lose:
      --at.losses_left;
      at.network.take_datagram(choice.place);
      break;
    case kind::crash:
      --at.crashes_left;
      run_voter(at, choice.place, [&](voter_actor& self, auto&) {
        if (choice.first == write_survives) self.durable = self.writes.front().second;
        self.writes.clear();
        self.core = replication::acceptor{detail::cluster_tag(explored_cluster), self.durable, register_beginning};
      });
      break;
    case kind::restart:
      --at.restarts_left;
      run_proposer(at, choice.place, [&](proposer_actor& self, auto&) {
        self.core = proposer(choice.place, ++self.life);
        self.waits = false;
        self.open.clear();
      });
      break;
    default: break;
  }
  return at.fault.empty() ? std::nullopt : std::optional{at.fault};
}

// --- what is chosen, and what is told ---

void register_setup::accepted(state& at, std::size_t voter, const ballot& in, const view& value) {
  auto one = std::find_if(at.votes.begin(), at.votes.end(), [&in](const vote& v) { return v.in >= in; });
  if (one == at.votes.end() || one->in != in) {
    one = at.votes.insert(one, {.in = in, .epoch = value.epoch, .proposal = proposal_of(value)});
  }
  if (one->epoch != value.epoch || one->proposal != proposal_of(value)) at.fault = "a ballot carries two views";
  const auto majority = [&at](const vote& v) {
    return static_cast<std::size_t>(std::popcount(v.by)) > at.voters.size() / 2;
  };
  const bool was_chosen = majority(*one);
  one->by |= std::uint32_t{1} << voter;
  if (majority(*one) && !was_chosen) note_chosen(at, *one);
}

void register_setup::note_chosen(state& at, const vote& one) {
  const auto same = std::find_if(at.chosen.begin(), at.chosen.end(),
                                 [&one](const proposed& earlier) { return earlier.first == one.epoch; });
  if (same != at.chosen.end()) {
    if (same->second != one.proposal) at.fault = "an epoch has two views";
    return;
  }
  if (one.epoch != at.chosen.back().first + 1) at.fault = "an epoch is left out, or comes late";
  const proposed now{one.epoch, one.proposal};
  if (std::find(at.voided.begin(), at.voided.end(), now) != at.voided.end()) {
    at.fault = "a view is chosen that its proposer was told is void";
  }
  at.chosen.push_back(now);
}

/// What it was told says that no proposal of its own above `epoch` can be chosen any more.
void register_setup::void_above(state& at, proposer_actor& self, std::uint64_t epoch) {
  for (const proposed& one : self.open) {
    if (one.first > epoch) at.voided.push_back(one);
  }
  self.open.clear();
  std::sort(at.voided.begin(), at.voided.end());
}

void register_setup::told(state& at, proposer_actor& self, const replication::authority_answer& answer) {
  self.waits = false;
  const auto is_chosen = [&at](const view& value) {
    const proposed one{value.epoch, proposal_of(value)};
    return std::find(at.chosen.begin(), at.chosen.end(), one) != at.chosen.end();
  };
  if (const auto* read = std::get_if<replication::authority_view>(&answer)) {
    const view& newest = read->newest.view;
    if (!is_chosen(newest)) at.fault = "a read answers what nobody chose";
    if (newest.epoch < self.newest_when_asked) at.fault = "a read answers an older view than was chosen before it";
    self.known = newest.epoch;
    if (read->fences) void_above(at, self, newest.epoch);
  } else if (const auto* done = std::get_if<authority_cas_done>(&answer)) {
    if (!done->now) return;
    const view& now = done->now->view;
    if (!is_chosen(now)) at.fault = "a swap answers what nobody chose";
    const bool is_own = !self.open.empty() && self.open.back() == proposed{now.epoch, proposal_of(now)};
    if (is_own != (done->what == authority_cas_done::outcome::chosen)) at.fault = "a swap says what is not so";
    self.known = now.epoch;
    if (done->what == authority_cas_done::outcome::refused && !self.open.empty()) {
      at.voided.push_back(self.open.back());
      std::sort(at.voided.begin(), at.voided.end());
      self.open.pop_back();
    }
  }
}

/// Nobody waits but who may begin no more ballots.
std::optional<std::string> register_setup::check_end(const state& at) const {
  for (std::size_t i = 0; i < at.proposers.size(); ++i) {
    if (at.proposers[i]->waits && !is_over(*at.proposers[i])) {
      return "proposer " + std::to_string(i) + " waits for ever";
    }
  }
  return std::nullopt;
}

std::uint64_t register_setup::hash(const state& at) const {
  detail::state_hash into;
  for (const auto& one : at.voters) {
    into.add(one->core.hash(register_beginning)).add(replication::encode_voter(one->durable));
    into.add(one->writes.size());
    for (const auto& [op, written] : one->writes) into.add(replication::encode_voter(written));
  }
  for (const auto& one : at.proposers) {
    into.add(one->core.hash(one->now)).add(one->core.counters().ballots).add(one->asked).add(one->waits);
    into.add(one->known).add(one->newest_when_asked).add(one->life);
    for (const auto& [epoch, proposal] : one->open) into.add(epoch).add(proposal);
  }
  at.network.hash(into);
  for (const vote& one : at.votes)
    into.add(one.in.round).add(one.in.proposer).add(one.in.incarnation).add(one.epoch).add(one.by);
  into.add(at.votes.size()).add(at.chosen.size());
  for (const std::vector<proposed>* all : {&at.chosen, &at.voided}) {
    for (const auto& [epoch, proposal] : *all) into.add(epoch).add(proposal);
  }
  into.add(at.hastened_left).add(at.crashes_left).add(at.restarts_left);
  return into.add(at.losses_left).value();
}

std::string register_setup::describe(const state& at, const explore_choice& choice) const {
  using kind = explore_choice::kind;
  const auto name = [this](std::size_t node) {
    const bool votes = node < scope_.voters;
    return (votes ? "voter " : "proposer ") + std::to_string(votes ? node : node - scope_.voters);
  };
  switch (choice.what) {
    case kind::step: return name(choice.place) + "'s disk has written";
    case kind::ask: return name(scope_.voters + choice.place) + " is asked";
    case kind::hasten:
    case kind::expire: return "time passes to the deadline of " + name(scope_.voters + choice.place);
    case kind::crash:
      return name(choice.place) + " crashes and comes back" +
             (choice.first == write_survives ? "; what it was writing is there" : "");
    case kind::restart: return name(scope_.voters + choice.place) + " starts anew";
    case kind::lose:
    case kind::deliver: {
      const explore_network::datagram& one = at.network.datagrams()[choice.place];
      return "a datagram of " + name(one.from) + " to " + name(one.to) +
             (choice.what == kind::lose ? " is lost" : " arrives");
    }
    default: return {};
  }
}

}  // namespace artillery::sim
