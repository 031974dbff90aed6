#include <algorithm>
#include <utility>

#include "artillery/replication/authority.hpp"

namespace artillery::replication {

std::error_code check_view(const view& candidate) noexcept {
  const std::error_code fault = errc::invalid_configuration;
  if (candidate.epoch == 0 || candidate.replicas.empty() || candidate.replicas.size() > view_replicas_max ||
      candidate.learners.size() > view_replicas_max || candidate.voters.size() > view_replicas_max ||
      candidate.readers.size() > view_replicas_max || candidate.kept_out.size() > view_replicas_max ||
      candidate.lease < duration{0} || candidate.drift_ppm >= 1'000'000) {
    return fault;
  }
  for (std::size_t i = 0; i < candidate.replicas.size(); ++i) {
    if (candidate.replicas[i].id.node.none() || candidate.replicas[i].at.none()) return fault;
    for (std::size_t k = 0; k < i; ++k) {
      if (candidate.replicas[k].id.node == candidate.replicas[i].id.node) return fault;
    }
  }
  return {};
}

void authority::quiet(std::uint64_t /*epoch*/, const ballot& /*chosen_in*/, duration /*length*/,
                      std::vector<replica_id> /*whom*/, quiet_handler done) {
  done({}, false);
}

static_authority::static_authority(view only) : only_{std::move(only), {}}, fault_{check_view(only_.view)} {
  if (only_.view.leases != lease_mode::endless) fault_ = errc::invalid_configuration;
}

void static_authority::read(read_handler done) {
  done(fault_, only_, true);
}

void static_authority::compare_and_swap(std::uint64_t /*expected*/, view /*next*/, view_handler done) {
  done(fault_ ? fault_ : make_error_code(errc::stale_epoch), only_);
}

void static_authority::renew(const replica_id& who, std::uint64_t epoch, done_handler done) {
  const view& only = only_.view;
  std::error_code error = fault_;
  if (!error && epoch != only.epoch) error = errc::stale_epoch;
  const bool is_listed =
      std::any_of(only.replicas.begin(), only.replicas.end(), [&](const member& each) { return each.id == who; });
  if (!error && !is_listed) error = errc::not_serving;
  done(error);
}

}  // namespace artillery::replication
