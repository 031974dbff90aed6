#include "replication/register_core.hpp"

#include <utility>

#include "base/assert.hpp"
#include "base/state_hash.hpp"
#include "base/wire.hpp"

namespace artillery::replication {

register_core::register_core(const proposer_config& config, detail::random random)
    : cluster_{detail::cluster_tag(config.cluster)}, proposer_{config, random} {}

void register_core::vote(voter_state durable, time_point now) {
  ARTILLERY_INVARIANT(!acceptor_);
  acceptor_.emplace(cluster_, std::move(durable), now);
}

void register_core::use_voters(std::vector<member> voters, time_point now, effects<register_event>& out) {
  proposer_.use_voters(std::move(voters), now, out);
}

void register_core::ask_others(const proposer_config& config, detail::random random) {
  ARTILLERY_INVARIANT(!acceptor_ || !acceptor_->state().is_founded());
  proposer_ = replication::proposer{config, random};
}

void register_core::begin_again(const proposer_config& config, detail::random random, voter_state durable,
                                time_point now) {
  ARTILLERY_INVARIANT(acceptor_ && acceptor_->is_settled() && !acceptor_->is_silent() && durable.is_founded());
  proposer_ = replication::proposer{config, random};
  acceptor_.emplace(cluster_, std::move(durable), now);
}

void register_core::receive(const connection& from, bytes_view datagram, time_point now, effects<register_event>& out) {
  if (!is_register_request(datagram)) return proposer_.receive(from, datagram, now, out);
  if (acceptor_) return acceptor_->receive(from, datagram, now, out);
  ++misdirected_;
}

void register_core::completed(operation op, std::error_code error, time_point now, effects<register_event>& out) {
  if (acceptor_) acceptor_->completed(op, error, now, out);
}

std::uint64_t register_core::hash(time_point now) const {
  detail::state_hash h;
  h.add(proposer_.hash(now)).add(acceptor_.has_value());
  if (acceptor_) h.add(acceptor_->hash(now));
  return h.value();
}

}  // namespace artillery::replication
