#include <algorithm>
#include <utility>

#include "net/driver.hpp"
#include "node/node_impl.hpp"

// A chain that lost the majority of its voters for good: another one takes its place, with what this node holds.

namespace artillery::detail {

void node_impl::force_chain(completion<force_signature> when_over) {
  net::submit(shared_from_this(), [when_over = std::move(when_over)](node_impl& self) mutable {
    if (const auto error = self.begin_force(when_over)) when_over(error, forced_chain{});
  });
}

/// Takes `when_over`, unless there is an error.
std::error_code node_impl::begin_force(completion<force_signature>& when_over) {
  if (phase_ != phase::running || !bootstrap_ || leaving_begun_) return errc::not_running;
  if (decides_ == nullptr || !bootstrap_->belongs() || !is_chain_replica()) return errc::not_serving;
  if (forcing_) return errc::already_running;
  forcing_ = std::move(when_over);
  // A lease that is renewed meanwhile was renewed by a majority of the voters, whatever becomes of other questions.
  const time_point now = clock::now();
  force_timer_.expires_after(std::max(replica_->status().lease_until, now) - now);
  force_timer_.async_wait(on_strand([](node_impl& self, std::error_code error) {
    if (!error && self.phase_ == phase::running) self.force_without_lease();
  }));
  return {};
}

bool node_impl::is_chain_replica() const {
  const replication::role here = replica_->status().role;
  return here != replication::role::none && here != replication::role::learner;
}

void node_impl::force_without_lease() {
  const replication::replica_status here = replica_->status();
  if (here.lease_until > clock::now()) return end_force(errc::has_quorum, {});
  const auto& all = here.view.replicas;
  const auto own = std::find_if(all.begin(), all.end(), [&](const auto& each) { return each.id.node == config_.id; });
  if (own == all.end() || !is_chain_replica()) return end_force(errc::not_serving, {});
  const endpoint voter_at = cluster_->self().at.with_port(decides_->local_endpoint().port());
  decides_->async_force(here.view, own->id, voter_at,
                        on_strand([](node_impl& self, std::error_code error, replication::forced_register begun) {
                          if (self.phase_ == phase::running) self.forced(error, std::move(begun));
                        }));
}

void node_impl::forced(std::error_code error, replication::forced_register begun) {
  if (error) return end_force(error, {});
  forced_ = std::move(begun);
  force_if_due();
}

/// The replica here asks for its lease, is told of the other chain, and goes over to it: then it is in force.
void node_impl::force_if_due() {
  if (!forced_ || replica_->status().view.epoch < forced_->first.epoch) return;
  const replication::forced_register begun = *std::exchange(forced_, std::nullopt);
  if (replica_->status().role == replication::role::none) {
    log(log_level::error,
        "the lost chain came back while another one was forced in its place, and dropped the replica here: nothing "
        "that "
        "this node held is left. Go on with the other nodes, and start this one again with an empty directory" +
            (begun.kept.empty() ? "" : " but for the file " + begun.kept));
    return end_force(errc::outcome_unknown, {});
  }
  log(log_level::warning, "this node alone is the chain that takes the place of the lost one");
  bootstrap_->replace(decides_->status().genesis, clock::now());
  go_on_with_chain();
  end_force({}, forced_chain{begun.first, begun.kept});
}

void node_impl::end_force(std::error_code error, forced_chain result) {
  if (forcing_) std::exchange(forcing_, {})(error, std::move(result));
}

}  // namespace artillery::detail
