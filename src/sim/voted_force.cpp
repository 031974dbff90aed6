#include <algorithm>
#include <utility>

#include "replication/forced_view.hpp"
#include "sim/voted_asker.hpp"

// Another register takes the place of one that lost its majority, at one voter that is left: what a process does in
// that case, without its strand and its files.

namespace artillery::sim {

using replication::replica_id;
using replication::view;

const voter_program* voted_authority::voter_at(std::size_t i) const {
  return i < manners_.voters ? static_cast<const voter_program*>(world_.running(voter_hosts_[i])) : nullptr;
}

const voted_authority::asking_program* voted_authority::asker_at(std::size_t index) const {
  return static_cast<const asking_program*>(world_.running(asker_hosts_[index]));
}

bool voted_authority::has_voter(std::size_t index) const {
  const voter_program* const voter = voter_at(index);
  return voter != nullptr && voter->acceptor() != nullptr && !voter->acceptor()->is_silent() && !is_lost_[index];
}

const view& voted_authority::accepted_at(std::size_t index) const {
  return voter_at(index)->acceptor()->state().value;
}

const view& voted_authority::told_at(std::size_t index) const {
  return asker_at(index)->proposer().newest_told();
}

void voted_authority::lose_voters_but(std::size_t kept) {
  for (std::size_t v = 0; v < manners_.voters; ++v) {
    if (v == kept) continue;
    is_gone_[v] = true;
    stop_voter(v);
  }
}

void voted_authority::find_voters() {
  for (std::size_t v = 0; v < manners_.voters; ++v) {
    if (!is_gone_[v]) continue;
    is_gone_[v] = false;
    if (v >= chain_hosts_ || world_.is_up(asker_hosts_[v])) start_voter(v);
  }
}

bool voted_authority::has_lost_voters() const {
  return 2 * static_cast<std::size_t>(std::count(is_gone_.begin(), is_gone_.end(), true)) >= manners_.voters;
}

void voted_authority::read_at(std::size_t index, read_over done) {
  world_.call(asker_hosts_[index], [over = std::move(done)](program& p, time_point now, network_effects& out) {
    static_cast<asking_program&>(p).read(over, now, out);
  });
}

std::error_code voted_authority::objection_at(std::size_t index, std::error_code read, const view& known,
                                              const replica_id& survivor) const {
  const asking_program* const asks = asker_at(index);
  const voter_program* const voter = voter_at(index);
  if (asks == nullptr || voter == nullptr) return errc::not_serving;
  return replication::objection_to_force({.read = read,
                                          .voter = voter->acceptor(),
                                          .genesis = asks->proposer().genesis(),
                                          .told = &asks->proposer().newest_told()},
                                         known, survivor);
}

bool voted_authority::force_at(std::size_t index, const view& known, const replica_id& survivor) {
  const replica_id voter{{3, index + 1}, seeds_.next()};
  const auto first = replication::forced_view(known, survivor, {voter, voter_place(index)}, seeds_.next());
  if (!first) return false;
  if (!has_lost_voters()) blame("another chain takes the place of one whose voters are there");
  begin_again(*first);
  forced_.emplace(forced_register{index, voter, register_checks{1, first->epoch}, checks_.newest()});
  for (std::size_t i = 0; i < chain_hosts_; ++i) asks_lost_[i] = i != index && world_.is_up(asker_hosts_[i]);
  // The file is exchanged by one rename.
  world_.crash(voter_hosts_[index]);
  const replication::voter_state vote = replication::first_vote(*first);
  disks_[index] = {.completed = 1, .durable = vote, .is_damaged = false};
  world_.set_disk(voter_hosts_[index], {bytes::copy(replication::encode_voter(vote))});
  world_.restart(voter_hosts_[index], this->voter(index));
  world_.crash(asker_hosts_[index]);
  world_.restart(asker_hosts_[index], proposer(index));
  return true;
}

bool voted_authority::asks_lost_voters(std::size_t index) const {
  return asks_lost_[index];
}

/// Who took the majority for gone for good was right: otherwise two chains go on.
void voted_authority::check_lost() {
  if (checks_.newest() > forced_->lost_epoch) {
    blame("the lost chain took a step to epoch " + std::to_string(checks_.newest()) + " after another took its place");
  }
  if (!checks_.violations().empty()) blame(checks_.violations().front());
}

}  // namespace artillery::sim
