#include "sim/voted_authority.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "base/wire.hpp"
#include "sim/voted_asker.hpp"

namespace artillery::sim {

using replication::authority_answer;
using replication::authority_question;
using replication::view;

voted_authority::voted_authority(world& in, const view& genesis, const voted_manners& manners, std::size_t chain_hosts,
                                 std::uint64_t seed, deliver answer)
    : simulated_authority{with_voters(genesis, manners.voters)},
      world_{in},
      manners_{manners},
      chain_hosts_{chain_hosts},
      seeds_{seed},
      answer_{std::move(answer)},
      checks_{manners.voters},
      disks_(manners.voters),
      disk_lives_(manners.voters, 1),
      is_lost_(manners.voters, false),
      is_gone_(manners.voters, false),
      asks_lost_(chain_hosts, false) {
  manners_.proposer.cluster = voted_cluster;
  manners_.proposer.chain = genesis.chain;
  for (std::size_t v = 0; v < manners_.voters; ++v) {
    manners_.proposer.voters.push_back({{{3, v + 1}, 0}, voter_place(v)});
  }
}

voted_authority::~voted_authority() = default;

view voted_authority::with_voters(view genesis, std::size_t voters) {
  for (std::size_t v = 0; v < voters; ++v) genesis.voters.push_back({{{3, v + 1}, 1}, voter_place(v)});
  return genesis;
}

// --- who takes part ---

void voted_authority::begin() {
  for (std::size_t v = 0; v < manners_.voters; ++v) add_voter(v);
  for (std::size_t i = 0; i < chain_hosts_; ++i) asker_hosts_.push_back(world_.add(asker_place(i), proposer(i)));
  set_links(manners_.links);
  for (const host h : voter_hosts_) world_.set_disk_faults(h, manners_.disks);
  const time_point now = world_.now();
  for (const voted_manners::fault& fault : manners_.faults) {
    world_.schedule(now + fault.at, [this, fault] { strike(fault); });
  }
}

/// One that was founded before this run began: its disk says so.
void voted_authority::add_voter(std::size_t i) {
  const host h = world_.add(voter_place(i), voter(i));
  voter_hosts_.push_back(h);
  world_.set_clock_drift(h, manners_.clock_drift[i]);
  world_.crash(h);
  replication::voter_state founded;
  founded.chain = newest().chain;
  founded.self = {{3, i + 1}, 1};
  founded.genesis = replication::genesis_of(newest());
  founded.value = newest();
  disks_[i] = {.completed = 1, .durable = founded, .is_damaged = false};
  world_.set_disk(h, {bytes::copy(replication::encode_voter(founded))});
  world_.restart(h, voter(i));
}

std::unique_ptr<program> voted_authority::voter(std::size_t i) {
  voter_program::identity self;
  self.index = i;
  self.cluster = detail::cluster_tag(voted_cluster);
  self.chain = newest().chain;
  self.fresh = {{3, i + 1}, disk_lives_[i]};
  if (forced_ && forced_->at == i) {
    self.index = 0;
    self.fresh = forced_->voter;
    return std::make_unique<voter_program>(self, disks_[i], forced_->checks, world_);
  }
  return std::make_unique<voter_program>(self, disks_[i], checks_, world_);
}

std::unique_ptr<program> voted_authority::proposer(std::size_t index) {
  replication::proposer_config config = manners_.proposer;
  config.node = {1, index + 1};
  if (forced_) config.voters = {{{forced_->voter.node, 0}, voter_place(forced_->at)}};
  register_checks& checks = forced_ ? forced_->checks : checks_;
  const auto tell = [this, &checks](const asker& who, const authority_answer& answer) { told(checks, who, answer); };
  return std::make_unique<asking_program>(config, seeds_.next(), checks, tell);
}

void voted_authority::set_links(const link_faults& faults) {
  for (const host a : asker_hosts_) {
    for (const host v : voter_hosts_) {
      world_.set_faults(a, v, faults);
      world_.set_faults(v, a, faults);
    }
  }
}

// --- what is asked and told ---

void voted_authority::ask(const asker& who, const authority_question& question) {
  if (asker_hosts_.empty()) return;  // not there yet: who asks, asks again
  world_.schedule(world_.now(), [this, who, question] {
    world_.call(asker_hosts_[who.at], [who, question](program& p, time_point now, network_effects& out) {
      static_cast<asking_program&>(p).ask(who, question, now, out);
    });
  });
}

void voted_authority::told(register_checks& checks, const asker& who, const authority_answer& answer) {
  checks.told({who.at, who.process}, answer, world_.now());
  world_.schedule(world_.now(), [this, who, answer] { answer_(who, answer); });
}

const std::optional<std::string>& voted_authority::fault() {
  const register_checks& current = forced_ ? forced_->checks : checks_;
  while (current.newest() > newest().epoch) {
    const view* next = current.view_of(newest().epoch + 1);
    if (next == nullptr) break;  // the checks have said so
    world_.note("view", next->epoch);
    choose(*next);
  }
  if (!current.violations().empty()) blame(current.violations().front());
  if (forced_) check_lost();
  if (is_calm_) start_the_silent();
  return simulated_authority::fault();
}

// --- what goes wrong ---

void voted_authority::strike(const voted_manners::fault& fault) {
  using kind = voted_manners::fault::kind;
  const auto which = static_cast<std::size_t>(fault.draw % manners_.voters);
  switch (fault.what) {
    case kind::none: return;
    case kind::pause:
      ++pauses_;
      world_.pause(voter_hosts_[which]);
      return world_.schedule(world_.now() + fault.length, [this, which] { world_.resume(voter_hosts_[which]); });
    case kind::crash:
    case kind::lose_disk:
      stop_voter(which);
      if (fault.what == kind::lose_disk) lose_disk(which);
      return world_.schedule(world_.now() + fault.length, [this, which] { start_voter(which); });
  }
}

void voted_authority::stop_voter(std::size_t i) {
  if (!world_.is_up(voter_hosts_[i])) return;
  world_.crash(voter_hosts_[i]);
  ++crashes_;
}

void voted_authority::start_voter(std::size_t i) {
  if (!is_gone_[i] && !world_.is_up(voter_hosts_[i])) world_.restart(voter_hosts_[i], voter(i));
}

/// A minority at most: with more the chain could never change its view again.
void voted_authority::lose_disk(std::size_t i) {
  const auto lost = static_cast<std::size_t>(std::count(is_lost_.begin(), is_lost_.end(), true));
  if (forced_ || is_lost_[i] || 2 * (lost + 1) >= manners_.voters) return;
  is_lost_[i] = true;
  world_.set_disk(voter_hosts_[i], {});
  disks_[i] = {};
  ++disk_lives_[i];
  ++disks_lost_;
  checks_.lost(i);
}

void voted_authority::cut_off(std::size_t index) {
  if (!asker_hosts_.empty()) world_.isolate(asker_hosts_[index]);
}

void voted_authority::mend() {
  for (const host a : asker_hosts_) {
    for (const host v : voter_hosts_) {
      world_.mend(a, v);
      world_.mend(v, a);
    }
  }
}

void voted_authority::calm() {
  is_calm_ = true;
  set_links({});
  for (const host h : voter_hosts_) world_.set_disk_faults(h, disk_faults{});
  for (std::size_t v = 0; v < manners_.voters; ++v) start_voter(v);
}

/// One whose disk refused is silent until somebody starts it again; what was under way may still fail after all is
/// calm.
void voted_authority::start_the_silent() {
  for (std::size_t v = 0; v < manners_.voters; ++v) {
    const auto* running = static_cast<const voter_program*>(world_.running(voter_hosts_[v]));
    if (running == nullptr || running->acceptor() == nullptr || !running->acceptor()->is_silent()) continue;
    stop_voter(v);
    start_voter(v);
  }
}

void voted_authority::went_down(std::size_t index) {
  if (asker_hosts_.empty()) return;
  world_.crash(asker_hosts_[index]);
  if (index < manners_.voters) stop_voter(index);
}

void voted_authority::is_back(std::size_t index) {
  if (asker_hosts_.empty()) return;
  if (!world_.is_up(asker_hosts_[index])) world_.restart(asker_hosts_[index], proposer(index));
  asks_lost_[index] = false;
  if (index < manners_.voters) start_voter(index);
}

bool voted_authority::can_do_without(std::size_t index) const {
  if (forced_) return forced_->at != index;
  auto away = static_cast<std::size_t>(std::count(is_lost_.begin(), is_lost_.end(), true));
  if (index < manners_.voters && !is_lost_[index]) ++away;
  return 2 * away < manners_.voters;
}

simulated_authority::counters voted_authority::figures() const {
  return {
      {"runs_with_voters", 1}, {"voter_crashes", crashes_}, {"voters_lost", disks_lost_}, {"voters_paused", pauses_}};
}

}  // namespace artillery::sim
